export type Entry = {
    id: number;
    text: string;
    bytes: number;
};
/**
 * The frames of a session that the server is not known to have taken: those written to a connection
 * come first, then those still to be written. Counts frames as the protocol does, so that after a
 * resume exactly the ones the server has not taken are written again, in order.
 *
 * @typedef {{ id: number, text: string, bytes: number }} Entry
 */
export declare class Outbox {
    #private;
    /** The server's `resumeFrames` and `resumeBytes` once they are known. */
    maxFrames: number;
    maxBytes: number;
    /** @param {number} bytes */
    fits(bytes: number): boolean;
    /** How full the box is with frames written but not confirmed, from 0 to 1. */
    get unconfirmed(): number;
    /** The next frame to write. @returns {Entry | undefined} */
    get unwritten(): Entry | undefined;
    /** @param {Entry} entry */
    push(entry: Entry): void;
    /** Takes the next frame to write; it counts as written from here on. */
    next(): string;
    /**
     * The server has taken `received` frames of this session. A number that can't be is ignored.
     *
     * @param {number} received
     */
    confirm(received: number): void;
    /**
     * A new connection carries the session on after `received` frames: what was written beyond them
     * is to be written again.
     *
     * @param {number} received
     * @param {boolean} poisoned the first of those frames closed the old connection: it must not go out again
     * @returns {Entry | undefined} the frame taken out
     */
    rewind(received: number, poisoned: boolean): Entry | undefined;
    /**
     * Both counts start again: what was written is gone for good, what was not is still to come.
     *
     * @returns {Set<number>} the ids of the frames still to be written
     */
    restart(): Set<number>;
    clear(): void;
}
