//! One connection, from its hello to its end.

use std::{future::poll_fn, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    pin, select,
    time::{Instant, sleep_until, timeout},
};

use super::{holder::Holder, request::Step};
use crate::{
    protocol::{CloseCode, Frame, ServerMessage, server},
    session::Session,
    transport::{Incoming, Transport, TransportError},
};

/// What ended a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Departure {
    /// The client closed, with this code.
    ClosedByClient(Option<CloseCode>),
    /// The hub closed, with this code.
    ClosedByServer(CloseCode),
    /// The link broke.
    Broken(String),
}

impl Departure {
    /// Whether the client meant to end its session: it began a close with 1000, with 1001 or
    /// without a code.
    fn ends_session(&self) -> bool {
        let Self::ClosedByClient(code) = self else { return false };
        matches!(*code, None | Some(CloseCode::NORMAL | CloseCode::GOING_AWAY))
    }

    /// Does what is left to do with the transport. A client that does not take part in a close is
    /// cut off.
    pub(super) async fn answer<T: Transport>(&self, transport: T, limit: Duration) {
        let code = match self {
            Self::ClosedByClient(code) => code.unwrap_or(CloseCode::NORMAL),
            Self::ClosedByServer(code) => *code,
            Self::Broken(_) => return,
        };
        let _ = timeout(limit, transport.close(code)).await;
    }
}

impl From<TransportError> for Departure {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Broken(why) => Self::Broken(why),
            TransportError::Violation(code) => Self::ClosedByServer(code),
        }
    }
}

/// How many frames are read before what they led to is written.
const READS: usize = 32;

/// A connection that holds its session.
///
/// It is one task. It reads while it has nothing to write and no request to finish, so that a
/// client that does not read is not read from either; it writes whatever waits at once and flushes
/// once.
pub(super) struct Connection<T> {
    transport: T,
    holder: Holder,
    batch: Vec<Frame>,
    last_heard: Instant,
    /// The client may not know yet that it lost something.
    unheard: bool,
    /// The transport has no more to give.
    read_out: bool,
}

impl<T: Transport> Connection<T> {
    pub(super) fn new(holder: Holder, transport: T, unheard: bool) -> Self {
        Self {
            transport,
            holder,
            batch: Vec::new(),
            last_heard: Instant::now(),
            unheard,
            read_out: false,
        }
    }

    pub(super) async fn run(mut self, hello: Frame) -> Departure {
        self.batch.push(hello);
        let mut opened = self.write().await;
        if self.unheard && opened.is_ok() {
            // What answers this has read the hello.
            opened = self.ping().await;
        }
        let mut departure = match opened {
            Ok(()) => self.serve().await,
            Err(departure) => departure,
        };
        if matches!(departure, Departure::Broken(_)) && !self.read_out {
            departure = self.read_out(departure).await;
        }
        self.holder.ends_session = departure.ends_session();
        let Self { transport, holder, .. } = self;
        let close = holder.hub.limits.close;
        tracing::debug!(peer = %holder.session.peer, ?departure, "the connection ended");
        // The session is free from here on: its client may be back before this close is through.
        drop(holder);
        departure.answer(transport, close).await;
        departure
    }

    async fn serve(&mut self) -> Departure {
        let heartbeat = self.holder.hub.limits.heartbeat;
        let mut next_ping = Instant::now() + heartbeat;
        let expires = self.holder.expires();
        let first = expires.map_or(next_ping, |expires| expires.min(next_ping));
        let alarm = sleep_until(first);
        pin!(alarm);
        let mut reads = 0;
        loop {
            let Self { transport, holder, batch, last_heard, unheard, .. } = self;
            let Holder { hub, session, operation, .. } = holder;
            let busy = operation.is_some();
            select! {
                biased;
                () = finished(operation), if busy => {
                    *operation = None;
                    *last_heard = Instant::now();
                }
                incoming = transport.recv(), if !busy && reads < READS => {
                    reads += 1;
                    *last_heard = Instant::now();
                    if std::mem::take(unheard) {
                        session.heard();
                    }
                    let text = match incoming {
                        Ok(Incoming::Text(text)) => text,
                        Ok(Incoming::Alive) => continue,
                        Ok(Incoming::Binary) => {
                            return Departure::ClosedByServer(CloseCode::UNSUPPORTED);
                        }
                        Ok(Incoming::Closed(code)) => return Departure::ClosedByClient(code),
                        Err(error) => {
                            self.read_out = true;
                            return error.into();
                        }
                    };
                    if text.len() > hub.limits.message_bytes {
                        return Departure::ClosedByServer(CloseCode::TOO_BIG);
                    }
                    match holder.handle(&text) {
                        Step::Next => {}
                        // What a join is answered with is large: it is written before the next.
                        Step::Answered => reads = READS,
                        Step::Await(operation) => holder.operation = Some(operation),
                        Step::Close(code) => {
                            drop(text);
                            return self.close(code).await;
                        }
                    }
                }
                // Before what may always be ready: a flood must not stop the clock.
                () = &mut alarm => {
                    let now = Instant::now();
                    // A request that takes long is no silence of the client's: it is not read.
                    if !busy && now >= *last_heard + 2 * heartbeat {
                        return Departure::ClosedByServer(CloseCode::TIMEOUT);
                    }
                    if expires.is_some_and(|expires| now >= expires) {
                        return self.recall().await;
                    }
                    if now >= next_ping {
                        next_ping = now + heartbeat;
                        if let Err(departure) = self.ping().await {
                            return departure;
                        }
                    }
                    let silent = if busy { next_ping } else { self.last_heard + 2 * heartbeat };
                    let next = next_ping.min(silent.max(now + TICK));
                    alarm.as_mut().reset(expires.map_or(next, |expires| expires.min(next)));
                }
                ready = poll_fn(|cx| session.poll_outgoing(cx, batch, &hub.limits)) => {
                    reads = 0;
                    if let Err(code) = ready {
                        return Departure::ClosedByServer(code);
                    }
                    if let Err(departure) = self.write().await {
                        return departure;
                    }
                }
                () = std::future::ready(()), if reads >= READS => reads = 0,
            }
        }
    }

