/** @import { Meta, RoomName } from "./messages.js" */
/** @import { Joined, SignalClient } from "./client.js" */
/** @import { SignalError } from "./error.js" */
import type { Meta, RoomName } from "./messages.js";
import type { Joined, SignalClient } from "./client.js";
import type { SignalError } from "./error.js";
export type JoinOptions = {
    meta?: Meta;
    token?: string | (() => string | undefined | Promise<string | undefined>);
};
/** @typedef {{ meta?: Meta, token?: string | (() => string | undefined | Promise<string | undefined>) }} JoinOptions */
/** How long to wait before trying again where the server doesn't say. */
export declare const RETRY_MS = 1000;
/** @param {number} ms @returns {Promise<void>} */
export declare const sleep: (ms: number) => Promise<void>;
/** Our stay in a room, from `join` to its end; joined again whenever the session was lost. */
export declare class Stay {
    #private;
    /** The roster version at which we joined, while we are in. @type {number | undefined} */
    since: number | undefined;
    /** What we joined with, while we want to be in. @type {JoinOptions | undefined} */
    options: JoinOptions | undefined;
    /**
     * @param {SignalClient} signal
     * @param {RoomName} room
     * @param {{ joined: (joined: Joined, again: boolean) => void, ended: (reason: string, error?: SignalError) => void }} actions
     */
    constructor(signal: SignalClient, room: RoomName, actions: {
        joined: (joined: Joined, again: boolean) => void;
        ended: (reason: string, error?: SignalError) => void;
    });
    /**
     * Joins, and doesn't let a link that breaks on the way keep it from it. Refused, the stay is over.
     *
     * @returns {Promise<Joined>}
     */
    join(): Promise<Joined>;
    /** Ends the stay, and sees to it that the server knows. */
    leave(): Promise<undefined>;
    /** The session was lost, and all its rooms. */
    reset(): void;
    /** @param {string} reason @param {SignalError} [error] */
    end(reason: string, error?: SignalError): void;
}
