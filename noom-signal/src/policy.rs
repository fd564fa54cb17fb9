//! What the application decides.

use std::{net::SocketAddr, time::SystemTime};

use async_trait::async_trait;
use http::{Extensions, HeaderMap, Uri};
use thiserror::Error;

use crate::protocol::{IceServer, Json, PeerId, RoomName, UserId};

/// The application's say in who comes in, where to, and with what.
///
/// Every method has a default, and the defaults together are an open service: anyone may join any
/// room, nobody has an identity, no ICE servers are told. Methods may take their time (a database,
/// a token service): only the client that asked waits. One that panics answers `internal` to that
/// client and harms nobody else.
///
/// What happens is observed by another door: [`Hub::events`](crate::Hub::events).
///
/// ```
/// use async_trait::async_trait;
/// use noom_signal::policy::{ConnectRequest, Identity, JoinRequest, Policy, Refused, RoomGrant};
///
/// struct Members;
///
/// #[async_trait]
/// impl Policy for Members {
///     async fn authenticate(
///         &self,
///         _request: &ConnectRequest,
///         token: Option<&str>,
///     ) -> Result<Identity, Refused> {
///         match token {
///             Some("let-me-in") => Ok(Identity::of("mina".parse().unwrap())),
///             _ => Err(Refused::because("unknown token")),
///         }
///     }
///
///     async fn authorize(&self, join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
///         match join.room.as_str() {
///             "staff" if join.identity.user.is_none() => Err(Refused::because("staff only")),
///             _ => Ok(RoomGrant { capacity: Some(8), ..RoomGrant::default() }),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Policy: Send + Sync + 'static {
    /// Who is this? Asked on every `hello`, the resuming ones included.
    ///
    /// An application that authenticates the HTTP request (a cookie, a header, an extension that
    /// its middleware left) reads `request`; one that gives its clients tokens reads `token`.
    ///
    /// # Errors
    ///
    /// [`Refused`] is answered with `unauthorized`, and the connection closes.
    async fn authenticate(
        &self,
        request: &ConnectRequest,
        token: Option<&str>,
    ) -> Result<Identity, Refused> {
        let _ = (request, token);
        Ok(Identity::default())
    }

    /// May it join this room, and what does the room hold?
    ///
    /// # Errors
    ///
    /// [`Refused`] is answered with `forbidden`.
    async fn authorize(&self, join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        let _ = join;
        Ok(RoomGrant::default())
    }

    /// The STUN and TURN servers that this peer may use. Asked on every `hello`, and when the
    /// client renews them.
    async fn ice_servers(&self, identity: &Identity) -> Vec<IceServer> {
        let _ = identity;
        Vec::new()
    }
}

/// The policy of the defaults: an open service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Open;

impl Policy for Open {}

/// The request that opened a connection, as far as there was one.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ConnectRequest {
    /// What was asked for.
    pub uri: Uri,
    /// The request's headers.
    pub headers: HeaderMap,
    /// What the application's middleware left with the request.
    pub extensions: Extensions,
    /// Where it came from.
    pub remote: Option<SocketAddr>,
}

/// Who a peer is, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The name that members see beside the peer; `None` for an anonymous one. A session is
    /// resumed only by the user that opened it.
    pub user: Option<UserId>,
    /// Whether it may send to other peers at all. Default: yes.
    pub may_send: bool,
    /// Whether it may send to everyone in a room at once. Default: yes.
    pub may_broadcast: bool,
    /// Whether it may watch the lobby. Default: yes.
    pub may_watch_lobby: bool,
    /// Until when this holds. The connection is then closed, after a `goaway`; its client comes back
    /// with a fresh token, as any resume must, and nobody in its rooms notices. Default: for ever.
    pub expires: Option<SystemTime>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            user: None,
            may_send: true,
            may_broadcast: true,
            may_watch_lobby: true,
            expires: None,
        }
    }
}

impl Identity {
    /// A known user with the default grants.
    pub fn of(user: UserId) -> Self {
        Self { user: Some(user), ..Self::default() }
    }
}

/// A peer at a room's door.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct JoinRequest<'a> {
    /// The peer.
    pub peer: &'a PeerId,
    /// Who it is.
    pub identity: &'a Identity,
    /// Where it wants to go.
    pub room: &'a RoomName,
    /// What it says about itself.
    pub meta: &'a Json,
    /// What it shows at the door.
    pub token: Option<&'a str>,
}

/// What a room is to whom may join it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoomGrant {
    /// How many peers it holds; `None` for [`Limits::peers_per_room`](crate::Limits), which is
    /// also the most.
    pub capacity: Option<usize>,
    /// Whether the lobby lists it.
    pub listed: bool,
}

/// A refusal, with a reason that the client is shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Refused(String);

impl Refused {
    /// Refuses. The client is shown `reason`: it must hold no secret.
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
