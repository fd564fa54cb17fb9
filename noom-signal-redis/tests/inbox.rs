//! What is left for a node reaches it once and in order, or it is told that something is missing.

mod support;

use std::{sync::Arc, time::Duration};

use noom_signal::{
    backplane::{Backplane, SendError},
    protocol::Target,
    room::Stamp,
};
use support::{
    Server, log,
    proxy::{Line, Proxy},
    witness::{Node, Told, message, peer},
};

/// Sends numbers until so many were taken over; returns those.
async fn count(from: &Node, to: &Node, numbers: std::ops::Range<usize>) -> Vec<String> {
    let mut taken = Vec::new();
    for n in numbers {
        let text = n.to_string();
        let hello = message("r", "a", Target::Peer(peer("b")), Stamp::default(), &text);
        match from.backplane.send(to.id, hello).await {
            Ok(()) => taken.push(text),
            Err(SendError::Unavailable(it)) => {
                tokio::time::sleep(Duration::from_millis(it.retry_after_ms.min(50))).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_killed_loses_nothing() {
    log();
    let server = Server::start().await;
    let config = server.config();
    let (one, two) = (Node::start(&config).await, Node::start(&config).await);
    one.join("r", "a", 1).await;
    two.join("r", "b", 1).await;
    let (one, two) = (Arc::new(one), Arc::new(two));
    let killing = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            server.run(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        }
    };
    let (sender, receiver) = (one.clone(), two.clone());
    let counting = tokio::spawn(async move { count(&sender, &receiver, 0..4000).await });
    killing.await;
    let mut taken = counting.await.unwrap();
    while one.try_join("r", "c", 2).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    taken.extend(count(&one, &two, 4000..4001).await);
    let last = |told: &Told| matches!(told, Told::Message(m) if m.frame.as_str() == "4000");
    two.witness.until("the last", |told| told.iter().any(last)).await;
    let heard = two.witness.heard_by("b");
    // A message whose sender was told that it failed may have come all the same, once.
    let mut expected = taken.iter().peekable();
    for text in &heard {
        expected.next_if(|next| *next == text);
    }
    assert_eq!(expected.next(), None, "not all that was taken over came, in its order");
    let mut once = heard.clone();
    once.dedup();
    assert_eq!(once.len(), heard.len());
    println!("{} of 4001 taken over, {} came", taken.len(), heard.len());
    assert!(!two.witness.all().contains(&Told::Gap));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_forgotten_are_told_again() {
    log();
    let server = Server::start().await;
    let config = server.config();
    let (one, two) = (Node::start(&config).await, Node::start(&config).await);
    for round in 0..3 {
        server.run(&["SCRIPT", "FLUSH"]).await;
        one.join(&format!("r{round}"), "a", 1).await;
        two.join(&format!("r{round}"), "b", 1).await;
        assert_eq!(count(&one, &two, round..round + 1).await.len(), 1);
    }
    two.witness.until("three messages", |told| told.len() >= 3).await;
    assert_eq!(two.witness.heard_by("b"), ["0", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_inbox_refuses_messages_and_ends_in_a_gap() {
    log();
    let server = Server::start().await;
    let proxy = Proxy::start(server.port).await;
    let config = server.config().prefix("full").inbox_entries(100);
    let through = noom_signal_redis::Config::new(proxy.url()).prefix("full").inbox_entries(100);
    let (one, two) = (Node::start(&config).await, Node::start(&through).await);
    one.join("r", "a", 1).await;
    two.join("r", "b", 1).await;
    proxy.set(Line::Broken);
    let taken = count(&one, &two, 0..110).await;
    assert_eq!(taken.len(), 100);
    // Steps are not refused: they are left out, once and for all that follow.
    for n in 0..10 {
        one.join("r", &format!("c{n}"), 1).await;
    }
    assert!(count(&one, &two, 0..1).await.is_empty());
    let length = server.run(&["KEYS", "full:*:inbox:*"]).await;
    let redis::Value::Array(keys) = length else { panic!() };
    for key in keys {
        let redis::Value::BulkString(key) = key else { panic!() };
        let key = String::from_utf8(key).unwrap();
        let redis::Value::Int(length) = server.run(&["XLEN", &key]).await else { panic!() };
        assert!(length <= 101, "{key} {length}");
    }
    proxy.set(Line::Passes);
    two.witness.until("a gap", |told| told.last() == Some(&Told::Gap)).await;
    assert_eq!(two.witness.heard_by("b"), taken);
    // It takes entries again.
    let more = count(&one, &two, 500..505).await;
    assert_eq!(more.len(), 5);
    two.witness.until("the rest", |told| told.len() >= 106).await;
    let snapshot = two.backplane.resync(&"r".parse().unwrap(), Stamp::default(), Vec::new()).await;
    assert_eq!(snapshot.unwrap().members.len(), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_are_gone_are_a_gap() {
    log();
    let server = Server::start().await;
    let proxy = Proxy::start(server.port).await;
    let config = server.config().prefix("gone");
    let through = noom_signal_redis::Config::new(proxy.url()).prefix("gone");
    let (one, two) = (Node::start(&config).await, Node::start(&through).await);
    one.join("r", "a", 1).await;
    two.join("r", "b", 1).await;
    proxy.set(Line::Broken);
    assert_eq!(count(&one, &two, 0..10).await.len(), 10);
    let redis::Value::Array(keys) = server.run(&["KEYS", "gone:*:inbox:*"]).await else { panic!() };
    for key in keys {
        let redis::Value::BulkString(key) = key else { panic!() };
        server.run(&["XTRIM", &String::from_utf8(key).unwrap(), "MAXLEN", "3"]).await;
    }
    proxy.set(Line::Passes);
    two.witness.until("a gap and the rest", |told| told.len() >= 4).await;
    assert_eq!(two.witness.all()[0], Told::Gap);
    assert_eq!(two.witness.heard_by("b"), ["7", "8", "9"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_traffic_leaves_little_behind() {
    log();
    let server = Server::start().await;
    let config = server.config();
    let (one, two) = (Node::start(&config).await, Node::start(&config).await);
    one.join("r", "a", 1).await;
    two.join("r", "b", 1).await;
    let begun = std::time::Instant::now();
    assert_eq!(count(&one, &two, 0..5000).await.len(), 5000);
    println!("one after the other: {:?} each", begun.elapsed() / 5000);
    two.witness.until("all", |told| told.len() >= 5000).await;
    let redis::Value::Array(keys) = server.run(&["KEYS", "*:inbox:*"]).await else { panic!() };
    for key in keys {
        let redis::Value::BulkString(key) = key else { panic!() };
        let key = String::from_utf8(key).unwrap();
        let redis::Value::Int(length) = server.run(&["XLEN", &key]).await else { panic!() };
        println!("{length} entries left");
        assert!(length < 1000);
    }
}
