//! What a client's handles and its task share.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use noom_signal::protocol::{ClientMessage, IceServer, ServerMessage, client, server};
use tokio::{
    sync::{Notify, oneshot, watch},
    time::Instant,
};

use crate::{
    ClientLimits, Closed, Ending, Event, RequestError, State,
    queue::Queue,
    requests::{Answer, Expected},
    session::{Next, Outcome, Session},
};

/// What a client's handles and its task share: everything but the link.
///
/// The lock is held to look something up or to change it, never across an `await`.
pub(crate) struct Shared {
    inner: Mutex<Inner>,
    /// There is something for the task to look at.
    pub(crate) changed: Notify,
    state: watch::Sender<State>,
}

struct Inner {
    session: Session,
    events: Queue,
    order: Option<Order>,
    hello: Option<Arc<server::Hello>>,
    ice_servers: Vec<IceServer>,
    closed: Option<Closed>,
}

/// What a handle wants of the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Drop the link, and connect again.
    Reconnect,
    Close,
}

impl Shared {
    pub(crate) fn new(limits: &ClientLimits) -> Self {
        let inner = Inner {
            session: Session::new(limits, Instant::now()),
            events: Queue::new(limits.events, limits.event_bytes),
            order: None,
            hello: None,
            ice_servers: Vec::new(),
            closed: None,
        };
        Self {
            inner: Mutex::new(inner),
            changed: Notify::new(),
            state: watch::Sender::new(State::Connecting),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // What the handles do.

    pub(crate) fn request(
        &self,
        expected: Expected,
        message: impl FnOnce(u64) -> ClientMessage,
    ) -> Result<oneshot::Receiver<Answer>, RequestError> {
        let mut inner = self.lock();
        if let Some(why) = &inner.closed {
            return Err(why.clone().into());
        }
        let answer = inner.session.request(expected, message)?;
        drop(inner);
        self.changed.notify_one();
        Ok(answer)
    }

    pub(crate) fn order(&self, order: Order) {
        let mut inner = self.lock();
        // A close stands.
        if inner.order != Some(Order::Close) {
            inner.order = Some(order);
        }
        drop(inner);
        self.changed.notify_one();
    }

    pub(crate) fn hello(&self) -> Option<Arc<server::Hello>> {
        self.lock().hello.clone()
    }

    pub(crate) fn ice_servers(&self) -> Vec<IceServer> {
        self.lock().ice_servers.clone()
    }

    pub(crate) fn states(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(crate) fn poll_event(&self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let (event, has_room) = ready!(self.lock().events.poll_next(cx));
        if has_room {
            self.changed.notify_one();
        }
        Poll::Ready(event)
    }

    pub(crate) fn abandon_events(&self) {
        self.lock().events.abandon();
        self.changed.notify_one();
    }

    // What the task does.

    /// Whether the application must take events before more may come.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().events.is_full()
    }

    pub(crate) fn take_order(&self) -> Option<Order> {
        let mut inner = self.lock();
        let order = inner.order;
        if order == Some(Order::Reconnect) {
            inner.order = None;
        }
        order
    }

    pub(crate) fn resume(&self) -> Option<client::Resume> {
        self.lock().session.resume()
    }

    /// Whether there has been a session.
    pub(crate) fn is_begun(&self) -> bool {
        self.lock().session.is_begun()
    }

    pub(crate) fn greeted(&self, hello: server::Hello) {
        let mut inner = self.lock();
        let outcome = inner.session.greeted(&hello, Instant::now());
        tracing::debug!(peer = %hello.peer, ?outcome, "open");
        inner.ice_servers.clone_from(&hello.ice_servers);
        inner.hello = Some(Arc::new(hello.clone()));
        // Of the first, it is told by being connected.
        if outcome != Outcome::First {
            inner.events.push(Event::State(State::Open), 0);
        }
        match outcome {
            Outcome::First | Outcome::Full => {}
            Outcome::Partial => inner.events.push(Event::Partial(Box::new(hello)), 0),
            Outcome::Reset => inner.events.push(Event::Reset(Box::new(hello)), 0),
        }
        drop(inner);
        self.state.send_replace(State::Open);
    }

    pub(crate) fn want_ping(&self) {
        self.lock().session.want_ping();
    }

    pub(crate) fn next_frame(&self, now: Instant) -> Next {
        self.lock().session.next(now)
    }

    /// Takes a frame. Returns after how many milliseconds a draining server wants us back.
    pub(crate) fn take(&self, text: &str, now: Instant) -> Option<u64> {
        let mut inner = self.lock();
        let Some(message) = inner.session.take(text, now) else {
            inner.events.push(Event::Unknown(text.to_owned()), text.len());
            return None;
        };
        let reconnect_ms = match &message {
            ServerMessage::Pong(_) => return None,
            ServerMessage::Goaway(goaway) => Some(goaway.reconnect_ms),
            ServerMessage::IceServers(fresh) => {
                inner.ice_servers.clone_from(&fresh.ice_servers);
                None
            }
            _ => None,
        };
        if let Some(message) = inner.session.settle(message) {
            inner.events.push(Event::Message(message), text.len());
        }
        reconnect_ms
    }

    /// The open connection ended.
    pub(crate) fn broke(&self, ending: &Ending) {
        self.lock().session.broke(ending.blames());
    }

    pub(crate) fn tell(&self, state: State) {
        tracing::debug!(?state);
        self.lock().events.push(Event::State(state.clone()), 0);
        self.state.send_replace(state);
    }

    /// There will be nothing more. Only the first reason counts.
    pub(crate) fn finish(&self, why: Closed) {
        let mut inner = self.lock();
        if inner.closed.is_some() {
            return;
        }
        tracing::debug!(%why, "closed");
        inner.session.finished(&why);
        inner.closed = Some(why.clone());
        inner.events.push(Event::State(State::Closed(why.clone())), 0);
        inner.events.end();
        drop(inner);
        self.state.send_replace(State::Closed(why));
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("state", &*self.state.borrow()).finish_non_exhaustive()
    }
}
