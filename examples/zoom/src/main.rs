//! A video call in the browser: `cargo run --release -p zoom`, then open the address it prints.
//!
//! One port serves the page and its signaling. The page is in `web/`, the client library it is
//! built on in `noom-signal-js`; both are embedded in the binary.

mod assets;
mod cluster;
mod limits;
mod options;
mod policy;

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context;
use axum::Router;
use noom_signal::Hub;
use noom_signal_axum::Endpoint;
use tracing_subscriber::EnvFilter;

use options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::from_command_line();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match serve(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    // Before it joins the others: a second server on the same port is not to be one of them.
    let server = options.bind();
    let server = server.with_context(|| format!("cannot listen on {}", options.listen))?;
    let cluster = options.cluster.join().await?;
    let hub = Hub::builder().limits(options.limits()).policy(options.policy());
    let hub = cluster.build(hub).build()?;
    let app = Router::new()
        .route("/signal", Endpoint::new(hub.clone()).behind_proxies(options.proxies).route())
        .merge(assets::routes());
    announce(server.local_addr()?, cluster.address());
    // The server does not wait for WebSockets: the hub closes those, and then we are done.
    tokio::select! {
        () = server.serve(app) => {}
        () = stop_signal() => {
            tracing::info!(clients = hub.stats().connections, "stopping");
            tokio::select! {
                () = cluster.drain(&hub, options.drain()) => {}
                // Whoever asks twice means it.
                () = stop_signal() => hub.shutdown().await,
            }
        }
    }
    cluster.leave(hub).await;
    Ok(())
}

fn announce(address: SocketAddr, cluster: Option<String>) {
    let shown = match address.ip() {
        ip if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        _ => address,
    };
    match cluster {
        None => println!("open http://{shown}"),
        Some(redis) => println!("open http://{shown} (one of those that meet at redis {redis})"),
    }
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
