//! How the client stands with the server.

use std::{fmt, time::Duration};

use noom_signal::protocol::CloseCode;
use thiserror::Error;

/// How the client stands with the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// There has been no session yet.
    Connecting,
    /// The server has said `hello`: what is asked is sent.
    Open,
    /// The link broke, and is being made anew. What is asked waits.
    Reconnecting {
        /// How many attempts there have been since the link broke.
        attempt: u32,
        /// How long until the next one.
        retry_in: Duration,
        /// What ended the last one.
        cause: Ending,
    },
    /// Over, for good.
    Closed(Closed),
}

/// What ended a connection, or an attempt at one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ending {
    /// The code of the server's close; `None` where the link broke without one.
    pub code: Option<CloseCode>,
    /// For a person.
    pub reason: String,
}

impl Ending {
    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self { code: None, reason: reason.into() }
    }

    pub(crate) fn closed(code: Option<CloseCode>, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// Whether the server closed because of the frame just sent, which then is not sent again.
    pub(crate) fn blames(&self) -> Option<CloseCode> {
        use CloseCode as Code;
        let blaming = [Code::INVALID_TEXT, Code::TOO_BIG, Code::BAD_MESSAGES, Code::RATE];
        self.code.filter(|code| blaming.contains(code))
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{code} {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// Why a client is over for good. Any other loss is made good by connecting again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Closed {
    /// [`Client::close`](crate::Client::close), or the last [`Client`](crate::Client) was dropped.
    #[error("closed by this client")]
    ByClient,
    /// A newer connection resumed the session (close code 4409). To come back would take it away
    /// from there again.
    #[error("another connection took the session over")]
    Replaced,
    /// The application refused the `hello` (close code 4401); its words. A new client with another
    /// token may do better.
    #[error("unauthorized: {0}")]
    Unauthorized(String),
    /// The server would refuse the next attempt as it did this one: its HTTP status is one of those
    /// that say so (only before the first session), or it could not read the `hello`.
    #[error("refused: {0}")]
    Refused(Ending),
    /// The first connection took more than
    /// [`ClientLimits::first_attempts`](crate::ClientLimits::first_attempts); what ended the last.
    #[error("unreachable: {0}")]
    Unreachable(Ending),
    /// The client's own task is gone: its runtime was shut down, or the token's provider panicked.
    #[error("the client's task is gone")]
    Aborted,
}
