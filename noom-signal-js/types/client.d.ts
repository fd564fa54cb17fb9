import type { IceCandidate, IceServer, JsonValue, Meta, PeerId, RoomName, ServerMessage } from "./messages.js";
import type { Hello, StateChange } from "./line.js";
import type { SignalOptions } from "./options.js";
import { Emitter } from "./emitter.js";
export type Joined = Extract<ServerMessage, {
    type: "joined";
}>;
export type SignalEvents = {
    [Type in ServerMessage["type"]]: Extract<ServerMessage, {
        type: Type;
    }>;
} & {
    state: StateChange;
    reset: Hello;
    unknown: {
        text: string;
        ignored: number;
    };
};
/** @typedef {Extract<ServerMessage, { type: "joined" }>} Joined */
/**
 * Every message of the server under its own name, and what the client adds: `state`, `reset` (the
 * session is new though we had one: all rooms are gone) and `unknown` (a frame that was ignored).
 * `error` has the errors that answer no open request.
 *
 * @typedef {{ [Type in ServerMessage["type"]]: Extract<ServerMessage, { type: Type }> }
 *   & { state: StateChange, reset: Hello, unknown: { text: string, ignored: number } }} SignalEvents
 */
/**
 * A session at a noom-signal server. It connects again by itself for as long as that can help, and
 * frames are handled once and in order across its connections. What couldn't be kept shows: a
 * request rejects with `lost`, and `reset` tells that the rooms are gone.
 *
 * Life: `connect()` once, `close()` at the end. Requests made while the link is down wait for it.
 *
 * @extends {Emitter<SignalEvents>}
 */
export declare class SignalClient extends Emitter<SignalEvents> {
    #private;
    /** Our peer id in this session. @type {PeerId | undefined} */
    peer: PeerId | undefined;
    /** Who the server says we are. @type {string | undefined} */
    user: string | undefined;
    /** @type {IceServer[]} */
    iceServers: IceServer[];
    /** How many frames of the server were unreadable or of an unknown type. */
    ignored: number;
    /**
     * @param {string | URL} url of the server's endpoint; `http(s)` stands for `ws(s)`
     * @param {SignalOptions} [options]
     */
    constructor(url: string | URL, options?: SignalOptions);
    get state(): import("./line.js").SignalState;
    /** Why the client is closed. */
    get closed(): import("./connection.js").Ending | undefined;
    /** What the server allows. */
    get limits(): import("./messages.js").Limits;
    /**
     * Connects, and stays so. Failures on the way are tried again without end.
     *
     * @returns {Promise<Hello>} the first hello; rejects when there can never be one
     */
    connect(): Promise<Hello>;
    /** Ends the session: the other peers hear a `bye` at once. @param {string} [reason] for `closed` */
    close(reason?: string): void;
    /**
     * @param {RoomName} room
     * @param {{ meta?: Meta, token?: string }} [options]
     * @returns {Promise<Joined>}
     */
    join(room: RoomName, { meta, token }?: {
        meta?: Meta;
        token?: string;
    }): Promise<Joined>;
    /**
     * Replaces our meta in the room.
     *
     * @param {RoomName} room
     * @param {Meta} meta
     * @returns {Promise<Extract<ServerMessage, { type: "updated" }>>}
     */
    update(room: RoomName, meta: Meta): Promise<Extract<ServerMessage, {
        type: "updated";
    }>>;
    /**
     * @param {RoomName} room
     * @returns {Promise<Extract<ServerMessage, { type: "bye" }>>}
     */
    leave(room: RoomName): Promise<Extract<ServerMessage, {
        type: "bye";
    }>>;
    /**
     * Sends application data. Resolves when the server has taken it over.
     *
     * @param {RoomName} room
     * @param {PeerId | "*"} to `*`: every other member
     * @param {JsonValue} data
     * @returns {Promise<void>}
     */
    send(room: RoomName, to: PeerId | "*", data: JsonValue): Promise<void>;
    /**
     * @param {RoomName} room
     * @param {PeerId} to
     * @param {string} sdp
     * @returns {Promise<void>}
     */
    offer(room: RoomName, to: PeerId, sdp: string): Promise<void>;
    /**
     * @param {RoomName} room
     * @param {PeerId} to
     * @param {string} sdp
     * @returns {Promise<void>}
     */
    answer(room: RoomName, to: PeerId, sdp: string): Promise<void>;
    /**
     * @param {RoomName} room
     * @param {PeerId} to
     * @param {IceCandidate | RTCIceCandidate | null} candidate null: there are no more
     * @returns {Promise<void>}
     */
    ice(room: RoomName, to: PeerId, candidate: IceCandidate | RTCIceCandidate | null): Promise<void>;
    /**
     * Asks for `lobby` events. The watch belongs to the session: after `reset`, ask again.
     *
     * @param {boolean} watch
     * @returns {Promise<Extract<ServerMessage, { type: "lobby" }> | void>} the list as it is now
     */
    watchLobby(watch: boolean): Promise<Extract<ServerMessage, {
        type: "lobby";
    }> | void>;
    /** @returns {Promise<IceServer[]>} servers with fresh credentials, which `iceServers` has from then on too */
    renewIceServers(): Promise<IceServer[]>;
}
