//! The suite that every backplane must pass, for third parties too (feature `conformance`).
//!
//! It looks at a cluster as its peers do: hubs on nodes of the backplane under test, peers on the
//! hubs, and nothing believed but the frames that reach the peers. What it checks are the
//! invariants that `ARCHITECTURE.md` names I1 to I5.
//!
//! A suite is one async function that panics on the first broken promise. It takes the nodes of one
//! fresh cluster, and a seed: the same seed asks for the same things in the same order on each
//! peer. The interleaving between peers is the scheduler's, so run several.
//!
//! ```
//! use std::sync::Arc;
//! use noom_signal::{backplane::{Backplane, Local}, conformance};
//!
//! # #[tokio::main]
//! # async fn main() {
//! let first = Local::new();
//! let others = [first.another_node(), first.another_node()];
//! let nodes: Vec<Arc<dyn Backplane>> =
//!     [first].into_iter().chain(others).map(|node| Arc::new(node) as Arc<dyn Backplane>).collect();
//! conformance::membership(nodes, 1).await;
//! # }
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

mod membership;
mod messages;
mod moves;
mod witness;

use std::{sync::Arc, time::Duration};

use crate::{Hub, Limits, backplane::Backplane};

pub use membership::{capacity, membership};
pub use messages::messages;
pub use moves::moves;

/// How long a suite waits for anything before it calls it missing. Long, since nothing is proved by
/// a machine that was busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A hub on each node, that lets peers talk as fast as they like.
fn hubs(nodes: Vec<Arc<dyn Backplane>>) -> Vec<Hub> {
    let limits = Limits { messages_per_second: 0, ..Limits::default() };
    let hub = |node| Hub::builder().limits(limits.clone()).backplane(node).build().unwrap();
    nodes.into_iter().map(hub).collect()
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64, peer: usize) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (peer as u64) << 32)
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
}
