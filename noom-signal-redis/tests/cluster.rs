//! A Redis Cluster: rooms spread over its masters.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::Instant;

use noom_signal::{
    backplane::{Backplane, Letter, Move},
    conformance,
    protocol::{Frame, Target},
    room::ChangeKind,
};
use support::{
    cluster::Cluster,
    config,
    crowd::{all_is_well, crowd},
    log, nodes,
    witness::{Node, Told, message, peer, room},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_passes_on_a_cluster() {
    log();
    let cluster = Cluster::start().await;
    for seed in 0..2 {
        conformance::membership(nodes(&config(cluster.url()), 3).await, seed).await;
        conformance::messages(nodes(&config(cluster.url()), 3).await, seed).await;
    }
    for seed in 0..6 {
        conformance::moves(nodes(&config(cluster.url()), 3).await, seed).await;
    }
    conformance::capacity(nodes(&config(cluster.url()), 3).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_keep_their_order_across_rooms_and_moves_reach_all() {
    log();
    let cluster = Cluster::start().await;
    let config = config(cluster.url());
    let (one, two) = (Node::start(&config).await, Node::start(&config).await);
    let names: Vec<String> = (0..40).map(|n| format!("room {n}")).collect();
    let mut known = Vec::new();
    for (n, name) in names.iter().enumerate() {
        two.join(name, "p", n as u64).await;
        known.push(one.join(name, "x", 1).await.change.after);
    }
    for n in 0..2000 {
        let at = n * 7 % names.len();
        let text = n.to_string();
        if n % 11 == 0 {
            let letter = Letter { from: one.id, text: Frame::from_text(text) };
            one.backplane.write(two.id, letter).await.unwrap();
        } else if n % 5 == 0 {
            let hello = message(&names[at], "x", Target::Everyone, known[at], &text);
            one.backplane.broadcast(vec![two.id], hello).await.unwrap();
        } else {
            let hello = message(&names[at], "x", Target::Peer(peer("p")), known[at], &text);
            one.backplane.send(two.id, hello).await.unwrap();
        }
    }
    let numbers = |told: &[Told]| -> Vec<usize> {
        let number = |told: &Told| match told {
            Told::Message(message) => message.frame.as_str().parse().ok(),
            Told::Letter(letter) => letter.text.as_str().parse().ok(),
            _ => None,
        };
        told.iter().filter_map(number).collect()
    };
    two.witness.until("all messages", |told| numbers(told).len() == 2000).await;
    assert_eq!(numbers(&two.witness.all()), (0..2000).collect::<Vec<_>>());

    let stays = names.iter().enumerate().map(|(n, name)| (room(name), n as u64)).collect();
    let moving = Move { peer: peer("p"), stays, node: one.id, generation: 1000 };
    let changes = two.backplane.hand_over(moving).await.unwrap();
    assert_eq!(changes.len(), 40);
    let moved = |told: &&Told| matches!(told, Told::Changed(c) if matches!(c.kind, ChangeKind::Moved { .. }));
    one.witness.until("all moves", |told| told.iter().filter(moved).count() == 40).await;
    assert_eq!(two.backplane.locate(&peer("p")).await.unwrap().unwrap().node, one.id);
    let entered = two.backplane.take_over(&peer("p"), 2000).await.unwrap();
    assert_eq!(entered.len(), 40);
    assert_eq!(two.backplane.locate(&peer("p")).await.unwrap().unwrap().node, two.id);
    assert!(!one.witness.all().contains(&Told::Gap) && !two.witness.all().contains(&Told::Gap));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_master_dies_and_its_replica_takes_its_place() {
    log();
    let mut cluster = Cluster::start().await;
    let (backplane, hubs, rooms, mut peers) = crowd(&config(cluster.url())).await;
    let begun = Instant::now();
    cluster.servers[0].kill();
    while backplane.lobby(1).await.is_ok() {}
    println!("seen after {:?}", begun.elapsed());
    all_is_well(&hubs, &rooms, &mut peers, begun).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slot_moves_to_another_master() {
    log();
    let cluster = Cluster::start().await;
    let (_, hubs, rooms, mut peers) = crowd(&config(cluster.url())).await;
    let begun = Instant::now();
    // The slots of the hash tags {0} and {1}, as `CLUSTER KEYSLOT` says.
    for tag in ["{0}", "{1}"] {
        let slot = cluster.servers[0].run(&["CLUSTER", "KEYSLOT", tag]).await;
        let redis::Value::Int(slot) = slot else { panic!() };
        let slot = usize::try_from(slot).unwrap();
        cluster.migrate(slot, (Cluster::master_of(slot) + 1) % 3).await;
    }
    all_is_well(&hubs, &rooms, &mut peers, begun).await;
}
