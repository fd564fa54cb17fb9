import type { IceCandidate, Meta, PeerId } from "./messages.js";
import type { ChannelPlan } from "./channels.js";
import type { Slot } from "./slots.js";
export type PeerActions = {
    create: () => RTCPeerConnection;
    slots: () => Iterable<[string, Slot]>;
    channels: () => Iterable<[string, ChannelPlan]>;
    describe: (peer: MeshPeer, type: "offer" | "answer", sdp: string) => void;
    candidate: (peer: MeshPeer, candidate: IceCandidate | null) => void;
    state: (peer: MeshPeer, previous: RTCPeerConnectionState) => void;
    track: (peer: MeshPeer, slot: string, transceiver: RTCRtpTransceiver) => void;
    trackEnded: (peer: MeshPeer, slot: string, track: MediaStreamTrack) => void;
    channel: (peer: MeshPeer, channel: RTCDataChannel) => void;
    data: (peer: MeshPeer, label: string, data: any) => void;
    /**
     * it said under which id it came back
     */
    succeeded: (peer: MeshPeer) => void;
    /**
     * it closed its connection
     */
    gone: (peer: MeshPeer) => void;
    failed: (error: unknown, peer: MeshPeer) => void;
};
/**
 * What a peer tells its mesh.
 *
 * @typedef {object} PeerActions
 * @property {() => RTCPeerConnection} create
 * @property {() => Iterable<[string, Slot]>} slots
 * @property {() => Iterable<[string, ChannelPlan]>} channels
 * @property {(peer: MeshPeer, type: "offer" | "answer", sdp: string) => void} describe
 * @property {(peer: MeshPeer, candidate: IceCandidate | null) => void} candidate
 * @property {(peer: MeshPeer, previous: RTCPeerConnectionState) => void} state
 * @property {(peer: MeshPeer, slot: string, transceiver: RTCRtpTransceiver) => void} track
 * @property {(peer: MeshPeer, slot: string, track: MediaStreamTrack) => void} trackEnded
 * @property {(peer: MeshPeer, channel: RTCDataChannel) => void} channel
 * @property {(peer: MeshPeer, label: string, data: any) => void} data
 * @property {(peer: MeshPeer) => void} succeeded it said under which id it came back
 * @property {(peer: MeshPeer) => void} gone it closed its connection
 * @property {(error: unknown, peer: MeshPeer) => void} failed
 */
/**
 * Another member of the room, and our connection to it. The connection may be replaced by a new one
 * (the far end made one, or the old one was beyond repair); the peer and what it shows stay.
 */
export declare class MeshPeer {
    #private;
    /** What the server calls it. It changes when the server, and nobody else, forgot it: `peerrenamed`. @type {PeerId} */
    id: PeerId;
    /** @type {string | undefined} Who the server says it is. */
    user: string | undefined;
    /** @type {Meta} */
    meta: Meta;
    /** The roster version at which it joined. */
    since: number;
    /** What it sends, by slot. @type {Map<string, MediaStreamTrack>} */
    tracks: Map<string, MediaStreamTrack>;
    /** The streams that each slot's track is in. @type {Map<string, readonly MediaStream[]>} */
    streams: Map<string, readonly MediaStream[]>;
    /**
     * It is no longer in the room by the server's word (which restarted, say), but its connection lives.
     * It stays until it has come back, closes the connection, or a while has passed.
     */
    departed: boolean;
    /** The id it came back under, by its own word: no proof of anything. @type {PeerId | undefined} */
    successor: PeerId | undefined;
    get connection(): RTCPeerConnection;
    get connectionState(): RTCPeerConnectionState;
    /** The data channel of that label, once `mesh.openChannel` was called for it. @param {string} label */
    channel(label: string): RTCDataChannel | undefined;
}
