import type { Meta, PeerId, RoomName } from "./messages.js";
import type { Joined, SignalClient } from "./client.js";
import type { MeshEvents, MeshOptions } from "./events.js";
import type { JoinOptions } from "./stay.js";
import { Emitter } from "./emitter.js";
import { MeshPeer } from "./peer.js";
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
