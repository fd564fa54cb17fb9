/** @import { ByeReason, PeerId, RoomName } from "./messages.js" */
/** @import { SignalError } from "./error.js" */
/** @import { MeshPeer } from "./peer.js" */
import type { ByeReason, PeerId, RoomName } from "./messages.js";
import type { SignalError } from "./error.js";
import type { MeshPeer } from "./peer.js";
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
 * @typedef {object} MeshEvents
 * @property {{ room: RoomName, peers: MeshPeer[], again: boolean }} joined we are in the room, with these others; `again` after the session was lost
 * @property {{ reason: string, error?: SignalError }} left we are out of the room
 * @property {{ peer: MeshPeer, replaces?: MeshPeer }} peer is new; `replaces`: it says that it was that one before the session was lost, but couldn't show it
 * @property {{ peer: MeshPeer, former: PeerId }} peerrenamed the server forgot it and calls it `peer.id` now; all else is as it was
 * @property {{ peer: MeshPeer }} peerupdated its meta changed
 * @property {{ peer: MeshPeer, reason: ByeReason | "replaced" | (string & {}), successor?: MeshPeer }} peerleft `successor` with `replaced`
 * @property {{ peer: MeshPeer, state: RTCPeerConnectionState, previous: RTCPeerConnectionState }} state of the connection to it
 * @property {{ peer: MeshPeer, slot: string, track: MediaStreamTrack, streams: readonly MediaStream[], transceiver: RTCRtpTransceiver }} track
 *   a slot is filled, or has another track than before
 * @property {{ peer: MeshPeer, slot: string, track: MediaStreamTrack }} trackended a slot is empty
 * @property {{ peer: MeshPeer, label: string, channel: RTCDataChannel }} channel is open
 * @property {{ peer: MeshPeer, label: string, data: any }} data binary comes as an ArrayBuffer
 * @property {{ error: unknown, peer?: MeshPeer }} error
 */
/**
 * @typedef {object} MeshOptions
 * @property {RTCConfiguration} [rtc] for every RTCPeerConnection; its `iceServers` replace the server's
 * @property {typeof RTCPeerConnection} [RTCPeerConnection]
 * @property {number} [offerTimeoutMs] how long a newcomer leaves the offer to those who were there
 */
export {};
