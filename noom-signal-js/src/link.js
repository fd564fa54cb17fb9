/** @import { IceCandidate } from "./messages.js" */
import { Candidates } from "./candidates.js";
import { annotate, offerOf, originOf } from "./sdp.js";

/** How many signals of the far end may wait for the browser to take them in. */
const MAX_WAITING = 200;
/** How often in a row an answer may fail to apply before we give up offering. */
const MAX_FAILURES = 3;
/** How many former connections of the far end are remembered. */
const MAX_STALE = 20;

/**
 * @typedef {object} LinkActions
 * @property {(type: "offer" | "answer", sdp: string) => void} describe sends a description
 * @property {(candidate: IceCandidate | null) => void} candidate sends a candidate
 * @property {(mid: string) => string | undefined} slotOf the slot we send in a media section
 * @property {(sdp: string) => void} described a description of the far end was applied
 * @property {(offer?: string) => void} replaced the far end has a new RTCPeerConnection, and may have offered from it:
 *   this link is over
 * @property {(error: unknown) => void} failed
 */

/**
 * Keeps one RTCPeerConnection agreed with its far end: perfect negotiation (W3C webrtc-pc, 10.7).
 * Either side may change its connection at any time; where two offers cross, the polite side takes
 * its own back. Descriptions are taken in strictly one after the other, so an offer that
 * arrives while an answer is being applied is judged after it, which is what the specification's
 * example needs its `isSettingRemoteAnswerPending` for.
 */
export class Link {
  connection;
  #polite;
  #actions;
  /** The far end's candidates; some may be there before the link that they are for. @type {Candidates} */
  #candidates;
  #makingOffer = false;
  #ignoreOffer = false;
  #closed = false;
  /** The tail of the signals being taken in, and how many there are. */
  #tail = Promise.resolve();
  #waiting = 0;
  #failures = 0;
  /** Names our last offer: an answer to an earlier one is stale. */
  #offer = "";
  /** The far end's last offer: our answers name it. */
  #theirs = "";
  /** The far end's RTCPeerConnection that we agreed with. @type {string | undefined} */
  #origin;
  /** Those it had before we made ours anew. @type {Set<string | undefined>} */
  #stale;
  /** End of candidates was sent for this gathering. */
  #ended = false;
  /** While set, we leave the first offer to the far end. @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;

  /**
   * @param {RTCPeerConnection} connection
   * @param {LinkActions} actions
   * @param {{ polite: boolean, patienceMs?: number, former?: Link }} options
   *   `patienceMs`: wait so long for the far end's offer before offering. `former`: the link that this one replaces
   */
  constructor(connection, actions, { polite, patienceMs, former }) {
    this.connection = connection;
    this.#actions = actions;
    this.#polite = polite;
    this.#candidates = former ? former.#candidates.renew() : new Candidates();
    this.#stale = new Set(former ? [...former.#stale, former.#origin].slice(-MAX_STALE) : []);
    if (patienceMs !== undefined) this.#patience = setTimeout(() => this.#begin(), patienceMs);
    connection.onnegotiationneeded = () => this.#negotiate();
    connection.onicecandidate = ({ candidate }) => this.#gathered(candidate);
  }

