import type { ByeReason, Meta, PeerId, RoomName } from "./messages.js";
import type { Joined, SignalClient } from "./client.js";
import type { JoinOptions } from "./stay.js";
import { Emitter } from "./emitter.js";
import { SignalError } from "./error.js";
import { MeshPeer } from "./peer.js";
export type MeshEvents = {
    /**
     * we are in the room, with these others; `again` after the session was lost
     */
    joined: {
        room: RoomName;
        peers: MeshPeer[];
        again: boolean;
    };
    /**
     * we are out of the room
     */
    left: {
        reason: string;
        error?: SignalError;
    };
    /**
     * is new; `replaces`: it says that it was that one before the session was lost, but couldn't show it
     */
    peer: {
        peer: MeshPeer;
        replaces?: MeshPeer;
    };
    /**
     * the server forgot it and calls it `peer.id` now; all else is as it was
     */
    peerrenamed: {
        peer: MeshPeer;
        former: PeerId;
    };
    /**
     * its meta changed
     */
    peerupdated: {
        peer: MeshPeer;
    };
    /**
     * `successor` with `replaced`
     */
    peerleft: {
        peer: MeshPeer;
        reason: ByeReason | "replaced" | (string & {});
        successor?: MeshPeer;
    };
    /**
     * of the connection to it
     */
    state: {
        peer: MeshPeer;
        state: RTCPeerConnectionState;
        previous: RTCPeerConnectionState;
    };
    /**
     *   a slot is filled, or has another track than before
     */
    track: {
        peer: MeshPeer;
        slot: string;
        track: MediaStreamTrack;
        streams: readonly MediaStream[];
        transceiver: RTCRtpTransceiver;
    };
    /**
     * a slot is empty
     */
    trackended: {
        peer: MeshPeer;
        slot: string;
        track: MediaStreamTrack;
    };
    /**
     * is open
     */
    channel: {
        peer: MeshPeer;
        label: string;
        channel: RTCDataChannel;
    };
    /**
     * binary comes as an ArrayBuffer
     */
    data: {
        peer: MeshPeer;
        label: string;
        data: any;
    };
    error: {
        error: unknown;
        peer?: MeshPeer;
    };
};
export type MeshOptions = {
    /**
     * for every RTCPeerConnection; its `iceServers` replace the server's
     */
    rtc?: RTCConfiguration;
    RTCPeerConnection?: typeof RTCPeerConnection;
    /**
     * how long a newcomer leaves the offer to those who were there
     */
    offerTimeoutMs?: number;
};
/**
 * A room whose members are all connected with each other, each by one RTCPeerConnection.
 *
 * The connections are the members' own: losing the server never closes one. They come and go with
 * the roster alone.
 *
 * @extends {Emitter<MeshEvents>}
 */
export declare class Mesh extends Emitter<MeshEvents> {
    #private;
    signal: SignalClient;
    room: string;
    /** @type {Map<PeerId, MeshPeer>} */
    peers: Map<PeerId, MeshPeer>;
    /**
     * @param {SignalClient} signal
     * @param {RoomName} room
     * @param {MeshOptions} [options]
     */
    constructor(signal: SignalClient, room: RoomName, options?: MeshOptions);
    /**
     * Joins the room, and again by itself whenever the session was lost.
     *
     * @param {JoinOptions} [options]
     * @returns {Promise<Joined>}
     */
    join(options?: JoinOptions): Promise<Joined>;
    /** Leaves the room and closes all connections. Tracks are their owner's: none is stopped. */
    leave(): Promise<void>;
    /**
     * Says something new about ourselves to all members.
     *
     * @param {Meta} meta
     */
    updateMeta(meta: Meta): Promise<{
        type: "updated";
    } & import("./messages.js").Updated>;
    /**
     * Sends this track in the named slot to every peer, present and future; null sends nothing. The far
     * ends know it by the slot's name. Another track of the same kind takes over without a gap.
     *
     * @param {string} slot up to 64 letters, digits, `_`, `.` and `-`: `camera`, `mic`, `screen`
     * @param {MediaStreamTrack | null} track
     * @param {MediaStream} [stream] tracks of one stream are played in step (camera and microphone, say)
     */
    setTrack(slot: string, track: MediaStreamTrack | null, stream?: MediaStream): Promise<void>;
    /**
     * Opens a data channel to every peer, present and future. Each member has to open it: best before
     * joining.
     *
     * @param {string} label
     * @param {RTCDataChannelInit} [options] `id` from 1 to 255 replaces the one made from the label
     */
    openChannel(label: string, options?: RTCDataChannelInit): void;
    /**
     * Sends to one peer, or to every one whose channel is open.
     *
     * @param {string} label
     * @param {string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob} data
     * @param {PeerId} [peerId]
     * @returns {number} to how many
     */
    sendData(label: string, data: string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob, peerId?: PeerId): number;
}
