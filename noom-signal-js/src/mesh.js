/** @import { Meta, PeerId, PeerInfo, RoomName } from "./messages.js" */
/** @import { Joined, SignalClient, SignalEvents } from "./client.js" */
/** @import { MeshEvents, MeshOptions } from "./events.js" */
/** @import { PeerActions } from "./peer.js" */
/** @import { JoinOptions } from "./stay.js" */
import { Arrivals } from "./arrivals.js";
import { ChannelPlans } from "./channels.js";
import { Emitter } from "./emitter.js";
import { report, SignalError } from "./error.js";
import { MeshPeer } from "./peer.js";
import { relay } from "./relay.js";
import { Slots } from "./slots.js";
import { Stay } from "./stay.js";

/**
 * A room whose members are all connected with each other, each by one RTCPeerConnection.
 *
 * The connections are the members' own: losing the server never closes one. They come and go with
 * the roster alone.
 *
 * @extends {Emitter<MeshEvents>}
 */
export class Mesh extends Emitter {
  signal;
  room;
  /** @type {Map<PeerId, MeshPeer>} */
  peers = new Map();

  #options;
  #slots = new Slots();
  #channels = new ChannelPlans();
  #stay;
  #arrivals = new Arrivals({
    departed: () => [...this.peers.values()].filter(({ departed }) => departed),
    admit: (info, offered) => this.#admit(info, offered ? this.#patienceMs : undefined),
    recognised: (info, peer) => this.#recognised(info, peer),
    ask: (info, peer) => peer.ask(info.peer, this.#isPolite(info)),
  });
  /** Peers whose last repair was for nothing. @type {WeakSet<MeshPeer>} */
  #restarted = new WeakSet();
  /** @type {(() => void)[]} */
  #offs = [];

  /**
   * @param {SignalClient} signal
   * @param {RoomName} room
   * @param {MeshOptions} [options]
   */
  constructor(signal, room, options = {}) {
    super();
    this.signal = signal;
    this.room = room;
    this.#options = options;
    this.#stay = new Stay(signal, room, {
      joined: ({ peers }, again) => this.#joined(peers, again),
      ended: (reason, error) => this.#ended(reason, error),
    });
  }

  /**
   * Joins the room, and again by itself whenever the session was lost.
   *
   * @param {JoinOptions} [options]
   * @returns {Promise<Joined>}
   */
  async join(options = {}) {
    if (this.#stay.options) throw new SignalError("already_joined", `already in ${this.room}`, { room: this.room });
    this.#stay.options = options;
    this.#listen();
    return this.#stay.join();
  }

  /** Leaves the room and closes all connections. Tracks are their owner's: none is stopped. */
  async leave() {
    if (this.#stay.options) await this.#stay.leave();
  }

  /**
   * Says something new about ourselves to all members.
   *
   * @param {Meta} meta
   */
  async updateMeta(meta) {
    // For when we have to join again.
    if (this.#stay.options) this.#stay.options = { ...this.#stay.options, meta };
    return this.signal.update(this.room, meta);
  }

  /**
   * Sends this track in the named slot to every peer, present and future; null sends nothing. The far
   * ends know it by the slot's name. Another track of the same kind takes over without a gap.
   *
   * @param {string} slot up to 64 letters, digits, `_`, `.` and `-`: `camera`, `mic`, `screen`
   * @param {MediaStreamTrack | null} track
   * @param {MediaStream} [stream] tracks of one stream are played in step (camera and microphone, say)
   */
  async setTrack(slot, track, stream) {
    const now = this.#slots.set(slot, track, stream);
    if (!now) return;
    await this.#each((peer) => peer.send(slot, now));
  }

  /**
   * Opens a data channel to every peer, present and future. Each member has to open it: best before
   * joining.
   *
   * @param {string} label
   * @param {RTCDataChannelInit} [options] `id` from 1 to 255 replaces the one made from the label
   */
  openChannel(label, options = {}) {
    const plan = this.#channels.add(label, options);
    if (plan) for (const peer of this.peers.values()) this.#try(peer, () => peer.open(label, plan));
  }

  /**
   * Sends to one peer, or to every one whose channel is open.
   *
   * @param {string} label
   * @param {string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob} data
   * @param {PeerId} [peerId]
   * @returns {number} to how many
   */
  sendData(label, data, peerId) {
    const all = peerId === undefined ? [...this.peers.values()] : [this.peers.get(peerId)];
    let sent = 0;
    for (const peer of all) {
      const channel = peer?.channel(label);
      if (!peer || channel?.readyState !== "open") continue;
      this.#try(peer, () => {
        channel.send(/** @type {any} */ (data));
        sent += 1;
      });
    }
    return sent;
  }

  #listen() {
    /** @type {{ [Type in keyof SignalEvents]?: (message: SignalEvents[Type]) => void }} */
    const handlers = {
      welcome: (info) => this.#welcome(info),
      updated: ({ peer: id, meta }) => {
        const arrival = this.#arrivals.get(id);
        if (arrival) arrival.meta = meta;
        const peer = this.peers.get(id);
        if (!peer) return;
        peer.meta = meta;
        this.emit("peerupdated", { peer });
      },
      bye: ({ peer, reason }) => {
        if (peer !== this.signal.peer) this.#bye(peer, reason);
        else if (this.#stay.since !== undefined) this.#stay.end(reason);
      },
      roster: ({ peers }) => this.#roster(peers),
      missed: ({ peer }) => this.peers.get(peer)?.offerAgain(),
      offer: ({ from, sdp }) => this.#described(from, "offer", sdp),
      answer: ({ from, sdp }) => this.#described(from, "answer", sdp),
      ice: ({ from, candidate }) => this.peers.get(from)?.candidate(candidate),
    };
    for (const [type, handler] of Object.entries(handlers)) {
      const handle = /** @type {(message: any) => void} */ (handler);
      const off = this.signal.on(/** @type {keyof SignalEvents} */ (type), (message) => {
        if (/** @type {any} */ (message).room === this.room) handle(message);
      });
      this.#offs.push(off);
    }
    this.#offs.push(
      this.signal.on("hello", (hello) => {
        if (hello.resumed === "partial") this.#resumedInPart(hello.rooms ?? []);
      }),
      this.signal.on("reset", ({ peer: id }) => {
        this.#arrivals.keep();
        // The connections live on until the room says who is still there.
        for (const peer of this.peers.values()) peer.announce(id);
        this.#stay.reset();
      }),
      this.signal.on("state", ({ state, reason }) => state === "closed" && this.#stay.end(reason?.reason ?? "closed")),
    );
  }

  /** @param {PeerInfo[]} peers @param {boolean} again */
  #joined(peers, again) {
    // Whoever was there before we were offers; we are the newcomer.
    if (again) this.#sortOut(new Map(peers.map((info) => [info.peer, info.since])));
    this.#roster(peers, this.#patienceMs);
    this.emit("joined", { room: this.room, peers: [...this.peers.values()], again });
  }

  /**
   * We are back in the room as somebody new. Those who are still there were told that our former self is
   * gone, and closed its connections: they need new ones. Those who are not were forgotten by the server as
   * we were, and will come back as somebody new too; their connections live, and wait for them. In both cases
   * the peer stays, with its picture.
   *
   * @param {Map<PeerId, number>} now
   */
  #sortOut(now) {
    for (const peer of this.peers.values()) {
      if (now.get(peer.id) === peer.since) {
        peer.reconnect({ polite: true, patienceMs: this.#patienceMs });
      } else if (peer.connectionState === "connected" && !now.has(peer.id)) {
        peer.depart(() => this.#dropDeparted(peer));
      }
    }
  }

  /** @param {MeshPeer} peer @param {MeshPeer} [successor] */
  #dropDeparted(peer, successor) {
    if (peer.departed && this.peers.get(peer.id) === peer) this.#bye(peer.id, successor ? "replaced" : "lost", successor);
  }

  /** Drops those who have come back unrecognised, and are connected, under a new id. */
  #dropReplaced() {
    for (const peer of this.peers.values()) {
      const successor = this.peers.get(peer.successor ?? "");
      if (successor && !successor.departed && successor.connectionState === "connected") this.#dropDeparted(peer, successor);
    }
  }

  /** @param {PeerInfo[]} peers @param {number} [patienceMs] */
  #roster(peers, patienceMs) {
    if (this.#stay.since === undefined) return;
    const now = new Map(peers.map((info) => [info.peer, info]));
    for (const [id, { since, departed }] of this.peers) if (!departed && now.get(id)?.since !== since) this.#bye(id, "lost");
    this.#arrivals.keep(now);
    for (const info of peers) {
      const peer = this.peers.get(info.peer);
      if (peer) this.#update(peer, info.meta);
      else this.#welcome(info, patienceMs);
    }
  }

  /** @param {MeshPeer} peer @param {Meta} meta */
  #update(peer, meta) {
    if (JSON.stringify(peer.meta) === JSON.stringify(meta)) return;
    peer.meta = meta;
    this.emit("peerupdated", { peer });
  }

  /** @param {PeerInfo} info @param {number} [patienceMs] */
  #welcome(info, patienceMs) {
    // A roster may list ourselves; then it knows best since when.
    if (info.peer === this.signal.peer && this.#stay.since !== undefined) this.#stay.since = info.since;
    const ours = this.#stay.since;
    if (info.peer === this.signal.peer || ours === undefined) return;
    if (this.peers.get(info.peer)?.since === info.since || this.#arrivals.get(info.peer)?.since === info.since) return;
    this.#bye(info.peer, "lost");
    if (!this.#arrivals.add(info, patienceMs)) this.#admit(info, patienceMs);
  }

  /** @param {PeerInfo} info @param {number} [patienceMs] */
  #admit(info, patienceMs) {
    try {
      const peer = new MeshPeer(info, this.#actions, { polite: this.#isPolite(info), patienceMs });
      this.peers.set(info.peer, peer);
      const replaces = [...this.peers.values()].find((each) => each.departed && each.successor === peer.id);
      this.emit("peer", { peer, replaces });
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A departed peer has shown that it is the one who came back as this. @param {PeerInfo} info @param {MeshPeer} peer */
  #recognised(info, peer) {
    const { id: former } = peer;
    this.peers.delete(former);
    peer.rename(info, this.#isPolite(info));
    this.peers.set(peer.id, peer);
    this.emit("peerrenamed", { peer, former });
    this.#update(peer, info.meta);
  }

  /** @param {PeerId} id @param {"offer" | "answer"} type @param {string} sdp */
  #described(id, type, sdp) {
    this.#arrivals.judge(id, type, sdp);
    this.peers.get(id)?.describe(type, sdp);
  }

  /** Of us two, we are the one whose offer gives way. @param {PeerInfo} info */
  #isPolite({ peer, since }) {
    const ours = Number(this.#stay.since);
    return ours === since ? String(this.signal.peer) > peer : ours > since;
  }

  /** How long a newcomer leaves the offer to those who were there. */
  get #patienceMs() {
    return this.#options.offerTimeoutMs ?? 5000;
  }

  /** @param {PeerId} id @param {string} reason @param {MeshPeer} [successor] */
  #bye(id, reason, successor) {
    this.#arrivals.drop(id);
    const peer = this.peers.get(id);
    if (!peer) return;
    this.peers.delete(id);
    peer.close();
    this.emit("peerleft", { peer, reason, successor });
  }

  /** We may have lost what others sent; they hear `missed` and offer again, we do the same for ours. @param {RoomName[]} rooms */
  #resumedInPart(rooms) {
    if (this.#stay.since === undefined) return;
    if (!rooms.includes(this.room)) return this.#stay.end("lost");
    for (const peer of this.peers.values()) {
      if (peer.departed) continue;
      peer.offerAgain();
      // Candidates either way may be missing too.
      if (peer.connectionState !== "connected") peer.restart(this.#options.rtc?.iceServers ?? this.signal.iceServers);
    }
  }

  /** @param {string} reason @param {SignalError} [error] */
  #ended(reason, error) {
    for (const off of this.#offs.splice(0)) off();
    this.#arrivals.keep();
    for (const id of [...this.peers.keys()]) this.#bye(id, "left");
    this.emit("left", { reason, error });
  }

  /** @type {PeerActions} */
  #actions = {
    create: () => {
      const { rtc, RTCPeerConnection = globalThis.RTCPeerConnection } = this.#options;
      return new RTCPeerConnection({ iceServers: this.signal.iceServers, ...rtc });
    },
    slots: () => this.#slots,
    channels: () => this.#channels,
    describe: (peer, type, sdp) => void this.#relay(peer, () => this.signal[type](this.room, peer.address, sdp)),
    candidate: (peer, candidate) => void this.#relay(peer, () => this.signal.ice(this.room, peer.address, candidate)),
    state: (peer, previous) => {
      const state = peer.connectionState;
      if (state === "connected") this.#restarted.delete(peer);
      this.emit("state", { peer, state, previous });
      if (state === "connected") this.#dropReplaced();
      else if (state === "failed" && peer.departed) this.#dropDeparted(peer);
      else if (state === "failed") void this.#repair(peer);
    },
    track: (peer, slot, transceiver) => {
      const streams = peer.streams.get(slot) ?? [];
      this.emit("track", { peer, slot, track: transceiver.receiver.track, streams, transceiver });
    },
    trackEnded: (peer, slot, track) => this.emit("trackended", { peer, slot, track }),
    channel: (peer, channel) => this.emit("channel", { peer, label: channel.label, channel }),
    data: (peer, label, data) => this.emit("data", { peer, label, data }),
    succeeded: (peer) => {
      this.#arrivals.hinted(String(peer.successor));
      this.#dropReplaced();
    },
    gone: (peer) => this.#dropDeparted(peer),
    failed: (error, peer) => this.#failed(error, peer),
  };

  /** No path works any more: new ones first, and a new connection if those came to nothing. @param {MeshPeer} peer */
  async #repair(peer) {
    const { connection } = peer;
    let iceServers = this.#options.rtc?.iceServers;
    try {
      // What is left of the TURN credentials may have run out. Without the server this waits for it to come back,
      // which the offer would have to do anyway.
      iceServers ??= /** @type {RTCIceServer[]} */ (await this.signal.renewIceServers());
    } catch (error) {
      // What follows a lost session sees to its peers.
      if (/** @type {SignalError} */ (error).code === "lost" || !this.#stay.options) return;
      this.#failed(error, peer);
    }
    if (this.peers.get(peer.id) !== peer || peer.connection !== connection || peer.connectionState !== "failed") return;
    if (this.#restarted.has(peer)) peer.reconnect();
    else peer.restart(iceServers);
    this.#restarted.add(peer);
  }

  /** @param {MeshPeer} peer @param {() => Promise<void>} send */
  async #relay(peer, send) {
    const { connection } = peer;
    try {
      await relay(send, () => this.peers.get(peer.id) === peer && peer.connection === connection);
    } catch (error) {
      this.#failed(error, peer);
    }
  }

  /** @param {(peer: MeshPeer) => Promise<void>} act */
  async #each(act) {
    const results = await Promise.allSettled([...this.peers.values()].map(act));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** What fails with one peer (a full buffer, say) must not keep it from the others. @param {MeshPeer} peer @param {() => void} act */
  #try(peer, act) {
    try {
      act();
    } catch (error) {
      this.#failed(error, peer);
    }
  }

  /** @param {unknown} error @param {MeshPeer} [peer] */
  #failed(error, peer) {
    if (!this.emit("error", { error, peer })) report(error);
  }
}
