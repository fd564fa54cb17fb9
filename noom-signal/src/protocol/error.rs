//! What the server answers to a message it refuses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The reason of a refusal, for a program to act on. The `message` beside it is for people.
///
/// The variants stand in the protocol's order of precedence: of several reasons that apply, the
/// first is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// Too many messages; this one was dropped. The error says when to try again.
    RateLimited,
    /// Not JSON, a member missing or of the wrong type, or a refusal of the framing rules.
    BadMessage,
    /// A `type` that the server does not know.
    UnknownType,
    /// The authenticator refused the `hello`.
    Unauthorized,
    /// The application does not allow it.
    Forbidden,
    /// Not a room name.
    InvalidRoom,
    /// `meta` is over its limit.
    InvalidMeta,
    /// The room is at its capacity.
    RoomFull,
    /// The peer is in as many rooms as it may be.
    TooManyRooms,
    /// The peer is in this room already.
    AlreadyJoined,
    /// The peer is not in this room.
    NotInRoom,
    /// Nobody of that id is in this room, or the id is the sender's own.
    PeerNotFound,
    /// The cluster cannot do it now. It may or may not have happened.
    Unavailable,
    /// A fault in the server.
    Internal,
    /// A code of a later version of the protocol, as a client may meet it. Never sent.
    #[serde(other)]
    #[cfg_attr(feature = "ts", ts(skip))]
    Unknown,
}

impl ErrorCode {
    /// The code on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::BadMessage => "bad_message",
            Self::UnknownType => "unknown_type",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::InvalidRoom => "invalid_room",
            Self::InvalidMeta => "invalid_meta",
            Self::RoomFull => "room_full",
            Self::TooManyRooms => "too_many_rooms",
            Self::AlreadyJoined => "already_joined",
            Self::NotInRoom => "not_in_room",
            Self::PeerNotFound => "peer_not_found",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
