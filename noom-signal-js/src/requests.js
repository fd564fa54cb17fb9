/** @import { ServerMessage } from "./messages.js" */
import { SignalError } from "./error.js";

/** @typedef {{ reply: ServerMessage["type"], room?: string, to?: string, resolve: (message: any) => void, reject: (error: SignalError) => void }} Open */

/** The requests that wait for their reply. */
export class Requests {
  /** @type {Map<number, Open>} */
  #open = new Map();
  #last = 0;

  get size() {
    return this.#open.size;
  }

  /** An id that no open request has. */
  nextId() {
    do this.#last = (this.#last + 1) % Number.MAX_SAFE_INTEGER;
    while (this.#open.has(this.#last));
    return this.#last;
  }

  /**
   * @param {number} id
   * @param {{ reply: ServerMessage["type"], room?: string, to?: string }} about
   * @returns {Promise<any>}
   */
  open(id, about) {
    return new Promise((resolve, reject) => this.#open.set(id, { ...about, resolve, reject }));
  }

  /**
   * Hands a reply to its request, if it is one.
   *
   * @param {ServerMessage} message
   * @returns {boolean} whether it was
   */
  settle(message) {
    const { id } = /** @type {{ id: number }} */ (message);
    const request = this.#open.get(id);
    if (!request) return false;
    if (message.type === "error") {
      const { room, to } = request;
      request.reject(new SignalError(message.code, message.message, { room, to, ...message }));
    } else if (message.type === request.reply) {
      request.resolve(message);
    } else {
      return false;
    }
    this.#open.delete(id);
    return true;
  }

  /**
   * @param {number} id
   * @param {SignalError["code"]} code
   * @param {string} message
   */
  reject(id, code, message) {
    const request = this.#open.get(id);
    this.#open.delete(id);
    request?.reject(new SignalError(code, message, request));
  }

  /**
   * @param {SignalError["code"]} code
   * @param {string} message
   * @param {Set<number>} [except]
   */
  rejectAll(code, message, except) {
    for (const id of [...this.#open.keys()]) if (!except?.has(id)) this.reject(id, code, message);
  }
}
