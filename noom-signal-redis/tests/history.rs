//! Joins and leaves of the same rooms on three nodes at once, version by version.

mod support;

use std::collections::BTreeMap;

use noom_signal::{
    backplane::Backplane,
    protocol::ByeReason,
    room::{Change, Roster},
};
use support::{
    Server, log,
    witness::{Node, Told, peer, room},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_node_can_tell_the_same_history() {
    log();
    let server = Server::start().await;
    let config = server.config();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(std::sync::Arc::new(Node::start(&config).await));
    }
    // One peer of each node stays, so that each node hears of all that comes after it.
    let mut replies: Vec<Vec<Change>> = Vec::new();
    let mut base = Roster::default();
    for (n, node) in nodes.iter().enumerate() {
        let entered = node.join("r", &format!("anchor-{n}"), 1).await;
        base = entered.snapshot.into();
    }
    let start = base.stamp();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..12 {
        let node = nodes[task % 3].clone();
        tasks.spawn(async move {
            let mut changes = Vec::new();
            let who = format!("p{task}");
            for generation in 1..40 {
                changes.push(node.join("r", &who, generation).await.change);
                let (room, peer) = (room("r"), peer(&who));
                if generation % 3 == 0 {
                    let meta = noom_signal::protocol::Json::of(&generation).unwrap();
                    let updated = node.backplane.update(&room, &peer, generation, meta).await;
                    changes.push(updated.unwrap().unwrap());
                }
                let left = node.backplane.leave(&room, &peer, generation, ByeReason::Left).await;
                changes.push(left.unwrap().unwrap());
            }
            (task % 3, changes)
        });
    }
    replies.resize(3, Vec::new());
    for (node, changes) in tasks.join_all().await {
        replies[node].extend(changes);
    }
    let total: usize = replies.iter().map(Vec::len).sum();
    let last = start.step + total as u64;
    let mut histories = Vec::new();
    for (node, replies) in nodes.iter().zip(&replies) {
        let others = total - replies.len();
        let after = |told: &Told| matches!(told, Told::Changed(c) if c.before.step >= start.step);
        node.witness
            .until("a step", |told| told.iter().filter(|told| after(told)).count() >= others)
            .await;
        let events = node.witness.changes();
        let steps = events.into_iter().chain(replies.clone());
        let steps: BTreeMap<u64, Change> = steps
            .filter(|change| change.before.step >= start.step)
            .map(|change| (change.after.step, change))
            .collect();
        assert_eq!(steps.len(), total);
        let mut roster = base.clone();
        for (step, change) in &steps {
            assert_eq!(change.before, roster.stamp(), "step {step} does not lead on");
            roster.apply(change);
        }
        assert_eq!((roster.stamp().step, roster.len()), (last, 3));
        assert!(!node.witness.all().contains(&Told::Gap));
        histories.push(steps);
    }
    assert!(histories.windows(2).all(|pair| pair[0] == pair[1]));
}
