import { FakeSocket } from "./socket.js";

const UNCOUNTED = new Set(["hello", "ping", "pong", "goaway", "lobby"]);
const LIMITS = {
  messageBytes: 65_536,
  frameBytes: 1_048_576,
  metaBytes: 4096,
  depth: 32,
  roomsPerPeer: 8,
  messagesPerSecond: 100,
  burst: 400,
  resumeFrames: 512,
  resumeBytes: 1_048_576,
  outboundBytes: 1_048_576,
  lobbyRooms: 100,
};

/**
 * A server of the protocol, small and strict: sessions with counted frames, rooms, relays. Every
 * frame travels through a queue, so a cut in the middle loses what is under way, as on a real link.
 */
export class FakeServer {
  /** Sessions by their secret. */
  sessions = new Map();
  /** Rooms by name: `{ version, members: Map<peer, { session, meta, since }> }`. */
  rooms = new Map();
  sockets = [];
  /** Whether new connections are taken. */
  up = true;
  limits = { ...LIMITS };
  heartbeatMs = 25_000;
  /** Called with each counted frame that was taken: `(session, message)`. */
  onTaken = () => {};
  #names = 0;

  /** The class to give to a client. */
  get WebSocket() {
    const server = this;
    return class extends FakeSocket {
      constructor(url, protocol) {
        super(url, protocol);
        server.#accept(this);
      }
    };
  }

  get last() {
    return this.sockets.at(-1);
  }

  /** Delivers what is under way until nothing is; `budget` frames at most. Returns how many it delivered. */
  async run(budget = Infinity) {
    let delivered = 0;
    for (let idle = 0; idle < 3; idle += 1) {
      await flushMicrotasks();
      for (const socket of [...this.sockets]) {
        while (delivered < budget && socket.wire.length > 0) {
          const step = socket.wire.shift();
          delivered += 1;
          idle = 0;
          step();
          await flushMicrotasks();
        }
      }
    }
    return delivered;
  }

  /** Breaks a link: what is under way in either direction is lost. */
  cut(socket = this.last, code = 1006) {
    socket.wire = [];
    if (socket.session?.socket === socket) socket.session.socket = undefined;
    socket.end(code);
  }

  /** Forgets everything, as after a restart. */
  forget() {
    this.sessions.clear();
    this.rooms.clear();
  }

  /** Sends a message within a session, counted where it counts. */
  send(session, message) {
    if (!UNCOUNTED.has(message.type)) session.ring.push(message);
    if (session.socket) this.#wire(session.socket, message);
  }

  #accept(socket) {
    socket.wire = [];
    this.sockets.push(socket);
    socket.far = {
      text: (text) => socket.wire.push(() => this.#take(socket, text)),
      closed: (code) => {
        const { session } = socket;
        socket.wire = [];
        if (session?.socket === socket) session.socket = undefined;
        if (session && (code === 1000 || code === 1001)) this.#end(session);
      },
    };
    socket.wire.push(() => (this.up ? socket.accept() : socket.end(1006)));
  }

