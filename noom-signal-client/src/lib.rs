#![doc = include_str!("../README.md")]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod address;
mod backoff;
mod bucket;
mod builder;
mod client;
mod connection;
mod error;
mod event;
mod heartbeat;
mod limits;
mod line;
mod link;
mod outbox;
mod queue;
mod reply;
mod requests;
mod session;
mod shared;
mod socket;
mod state;
#[cfg(feature = "tls")]
mod tls;
mod token;
mod wire;

pub use address::InvalidAddress;
pub use builder::Builder;
pub use client::Client;
pub use error::RequestError;
pub use event::{Event, Events};
pub use http::{HeaderName, HeaderValue, header};
pub use limits::ClientLimits;
pub use noom_signal::protocol;
pub use reply::Reply;
pub use state::{Closed, Ending, State};
