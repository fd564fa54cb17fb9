//! The local backplane against the suite that all must pass.

#![cfg(feature = "conformance")]

use std::sync::Arc;

use noom_signal::{
    backplane::{Backplane, Local},
    conformance,
};

fn cluster(nodes: usize) -> Vec<Arc<dyn Backplane>> {
    let first = Local::new();
    let mut all: Vec<Arc<dyn Backplane>> = Vec::new();
    for _ in 1..nodes {
        all.push(Arc::new(first.another_node()));
    }
    all.push(Arc::new(first));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rosters_are_exact_and_have_one_history() {
    for seed in 0..5 {
        conformance::membership(cluster(1), seed).await;
        conformance::membership(cluster(4), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_arrive_once_and_in_order() {
    for seed in 0..5 {
        conformance::messages(cluster(1), seed).await;
        conformance::messages(cluster(4), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_notices_a_move() {
    for seed in 0..5 {
        conformance::moves(cluster(1), seed).await;
        conformance::moves(cluster(4), seed).await;
    }
}

#[tokio::test]
async fn the_last_place_goes_to_one() {
    conformance::capacity(cluster(3)).await;
}
