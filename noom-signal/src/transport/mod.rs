//! What carries frames between a client and a hub.
//!
//! A [`Transport`] is one connection: text frames in, text frames out, and a close code. An adapter
//! implements it for its kind of socket and hands it to [`Hub::admit`](crate::Hub::admit) and
//! [`Admission::serve`](crate::Admission::serve). [`pipe`] makes a connected pair within the
//! process, for tests and for peers that live in the server itself.

mod pipe;

use std::{future::Future, ops::Deref};

use thiserror::Error;

pub use pipe::{ClientEnd, Pipe, pipe};

use crate::protocol::{CloseCode, Frame};

/// One connection, as the hub sees it.
///
/// Implementations may write `async fn`; the futures must be [`Send`].
///
/// # Contract
///
/// - `recv` is **cancel safe**: it stands in a `select!`, and is dropped and called again. A frame
///   is returned or still to come, never lost.
/// - After `recv` has returned [`Incoming::Closed`] or an error, nothing is called but `close`.
///   After `feed`, `flush` or `ping` has failed, `recv` may be: what the client sent before the link
///   broke should still come.
/// - `feed` hands frames over in order; they reach the wire at the latest with `flush`. Both may
///   wait for a slow client, for as long as it takes: the hub puts the limit.
/// - Dropping a transport cuts the link. Nothing else is needed for its clean-up.
pub trait Transport: Send + 'static {
    /// The text of one frame, lent for as long as it takes to read it.
    type Text: Deref<Target = str> + Send;

    /// The next thing that comes from the client.
    ///
    /// # Errors
    ///
    /// [`TransportError`] where the link is broken, or the client broke its rules.
    fn recv(&mut self)
    -> impl Future<Output = Result<Incoming<Self::Text>, TransportError>> + Send;

    /// Takes one frame for writing.
    ///
    /// # Errors
    ///
    /// [`TransportError`] where the link is broken.
    fn feed(&mut self, frame: Frame) -> impl Future<Output = Result<(), TransportError>> + Send;

    /// Writes out all that was fed.
    ///
    /// # Errors
    ///
    /// [`TransportError`] where the link is broken.
    fn flush(&mut self) -> impl Future<Output = Result<(), TransportError>> + Send;

    /// Asks the client for a sign of life, which comes as [`Incoming::Alive`]. Written at once.
    ///
    /// # Errors
    ///
    /// [`TransportError`] where the link is broken.
    fn ping(&mut self) -> impl Future<Output = Result<(), TransportError>> + Send;

    /// Closes with a code, and waits for the client's answer as far as the transport has one; or,
    /// after [`Incoming::Closed`], answers the client's close. The hub puts the limit.
    fn close(self, code: CloseCode) -> impl Future<Output = ()> + Send;
}

/// What comes from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming<T> {
    /// A text frame.
    Text(T),
    /// A binary frame, which the protocol does not have.
    Binary,
    /// Bytes that say only that the client lives: a ping, a pong.
    Alive,
    /// The client has begun to close, with this code if it gave one. Not its answer to our close.
    Closed(Option<CloseCode>),
}

/// Why a connection cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The link is gone, without a close.
    #[error("the link broke: {0}")]
    Broken(String),
    /// The client broke the transport's rules; the close code that says so.
    #[error("the client broke the transport's rules: {0}")]
    Violation(CloseCode),
}