  /** @param {"offer" | "answer"} type @param {string} sdp */
  describe(type, sdp) {
    // Judged on arrival already: what comes after this offer is meant for the new connection too.
    if (type === "offer" && !this.#isOurs(sdp)) return;
    this.#takeIn(() => (type === "offer" ? this.#takeOffer(sdp) : this.#takeAnswer(sdp)));
  }

  /** @param {IceCandidate | null} candidate */
  candidate(candidate) {
    this.#takeIn(() => this.#takeCandidate(candidate));
  }

  /** Finds new paths; the connection as it is lives on until they are found. */
  restart() {
    this.connection.restartIce();
  }

  /** The far end may never have got our offer: takes an open one back, and makes another. */
  offerAgain() {
    this.#takeIn(async () => {
      if (this.connection.signalingState !== "have-local-offer") return;
      await this.connection.setLocalDescription({ type: "rollback" });
      this.connection.restartIce();
    });
  }

  /** Agrees on nothing more; the connection lives on as it is. */
  retire() {
    this.#closed = true;
    clearTimeout(this.#patience);
    this.connection.onnegotiationneeded = this.connection.onicecandidate = null;
  }

  close() {
    this.retire();
    this.connection.close();
  }

  #begin() {
    this.#patience = undefined;
    if (this.connection.signalingState === "stable") void this.#negotiate();
  }

  async #negotiate() {
    // The browser asks again once the far end's offer is answered, if that left anything to agree.
    if (this.#patience !== undefined || this.#makingOffer || this.#closed) return;
    try {
      this.#makingOffer = true;
      await this.connection.setLocalDescription();
      this.#sendDescription();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#makingOffer = false;
    }
  }

  /** Whether an offer is for this link; if it is from a new connection of the far end, hands it on. @param {string} sdp */
  #isOurs(sdp) {
    const origin = originOf(sdp);
    if (origin === this.#origin) return true;
    // Under way since before we made our connection anew: the far end can't use an answer to it.
    if (origin !== undefined && this.#stale.has(origin)) return false;
    if (this.#origin === undefined) return true;
    this.#actions.replaced(sdp);
    return false;
  }

  /** @param {string} sdp */
  async #takeOffer(sdp) {
    if (!this.#isOurs(sdp)) return;
    const collides = this.#makingOffer || this.connection.signalingState !== "stable";
    this.#ignoreOffer = !this.#polite && collides;
    if (this.#ignoreOffer) return;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    // Rolls our own offer back where there is one.
    await this.connection.setRemoteDescription({ type: "offer", sdp });
    this.#origin = originOf(sdp);
    this.#theirs = offerOf(sdp) ?? "";
    this.#actions.described(sdp);
    await this.connection.setLocalDescription();
    this.#sendDescription();
    await this.#addHeld(sdp);
  }

  /** @param {string} sdp */
  async #takeAnswer(sdp) {
    const offer = offerOf(sdp);
    if (offer !== undefined && offer !== this.#offer) return;
    const origin = originOf(sdp);
    if (offer !== undefined && this.#origin !== undefined && origin !== this.#origin) {
      // A new connection of the far end, which knows nothing of what we agreed on before; nor will it of ours to come.
      this.#stale.add(origin);
      return this.#actions.replaced();
    }
    if (this.connection.signalingState !== "have-local-offer") return;
    try {
      await this.connection.setRemoteDescription({ type: "answer", sdp });
    } catch (error) {
      // Left alone, the open offer would block this connection for good.
      if (++this.#failures <= MAX_FAILURES) this.offerAgain();
      throw error;
    }
    this.#failures = 0;
    this.#origin = origin;
    this.#stale.delete(origin);
    this.#actions.described(sdp);
    await this.#addHeld(sdp);
  }

  /** @param {string} sdp */
  async #addHeld(sdp) {
    for (const candidate of this.#candidates.describe(sdp)) await this.#add(candidate);
  }

  /** @param {IceCandidate | null} candidate */
  async #takeCandidate(candidate) {
    if (this.#candidates.isDue(candidate)) await this.#add(candidate);
  }

  /** @param {IceCandidate | null} candidate */
  async #add(candidate) {
    try {
      // Null ends the candidates of all sections; so does, for one, an empty candidate string.
      await this.connection.addIceCandidate(candidate);
    } catch (error) {
      // It may belong to the offer we ignored.
      if (!this.#ignoreOffer) this.#fail(error);
    }
  }

  /** @param {RTCIceCandidate | null} candidate */
  #gathered(candidate) {
    // Browsers end with an empty candidate, with null, or with both; the far end needs one of them.
    if (candidate) this.#ended = candidate.candidate === "";
    else if (this.#ended) return;
    this.#actions.candidate(candidate?.toJSON() ?? null);
  }

  #sendDescription() {
    const { localDescription: description } = this.connection;
    if (this.#closed || !description) return;
    const isOffer = description.type === "offer";
    if (isOffer) this.#offer = Math.random().toString(36).slice(2, 12);
    const name = isOffer ? this.#offer : this.#theirs;
    const sdp = annotate(description.sdp, name, this.#actions.slotOf);
    this.#actions.describe(isOffer ? "offer" : "answer", sdp);
  }

  /** Takes signals in one at a time, in their order. @param {() => Promise<void>} step */
  #takeIn(step) {
    if (this.#waiting >= MAX_WAITING) return this.#fail(new Error("a peer signals faster than the browser takes it in"));
    this.#waiting += 1;
    this.#tail = this.#tail
      .then(() => (this.#closed ? undefined : step()))
      .catch((error) => this.#fail(error))
      .finally(() => (this.#waiting -= 1));
  }

  /** @param {unknown} error */
  #fail(error) {
    // What fails because the connection was closed under it is no news.
    if (!this.#closed) this.#actions.failed(error);
  }
}
