import type { IceCandidate } from "./messages.js";
export type Signal = {
    type: "offer" | "answer";
    sdp: string;
} | {
    type: "candidate";
    candidate: IceCandidate | null;
} | {
    type: "missed";
} | {
    type: "back";
    offer: boolean;
};
export type LinkActions = {
    /**
     * sends a description
     */
    describe: (type: "offer" | "answer", sdp: string) => void;
    /**
     * sends a candidate
     */
    candidate: (candidate: IceCandidate | null) => void;
    /**
     * the slot we send in a media section
     */
    slotOf: (mid: string) => string | undefined;
    /**
     * a description of the far end was applied
     */
    described: (sdp: string) => void;
    /**
     * the far end has a new RTCPeerConnection, and may have offered from it:
     * this link is over
     */
    replaced: (offer?: string) => void;
    failed: (error: unknown) => void;
};
/**
 * What the far end sent; `missed`: it may not have got what we sent; `back`: it can be reached again.
 *
 * @typedef {{ type: "offer" | "answer", sdp: string } | { type: "candidate", candidate: IceCandidate | null } | { type: "missed" } | { type: "back", offer: boolean }} Signal
 */
/**
 * @typedef {object} LinkActions
 * @property {(type: "offer" | "answer", sdp: string) => void} describe sends a description
 * @property {(candidate: IceCandidate | null) => void} candidate sends a candidate
 * @property {(mid: string) => string | undefined} slotOf the slot we send in a media section
 * @property {(sdp: string) => void} described a description of the far end was applied
 * @property {(offer?: string) => void} replaced the far end has a new RTCPeerConnection, and may have offered from it:
 *   this link is over
 * @property {(error: unknown) => void} failed
 */
/**
 * Keeps one RTCPeerConnection agreed with its far end: perfect negotiation (W3C webrtc-pc, 10.7).
 * Either side may change its connection at any time; where two offers cross, the polite side takes
 * its own back. Descriptions are taken in strictly one after the other, so an offer that
 * arrives while an answer is being applied is judged after it, which is what the specification's
 * example needs its `isSettingRemoteAnswerPending` for.
 */
export declare class Link {
    #private;
    connection: RTCPeerConnection;
    /**
     * @param {RTCPeerConnection} connection
     * @param {LinkActions} actions
     * @param {{ polite: boolean, patienceMs?: number, former?: Link }} options
     *   `patienceMs`: wait so long for the far end's offer before offering. `former`: the link that this one replaces
     */
    constructor(connection: RTCPeerConnection, actions: LinkActions, { polite, patienceMs, former }: {
        polite: boolean;
        patienceMs?: number;
        former?: Link;
    });
    /** @param {"offer" | "answer"} type @param {string} sdp */
    describe(type: "offer" | "answer", sdp: string): void;
    /** @param {IceCandidate | null} candidate */
    candidate(candidate: IceCandidate | null): void;
    /** Finds new paths; the connection as it is lives on until they are found. */
    restart(): void;
    /** The far end may never have got our offer: takes an open one back, and makes another. */
    offerAgain(): void;
    /**
     * Whether a description is of the very RTCPeerConnection that we agreed with, and meant for ours: nobody else knows
     * both of their ids, or the name of our offer.
     *
     * @param {"offer" | "answer"} type
     * @param {string} sdp
     */
    continues(type: "offer" | "answer", sdp: string): boolean;
    /** Agrees on nothing until it is resumed. */
    pause(): void;
    /** Goes on where it paused. What was offered before is void: nobody got it. @param {{ polite: boolean, offer: boolean }} options */
    resume({ polite, offer }: {
        polite: boolean;
        offer: boolean;
    }): void;
    /** Agrees on nothing more; the connection lives on as it is. */
    retire(): void;
    close(): void;
}
