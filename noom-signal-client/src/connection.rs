//! One connection, from the server's hello to its end.

use std::{sync::Arc, time::Duration};

use noom_signal::protocol::{CloseCode, server};
use tokio::{
    select,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    ClientLimits, Ending,
    heartbeat::Heartbeat,
    line::MAX_WAIT,
    link::{Incoming, Reader, Writer},
    session::Next,
    shared::{Order, Shared},
};

/// However often a server wants to hear of us, it is not more often than this.
const MIN_HEARTBEAT: Duration = Duration::from_secs(1);

/// How many bytes are written before they are flushed: little enough that a slow link takes them
/// within [`ClientLimits::write`].
const BATCH: usize = 16 * 1024;

/// How an open connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// We closed it, and the session with it.
    Closed,
    Broken {
        ending: Ending,
        /// When to come back, where that is known.
        return_in: Option<Duration>,
    },
}

/// An open connection.
///
/// It reads and writes at the same time: a server that does not read while it writes would otherwise
/// wait for us for ever, and we for it. It reads only while there is room for events, and pings
/// even then.
pub(crate) struct Connection<'a> {
    shared: &'a Arc<Shared>,
    limits: &'a ClientLimits,
    heartbeat: Heartbeat,
    writing: Writing,
    /// When a draining server wants us back.
    return_at: Option<Instant>,
    /// Writing failed, for this reason. The server may have said more about it, to be read until
    /// then.
    broken: Option<(Ending, Instant)>,
}

/// How far writing has come.
#[derive(Debug, Default)]
struct Writing {
    /// There may be something to write.
    wanted: bool,
    /// How many bytes were written and not flushed.
    unflushed: usize,
    /// Since when there has been no progress, while there is something to do.
    since: Option<Instant>,
    /// When the server's rate allows the next frame.
    rate_at: Option<Instant>,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(
        shared: &'a Arc<Shared>,
        limits: &'a ClientLimits,
        hello: &server::Hello,
    ) -> Self {
        let every = Duration::from_millis(hello.heartbeat_ms).clamp(MIN_HEARTBEAT, MAX_WAIT);
        Self {
            shared,
            limits,
            heartbeat: Heartbeat::new(every, limits.pong, Instant::now()),
            writing: Writing { wanted: true, ..Writing::default() },
            return_at: None,
            broken: None,
        }
    }

    pub(crate) async fn run<R: Reader, W: Writer>(mut self, mut reader: R, mut writer: W) -> End {
        let mut was_full = false;
        loop {
            let now = Instant::now();
            match self.shared.take_order() {
                Some(Order::Close) => {
                    let _ = timeout(self.limits.close, self.close(reader, writer)).await;
                    return End::Closed;
                }
                Some(Order::Reconnect) => {
                    return self.ended(Ending::broken("disconnected by this client"), true);
                }
                None => {}
            }
            let full = self.shared.is_full();
            if was_full && !full {
                // What came meanwhile is still to be read.
                self.heartbeat.heard(now);
            }
            was_full = full;
            if self.heartbeat.ping(now) {
                self.shared.want_ping();
                self.writing.wanted = true;
            }
            if self.writing.rate_at.is_some_and(|at| now >= at) {
                self.writing.wanted = true;
            }
            let alarm = self.next_alarm(full);
            let shared = self.shared;
            let can_write = self.writing.wanted && self.broken.is_none();
            select! {
                biased;
                written = self.writing.run(shared, &mut writer), if can_write => {
                    if let Err(ending) = written {
                        self.broken = Some((ending, now + self.limits.close));
                    }
                }
                incoming = reader.recv(), if !full => {
                    let now = Instant::now();
                    self.heartbeat.heard(now);
                    // A frame may make room for others, or ask for a ping.
                    self.writing.wanted = true;
                    match incoming {
                        Incoming::Text(text) => {
                            if let Some(reconnect_ms) = shared.take(&text, now) {
                                let wait = Duration::from_millis(reconnect_ms).min(MAX_WAIT);
                                self.return_at = Some(now + wait);
                            }
                        }
                        Incoming::Alive => {}
                        Incoming::Ended(ending) => return self.ended(ending, false),
                    }
                }
                () = shared.changed.notified() => self.writing.wanted = true,
                () = sleep_until(alarm) => {
                    if let Some(end) = self.overdue(full) {
                        return end;
                    }
                }
            }
        }
    }

