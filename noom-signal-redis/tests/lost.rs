//! Redis loses what it knew. The nodes bring it back, and nobody is seen to leave.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use noom_signal::{
    Hub, Limits,
    protocol::{RoomName, ServerMessage, Target},
};
use support::{Server, log, peer::Peer, witness::room};

const NODES: usize = 3;
const ROOMS: usize = 50;
const PEERS_IN_ROOM: usize = 20;

async fn hubs(server: &Server) -> Vec<Hub> {
    let mut limits = Limits::default();
    limits.messages_per_second = 0;
    let nodes = server.nodes(NODES).await;
    let hub = |node| Hub::builder().limits(limits.clone()).backplane(node).build().unwrap();
    nodes.into_iter().map(hub).collect()
}

/// A thousand peers, those of each room on all nodes.
async fn crowd(hubs: &[Hub]) -> (Vec<RoomName>, Vec<Peer>) {
    let rooms: Vec<RoomName> = (0..ROOMS).map(|n| room(&format!("room {n}"))).collect();
    let mut peers = Vec::new();
    for n in 0..ROOMS * PEERS_IN_ROOM {
        let mut peer = Peer::arrive(&hubs[n % NODES]).await;
        peer.join(&rooms[n % ROOMS]).await;
        peers.push(peer);
    }
    (rooms, peers)
}

/// Everybody is told the room as it is, all in it, and can be talked to.
async fn all_is_well(rooms: &[RoomName], peers: &mut [Peer], begun: Instant) {
    for peer in &mut *peers {
        let roster = |frame: &ServerMessage| match frame {
            ServerMessage::Roster(roster) => roster.peers.len() == PEERS_IN_ROOM - 1,
            _ => false,
        };
        peer.until("a roster", |seen| seen.iter().any(roster)).await;
    }
    println!("all rosters told after {:?}", begun.elapsed());
    for peer in &*peers {
        assert_eq!(peer.byes(), 0, "{}", peer.id);
        let short = |frame: &&ServerMessage| match frame {
            ServerMessage::Roster(roster) => roster.peers.len() != PEERS_IN_ROOM - 1,
            _ => false,
        };
        assert_eq!(peer.seen.iter().find(short), None, "{}", peer.id);
    }
    let ids: Vec<_> = peers.iter().map(|peer| peer.id.clone()).collect();
    for n in 0..ROOMS {
        let to = Target::Peer(ids[n + ROOMS].clone());
        peers[n].say(&rooms[n], to).await.unwrap();
        let message = |frame: &ServerMessage| matches!(frame, ServerMessage::Message(_));
        peers[n + ROOMS].until("a message", |seen| seen.iter().any(message)).await;
    }
    println!("all can talk after {:?}", begun.elapsed());
    for peer in peers {
        peer.seen.clear();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn emptied_and_restarted_under_a_thousand_peers() {
    log();
    let mut server = Server::start().await;
    let hubs = hubs(&server).await;
    let (rooms, mut peers) = crowd(&hubs).await;
    for peer in &mut peers {
        peer.seen.clear();
    }

    let begun = Instant::now();
    server.run(&["FLUSHALL"]).await;
    all_is_well(&rooms, &mut peers, begun).await;

    let begun = Instant::now();
    server.restart().await;
    println!("up again after {:?}", begun.elapsed());
    all_is_well(&rooms, &mut peers, begun).await;

    // Whoever comes now finds all of them, under a version above all that were told.
    let mut late = Peer::arrive(&hubs[0]).await;
    late.join(&rooms[0]).await;
    let Some(ServerMessage::Joined(joined)) = late.seen.last() else { panic!() };
    assert_eq!(joined.peers.len(), PEERS_IN_ROOM);
    assert!(joined.peers.iter().all(|peer| peer.since < joined.version));
    peers[0]
        .until("a welcome", |seen| matches!(seen.last(), Some(ServerMessage::Welcome(_))))
        .await;
    drop(hubs);
}

/// An epoch that a restart left on disk is not gone on with: what was written last is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_an_old_run_left_is_not_believed_and_cleared_away() {
    log();
    let server = Server::start().await;
    let config = server.config().settle(Duration::from_millis(300));
    let first = support::witness::Node::start(&config).await;
    for n in 0..250 {
        first.join("r", &format!("p{n}"), 1).await;
    }
    first.backplane.kill();
    // What a copy of the data on another server looks like.
    let keys = format!("{}epoch", prefix(&server).await);
    server.run(&["HSET", &keys, "run", "0123456789abcdef"]).await;
    let second = support::witness::Node::start(&config).await;
    let entered = second.join("r", "q", 1).await;
    assert_eq!((entered.snapshot.members.len(), entered.change.after.version), (1, 1));
    let begun = Instant::now();
    loop {
        let redis::Value::Array(left) = server.run(&["KEYS", "*room:*"]).await else { panic!() };
        let redis::Value::Array(where_to) = server.run(&["KEYS", "*where:*"]).await else {
            panic!()
        };
        if (left.len(), where_to.len()) == (1, 1) {
            break;
        }
        assert!(begun.elapsed() < support::PATIENCE, "{left:?} {where_to:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn prefix(server: &Server) -> String {
    let redis::Value::Array(mut keys) = server.run(&["KEYS", "*:epoch"]).await else { panic!() };
    let redis::Value::BulkString(key) = keys.remove(0) else { panic!() };
    String::from_utf8(key).unwrap().trim_end_matches("epoch").to_owned()
}
