/** @import { Limits } from "./messages.js" */

/** How much of what the server allows is used: the two clocks differ, and so does the time that frames take. */
const SHARE = 0.9;

/**
 * The server's rate limit, kept on this side, so that a backlog (after a reconnect, say) is spread
 * instead of refused.
 */
export class Bucket {
  #messages = new Tokens();
  #bytes = new Tokens();

  /** A new session: a full bucket. @param {Limits} limits */
  reset({ messagesPerSecond, burst, bytesPerSecond, byteBurst }) {
    this.#messages = new Tokens(messagesPerSecond, burst);
    this.#bytes = new Tokens(bytesPerSecond, byteBurst);
  }

  /** Takes the right to send one frame of so many bytes. @param {number} bytes @returns {number} 0, or the milliseconds to wait and ask again */
  take(bytes) {
    const waitMs = Math.max(this.#messages.wait(1), this.#bytes.wait(bytes));
    if (waitMs === 0) {
      this.#messages.left -= 1;
      this.#bytes.left -= bytes;
    }
    return waitMs;
  }

  /** The server says that its bucket is empty. */
  drain() {
    this.#messages.left = this.#bytes.left = 0;
  }
}

class Tokens {
  #perMs;
  #burst;
  #at = Date.now();

  /** @param {number} [perSecond] 0: any number @param {number} [burst] */
  constructor(perSecond = 0, burst = 0) {
    this.#perMs = (SHARE * perSecond) / 1000 || Infinity;
    this.left = this.#burst = Math.max(1, SHARE * burst);
  }

  /** @param {number} wanted @returns {number} the milliseconds until there are so many */
  wait(wanted) {
    const now = Date.now();
    // The wall clock may be set back; then nothing is gained for a moment.
    if (now > this.#at) this.left = Math.min(this.#burst, this.left + (now - this.#at) * this.#perMs);
    this.#at = now;
    // What is more than ever fits goes when all is there: the server may judge it.
    return Math.max(0, Math.ceil((Math.min(wanted, this.#burst) - this.left) / this.#perMs));
  }
}
