/** @import { ServerMessage } from "./messages.js" */
/** @import { Ending } from "./connection.js" */
/** @import { Hello } from "./line.js" */
import { SignalError } from "./error.js";
import { LIMITS, limitsOf } from "./options.js";
import { Outbox } from "./outbox.js";
import { Requests } from "./requests.js";
import { read } from "./wire.js";

/** Close codes that mean: the frame you just sent. It isn't sent again. */
const BLAMING = new Set([1007, 1009, 4400, 4429]);

/**
 * Our stay at the server, across connections: what each side has taken of the other, and the requests
 * that wait for their reply.
 */
export class Session {
  limits = LIMITS;
  #outbox = new Outbox();
  #requests = new Requests();
  #maxRequests;
  /** The secret to come back with. @type {string | undefined} */
  #secret;
  /** How many of the server's frames we have taken. */
  #received = 0;
  /** What we have taken since the server last heard how much. */
  #unreported = { frames: 0, length: 0 };
  /** A ping is on its way. */
  #asked = false;
  /** The last connection was closed because of a frame of ours. */
  #poisoned = false;

  /** @param {number} maxRequests */
  constructor(maxRequests) {
    this.#maxRequests = maxRequests;
  }

  /** What the hello says about us. */
  get resume() {
    return this.#secret === undefined ? undefined : { session: this.#secret, received: this.#received };
  }

  /** The next frame to write. */
  get unwritten() {
    return this.#outbox.unwritten;
  }

  /**
   * Whether the other side should hear now what we have taken, or tell what it has. Early enough that
   * neither a busy sender nor a busy receiver runs into a bound while the link is fine.
   */
  get isPingDue() {
    const { resumeFrames, resumeBytes } = this.limits;
    const { frames, length } = this.#unreported;
    return frames > resumeFrames / 4 || length > resumeBytes / 4 || (!this.#asked && this.#outbox.unconfirmed > 0.25);
  }

  ping() {
    this.#asked = true;
    this.#unreported = { frames: 0, length: 0 };
    return JSON.stringify({ type: "ping", received: this.#received });
  }

  /** Takes the next frame to write. */
  next() {
    return this.#outbox.next();
  }

  /**
   * @param {ServerMessage["type"]} reply what answers it
   * @param {{ type: string, room?: string, to?: string, [member: string]: any }} message
   * @returns {Promise<any>} the answer
   */
  request(reply, message) {
    const { room, to } = message;
    const id = this.#requests.nextId();
    const text = JSON.stringify({ ...message, id });
    const bytes = new TextEncoder().encode(text).length;
    const { messageBytes } = this.limits;
    if (bytes > messageBytes) throw new SignalError("too_large", `a message has at most ${messageBytes} bytes`, { room, to });
    if (!this.#outbox.fits(bytes) || this.#requests.size >= this.#maxRequests) {
      throw new SignalError("backlog", "too much waits for the server already", { room, to });
    }
    this.#outbox.push({ id, text, bytes });
    return this.#requests.open(id, { reply, room, to });
  }

  /**
   * Takes a frame of the server.
   *
   * @param {string} text
   * @returns {ServerMessage | undefined} the message, if there is any sense in it
   */
  take(text) {
    const { counted, message } = read(text);
    if (counted) {
      this.#received += 1;
      this.#unreported.frames += 1;
      this.#unreported.length += text.length;
    }
    if (message?.type === "hello") return undefined;
    if (message?.type === "pong") {
      this.#asked = false;
      this.#outbox.confirm(message.received);
    }
    return message;
  }

  /** Gives a reply to who waits for it. @param {ServerMessage} message @returns {boolean} whether it was one */
  settle(message) {
    return this.#requests.settle(message);
  }

  /** @param {Ending} ending */
  broke({ code }) {
    this.#poisoned = BLAMING.has(code);
  }

  /**
   * The server answered our hello.
   *
   * @param {Hello} hello
   * @returns {"first" | "full" | "partial" | "reset"} what it means for the session
   */
  greeted({ session, resumed, received = 0, limits }) {
    const first = this.#secret === undefined;
    this.#secret = session;
    this.limits = limitsOf(limits);
    // What the server keeps for us is a fair measure of what to keep for it, down to what a call needs.
    this.#outbox.maxFrames = Math.max(64, this.limits.resumeFrames);
    this.#outbox.maxBytes = Math.max(this.limits.messageBytes, this.limits.resumeBytes);
    this.#asked = false;
    this.#unreported = { frames: 0, length: 0 };
    const poisoned = this.#poisoned;
    this.#poisoned = false;
    if (!first && resumed === "full") {
      const culprit = this.#outbox.rewind(received, poisoned);
      if (culprit) this.#requests.reject(culprit.id, "refused", "the server closed the connection because of this message");
      return "full";
    }
    this.#received = 0;
    const unwritten = this.#outbox.restart();
    this.#requests.rejectAll("lost", "the link broke, and the message may or may not have been handled", unwritten);
    return first ? "first" : resumed === "partial" ? "partial" : "reset";
  }

  /** @param {SignalError} error */
  finished({ code, message }) {
    this.#secret = undefined;
    this.#outbox.clear();
    this.#requests.rejectAll(code, message);
  }
}
