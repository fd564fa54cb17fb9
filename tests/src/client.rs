//! A client that speaks raw JSON.

use std::{net::SocketAddr, time::Duration};

use axum::http::StatusCode;
use futures_util::{SinkExt, StreamExt};
use noom_signal::{protocol::CloseCode, transport::ClientEnd};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        self, Message,
        http::{Request, Response},
        protocol::CloseFrame,
    },
};

use crate::PATIENCE;

/// One connection of a client, and what it knows of its session.
#[derive(Debug)]
pub struct Client {
    link: Link,
    /// The peer id, once there is one.
    pub peer: String,
    /// The session's secret, once there is one.
    pub session: String,
    /// How many frames of the session were received, as the protocol counts them.
    pub received: u64,
}

/// What carries the frames.
#[derive(Debug)]
pub enum Link {
    /// A WebSocket.
    Socket(Box<WebSocketStream<TcpStream>>),
    /// A pipe within the process.
    Pipe(ClientEnd),
}

/// What came from the server.
#[derive(Debug)]
enum Came {
    Text(String),
    /// The connection's end: the server's close code, or none where the link broke.
    End(Option<u16>),
}

impl Client {
    pub(crate) fn over_pipe(end: ClientEnd) -> Self {
        Self::new(Link::Pipe(end))
    }

    /// Asks for a WebSocket; `Err` is the refusal.
    pub async fn connect(
        address: SocketAddr,
        request: Request<()>,
    ) -> Result<(Self, Response<()>), (StatusCode, Response<String>)> {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        match timeout(PATIENCE, client_async(request, stream)).await.expect("an answer") {
            Ok((socket, response)) => {
                Ok((Self::new(Link::Socket(Box::new(socket))), response.map(drop)))
            }
            Err(tungstenite::Error::Http(response)) => {
                let text = |body: Option<Vec<u8>>| {
                    String::from_utf8_lossy(&body.unwrap_or_default()).into_owned()
                };
                Err((response.status(), response.map(text)))
            }
            Err(error) => panic!("no answer to an upgrade: {error}"),
        }
    }

    fn new(link: Link) -> Self {
        Self { link, peer: String::new(), session: String::new(), received: 0 }
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Value) {
        self.send_text(message.to_string()).await;
    }

