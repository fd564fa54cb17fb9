//! Redis loses what it knew, or goes away.

use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use crate::{
    connections::place,
    scene::{Row, Scene, measuring},
    support::Server,
};

const ROOMS: usize = 50;
const PEERS_IN_ROOM: usize = 20;

/// Most rooms are left alone until it is over: nobody's request wakes them.
const ASKED: usize = 10;

async fn recover(scene: &mut Scene, fault: &'static str, begun: Instant) {
    scene.newcomers_in(0..ASKED, &[0, 1, 2]).await;
    let exact = scene.exact_since(begun).await;
    let noticed = scene.first_refusal(begun).map(|first| first - begun);
    scene.newcomers_in(ASKED..ROOMS, &[0, 1, 2]).await;
    scene.exact_since(begun).await;
    scene.assert_nobody_left();
    let sum = scene.end().await;
    let seen = "across nodes `unavailable`, then a `roster`; nobody is seen to leave";
    Row { fault, seen, exact, noticed, sum }.print();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_emptied_under_a_thousand_peers() {
    let server = Server::start().await;
    let mut scene = Scene::crowd(&vec![place(&server); 3], ROOMS, PEERS_IN_ROOM).await;
    let begun = Instant::now();
    server.run(&["FLUSHALL"]).await;
    recover(&mut scene, "FLUSHALL under 1,000 peers", begun).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_restarts_with_nothing_under_a_thousand_peers() {
    let mut server = Server::start().await;
    let mut scene = Scene::crowd(&vec![place(&server); 3], ROOMS, PEERS_IN_ROOM).await;
    let begun = Instant::now();
    server.restart().await;
    let fault = "Redis restarts with nothing on disk, under 1,000 peers";
    recover(&mut scene, fault, begun).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_away_and_nodes_go_on_alone() {
    let mut server = Server::start().await;
    let mut scene = Scene::set(&vec![place(&server); 3], 2, 3).await;
    let begun = Instant::now();
    let over = begun + Duration::from_secs(if measuring() { 30 } else { 10 });
    server.kill();
    scene.until("a refusal", |scene| scene.first_refusal(begun).is_some()).await;
    let first = scene.first_refusal(begun).unwrap();
    // What is kept for peers to resume from fills up first.
    sleep(Duration::from_secs(2)).await;
    let memory = |scene: &Scene| -> Vec<u64> { scene.nodes.iter().map(|n| n.memory()).collect() };
    let before = memory(&scene);
    let asked = scene.sum().said;
    sleep_until(over.into()).await;
    let after = memory(&scene);
    let asked = scene.sum().said - asked;
    let now = Instant::now();
    for node in 0..3 {
        let slowest = scene.slowest_answer(node, first, now);
        assert!(slowest < Duration::from_secs(1), "answered after {slowest:?}");
        scene.assert_unharmed_within(node, begun, now);
    }
    println!("{asked} messages said while away; memory of the nodes from {before:?} to {after:?}");
    for (before, after) in before.iter().zip(&after) {
        assert!(*after < before + (2 << 20), "{before} bytes of memory grew to {after}");
    }
    assert!(scene.joins_refused(first, now) > 0);

    let begun_again = Instant::now();
    server.restart().await;
    scene.newcomers(&[0, 1, 2]).await;
    let exact = scene.exact_since(begun_again).await;
    scene.assert_nobody_left();
    let sum = scene.end().await;
    let fault = "Redis away for 30 s";
    let seen = "within a node nothing; across nodes, and to joins, `unavailable` at once";
    Row { fault, seen, exact, noticed: Some(first - begun), sum }.print();
}
