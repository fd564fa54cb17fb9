//! What a client says.
//!
//! One struct a message, and [`ClientMessage`] over them. These are the owned types for native
//! clients, tests and tools; a server reads frames with the borrowed [`Request`] instead, which
//! leaves payloads where they are.

use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

use super::{
    Frame, Json, PeerId, Refusal, Request, RequestFrame, Resumption, RoomName, SessionSecret,
};

/// Opens the connection: the first message, within the handshake time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "ClientHello"))]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// What the application's authenticator expects.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub token: Option<String>,
    /// The session to take up again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub resume: Option<Resume>,
    /// The client's name and version, for the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub client: Option<String>,
    /// Answered by the `hello` with the same id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// A session to take up again, and how far it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// The session's secret, as the server's `hello` gave it.
    pub session: SessionSecret,
    /// The server's frames that the client has taken in this session.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub received: u64,
    /// Which of the client's attempts to resume this session this is, from 1 on: one that it has given
    /// up and that reaches the server after a later one is then refused, and does no harm.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub attempt: Option<u64>,
}

/// Enters a room. Answered by `joined`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Join {
    /// The room.
    pub room: RoomName,
    /// What the other members are told about this peer: a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "Meta"))]
    pub meta: Option<Json>,
    /// For applications whose rooms need one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub token: Option<String>,
    /// Asks for the reply to be marked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// Replaces the sender's `meta`. Answered by its own `updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// The room.
    pub room: RoomName,
    /// The new value: a JSON object.
    #[cfg_attr(feature = "ts", ts(type = "Meta"))]
    pub meta: Json,
    /// Asks for the reply to be marked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// Leaves a room. Answered by one's own `bye`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Leave {
    /// The room.
    pub room: RoomName,
    /// Asks for the reply to be marked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// A session description that offers (W3C webrtc, `RTCSessionDescriptionInit`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "ClientOffer"))]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// A room that both peers are in.
    pub room: RoomName,
    /// The peer it is for.
    pub to: PeerId,
    /// The description. The server does not read it.
    pub sdp: String,
    /// Asks for an `ack`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// A session description that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "ClientAnswer"))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// A room that both peers are in.
    pub room: RoomName,
    /// The peer it is for.
    pub to: PeerId,
    /// The description. The server does not read it.
    pub sdp: String,
    /// Asks for an `ack`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// An ICE candidate, or the end of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "ClientIce"))]
#[serde(rename_all = "camelCase")]
pub struct Ice {
    /// A room that both peers are in.
    pub room: RoomName,
    /// The peer it is for.
    pub to: PeerId,
    /// An `RTCIceCandidateInit`, passed on as it is; `null` when there are no more.
    #[cfg_attr(feature = "ts", ts(type = "IceCandidate | null"))]
    pub candidate: Json,
    /// Asks for an `ack`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// Application data to one member or to all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "ClientPeerMessage"))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The room.
    pub room: RoomName,
    /// Whom it is for.
    pub to: Target,
    /// Any JSON value.
    pub data: Json,
    /// Asks for an `ack`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// Begins or ends watching the list of listed rooms. Answered by `lobby`, or by an `ack`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "WatchLobby"))]
#[serde(rename_all = "camelCase")]
pub struct Lobby {
    /// Whether to watch.
    pub watch: bool,
    /// Asks for the reply to be marked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// Asks for fresh ICE servers. Answered by `iceServers`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "RenewIceServers"))]
#[serde(rename_all = "camelCase")]
pub struct IceServers {
    /// Asks for the reply to be marked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub id: Option<u64>,
}

/// Asks whether the link lives. Answered by `pong`; not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Ping {
    /// The server's frames that the client has taken in this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub received: Option<u64>,
}

/// Whom application data is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "PeerId | \"*\""))]
pub enum Target {
    /// One member.
    Peer(PeerId),
    /// Every other member: `"*"` on the wire.
    Everyone,
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Peer(peer) => peer.serialize(serializer),
            Self::Everyone => serializer.serialize_str("*"),
        }
    }
}

