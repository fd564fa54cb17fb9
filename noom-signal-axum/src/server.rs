//! An HTTP server that slow requests cannot fill.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Response};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    select,
    sync::watch,
    time::{sleep, timeout},
};

use crate::hall::{Guest, Hall};

/// A server of HTTP/1.1 for a signaling endpoint and what goes with it, open to the internet or
/// behind a proxy.
///
/// It does for signaling what `axum::serve` leaves open: a request has to arrive in time, those who
/// dribble one cannot keep others out, a crowd that comes back at once finds room to queue, small
/// messages leave at once, and handlers find the client's address as
/// [`ConnectInfo<SocketAddr>`](ConnectInfo).
///
/// ```no_run
/// use std::{net::SocketAddr, time::Duration};
/// use axum::Router;
/// use noom_signal::Hub;
/// use noom_signal_axum::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let hub = Hub::new();
/// let app = Router::new().route("/signal", noom_signal_axum::endpoint(hub.clone()));
/// let server = Server::bind(SocketAddr::from(([0, 0, 0, 0], 3000)))?;
/// tokio::select! {
///     () = server.serve(app) => {}
///     _ = tokio::signal::ctrl_c() => hub.drain(Duration::from_secs(10)).await,
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    header_timeout: Duration,
    waiting: usize,
}

/// How many may queue to be accepted: after a restart all clients come back at once, and whoever
/// finds no place tries again a second later at the soonest.
const BACKLOG: u32 = 4096;

/// The longest head of a request. Until it is all there, this is what its sender can make us hold.
const HEAD_BYTES: usize = 32 * 1024;

/// How long to wait when the process can open no more connections.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// How long a connection on which nothing is asked has, when the server stops, to write what it has
/// answered.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Server {
    /// How long the head of a request may take, unless [`Server::header_timeout`] says otherwise.
    pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

    /// How many connections may be without a WebSocket, unless [`Server::waiting`] says otherwise.
    pub const WAITING: usize = 4096;

    /// Listens there; port 0 is any that is free. Within a tokio runtime only.
    ///
    /// # Errors
    ///
    /// As the system has it: the address is in use, or not this machine's.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // On Windows it would mean something else: to take over a port in use.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        Ok(Self { listener, header_timeout: Self::HEADER_TIMEOUT, waiting: Self::WAITING })
    }

    /// Sets how long a client may take over the head of a request: its first, or the next on the
    /// same connection. A proxy that keeps connections for later wants this to be longer than its
    /// own patience with them.
    #[must_use]
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout;
        self
    }

    /// Sets how many connections there may be that are no WebSocket yet, or never will be. One more
    /// takes the place of the one that has waited for its client longest, unless that is less than
    /// a second; until then, and where all are being answered, it waits itself. 0 = no limit.
    #[must_use]
    pub fn waiting(mut self, connections: usize) -> Self {
        self.waiting = connections;
        self
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// As the system has it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `app` for as long as this future lives.
    ///
    /// When it is dropped, nobody new is accepted, requests under way are answered, and the other
    /// connections are closed. WebSockets are not this server's any more:
    /// [`Hub::drain`](noom_signal::Hub::drain) ends them.
    pub async fn serve(self, app: Router) {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_buf_size(HEAD_BYTES);
        let app = TowerToHyperService::new(app);
        let hall = Hall::new(self.waiting);
        // Dropped with this future, which the connections notice.
        let (_serving, stopped) = watch::channel(());
        loop {
            let (stream, remote) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) if is_the_clients(&error) => continue,
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections");
                    hall.clear();
                    sleep(EXHAUSTED).await;
                    continue;
                }
            };
            let guest = hall.enter().await;
            tokio::spawn(connection(
                http.clone(),
                stream,
                remote,
                app.clone(),
                guest,
                stopped.clone(),
            ));
        }
    }
}

type App = TowerToHyperService<Router>;

/// Serves one connection up to its end, or up to where it becomes a WebSocket.
async fn connection(
    http: http1::Builder,
    stream: TcpStream,
    remote: SocketAddr,
    app: App,
    guest: Arc<Guest>,
    mut stopped: watch::Receiver<()>,
) {
    // Signaling is small messages that should not wait for each other.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let service = service_fn(|mut request: axum::http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(remote));
        let served = guest.serve();
        let answer = app.call(request);
        async move {
            let answer: Result<Response<Body>, Infallible> = answer.await;
            drop(served);
            answer
        }
    });
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    let ended = select! {
        ended = connection.as_mut() => ended,
        () = guest.shown_out() => return,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            match timeout(LAST_WORDS, connection.as_mut()).await {
                Ok(ended) => ended,
                // hyper would wait for the request that it has begun to read.
                Err(_) if guest.is_idle() => return,
                Err(_) => connection.await,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%remote, %error, "the connection ended");
    }
}

/// Whether it is about the connection that was to be accepted, and the next may do.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
