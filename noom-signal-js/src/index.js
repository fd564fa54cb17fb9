/** @module noom-signal */
export { SignalClient } from "./client.js";
export { SignalError } from "./error.js";
export { Mesh } from "./mesh.js";
export { MeshPeer } from "./peer.js";

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
