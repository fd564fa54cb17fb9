/** @import { IceCandidate, IceServer, JsonValue, Meta, PeerId, RoomName, ServerMessage } from "./messages.js" */
/** @import { Hello, StateChange } from "./line.js" */
/** @import { SignalOptions } from "./options.js" */
import { Bucket } from "./bucket.js";
import { Emitter } from "./emitter.js";
import { SignalError } from "./error.js";
import { Line } from "./line.js";
import { DEFAULTS } from "./options.js";
import { Session } from "./session.js";

/** @typedef {Extract<ServerMessage, { type: "joined" }>} Joined */

/**
 * Every message of the server under its own name, and what the client adds: `state`, `reset` (the
 * session is new though we had one: all rooms are gone) and `unknown` (a frame that was ignored).
 * `error` has the errors that answer no open request.
 *
 * @typedef {{ [Type in ServerMessage["type"]]: Extract<ServerMessage, { type: Type }> }
 *   & { state: StateChange, reset: Hello, unknown: { text: string, ignored: number } }} SignalEvents
 */

/**
 * A session at a noom-signal server. It connects again by itself for as long as that can help, and
 * frames are handled once and in order across its connections. What couldn't be kept shows: a
 * request rejects with `lost`, and `reset` tells that the rooms are gone.
 *
 * Life: `connect()` once, `close()` at the end. Requests made while the link is down wait for it.
 *
 * @extends {Emitter<SignalEvents>}
 */
export class SignalClient extends Emitter {
  /** Our peer id in this session. @type {PeerId | undefined} */
  peer;
  /** Who the server says we are. @type {string | undefined} */
  user;
  /** @type {IceServer[]} */
  iceServers = [];
  /** How many frames of the server were unreadable or of an unknown type. */
  ignored = 0;

  #line;
  #session;
  #bucket = new Bucket();
  #lost = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #flushTimer;
  /** @type {Promise<Hello> | undefined} */
  #connected;
  /** @type {{ resolve: (hello: Hello) => void, reject: (error: SignalError) => void } | undefined} */
  #first;