    /// When to look at the clock again.
    fn next_alarm(&self, full: bool) -> Instant {
        let mut alarm = self.heartbeat.next_ping();
        let dead_at = (!full).then(|| self.heartbeat.dead_at());
        let stalled_at = self.writing.since.map(|since| since + self.limits.write);
        let rate_at = self.writing.rate_at.filter(|_| !self.writing.wanted);
        let give_up_at = self.broken.as_ref().map(|(_, at)| *at);
        for at in [dead_at, stalled_at, rate_at, give_up_at, self.return_at].into_iter().flatten() {
            alarm = alarm.min(at);
        }
        alarm
    }

    /// Looks at the clock, once there is nothing else to do.
    fn overdue(&mut self, full: bool) -> Option<End> {
        let now = Instant::now();
        if self.return_at.is_some_and(|at| now >= at) {
            return Some(self.ended(Ending::broken("the server asked us to come back"), true));
        }
        if let Some((ending, at)) = &self.broken
            && now >= *at
        {
            return Some(self.ended(ending.clone(), false));
        }
        let dead = |why| Ending::closed(Some(CloseCode::TIMEOUT), why);
        if self.writing.since.is_some_and(|since| now >= since + self.limits.write) {
            return Some(self.ended(dead("the server takes nothing"), false));
        }
        if !full && now >= self.heartbeat.dead_at() {
            return Some(self.ended(dead("the link is dead"), false));
        }
        None
    }

    /// The end of it. `now`: there is no reason to wait before the next attempt.
    fn ended(&self, ending: Ending, now: bool) -> End {
        let return_in = match self.return_at {
            _ if now => Some(Duration::ZERO),
            Some(at) => Some(at.saturating_duration_since(Instant::now())),
            None => None,
        };
        End::Broken { ending, return_in }
    }

    /// Writes what may be written, then ends the session.
    async fn close<R: Reader, W: Writer>(
        &mut self,
        mut reader: R,
        mut writer: W,
    ) -> Result<(), Ending> {
        self.writing.run(self.shared, &mut writer).await?;
        writer.close(CloseCode::NORMAL).await?;
        while !matches!(reader.recv().await, Incoming::Ended(_)) {}
        Ok(())
    }
}

impl Writing {
    /// Writes what may be written now, and flushes. Cancel safe: it goes on where it was.
    async fn run<W: Writer>(&mut self, shared: &Shared, writer: &mut W) -> Result<(), Ending> {
        self.since.get_or_insert_with(Instant::now);
        self.rate_at = None;
        loop {
            let more = self.feed(shared, writer).await?;
            if self.unflushed > 0 {
                writer.flush().await?;
                self.unflushed = 0;
            }
            if !more {
                break;
            }
            self.since = Some(Instant::now());
        }
        self.wanted = false;
        self.since = None;
        Ok(())
    }

    /// Hands over a batch. Returns whether there may be more to write now.
    async fn feed<W: Writer>(&mut self, shared: &Shared, writer: &mut W) -> Result<bool, Ending> {
        while self.unflushed < BATCH {
            writer.ready().await?;
            let now = Instant::now();
            match shared.next_frame(now) {
                Next::Frame(frame) => {
                    self.unflushed += frame.len();
                    writer.write(frame)?;
                }
                Next::Wait(wait) => {
                    self.rate_at = Some(now + wait);
                    return Ok(false);
                }
                Next::Nothing => return Ok(false),
            }
        }
        Ok(true)
    }
}
