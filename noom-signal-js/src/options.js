/** @import { Limits } from "./messages.js" */

/**
 * @typedef {object} SignalOptions
 * @property {string | (() => string | undefined | Promise<string | undefined>)} [token] for the application's
 *   authenticator; a function is asked anew for each connection
 * @property {string} [client] a name for the server's logs
 * @property {typeof WebSocket} [WebSocket]
 * @property {Pick<EventTarget, "addEventListener" | "removeEventListener">} [page] what has the page's events: the window
 * @property {number} [connectMs] how long a connection may take from the start to the server's hello
 * @property {number} [pongMs] how long a live link may stay silent after a ping
 * @property {number} [backoffMs] the first bound of the random wait between attempts; it doubles
 * @property {number} [backoffCapMs] its last bound
 * @property {() => number} [random] from 0 to 1, for the wait
 * @property {number} [maxRequests] how many requests may wait for their reply
 */

export const DEFAULTS = { connectMs: 10_000, pongMs: 10_000, backoffMs: 500, backoffCapMs: 20_000, maxRequests: 1024 };

/** @type {Limits} What to go by where the server doesn't say. */
export const LIMITS = {
  messageBytes: 65_536,
  frameBytes: 1_048_576,
  metaBytes: 4096,
  depth: 32,
  roomsPerPeer: 8,
  messagesPerSecond: 100,
  burst: 400,
  resumeFrames: 512,
  resumeBytes: 1_048_576,
  outboundBytes: 1_048_576,
  lobbyRooms: 100,
};

/**
 * The limits of a hello, as far as they can be used.
 *
 * @param {Partial<Limits>} [limits]
 * @returns {Limits}
 */
export function limitsOf(limits = {}) {
  // A rate of 0 is none; of anything else, 0 would leave nothing to work with.
  const usable = Object.entries(limits).filter(([name, value]) => Number.isSafeInteger(value) && value >= (/Second$/.test(name) ? 0 : 1));
  return { ...LIMITS, ...Object.fromEntries(usable) };
}