    /// Sends any text as one frame.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.try_send_text(text).await.expect("the connection takes a frame");
    }

    /// Sends any text, on a connection that may be closed by now.
    pub async fn try_send_text(&mut self, text: impl Into<String>) -> Result<(), String> {
        let text = text.into();
        match &mut self.link {
            Link::Socket(socket) => {
                let sent = timeout(PATIENCE, socket.send(Message::text(text))).await;
                sent.expect("room to write").map_err(|e| e.to_string())
            }
            Link::Pipe(end) => end.send_text(text).await.map_err(|e| e.to_string()),
        }
    }

    /// Sends many frames in as few writes as it takes, without waiting for any answer.
    pub async fn send_all(&mut self, messages: impl IntoIterator<Item = Value>) {
        for message in messages {
            match &mut self.link {
                Link::Socket(socket) => {
                    socket.feed(Message::text(message.to_string())).await.unwrap();
                }
                Link::Pipe(end) => end.send_text(message.to_string()).await.unwrap(),
            }
        }
        if let Link::Socket(socket) = &mut self.link {
            socket.flush().await.unwrap();
        }
    }

    /// Sends a binary frame.
    pub async fn send_binary(&mut self) {
        match &mut self.link {
            Link::Socket(socket) => socket.send(Message::binary(vec![1, 2, 3])).await.unwrap(),
            Link::Pipe(end) => end.send_binary().await.unwrap(),
        }
    }

    /// The next message.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Value> {
        let text = self.recv_text();
        async move {
            let text = text.await;
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
        }
    }

    /// The next message as it came.
    #[track_caller]
    pub fn recv_text(&mut self) -> impl Future<Output = String> {
        let caller = std::panic::Location::caller();
        async move {
            match self.next().await {
                Some(Came::Text(text)) => text,
                Some(Came::End(code)) => panic!("{caller}: closed with {code:?}, not a message"),
                None => panic!("{caller}: no message in time"),
            }
        }
    }

    /// Exactly this message, and it is the next.
    #[track_caller]
    pub fn expect(&mut self, message: Value) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        let next = self.recv();
        async move { assert_eq!(next.await, message, "{caller}") }
    }

    /// An error of this code is the next message. Returns it.
    #[track_caller]
    pub fn expect_error(&mut self, code: &str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let (next, code) = (self.recv(), code.to_owned());
        async move {
            let error = next.await;
            let is = error["type"] == "error" && error["code"] == code.as_str();
            assert!(is, "{caller}: expected the error {code}, got {error}");
            assert!(error["message"].is_string(), "{caller}: {error}");
            error
        }
    }

    /// The connection's end is next. Returns the server's close code; none where the link broke.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = Option<u16>> {
        let caller = std::panic::Location::caller();
        async move {
            match self.next().await {
                Some(Came::End(code)) => code,
                Some(Came::Text(text)) => panic!("{caller}: not closed, but: {text}"),
                None => panic!("{caller}: neither closed nor anything else"),
            }
        }
    }

    /// The next message, or the close code of the connection's end.
    pub async fn recv_or_end(&mut self) -> Result<Value, Option<u16>> {
        match self.next().await.expect("a message or an end") {
            Came::Text(text) => Ok(serde_json::from_str(&text).unwrap()),
            Came::End(code) => Err(code),
        }
    }

    /// Whatever comes up to the connection's end, and its code.
    pub async fn drain(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut messages = Vec::new();
        loop {
            match self.recv_or_end().await {
                Ok(message) => messages.push(message),
                Err(code) => return (messages, code),
            }
        }
    }

    /// Nothing came: the next message is the answer to a `ping` sent now. Frames are written in
    /// the order in which they were made, so whatever had been made for this client by now would
    /// come before it.
    #[track_caller]
    pub fn nothing_came(&mut self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            self.send(json!({"type": "ping"})).await;
            let next = self.recv().await;
            assert_eq!(next["type"], "pong", "{caller}: {next}");
        }
    }

    /// Says hello and keeps what the server answers, which is returned.
    pub async fn hello(&mut self) -> Value {
        self.hello_with(json!({"type": "hello"})).await
    }

    /// Says hello in the test's own words.
    #[track_caller]
    pub fn hello_with(&mut self, hello: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            self.send(hello).await;
            let hello = self.recv().await;
            assert_eq!(hello["type"], "hello", "{caller}: {hello}");
            self.peer = hello["peer"].as_str().unwrap().into();
            self.session = hello["session"].as_str().unwrap().into();
            hello
        }
    }

    /// Takes a session up again, of which so many frames were received.
    #[track_caller]
    pub fn resume(&mut self, session: &str, received: u64) -> impl Future<Output = Value> {
        let resume = json!({"session": session, "received": received});
        self.hello_with(json!({"type": "hello", "resume": resume}))
    }

    /// Joins a room. Returns the `joined`.
    pub async fn join(&mut self, room: &str) -> Value {
        self.join_with(room, json!({})).await
    }

    /// Joins a room with this `meta`. Returns the `joined`.
    #[track_caller]
    pub fn join_with(&mut self, room: &str, meta: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let join = json!({"type": "join", "room": room, "meta": meta});
        async move {
            self.send(join).await;
            let joined = self.recv().await;
            assert_eq!(joined["type"], "joined", "{caller}: {joined}");
            joined
        }
    }

    /// The next message is the `welcome` of this peer. Returns it.
    #[track_caller]
    pub fn expect_welcome(&mut self, room: &str, of: &Client) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let (next, room, peer) = (self.recv(), room.to_owned(), of.peer.clone());
        async move {
            let welcome = next.await;
            let is = welcome["type"] == "welcome"
                && welcome["room"] == room.as_str()
                && welcome["peer"] == peer.as_str();
            assert!(is, "{caller}: expected the welcome of {peer}, got {welcome}");
            welcome
        }
    }

    /// The next message is this peer's `bye`. Returns it.
    #[track_caller]
    pub fn expect_bye(
        &mut self,
        room: &str,
        peer: &str,
        reason: &str,
    ) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let next = self.recv();
        let (room, peer, reason) = (room.to_owned(), peer.to_owned(), reason.to_owned());
        async move {
            let bye = next.await;
            let is = bye["type"] == "bye"
                && bye["room"] == room.as_str()
                && bye["peer"] == peer.as_str()
                && bye["reason"] == reason.as_str();
            assert!(is, "{caller}: expected the bye of {peer}, got {bye}");
            bye
        }
    }

    /// Sends application data to a peer, or to `"*"`.
    pub async fn tell(&mut self, room: &str, to: &str, data: Value) {
        self.send(json!({"type": "message", "room": room, "to": to, "data": data})).await;
    }

    /// The next message is exactly this data from this peer.
    #[track_caller]
    pub fn expect_data(&mut self, room: &str, from: &str, data: Value) -> impl Future<Output = ()> {
        self.expect(json!({"type": "message", "room": room, "from": from, "data": data}))
    }

    /// Closes with this code, or with an empty close frame, and waits for the end.
    pub async fn close(&mut self, code: Option<u16>) {
        match &mut self.link {
            Link::Socket(socket) => {
                let frame = code.map(|code| CloseFrame { code: code.into(), reason: "".into() });
                WebSocketStream::close(socket, frame).await.unwrap();
            }
            Link::Pipe(end) => return end.close(code.map(CloseCode::from_u16)).await,
        }
        loop {
            match self.next().await {
                Some(Came::Text(_)) => {}
                Some(Came::End(answer)) => {
                    // A close without a code is answered in kind.
                    assert!(
                        code.is_none() || answer == code,
                        "the server answers a close: {answer:?}"
                    );
                    return;
                }
                None => panic!("the server does not answer a close"),
            }
        }
    }

    /// Cuts the link without a close; what is known of the session stays.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.lose_link();
        self
    }

    /// The same, in place.
    pub fn lose_link(&mut self) {
        let (_, unconnected) = noom_signal::transport::pipe(1);
        self.link = Link::Pipe(unconnected);
    }

    /// `None` where nothing came in time. Pings are answered meanwhile.
    async fn next(&mut self) -> Option<Came> {
        let came = match &mut self.link {
            Link::Socket(socket) => timeout(PATIENCE, from_socket(socket)).await.ok()?,
            // In virtual time this costs nothing; it is long enough for all that tests wait for.
            Link::Pipe(end) => {
                match timeout(Duration::from_secs(600), end.recv_text()).await.ok()? {
                    Some(text) => Came::Text(text),
                    None => Came::End(end.close_code().map(CloseCode::as_u16)),
                }
            }
        };
        if let Came::Text(text) = &came {
            self.received += u64::from(is_counted(text));
        }
        Some(came)
    }
}

async fn from_socket(socket: &mut WebSocketStream<TcpStream>) -> Came {
    while let Some(message) = socket.next().await {
        match message {
            Ok(Message::Text(text)) => return Came::Text(text.as_str().into()),
            Ok(Message::Close(frame)) => {
                // Reading on writes the echo.
                while let Some(Ok(_)) = socket.next().await {}
                return Came::End(frame.map(|frame| frame.code.into()));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    Came::End(None)
}

/// Whether a server's frame counts as received within its session.
fn is_counted(text: &str) -> bool {
    let message: Value = serde_json::from_str(text).unwrap_or_default();
    !matches!(message["type"].as_str(), Some("hello" | "ping" | "pong" | "goaway" | "lobby"))
}

/// A message without some of its members, for comparing the rest.
pub fn strip(mut message: Value, members: &[&str]) -> Value {
    for member in members {
        message.as_object_mut().expect("an object").remove(*member);
    }
    message
}
