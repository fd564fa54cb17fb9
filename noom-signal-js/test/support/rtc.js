import { originOf, ufragsOf } from "../../src/sdp.js";

let names = 0;
const name = (prefix) => `${prefix}${(names += 1)}`;

/** Runs after what is ready now, as a task of the browser would. */
function task(run) {
  let promise = Promise.resolve();
  for (let step = 0; step < 4; step += 1) promise = promise.then(() => {});
  promise.then(run);
}

const fail = (type, message) => new DOMException(message, type);
const sends = (direction) => direction.startsWith("send");
const receives = (direction) => direction === "sendrecv" || direction === "recvonly";
const directed = (send, receive) => (send ? (receive ? "sendrecv" : "sendonly") : receive ? "recvonly" : "inactive");
const reversed = (direction) => directed(receives(direction), sends(direction));

export class FakeTrack {
  constructor(kind) {
    this.kind = kind;
    this.id = name("track-");
  }
}

class FakeTransceiver {
  mid = null;
  currentDirection = null;
  /** The direction that our last description asked for. */
  described = null;
  everSent = false;

  constructor(kind, direction, byAddTrack) {
    this.kind = kind;
    this.direction = direction;
    this.byAddTrack = byAddTrack;
    this.receiver = { track: new FakeTrack(kind) };
    const sender = {
      track: null,
      replaceTrack: async (track) => {
        if (track && track.kind !== kind) throw new TypeError("kind");
        sender.track = track;
      },
      setStreams: () => {},
    };
    this.sender = sender;
  }
}

class FakeChannel {
  readyState = "connecting";
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;

  constructor(connection, label, id) {
    this.connection = connection;
    this.label = label;
    this.id = id;
  }

  send(data) {
    if (this.readyState !== "open") throw fail("InvalidStateError", "not open");
    const far = this.connection.far()?.channels.get(this.id);
    task(() => far?.readyState === "open" && far.onmessage?.({ data }));
  }
}

/**
 * An RTCPeerConnection after the specification's rules for signaling: the operations chain, the
 * states, rollback, how sections find their transceivers, when negotiation is needed, ICE
 * generations. Two of them connect once both have the other's current description and candidates.
 */
export class FakePeerConnection {
  /** Every connection by the id in its descriptions' `o=` line. */
  static all = new Map();
  /** Whether connections find each other. */
  static reachable = true;

  id = String(1_000_000 + (names += 1));
  signalingState = "stable";
  connectionState = "new";
  onnegotiationneeded = null;
  onicecandidate = null;
  onconnectionstatechange = null;
  ontrack = null;
  channels = new Map();
  /** Candidates that were added, for tests to look at. */
  added = [];

  #transceivers = [];
  /** The agreed sections, then those of a pending offer: `{ mid, kind }`. */
  #sections = [];
  #pendingSections = null;
  #currentLocal = null;
  #pendingLocal = null;
  #currentRemote = null;
  #pendingRemote = null;
  #ufrag = name("u");
  #gathered = new Set();
  #restart = false;
  #chain = Promise.resolve();
  #operations = 0;
  #updateOnEmpty = false;
  #negotiationNeeded = false;

  constructor(configuration = {}) {
    this.configuration = configuration;
    FakePeerConnection.all.set(this.id, this);
  }

  get localDescription() {
    return this.#pendingLocal ?? this.#currentLocal;
  }

  get remoteDescription() {
    return this.#pendingRemote ?? this.#currentRemote;
  }

  getConfiguration() {
    return this.configuration;
  }

  setConfiguration(configuration) {
    this.configuration = configuration;
  }

