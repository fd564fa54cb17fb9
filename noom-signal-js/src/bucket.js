/**
 * The server's rate limit, kept on this side, so that a backlog (after a reconnect, say) is spread
 * instead of refused. It stays a tenth below what the server allows: the two clocks differ, and so
 * does the time frames take.
 */
export class Bucket {
  #perMs = Infinity;
  #burst = Infinity;
  #tokens = Infinity;
  #at = 0;

  /** A new session: a full bucket. @param {{ messagesPerSecond: number, burst: number }} limits */
  reset({ messagesPerSecond, burst }) {
    // 0: any number.
    this.#perMs = messagesPerSecond ? (0.9 * messagesPerSecond) / 1000 : Infinity;
    this.#burst = Math.max(1, Math.floor(0.9 * burst));
    this.#tokens = this.#burst;
    this.#at = Date.now();
  }

  /** Takes the right to send one frame. @returns {number} 0, or the milliseconds to wait and ask again */
  take() {
    const now = Date.now();
    // The wall clock may be set back; then nothing is gained for a moment.
    if (now > this.#at) this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / this.#perMs);
    this.#tokens -= 1;
    return 0;
  }

  /** The server says that its bucket is empty. */
  drain() {
    this.#tokens = 0;
  }
}
