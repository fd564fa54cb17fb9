/**
 * Notices a link that is dead though nobody closed it (a pulled cable, a sleeping radio): TCP says
 * nothing for minutes. A ping goes out once an interval; if nothing at all comes back before its
 * deadline, the link counts as dead. Silence alone doesn't count: timers of a hidden or suspended
 * page run late, and the link may be fine.
 */
export class Heartbeat {
  #ping;
  #dead;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #interval;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #deadline;
  #pongMs = 0;

  /** @param {{ ping: () => void, dead: () => void }} actions */
  constructor({ ping, dead }) {
    this.#ping = ping;
    this.#dead = dead;
  }

  /**
   * @param {number} everyMs
   * @param {number} pongMs
   */
  start(everyMs, pongMs) {
    this.stop();
    this.#pongMs = Math.min(everyMs, pongMs);
    this.#interval = setInterval(() => this.beat(), everyMs);
  }

  /** @param {number} [withinMs] how long the link may take to show a sign of life */
  beat(withinMs) {
    this.#ping();
    // A running deadline is only ever replaced by a shorter one: beats must not put it off for ever.
    if (withinMs) this.alive();
    this.#deadline ??= setTimeout(this.#dead, Math.min(withinMs ?? Infinity, this.#pongMs));
  }

  /** Something came in. */
  alive() {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  stop() {
    clearInterval(this.#interval);
    this.alive();
  }
}
