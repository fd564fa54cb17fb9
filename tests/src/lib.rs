//! Whole-system tests, and what they are made of.
//!
//! A [`Server`] runs a hub behind a real endpoint on a free port, or within the process where a
//! test needs virtual time. A [`Client`] speaks raw JSON, so that no client library can hide a
//! change of the wire. A [`Scene`] is a room with two innocent members and one who misbehaves.
//!
//! Nothing here sleeps to let something happen. That *nothing* happened is proven by a message
//! that would come after it: see [`Client::nothing_came`].

mod client;
mod delayed;
mod proxy;
mod random;
mod raw;
mod rules;
mod scene;
mod seed;
mod server;
mod zoom;

use std::time::{Duration, Instant};

pub use client::{Client, Link, strip};
pub use delayed::{Delayed, Trouble, Wires};
pub use noom_signal::{Hub, HubBuilder, Limits};
pub use proxy::{Fault, Proxy, Way, When};
pub use random::Random;
pub use raw::RawSocket;
pub use rules::Rules;
pub use scene::Scene;
pub use seed::seed;
pub use serde_json::{Value, json};
pub use server::Server;
pub use zoom::Zoom;

/// How long a real socket may take to do what it must. Only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Default limits with a few changes.
pub fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// Waits until `done`, letting everything else run. For what no message tells, such as the end of
/// a task; in real time only.
#[track_caller]
pub fn until(what: &str, mut done: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let what = what.to_owned();
    async move {
        let begin = Instant::now();
        while !done() {
            assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
            tokio::task::yield_now().await;
        }
    }
}

/// The code in `docs/embedding.md`, run as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
pub struct Embedding;
