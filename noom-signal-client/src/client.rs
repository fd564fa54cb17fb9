//! The handle that requests are made with.

use std::sync::Arc;

use noom_signal::protocol::{
    ClientMessage, IceServer, Json, PeerId, RoomName, ServerMessage, Target, UserId, client, server,
};

use crate::{
    Builder, Closed, InvalidAddress, Reply, State,
    requests::Expected,
    shared::{Order, Shared},
};

/// A session at a noom-signal server.
///
/// Cloning is cheap; all clones are the same session, and any task may use one. It connects again by
/// itself for as long as that can help, and messages are handled once and in order across its
/// connections. What could not be kept shows: a request fails with
/// [`Lost`](crate::RequestError::Lost), and an [`Event`](crate::Event) tells of it.
///
/// # Requests
///
/// A request is **sent when the method is called**, and requests take effect in the order of the
/// calls; the [`Reply`] only waits for the answer. While the link is down they wait for it, and after
/// a loss a backlog is spread so that the server's rate limit takes it. What is not sent for want of
/// room fails at once with [`Backlog`](crate::RequestError::Backlog).
///
/// # The end
///
/// [`Client::close`] ends the session, and so does dropping the last clone, without waiting: the
/// other peers hear a `bye` at once. Where the link is down at that moment, they hear it when the
/// resume window has passed.
#[derive(Debug, Clone)]
pub struct Client {
    handle: Arc<Handle>,
    first: Arc<server::Hello>,
}

#[derive(Debug)]
pub(crate) struct Handle(pub(crate) Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.order(Order::Close);
    }
}

impl Client {
    /// Begins with the address of a server's endpoint: `ws://…`, or `wss://…` with the feature
    /// `tls`. `http(s)` stands for `ws(s)`.
    ///
    /// # Errors
    ///
    /// [`InvalidAddress`] where it is none of these.
    pub fn builder(url: &str) -> Result<Builder, InvalidAddress> {
        Builder::new(url)
    }

    pub(crate) fn new(handle: Arc<Handle>, first: Arc<server::Hello>) -> Self {
        Self { handle, first }
    }

    /// The peer that we are. It changes with a [`Reset`](crate::Event::Reset) alone.
    pub fn peer(&self) -> PeerId {
        self.hello().peer.clone()
    }

    /// Who the server says we are; `None` when anonymous.
    pub fn user(&self) -> Option<UserId> {
        self.hello().user.clone()
    }

    /// The server's last `hello`, with what it allows.
    pub fn hello(&self) -> Arc<server::Hello> {
        self.shared().hello().unwrap_or_else(|| self.first.clone())
    }

    /// The ICE servers as last told.
    pub fn ice_servers(&self) -> Vec<IceServer> {
        self.shared().ice_servers()
    }

    /// How the client stands with the server now.
    pub fn state(&self) -> State {
        self.shared().states().borrow().clone()
    }

    /// Enters a room. The answer has the other members; `token` is for applications whose rooms need
    /// one. After a [`Reset`](crate::Event::Reset), join again.
    pub fn join(
        &self,
        room: &RoomName,
        meta: Option<Json>,
        token: Option<&str>,
    ) -> Reply<server::Joined> {
        let (room, token) = (room.clone(), token.map(str::to_owned));
        let message = |id| client::Join { room, meta, token, id: Some(id) };
        self.ask(Expected::Joined, message, |reply| match reply {
            ServerMessage::Joined(joined) => Some(joined),
            _ => None,
        })
    }

    /// Replaces our `meta` in a room: a JSON object.
    pub fn update(&self, room: &RoomName, meta: Json) -> Reply<server::Updated> {
        let room = room.clone();
        let message = |id| client::Update { room, meta, id: Some(id) };
        self.ask(Expected::Updated, message, |reply| match reply {
            ServerMessage::Updated(updated) => Some(updated),
            _ => None,
        })
    }

    /// Leaves a room.
    pub fn leave(&self, room: &RoomName) -> Reply<server::Bye> {
        let room = room.clone();
        let message = |id| client::Leave { room, id: Some(id) };
        self.ask(Expected::Bye, message, |reply| match reply {
            ServerMessage::Bye(bye) => Some(bye),
            _ => None,
        })
    }