  /**
   * @param {string | URL} url of the server's endpoint; `http(s)` stands for `ws(s)`
   * @param {SignalOptions} [options]
   */
  constructor(url, options = {}) {
    super();
    const absolute = new URL(url, globalThis.location?.href);
    absolute.protocol = absolute.protocol.replace(/^http/, "ws");
    absolute.hash = "";
    const { client = "noom-js/0.1", ...given } = { ...DEFAULTS, ...options };
    const session = new Session(given.maxRequests);
    this.#session = session;
    this.#line = new Line(absolute.href, given, {
      hello: (token) => JSON.stringify({ type: "hello", token, resume: session.resume, client }),
      ping: () => session.ping(),
      greeted: (hello) => this.#greeted(hello),
      opened: (hello) => this.#opened(hello),
      text: (text) => this.#take(text),
      broke: (ending) => session.broke(ending),
      finished: (error) => {
        session.finished(error);
        this.#first?.reject(error);
      },
      changed: (change) => this.emit("state", change),
    });
  }

  get state() {
    return this.#line.state;
  }

  /** Why the client is closed. */
  get closed() {
    return this.#line.closed;
  }

  /** What the server allows. */
  get limits() {
    return this.#session.limits;
  }

  /**
   * Connects, and stays so. Failures on the way are tried again without end.
   *
   * @returns {Promise<Hello>} the first hello; rejects when there can never be one
   */
  connect() {
    if (!this.#connected) {
      this.#connected = new Promise((resolve, reject) => (this.#first = { resolve, reject }));
      if (this.#line.error) this.#first?.reject(this.#line.error);
      else this.#line.open();
    }
    return this.#connected;
  }

  /** Ends the session: the other peers hear a `bye` at once. @param {string} [reason] for `closed` */
  close(reason = "closed") {
    this.#line.close(reason);
  }

  /**
   * @param {RoomName} room
   * @param {{ meta?: Meta, token?: string }} [options]
   * @returns {Promise<Joined>}
   */
  join(room, { meta, token } = {}) {
    return this.#request("joined", { type: "join", room, meta, token });
  }

  /**
   * Replaces our meta in the room.
   *
   * @param {RoomName} room
   * @param {Meta} meta
   * @returns {Promise<Extract<ServerMessage, { type: "updated" }>>}
   */
  update(room, meta) {
    return this.#request("updated", { type: "update", room, meta });
  }

  /**
   * @param {RoomName} room
   * @returns {Promise<Extract<ServerMessage, { type: "bye" }>>}
   */
  leave(room) {
    return this.#request("bye", { type: "leave", room });
  }

  /**
   * Sends application data. Resolves when the server has taken it over.
   *
   * @param {RoomName} room
   * @param {PeerId | "*"} to `*`: every other member
   * @param {JsonValue} data
   * @returns {Promise<void>}
   */
  send(room, to, data) {
    return this.#request("ack", { type: "message", room, to, data });
  }

  /**
   * @param {RoomName} room
   * @param {PeerId} to
   * @param {string} sdp
   * @returns {Promise<void>}
   */
  offer(room, to, sdp) {
    return this.#request("ack", { type: "offer", room, to, sdp });
  }

  /**
   * @param {RoomName} room
   * @param {PeerId} to
   * @param {string} sdp
   * @returns {Promise<void>}
   */
  answer(room, to, sdp) {
    return this.#request("ack", { type: "answer", room, to, sdp });
  }

  /**
   * @param {RoomName} room
   * @param {PeerId} to
   * @param {IceCandidate | RTCIceCandidate | null} candidate null: there are no more
   * @returns {Promise<void>}
   */
  ice(room, to, candidate) {
    return this.#request("ack", { type: "ice", room, to, candidate });
  }

  /**
   * Asks for `lobby` events. The watch belongs to the session: after `reset`, ask again.
   *
   * @param {boolean} watch
   * @returns {Promise<Extract<ServerMessage, { type: "lobby" }> | void>} the list as it is now
   */
  watchLobby(watch) {
    return this.#request(watch ? "lobby" : "ack", { type: "lobby", watch });
  }

  /** @returns {Promise<IceServer[]>} servers with fresh credentials, which `iceServers` has from then on too */
  async renewIceServers() {
    const { iceServers } = await this.#request("iceServers", { type: "iceServers" });
    return iceServers;
  }

  /**
   * @param {ServerMessage["type"]} reply
   * @param {{ type: string, room?: string, to?: string, [member: string]: any }} message
   * @returns {Promise<any>}
   */
  async #request(reply, message) {
    const { error } = this.#line;
    if (error) throw new SignalError(error.code, error.message, message);
    const answer = this.#session.request(reply, message);
    this.#flush();
    return reply === "ack" ? void (await answer) : answer;
  }

  /** Writes what may be written now: never before the hello, and no faster than the server allows. */
  #flush() {
    clearTimeout(this.#flushTimer);
    for (let entry; this.state === "open" && (entry = this.#session.unwritten); ) {
      const waitMs = this.#bucket.take(entry.bytes);
      if (waitMs > 0) {
        this.#flushTimer = setTimeout(() => this.#flush(), waitMs);
        return;
      }
      this.#line.send(this.#session.next());
      if (this.#session.isPingDue) this.#line.send(this.#session.ping());
    }
  }

  /** @param {Hello} hello */
  #greeted(hello) {
    const outcome = this.#session.greeted(hello);
    this.#lost = outcome === "reset";
    // The server's bucket belongs to the session.
    if (outcome === "first" || outcome === "reset") this.#bucket.reset(this.limits);
    this.peer = hello.peer;
    this.user = hello.user;
    this.iceServers = hello.iceServers;
    this.#first?.resolve(hello);
  }

  /** @param {Hello} hello */
  #opened(hello) {
    // Any listener may have closed the client.
    if (this.state === "open") this.emit("hello", hello);
    if (this.state === "open" && this.#lost) this.emit("reset", hello);
    this.#flush();
  }

  /** @param {string} text */
  #take(text) {
    const message = this.#session.take(text);
    if (message) this.#handle(message);
    else this.emit("unknown", { text, ignored: ++this.ignored });
    if (this.state === "open" && this.#session.isPingDue) this.#line.send(this.#session.ping());
  }

  /** @param {ServerMessage} message */
  #handle(message) {
    if (message.type === "goaway") this.#line.returnIn(message.reconnectMs);
    else if (message.type === "iceServers") this.iceServers = message.iceServers;
    else if (message.type === "error" && message.code === "rate_limited") this.#bucket.drain();
    // The listeners hear of it first: code that awaits the request goes on only after them.
    const answers = this.#session.settle(message);
    if (message.type !== "error" || !answers) this.emit(message.type, message);
  }
}
