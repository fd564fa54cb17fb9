/** @import { ServerMessage } from "./messages.js" */
/** @import { Ending } from "./connection.js" */
/** @import { SignalOptions } from "./options.js" */
import { Backoff } from "./backoff.js";
import { Connection } from "./connection.js";
import { SignalError } from "./error.js";
import { Heartbeat } from "./heartbeat.js";
import { watchPage } from "./page.js";
import { read } from "./wire.js";

/** @typedef {"idle" | "connecting" | "open" | "reconnecting" | "closed"} SignalState */
/** @typedef {{ state: SignalState, previous: SignalState, reason?: Ending, retryInMs?: number }} StateChange */
/** @typedef {Extract<ServerMessage, { type: "hello" }>} Hello */

/**
 * @typedef {object} LineActions
 * @property {(token: string | undefined) => string} hello gives the frame to begin a connection with
 * @property {() => string} ping gives the frame that asks for a sign of life
 * @property {(hello: Hello) => void} greeted the server has answered; the line is not open yet
 * @property {(hello: Hello) => void} opened
 * @property {(text: string) => void} text a frame came
 * @property {(ending: Ending) => void} broke the open line is down
 * @property {(error: SignalError) => void} finished it is down for good
 * @property {(change: StateChange) => void} changed
 */

/** A connection that held this long was a good one: the next loss starts the backoff anew. */
const SETTLED_MS = 5000;
/** How soon a connection must show life when the user or the network comes back. */
const WAKE_MS = 3000;
/** No wait that a server asks for is longer. */
const MAX_WAIT_MS = 600_000;

const REPLACED = 4409;
const UNAUTHORIZED = 4401;
/** The hello was refused, and would be again. */
const HOPELESS = new Set([1009, 4400]);

/** The way to the server: a connection that is made anew whenever it breaks, for as long as that can help. */
export class Line {
  /** @type {SignalState} */
  state = "idle";
  /** Why it is closed for good. @type {Ending | undefined} */
  closed;
  /** The same, for those whose requests fail of it. @type {SignalError | undefined} */
  error;

  #url;
  #options;
  #actions;
  #backoff;
  #heartbeat;
  /** @type {Connection | undefined} */
  #connection;
  /** Counts attempts, so that one given up finds itself out of date after an `await`. */
  #attempt = 0;
  /** What the server said before it closed. @type {SignalError | undefined} */
  #refusal;
  #resumeMs = 0;
  /** When the server asked us to come back, while it drains. */
  #returnAt = 0;
  /** The next step of connecting. @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #settledTimer;
  #unwatch = () => {};

  /**
   * @param {string} url
   * @param {SignalOptions & { connectMs: number, pongMs: number }} options
   * @param {LineActions} actions
   */
  constructor(url, options, actions) {
    this.#url = url;
    this.#options = options;
    this.#actions = actions;
    this.#backoff = new Backoff({ baseMs: options.backoffMs, capMs: options.backoffCapMs, random: options.random });
    this.#heartbeat = new Heartbeat({
      ping: () => this.send(actions.ping()),
      dead: () => this.#lost({ code: 4408, reason: "the link is dead" }),
    });
  }

  open() {
    this.#unwatch = watchPage(this.#options.page ?? globalThis, {
      wake: () => this.#wake(),
      freeze: () => this.#freeze(),
      leave: () => this.close("the page is gone"),
    });
    void this.#dial();
  }

  /** Ends the session at the server, too. @param {string} reason */
  close(reason) {
    this.#finish({ code: 1000, reason }, new SignalError("closed", reason));
  }

  /** @param {string} text */
  send(text) {
    this.#connection?.send(text);
  }

  /** The server drains, and said when to come back. @param {number} waitMs */
  returnIn(waitMs) {
    const ms = clamp(waitMs, 0, MAX_WAIT_MS);
    this.#returnAt = Date.now() + ms;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dial(), ms);
  }

  async #dial() {
    this.#drop();
    const attempt = this.#attempt;
    const { WebSocket = globalThis.WebSocket, token, connectMs } = this.#options;
    this.#refusal = undefined;
    if (this.state === "idle") this.#change("connecting");
    else if (this.state === "open") this.#change("reconnecting");
    this.#timer = setTimeout(() => this.#lost({ code: 4408, reason: "no hello came in time" }), connectMs);
    let value;
    try {
      value = typeof token === "function" ? await token() : token;
    } catch (error) {
      // A token that can't be had now may be had later; the state event tells why we wait.
      if (attempt === this.#attempt) this.#lost({ code: 1006, reason: String(error) });
      return;
    }
    if (attempt !== this.#attempt) return;
    try {
      this.#connection = new Connection(WebSocket, this.#url, {
        hello: () => this.#actions.hello(value ?? undefined),
        text: (text) => this.#take(text),
        closed: (ending) => this.#lost(ending),
      });
    } catch (error) {
      // There is no WebSocket here, or the page may not use one to this address.
      this.#finish({ code: 1006, reason: String(error) }, new SignalError("unreachable", String(error)));
    }
  }

  /** @param {string} text */
  #take(text) {
    this.#heartbeat.alive();
    if (this.state === "open") return this.#actions.text(text);
    // Before its hello a server has nothing to say but why there will be none.
    const { message } = read(text);
    if (message?.type === "hello") this.#greet(message);
    else if (message?.type === "error") this.#refusal = new SignalError(message.code, message.message, message);
  }

  /** @param {Hello} hello */
  #greet(hello) {
    clearTimeout(this.#timer);
    this.#returnAt = 0;
    this.#resumeMs = clamp(hello.resumeMs, 0, MAX_WAIT_MS);
    this.#heartbeat.start(clamp(hello.heartbeatMs, 1000, MAX_WAIT_MS), this.#options.pongMs);
    this.#settledTimer = setTimeout(() => this.#backoff.reset(), SETTLED_MS);
    this.#actions.greeted(hello);
    this.#change("open");
    this.#actions.opened(hello);
  }

  /** The connection, or the attempt at one, is over. @param {Ending} ending */
  #lost(ending) {
    const { code, reason } = ending;
    const isOpen = this.state === "open";
    this.#drop();
    if (code === REPLACED) return this.#finish(ending, new SignalError("replaced", reason || "another connection took the session over"));
    if (code === UNAUTHORIZED || (!isOpen && HOPELESS.has(code))) {
      const unsaid = new SignalError(code === UNAUTHORIZED ? "unauthorized" : "bad_message", reason || "the hello was refused");
      return this.#finish(ending, this.#refusal ?? unsaid);
    }
    if (isOpen) this.#actions.broke(ending);
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
    this.#connection?.drop();
    this.#connection = undefined;
  }

  /**
   * @param {Ending} ending
   * @param {SignalError} error
   */
  #finish(ending, error) {
    if (this.closed) return;
    this.closed = ending;
    this.error = error;
    this.#connection?.close();
    this.#connection = undefined;
    this.#drop();
    this.#unwatch();
    this.#actions.finished(error);
    this.#change("closed", { reason: ending });
  }

  /** The user, the network or the page is back: look at the connection now instead of at the next tick. */
  #wake() {
    if (this.state === "open") this.#heartbeat.beat(WAKE_MS);
    else if (!this.#connection) void this.#dial();
  }

  /** The page goes into the back-forward cache, which an open connection would keep it out of. It may come back. */
  #freeze() {
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
    this.#actions.changed({ state, previous, ...details });
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
