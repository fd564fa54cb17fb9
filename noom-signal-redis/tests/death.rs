//! A node that dies, and one that is only taken for dead.

mod support;

use std::time::{Duration, Instant};

use noom_signal::{backplane::Backplane, protocol::ByeReason, room::ChangeKind};
use support::{
    Server, log,
    proxy::{Line, Proxy},
    witness::{Node, Told, peer, room},
};

fn lost(told: &[Told]) -> usize {
    let lost = |told: &&Told| {
        let Told::Changed(change) = told else { return false };
        matches!(change.kind, ChangeKind::Left { reason: ByeReason::Lost, .. })
    };
    told.iter().filter(lost).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_peers_of_a_dead_node_are_lost_when_its_lease_ends() {
    log();
    let server = Server::start().await;
    let config = server.config();
    let dying = Node::start(&config).await;
    let other = Node::start(&config).await;
    let third = Node::start(&config).await;
    for n in 0..250 {
        dying.join("r", &format!("p{n}"), 1).await;
    }
    other.join("r", "witness", 1).await;
    third.join("r", "another", 1).await;
    dying.backplane.kill();
    let begun = Instant::now();
    for node in [&other, &third] {
        node.witness.until("250 times lost", |told| lost(told) >= 250).await;
        println!("all lost after {:?}", begun.elapsed());
        assert_eq!(lost(&node.witness.all()), 250);
        let steps: Vec<u64> = node.witness.changes().iter().map(|c| c.after.step).collect();
        assert!(steps.windows(2).all(|pair| pair[1] == pair[0] + 1), "{steps:?}");
    }
    // That Redis was asked too early is not to be had either.
    assert!(begun.elapsed() > Duration::from_secs(6));
    let now = other.backplane.occupancy(&room("r")).await.unwrap();
    assert_eq!(now, 2);
    assert_eq!(other.backplane.locate(&peer("p0")).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_says_goodbye_is_gone_at_once() {
    log();
    let server = Server::start().await;
    let config = server.config();
    let leaving = Node::start(&config).await;
    let other = Node::start(&config).await;
    leaving.join("r", "a", 1).await;
    other.join("r", "b", 1).await;
    drop(leaving);
    other.witness.until("a lost", |told| lost(told) == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_cut_off_for_longer_than_its_lease_is_fenced() {
    log();
    let server = Server::start().await;
    let proxy = Proxy::start(server.port).await;
    let short = |config: noom_signal_redis::Config| {
        config.lease(Duration::from_millis(1500)).renew(Duration::from_millis(300))
    };
    let config = short(server.config().prefix("fence"));
    let through = short(noom_signal_redis::Config::new(proxy.url()).prefix("fence"));
    let cut = Node::start(&through).await;
    let other = Node::start(&config).await;
    cut.join("r", "a", 1).await;
    other.join("r", "b", 1).await;
    proxy.set(Line::Swallows);
    other.witness.until("a lost", |told| lost(told) == 1).await;
    assert!(cut.try_join("r", "c", 2).await.is_err());
    assert!(!cut.witness.all().contains(&Told::Fenced));
    proxy.set(Line::Passes);
    cut.witness.until("fenced", |told| told.contains(&Told::Fenced)).await;
    // It goes on under its id, and is heard again.
    let entered = loop {
        match cut.try_join("r", "a", 3).await {
            Ok(entered) => break entered,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert_eq!(entered.snapshot.members.len(), 2);
    assert_eq!(cut.id, entered.snapshot.members.iter().find(|m| m.generation == 3).unwrap().node);
    other.join("r", "d", 1).await;
    let joined = |told: &Told| matches!(told, Told::Changed(c) if c.after.step == 5);
    cut.witness.until("d's join", |told| told.iter().any(joined)).await;
    assert_eq!(cut.witness.all().iter().filter(|told| **told == Told::Fenced).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_cut_off_for_less_than_its_lease_misses_nothing() {
    log();
    let server = Server::start().await;
    let proxy = Proxy::start(server.port).await;
    let config = server.config().prefix("cut");
    let through = noom_signal_redis::Config::new(proxy.url()).prefix("cut");
    let cut = Node::start(&through).await;
    let other = Node::start(&config).await;
    cut.join("r", "a", 1).await;
    for line in [Line::Swallows, Line::Broken] {
        proxy.set(line);
        let begun = Instant::now();
        let before = cut.witness.changes().len();
        for n in 0..50 {
            let name = format!("b{n}");
            other.join("r", &name, 1).await;
            other.backplane.leave(&room("r"), &peer(&name), 1, ByeReason::Left).await.unwrap();
        }
        while cut.try_join("other", "x", 7).await.is_ok() {}
        println!("{line:?}: seen after {:?}", begun.elapsed());
        proxy.set(Line::Passes);
        let all = |told: &[Told]| {
            told.iter().filter(|told| matches!(told, Told::Changed(_))).count() == before + 100
        };
        cut.witness.until("all that happened meanwhile", all).await;
        println!("{line:?}: all read after {:?}", begun.elapsed());
    }
    let told = cut.witness.all();
    assert!(!told.contains(&Told::Gap) && !told.contains(&Told::Fenced));
}
