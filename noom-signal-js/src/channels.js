/** The number of ids to choose from: every browser allows so many streams from the start. */
const IDS = 255;

/** @typedef {{ id: number, options: RTCDataChannelInit }} ChannelPlan */

/**
 * The data channels that we open to every peer. Both ends open each one, under the same id: so there
 * is exactly one for a label and a pair, with nothing to negotiate and nobody to go first. Id 0
 * is the mesh's own: it makes every pair connect, even one that has nothing to send yet.
 */
export class ChannelPlans {
  /** @type {Map<string, ChannelPlan>} */
  #plans = new Map();

  [Symbol.iterator]() {
    return this.#plans.entries();
  }

  /**
   * @param {string} label
   * @param {RTCDataChannelInit} options
   * @returns {ChannelPlan | undefined} nothing if the label is open already
   */
  add(label, options) {
    if (this.#plans.has(label)) return undefined;
    const id = options.id ?? idOf(label);
    if (id === 0 || [...this.#plans.values()].some((plan) => plan.id === id)) {
      throw new RangeError(`channel ${label} needs another id than ${id}, from 1 to ${IDS}`);
    }
    const plan = { id, options };
    this.#plans.set(label, plan);
    return plan;
  }
}

/** The same on every peer, whatever it opens and in which order (FNV-1a). @param {string} label */
function idOf(label) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(label)) hash = Math.imul(hash ^ byte, 0x01000193);
  return ((hash >>> 0) % IDS) + 1;
}
