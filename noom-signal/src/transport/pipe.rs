//! A connection within the process.

use tokio::sync::mpsc;

use super::{Incoming, Transport, TransportError};
use crate::protocol::{ClientMessage, CloseCode, Frame, ServerMessage};

/// A connected pair: the server's end for a hub to serve, the client's end for whoever speaks.
///
/// Each direction holds at most `capacity` frames; a writer waits for room, as it would on a
/// socket.
///
/// ```
/// use noom_signal::{ConnectRequest, Hub, protocol::{ServerMessage, client}, transport::pipe};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hub = Hub::new();
/// let (server_end, mut client) = pipe(16);
/// tokio::spawn(hub.admit(ConnectRequest::default())?.serve(server_end));
///
/// client.send(client::Hello::default()).await?;
/// let Some(ServerMessage::Hello(hello)) = client.recv().await else { panic!("no hello") };
/// assert_eq!(hello.peer.as_str().len(), 22);
/// # Ok(())
/// # }
/// ```
pub fn pipe(capacity: usize) -> (Pipe, ClientEnd) {
    let (to_server, from_client) = mpsc::channel(capacity);
    let (to_client, from_server) = mpsc::channel(capacity);
    (
        Pipe { from_client, to_client },
        ClientEnd { to_server: Some(to_server), from_server, close_code: None },
    )
}

#[derive(Debug)]
enum Packet {
    Text(String),
    Binary,
    Ping,
    Pong,
    Close(Option<CloseCode>),
}

/// The server's end of a [`pipe`].
#[derive(Debug)]
pub struct Pipe {
    from_client: mpsc::Receiver<Packet>,
    to_client: mpsc::Sender<Packet>,
}

impl Pipe {
    async fn write(&mut self, packet: Packet) -> Result<(), TransportError> {
        let gone = |_| TransportError::Broken("the client's end was dropped".into());
        self.to_client.send(packet).await.map_err(gone)
    }
}

impl Transport for Pipe {
    type Text = String;

    async fn recv(&mut self) -> Result<Incoming<String>, TransportError> {
        match self.from_client.recv().await {
            Some(Packet::Text(text)) => Ok(Incoming::Text(text)),
            Some(Packet::Binary) => Ok(Incoming::Binary),
            Some(Packet::Ping | Packet::Pong) => Ok(Incoming::Alive),
            Some(Packet::Close(code)) => Ok(Incoming::Closed(code)),
            None => Err(TransportError::Broken("the client's end was dropped".into())),
        }
    }

    async fn feed(&mut self, frame: Frame) -> Result<(), TransportError> {
        self.write(Packet::Text(frame.as_str().to_owned())).await
    }

    async fn flush(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), TransportError> {
        self.write(Packet::Ping).await
    }

    async fn close(mut self, code: CloseCode) {
        if self.write(Packet::Close(Some(code))).await.is_ok() {
            while self.from_client.recv().await.is_some() {}
        }
    }
}

/// The client's end of a [`pipe`]. Dropping it cuts the link, without a close.
///
/// It answers the server's pings while somebody receives, as a WebSocket would.
#[derive(Debug)]
pub struct ClientEnd {
    to_server: Option<mpsc::Sender<Packet>>,
    from_server: mpsc::Receiver<Packet>,
    close_code: Option<CloseCode>,
}

impl ClientEnd {
    /// Sends one of the protocol's messages. Waits while the pipe is full.
    ///
    /// # Errors
    ///
    /// [`TransportError::Broken`] when the server's end is gone.
    pub async fn send(&self, message: impl Into<ClientMessage>) -> Result<(), TransportError> {
        self.send_text(message.into().to_frame().as_str()).await
    }

    /// Sends any text, well-formed or not.
    ///
    /// # Errors
    ///
    /// [`TransportError::Broken`] when the server's end is gone.
    pub async fn send_text(&self, text: impl Into<String>) -> Result<(), TransportError> {
        self.write(Packet::Text(text.into())).await
    }

    /// Sends a binary frame, which no server takes.
    ///
    /// # Errors
    ///
    /// [`TransportError::Broken`] when the server's end is gone.
    pub async fn send_binary(&self) -> Result<(), TransportError> {
        self.write(Packet::Binary).await
    }

    /// The next message; `None` once the server closed or the link broke. Cancel safe.
    pub async fn recv(&mut self) -> Option<ServerMessage> {
        loop {
            // Clients ignore what they cannot read.
            if let Ok(message) = self.recv_text().await?.parse() {
                return Some(message);
            }
        }
    }

    /// The next frame as it came; `None` once the server closed or the link broke. Cancel safe.
    pub async fn recv_text(&mut self) -> Option<String> {
        loop {
            match self.from_server.recv().await? {
                Packet::Text(text) => return Some(text),
                Packet::Ping => {
                    // A full pipe is traffic enough to show that this end lives.
                    if let Some(to_server) = &self.to_server {
                        let _ = to_server.try_send(Packet::Pong);
                    }
                }
                Packet::Binary | Packet::Pong => {}
                Packet::Close(code) => {
                    self.close_code = code;
                    self.to_server = None;
                    return None;
                }
            }
        }
    }

    /// Closes, with a code or without, and ends the session with it.
    pub async fn close(&mut self, code: Option<CloseCode>) {
        // If the server's end is gone, it is closed as it is.
        let _ = self.write(Packet::Close(code)).await;
        self.to_server = None;
    }

    /// The code the server closed with, once [`ClientEnd::recv`] has returned `None`; `None` where
    /// the link broke.
    pub fn close_code(&self) -> Option<CloseCode> {
        self.close_code
    }

    async fn write(&self, packet: Packet) -> Result<(), TransportError> {
        let gone = || TransportError::Broken("the connection is closed".into());
        let to_server = self.to_server.as_ref().ok_or_else(gone)?;
        to_server.send(packet).await.map_err(|_| gone())
    }
}
