/**
 * How long to wait before the next attempt: nothing before the first, then a random part of a bound
 * that doubles. The whole range is random ("full jitter"), so the clients of a server that died
 * don't come back in waves.
 */
export declare class Backoff {
    #private;
    /** @param {{ baseMs?: number, capMs?: number, random?: () => number }} [options] */
    constructor({ baseMs, capMs, random }?: {
        baseMs?: number;
        capMs?: number;
        random?: () => number;
    });
    /** @returns {number} milliseconds */
    next(): number;
    /** The connection held: the next attempt is a first one again. */
    reset(): void;
}
