/** @import { SignalError } from "./error.js" */
import { RETRY_MS, sleep } from "./stay.js";

/** How often one description or candidate that the server couldn't take is sent again. */
const MAX_TRIES = 5;
/** The peer's bye, our own or the resume's consequences are on their way: they deal with it. */
const SETTLED = ["peer_not_found", "not_in_room", "lost", "closed", "replaced"];
const PASSING = ["rate_limited", "unavailable", "backlog"];

/**
 * Sends a signal; again where the server couldn't take it but may soon.
 *
 * @param {() => Promise<void>} send
 * @param {() => boolean} isWanted whether it still has a meaning
 */
export async function relay(send, isWanted) {
  for (let tries = 1; isWanted(); tries += 1) {
    try {
      return await send();
    } catch (error) {
      const { code, retryAfterMs = RETRY_MS } = /** @type {SignalError} */ (error);
      if (SETTLED.includes(code)) return;
      if (tries === MAX_TRIES || !PASSING.includes(code)) throw error;
      await sleep(retryAfterMs);
    }
  }
}
