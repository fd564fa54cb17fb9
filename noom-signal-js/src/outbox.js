/**
 * The frames of a session that the server is not known to have taken: those written to a connection
 * come first, then those still to be written. Counts frames as the protocol does, so that after a
 * resume exactly the ones the server has not taken are written again, in order.
 *
 * @typedef {{ id: number, text: string, bytes: number }} Entry
 */
export class Outbox {
  /** @type {Entry[]} */
  #entries = [];
  /** How many of `#entries`, from the front, were written to a connection. */
  #written = 0;
  /** How many frames of this session the server has confirmed: the number of the first entry. */
  #confirmed = 0;
  #bytes = 0;

  /** The server's `resumeFrames` and `resumeBytes` once they are known. */
  maxFrames = 512;
  maxBytes = 1_048_576;

  /** @param {number} bytes */
  fits(bytes) {
    return this.#entries.length < this.maxFrames && this.#bytes + bytes <= this.maxBytes;
  }

  /** How full the box is with frames written but not confirmed, from 0 to 1. */
  get unconfirmed() {
    if (this.#written === 0) return 0;
    return Math.max(this.#written / this.maxFrames, this.#bytes / this.maxBytes);
  }

  /** The next frame to write. @returns {Entry | undefined} */
  get unwritten() {
    return this.#entries[this.#written];
  }

  /** @param {Entry} entry */
  push(entry) {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
  }

  /** Takes the next frame to write; it counts as written from here on. */
  next() {
    return /** @type {Entry} */ (this.#entries[this.#written++]).text;
  }

  /**
   * The server has taken `received` frames of this session. A number that can't be is ignored.
   *
   * @param {number} received
   */
  confirm(received) {
    const taken = received - this.#confirmed;
    if (taken < 0 || taken > this.#written) return;
    for (const entry of this.#entries.splice(0, taken)) this.#bytes -= entry.bytes;
    this.#written -= taken;
    this.#confirmed = received;
  }

  /**
   * A new connection carries the session on after `received` frames: what was written beyond them
   * is to be written again.
   *
   * @param {number} received
   * @param {boolean} poisoned the first of those frames closed the old connection: it must not go out again
   * @returns {Entry | undefined} the frame taken out
   */
  rewind(received, poisoned) {
    this.confirm(received);
    const culprit = poisoned && this.#written > 0 ? this.#entries.shift() : undefined;
    this.#bytes -= culprit?.bytes ?? 0;
    this.#written = 0;
    return culprit;
  }

  /**
   * Both counts start again: what was written is gone for good, what was not is still to come.
   *
   * @returns {Set<number>} the ids of the frames still to be written
   */
  restart() {
    for (const entry of this.#entries.splice(0, this.#written)) this.#bytes -= entry.bytes;
    this.#written = 0;
    this.#confirmed = 0;
    return new Set(this.#entries.map((entry) => entry.id));
  }

  clear() {
    this.#entries = [];
    this.#bytes = this.#written = 0;
  }
}
