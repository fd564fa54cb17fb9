//! Rooms full of peers, on several hubs.

use std::{sync::Arc, time::Instant};

use noom_signal::{
    Hub, Limits,
    backplane::Backplane,
    protocol::{RoomName, ServerMessage},
};
use noom_signal_redis::Config;

use super::{nodes, peer::Peer, witness::room};

/// Three hubs, and rooms with two peers on each of them.
pub(crate) async fn crowd(
    config: &Config,
) -> (Arc<dyn Backplane>, Vec<Hub>, Vec<RoomName>, Vec<Peer>) {
    let mut limits = Limits::default();
    limits.messages_per_second = 0;
    let hub = |node| Hub::builder().limits(limits.clone()).backplane(node).build().unwrap();
    let all: Vec<Arc<dyn Backplane>> = nodes(config, 3).await;
    let first = all[0].clone();
    let hubs: Vec<Hub> = all.into_iter().map(hub).collect();
    let rooms: Vec<RoomName> = (0..30).map(|n| room(&format!("room {n}"))).collect();
    let mut peers = Vec::new();
    for n in 0..180 {
        let mut peer = Peer::arrive(&hubs[n % 3]).await;
        peer.join(&rooms[n / 6]).await;
        peers.push(peer);
    }
    (first, hubs, rooms, peers)
}

/// Everybody is in, nobody was seen to leave, and a newcomer finds all.
pub(crate) async fn all_is_well(
    hubs: &[Hub],
    rooms: &[RoomName],
    peers: &mut [Peer],
    begun: Instant,
) {
    for (n, room) in rooms.iter().enumerate() {
        let mut late = Peer::arrive(&hubs[n % 3]).await;
        late.join(room).await;
        let joined = late.seen.iter().find_map(|frame| match frame {
            ServerMessage::Joined(joined) => Some(joined.peers.len()),
            _ => None,
        });
        assert_eq!(joined, Some(6), "{room}");
        for peer in &mut peers[n * 6..n * 6 + 6] {
            let welcome = |frame: &ServerMessage| match frame {
                ServerMessage::Welcome(welcome) => welcome.peer == late.id,
                ServerMessage::Roster(roster) => roster.peers.iter().any(|p| p.peer == late.id),
                _ => false,
            };
            peer.until("a welcome", |seen| seen.iter().any(welcome)).await;
            assert_eq!(peer.byes(), 0, "{}", peer.id);
        }
    }
    println!("all is well after {:?}", begun.elapsed());
}
