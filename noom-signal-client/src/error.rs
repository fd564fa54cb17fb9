//! Why a request failed.

use std::time::Duration;

use noom_signal::protocol::{CloseCode, ErrorCode, server};
use thiserror::Error;

use crate::Closed;

/// Why a request failed. A refused request changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The server said no.
    #[error("{code}: {message}")]
    Refused {
        /// For a program to act on.
        code: ErrorCode,
        /// For a person.
        message: String,
        /// When to try again, where trying again may help.
        retry_after: Option<Duration>,
    },
    /// The link broke and the session could not be resumed as a whole: the message may or may not
    /// have been handled.
    #[error("the link broke, and the message may or may not have been handled")]
    Lost,
    /// The server closed the connection because of this message, with this code. It was not handled,
    /// and is not sent again.
    #[error("the server closed the connection because of this message: {0}")]
    Blamed(CloseCode),
    /// [`ClientLimits`](crate::ClientLimits) are reached: too much waits for the server already. The
    /// message was not sent.
    #[error("too much waits for the server already")]
    Backlog,
    /// The message is over the server's `messageBytes`. It was not sent.
    #[error("a message of {length} bytes is over the server's limit of {limit}")]
    TooLarge {
        /// The message's length in bytes.
        length: usize,
        /// What the server takes.
        limit: usize,
    },
    /// The client is over. What was sent before may or may not have been handled.
    #[error("the client is closed: {0}")]
    Closed(#[from] Closed),
}

impl RequestError {
    /// The server's error code, where it was the server that said no.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// When to try again, where the server said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<server::Error> for RequestError {
    fn from(error: server::Error) -> Self {
        let server::Error { code, message, retry_after_ms, .. } = error;
        Self::Refused { code, message, retry_after: retry_after_ms.map(Duration::from_millis) }
    }
}
