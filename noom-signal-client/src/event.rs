//! What happens to a client.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::Stream;
use noom_signal::protocol::{ServerMessage, server};

use crate::{State, shared::Shared};

/// What happens to a client, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message of the server.
    ///
    /// Replies that say something of rooms (`joined`, `updated`, the own `bye`, `lobby`,
    /// `iceServers`) come here too, in their place among the rest, so that events alone tell all
    /// that happens in a room. Acknowledgements do not, nor do errors, save those whose [`Reply`]
    /// was dropped. Nor do `hello` and `pong`.
    ///
    /// [`Reply`]: crate::Reply
    Message(ServerMessage),
    /// The link is broken, open again, or over. Of several in a row that were not taken yet, only
    /// the last is kept: an `Open` after an `Open` is a link that broke and is back.
    State(State),
    /// The session was resumed in part: it is the same peer, but frames to it were lost, and open
    /// requests have failed with [`Lost`](crate::RequestError::Lost). A `roster` for each of the
    /// hello's `rooms` follows; the client is out of every other room.
    Partial(Box<server::Hello>),
    /// The session is a new one, though there was one before: another peer id, and no rooms. Open
    /// requests have failed with [`Lost`](crate::RequestError::Lost), but for those that were never
    /// written.
    Reset(Box<server::Hello>),
    /// A frame that was ignored: unreadable, or of a type that this version does not know.
    Unknown(String),
}

/// The events of a [`Client`](crate::Client).
///
/// At most [`ClientLimits::events`](crate::ClientLimits::events) wait here. Over that nothing more
/// is read from the server, **replies included**: whoever makes requests and awaits them in the same
/// task that takes the events does so at the risk of waiting for itself. Either two tasks, or
/// `select!`; or drop this, where events do not matter: then all of them are let go.
///
/// It ends after the [`State::Closed`].
#[derive(Debug)]
pub struct Events {
    shared: Arc<Shared>,
}

impl Events {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The next event; `None` when the client is closed and all events were taken. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.shared.poll_event(cx)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.shared.poll_event(cx)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.shared.abandon_events();
    }
}
