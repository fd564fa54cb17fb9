//! A server behind a wire that can be cut.

#![allow(dead_code)]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use noom_signal::{Hub, HubBuilder};
use noom_signal_client::{Client, ClientLimits, Event, Events, State};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    sync::{broadcast, watch},
    task::JoinHandle,
};

/// A hub behind an HTTP server on a free port of this machine.
pub(crate) struct Server {
    pub(crate) hub: Hub,
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(hub: HubBuilder) -> Self {
        let hub = hub.build().unwrap();
        let app = Router::new().route("/signal", noom_signal_axum::endpoint(hub.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { hub, address, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What becomes of the connections through a [`Wire`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Both ends see the end of the stream, wherever in a frame that is.
    End,
    /// Both ends see a reset.
    Reset,
    /// Nobody sees anything: bytes are swallowed from here on.
    Swallow,
}

/// A TCP proxy.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    target: watch::Sender<SocketAddr>,
    cuts: broadcast::Sender<Cut>,
    /// After so many more bytes to the client, the connection ends; 0: never.
    fuse: Arc<AtomicUsize>,
    /// How many connections there were.
    pub(crate) connections: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Wire {
    pub(crate) async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = watch::Sender::new(server.address);
        let (cuts, fuse) = (broadcast::Sender::new(16), Arc::new(AtomicUsize::new(0)));
        let (counted, connections) = watch::channel(0);
        let (targets, to_cut, lit) = (target.subscribe(), cuts.clone(), fuse.clone());
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                counted.send_modify(|count| *count += 1);
                let target = *targets.borrow();
                tokio::spawn(carry(client, target, to_cut.subscribe(), lit.clone()));
            }
        });
        Self { address, target, cuts, fuse, connections, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/signal", self.address)
    }

    /// Does this to the connections that are open now.
    pub(crate) fn cut(&self, cut: Cut) {
        let _ = self.cuts.send(cut);
    }

    /// Ends a connection in the middle of whatever is on its way after so many bytes to the client.
    pub(crate) fn cut_after(&self, bytes: usize) {
        self.fuse.store(bytes, Ordering::Relaxed);
    }

    /// Where new connections go.
    pub(crate) fn lead_to(&self, server: &Server) {
        self.target.send_replace(server.address);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    mut client: TcpStream,
    target: SocketAddr,
    mut cuts: broadcast::Receiver<Cut>,
    fuse: Arc<AtomicUsize>,
) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let (mut up, mut down) = (vec![0; 1000], vec![0; 1000]);
    let mut swallow = false;
    loop {
        select! {
            biased;
            cut = cuts.recv() => match cut {
                Ok(Cut::Swallow) => swallow = true,
                Ok(Cut::Reset) => {
                    let _ = (client.set_zero_linger(), server.set_zero_linger());
                    return;
                }
                _ => return,
            },
            read = client.read(&mut up) => match read {
                Ok(1..) if swallow => {},
                Ok(count @ 1..) if server.write_all(&up[..count]).await.is_ok() => {}
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(1..) if swallow => {},
                Ok(count @ 1..) => {
                    let left = fuse.load(Ordering::Relaxed);
                    let burnt = left > 0 && count >= left;
                    let count = if burnt { left } else { count };
                    if left > 0 {
                        fuse.store(left - count, Ordering::Relaxed);
                    }
                    if client.write_all(&down[..count]).await.is_err() || burnt {
                        return;
                    }
                }
                // A half-open connection stays so, whatever the server does.
                _ if swallow => std::future::pending().await,
                _ => return,
            },
        }
    }
}

/// A client that does not wait long between its attempts.
pub(crate) async fn connect(wire: &Wire) -> (Client, Events) {
    let mut limits = ClientLimits::default();
    limits.backoff_cap = Duration::from_millis(20);
    Client::builder(&wire.url()).unwrap().limits(limits).connect().await.unwrap()
}

/// Waits until the client is open again.
pub(crate) async fn reopened(events: &mut Events) {
    while events.next().await.expect("an event") != Event::State(State::Open) {}
}
