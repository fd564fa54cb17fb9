/** @module noom-signal */
export { SignalClient } from "./client.js";
export { SignalError } from "./error.js";
export { Mesh } from "./mesh.js";
export { MeshPeer } from "./peer.js";
export type SignalOptions = import("./options.js").SignalOptions;
export type SignalEvents = import("./client.js").SignalEvents;
export type SignalState = import("./line.js").SignalState;
export type MeshOptions = import("./events.js").MeshOptions;
export type MeshEvents = import("./events.js").MeshEvents;
export type ClientMessage = import("./messages.js").ClientMessage;
export type ServerMessage = import("./messages.js").ServerMessage;
export type PeerInfo = import("./messages.js").PeerInfo;
export type PeerId = import("./messages.js").PeerId;
export type RoomName = import("./messages.js").RoomName;
export type RoomInfo = import("./messages.js").RoomInfo;
export type Limits = import("./messages.js").Limits;
export type IceServer = import("./messages.js").IceServer;
export type IceCandidate = import("./messages.js").IceCandidate;
export type ErrorCode = import("./messages.js").ErrorCode;
export type ByeReason = import("./messages.js").ByeReason;
export type JsonValue = import("./messages.js").JsonValue;
export type Meta = import("./messages.js").Meta;
/** @typedef {import("./options.js").SignalOptions} SignalOptions */
/** @typedef {import("./client.js").SignalEvents} SignalEvents */
/** @typedef {import("./line.js").SignalState} SignalState */
/** @typedef {import("./events.js").MeshOptions} MeshOptions */
/** @typedef {import("./events.js").MeshEvents} MeshEvents */
/** @typedef {import("./messages.js").ClientMessage} ClientMessage */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").PeerInfo} PeerInfo */
/** @typedef {import("./messages.js").PeerId} PeerId */
/** @typedef {import("./messages.js").RoomName} RoomName */
/** @typedef {import("./messages.js").RoomInfo} RoomInfo */
/** @typedef {import("./messages.js").Limits} Limits */
/** @typedef {import("./messages.js").IceServer} IceServer */
/** @typedef {import("./messages.js").IceCandidate} IceCandidate */
/** @typedef {import("./messages.js").ErrorCode} ErrorCode */
/** @typedef {import("./messages.js").ByeReason} ByeReason */
/** @typedef {import("./messages.js").JsonValue} JsonValue */
/** @typedef {import("./messages.js").Meta} Meta */
