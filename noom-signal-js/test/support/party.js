import { Mesh, SignalClient } from "../../src/index.js";
import { FakePeerConnection, FakeTrack } from "./rtc.js";
import { FakeServer } from "./server.js";

/** Several members of one room, on a fake server with fake connections, in virtual time. */
export class Party {
  server = new FakeServer();
  members = [];
  #timers;

  constructor(t) {
    this.#timers = t.mock.timers;
    this.#timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
    t.after(() => this.members.forEach(({ signal }) => signal.close()));
  }

  /** A member that is not yet in the room. Sends these tracks: `{ camera: "video" }`. */
  async member(tracks = {}, options = {}) {
    const signal = new SignalClient("ws://host/", { WebSocket: this.server.WebSocket, random: () => 0.5 });
    const mesh = new Mesh(signal, "room", { RTCPeerConnection: FakePeerConnection, ...options });
    const events = [];
    const errors = [];
    for (const type of ["joined", "left", "peer", "peerupdated", "peerrenamed", "peerleft", "track", "trackended", "channel", "data", "state"]) {
      mesh.on(type, (event) => events.push({ type, ...event }));
    }
    mesh.on("error", ({ error }) => errors.push(error));
    const member = { signal, mesh, events, errors, sent: new Map() };
    this.members.push(member);
    for (const [slot, kind] of Object.entries(tracks)) await this.setTrack(member, slot, new FakeTrack(kind));
    void signal.connect().catch(() => {});
    await this.run();
    return member;
  }

  /** A member that joined. */
  async join(tracks, options) {
    const member = await this.member(tracks, options);
    void member.mesh.join({ meta: {} }).catch((error) => member.errors.push(error));
    await this.run();
    return member;
  }

  async setTrack(member, slot, track) {
    if (track) member.sent.set(slot, track);
    else member.sent.delete(slot);
    await member.mesh.setTrack(slot, track);
  }

  /** Lets everything happen that needs no time. */
  run(budget) {
    return this.server.run(budget);
  }

  /** Lets time pass, in small steps. */
  async pass(ms, step = 250) {
    for (let passed = 0; passed < ms; passed += step) {
      this.#timers.tick(Math.min(step, ms - passed));
      await this.run();
    }
  }

  socketOf({ signal }) {
    return [...this.server.sessions.values()].find((session) => session.peer === signal.peer)?.socket;
  }

  /** What is wrong with the room, in words; nothing if every pair is connected and sees what is sent. */
  faults() {
    const faults = [];
    for (const one of this.members) {
      for (const other of this.members) {
        if (one === other) continue;
        const where = `${one.signal.peer} of ${other.signal.peer}:`;
        const peer = one.mesh.peers.get(other.signal.peer);
        if (!peer) {
          faults.push(`${where} doesn't know it`);
          continue;
        }
        if (peer.connectionState !== "connected") faults.push(`${where} ${peer.connectionState}`);
        if (peer.connection.signalingState !== "stable") faults.push(`${where} ${peer.connection.signalingState}`);
        if (peer.connection.far() !== other.mesh.peers.get(one.signal.peer)?.connection) faults.push(`${where} connected to another`);
        const slots = [...peer.tracks.keys()].sort().join();
        const expected = [...other.sent.keys()].sort().join();
        if (slots !== expected) faults.push(`${where} shows "${slots}", not "${expected}"`);
        const incoming = peer.connection.incoming();
        for (const [slot, track] of peer.tracks) {
          const mid = peer.connection.getTransceivers().find((each) => each.receiver.track === track)?.mid;
          if (incoming.get(mid) !== other.sent.get(slot)) faults.push(`${where} ${slot} shows another slot's track`);
        }
      }
      if (one.mesh.peers.size !== this.members.length - 1) faults.push(`${one.signal.peer} has ${one.mesh.peers.size} peers`);
    }
    return faults;
  }
}

/** A small seeded generator, so that a failure can be repeated. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  next.below = (bound) => Math.floor(next() * bound);
  next.of = (items) => items[next.below(items.length)];
  return next;
}
