export type Slot = {
    kind: string;
    track: MediaStreamTrack | null;
    stream?: MediaStream;
};
/** @typedef {{ kind: string, track: MediaStreamTrack | null, stream?: MediaStream }} Slot */
/** What we send to every peer: one track, or none at the moment, in each named slot. */
export declare class Slots {
    #private;
    [Symbol.iterator](): MapIterator<[string, Slot]>;
    /**
     * @param {string} name
     * @param {MediaStreamTrack | null} track
     * @param {MediaStream} [stream] keeps the former one if left out
     * @returns {Slot | undefined} nothing if there is nothing to send or to stop
     */
    set(name: string, track: MediaStreamTrack | null, stream?: MediaStream): Slot | undefined;
}
/** The senders of one RTCPeerConnection, by slot. */
export declare class Senders {
    #private;
    /** @param {RTCPeerConnection} connection */
    constructor(connection: RTCPeerConnection);
    /**
     * Sends what is in the slot from now on. A change of the track alone needs no negotiation; that a
     * slot becomes empty or is filled again does, so that the far end knows.
     *
     * @param {string} name
     * @param {Slot} slot
     */
    apply(name: string, { track, stream }: Slot): Promise<void>;
    /** The slot that we send in a media section. @param {string} mid */
    slotOf(mid: string): string | undefined;
}
