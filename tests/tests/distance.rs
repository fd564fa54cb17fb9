//! The suite for backplanes, on a cluster whose wires are slow: what the trait permits, the hubs bear.

use std::{sync::Arc, time::Duration};

use noom_signal::{backplane::Backplane, conformance};
use system_tests::{Delayed, Trouble};

fn cluster(seed: u64) -> Vec<Arc<dyn Backplane>> {
    let trouble =
        Trouble { delay: Duration::from_millis(40), unavailable: 0, gaps: 0, losses: false };
    let (nodes, _) = Delayed::cluster(3, seed, trouble);
    nodes.into_iter().map(|node| Arc::new(node) as Arc<dyn Backplane>).collect()
}

#[tokio::test(start_paused = true)]
async fn rosters_are_exact() {
    for seed in 0..10 {
        conformance::membership(cluster(seed), seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn messages_arrive_once_and_in_order() {
    for seed in 0..10 {
        conformance::messages(cluster(seed), seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_notices_a_move() {
    for seed in 0..10 {
        conformance::moves(cluster(seed), seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_place_goes_to_one() {
    conformance::capacity(cluster(1)).await;
}
