import { isSlot } from "./sdp.js";

/** @typedef {{ kind: string, track: MediaStreamTrack | null, stream?: MediaStream }} Slot */

/** What we send to every peer: one track, or none at the moment, in each named slot. */
export class Slots {
  /** @type {Map<string, Slot>} */
  #slots = new Map();

  [Symbol.iterator]() {
    return this.#slots.entries();
  }

  /**
   * @param {string} name
   * @param {MediaStreamTrack | null} track
   * @param {MediaStream} [stream] keeps the former one if left out
   * @returns {Slot | undefined} nothing if there is nothing to send or to stop
   */
  set(name, track, stream) {
    if (!isSlot(name)) throw new TypeError(`a slot's name has 1 to 64 letters, digits, "_", "." or "-", not ${JSON.stringify(name)}`);
    const before = this.#slots.get(name);
    if (before && track && before.kind !== track.kind) throw new TypeError(`slot ${name} is for ${before.kind}`);
    const kind = track?.kind ?? before?.kind;
    if (kind === undefined) return undefined;
    const slot = { kind, track, stream: stream ?? before?.stream };
    this.#slots.set(name, slot);
    return slot;
  }
}

/** The senders of one RTCPeerConnection, by slot. */
export class Senders {
  #connection;
  /** @type {Map<string, RTCRtpSender>} */
  #senders = new Map();

  /** @param {RTCPeerConnection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /**
   * Sends what is in the slot from now on. A change of the track alone needs no negotiation; that a
   * slot becomes empty or is filled again does, so that the far end knows.
   *
   * @param {string} name
   * @param {Slot} slot
   */
  async apply(name, { track, stream }) {
    const streams = stream ? [stream] : [];
    const sender = this.#senders.get(name);
    if (!sender) {
      // addTrack, not addTransceiver: only its transceivers join a section that the far end offers, so that
      // two ends with a track each share one section, and one round trip.
      if (track) this.#add(name, track, streams);
      return;
    }
    const transceiver = this.#connection.getTransceivers().find((each) => each.sender === sender);
    await sender.replaceTrack(track);
    if (!transceiver) return;
    const receives = transceiver.direction === "sendrecv" || transceiver.direction === "recvonly";
    if (track) sender.setStreams?.(...streams);
    if (transceiver.direction !== "stopped") {
      transceiver.direction = track ? (receives ? "sendrecv" : "sendonly") : receives ? "recvonly" : "inactive";
    }
  }

  /** The slot that we send in a media section. @param {string} mid */
  slotOf(mid) {
    const transceiver = this.#connection.getTransceivers().find((each) => each.mid === mid);
    return [...this.#senders].find(([, sender]) => sender === transceiver?.sender)?.[0];
  }

  /**
   * @param {string} name
   * @param {MediaStreamTrack} track
   * @param {MediaStream[]} streams
   */
  #add(name, track, streams) {
    const sender = this.#connection.addTrack(track, ...streams);
    // The browser may hand out the idle sender of an emptied slot; that one gets another when it needs it.
    for (const [other, its] of this.#senders) if (its === sender) this.#senders.delete(other);
    this.#senders.set(name, sender);
  }
}