  #wire(socket, message) {
    const text = JSON.stringify(message);
    socket.wire.push(() => socket.deliver(text));
  }

  #take(socket, text) {
    const message = JSON.parse(text);
    if (message.type === "hello") return this.#hello(socket, message);
    const { session } = socket;
    if (!session || session.socket !== socket) return;
    if (message.type === "ping") {
      session.ring.splice(0, Math.max(0, message.received - session.dropped));
      session.dropped = Math.max(session.dropped, message.received);
      return this.#wire(socket, { type: "pong", received: session.received });
    }
    session.received += 1;
    this.onTaken(session, message);
    this.#handle(session, message);
  }

  #hello(socket, { resume, token }) {
    if (token === "bad") {
      this.#wire(socket, { type: "error", code: "unauthorized", message: "who are you" });
      socket.wire.push(() => this.cut(socket, 4401));
      return;
    }
    let session = resume && this.sessions.get(resume.session);
    let resumed = "new";
    if (session) {
      const sent = session.dropped + session.ring.length;
      const possible = resume.received >= session.dropped && resume.received <= sent;
      resumed = possible && !session.lossy ? "full" : "partial";
      if (session.socket) this.cut(session.socket, 4409);
    } else {
      this.#names += 1;
      session = { secret: `secret-${this.#names}`, peer: `peer-${String(this.#names).padStart(3, "0")}`, received: 0, ring: [], dropped: 0 };
      this.sessions.set(session.secret, session);
    }
    session.lossy = false;
    session.socket = socket;
    socket.session = session;
    const { peer, secret } = session;
    const hello = { type: "hello", peer, session: secret, resumed, iceServers: [{ urls: "stun:stun.example" }], heartbeatMs: this.heartbeatMs, resumeMs: 30_000, limits: this.limits };
    if (resumed === "full") {
      this.#wire(socket, { ...hello, received: session.received });
      session.ring.splice(0, resume.received - session.dropped);
      session.dropped = resume.received;
      for (const message of session.ring) this.#wire(socket, message);
    } else if (resumed === "partial") {
      session.ring = [];
      session.dropped = session.received = 0;
      const rooms = [...this.rooms].filter(([, room]) => room.members.has(peer));
      this.#wire(socket, { ...hello, rooms: rooms.map(([name]) => name) });
      for (const [name, room] of rooms) {
        this.send(session, { type: "roster", room: name, version: room.version, peers: others(room, peer) });
        this.#tell(room, peer, { type: "missed", room: name, peer });
      }
    } else {
      this.#wire(socket, hello);
    }
  }

  #handle(session, message) {
    const { type, id, room: name, to } = message;
    const { peer } = session;
    const reply = (body) => this.send(session, id === undefined ? body : { ...body, id });
    const fail = (code) => reply({ type: "error", code, message: code, room: name, to });
    const room = this.rooms.get(name);
    switch (type) {
      case "join": {
        if (room?.members.has(peer)) return fail("already_joined");
        const joined = room ?? { version: 0, members: new Map() };
        this.rooms.set(name, joined);
        joined.version += 1;
        const meta = message.meta ?? {};
        const { version } = joined;
        reply({ type: "joined", room: name, version, peers: others(joined, peer) });
        this.#tell(joined, peer, { type: "welcome", room: name, version, peer, meta, since: version });
        joined.members.set(peer, { session, meta, since: version });
        return;
      }
      case "update": {
        if (!room?.members.has(peer)) return fail("not_in_room");
        room.version += 1;
        room.members.get(peer).meta = message.meta;
        const updated = { type: "updated", room: name, version: room.version, peer, meta: message.meta };
        this.#tell(room, peer, updated);
        return reply(updated);
      }
      case "leave": {
        if (!room?.members.has(peer)) return fail("not_in_room");
        return this.bye(name, peer, "left", id);
      }
      case "offer":
      case "answer":
      case "ice":
      case "message": {
        if (!room?.members.has(peer)) return fail("not_in_room");
        if (to !== "*" && (to === peer || !room.members.has(to))) return fail("peer_not_found");
        const { id: _id, to: _to, ...payload } = message;
        const relayed = { ...payload, from: peer };
        if (to === "*") this.#tell(room, peer, relayed);
        else this.send(room.members.get(to).session, relayed);
        return reply({ type: "ack" });
      }
      case "lobby":
        return message.watch ? reply({ type: "lobby", rooms: [...this.rooms].map(([each, { members }]) => ({ room: each, peers: members.size })) }) : reply({ type: "ack" });
      case "iceServers":
        return reply({ type: "iceServers", iceServers: [{ urls: "turn:turn.example", username: "u", credential: "c" }] });
      default:
        return fail("unknown_type");
    }
  }

  /** Takes a peer out of a room. */
  bye(name, peer, reason, id) {
    const room = this.rooms.get(name);
    const member = room?.members.get(peer);
    if (!member) return;
    room.version += 1;
    const bye = { type: "bye", room: name, version: room.version, peer, reason };
    this.#tell(room, peer, bye);
    this.send(member.session, id === undefined ? bye : { ...bye, id });
    room.members.delete(peer);
  }

  #end(session) {
    for (const name of this.rooms.keys()) this.bye(name, session.peer, "disconnected");
    this.sessions.delete(session.secret);
  }

  #tell(room, except, message) {
    for (const [peer, member] of room.members) if (peer !== except) this.send(member.session, message);
  }
}

function others(room, except) {
  return [...room.members].filter(([peer]) => peer !== except).map(([peer, { meta, since }]) => ({ peer, meta, since }));
}

async function flushMicrotasks() {
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
}