  getTransceivers() {
    return [...this.#transceivers];
  }

  addTrack(track) {
    let transceiver = this.#transceivers.find((each) => each.kind === track.kind && !each.sender.track && !each.everSent);
    if (transceiver) {
      transceiver.direction = directed(true, receives(transceiver.direction));
      transceiver.byAddTrack = true;
    } else {
      transceiver = this.#transceiver(track.kind, "sendrecv", true);
    }
    transceiver.sender.track = track;
    this.#updateNegotiation();
    return transceiver.sender;
  }

  addTransceiver(track) {
    const transceiver = this.#transceiver(track.kind, "sendrecv", false);
    transceiver.sender.track = track;
    this.#updateNegotiation();
    return transceiver;
  }

  createDataChannel(label, { id }) {
    if (this.channels.has(id)) throw fail("OperationError", "id in use");
    const channel = new FakeChannel(this, label, id);
    this.channels.set(id, channel);
    if (this.connectionState === "connected") task(() => this.#openChannels());
    this.#updateNegotiation();
    return channel;
  }

  restartIce() {
    this.#restart = true;
    this.#updateNegotiation();
  }

  setLocalDescription(description) {
    return this.#operate(() => {
      const implied = this.signalingState === "have-remote-offer" ? "answer" : "offer";
      const type = description?.type ?? implied;
      if (type === "rollback") return this.#rollback();
      if (type === "offer") this.#offer();
      else this.#answer();
      this.#gather();
    });
  }

