//! One node of a cluster: a signaling server whose rooms span all that use the same Redis.
//!
//! ```sh
//! redis-server --save '' &
//! cargo run -p noom-signal-redis --example node -- redis://127.0.0.1/ --listen 127.0.0.1:3001 &
//! cargo run -p noom-signal-redis --example node -- redis://127.0.0.1/ --listen 127.0.0.1:3002
//! ```
//!
//! Clients connect to either, and may come back to the other.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use noom_signal::Hub;
use noom_signal_axum::Server;
use noom_signal_redis::{Config, Redis};
use tracing_subscriber::EnvFilter;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let (config, listen) = arguments(std::env::args().skip(1))?;
    let redis = Redis::connect(config).await?;
    let hub = Hub::builder().backplane(Arc::new(redis)).build()?;
    let app = Router::new().route("/signal", noom_signal_axum::endpoint(hub.clone()));
    let server = Server::bind(listen)?;
    println!("ws://{}/signal", server.local_addr()?);
    let serving = tokio::spawn(server.serve(app));
    tokio::signal::ctrl_c().await?;
    // Its clients come back to other nodes, each at a moment of its own, and their sessions follow
    // them; for as long as one may resume.
    hub.drain(Duration::from_secs(2)).await;
    let handed_over = async {
        while hub.stats().peers > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let _ = tokio::time::timeout(hub.limits().resume, handed_over).await;
    serving.abort();
    Ok(())
}

/// The URL of Redis, and options, each with a value.
fn arguments(mut words: impl Iterator<Item = String>) -> Result<(Config, SocketAddr), Failure> {
    let url = words.next().ok_or("usage: node REDIS_URL [--listen ADDRESS] [--prefix NAME]")?;
    let mut config = Config::new(url);
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 3000));
    while let Some(option) = words.next() {
        let value = words.next().ok_or_else(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--listen" => listen = value.parse()?,
            "--prefix" => config = config.prefix(value),
            "--lease-ms" => {
                let lease = Duration::from_millis(value.parse()?);
                config = config.lease(lease).renew(lease / 3);
            }
            "--inbox-entries" => config = config.inbox_entries(value.parse()?),
            _ => return Err(format!("{option}: no such option").into()),
        }
    }
    Ok((config, listen))
}
