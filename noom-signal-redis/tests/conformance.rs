//! Real Redis against the suite that every backplane must pass.

mod support;

use noom_signal::conformance;
use support::{Server, log};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rosters_are_exact_and_have_one_history() {
    log();
    let server = Server::start().await;
    for seed in 0..3 {
        conformance::membership(server.nodes(1).await, seed).await;
        conformance::membership(server.nodes(3).await, seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_arrive_once_and_in_order() {
    log();
    let server = Server::start().await;
    for seed in 0..3 {
        conformance::messages(server.nodes(1).await, seed).await;
        conformance::messages(server.nodes(3).await, seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_notices_a_move() {
    log();
    let server = Server::start().await;
    for seed in 0..4 {
        conformance::moves(server.nodes(1).await, seed).await;
        conformance::moves(server.nodes(3).await, seed).await;
    }
}

#[tokio::test]
async fn the_last_place_goes_to_one() {
    log();
    let server = Server::start().await;
    conformance::capacity(server.nodes(1).await).await;
    conformance::capacity(server.nodes(3).await).await;
}
