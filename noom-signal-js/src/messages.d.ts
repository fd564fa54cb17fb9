// Made from the Rust types by `cargo xtask types`. Do not edit.

/** Any JSON value. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | Array<JsonValue>
  | { [key in string]?: JsonValue };

/** What a peer says about itself: a JSON object, not verified by the server. */
export type Meta = { [key in string]?: JsonValue };

/** An `RTCIceCandidateInit`, passed on as it came. */
export type IceCandidate = {
  candidate?: string,
  sdpMid?: string | null,
  sdpMLineIndex?: number | null,
  usernameFragment?: string | null,
};

/**
 * A peer's public name: 1 to 64 characters of `A-Z a-z 0-9 _ -`, issued by the server, unique in
 * the whole cluster, never reused.
 */
export type PeerId = string;

/**
 * A room's name: 1 to 128 bytes of UTF-8 without control characters (Unicode category Cc),
 * compared byte for byte.
 */
export type RoomName = string;

/** An identity that the application's authenticator established: 1 to 256 bytes of UTF-8. */
export type UserId = string;

/**
 * A session's secret: at least 128 random bits, the same for the session's life, told to its
 * client alone.
 */
export type SessionSecret = string;

/** Whom application data is for. */
export type Target = PeerId | "*";

/** The reason of a refusal, for a program to act on. The `message` beside it is for people. */
export type ErrorCode =
  | "rate_limited"
  | "bad_message"
  | "unknown_type"
  | "unauthorized"
  | "forbidden"
  | "invalid_room"
  | "invalid_meta"
  | "room_full"
  | "too_many_rooms"
  | "already_joined"
  | "not_in_room"
  | "peer_not_found"
  | "unavailable"
  | "internal";

/** Why a peer is out of a room. */
export type ByeReason = "left" | "disconnected" | "kicked" | "closed" | "lost";

/** How the session of a `hello` came to be. */
export type Resumed = "new" | "full" | "partial";

/** The limits a client can run into. A limit of 0 is off where the server's documentation says so. */
export type Limits = {
  /** The longest client message, in bytes. */
  messageBytes: number,
  /** The longest server frame, in bytes. */
  frameBytes: number,
  /** The longest `meta`, in bytes of JSON text. */
  metaBytes: number,
  /** The deepest nesting of a message, itself being level 1. */
  depth: number,
  /** How many rooms a peer may be in. */
  roomsPerPeer: number,
  /** The rate at which the bucket of `burst` refills. */
  messagesPerSecond: number,
  /** How many messages may come at once. */
  burst: number,
  /** The rate in bytes at which the bucket of `byteBurst` refills. */
  bytesPerSecond?: number,
  /** How many bytes of messages may come at once. */
  byteBurst?: number,
  /** How many frames are kept for a resume. */
  resumeFrames: number,
  /** How many bytes are kept for a resume. */
  resumeBytes: number,
  /** How many bytes may wait for a client that reads slowly. */
  outboundBytes: number,
  /** How many rooms a `lobby` lists. */
  lobbyRooms: number,
};

/** A STUN or TURN server (W3C webrtc, `RTCIceServer`). */
export type IceServer = {
  /** `stun:`, `turn:` or `turns:` addresses. */
  urls: Array<string>,
  /** For TURN. */
  username?: string,
  /** For TURN. */
  credential?: string,
};

/** A member as the others see it. */
export type PeerInfo = {
  /** The peer. */
  peer: PeerId,
  /** Who the application says it is. */
  user?: UserId,
  /** What it says about itself: a JSON object, not verified. */
  meta: Meta,
  /** The version at which it joined. */
  since: number,
};

/** One listed room. */
export type RoomInfo = {
  /** Its name. */
  room: RoomName,
  /** How many peers are in it. */
  peers: number,
};

/** A session to take up again, and how far it got. */
export type Resume = {
  /** The session's secret, as the server's `hello` gave it. */
  session: SessionSecret,
  /** The server's frames that the client has taken in this session. */
  received: number,
  /**
   * Which of the client's attempts to resume this session this is, from 1 on: one that it has given
   * up and that reaches the server after a later one is then refused, and does no harm.
   */
  attempt?: number,
};

/** Opens the connection: the first message, within the handshake time. */
export type ClientHello = {
  /** What the application's authenticator expects. */
  token?: string,
  /** The session to take up again. */
  resume?: Resume,
  /** The client's name and version, for the server's log. */
  client?: string,
  /** Answered by the `hello` with the same id. */
  id?: number,
};

