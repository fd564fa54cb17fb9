//! The future of a reply.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use noom_signal::protocol::ServerMessage;
use tokio::sync::oneshot;

use crate::{Closed, RequestError, requests::Answer};

/// The reply to a request that **is on its way already**: this future only waits for the answer.
///
/// Requests take effect in the order in which the methods were called. Dropping a reply takes
/// nothing back; should the server refuse such a request, its error comes as an
/// [`Event`](crate::Event).
#[must_use = "a request may fail; only its reply tells"]
pub struct Reply<T> {
    waiting: Waiting,
    read: fn(ServerMessage) -> Option<T>,
}

enum Waiting {
    For(oneshot::Receiver<Answer>),
    Failed(Option<RequestError>),
}

impl<T> Reply<T> {
    pub(crate) fn new(
        asked: Result<oneshot::Receiver<Answer>, RequestError>,
        read: fn(ServerMessage) -> Option<T>,
    ) -> Self {
        let waiting = match asked {
            Ok(answer) => Waiting::For(answer),
            Err(error) => Waiting::Failed(Some(error)),
        };
        Self { waiting, read }
    }
}

impl<T> Future for Reply<T> {
    type Output = Result<T, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let gone = || RequestError::Closed(Closed::Aborted);
        let answer = match &mut self.waiting {
            Waiting::For(answer) => {
                ready!(Pin::new(answer).poll(cx)).unwrap_or_else(|_| Err(gone()))
            }
            Waiting::Failed(error) => Err(error.take().unwrap_or_else(gone)),
        };
        // What answers a request is of the kind that does, so that there is always something to read.
        Poll::Ready(answer.and_then(|message| (self.read)(message).ok_or_else(gone)))
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}
