//! The messages of the wire, typed.
//!
//! A connection carries JSON objects, one a text frame. [`client`] holds what clients say,
//! [`server`] what the server says: one struct a message, and an enum over them each way. A server
//! reads frames with [`RequestFrame`], which leaves payloads (`sdp`, `candidate`, `data`, `meta`)
//! as the text they came in. The contract itself, with every rule, is `docs/protocol.md`.
//!
//! ```
//! use noom_signal::protocol::{ClientMessage, ServerMessage, client};
//!
//! let join = client::Join { room: "standup".parse()?, meta: None, token: None, id: Some(1) };
//! assert_eq!(
//!     ClientMessage::from(join).to_frame().as_str(),
//!     r#"{"type":"join","room":"standup","id":1}"#,
//! );
//!
//! let reply: ServerMessage = r#"{"type":"joined","room":"standup","version":1,"peers":[],"id":1}"#.parse()?;
//! let ServerMessage::Joined(joined) = reply else { panic!("not joined") };
//! assert_eq!(joined.version, 1);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub mod client;
mod close;
mod error;
mod frame;
mod json;
mod peer_id;
mod request;
mod room_name;
mod scan;
pub mod server;
mod session_secret;
#[cfg(feature = "ts")]
pub mod typescript;
mod user_id;

pub use client::{ClientMessage, InvalidClientMessage, Target};
pub use close::CloseCode;
pub use error::ErrorCode;
pub use frame::Frame;
pub(crate) use frame::Relay;
pub use json::Json;
pub use peer_id::{InvalidPeerId, PeerId};
pub use request::{Refusal, Request, RequestFrame, Resumption};
pub use room_name::{InvalidRoomName, RoomName};
pub use server::{
    AnnouncedLimits, ByeReason, IceServer, InvalidServerMessage, LobbyRoom, PeerInfo, Resumed,
    ServerMessage,
};
pub use session_secret::SessionSecret;
pub use user_id::{InvalidUserId, UserId};

/// The WebSocket subprotocol of this version.
pub const SUBPROTOCOL: &str = "noom.v1";
