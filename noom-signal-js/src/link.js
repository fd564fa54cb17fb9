/** @import { IceCandidate } from "./messages.js" */
import { Candidates } from "./candidates.js";
import { annotate, offerOf, originOf, targetOf } from "./sdp.js";

/** How many signals of the far end may wait for the browser to take them in. */
const MAX_WAITING = 200;
/** How often in a row an answer may fail to apply before we give up offering. */
const MAX_FAILURES = 3;

/**
 * What the far end sent; `missed`: it may not have got what we sent; `back`: it can be reached again.
 *
 * @typedef {{ type: "offer" | "answer", sdp: string } | { type: "candidate", candidate: IceCandidate | null } | { type: "missed" } | { type: "back", offer: boolean }} Signal
 */

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
  /** The far end can't be reached: what is agreed has to do. */
  #paused = false;
  /** The far end's signals, from the one being taken in. @type {Signal[]} */
  #signals = [];
  #failures = 0;
  /** Names our last offer: an answer to an earlier one is stale. */
  #offer = "";
  /** The far end's last offer: our answers name it. */
  #theirs = "";
  /** The far end's RTCPeerConnection that we agreed with. @type {string | undefined} */
  #origin;
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
    // What the former link didn't come to answer is for this one: the far end waits for it.
    if (former) for (const signal of former.#signals) this.#takeIn(signal);
    if (patienceMs !== undefined) this.#patience = setTimeout(() => this.#begin(), patienceMs);
    connection.onnegotiationneeded = () => this.#negotiate();
    connection.onicecandidate = ({ candidate }) => this.#gathered(candidate);
  }

  /** @param {"offer" | "answer"} type @param {string} sdp */
  describe(type, sdp) {
    // Judged on arrival already: what comes after this offer is meant for the new connection too.
    if (type === "offer" && !this.#isOurs(sdp)) return;
    this.#takeIn({ type, sdp });
  }

  /** @param {IceCandidate | null} candidate */
  candidate(candidate) {
    this.#takeIn({ type: "candidate", candidate });
  }

  /** Finds new paths; the connection as it is lives on until they are found. */
  restart() {
    this.connection.restartIce();
  }

  /** The far end may never have got our offer: takes an open one back, and makes another. */
  offerAgain() {
    this.#takeIn({ type: "missed" });
  }

  /**
   * Whether a description is of the very RTCPeerConnection that we agreed with, and meant for ours: nobody else knows
   * both of their ids, or the name of our offer.
   *
   * @param {"offer" | "answer"} type
   * @param {string} sdp
   */
  continues(type, sdp) {
    if (this.#closed || this.#origin === undefined || originOf(sdp) !== this.#origin) return false;
    return type === "offer" ? targetOf(sdp) === this.#id : offerOf(sdp) === this.#offer;
  }

  /** Agrees on nothing until it is resumed. */
  pause() {
    this.#paused = true;
  }

  /** Goes on where it paused. What was offered before is void: nobody got it. @param {{ polite: boolean, offer: boolean }} options */
  resume({ polite, offer }) {
    this.#polite = polite;
    this.#paused = false;
    this.#takeIn({ type: "back", offer });
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

  /** Our RTCPeerConnection's, as it is in the descriptions it made. */
  get #id() {
    return originOf(this.connection.localDescription?.sdp ?? "");
  }

  #begin() {
    this.#patience = undefined;
    if (this.connection.signalingState === "stable") void this.#negotiate();
  }

  async #negotiate() {
    // The browser asks again once the far end's offer is answered, if that left anything to agree.
    if (this.#patience !== undefined || this.#makingOffer || this.#closed || this.#paused) return;
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
    const target = targetOf(sdp);
    // Under way since before we made our connection anew, which the far end is about to hear.
    if (target !== undefined && target !== this.#id) return false;
    if (this.#origin === undefined || this.#origin === originOf(sdp)) return true;
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
    this.#theirs = offerOf(sdp) ?? "";
    this.#actions.described(sdp);
    await this.connection.setLocalDescription();
    if (this.#closed) return;
    this.#sendDescription();
    this.#origin = originOf(sdp);
    await this.#addHeld(sdp);
  }

  /** @param {string} sdp */
  async #takeAnswer(sdp) {
    const offer = offerOf(sdp);
    if (offer !== undefined && offer !== this.#offer) return;
    const origin = originOf(sdp);
    if (offer !== undefined && this.#origin !== undefined && origin !== this.#origin) {
      // A new connection of the far end, which knows nothing of what we agreed on before.
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
    this.#actions.described(sdp);
    await this.#addHeld(sdp);
  }

  /** @param {string} sdp */
  async #addHeld(sdp) {
    for (const candidate of this.#candidates.describe(sdp)) await this.#add(candidate);
  }

  async #takeBack() {
    if (this.connection.signalingState !== "have-local-offer") return false;
    await this.connection.setLocalDescription({ type: "rollback" });
    return true;
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
    if (this.#paused) return;
    this.#actions.candidate(candidate?.toJSON() ?? null);
  }

  #sendDescription() {
    const { localDescription: description } = this.connection;
    if (this.#closed || this.#paused || !description) return;
    const isOffer = description.type === "offer";
    if (isOffer) this.#offer = Math.random().toString(36).slice(2, 12);
    const name = isOffer ? this.#offer : this.#theirs;
    const target = isOffer ? this.#origin : undefined;
    const sdp = annotate(description.sdp, name, target, this.#actions.slotOf);
    this.#actions.describe(isOffer ? "offer" : "answer", sdp);
  }

  /** @param {Signal} signal */
  #takeIn(signal) {
    if (this.#signals.length >= MAX_WAITING) return this.#fail(new Error("a peer signals too fast"));
    // One at a time, in their order.
    if (this.#signals.push(signal) === 1) void this.#takeAllIn();
  }

  async #takeAllIn() {
    // Not within the constructor, and not before the caller is done.
    await null;
    for (;;) {
      const signal = this.#signals[0];
      if (!signal || this.#closed) return;
      try {
        if (signal.type === "offer") await this.#takeOffer(signal.sdp);
        else if (signal.type === "answer") await this.#takeAnswer(signal.sdp);
        else if (signal.type === "missed") (await this.#takeBack()) && this.connection.restartIce();
        else if (signal.type === "back") (await this.#takeBack(), signal.offer && (await this.#negotiate()));
        else if (signal.type === "candidate" && this.#candidates.isDue(signal.candidate)) await this.#add(signal.candidate);
      } catch (error) {
        this.#fail(error);
      }
      // A link that was replaced meanwhile leaves the signal to the next one.
      if (!this.#closed) this.#signals.shift();
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    // What fails because the connection was closed under it is no news.
    if (!this.#closed) this.#actions.failed(error);
  }
}
