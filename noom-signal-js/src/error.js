/** @import { ErrorCode, PeerId, RoomName } from "./messages.js" */

/**
 * Codes that the client itself gives, beside the server's.
 *
 * - `lost`: the session was resumed in part, or replaced; the request may or may not have been handled
 * - `closed`: the client is closed
 * - `replaced`: another connection took the session over
 * - `backlog`: too much waits for the server already; the request was not sent
 * - `too_large`: the message is over `limits.messageBytes`; it was not sent
 * - `refused`: the server closed the connection because of this message
 * - `unreachable`: there is no WebSocket here, or none to this address
 *
 * @typedef {"lost" | "closed" | "replaced" | "backlog" | "too_large" | "refused" | "unreachable"} LocalErrorCode
 */

/** Why a request failed. `code` is for acting on, `message` for people. */
export class SignalError extends Error {
  /**
   * @param {ErrorCode | LocalErrorCode} code
   * @param {string} message
   * @param {{ room?: RoomName, to?: PeerId, retryAfterMs?: number }} [details]
   */
  constructor(code, message, { room, to, retryAfterMs } = {}) {
    super(message);
    this.name = "SignalError";
    this.code = code;
    this.room = room;
    this.to = to;
    /** How long to wait before trying again, where trying again may help. */
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Hands an error that has no caller to the page's own error reporting (`window.onerror`).
 *
 * @param {unknown} error
 */
export function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
