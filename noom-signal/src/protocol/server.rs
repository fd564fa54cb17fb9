//! What the server says.

mod room;

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use room::{
    Answer, Bye, ByeReason, Ice, Joined, Lobby, LobbyRoom, Message, Missed, Offer, PeerInfo,
    Roster, Updated, Welcome,
};

use super::{ErrorCode, Frame, PeerId, RoomName, SessionSecret, UserId};

/// The answer to a client's `hello`: the connection is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "ServerHello"))]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The client's own id.
    pub peer: PeerId,
    /// The identity that the application established; absent when anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub user: Option<UserId>,
    /// The secret that resumes this session. For this client alone.
    pub session: SessionSecret,
    /// What became of the session that the client asked to resume.
    pub resumed: Resumed,
    /// With `"full"`: the client frames that the server had taken. The client sends the
    /// later ones again, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub received: Option<u64>,
    /// With `"partial"`: the rooms that the peer is in. A `roster` for each follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub rooms: Option<Vec<RoomName>>,
    /// Ready for `new RTCPeerConnection({iceServers})`.
    pub ice_servers: Vec<IceServer>,
    /// How often the server pings, in milliseconds. Silence for twice that ends the connection.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub heartbeat_ms: u64,
    /// How long the session outlives a lost connection, in milliseconds.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub resume_ms: u64,
    /// What the server takes.
    pub limits: AnnouncedLimits,
    /// That of the client's `hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// How the session of a `hello` came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Resumed {
    /// A new session and a new peer id.
    New,
    /// The same peer, the same rooms, nothing lost.
    Full,
    /// The same peer; frames were lost, and both sides count from zero again.
    Partial,
}

/// The limits a client can run into. A limit of 0 is off where the server's documentation says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "Limits"))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AnnouncedLimits {
    /// The longest client message, in bytes.
    pub message_bytes: u32,
    /// The longest server frame, in bytes.
    pub frame_bytes: u32,
    /// The longest `meta`, in bytes of JSON text.
    pub meta_bytes: u32,
    /// The deepest nesting of a message, itself being level 1.
    pub depth: u32,
    /// How many rooms a peer may be in.
    pub rooms_per_peer: u32,
    /// The rate at which the bucket of `burst` refills.
    pub messages_per_second: u32,
    /// How many messages may come at once.
    pub burst: u32,
    /// The rate in bytes at which the bucket of `byteBurst` refills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub bytes_per_second: Option<u32>,
    /// How many bytes of messages may come at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub byte_burst: Option<u32>,
    /// How many frames are kept for a resume.
    pub resume_frames: u32,
    /// How many bytes are kept for a resume.
    pub resume_bytes: u32,
    /// How many bytes may wait for a client that reads slowly.
    pub outbound_bytes: u32,
    /// How many rooms a `lobby` lists.
    pub lobby_rooms: u32,
}

/// A STUN or TURN server (W3C webrtc, `RTCIceServer`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` addresses.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub credential: Option<String>,
}

impl IceServer {
    /// A server that needs no credentials.
    pub fn stun(url: impl Into<String>) -> Self {
        Self { urls: vec![url.into()], username: None, credential: None }
    }
}

/// Fresh ICE servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct IceServers {
    /// Ready for `setConfiguration({iceServers})`.
    pub ice_servers: Vec<IceServer>,
    /// That of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// The request with this id is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Ack {
    /// That of the request.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub id: u64,
}

/// The link lives. Not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Pong {
    /// The client's frames that the server has taken in this session.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub received: u64,
}

/// The server will close this connection soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "GoAway"))]
#[serde(rename_all = "camelCase")]
pub struct Goaway {
    /// Why: `"draining"`; more may come.
    pub reason: String,
    /// When this client is to come back, in milliseconds from now.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub reconnect_ms: u64,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "ServerError"))]
#[serde(rename_all = "camelCase")]
pub struct Error {
    /// For a program.
    pub code: ErrorCode,
    /// For a person.
    pub message: String,
    /// The refused message's, where it had a readable one. Not always a room's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub room: Option<String>,
    /// The refused message's, where it had a readable one. Not always a peer's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub to: Option<String>,
    /// When to try again, in milliseconds, with `rate_limited` and `unavailable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub retry_after_ms: Option<u64>,
    /// The refused message's, where it had a readable one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

macro_rules! server_message {
    ($($name:ident $tag:literal),* $(,)?) => {
        /// Any message from the server.
        ///
        /// ```
        /// use noom_signal::protocol::{ServerMessage, server};
        ///
        /// let message: ServerMessage = r#"{"type":"ack","id":3}"#.parse()?;
        /// assert_eq!(message, server::Ack { id: 3 }.into());
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[serde(tag = "type", rename_all = "camelCase")]
        #[allow(missing_docs)]
        #[non_exhaustive]
        pub enum ServerMessage {
            $($name($name),)*
        }

        $(impl From<$name> for ServerMessage {
            fn from(message: $name) -> Self {
                Self::$name(message)
            }
        })*

        impl FromStr for ServerMessage {
            type Err = InvalidServerMessage;

            // By hand: serde's internally tagged enums cannot hold the raw JSON that `Json` keeps.
            fn from_str(text: &str) -> Result<Self, InvalidServerMessage> {
                #[derive(Deserialize)]
                struct Tag {
                    r#type: String,
                }
                let tag: Tag = serde_json::from_str(text)?;
                match tag.r#type.as_str() {
                    $($tag => Ok(Self::$name(serde_json::from_str(text)?)),)*
                    _ => Err(InvalidServerMessage::UnknownType(tag.r#type)),
                }
            }
        }
    };
}

server_message! {
    Hello "hello", Joined "joined", Welcome "welcome", Updated "updated", Bye "bye",
    Roster "roster", Missed "missed", Offer "offer", Answer "answer", Ice "ice",
    Message "message", Lobby "lobby", IceServers "iceServers", Ack "ack", Pong "pong",
    Goaway "goaway", Error "error",
}

impl ServerMessage {
    /// The message as one frame of JSON.
    pub fn to_frame(&self) -> Frame {
        Frame::encode(self)
    }
}

/// Why a text is not a message of the server's. A client ignores such a frame, but counts it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvalidServerMessage {
    /// A type of a later version of the protocol.
    #[error("unknown type {0:?}")]
    UnknownType(String),
    /// Not JSON, or a member is missing or ill-typed.
    #[error("{0}")]
    Unreadable(String),
}

impl From<serde_json::Error> for InvalidServerMessage {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}
