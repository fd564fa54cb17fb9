//! Redis is away: requests are answered at once, and all goes on when it is back.

mod support;

use std::time::{Duration, Instant};

use noom_signal::{
    backplane::{Backplane, JoinError, SendError},
    protocol::{ByeReason, Target},
    room::Stamp,
};
use noom_signal_redis::{Config, ConnectError, Redis};
use support::{
    Server, free_port, log,
    witness::{Node, message, peer, room},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_answered_at_once() {
    log();
    let mut server = Server::start().await;
    let config = server.config();
    let (one, two) = (Node::start(&config).await, Node::start(&config).await);
    one.join("r", "a", 1).await;
    two.join("r", "b", 1).await;
    server.kill();
    while one.try_join("r", "c", 2).await.is_ok() {}
    // Thousands of them: none waits, and so none is kept.
    let begun = Instant::now();
    for n in 0..10_000 {
        let hello = message("r", "a", Target::Peer(peer("b")), Stamp::default(), "{}");
        let sent = one.backplane.send(two.id, hello).await;
        let Err(SendError::Unavailable(unavailable)) = sent else { panic!("{n}: {sent:?}") };
        assert!((50..=2000).contains(&unavailable.retry_after_ms), "{unavailable:?}");
    }
    println!("10,000 refused in {:?}", begun.elapsed());
    let joined = one.try_join("r", "d", 3).await;
    assert!(matches!(joined, Err(JoinError::Unavailable(_))), "{joined:?}");
    assert!(one.backplane.leave(&room("r"), &peer("a"), 1, ByeReason::Left).await.is_err());
    assert!(one.backplane.lobby(10).await.is_err());
    assert!(one.backplane.locate(&peer("b")).await.is_err());

    let begun = Instant::now();
    server.restart().await;
    one.witness.until("a gap", |told| told.contains(&support::witness::Told::Gap)).await;
    println!("back after {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_pauses_is_away_too() {
    log();
    let server = Server::start().await;
    let config = server.config();
    let (one, two) = (Node::start(&config).await, Node::start(&config).await);
    one.join("r", "a", 1).await;
    two.join("r", "b", 1).await;
    let begun = Instant::now();
    server.run(&["CLIENT", "PAUSE", "4000", "ALL"]).await;
    while one.try_join("r", "c", 2).await.is_ok() {}
    println!("seen after {:?}", begun.elapsed());
    let asked = Instant::now();
    assert!(one.try_join("r", "d", 3).await.is_err());
    println!("answered after {:?}", asked.elapsed());
    let text = "{\"type\":\"message\"}";
    loop {
        let hello = message("r", "a", Target::Peer(peer("b")), Stamp::default(), text);
        match one.backplane.send(two.id, hello).await {
            Ok(()) => break,
            Err(SendError::Unavailable(it)) => {
                tokio::time::sleep(Duration::from_millis(it.retry_after_ms)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    println!("back after {:?}", begun.elapsed());
    two.witness.until("the message", |told| !told.is_empty()).await;
    let nobody_lost = |node: &Node| !node.witness.all().contains(&support::witness::Told::Fenced);
    assert!(nobody_lost(&one) && nobody_lost(&two));
}

#[tokio::test]
async fn a_start_without_redis_fails_with_its_address() {
    let port = free_port();
    let error = Redis::connect(Config::new(format!("redis://127.0.0.1:{port}"))).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[tokio::test]
async fn a_start_on_a_redis_that_evicts_fails() {
    let server =
        Server::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]).await;
    let error = Redis::connect(Config::new(server.url())).await.unwrap_err();
    let named = matches!(&error, ConnectError::Eviction { policy, .. } if policy == "allkeys-lru");
    assert!(named, "{error}");
}
