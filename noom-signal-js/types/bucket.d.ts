/** @import { Limits } from "./messages.js" */
import type { Limits } from "./messages.js";
/**
 * The server's rate limit, kept on this side, so that a backlog (after a reconnect, say) is spread
 * instead of refused.
 */
export declare class Bucket {
    #private;
    /** A new session: a full bucket. @param {Limits} limits */
    reset({ messagesPerSecond, burst, bytesPerSecond, byteBurst }: Limits): void;
    /** Takes the right to send one frame of so many bytes. @param {number} bytes @returns {number} 0, or the milliseconds to wait and ask again */
    take(bytes: number): number;
    /** The server says that its bucket is empty. */
    drain(): void;
}
