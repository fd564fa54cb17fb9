/**
 * How long to wait before the next attempt: nothing before the first, then a random part of a bound
 * that doubles. The whole range is random ("full jitter"), so the clients of a server that died
 * don't come back in waves.
 */
export class Backoff {
  #failures = 0;
  #baseMs;
  #capMs;
  #random;

  /** @param {{ baseMs?: number, capMs?: number, random?: () => number }} [options] */
  constructor({ baseMs = 500, capMs = 20_000, random = Math.random } = {}) {
    this.#baseMs = baseMs;
    this.#capMs = capMs;
    this.#random = random;
  }

  /** @returns {number} milliseconds */
  next() {
    const failures = this.#failures++;
    if (failures === 0) return 0;
    return this.#random() * Math.min(this.#capMs, this.#baseMs * 2 ** (failures - 1));
  }

  /** The connection held: the next attempt is a first one again. */
  reset() {
    this.#failures = 0;
  }
}
