//! A [noom-signal](noom_signal) WebSocket endpoint for [axum].
//!
//! # Mount it
//!
//! [`endpoint`] is a route like any other: it fits into a router with state, middleware and other
//! routes of its own.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use noom_signal::Hub;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let hub = Hub::new();
//! let app = Router::new()
//!     .route("/", get(|| async { "hello" }))
//!     .route("/signal", noom_signal_axum::endpoint(hub.clone()));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! axum::serve(listener, app).await
//! # }
//! ```
//!
//! # Authenticate the request
//!
//! Middleware runs before the endpoint, and what it leaves in the request's extensions reaches the
//! [`Policy`](noom_signal::policy::Policy):
//!
//! ```
//! use async_trait::async_trait;
//! use noom_signal::{Hub, policy::{ConnectRequest, Identity, Policy, Refused}};
//!
//! /// Left in the request by the application's login middleware.
//! #[derive(Clone)]
//! struct Account { name: String }
//!
//! struct LoggedIn;
//!
//! #[async_trait]
//! impl Policy for LoggedIn {
//!     async fn authenticate(
//!         &self,
//!         request: &ConnectRequest,
//!         _token: Option<&str>,
//!     ) -> Result<Identity, Refused> {
//!         let account = request.extensions.get::<Account>();
//!         let account = account.ok_or_else(|| Refused::because("log in first"))?;
//!         let user = account.name.parse().map_err(|_| Refused::because("odd name"))?;
//!         Ok(Identity::of(user))
//!     }
//! }
//!
//! let hub = Hub::builder().policy(LoggedIn).build()?;
//! let route: axum::routing::MethodRouter = noom_signal_axum::endpoint(hub);
//! # Ok::<_, noom_signal::InvalidLimits>(())
//! ```
//!
//! # Serve it
//!
//! `axum::serve` gives requests all the time in the world, and takes any number of connections that
//! never ask for anything. [`Server`] does not, and serves the same router.
//!
//! # Stop it
//!
//! Neither waits for WebSockets, `axum::serve` with a graceful shutdown included.
//! [`Hub::shutdown`](noom_signal::Hub::shutdown) closes each of them properly and waits; call it
//! before the process ends.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod endpoint;
mod forwarded;
mod hall;
mod origins;
mod server;
mod socket;

pub use endpoint::{Endpoint, endpoint};
pub use origins::{InvalidOrigin, Origins};
pub use server::Server;
