/** @import { Meta, RoomName } from "./messages.js" */
/** @import { Joined, SignalClient } from "./client.js" */
/** @import { SignalError } from "./error.js" */

/** @typedef {{ meta?: Meta, token?: string | (() => string | undefined | Promise<string | undefined>) }} JoinOptions */

/** How long to wait before trying again where the server doesn't say. */
export const RETRY_MS = 1000;

/** @param {number} ms @returns {Promise<void>} */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Our stay in a room, from `join` to its end; joined again whenever the session was lost. */
export class Stay {
  /** The roster version at which we joined, while we are in. @type {number | undefined} */
  since;
  /** What we joined with, while we want to be in. @type {JoinOptions | undefined} */
  options;
  #signal;
  #room;
  #actions;
  /** We were in, and join for a new session. */
  #again = false;
  /** A join is under way. */
  #joining = false;
  /** Counts stays, so that what began in one doesn't act in the next. */
  #epoch = 0;

  /**
   * @param {SignalClient} signal
   * @param {RoomName} room
   * @param {{ joined: (joined: Joined, again: boolean) => void, ended: (reason: string, error?: SignalError) => void }} actions
   */
  constructor(signal, room, actions) {
    this.#signal = signal;
    this.#room = room;
    this.#actions = actions;
  }

  /**
   * Joins, and doesn't let a link that breaks on the way keep it from it. Refused, the stay is over.
   *
   * @returns {Promise<Joined>}
   */
  async join() {
    const epoch = this.#epoch;
    let hasLeft = false;
    this.#joining = true;
    for (;;) {
      try {
        const { meta, token } = this.options ?? {};
        const joined = await this.#signal.join(this.#room, { meta, token: typeof token === "function" ? await token() : token });
        // By the reply, not the event: that may be about a stay before this one. No other frame comes in
        // between, since promises run before the browser hands out the next.
        if (this.#epoch === epoch) this.#joined(joined);
        return joined;
      } catch (error) {
        const { code, retryAfterMs = RETRY_MS } = /** @type {SignalError} */ (error);
        if (this.#epoch !== epoch) throw error;
        if (code === "lost") {
          hasLeft = false;
        } else if (code === "already_joined" && !hasLeft) {
          // The answer that says since when was lost, or a leave before it. Once more, then.
          hasLeft = true;
          // Whether that went well shows in the join that follows.
          await this.#signal.leave(this.#room).catch(() => {});
        } else if (this.#again && (code === "unavailable" || code === "rate_limited")) {
          await sleep(retryAfterMs);
        } else {
          this.end(code ?? "failed", /** @type {SignalError} */ (error));
          throw error;
        }
      }
    }
  }

  /** Ends the stay, and sees to it that the server knows. */
  async leave() {
    this.end("left");
    for (;;) {
      try {
        return void (await this.#signal.leave(this.#room));
      } catch (error) {
        const { code } = /** @type {SignalError} */ (error);
        if (code === "not_in_room" || this.#signal.closed) return;
        if (code !== "lost") throw error;
        // The server may not have heard it, and the others would wait for us in vain. If we join again by now,
        // that sorts it out.
        if (this.options) return;
      }
    }
  }

  /** The session was lost, and all its rooms. */
  reset() {
    this.#again ||= this.since !== undefined;
    this.since = undefined;
    // A join that is under way goes to the new session, or finds itself lost and begins again. One that is
    // refused ends the stay; nobody else waits for it.
    if (!this.#joining) this.join().catch(() => {});
  }

  /** @param {string} reason @param {SignalError} [error] */
  end(reason, error) {
    if (!this.options) return;
    this.#epoch += 1;
    this.options = this.since = undefined;
    this.#again = this.#joining = false;
    this.#actions.ended(reason, error);
  }

  /** @param {Joined} joined */
  #joined(joined) {
    const again = this.#again;
    this.#again = this.#joining = false;
    this.since = joined.version;
    this.#actions.joined(joined, again);
  }
}
