import type { ServerMessage } from "./messages.js";
import type { Ending } from "./connection.js";
import type { SignalOptions } from "./options.js";
import { SignalError } from "./error.js";
export type SignalState = "idle" | "connecting" | "open" | "reconnecting" | "closed";
export type StateChange = {
    state: SignalState;
    previous: SignalState;
    reason?: Ending;
    retryInMs?: number;
};
export type Hello = Extract<ServerMessage, {
    type: "hello";
}>;
export type LineActions = {
    /**
     * gives the frame to begin a connection with
     */
    hello: (token: string | undefined) => string;
    /**
     * gives the frame that asks for a sign of life
     */
    ping: () => string;
    /**
     * the server has answered; the line is not open yet
     */
    greeted: (hello: Hello) => void;
    opened: (hello: Hello) => void;
    /**
     * a frame came
     */
    text: (text: string) => void;
    /**
     * the open line is down
     */
    broke: (ending: Ending) => void;
    /**
     * it is down for good
     */
    finished: (error: SignalError) => void;
    changed: (change: StateChange) => void;
};
/** The way to the server: a connection that is made anew whenever it breaks, for as long as that can help. */
export declare class Line {
    #private;
    /** @type {SignalState} */
    state: SignalState;
    /** Why it is closed for good. @type {Ending | undefined} */
    closed: Ending | undefined;
    /** The same, for those whose requests fail of it. @type {SignalError | undefined} */
    error: SignalError | undefined;
    /**
     * @param {string} url
     * @param {SignalOptions & { connectMs: number, pongMs: number }} options
     * @param {LineActions} actions
     */
    constructor(url: string, options: SignalOptions & {
        connectMs: number;
        pongMs: number;
    }, actions: LineActions);
    open(): void;
    /** Ends the session at the server, too. @param {string} reason */
    close(reason: string): void;
    /** @param {string} text */
    send(text: string): void;
    /** The server drains, and said when to come back. @param {number} waitMs */
    returnIn(waitMs: number): void;
}
