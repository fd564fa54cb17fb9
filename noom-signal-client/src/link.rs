//! What carries frames, as the client sees it.
//!
//! The client's logic knows no socket: it runs over these traits, so that tests can cut the link
//! wherever they like.

use std::{future::Future, ops::Deref, time::Duration};

use noom_signal::protocol::{CloseCode, Frame};

use crate::Ending;

/// Makes links.
pub(crate) trait Dial: Send + Sync + 'static {
    type Reader: Reader;
    type Writer: Writer;

    fn dial(&self) -> impl Future<Output = Result<(Self::Reader, Self::Writer), DialError>> + Send;
}

/// Why there is no link.
#[derive(Debug)]
pub(crate) struct DialError {
    pub(crate) ending: Ending,
    /// The server said so, and would say it again.
    pub(crate) hopeless: bool,
    /// When the server wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
}

impl DialError {
    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self { ending: Ending::broken(reason), hopeless: false, retry_after: None }
    }
}

/// The half of a link that frames come out of. Dropping both halves cuts the link.
pub(crate) trait Reader: Send + 'static {
    type Text: Deref<Target = str> + Send;

    /// The next thing that comes. Cancel safe. Not called again after the end.
    fn recv(&mut self) -> impl Future<Output = Incoming<Self::Text>> + Send;
}

/// What comes from a server.
#[derive(Debug)]
pub(crate) enum Incoming<T> {
    Text(T),
    /// Bytes that say only that the server lives.
    Alive,
    /// The server closed, or the link broke.
    Ended(Ending),
}

/// The half of a link that frames go into.
pub(crate) trait Writer: Send + 'static {
    /// Waits until a frame can be written. Cancel safe.
    fn ready(&mut self) -> impl Future<Output = Result<(), Ending>> + Send;

    /// Takes a frame, after `ready`. It reaches the wire at the latest with `flush`.
    fn write(&mut self, frame: Frame) -> Result<(), Ending>;

    /// Writes out all that was taken. Cancel safe.
    fn flush(&mut self) -> impl Future<Output = Result<(), Ending>> + Send;

    /// Begins a close. The server's answer comes out of the other half.
    fn close(&mut self, code: CloseCode) -> impl Future<Output = Result<(), Ending>> + Send;
}
