/** @import { IceCandidate, IceServer, JsonValue, Limits, Meta, PeerId, RoomName, ServerMessage } from "./messages.js" */
/** @import { Ending } from "./connection.js" */
import { Backoff } from "./backoff.js";
import { Bucket } from "./bucket.js";
import { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { SignalError } from "./error.js";
import { Heartbeat } from "./heartbeat.js";
import { Outbox } from "./outbox.js";
import { watchPage } from "./page.js";
import { Requests } from "./requests.js";
import { read } from "./wire.js";

/** @typedef {"idle" | "connecting" | "open" | "reconnecting" | "closed"} SignalState */
/** @typedef {Extract<ServerMessage, { type: "hello" }>} Hello */
/** @typedef {Extract<ServerMessage, { type: "joined" }>} Joined */
/** @typedef {{ state: SignalState, previous: SignalState, reason?: Ending, retryInMs?: number }} StateChange */

/**
 * Every message of the server under its own name, and what the client adds: `state`, `reset` (the
 * session is new though we had one: all rooms are gone) and `unknown` (a frame that was ignored).
 * `error` has the errors that answer no open request.
 *
 * @typedef {{ [Type in ServerMessage["type"]]: Extract<ServerMessage, { type: Type }> }
 *   & { state: StateChange, reset: Hello, unknown: { text: string, ignored: number } }} SignalEvents
 */

/**
 * @typedef {object} SignalOptions
 * @property {string | (() => string | undefined | Promise<string | undefined>)} [token] for the application's
 *   authenticator; a function is asked anew for each connection
 * @property {string} [client] a name for the server's logs
 * @property {typeof WebSocket} [WebSocket]
 * @property {Pick<EventTarget, "addEventListener" | "removeEventListener">} [page] what has the page's events: the window
 * @property {number} [connectMs] how long a connection may take from the start to the server's hello
 * @property {number} [pongMs] how long a live link may stay silent after a ping
 * @property {number} [backoffMs] the first bound of the random wait between attempts; it doubles
 * @property {number} [backoffCapMs] its last bound
 * @property {() => number} [random] from 0 to 1, for the wait
 * @property {number} [maxRequests] how many requests may wait for their reply
 */

const DEFAULTS = { connectMs: 10_000, pongMs: 10_000, backoffMs: 500, backoffCapMs: 20_000, maxRequests: 1024 };

/** @type {Limits} What to go by where the server doesn't say. */
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

/** A link that held this long was a good one: the next loss starts the backoff anew. */
const SETTLED_MS = 5000;
/** How soon a link must show life when the user or the network comes back. */
const WAKE_MS = 3000;
/** No wait that a server asks for is longer. */
const MAX_WAIT_MS = 600_000;

const REPLACED = 4409;
const UNAUTHORIZED = 4401;
/** Close codes that mean: the frame you just sent. It isn't sent again. */
const BLAMING = new Set([1007, 1009, 4400, 4429]);

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
  /** @type {SignalState} */
  state = "idle";
  /** Why the client is closed. @type {Ending | undefined} */
  closed;
  /** Our peer id in this session. @type {PeerId | undefined} */
  peer;
  /** Who the server says we are. @type {string | undefined} */
  user;
  /** @type {IceServer[]} */
  iceServers = [];
  limits = LIMITS;
  /** How many frames of the server were unreadable or of an unknown type. */
  ignored = 0;

  #url;
  #options;
  #outbox = new Outbox();
  #requests = new Requests();
  #bucket = new Bucket();
  #backoff;
  #heartbeat;
  /** @type {Connection | undefined} */
  #connection;
  /** Counts attempts, so that one given up finds itself out of date after an `await`. */
  #attempt = 0;
  /** The secret to come back with. @type {string | undefined} */
  #session;
  #resumeMs = 30_000;
  /** How many frames of this session we have taken. */
  #received = 0;
  /** Frames and characters taken since the server last heard how many. */
  #unreported = { frames: 0, length: 0 };
  /** A ping is on its way. */
  #asked = false;
  /** The last connection was closed because of a frame of ours. */
  #poisoned = false;
  /** What the server said before it closed. @type {SignalError | undefined} */
  #refusal;
  /** When the server asked us to come back, while it drains. */
  #returnAt = 0;

  /** @type {ReturnType<typeof setTimeout> | undefined} the next step of connecting */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #settledTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #flushTimer;
  #unwatch = () => {};
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
    this.#url = absolute.href;
    this.#options = { ...DEFAULTS, ...options };
    const { backoffMs: baseMs, backoffCapMs: capMs, random } = this.#options;
    this.#backoff = new Backoff({ baseMs, capMs, random });
    this.#heartbeat = new Heartbeat({
      ping: () => this.#ping(),
      dead: () => this.#lost({ code: 4408, reason: "the link is dead" }),
    });
  }

  /**
   * Connects, and stays so. Failures on the way are tried again without end.
   *
   * @returns {Promise<Hello>} the first hello; rejects when there can never be one
   */
  connect() {
    if (!this.#connected) {
      this.#connected = new Promise((resolve, reject) => (this.#first = { resolve, reject }));
      if (this.closed) {
        this.#first?.reject(this.#ended());
      } else {
        this.#unwatch = watchPage(this.#options.page ?? globalThis, {
          wake: () => this.#wake(),
          freeze: () => this.#freeze(),
          thaw: () => this.#wake(),
          leave: () => this.close("the page is gone"),
        });
        this.#dial();
      }
    }
    return this.#connected;
  }

  /** Ends the session: the other peers hear a `bye` at once. @param {string} [reason] for `closed` */
  close(reason = "closed") {
    this.#finish({ code: 1000, reason }, "closed");
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
    const { room, to } = message;
    if (this.closed) throw this.#ended({ room, to });
    const id = this.#requests.nextId();
    const text = JSON.stringify({ ...message, id });
    if (isLonger(text, this.limits.messageBytes)) {
      throw new SignalError("too_large", `a message has at most ${this.limits.messageBytes} bytes`, { room, to });
    }
    if (!this.#outbox.fits(text) || this.#requests.size >= this.#options.maxRequests) {
      throw new SignalError("backlog", "too much waits for the server already", { room, to });
    }
    const settled = this.#requests.open(id, { reply, room, to });
    this.#outbox.push({ id, text });
    this.#flush();
    const answer = await settled;
    return reply === "ack" ? undefined : answer;
  }

  /** Writes what may be written now: never before the hello, and no faster than the server allows. */
  #flush() {
    clearTimeout(this.#flushTimer);
    while (this.state === "open" && this.#outbox.hasUnwritten) {
      const waitMs = this.#bucket.take();
      if (waitMs > 0) {
        this.#flushTimer = setTimeout(() => this.#flush(), waitMs);
        return;
      }
      this.#connection?.send(this.#outbox.next());
      // Early enough that a busy sender doesn't run into the bound while the link is fine. A frame
      // that is the first past the mark asks; the pong takes a round trip, so no flood comes of it.
      if (this.#outbox.unconfirmed > 0.25 && !this.#asked) this.#ping();
    }
  }

  #ping() {
    this.#asked = true;
    this.#unreported = { frames: 0, length: 0 };
    this.#connection?.send(JSON.stringify({ type: "ping", received: this.#received }));
  }

  async #dial() {
    this.#drop();
    const attempt = this.#attempt;
    const { WebSocket = globalThis.WebSocket, token, connectMs } = this.#options;
    this.#refusal = undefined;
    if (this.state !== "connecting" && this.state !== "reconnecting") {
      this.#change(this.state === "idle" ? "connecting" : "reconnecting");
    }
    this.#timer = setTimeout(() => this.#lost({ code: 4408, reason: "no hello came in time" }), connectMs);
    try {
      const value = typeof token === "function" ? await token() : token;
      if (attempt !== this.#attempt) return;
      this.#connection = new Connection(WebSocket, this.#url, {
        hello: () => this.#hello(value),
        text: (text) => this.#take(text),
        closed: (ending) => this.#lost(ending),
      });
    } catch (error) {
      // A token that can't be had now may be had later; the state event tells why we wait.
      if (attempt === this.#attempt) this.#lost({ code: 1006, reason: String(error) });
    }
  }

  /** @param {string | undefined} token */
  #hello(token) {
    const resume = this.#session ? { session: this.#session, received: this.#received } : undefined;
    return JSON.stringify({ type: "hello", token: token ?? undefined, resume, client: this.#options.client ?? "noom-js/0.1" });
  }

  /** @param {string} text */
  #take(text) {
    this.#heartbeat.alive();
    const { counted, message } = read(text);
    if (this.state !== "open") {
      // Before its hello a server has but that to say, or why there will be none.
      if (message?.type === "hello") this.#opened(message);
      else if (message?.type === "error") this.#refusal = new SignalError(message.code, message.message, message);
      return;
    }
    if (counted) this.#received += 1;
    if (counted) this.#unreported.frames += 1;
    this.#unreported.length += text.length;
    if (message && message.type !== "hello") this.#handle(message);
    else this.emit("unknown", { text, ignored: ++this.ignored });
    // The server keeps what we haven't confirmed, and what it can't keep we would lose.
    const { frames, length } = this.#unreported;
    const { resumeFrames, resumeBytes } = this.limits;
    if (this.state === "open" && (frames > resumeFrames / 4 || length > resumeBytes / 4)) this.#ping();
  }

  /** @param {ServerMessage} message */
  #handle(message) {
    if (message.type === "pong") {
      this.#asked = false;
      this.#outbox.confirm(message.received);
    } else if (message.type === "goaway") {
      const waitMs = clamp(message.reconnectMs, 0, MAX_WAIT_MS);
      this.#returnAt = Date.now() + waitMs;
      this.#timer = setTimeout(() => this.#dial(), waitMs);
    } else if (message.type === "iceServers") {
      this.iceServers = message.iceServers;
    } else if (message.type === "error" && message.code === "rate_limited") {
      this.#bucket.drain();
    }
    // The listeners hear of it first: code that awaits the request goes on only after them.
    const answers = this.#requests.settle(message);
    if (message.type !== "error" || !answers) this.emit(message.type, message);
  }

  /** @param {Hello} hello */
  #opened(hello) {
    clearTimeout(this.#timer);
    const again = this.#session !== undefined;
    const fresh = !again || hello.resumed !== "full";
    this.#session = hello.session;
    this.#asked = false;
    this.#resumeMs = clamp(hello.resumeMs, 0, MAX_WAIT_MS);
    this.peer = hello.peer;
    this.user = hello.user;
    this.iceServers = hello.iceServers;
    this.#setLimits(hello.limits);
    if (fresh) {
      this.#received = 0;
      const unwritten = this.#outbox.restart();
      this.#requests.rejectAll("lost", "the link broke, and the message may or may not have been handled", unwritten);
    } else {
      const culprit = this.#outbox.rewind(hello.received ?? 0, this.#poisoned);
      if (culprit) this.#requests.reject(culprit.id, "refused", "the server closed the connection because of this message");
    }
    const reset = again && hello.resumed !== "full" && hello.resumed !== "partial";
    if (!again || reset) this.#bucket.reset(this.limits);
    this.#poisoned = false;
    this.#returnAt = 0;
    this.#heartbeat.start(clamp(hello.heartbeatMs, 1000, MAX_WAIT_MS), this.#options.pongMs);
    this.#settledTimer = setTimeout(() => this.#backoff.reset(), SETTLED_MS);
    this.#first?.resolve(hello);
    this.#change("open");
    // Any listener may close the client.
    if (this.state === "open") this.emit("hello", hello);
    if (this.state === "open" && reset) this.emit("reset", hello);
    this.#flush();
  }

  /** @param {Partial<Limits>} [limits] */
  #setLimits(limits = {}) {
    const usable = Object.entries(limits).filter(([, value]) => Number.isSafeInteger(value) && value > 0);
    this.limits = { ...LIMITS, ...Object.fromEntries(usable) };
    // What the server keeps for us is a fair measure of what to keep for it, down to what a call needs.
    this.#outbox.maxFrames = Math.max(64, this.limits.resumeFrames);
    this.#outbox.maxLength = Math.max(this.limits.messageBytes, this.limits.resumeBytes);
  }

  /** The connection, or the attempt at one, is over. @param {Ending} ending */
  #lost(ending) {
    const opened = this.state === "open";
    this.#drop();
    if (ending.code === REPLACED) return this.#finish(ending, "replaced");
    if (ending.code === UNAUTHORIZED) return this.#finish(ending, "unauthorized");
    // The same hello would be refused again.
    if (!opened && (ending.code === 4400 || ending.code === 1009)) return this.#finish(ending, "bad_message");
    if (opened) this.#poisoned = BLAMING.has(ending.code);
    // A draining server said when to come back. Not later than the session lasts, though.
    const drainMs = Math.min(this.#returnAt - Date.now(), this.#resumeMs / 2);
    const waitMs = drainMs > 0 ? drainMs : this.#backoff.next();
    this.#returnAt = 0;
    this.#timer = setTimeout(() => this.#dial(), waitMs);
    this.#change(this.state === "connecting" ? "connecting" : "reconnecting", { reason: ending, retryInMs: waitMs });
  }

  /** Lets go of the connection and all that is timed around it. */
  #drop() {
    this.#attempt += 1;
    this.#heartbeat.stop();
    clearTimeout(this.#timer);
    clearTimeout(this.#settledTimer);
    clearTimeout(this.#flushTimer);
    this.#connection?.drop();
    this.#connection = undefined;
  }

  /**
   * @param {Ending} ending
   * @param {SignalError["code"]} code
   */
  #finish(ending, code) {
    if (this.closed) return;
    this.closed = ending;
    this.#connection?.close();
    this.#connection = undefined;
    this.#drop();
    this.#unwatch();
    this.#session = undefined;
    this.#outbox.clear();
    // What the server said last explains its close code best, but not a close of our own.
    if (!this.#refusal || code === "closed") this.#refusal = new SignalError(code, ending.reason || code);
    this.#first?.reject(this.#refusal);
    this.#requests.rejectAll(this.#refusal.code, this.#refusal.message);
    this.#change("closed", { reason: ending });
  }

  /** @param {{ room?: RoomName, to?: PeerId }} [about] */
  #ended(about) {
    return new SignalError(this.#refusal?.code ?? "closed", this.#refusal?.message ?? "closed", about);
  }

  /** The user or the network is back: look at the link now instead of at the next tick. */
  #wake() {
    if (this.state === "open") this.#heartbeat.beat(WAKE_MS);
    else if (!this.closed && !this.#connection) this.#dial();
  }

  /** The page goes into the back-forward cache, which an open connection would keep it out of. */
  #freeze() {
    if (this.closed) return;
    this.#drop();
    this.#change("reconnecting", { reason: { code: 4000, reason: "the page is frozen" } });
  }

  /**
   * @param {SignalState} state
   * @param {{ reason?: Ending, retryInMs?: number }} [details]
   */
  #change(state, details) {
    const previous = this.state;
    this.state = state;
    this.emit("state", { state, previous, ...details });
  }
}

/**
 * @param {unknown} value
 * @param {number} low
 * @param {number} high
 */
function clamp(value, low, high) {
  return Math.min(high, Math.max(low, Number(value) || 0));
}

/**
 * @param {string} text
 * @param {number} bytes
 */
function isLonger(text, bytes) {
  // Most messages are so short that nobody needs to encode them to know.
  return text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes;
}
