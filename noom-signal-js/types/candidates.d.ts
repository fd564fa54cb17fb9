import type { IceCandidate } from "./messages.js";
/**
 * Sorts the far end's candidates by ICE generation. Those of the current one can be added, those
 * that come before their description wait for it, those of a generation that is over are dropped:
 * added to the next one they would at best fail.
 */
export declare class Candidates {
    #private;
    /**
     * @param {IceCandidate | null} candidate
     * @returns {boolean} whether to add it now
     */
    isDue(candidate: IceCandidate | null): boolean;
    /** For a new connection to the same far end: what waits goes on waiting, what was current is over. */
    renew(): Candidates;
    /**
     * A description of the far end was applied.
     *
     * @param {string} sdp
     * @returns {(IceCandidate | null)[]} the candidates that waited for it
     */
    describe(sdp: string): (IceCandidate | null)[];
}
