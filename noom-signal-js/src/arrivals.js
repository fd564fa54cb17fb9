/** @import { PeerId, PeerInfo } from "./messages.js" */
/** @import { MeshPeer } from "./peer.js" */
import { targetOf } from "./sdp.js";

/**
 * @typedef {object} Arrival
 * @property {PeerInfo} info
 * @property {boolean} older it was in the room before us
 * @property {ReturnType<typeof setTimeout>} timer
 * @property {MeshPeer[]} asked the departed that we offer to it as
 */

/**
 * @typedef {object} ArrivalActions
 * @property {() => MeshPeer[]} departed
 * @property {(info: PeerInfo, offered: boolean) => void} admit it is nobody we know
 * @property {(info: PeerInfo, peer: MeshPeer) => void} recognised
 * @property {(info: PeerInfo, peer: MeshPeer) => void} ask offers to it on the connection of a departed peer
 */

/** How long members wait for a newcomer's offer on a connection they have. */
const RECOGNITION_MS = 3000;

/**
 * Those who come while departed peers may come back: the server forgot us all (it restarted), but our connections live.
 * Who is who again is seen in three steps.
 *
 * 1. Over each connection its ends say under which id they are back. That is a hint: it may be a lie.
 * 2. Of two who are back, the later one offers on the connection that it has, through the server, to the id of the hint.
 *    The offer names the RTCPeerConnections of both ends (`o=` and `a=noom-for`) by random ids that nobody but these two
 *    and their server ever saw. By that, and by the server's word for whom it is from, the other knows its far end again.
 * 3. Its answer, by the server's word from where the offer went and nowhere else, shows the same to the one who offered.
 *
 * So nobody can take a third one's place, whatever they say; and a liar's hint costs nobody a connection.
 */
export class Arrivals {
  /** @type {Map<PeerId, Arrival>} */
  #waiting = new Map();
  #actions;

  /** @param {ArrivalActions} actions */
  constructor(actions) {
    this.#actions = actions;
  }

  /** @param {PeerId} id */
  get(id) {
    return this.#waiting.get(id)?.info;
  }

  /**
   * @param {PeerInfo} info
   * @param {number} [patienceMs] how long we leave the first offer to it, if it was in the room before us
   * @returns {boolean} whether it has to wait, since it may be one of the departed
   */
  add(info, patienceMs) {
    const id = info.peer;
    if (!this.#actions.departed().some((peer) => peer.mayBe(id))) return false;
    const timer = setTimeout(() => this.#admit(id, false), patienceMs ?? RECOGNITION_MS);
    this.#waiting.set(id, { info, older: patienceMs !== undefined, timer, asked: [] });
    this.hinted(id);
    return true;
  }

  /** A departed peer says that this is its id now. @param {PeerId} id */
  hinted(id) {
    const arrival = this.#waiting.get(id);
    if (!arrival?.older) return;
    // Where several say so, all but one of them lie; whom we ask knows its own connection.
    for (const peer of this.#actions.departed()) {
      if (peer.successor !== id || arrival.asked.includes(peer)) continue;
      arrival.asked.push(peer);
      this.#actions.ask(arrival.info, peer);
    }
  }

  /** A description came, which may show who its sender is. @param {PeerId} id @param {"offer" | "answer"} type @param {string} sdp */
  judge(id, type, sdp) {
    const arrival = this.#waiting.get(id);
    if (!arrival) return;
    const candidates = type === "offer" ? this.#actions.departed() : arrival.asked;
    const peer = candidates.find((each) => each.departed && each.continues(type, sdp));
    if (peer) this.#actions.recognised(this.#remove(id, peer), peer);
    // An offer on a connection that isn't ours follows from a hint that isn't true.
    else if (type === "offer" && targetOf(sdp) === undefined) this.#admit(id, true);
  }

  /** Forgets those who are not there, or no longer the same. @param {Map<PeerId, PeerInfo>} [now] */
  keep(now) {
    for (const [id, { info }] of [...this.#waiting]) if (now?.get(id)?.since !== info.since) this.#remove(id);
  }

  /** @param {PeerId} id */
  drop(id) {
    if (this.#waiting.has(id)) this.#remove(id);
  }

  /** @param {PeerId} id @param {boolean} offered */
  #admit(id, offered) {
    this.#actions.admit(this.#remove(id), offered);
  }

  /** @param {PeerId} id @param {MeshPeer} [recognised] */
  #remove(id, recognised) {
    const { info, timer, asked } = /** @type {Arrival} */ (this.#waiting.get(id));
    clearTimeout(timer);
    this.#waiting.delete(id);
    for (const peer of asked) if (peer !== recognised) peer.rest();
    return info;
  }
}