  setRemoteDescription({ type, sdp }) {
    return this.#operate(() => {
      if (!sdp.startsWith("v=0")) throw fail("OperationError", "not a description");
      if (type === "offer") {
        if (this.signalingState === "have-local-offer") this.#rollback();
        this.#takeOffer(sdp);
      } else {
        this.#takeAnswer(sdp);
      }
    });
  }

  addIceCandidate(candidate) {
    return this.#operate(() => {
      if (!this.remoteDescription) throw fail("InvalidStateError", "no remote description");
      const ufrag = candidate?.usernameFragment;
      if (ufrag && !ufragsOf(this.remoteDescription.sdp).includes(ufrag)) throw fail("OperationError", "unknown ufrag");
      this.added.push(candidate);
      this.#connect();
    });
  }

  close() {
    const far = this.far();
    this.signalingState = "closed";
    this.connectionState = "closed";
    FakePeerConnection.all.delete(this.id);
    if (far?.connectionState !== "connected") return;
    task(() => {
      for (const channel of far.channels.values()) {
        channel.readyState = "closed";
        channel.onerror?.({ error: { sctpCauseCode: 12 } });
        channel.onclose?.({});
      }
    });
  }

  // For tests.

  /** The connection at the other end, if it exists. */
  far() {
    return this.#currentRemote ? FakePeerConnection.all.get(originOf(this.#currentRemote.sdp)) : undefined;
  }

  /** All paths are lost. */
  fail() {
    this.#turn("connecting");
    this.#turn("failed");
  }

  /** What is sent to us, as the far end's senders have it: by mid. */
  incoming() {
    const far = this.far();
    const entries = this.#transceivers
      .filter((each) => each.currentDirection && receives(each.currentDirection))
      .map(({ mid }) => [mid, far?.getTransceivers().find((each) => each.mid === mid)?.sender.track]);
    return new Map(entries);
  }

  #transceiver(kind, direction, byAddTrack) {
    const transceiver = new FakeTransceiver(kind, direction, byAddTrack);
    let current = direction;
    Object.defineProperty(transceiver, "direction", {
      get: () => current,
      set: (value) => {
        current = value;
        this.#updateNegotiation();
      },
    });
    this.#transceivers.push(transceiver);
    return transceiver;
  }

  async #operate(run) {
    this.#operations += 1;
    const before = this.#chain;
    const done = (async () => {
      await before;
      for (let step = 0; step < 3; step += 1) await null;
      if (this.signalingState === "closed") return new Promise(() => {});
      return run();
    })();
    this.#chain = done.then(
      () => {},
      () => {},
    );
    try {
      return await done;
    } finally {
      this.#operations -= 1;
      if (this.#operations === 0 && this.#updateOnEmpty) {
        this.#updateOnEmpty = false;
        this.#updateNegotiation();
      }
    }
  }

  #updateNegotiation() {
    if (this.#operations > 0) {
      this.#updateOnEmpty = true;
      return;
    }
    task(() => {
      if (this.signalingState === "closed") return;
      if (this.#operations > 0) {
        this.#updateOnEmpty = true;
        return;
      }
      if (this.signalingState !== "stable") return;
      if (!this.#isNegotiationNeeded()) {
        this.#negotiationNeeded = false;
        return;
      }
      if (this.#negotiationNeeded) return;
      this.#negotiationNeeded = true;
      this.onnegotiationneeded?.({});
    });
  }

  #isNegotiationNeeded() {
    if (this.#restart) return true;
    if (this.channels.size > 0 && !this.#sections.some((section) => section.kind === "application")) return true;
    return this.#transceivers.some((each) => each.mid === null || each.described !== each.direction);
  }

  #offer() {
    if (this.signalingState !== "stable" && this.signalingState !== "have-local-offer") throw fail("InvalidStateError", "offer");
    const sections = [...this.#sections];
    const add = (kind) => {
      const section = { mid: String(sections.length), kind };
      sections.push(section);
      return section.mid;
    };
    for (const each of this.#transceivers) {
      if (each.mid === null) {
        each.mid = add(each.kind);
        each.provisional = true;
      }
    }
    if (this.channels.size > 0 && !sections.some((section) => section.kind === "application")) add("application");
    if (this.#restart) this.#ufrag = name("u");
    for (const each of this.#transceivers) each.describing = each.direction;
    this.#pendingSections = sections;
    this.#pendingLocal = { type: "offer", sdp: this.#write(sections, (each) => each.direction), restart: this.#restart };
    this.signalingState = "have-local-offer";
  }

  #answer() {
    if (this.signalingState !== "have-remote-offer") throw fail("InvalidStateError", "answer");
    const direction = (each) => {
      const offered = reversed(each.offered ?? "inactive");
      return directed(sends(each.direction) && sends(offered), receives(each.direction) && receives(offered));
    };
    for (const each of this.#transceivers) {
      if (each.mid === null) continue;
      each.described = each.direction;
      each.currentDirection = direction(each);
    }
    const restarted = this.#currentRemote && ufragsOf(this.#currentRemote.sdp)[0] !== ufragsOf(this.#pendingRemote.sdp)[0];
    if (restarted) this.#ufrag = name("u");
    this.#currentLocal = { type: "answer", sdp: this.#write(this.#pendingSections, direction) };
    this.#stable();
  }

  #takeOffer(sdp) {
    if (this.signalingState !== "stable" && this.signalingState !== "have-remote-offer") throw fail("InvalidStateError", "remote offer");
    const sections = read(sdp);
    this.#pendingSections = sections.map(({ mid, kind }) => ({ mid, kind }));
    for (const { mid, kind, direction } of sections) {
      if (kind === "application") continue;
      const free = (each) => each.mid === null && each.byAddTrack && each.kind === kind && sends(each.direction);
      const found = this.#transceivers.find((each) => each.mid === mid) ?? this.#transceivers.find(free);
      const transceiver = found ?? this.#transceiver(kind, "recvonly", false);
      transceiver.mid = mid;
      transceiver.offered = direction;
      this.#incoming(transceiver, direction);
    }
    this.#pendingRemote = { type: "offer", sdp };
    this.signalingState = "have-remote-offer";
  }

  #takeAnswer(sdp) {
    if (this.signalingState !== "have-local-offer") throw fail("InvalidStateError", "remote answer");
    const sections = read(sdp);
    if (sections.length !== this.#pendingSections.length) throw fail("OperationError", "sections don't match the offer");
    for (const { mid, direction } of sections) {
      const transceiver = this.#transceivers.find((each) => each.mid === mid);
      if (!transceiver) continue;
      transceiver.provisional = false;
      transceiver.described = transceiver.describing;
      transceiver.currentDirection = directed(
        sends(transceiver.describing) && receives(direction),
        receives(transceiver.describing) && sends(direction),
      );
      this.#incoming(transceiver, direction);
    }
    if (this.#pendingLocal.restart) this.#restart = false;
    this.#currentLocal = this.#pendingLocal;
    this.#pendingRemote = { type: "answer", sdp };
    this.#stable();
  }

  #incoming(transceiver, direction) {
    const now = sends(direction);
    if (now && !transceiver.fired) this.ontrack?.({ transceiver, track: transceiver.receiver.track, streams: [], receiver: transceiver.receiver });
    transceiver.fired = now;
  }

  #stable() {
    this.#currentRemote = this.#pendingRemote;
    this.#sections = this.#pendingSections;
    this.#pendingLocal = this.#pendingRemote = this.#pendingSections = null;
    for (const each of this.#transceivers) if (each.currentDirection && sends(each.currentDirection)) each.everSent = true;
    this.signalingState = "stable";
    this.#negotiationNeeded = false;
    this.#updateNegotiation();
    this.#connect();
  }

  #rollback() {
    if (this.signalingState !== "have-local-offer") throw fail("InvalidStateError", "rollback");
    for (const each of this.#transceivers) {
      if (each.provisional) each.mid = null;
      each.provisional = false;
    }
    if (this.#pendingLocal.restart) this.#ufrag = this.#currentLocal ? ufragsOf(this.#currentLocal.sdp)[0] : name("u");
    this.#pendingLocal = this.#pendingSections = null;
    this.signalingState = "stable";
    this.#negotiationNeeded = false;
    this.#updateNegotiation();
  }

  #write(sections, direction) {
    const media = sections.map(({ mid, kind }) => {
      const transceiver = this.#transceivers.find((each) => each.mid === mid);
      const line = kind === "application" ? "" : `a=${transceiver ? direction(transceiver) : "inactive"}\r\n`;
      return `m=${kind} 9 X 0\r\na=mid:${mid}\r\na=ice-ufrag:${this.#ufrag}\r\n${line}`;
    });
    return `v=0\r\no=- ${this.id} 2 IN IP4 127.0.0.1\r\ns=-\r\n${media.join("")}`;
  }

  #gather() {
    const ufrag = this.#ufrag;
    if (this.#gathered.has(ufrag)) return;
    this.#gathered.add(ufrag);
    const emit = (text) => this.onicecandidate?.({ candidate: text === null ? null : candidate(text, ufrag) });
    task(() => {
      for (const text of ["candidate:1", "candidate:2", "", null]) emit(text);
    });
  }

  /** Connects both ends, once each has what it needs of the other. */
  #connect() {
    const far = FakePeerConnection.reachable ? this.far() : undefined;
    if (!far || !this.#knows(far) || !far.#knows(this)) return;
    for (const end of [this, far]) {
      if (end.connectionState === "connected") continue;
      task(() => {
        if (end.signalingState === "closed") return;
        end.#turn("connected");
        end.#openChannels();
      });
    }
  }

  #knows(far) {
    const ufrag = this.#currentRemote && ufragsOf(this.#currentRemote.sdp)[0];
    const own = this.#currentLocal && ufragsOf(this.#currentLocal.sdp)[0];
    const theirs = far.#currentRemote && ufragsOf(far.#currentRemote.sdp)[0];
    return own === theirs && this.far() === far && this.added.some((each) => each?.candidate && each.usernameFragment === ufrag);
  }

  #openChannels() {
    for (const channel of this.channels.values()) {
      if (channel.readyState !== "connecting") continue;
      channel.readyState = "open";
      channel.onopen?.({});
    }
  }

  #turn(state) {
    if (this.connectionState === state || this.signalingState === "closed") return;
    this.connectionState = state;
    this.onconnectionstatechange?.({});
  }
}

function candidate(text, usernameFragment) {
  const plain = { candidate: text, sdpMid: "0", sdpMLineIndex: 0, usernameFragment };
  return { ...plain, toJSON: () => plain };
}

function read(sdp) {
  return sdp
    .split(/^(?=m=)/m)
    .slice(1)
    .map((section) => ({
      kind: /^m=(\w+)/.exec(section)[1],
      mid: /^a=mid:(\S+)/m.exec(section)[1],
      direction: /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(section)?.[1] ?? "sendrecv",
    }));
}
