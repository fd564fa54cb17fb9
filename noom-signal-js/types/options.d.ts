/** @import { Limits } from "./messages.js" */
import type { Limits } from "./messages.js";
export type SignalOptions = {
    /**
     * for the application's
     * authenticator; a function is asked anew for each connection
     */
    token?: string | (() => string | undefined | Promise<string | undefined>);
    /**
     * a name for the server's logs
     */
    client?: string;
    WebSocket?: typeof WebSocket;
    /**
     * what has the page's events: the window
     */
    page?: Pick<EventTarget, "addEventListener" | "removeEventListener">;
    /**
     * how long a connection may take from the start to the server's hello
     */
    connectMs?: number;
    /**
     * how long a live link may stay silent after a ping
     */
    pongMs?: number;
    /**
     * the first bound of the random wait between attempts; it doubles
     */
    backoffMs?: number;
    /**
     * its last bound
     */
    backoffCapMs?: number;
    /**
     * from 0 to 1, for the wait
     */
    random?: () => number;
    /**
     * how many requests may wait for their reply
     */
    maxRequests?: number;
};
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
export declare const DEFAULTS: {
    connectMs: number;
    pongMs: number;
    backoffMs: number;
    backoffCapMs: number;
    maxRequests: number;
};
/** @type {Limits} What to go by where the server doesn't say. */
export declare const LIMITS: Limits;
/**
 * The limits of a hello, as far as they can be used.
 *
 * @param {Partial<Limits>} [limits]
 * @returns {Limits}
 */
export declare function limitsOf(limits?: Partial<Limits>): Limits;
