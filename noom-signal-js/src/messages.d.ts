/** The messages of the noom signaling protocol, version 1, as they travel. */

/** A peer's id, issued by the server: 1 to 64 characters of `A-Z a-z 0-9 _ -`, never reused. */
export type PeerId = string;

/** A room's name: 1 to 128 bytes of UTF-8 without control characters. */
export type RoomName = string;

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | Array<JsonValue> | { [key in string]?: JsonValue };

/** What a peer says about itself: a JSON object, not verified by the server. */
export type Meta = { [key in string]?: JsonValue };

/** A member of a room. `since` is the roster version at which it joined. */
export type PeerInfo = { peer: PeerId, user?: string, meta: Meta, since: number, };

/** A listed room, as the lobby shows it. */
export type RoomInfo = { room: RoomName, peers: number, };

/** One entry for `new RTCPeerConnection({ iceServers })`. */
export type IceServer = { urls: string | Array<string>, username?: string, credential?: string, };

/** What `RTCIceCandidate.toJSON()` gives. */
export type IceCandidate = { candidate?: string, sdpMid?: string | null, sdpMLineIndex?: number | null, usernameFragment?: string | null, };

/** What the server allows; announced in its hello. */
export type Limits = { messageBytes: number, frameBytes: number, metaBytes: number, depth: number, roomsPerPeer: number, messagesPerSecond: number, burst: number, resumeFrames: number, resumeBytes: number, outboundBytes: number, lobbyRooms: number, };

/** A session to come back to, and how many of its frames were taken. */
export type Resume = { session: string, received: number, };

/** What became of a `resume`. */
export type Resumed = "new" | "full" | "partial";

/** Why a peer left a room; more may come. */
export type ByeReason = "left" | "disconnected" | "kicked" | "closed" | "lost";

/** Why a message was refused. */
export type ErrorCode = "bad_message" | "unknown_type" | "unauthorized" | "forbidden" | "invalid_room" | "invalid_meta" | "room_full" | "too_many_rooms" | "already_joined" | "not_in_room" | "peer_not_found" | "rate_limited" | "unavailable" | "internal";

/** What a client may send. */
export type ClientMessage =
  | { "type": "hello", token?: string, resume?: Resume, client?: string, }
  | { "type": "join", id?: number, room: RoomName, meta?: Meta, token?: string, }
  | { "type": "update", id?: number, room: RoomName, meta: Meta, }
  | { "type": "leave", id?: number, room: RoomName, }
  | { "type": "offer", id?: number, room: RoomName, to: PeerId, sdp: string, }
  | { "type": "answer", id?: number, room: RoomName, to: PeerId, sdp: string, }
  | { "type": "ice", id?: number, room: RoomName, to: PeerId, candidate: IceCandidate | null, }
  | { "type": "message", id?: number, room: RoomName, to: PeerId | "*", data: JsonValue, }
  | { "type": "lobby", id?: number, watch: boolean, }
  | { "type": "iceServers", id?: number, }
  | { "type": "ping", received: number, };

/** What a server may send. */
export type ServerMessage =
  | { "type": "hello", peer: PeerId, user?: string, session: string, resumed: Resumed, received?: number, rooms?: Array<RoomName>, iceServers: Array<IceServer>, heartbeatMs: number, resumeMs: number, limits: Limits, }
  | { "type": "ack", id: number, }
  | { "type": "error", id?: number, code: ErrorCode, message: string, room?: RoomName, to?: PeerId, retryAfterMs?: number, }
  | { "type": "joined", id?: number, room: RoomName, version: number, peers: Array<PeerInfo>, }
  | { "type": "welcome", room: RoomName, version: number, peer: PeerId, user?: string, meta: Meta, since: number, }
  | { "type": "updated", id?: number, room: RoomName, version: number, peer: PeerId, meta: Meta, }
  | { "type": "bye", id?: number, room: RoomName, version: number, peer: PeerId, reason: ByeReason, }
  | { "type": "roster", room: RoomName, version: number, peers: Array<PeerInfo>, }
  | { "type": "missed", room: RoomName, peer: PeerId, }
  | { "type": "offer", room: RoomName, from: PeerId, sdp: string, }
  | { "type": "answer", room: RoomName, from: PeerId, sdp: string, }
  | { "type": "ice", room: RoomName, from: PeerId, candidate: IceCandidate | null, }
  | { "type": "message", room: RoomName, from: PeerId, data: JsonValue, }
  | { "type": "lobby", id?: number, rooms: Array<RoomInfo>, }
  | { "type": "iceServers", id?: number, iceServers: Array<IceServer>, }
  | { "type": "pong", received: number, }
  | { "type": "goaway", reason: string, reconnectMs: number, };
