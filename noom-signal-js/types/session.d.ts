import type { ServerMessage } from "./messages.js";
import type { Ending } from "./connection.js";
import type { Hello } from "./line.js";
/** @import { ServerMessage } from "./messages.js" */
/** @import { Ending } from "./connection.js" */
/** @import { Hello } from "./line.js" */
import { SignalError } from "./error.js";
/**
 * Our stay at the server, across connections: what each side has taken of the other, and the requests
 * that wait for their reply.
 */
export declare class Session {
    #private;
    limits: import("./messages.js").Limits;
    /** @param {number} maxRequests */
    constructor(maxRequests: number);
    /** What the hello says about us. */
    get resume(): {
        session: string;
        received: number;
    } | undefined;
    /** The next frame to write. */
    get unwritten(): import("./outbox.js").Entry | undefined;
    /**
     * Whether the other side should hear now what we have taken, or tell what it has. Early enough that
     * neither a busy sender nor a busy receiver runs into a bound while the link is fine.
     */
    get isPingDue(): boolean;
    ping(): string;
    /** Takes the next frame to write. */
    next(): string;
    /**
     * @param {ServerMessage["type"]} reply what answers it
     * @param {{ type: string, room?: string, to?: string, [member: string]: any }} message
     * @returns {Promise<any>} the answer
     */
    request(reply: ServerMessage["type"], message: {
        type: string;
        room?: string;
        to?: string;
        [member: string]: any;
    }): Promise<any>;
    /**
     * Takes a frame of the server.
     *
     * @param {string} text
     * @returns {ServerMessage | undefined} the message, if there is any sense in it
     */
    take(text: string): ServerMessage | undefined;
    /** Gives a reply to who waits for it. @param {ServerMessage} message @returns {boolean} whether it was one */
    settle(message: ServerMessage): boolean;
    /** @param {Ending} ending */
    broke({ code }: Ending): void;
    /**
     * The server answered our hello.
     *
     * @param {Hello} hello
     * @returns {"first" | "full" | "partial" | "reset"} what it means for the session
     */
    greeted({ session, resumed, received, limits }: Hello): "first" | "full" | "partial" | "reset";
    /** @param {SignalError} error */
    finished({ code, message }: SignalError): void;
}
