//! A [`Backplane`](noom_signal::backplane::Backplane) over Redis: rooms that span servers.
//!
//! Each server's hub gets a [`Redis`]; that is all. A room's members may then be on any of them.
//!
//! ```no_run
//! use std::sync::Arc;
//! use noom_signal::Hub;
//! use noom_signal_redis::{Config, Redis};
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let redis = Redis::connect(Config::new("redis://127.0.0.1/")).await?;
//! let hub = Hub::builder().backplane(Arc::new(redis)).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! Redis is where the nodes meet, not where the truth is: each node is the authority for its own
//! peers, and all that Redis holds can be rebuilt from the nodes. It needs no persistence. A
//! message to a peer on another server is one script on one key slot and one delivery to one node.
//!
//! `docs/scaling.md` tells how it works, what it promises under which fault, and how to size it.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod address;
mod backplane;
mod book;
mod check;
mod config;
mod entry;
mod error;
mod generation;
mod inbox;
mod lease;
mod link;
mod node;
mod partition;
mod register;
mod reply;
mod script;
mod sent;
mod supervisor;
mod text;
mod watch;

pub use backplane::Redis;
pub use config::Config;
pub use error::ConnectError;
