/** @import { IceCandidate, Meta, PeerId, PeerInfo } from "./messages.js" */
/** @import { ChannelPlan } from "./channels.js" */
/** @import { Slot } from "./slots.js" */
import { Link } from "./link.js";
import { sendingIn } from "./sdp.js";
import { Senders } from "./slots.js";

/** The label of the mesh's own data channel, id 0. */
const OWN_CHANNEL = "noom";
/** How long a peer may take to come back after the server forgot it, while its connection lives. */
const RETURN_MS = 60_000;
/** How SCTP says that the far end closed its connection (RFC 9260, 3.3.10.12). */
const USER_INITIATED_ABORT = 12;

/**
 * What a peer tells its mesh.
 *
 * @typedef {object} PeerActions
 * @property {() => RTCPeerConnection} create
 * @property {() => Iterable<[string, Slot]>} slots
 * @property {() => Iterable<[string, ChannelPlan]>} channels
 * @property {(peer: MeshPeer, type: "offer" | "answer", sdp: string) => void} describe
 * @property {(peer: MeshPeer, candidate: IceCandidate | null) => void} candidate
 * @property {(peer: MeshPeer, previous: RTCPeerConnectionState) => void} state
 * @property {(peer: MeshPeer, slot: string, transceiver: RTCRtpTransceiver) => void} track
 * @property {(peer: MeshPeer, slot: string, track: MediaStreamTrack) => void} trackEnded
 * @property {(peer: MeshPeer, channel: RTCDataChannel) => void} channel
 * @property {(peer: MeshPeer, label: string, data: any) => void} data
 * @property {(peer: MeshPeer) => void} succeeded it said under which id it came back
 * @property {(peer: MeshPeer) => void} gone it closed its connection
 * @property {(error: unknown, peer: MeshPeer) => void} failed
 */

/**
 * Another member of the room, and our connection to it. The connection may be replaced by a new one
 * (the far end made one, or the old one was beyond repair); the peer and what it shows stay.
 */
export class MeshPeer {
  /** What the server calls it. It changes when the server, and nobody else, forgot it: `peerrenamed`. @type {PeerId} */
  id;
  /** @type {string | undefined} Who the server says it is. */
  user;
  /** @type {Meta} */
  meta;
  /** The roster version at which it joined. */
  since;
  /** What it sends, by slot. @type {Map<string, MediaStreamTrack>} */
  tracks = new Map();
  /** The streams that each slot's track is in. @type {Map<string, readonly MediaStream[]>} */
  streams = new Map();
  /**
   * It is no longer in the room by the server's word (which restarted, say), but its connection lives.
   * It stays until it has come back, closes the connection, or a while has passed.
   */
  departed = false;
  /** The id it came back under, by its own word: no proof of anything. @type {PeerId | undefined} */
  successor;
  /** @internal Where its signals go. @type {PeerId} */
  address;

  #actions;
  #polite;
  /** @type {Link} */
  #link;
  /** @type {Senders} */
  #senders;
  /** The link before this one: its picture stays until the new link has one. @type {Link | undefined} */
  #former;
  /** @type {Map<string, RTCDataChannel>} */
  #channels = new Map();
  /** @type {RTCDataChannel | undefined} */
  #own;
  /** @type {WeakMap<RTCRtpTransceiver, readonly MediaStream[]>} */
  #streamsOf = new WeakMap();
  /** @type {RTCPeerConnectionState} */
  #state = "new";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #returnTimer;

