//! Peers that go to another node, and what was sent to them meanwhile.

mod support;

use std::{sync::Arc, time::Duration};

use noom_signal::{
    backplane::{Backplane, Letter, Move, SendError},
    protocol::{ByeReason, Frame, Target},
    room::{Change, ChangeKind, NodeId},
};
use support::{
    Server, log,
    witness::{Node, Told, message, peer, room},
};

fn moved(change: &Change) -> bool {
    matches!(change.kind, ChangeKind::Moved { .. })
}

async fn three(server: &Server) -> [Arc<Node>; 3] {
    let config = server.config();
    let start = async || Arc::new(Node::start(&config).await);
    [start().await, start().await, start().await]
}

fn away(rooms: &[(&str, u64)], to: NodeId, generation: u64) -> Move {
    let stays = rooms.iter().map(|(name, generation)| (room(name), *generation)).collect();
    Move { peer: peer("p"), stays, node: to, generation }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_follow_a_peer_that_is_handed_over() {
    log();
    let server = Server::start().await;
    let [old, new, third] = three(&server).await;
    old.join("r", "p", 1).await;
    old.join("s", "p", 2).await;
    let known = third.join("r", "x", 1).await.change.after;
    third.join("s", "x", 2).await;

    // Somebody talks all the while, to the node where the peer was when it began.
    let talking = {
        let (old, third) = (old.id, third.clone());
        tokio::spawn(async move {
            for n in 0..600 {
                let to = Target::Peer(peer("p"));
                let hello = message("r", "x", to, known, &format!("{n}"));
                third.backplane.send(old, hello).await.unwrap();
            }
        })
    };
    old.witness.until("some messages", |told| told.len() > 100).await;
    let moving = away(&[("r", 1), ("s", 2), ("t", 3), ("s", 9)], new.id, 7);
    let changes = old.backplane.hand_over(moving).await.unwrap();
    let before = old.witness.heard_by("p");
    assert_eq!(changes.len(), 2);
    for change in &changes {
        assert_eq!((change.after.step, change.after.version), (3, 2));
        let kind = ChangeKind::Moved { peer: peer("p"), generation: 7, node: new.id };
        assert_eq!(change.kind, kind);
    }
    talking.await.unwrap();
    new.witness
        .until("the last message", |told| {
            told.iter().any(|told| matches!(told, Told::Message(m) if m.frame.as_str() == "599"))
        })
        .await;
    assert_eq!(old.witness.heard_by("p"), before, "something came after the hand-over");
    let mut all = before;
    println!("{} before, {} after", all.len(), new.witness.heard_by("p").len());
    all.extend(new.witness.heard_by("p"));
    assert_eq!(all, (0..600).map(|n| n.to_string()).collect::<Vec<_>>());

    // Both other nodes are told of the steps; the old one was answered with them.
    for node in [&new, &third] {
        let two = |told: &[Told]| {
            told.iter().filter(|told| matches!(told, Told::Changed(c) if moved(c))).count() == 2
        };
        node.witness.until("two moves", two).await;
        let told: Vec<Change> = node.witness.changes().into_iter().filter(moved).collect();
        assert!(told.iter().all(|change| changes.contains(change)));
    }
    assert!(!old.witness.changes().iter().any(moved));

    // The new node hears of the rooms from now on; a repeated leave of the old stay does nothing.
    let reason = ByeReason::Disconnected;
    assert_eq!(old.backplane.leave(&room("r"), &peer("p"), 1, reason).await, Ok(None));
    let located = third.backplane.locate(&peer("p")).await.unwrap().unwrap();
    assert_eq!((located.node, located.alive), (new.id, true));
    assert_eq!(located.user.unwrap().as_str(), "someone");
    let left = new.backplane.leave(&room("r"), &peer("p"), 7, reason).await.unwrap().unwrap();
    assert_eq!((left.after.step, left.after.version), (4, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_reaches_each_once_whenever_it_was_meant() {
    log();
    let server = Server::start().await;
    let [old, new, third] = three(&server).await;
    old.join("r", "p", 1).await;
    old.join("r", "stays", 2).await;
    let known = third.join("r", "x", 1).await.change.after;
    let changes = old.backplane.hand_over(away(&[("r", 1)], new.id, 5)).await.unwrap();
    let after = changes[0].after;

    let all = || Target::Everyone;
    let early = message("r", "x", all(), known, "early");
    third.backplane.broadcast(vec![old.id], early).await.unwrap();
    // Whoever knows of the move names both nodes himself.
    let late = message("r", "x", all(), after, "late");
    third.backplane.broadcast(vec![old.id, new.id], late).await.unwrap();
    let two =
        |told: &[Told]| told.iter().filter(|told| matches!(told, Told::Message(_))).count() == 2;
    for node in [&old, &new] {
        node.witness.until("two messages", two).await;
    }
    assert_eq!(old.witness.heard_by("stays"), ["early", "late"]);
    assert_eq!(old.witness.messages()[0].except, [peer("p")]);
    assert!(old.witness.messages()[1].except.is_empty());
    assert_eq!(new.witness.messages()[0].to, Target::Peer(peer("p")));
    assert_eq!(new.witness.heard_by("p"), ["early", "late"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_comes_back_is_found_by_all() {
    log();
    let server = Server::start().await;
    let [old, new, third] = three(&server).await;
    old.join("r", "p", 1).await;
    let known = third.join("r", "x", 1).await.change.after;
    for n in 0..10 {
        let (here, there) = if n % 2 == 0 { (&old, &new) } else { (&new, &old) };
        let changes = here.backplane.hand_over(away(&[("r", n + 1)], there.id, n + 2)).await;
        assert_eq!(changes.unwrap().len(), 1);
        for to in [old.id, new.id] {
            let hello = message("r", "x", Target::Peer(peer("p")), known, &format!("{n}"));
            third.backplane.send(to, hello).await.unwrap();
        }
        let expected = format!("{n}");
        let heard = |told: &[Told]| {
            let it =
                |told: &&Told| matches!(told, Told::Message(m) if m.frame.as_str() == expected);
            told.iter().filter(it).count() == 2
        };
        there.witness.until("both messages", heard).await;
    }
    assert_eq!(old.witness.messages().len() + new.witness.messages().len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_nodes_peer_is_taken_over_and_stays() {
    log();
    let server = Server::start().await;
    let config =
        server.config().lease(Duration::from_millis(1500)).renew(Duration::from_millis(300));
    let (dead, new) = (Node::start(&config).await, Node::start(&config).await);
    let third = Node::start(&config).await;
    for (name, generation) in [("r", 1), ("s", 2), ("t", 3)] {
        dead.join(name, "p", generation).await;
    }
    dead.join("r", "q", 4).await;
    let known = third.join("r", "x", 1).await.change.after;
    dead.backplane.kill();
    let found = new.backplane.locate(&peer("p")).await.unwrap().unwrap();
    assert_eq!(found.node, dead.id);
    let mut entered = new.backplane.take_over(&peer("p"), 9).await.unwrap();
    entered.sort_by(|a, b| a.change.room.cmp(&b.change.room));
    let rooms: Vec<&str> = entered.iter().map(|entered| entered.change.room.as_str()).collect();
    assert_eq!(rooms, ["r", "s", "t"]);
    for entered in &entered {
        assert_eq!(entered.snapshot.stamp, entered.change.after);
        let p = entered.snapshot.members.iter().find(|member| member.peer == peer("p")).unwrap();
        assert_eq!((p.node, p.generation, p.since), (new.id, 9, 1));
    }
    assert_eq!(entered[0].snapshot.members.len(), 3);
    let hello = message("r", "x", Target::Peer(peer("p")), known, "hello");
    third.backplane.send(dead.id, hello).await.unwrap();
    new.witness.until("hello", |told| told.iter().any(|t| matches!(t, Told::Message(_)))).await;
    let lost =
        |told: &Told| matches!(told, Told::Changed(c) if matches!(c.kind, ChangeKind::Left{..}));
    third.witness.until("q lost", |told| told.iter().any(lost)).await;
    let left: Vec<Change> = third.witness.changes().into_iter().filter(|c| !moved(c)).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(new.backplane.occupancy(&room("r")).await, Ok(2));
    // Once swept, the node is gone for those who never moved; who moved is found still.
    let hello = |who: &str| message("r", "x", Target::Peer(peer(who)), known, "again");
    assert_eq!(third.backplane.send(dead.id, hello("q")).await, Err(SendError::NodeGone));
    third.backplane.send(dead.id, hello("p")).await.unwrap();
    new.witness
        .until("again", |told| told.iter().filter(|t| matches!(t, Told::Message(_))).count() == 2)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_gone_is_handed_nothing() {
    log();
    let server = Server::start().await;
    let [old, _, third] = three(&server).await;
    old.join("r", "p", 1).await;
    assert!(old.backplane.hand_over(away(&[("r", 1)], NodeId(77), 2)).await.is_err());
    assert_eq!(third.backplane.locate(&peer("p")).await.unwrap().unwrap().node, old.id);
    assert!(third.backplane.take_over(&peer("nobody"), 3).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_arrive_long_ones_too() {
    log();
    let server = Server::start().await;
    let [one, two, _] = three(&server).await;
    let letter = |text: String| Letter { from: one.id, text: Frame::from_text(text) };
    let long = "x".repeat(1_300_000);
    for text in ["{}".to_owned(), long.clone(), "☕\n\0".to_owned()] {
        one.backplane.write(two.id, letter(text)).await.unwrap();
    }
    two.witness.until("three letters", |told| told.len() == 3).await;
    let expected = ["{}", &long, "☕\n\0"].map(|text| Told::Letter(letter(text.to_owned())));
    assert!(two.witness.all() == expected);
    let gone = one.backplane.write(NodeId(77), letter("{}".into())).await;
    assert_eq!(gone, Err(SendError::NodeGone));
}
