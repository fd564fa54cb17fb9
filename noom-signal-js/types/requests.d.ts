import type { ServerMessage } from "./messages.js";
/** @import { ServerMessage } from "./messages.js" */
import { SignalError } from "./error.js";
export type Open = {
    reply: ServerMessage["type"];
    room?: string;
    to?: string;
    resolve: (message: any) => void;
    reject: (error: SignalError) => void;
};
/** @typedef {{ reply: ServerMessage["type"], room?: string, to?: string, resolve: (message: any) => void, reject: (error: SignalError) => void }} Open */
/** The requests that wait for their reply. */
export declare class Requests {
    #private;
    get size(): number;
    /** An id that no open request has. */
    nextId(): number;
    /**
     * @param {number} id
     * @param {{ reply: ServerMessage["type"], room?: string, to?: string }} about
     * @returns {Promise<any>}
     */
    open(id: number, about: {
        reply: ServerMessage["type"];
        room?: string;
        to?: string;
    }): Promise<any>;
    /**
     * Hands a reply to its request, if it is one.
     *
     * @param {ServerMessage} message
     * @returns {boolean} whether it was
     */
    settle(message: ServerMessage): boolean;
    /**
     * @param {number} id
     * @param {SignalError["code"]} code
     * @param {string} message
     */
    reject(id: number, code: SignalError["code"], message: string): void;
    /**
     * @param {SignalError["code"]} code
     * @param {string} message
     * @param {Set<number>} [except]
     */
    rejectAll(code: SignalError["code"], message: string, except?: Set<number>): void;
}