    /// Sends a session description that offers. The answer comes when the server has taken it over.
    pub fn offer(&self, room: &RoomName, to: &PeerId, sdp: impl Into<String>) -> Reply<()> {
        let (room, to, sdp) = (room.clone(), to.clone(), sdp.into());
        self.tell(|id| client::Offer { room, to, sdp, id: Some(id) })
    }

    /// Sends a session description that answers.
    pub fn answer(&self, room: &RoomName, to: &PeerId, sdp: impl Into<String>) -> Reply<()> {
        let (room, to, sdp) = (room.clone(), to.clone(), sdp.into());
        self.tell(|id| client::Answer { room, to, sdp, id: Some(id) })
    }

    /// Sends an ICE candidate, an `RTCIceCandidateInit`; `null` when there are no more.
    pub fn ice(&self, room: &RoomName, to: &PeerId, candidate: Json) -> Reply<()> {
        let (room, to) = (room.clone(), to.clone());
        self.tell(|id| client::Ice { room, to, candidate, id: Some(id) })
    }

    /// Sends application data, any JSON value, to one member or to all others.
    pub fn send(&self, room: &RoomName, to: Target, data: Json) -> Reply<()> {
        let room = room.clone();
        self.tell(|id| client::Message { room, to, data, id: Some(id) })
    }

    /// Asks for the list of listed rooms, and to be told when it changes: by `lobby` messages among
    /// the events. The watch belongs to the session: after a [`Reset`](crate::Event::Reset), ask
    /// again.
    pub fn watch_lobby(&self) -> Reply<server::Lobby> {
        let message = |id| client::Lobby { watch: true, id: Some(id) };
        self.ask(Expected::Lobby, message, |reply| match reply {
            ServerMessage::Lobby(lobby) => Some(lobby),
            _ => None,
        })
    }

    /// Ends the watch.
    pub fn unwatch_lobby(&self) -> Reply<()> {
        self.tell(|id| client::Lobby { watch: false, id: Some(id) })
    }

    /// Asks for ICE servers with fresh credentials, which [`Client::ice_servers`] has from then on
    /// too.
    pub fn renew_ice_servers(&self) -> Reply<Vec<IceServer>> {
        let message = |id| client::IceServers { id: Some(id) };
        self.ask(Expected::IceServers, message, |reply| match reply {
            ServerMessage::IceServers(servers) => Some(servers.ice_servers),
            _ => None,
        })
    }

    /// Drops the link without a close, as a lost network would, and connects again at once; where
    /// the client waits for its next attempt, it makes that now. For tests, and for whoever knows
    /// that the network has changed.
    pub fn disconnect(&self) {
        self.shared().order(Order::Reconnect);
    }

    /// Ends the session, and waits until the server has taken note, for
    /// [`ClientLimits::close`](crate::ClientLimits::close) at most. What was asked before is written
    /// first, as far as the server's rate allows; requests without a reply fail with
    /// [`Closed`](crate::RequestError::Closed). Returns why the client is closed, which may have
    /// happened earlier.
    ///
    /// Cancel safe: the close goes on. All clones are closed with this one.
    pub async fn close(&self) -> Closed {
        self.shared().order(Order::Close);
        self.closed().await
    }

    /// Waits until the client is over. Cancel safe.
    pub async fn closed(&self) -> Closed {
        let mut states = self.shared().states();
        match states.wait_for(|state| matches!(state, State::Closed(_))).await.as_deref() {
            Ok(State::Closed(why)) => why.clone(),
            // The sender lives as long as this handle.
            _ => Closed::Aborted,
        }
    }

    fn tell<M: Into<ClientMessage>>(&self, message: impl FnOnce(u64) -> M) -> Reply<()> {
        self.ask(Expected::Ack, message, |_| Some(()))
    }

    fn ask<M: Into<ClientMessage>, T>(
        &self,
        expected: Expected,
        message: impl FnOnce(u64) -> M,
        read: fn(ServerMessage) -> Option<T>,
    ) -> Reply<T> {
        Reply::new(self.shared().request(expected, |id| message(id).into()), read)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }
}
