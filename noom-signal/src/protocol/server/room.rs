//! What the server says of rooms and of the peers in them.

use serde::{Deserialize, Serialize};

use crate::protocol::{Json, PeerId, RoomName, UserId};

/// A member as the others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PeerInfo {
    /// The peer.
    pub peer: PeerId,
    /// Who the application says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub user: Option<UserId>,
    /// What it says about itself: a JSON object, not verified.
    #[cfg_attr(feature = "ts", ts(type = "Meta"))]
    pub meta: Json,
    /// The version at which it joined.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub since: u64,
}

/// The sender is in the room now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Joined {
    /// The room.
    pub room: RoomName,
    /// The roster's version.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub version: u64,
    /// The other members at that version, in no particular order.
    pub peers: Vec<PeerInfo>,
    /// That of the `join`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// A peer has joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// The room.
    pub room: RoomName,
    /// The roster's version.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub version: u64,
    /// The newcomer.
    pub peer: PeerId,
    /// Who the application says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub user: Option<UserId>,
    /// What it says about itself.
    #[cfg_attr(feature = "ts", ts(type = "Meta"))]
    pub meta: Json,
    /// The version at which it joined: `version`.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub since: u64,
}

/// A member has replaced its `meta`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Updated {
    /// The room.
    pub room: RoomName,
    /// The roster's version.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub version: u64,
    /// The member.
    pub peer: PeerId,
    /// The new value.
    #[cfg_attr(feature = "ts", ts(type = "Meta"))]
    pub meta: Json,
    /// In the sender's own copy: that of the `update`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// A member is out of the room. With one's own id: you are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Bye {
    /// The room.
    pub room: RoomName,
    /// The roster's version.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub version: u64,
    /// Who is out.
    pub peer: PeerId,
    /// Why.
    pub reason: ByeReason,
    /// In the leaver's own copy: that of the `leave`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// Why a peer is out of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ByeReason {
    /// It left.
    Left,
    /// Its resume window passed, or it closed its session.
    Disconnected,
    /// It was put out.
    Kicked,
    /// The room was closed.
    Closed,
    /// Its server died and it did not come back in time.
    Lost,
    /// A reason of a later version of the protocol, as a client may meet it. Never sent.
    #[serde(other)]
    #[cfg_attr(feature = "ts", ts(skip))]
    Unknown,
}

/// Replaces all the client knows about a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Roster {
    /// The room.
    pub room: RoomName,
    /// The roster's version, from which the count goes on.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub version: u64,
    /// The other members.
    pub peers: Vec<PeerInfo>,
}

/// A member has lost frames, perhaps this client's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Missed {
    /// The room.
    pub room: RoomName,
    /// The member.
    pub peer: PeerId,
}

/// A session description that offers, from another member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// The room.
    pub room: RoomName,
    /// The sender, as the server knows it.
    pub from: PeerId,
    /// The description.
    pub sdp: String,
}

/// A session description that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The room.
    pub room: RoomName,
    /// The sender, as the server knows it.
    pub from: PeerId,
    /// The description.
    pub sdp: String,
}

/// An ICE candidate, or `null` for the end of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Ice {
    /// The room.
    pub room: RoomName,
    /// The sender, as the server knows it.
    pub from: PeerId,
    /// As the sender wrote it.
    #[cfg_attr(feature = "ts", ts(type = "IceCandidate | null"))]
    pub candidate: Json,
}

/// Application data from another member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "PeerMessage"))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The room.
    pub room: RoomName,
    /// The sender, as the server knows it.
    pub from: PeerId,
    /// As the sender wrote it.
    pub data: Json,
}

/// The listed rooms, largest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Lobby {
    /// The rooms.
    pub rooms: Vec<LobbyRoom>,
    /// That of the request, in its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// One listed room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "RoomInfo"))]
#[serde(rename_all = "camelCase")]
pub struct LobbyRoom {
    /// Its name.
    pub room: RoomName,
    /// How many peers are in it.
    pub peers: u32,
}
