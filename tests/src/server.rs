//! A hub that clients can reach.

use std::net::SocketAddr;

use axum::{Router, http::StatusCode};
use futures_util::FutureExt;
use noom_signal::{ConnectRequest, Hub, HubBuilder, transport::pipe};
use noom_signal_axum::Endpoint;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{
    client::IntoClientRequest,
    http::{HeaderValue, Request, Response},
};

use crate::{Client, RawSocket};

/// A hub behind an HTTP server on a free port of this machine, or within the process.
#[derive(Debug)]
pub struct Server {
    /// The hub itself.
    pub hub: Hub,
    listening: Option<Listening>,
}

#[derive(Debug)]
struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// A hub with its endpoint at `/signal`.
    pub async fn start(hub: HubBuilder) -> Self {
        Self::with_endpoint(hub, |endpoint| endpoint).await
    }

    /// The same, with an endpoint to the test's taste.
    pub async fn with_endpoint(hub: HubBuilder, adjust: impl FnOnce(Endpoint) -> Endpoint) -> Self {
        let hub = hub.build().expect("limits that go together");
        let endpoint = adjust(Endpoint::new(hub.clone()));
        Self::serving(hub, Router::new().route("/signal", endpoint.route())).await
    }

    /// An application of the test's own around a hub.
    pub async fn serving(hub: Hub, app: Router) -> Self {
        Self::over(Self::http(), hub, app)
    }

    /// An HTTP server on a free port of this machine, to be adjusted.
    pub fn http() -> noom_signal_axum::Server {
        noom_signal_axum::Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
    }

    /// An application behind a server of the test's own.
    pub fn over(http: noom_signal_axum::Server, hub: Hub, app: Router) -> Self {
        let address = http.local_addr().unwrap();
        let task = tokio::spawn(http.serve(app));
        Self { hub, listening: Some(Listening { address, task }) }
    }

    /// A hub that is reached by pipes, for tests in virtual time.
    pub fn in_process(hub: HubBuilder) -> Self {
        Self { hub: hub.build().expect("limits that go together"), listening: None }
    }

    /// Ends the HTTP server, and waits for that; the hub goes on.
    pub async fn stop_listening(&mut self) {
        let listening = self.listening.as_mut().expect("a server with a socket");
        listening.task.abort();
        let _ = (&mut listening.task).await;
    }

    /// Where the HTTP server listens.
    pub fn address(&self) -> SocketAddr {
        self.listening.as_ref().expect("a server with a socket").address
    }

    /// A request for the endpoint, to be altered.
    pub fn request(&self) -> Request<()> {
        let mut request = format!("ws://{}/signal", self.address()).into_client_request().unwrap();
        let protocol = HeaderValue::from_static("noom.v1");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        request
    }

    /// A connection that has said nothing yet.
    pub async fn connect(&self) -> Client {
        if self.listening.is_none() {
            return self.connect_with_capacity(64);
        }
        let (client, response) = self.upgrade(self.request()).await.expect("an upgrade");
        assert_eq!(response.headers()["sec-websocket-protocol"], "noom.v1");
        client
    }

    /// A pipe that holds so many frames each way.
    pub fn connect_with_capacity(&self, frames: usize) -> Client {
        let (server_end, client_end) = pipe(frames);
        let admission = self.hub.admit(ConnectRequest::default()).expect("an admission");
        tokio::spawn(admission.serve(server_end).map(drop));
        Client::over_pipe(client_end)
    }

    /// Asks for a connection in the test's own words; `Err` is the refusal.
    pub async fn upgrade(
        &self,
        request: Request<()>,
    ) -> Result<(Client, Response<()>), (StatusCode, Response<String>)> {
        Client::connect(self.address(), request).await
    }

    /// A connection below WebSocket.
    pub async fn raw(&self) -> RawSocket {
        RawSocket::open(self.address()).await
    }

    /// A connected client with a session.
    pub async fn hello(&self) -> Client {
        let mut client = self.connect().await;
        client.hello().await;
        client
    }

    /// A connected client in a room.
    pub async fn join(&self, room: &str) -> Client {
        let mut client = self.hello().await;
        client.join(room).await;
        client
    }

    /// Two clients in a room, each of which knows the other.
    pub async fn pair(&self, room: &str) -> (Client, Client) {
        let mut first = self.join(room).await;
        let second = self.join(room).await;
        first.expect_welcome(room, &second).await;
        (first, second)
    }

    /// A new connection that takes a client's session up again, and goes on counting where the old
    /// one stopped if nothing was lost. Returns the server's `hello`.
    pub async fn resume(&self, client: &Client) -> (Client, Value) {
        let mut next = self.connect().await;
        let hello = next.resume(&client.session, client.received).await;
        if hello["resumed"] == "full" {
            next.received = client.received;
        }
        (next, hello)
    }
}
