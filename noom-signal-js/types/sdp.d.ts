/**
 * The little that a mesh reads from a session description and writes into it.
 *
 * Three lines travel in a description beside what the browser wrote; parsers that don't know them
 * must ignore them (RFC 8866, 5.13), and the browser that made the description never sees them:
 *
 * - `a=label:camera` (RFC 4574) in a media section: the slot whose track its sender sends there.
 *   Being part of the description, it can't be early, late, or about another one.
 * - `a=noom-offer:x7f3` for the session: which offer this is, or which one this answers. An answer
 *   to an offer that was since rolled back would otherwise be taken for one to the next.
 * - `a=noom-for:4711` for the session of an offer: the RTCPeerConnection of the far end that it builds on, by the
 *   id in that one's `o=` line. If the far end has made a new one meanwhile, the offer is void.
 *
 * @typedef {{ mid: string, slot: string }} Sending
 */
export type Sending = {
    mid: string;
    slot: string;
};
/** @param {string} slot */
export declare const isSlot: (slot: string) => boolean;
/**
 * @param {string} sdp
 * @param {string} offer
 * @param {string | undefined} target
 * @param {(mid: string) => string | undefined} slotOf
 */
export declare function annotate(sdp: string, offer: string, target: string | undefined, slotOf: (mid: string) => string | undefined): string;
/** Which offer a description is or answers, if it says so. @param {string} sdp */
export declare const offerOf: (sdp: string) => string | undefined;
/** Which connection of the far end an offer builds on, if any. @param {string} sdp */
export declare const targetOf: (sdp: string) => string | undefined;
/** Names the RTCPeerConnection that made the description: it stays the same for its life. @param {string} sdp */
export declare const originOf: (sdp: string) => string | undefined;
/** @param {string} sdp */
export declare const ufragsOf: (sdp: string) => (string | undefined)[];
/**
 * What the description's maker sends. A section without a label of ours has its mid for a slot.
 *
 * @param {string} sdp
 * @returns {Sending[]}
 */
export declare function sendingIn(sdp: string): Sending[];