/// Any message from a client.
///
/// ```
/// use noom_signal::protocol::{ClientMessage, client};
///
/// let message: ClientMessage = r#"{"type":"leave","room":"standup","id":3}"#.parse()?;
/// assert_eq!(message, client::Leave { room: "standup".parse()?, id: Some(3) }.into());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "camelCase")]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum ClientMessage {
    Hello(Hello),
    Join(Join),
    Update(Update),
    Leave(Leave),
    Offer(Offer),
    Answer(Answer),
    Ice(Ice),
    Message(Message),
    Lobby(Lobby),
    IceServers(IceServers),
    Ping(Ping),
}

macro_rules! from_structs {
    ($($name:ident),*) => {
        $(impl From<$name> for ClientMessage {
            fn from(message: $name) -> Self {
                Self::$name(message)
            }
        })*
    };
}

from_structs!(Hello, Join, Update, Leave, Offer, Answer, Ice, Message, Lobby, IceServers, Ping);

impl ClientMessage {
    /// The message as one frame of JSON.
    pub fn to_frame(&self) -> Frame {
        Frame::encode(self)
    }
}

/// Why a text is not a client's message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidClientMessage(String);

impl FromStr for ClientMessage {
    type Err = InvalidClientMessage;

    /// Reads a message as a server with the default limits would.
    fn from_str(text: &str) -> Result<Self, InvalidClientMessage> {
        let invalid = |why: String| InvalidClientMessage(why);
        let RequestFrame { id, room, to, request, .. } =
            RequestFrame::parse(text, crate::Limits::default().depth);
        let room = || -> Result<RoomName, InvalidClientMessage> {
            let name = room.as_deref().unwrap_or_default();
            name.parse().map_err(|e: super::InvalidRoomName| invalid(e.to_string()))
        };
        let peer = || -> Result<PeerId, InvalidClientMessage> {
            let peer = to.as_deref().unwrap_or_default();
            peer.parse().map_err(|e: super::InvalidPeerId| invalid(e.to_string()))
        };
        let string = |raw: &serde_json::value::RawValue| -> Result<String, InvalidClientMessage> {
            serde_json::from_str(raw.get()).map_err(|e| invalid(e.to_string()))
        };
        Ok(match request.map_err(|refusal: Refusal| invalid(refusal.to_string()))? {
            Request::Hello { token, resume, client } => Hello {
                token: token.map(Into::into),
                resume: resume.map(|Resumption { session, received, attempt }| Resume {
                    session: SessionSecret::new(session),
                    received,
                    attempt: (attempt > 0).then_some(attempt),
                }),
                client: client.map(Into::into),
                id,
            }
            .into(),
            Request::Join { meta, token } => {
                Join { room: room()?, meta: meta.map(Json::from), token: token.map(Into::into), id }
                    .into()
            }
            Request::Update { meta } => {
                let meta = meta.map_or_else(Json::empty_object, Json::from);
                Update { room: room()?, meta, id }.into()
            }
            Request::Leave => Leave { room: room()?, id }.into(),
            Request::Offer { sdp } => {
                Offer { room: room()?, to: peer()?, sdp: string(sdp)?, id }.into()
            }
            Request::Answer { sdp } => {
                Answer { room: room()?, to: peer()?, sdp: string(sdp)?, id }.into()
            }
            Request::Ice { candidate } => {
                Ice { room: room()?, to: peer()?, candidate: candidate.into(), id }.into()
            }
            Request::Message { data } => {
                let to = match to.as_deref() {
                    Some("*") => Target::Everyone,
                    _ => Target::Peer(peer()?),
                };
                Message { room: room()?, to, data: data.into(), id }.into()
            }
            Request::Lobby { watch } => Lobby { watch, id }.into(),
            Request::IceServers => IceServers { id }.into(),
            Request::Ping { received } => Ping { received }.into(),
        })
    }
}
