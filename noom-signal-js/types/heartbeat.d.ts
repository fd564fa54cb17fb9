/**
 * Notices a link that is dead though nobody closed it (a pulled cable, a sleeping radio): TCP says
 * nothing for minutes. A ping goes out once an interval; if nothing at all comes back before its
 * deadline, the link counts as dead. Silence alone doesn't count: timers of a hidden or suspended
 * page run late, and the link may be fine.
 */
export declare class Heartbeat {
    #private;
    /** @param {{ ping: () => void, dead: () => void }} actions */
    constructor({ ping, dead }: {
        ping: () => void;
        dead: () => void;
    });
    /**
     * @param {number} everyMs
     * @param {number} pongMs
     */
    start(everyMs: number, pongMs: number): void;
    /** @param {number} [withinMs] how long the link may take to show a sign of life */
    beat(withinMs?: number): void;
    /** Something came in. */
    alive(): void;
    stop(): void;
}
