/** @import { IceCandidate } from "./messages.js" */
import { ufragsOf } from "./sdp.js";

/** How many candidates wait for their description; a peer rarely gathers a tenth of it. */
const MAX_HELD = 100;
/** How many ICE generations are remembered as over. */
const MAX_PAST = 50;

/**
 * Sorts the far end's candidates by ICE generation. Those of the current one can be added, those
 * that come before their description wait for it, those of a generation that is over are dropped:
 * added to the next one they would at best fail.
 */
export class Candidates {
  /** @type {(IceCandidate | null)[]} */
  #held = [];
  /** @type {Set<string | undefined> | undefined} */
  #current;
  /** @type {(string | undefined)[]} */
  #past = [];

  /**
   * @param {IceCandidate | null} candidate
   * @returns {boolean} whether to add it now
   */
  isDue(candidate) {
    const ufrag = ufragOf(candidate);
    // Without a name it can only belong to the description at hand.
    if (this.#current && (ufrag === undefined || this.#current.has(ufrag))) return true;
    if (this.#past.includes(ufrag)) return false;
    this.#held.push(candidate);
    if (this.#held.length > MAX_HELD) this.#held.shift();
    return false;
  }

  /** For a new connection to the same far end: what waits goes on waiting, what was current is over. */
  renew() {
    const next = new Candidates();
    // A null says nothing about which connection it is for, so it can't wait for the next.
    next.#held = this.#held.filter((candidate) => ufragOf(candidate) !== undefined);
    next.#past = [...this.#past, ...(this.#current ?? [])].slice(-MAX_PAST);
    return next;
  }

  /**
   * A description of the far end was applied.
   *
   * @param {string} sdp
   * @returns {(IceCandidate | null)[]} the candidates that waited for it
   */
  describe(sdp) {
    const current = new Set(ufragsOf(sdp));
    const over = [...(this.#current ?? [])].filter((ufrag) => !current.has(ufrag));
    this.#past = [...this.#past, ...over].slice(-MAX_PAST);
    this.#current = current;
    const held = this.#held;
    this.#held = [];
    return held.filter((candidate) => this.isDue(candidate));
  }
}

/** @param {IceCandidate | null} candidate */
function ufragOf(candidate) {
  return candidate?.usernameFragment ?? / ufrag (\S+)/.exec(candidate?.candidate ?? "")?.[1];
}