    /// Takes what its client had sent before the link broke. A write can fail before it is read; the
    /// last of it may be a close that was meant.
    async fn read_out(&mut self, broken: Departure) -> Departure {
        let Self { transport, holder, .. } = self;
        let (limit, most) = (holder.hub.limits.close, holder.hub.limits.message_bytes);
        let session = holder.session.clone();
        let reading = async {
            loop {
                if holder.operation.is_some() {
                    finished(&mut holder.operation).await;
                    holder.operation = None;
                }
                match transport.recv().await {
                    Ok(Incoming::Text(text)) if text.len() <= most => match holder.handle(&text) {
                        Step::Next | Step::Answered => {}
                        Step::Await(operation) => holder.operation = Some(operation),
                        Step::Close(code) => return Departure::ClosedByServer(code),
                    },
                    Ok(Incoming::Alive) => {}
                    Ok(Incoming::Closed(code)) => return Departure::ClosedByClient(code),
                    Ok(Incoming::Text(_) | Incoming::Binary) | Err(_) => return broken.clone(),
                }
            }
        };
        select! {
            biased;
            _ = poll_fn(|cx| session.poll_closing(cx)) => broken.clone(),
            departure = timeout(limit, reading) => departure.unwrap_or_else(|_| broken.clone()),
        }
    }

    /// Asks the client to come back with a fresh proof of who it is.
    async fn recall(&mut self) -> Departure {
        let goaway = server::Goaway { reason: "expired".into(), reconnect_ms: 0 };
        let Holder { hub, session, .. } = &self.holder;
        hub.tell(session, ServerMessage::from(goaway).to_frame());
        self.close(CloseCode::GOING_AWAY).await
    }

    /// Writes what waits, as far as that goes, then closes.
    async fn close(&mut self, code: CloseCode) -> Departure {
        loop {
            let Self { holder: Holder { hub, session, .. }, batch, .. } = self;
            let more = poll_fn(|cx| {
                let ready = session.poll_outgoing(cx, batch, &hub.limits);
                std::task::Poll::Ready(ready.is_ready())
            });
            if !more.await || batch.is_empty() {
                return Departure::ClosedByServer(code);
            }
            if let Err(departure) = self.write().await {
                return departure;
            }
        }
    }

    /// Writes the batch and flushes, unless that takes too long or the connection is to close.
    async fn write(&mut self) -> Result<(), Departure> {
        let Self { transport, holder, batch, .. } = self;
        let writing = async {
            for frame in batch.drain(..) {
                transport.feed(frame).await?;
            }
            transport.flush().await
        };
        limited(&holder.session, holder.hub.limits.write, writing).await
    }

    async fn ping(&mut self) -> Result<(), Departure> {
        let Self { transport, holder, .. } = self;
        limited(&holder.session, holder.hub.limits.write, transport.ping()).await
    }
}

/// The least time between two looks at the clock.
const TICK: Duration = Duration::from_millis(1);

async fn limited(
    session: &Session,
    limit: Duration,
    writing: impl Future<Output = Result<(), TransportError>>,
) -> Result<(), Departure> {
    let stalled = sleep_until(Instant::now() + limit);
    select! {
        biased;
        written = writing => Ok(written?),
        code = poll_fn(|cx| session.poll_closing(cx)) => {
            Err(Departure::ClosedByServer(code))
        }
        () = stalled => Err(Departure::ClosedByServer(CloseCode::TOO_SLOW)),
    }
}

/// The request under way; never ready where there is none.
async fn finished(operation: &mut Option<BoxFuture<'static, ()>>) {
    match operation {
        Some(operation) => operation.await,
        None => std::future::pending().await,
    }
}
