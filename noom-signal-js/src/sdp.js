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

const SLOT = /^[\w.-]{1,64}$/;

/** @param {string} slot */
export const isSlot = (slot) => SLOT.test(slot);

/** The part for the session, then one for each media section. @param {string} sdp */
const parts = (sdp) => sdp.split(/^(?=m=)/m);

/**
 * @param {string} sdp
 * @param {string} offer
 * @param {string | undefined} target
 * @param {(mid: string) => string | undefined} slotOf
 */
export function annotate(sdp, offer, target, slotOf) {
  const [session = "", ...media] = parts(sdp);
  const labelled = media.map((section) => {
    const slot = slotOf(/^a=mid:(\S+)/m.exec(section)?.[1] ?? "");
    return slot === undefined ? section : `${section}a=label:${slot}\r\n`;
  });
  const builtOn = target === undefined ? "" : `a=noom-for:${target}\r\n`;
  return `${session}a=noom-offer:${offer}\r\n${builtOn}${labelled.join("")}`;
}

/** Which offer a description is or answers, if it says so. @param {string} sdp */
export const offerOf = (sdp) => /^a=noom-offer:(\S+)/m.exec(sdp)?.[1];

/** Which connection of the far end an offer builds on, if any. @param {string} sdp */
export const targetOf = (sdp) => /^a=noom-for:(\S+)/m.exec(sdp)?.[1];

/** Names the RTCPeerConnection that made the description: it stays the same for its life. @param {string} sdp */
export const originOf = (sdp) => /^o=\S+ (\S+)/m.exec(sdp)?.[1];

/** @param {string} sdp */
export const ufragsOf = (sdp) => [...sdp.matchAll(/^a=ice-ufrag:(\S+)/gm)].map((match) => match[1]);

/**
 * What the description's maker sends. A section without a label of ours has its mid for a slot.
 *
 * @param {string} sdp
 * @returns {Sending[]}
 */
export function sendingIn(sdp) {
  const [session = "", ...media] = parts(sdp);
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m;
  return media.flatMap((section) => {
    const mid = /^a=mid:(\S+)/m.exec(section)?.[1];
    const isMedia = /^m=(audio|video) /.test(section);
    const isRejected = /^m=\S+ 0 /.test(section) && !/^a=bundle-only\s*$/m.test(section);
    const sends = (direction.exec(section) ?? direction.exec(session))?.[1]?.startsWith("send") ?? true;
    if (!mid || !isMedia || isRejected || !sends) return [];
    const label = /^a=label:(\S+)/m.exec(section)?.[1];
    return [{ mid, slot: label && isSlot(label) ? label : mid }];
  });
}