/** Enters a room. Answered by `joined`. */
export type Join = {
  /** The room. */
  room: RoomName,
  /** What the other members are told about this peer: a JSON object. */
  meta?: Meta,
  /** For applications whose rooms need one. */
  token?: string,
  /** Asks for the reply to be marked. */
  id?: number,
};

/** Replaces the sender's `meta`. Answered by its own `updated`. */
export type Update = {
  /** The room. */
  room: RoomName,
  /** The new value: a JSON object. */
  meta: Meta,
  /** Asks for the reply to be marked. */
  id?: number,
};

/** Leaves a room. Answered by one's own `bye`. */
export type Leave = {
  /** The room. */
  room: RoomName,
  /** Asks for the reply to be marked. */
  id?: number,
};

/** A session description that offers (W3C webrtc, `RTCSessionDescriptionInit`). */
export type ClientOffer = {
  /** A room that both peers are in. */
  room: RoomName,
  /** The peer it is for. */
  to: PeerId,
  /** The description. The server does not read it. */
  sdp: string,
  /** Asks for an `ack`. */
  id?: number,
};

/** A session description that answers. */
export type ClientAnswer = {
  /** A room that both peers are in. */
  room: RoomName,
  /** The peer it is for. */
  to: PeerId,
  /** The description. The server does not read it. */
  sdp: string,
  /** Asks for an `ack`. */
  id?: number,
};

/** An ICE candidate, or the end of them. */
export type ClientIce = {
  /** A room that both peers are in. */
  room: RoomName,
  /** The peer it is for. */
  to: PeerId,
  /** An `RTCIceCandidateInit`, passed on as it is; `null` when there are no more. */
  candidate: IceCandidate | null,
  /** Asks for an `ack`. */
  id?: number,
};

/** Application data to one member or to all others. */
export type ClientPeerMessage = {
  /** The room. */
  room: RoomName,
  /** Whom it is for. */
  to: Target,
  /** Any JSON value. */
  data: JsonValue,
  /** Asks for an `ack`. */
  id?: number,
};

/** Begins or ends watching the list of listed rooms. Answered by `lobby`, or by an `ack`. */
export type WatchLobby = {
  /** Whether to watch. */
  watch: boolean,
  /** Asks for the reply to be marked. */
  id?: number,
};

/** Asks for fresh ICE servers. Answered by `iceServers`. */
export type RenewIceServers = {
  /** Asks for the reply to be marked. */
  id?: number,
};

/** Asks whether the link lives. Answered by `pong`; not counted. */
export type Ping = {
  /** The server's frames that the client has taken in this session. */
  received?: number,
};

/** Any message from a client. */
export type ClientMessage =
  | { "type": "hello" } & ClientHello
  | { "type": "join" } & Join
  | { "type": "update" } & Update
  | { "type": "leave" } & Leave
  | { "type": "offer" } & ClientOffer
  | { "type": "answer" } & ClientAnswer
  | { "type": "ice" } & ClientIce
  | { "type": "message" } & ClientPeerMessage
  | { "type": "lobby" } & WatchLobby
  | { "type": "iceServers" } & RenewIceServers
  | { "type": "ping" } & Ping;

/** The answer to a client's `hello`: the connection is open. */
export type ServerHello = {
  /** The client's own id. */
  peer: PeerId,
  /** The identity that the application established; absent when anonymous. */
  user?: UserId,
  /** The secret that resumes this session. For this client alone. */
  session: SessionSecret,
  /** What became of the session that the client asked to resume. */
  resumed: Resumed,
  /**
   * With `"full"`: the client frames that the server had taken. The client sends the
   * later ones again, in order.
   */
  received?: number,
  /** With `"partial"`: the rooms that the peer is in. A `roster` for each follows. */
  rooms?: Array<RoomName>,
  /** Ready for `new RTCPeerConnection({iceServers})`. */
  iceServers: Array<IceServer>,
  /** How often the server pings, in milliseconds. Silence for twice that ends the connection. */
  heartbeatMs: number,
  /** How long the session outlives a lost connection, in milliseconds. */
  resumeMs: number,
  /** What the server takes. */
  limits: Limits,
  /** That of the client's `hello`. */
  id?: number,
};

/** The sender is in the room now. */
export type Joined = {
  /** The room. */
  room: RoomName,
  /** The roster's version. */
  version: number,
  /** The other members at that version, in no particular order. */
  peers: Array<PeerInfo>,
  /** That of the `join`. */
  id?: number,
};

