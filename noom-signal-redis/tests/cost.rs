//! What things cost, by Redis's own count.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use noom_signal::{backplane::Backplane, protocol::Target};
use support::{
    Server,
    cluster::text,
    config, log,
    witness::{Node, Told, message, peer},
};

/// How often each command was called.
async fn calls(server: &Server, name: &str) -> u64 {
    let stats = text(server.run(&["INFO", "commandstats"]).await);
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
    line.and_then(|line| line.split(',').next()).map_or(0, |calls| calls.parse().unwrap())
}

/// The same for a small cluster and a large one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directed_message_is_one_script_and_one_delivery() {
    const MESSAGES: u64 = 500;
    log();
    for count in [3, 20] {
        let server = Server::start().await;
        let config = config(server.url());
        let mut nodes = Vec::new();
        for n in 0..count {
            let node = Node::start(&config).await;
            node.join("r", &format!("p{n}"), 1).await;
            nodes.push(node);
        }
        let known = nodes[0].join("r", "x", 2).await.change.after;
        let all = async |name: &str| calls(&server, name).await;
        let (published, added) = (all("publish").await, all("xadd").await);
        let begun = Instant::now();
        for _ in 0..MESSAGES {
            let hello = message("r", "x", Target::Peer(peer("p1")), known, "{\"type\":\"offer\"}");
            nodes[0].backplane.send(nodes[1].id, hello).await.unwrap();
        }
        println!("{count} nodes: {:?} a message", begun.elapsed() / MESSAGES as u32);
        assert_eq!(all("publish").await - published, MESSAGES);
        assert_eq!(all("xadd").await - added, MESSAGES);
        let message = |told: &&Told| matches!(told, Told::Message(_));
        let all = |told: &[Told]| told.iter().filter(message).count() as u64 == MESSAGES;
        nodes[1].witness.until("all messages", all).await;
        for (n, node) in nodes.iter().enumerate() {
            assert_eq!(node.witness.messages().is_empty(), n != 1);
        }
    }
}

/// Whatever the number of peers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staying_alive_costs_the_same_for_many_as_for_few() {
    log();
    let mut counts = Vec::new();
    for peers in [1, 300] {
        let server = Server::start().await;
        let node = Node::start(&config(server.url())).await;
        for n in 0..peers {
            node.join(&format!("r{}", n % 30), &format!("p{n}"), n + 1).await;
        }
        // From one renewal to the third after it.
        let renewals = async || calls(&server, "zadd").await;
        let start = renewals().await;
        while renewals().await == start {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let before = calls(&server, "evalsha").await;
        while renewals().await < start + 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        counts.push(calls(&server, "evalsha").await - before);
    }
    println!("{counts:?} scripts in two renewals");
    assert!(counts[0].abs_diff(counts[1]) <= 2, "{counts:?}");
}
