//! The smallest useful signaling server: `cargo run -p quickstart [ADDRESS]`.

use axum::Router;
use noom_signal::Hub;
use noom_signal_axum::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hub = Hub::new();
    let app = Router::new().route("/signal", noom_signal_axum::endpoint(hub));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let server = Server::bind(address.parse()?)?;
    eprintln!("signaling at ws://{}/signal", server.local_addr()?);
    server.serve(app).await;
    Ok(())
}