/** A peer has joined. */
export type Welcome = {
  /** The room. */
  room: RoomName,
  /** The roster's version. */
  version: number,
  /** The newcomer. */
  peer: PeerId,
  /** Who the application says it is. */
  user?: UserId,
  /** What it says about itself. */
  meta: Meta,
  /** The version at which it joined: `version`. */
  since: number,
};

/** A member has replaced its `meta`. */
export type Updated = {
  /** The room. */
  room: RoomName,
  /** The roster's version. */
  version: number,
  /** The member. */
  peer: PeerId,
  /** The new value. */
  meta: Meta,
  /** In the sender's own copy: that of the `update`. */
  id?: number,
};

/** A member is out of the room. With one's own id: you are. */
export type Bye = {
  /** The room. */
  room: RoomName,
  /** The roster's version. */
  version: number,
  /** Who is out. */
  peer: PeerId,
  /** Why. */
  reason: ByeReason,
  /** In the leaver's own copy: that of the `leave`. */
  id?: number,
};

/** Replaces all the client knows about a room. */
export type Roster = {
  /** The room. */
  room: RoomName,
  /** The roster's version, from which the count goes on. */
  version: number,
  /** The other members. */
  peers: Array<PeerInfo>,
};

/** A member has lost frames, perhaps this client's. */
export type Missed = {
  /** The room. */
  room: RoomName,
  /** The member. */
  peer: PeerId,
};

/** A session description that offers, from another member. */
export type Offer = {
  /** The room. */
  room: RoomName,
  /** The sender, as the server knows it. */
  from: PeerId,
  /** The description. */
  sdp: string,
};

/** A session description that answers. */
export type Answer = {
  /** The room. */
  room: RoomName,
  /** The sender, as the server knows it. */
  from: PeerId,
  /** The description. */
  sdp: string,
};

/** An ICE candidate, or `null` for the end of them. */
export type Ice = {
  /** The room. */
  room: RoomName,
  /** The sender, as the server knows it. */
  from: PeerId,
  /** As the sender wrote it. */
  candidate: IceCandidate | null,
};

/** Application data from another member. */
export type PeerMessage = {
  /** The room. */
  room: RoomName,
  /** The sender, as the server knows it. */
  from: PeerId,
  /** As the sender wrote it. */
  data: JsonValue,
};

/** The listed rooms, largest first. */
export type Lobby = {
  /** The rooms. */
  rooms: Array<RoomInfo>,
  /** That of the request, in its answer. */
  id?: number,
};

/** Fresh ICE servers. */
export type IceServers = {
  /** Ready for `setConfiguration({iceServers})`. */
  iceServers: Array<IceServer>,
  /** That of the request. */
  id?: number,
};

/** The request with this id is done. */
export type Ack = {
  /** That of the request. */
  id: number,
};

/** The link lives. Not counted. */
export type Pong = {
  /** The client's frames that the server has taken in this session. */
  received: number,
};

/** The server will close this connection soon. */
export type GoAway = {
  /** Why: `"draining"`; more may come. */
  reason: string,
  /** When this client is to come back, in milliseconds from now. */
  reconnectMs: number,
};

/** A refusal. */
export type ServerError = {
  /** For a program. */
  code: ErrorCode,
  /** For a person. */
  message: string,
  /** The refused message's, where it had a readable one. Not always a room's name. */
  room?: string,
  /** The refused message's, where it had a readable one. Not always a peer's id. */
  to?: string,
  /** When to try again, in milliseconds, with `rate_limited` and `unavailable`. */
  retryAfterMs?: number,
  /** The refused message's, where it had a readable one. */
  id?: number,
};

/** Any message from the server. */
export type ServerMessage =
  | { "type": "hello" } & ServerHello
  | { "type": "joined" } & Joined
  | { "type": "welcome" } & Welcome
  | { "type": "updated" } & Updated
  | { "type": "bye" } & Bye
  | { "type": "roster" } & Roster
  | { "type": "missed" } & Missed
  | { "type": "offer" } & Offer
  | { "type": "answer" } & Answer
  | { "type": "ice" } & Ice
  | { "type": "message" } & PeerMessage
  | { "type": "lobby" } & Lobby
  | { "type": "iceServers" } & IceServers
  | { "type": "ack" } & Ack
  | { "type": "pong" } & Pong
  | { "type": "goaway" } & GoAway
  | { "type": "error" } & ServerError;
