/**
 * The server's rate limit, kept on this side, so that a backlog (after a reconnect, say) is spread
 * instead of refused. It stays a tenth below what the server allows: the two clocks differ, and so
 * does the time frames take.
 */
export declare class Bucket {
    #private;
    /** A new session: a full bucket. @param {{ messagesPerSecond: number, burst: number }} limits */
    reset({ messagesPerSecond, burst }: {
        messagesPerSecond: number;
        burst: number;
    }): void;
    /** Takes the right to send one frame. @returns {number} 0, or the milliseconds to wait and ask again */
    take(): number;
    /** The server says that its bucket is empty. */
    drain(): void;
}
