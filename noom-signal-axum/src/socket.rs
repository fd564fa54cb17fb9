//! axum's WebSocket as a transport.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use noom_signal::{
    protocol::{CloseCode, Frame},
    transport::{Incoming, Transport, TransportError},
};
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

/// One connection.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: WebSocket,
    message_bytes: usize,
    /// Reading failed in the middle of something: there is no more to be read.
    unreadable: bool,
}

impl Socket {
    pub(crate) fn new(socket: WebSocket, message_bytes: usize) -> Self {
        Self { socket, message_bytes, unreadable: false }
    }

    fn violation(&mut self, code: CloseCode) -> TransportError {
        self.unreadable = true;
        TransportError::Violation(code)
    }
}

impl Transport for Socket {
    type Text = Utf8Bytes;

    async fn recv(&mut self) -> Result<Incoming<Utf8Bytes>, TransportError> {
        let message = match self.socket.recv().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(self.classify(error)),
            None => return Err(TransportError::Broken("closed".into())),
        };
        Ok(match message {
            Message::Text(text) if text.len() > self.message_bytes => {
                return Err(TransportError::Violation(CloseCode::TOO_BIG));
            }
            Message::Text(text) => Incoming::Text(text),
            Message::Binary(_) => Incoming::Binary,
            Message::Ping(_) | Message::Pong(_) => Incoming::Alive,
            Message::Close(frame) => {
                Incoming::Closed(frame.map(|frame| CloseCode::from_u16(frame.code)))
            }
        })
    }

    async fn feed(&mut self, frame: Frame) -> Result<(), TransportError> {
        let text = Utf8Bytes::try_from(frame.into_bytes());
        let text = text.map_err(|error| TransportError::Broken(error.to_string()))?;
        self.socket.feed(Message::Text(text)).await.map_err(broken)
    }

    async fn flush(&mut self) -> Result<(), TransportError> {
        self.socket.flush().await.map_err(broken)
    }

    async fn ping(&mut self) -> Result<(), TransportError> {
        self.socket.send(Message::Ping(Default::default())).await.map_err(broken)
    }

    async fn close(mut self, code: CloseCode) {
        let frame = CloseFrame { code: code.as_u16(), reason: code.reason().into() };
        if self.socket.send(Message::Close(Some(frame))).await.is_err() {
            // The client began: its echo is queued already, and this writes it. Where the link is
            // broken, there is nobody to write to.
            let _ = self.socket.flush().await;
            return;
        }
        if self.unreadable {
            // The client may be in the middle of sending. Were the socket dropped now, the kernel
            // would answer the rest with a reset, which can overtake the close.
            return std::future::pending().await;
        }
        while let Some(Ok(_)) = self.socket.recv().await {}
    }
}

impl Socket {
    /// What an error in reading means: the client's fault, with a code that says which, or a link
    /// that broke.
    fn classify(&mut self, error: axum::Error) -> TransportError {
        let error = match error.into_inner().downcast::<tungstenite::Error>() {
            Ok(error) => error,
            Err(error) => return TransportError::Broken(error.to_string()),
        };
        match *error {
            tungstenite::Error::Capacity(_) => self.violation(CloseCode::TOO_BIG),
            tungstenite::Error::Utf8(_) => self.violation(CloseCode::INVALID_TEXT),
            tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                TransportError::Broken("reset without a close".into())
            }
            tungstenite::Error::Protocol(_) => self.violation(CloseCode::PROTOCOL_ERROR),
            error => TransportError::Broken(error.to_string()),
        }
    }
}

fn broken(error: axum::Error) -> TransportError {
    TransportError::Broken(error.to_string())
}