  /**
   * @internal
   * @param {PeerInfo} info
   * @param {PeerActions} actions
   * @param {{ polite: boolean, patienceMs?: number }} options
   */
  constructor({ peer, user, meta, since }, actions, { polite, patienceMs }) {
    this.id = this.address = peer;
    this.user = user;
    this.meta = meta;
    this.since = since;
    this.#actions = actions;
    this.#polite = polite;
    [this.#link, this.#senders] = this.#connect(patienceMs);
  }

  get connection() {
    return this.#link.connection;
  }

  get connectionState() {
    return this.connection.connectionState;
  }

  /** The data channel of that label, once `mesh.openChannel` was called for it. @param {string} label */
  channel(label) {
    return this.#channels.get(label);
  }

  /** @internal Begins anew on a fresh RTCPeerConnection. @param {{ polite?: boolean, patienceMs?: number }} [options] */
  reconnect({ polite = this.#polite, patienceMs } = {}) {
    this.#polite = polite;
    this.#former?.close();
    this.#former = this.#link;
    this.#former.retire();
    [this.#link, this.#senders] = this.#connect(patienceMs, this.#former);
    this.#changed();
  }

  /** @internal @param {"offer" | "answer"} type @param {string} sdp */
  describe(type, sdp) {
    this.#link.describe(type, sdp);
  }

  /** @internal @param {IceCandidate | null} candidate */
  candidate(candidate) {
    this.#link.candidate(candidate);
  }

  /** @internal Our offer may have been lost. */
  offerAgain() {
    this.#link.offerAgain();
  }

  /** @internal Finds new paths, by these servers if given. @param {RTCIceServer[]} [iceServers] */
  restart(iceServers) {
    const { connection } = this;
    if (connection.signalingState === "closed") return;
    if (iceServers) connection.setConfiguration({ ...connection.getConfiguration(), iceServers });
    this.#link.restart();
  }

  /** @internal @param {string} name @param {Slot} slot */
  async send(name, slot) {
    await this.#senders.apply(name, slot);
  }

  /** @internal @param {string} label @param {ChannelPlan} plan */
  open(label, { id, options }) {
    this.#open(this.connection, label, { ...options, negotiated: true, id });
  }

  /** @internal We lost our session, and this is who we are now. @param {PeerId} id */
  announce(id) {
    if (this.#own?.readyState === "open") this.#own.send(JSON.stringify({ peer: id }));
  }

  /** @internal Nobody answers to this id any more: what is agreed has to do. @param {() => void} expired it isn't back */
  depart(expired) {
    this.departed = true;
    clearTimeout(this.#returnTimer);
    this.#returnTimer = setTimeout(expired, RETURN_MS);
    this.rest();
  }

  /** @internal Whether it may be back under this id. @param {PeerId} id */
  mayBe(id) {
    return this.successor === id || (this.successor === undefined && this.#own?.readyState === "open");
  }

  /** @internal Offers to this id on the connection we have: whoever is at its other end will know it. @param {PeerId} id @param {boolean} polite */
  ask(id, polite) {
    this.address = id;
    this.#link.resume({ polite, offer: true });
  }

  /** @internal Whether a description is of the connection we have. @param {"offer" | "answer"} type @param {string} sdp */
  continues(type, sdp) {
    return this.#link.continues(type, sdp);
  }

  /** @internal Signals to nobody. */
  rest() {
    this.address = this.id;
    this.#link.pause();
  }

  /** @internal It is back, and was known again. @param {PeerInfo} info @param {boolean} polite */
  rename({ peer, user, since }, polite) {
    clearTimeout(this.#returnTimer);
    // Who asked has resumed already.
    if (this.address !== peer) this.#link.resume({ polite, offer: false });
    this.id = this.address = peer;
    this.user = user;
    this.since = since;
    this.#polite = polite;
    this.departed = false;
    // It may have come back once more already.
    if (this.successor === peer) this.successor = undefined;
  }

  /** @internal */
  close() {
    clearTimeout(this.#returnTimer);
    this.#former?.close();
    this.#link.close();
  }

  /**
   * @param {number} [patienceMs]
   * @param {Link} [former]
   * @returns {[Link, Senders]}
   */
  #connect(patienceMs, former) {
    const actions = this.#actions;
    const connection = actions.create();
    const senders = new Senders(connection);
    const link = new Link(
      connection,
      {
        describe: (type, sdp) => actions.describe(this, type, sdp),
        candidate: (candidate) => actions.candidate(this, candidate),
        slotOf: (mid) => senders.slotOf(mid),
        described: (sdp) => this.#show(connection, sdp),
        replaced: (offer) => {
          this.reconnect({ patienceMs: offer === undefined ? undefined : 0 });
          if (offer !== undefined) this.describe("offer", offer);
        },
        failed: (error) => actions.failed(error, this),
      },
      { polite: this.#polite, patienceMs, former },
    );
    connection.ontrack = ({ transceiver, streams }) => this.#streamsOf.set(transceiver, streams);
    connection.onconnectionstatechange = () => this.connection === connection && this.#changed();
    for (const [name, slot] of actions.slots()) senders.apply(name, slot).catch((error) => actions.failed(error, this));
    this.#channels.clear();
    this.#own = this.#openOwn(connection);
    for (const [label, { id, options }] of actions.channels()) {
      this.#open(connection, label, { ...options, negotiated: true, id });
    }
    return [link, senders];
  }

  /** @param {RTCPeerConnection} connection */
  #openOwn(connection) {
    const channel = connection.createDataChannel(OWN_CHANNEL, { negotiated: true, id: 0 });
    channel.onmessage = ({ data }) => {
      const successor = successorIn(data);
      if (successor === undefined) return;
      this.successor = successor;
      this.#actions.succeeded(this);
    };
    channel.onclose = () => this.connection === connection && this.#actions.gone(this);
    return channel;
  }

  /**
   * @param {RTCPeerConnection} connection
   * @param {string} label
   * @param {RTCDataChannelInit} options
   */
  #open(connection, label, options) {
    const channel = connection.createDataChannel(label, options);
    channel.binaryType = "arraybuffer";
    channel.onopen = () => this.#actions.channel(this, channel);
    channel.onmessage = ({ data }) => this.#actions.data(this, label, data);
    channel.onerror = (event) => {
      const { error } = /** @type {RTCErrorEvent} */ (event);
      if (error?.sctpCauseCode !== USER_INITIATED_ABORT) this.#actions.failed(error ?? event, this);
    };
    this.#channels.set(label, channel);
  }

  #changed() {
    const state = this.connectionState;
    if (state === "connected") {
      this.#former?.close();
      this.#former = undefined;
    }
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    this.#actions.state(this, previous);
  }

  /**
   * Compares what the far end sends now with what it sent before.
   *
   * @param {RTCPeerConnection} connection
   * @param {string} sdp
   */
  #show(connection, sdp) {
    if (connection !== this.connection) return;
    const now = new Map(sendingIn(sdp).map(({ mid, slot }) => [slot, mid]));
    const transceivers = connection.getTransceivers();
    for (const [slot, track] of this.tracks) {
      if (now.has(slot)) continue;
      this.tracks.delete(slot);
      this.streams.delete(slot);
      this.#actions.trackEnded(this, slot, track);
    }
    for (const [slot, mid] of now) {
      const transceiver = transceivers.find((each) => each.mid === mid);
      if (!transceiver || this.tracks.get(slot) === transceiver.receiver.track) continue;
      this.tracks.set(slot, transceiver.receiver.track);
      this.streams.set(slot, this.#streamsOf.get(transceiver) ?? []);
      this.#actions.track(this, slot, transceiver);
    }
  }
}

/** @param {unknown} data @returns {PeerId | undefined} */
function successorIn(data) {
  try {
    const { peer } = JSON.parse(String(data));
    return typeof peer === "string" && peer.length <= 64 ? peer : undefined;
  } catch {
    // The far end's word is not worth more than being ignored when it can't be read.
    return undefined;
  }
}
