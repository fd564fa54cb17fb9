//! The smallest useful signaling server: `cargo run -p quickstart [ADDRESS]`.

use axum::Router;
use noom_signal::Hub;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let hub = Hub::new();
    let app = Router::new().route("/signal", noom_signal_axum::endpoint(hub));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    eprintln!("signaling at ws://{}/signal", listener.local_addr()?);
    axum::serve(listener, app).await
}
