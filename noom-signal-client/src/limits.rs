//! Every limit of the client, in one place.

use std::time::Duration;

/// What a client holds and waits for. Each default says its reason.
///
/// ```
/// use noom_signal_client::ClientLimits;
///
/// let mut limits = ClientLimits::default();
/// limits.events = 64;
/// assert_eq!(limits.requests, 1024);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientLimits {
    /// How many requests may wait for their reply: 1,024. One more fails with
    /// [`RequestError::Backlog`](crate::RequestError::Backlog).
    pub requests: usize,
    /// How many frames may wait to be sent, or to be confirmed by the server: 1,024. One more fails
    /// with [`RequestError::Backlog`](crate::RequestError::Backlog).
    pub outbound_frames: usize,
    /// How many bytes those may have: 4 MiB. A single frame is always taken.
    pub outbound_bytes: usize,
    /// How many events may wait for the application: 1,024. Over it nothing more is read.
    pub events: usize,
    /// How many bytes of frames those may have: 4 MiB.
    pub event_bytes: usize,
    /// The longest frame of the server that is read: 16 MiB. Servers announce theirs, 1 MiB by
    /// default. Over it, the link is cut.
    pub frame_bytes: usize,
    /// How many attempts [`Builder::connect`](crate::Builder::connect) makes before it gives up:
    /// `None`, without end. Once there was a session, there is no such limit.
    pub first_attempts: Option<u32>,
    /// How long an attempt may take, from the token to the server's `hello`: 10 s.
    pub connect: Duration,
    /// How long a live link may stay silent after a ping: 10 s, or one heartbeat of the server where
    /// that is shorter.
    pub pong: Duration,
    /// How long writing may make no progress: 10 s, as a server has it.
    pub write: Duration,
    /// How long [`Client::close`](crate::Client::close) waits for the server: 2 s.
    pub close: Duration,
    /// The first bound of the random wait between attempts; it doubles: 500 ms. The first attempt
    /// after a loss is made at once.
    pub backoff: Duration,
    /// The last bound of that wait: 20 s, so that the session is still there (30 s by default).
    pub backoff_cap: Duration,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            requests: 1024,
            outbound_frames: 1024,
            outbound_bytes: 4 * 1024 * 1024,
            events: 1024,
            event_bytes: 4 * 1024 * 1024,
            frame_bytes: 16 * 1024 * 1024,
            first_attempts: None,
            connect: Duration::from_secs(10),
            pong: Duration::from_secs(10),
            write: Duration::from_secs(10),
            close: Duration::from_secs(2),
            backoff: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(20),
        }
    }
}
