//! Peers that go from node to node: nobody notices.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::Barrier, task::JoinSet, time::sleep};

use super::{Dice, hubs, membership::goodbye, witness::Witness};
use crate::{
    Hub,
    backplane::{Backplane, Unavailable},
    protocol::{PeerId, RoomName, Target},
};

const PEERS_PER_NODE: usize = 3;
const MESSAGES: u64 = 60;

/// All nodes are counted, once the cluster can say.
async fn known(backplane: &dyn Backplane, nodes: usize) {
    loop {
        match backplane.nodes().await {
            Ok(count) => return assert_eq!(count, nodes, "the nodes of the cluster"),
            Err(Unavailable { retry_after_ms }) => {
                sleep(Duration::from_millis(retry_after_ms.max(10))).await;
            }
        }
    }
}

/// Peers send numbered messages, to one member and to all, and again and again cut their links and
/// resume on some node. Every message arrives once and in order, wherever sender and target are by
/// then, and nobody hears of a leave or a join (I2 to I4).
pub async fn moves(nodes: Vec<Arc<dyn Backplane>>, seed: u64) {
    let first = nodes[0].clone();
    let hubs = hubs(nodes);
    known(&*first, hubs.len()).await;
    let rooms: Vec<RoomName> = ["red", "blue"].iter().map(|name| name.parse().unwrap()).collect();
    let mut peers = Vec::new();
    for index in 0..hubs.len() * PEERS_PER_NODE {
        let mut peer = Witness::arrive(&hubs[index % hubs.len()]).await;
        for room in &rooms {
            peer.join(room).await.unwrap();
        }
        peers.push(peer);
    }
    let names: Vec<PeerId> = peers.iter().map(|peer| peer.peer.clone()).collect();
    let quiet = Arc::new(Barrier::new(peers.len()));
    let mut moving = JoinSet::new();
    for (index, mut peer) in peers.into_iter().enumerate() {
        let (hubs, rooms, names) = (hubs.clone(), rooms.clone(), names.clone());
        let (quiet, dice) = (quiet.clone(), Dice::new(seed, index));
        moving.spawn(async move {
            // The steps by which the others joined; all later ones would be too many.
            let all = names.len();
            let complete = |p: &Witness| rooms.iter().all(|room| p.members(room).len() == all);
            peer.listen_until(complete, |_| "a member is missing".into()).await;
            let steps = steps(&peer, &rooms);
            let sent = roam(&mut peer, &hubs, &rooms, &names, dice).await;
            listen_while(&mut peer, &quiet).await;
            (peer, sent, steps)
        });
    }
    let (mut done, mut sent) = (Vec::new(), Vec::new());
    for (peer, log, steps) in moving.join_all().await {
        done.push((peer, steps));
        sent.extend(log);
    }
    let mut peers = Vec::new();
    for (mut peer, before) in done {
        let expected = expected_by(&peer.peer, &sent);
        let complete = |p: &Witness| {
            let heard: usize = p.heard.values().map(Vec::len).sum();
            heard >= expected.values().map(Vec::len).sum()
        };
        peer.listen_until(complete, |p| format!("heard {:?} of {expected:?}", p.heard)).await;
        assert_eq!(peer.heard, expected, "{}", peer.peer);
        assert_eq!(steps(&peer, &rooms), before, "{}: a move was seen", peer.peer);
        peers.push(peer);
    }
    goodbye(hubs, peers).await;
}

/// Who sent what to whom in which room, in order.
type Sent = Vec<(PeerId, RoomName, Target, u64)>;

async fn roam(
    peer: &mut Witness,
    hubs: &[Hub],
    rooms: &[RoomName],
    names: &[PeerId],
    mut dice: Dice,
) -> Sent {
    let others: Vec<&PeerId> = names.iter().filter(|name| **name != peer.peer).collect();
    let mut sent = Sent::new();
    for number in 0..MESSAGES {
        if dice.roll(6) == 0 {
            peer.hop(&hubs[dice.roll(hubs.len())]).await;
        }
        let room = &rooms[dice.roll(rooms.len())];
        let to = match dice.roll(others.len() + 2) {
            n if n < others.len() => Target::Peer(others[n].clone()),
            _ => Target::Everyone,
        };
        peer.send(room, to.clone(), number).await.unwrap();
        sent.push((peer.peer.clone(), room.clone(), to, number));
    }
    sent
}

fn steps(peer: &Witness, rooms: &[RoomName]) -> Vec<usize> {
    rooms.iter().map(|room| peer.history.get(room).map_or(0, |steps| steps.len())).collect()
}

fn expected_by(me: &PeerId, sent: &Sent) -> HashMap<(RoomName, PeerId), Vec<u64>> {
    let mut expected: HashMap<_, Vec<u64>> = HashMap::new();
    for (from, room, to, number) in sent {
        let mine = match to {
            Target::Peer(to) => to == me,
            Target::Everyone => from != me,
        };
        if mine {
            expected.entry((room.clone(), from.clone())).or_default().push(*number);
        }
    }
    expected
}

async fn listen_while(peer: &mut Witness, quiet: &Barrier) {
    tokio::pin! { let all_quiet = quiet.wait(); }
    loop {
        tokio::select! {
            _ = &mut all_quiet => return,
            () = peer.listen() => {}
        }
    }
}
