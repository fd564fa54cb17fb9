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
    if (!isSlot(name)) throw new TypeError(`not a name for a slot: ${name}`);
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
  /** @type {Map<string, { sender: RTCRtpSender, kind: string }>} */
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
    const sender = this.#senders.get(name)?.sender;
    if (!sender) {
      if (track) this.#senders.set(name, { sender: this.#add(track, streams), kind: track.kind });
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
    return [...this.#senders].find(([, { sender }]) => sender === transceiver?.sender)?.[0];
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {MediaStream[]} streams
   */
  #add(track, streams) {
    // addTrack may take the sender of an emptied slot, whose section the far end knows by that slot's name; and
    // nothing would be left to negotiate, so it would never hear of the change.
    const isTakeable = [...this.#senders.values()].some(({ sender, kind }) => kind === track.kind && !sender.track);
    if (isTakeable) return this.#connection.addTransceiver(track, { streams }).sender;
    // Otherwise addTrack is better: only its transceivers join a section that the far end offers, so that two ends
    // with a track each share one section, and one round trip.
    return this.#connection.addTrack(track, ...streams);
  }
}
