//! A video call in the browser: `cargo run --release -p zoom`, then open the address it prints.
//!
//! One port serves the page and its signaling. The page is in `web/`, the client library it is
//! built on in `noom-signal-js`; both are embedded in the binary.

mod assets;
mod options;
mod policy;

use std::net::SocketAddr;

use anyhow::Context;
use axum::{Router, serve::ListenerExt};
use clap::Parser;
use noom_signal::Hub;
use noom_signal_axum::Endpoint;
use tokio::net::{TcpListener, TcpSocket};
use tracing_subscriber::EnvFilter;

use options::Options;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let hub = Hub::builder().limits(options.limits()).policy(options.policy()).build()?;
    let app = Router::new()
        .route("/signal", Endpoint::new(hub.clone()).behind_proxies(options.proxies).route())
        .merge(assets::routes())
        .into_make_service_with_connect_info::<SocketAddr>();

    let listener = listen(options.listen)?;
    announce(listener.local_addr()?);
    let listener = listener.tap_io(|connection| {
        // Signaling is small messages that should not wait for each other.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
    });
    // axum's own graceful shutdown would wait for idle keep-alive connections and not for
    // WebSockets, so it is left out: the hub closes those itself, and then we are done.
    tokio::select! {
        served = axum::serve(listener, app) => served.context("the server stopped"),
        () = stop_signal() => {
            tracing::info!(clients = hub.stats().connections, "stopping");
            tokio::select! {
                () = hub.drain(options.drain()) => {}
                // Whoever asks twice means it.
                () = stop_signal() => hub.shutdown().await,
            }
            Ok(())
        }
    }
}

/// Listens with a long backlog: after a restart all clients come back at once, and with the usual
/// 128 places most would wait a second for their next try.
fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address).with_context(|| format!("cannot listen on {address}"))?;
    Ok(socket.listen(4096)?)
}

fn announce(address: SocketAddr) {
    let shown = match address.ip() {
        ip if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        _ => address,
    };
    println!("open http://{shown}");
}

async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        };
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
