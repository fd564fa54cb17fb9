//! Rosters: exact on every node, one history each.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::Barrier,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Dice, PATIENCE, hubs, witness::Witness};
use crate::{
    Hub,
    backplane::{Backplane, Entry, JoinError},
    protocol::{Json, PeerId, RoomName},
};

const ROOMS: usize = 3;
const PEERS_PER_NODE: usize = 5;
const OPERATIONS: usize = 40;

/// Peers on all nodes join, update and leave the same rooms at the same time. Every member must see
/// each room's changes in version order without a gap (I2), all members the same ones, and once it
/// is quiet every node must have exactly those that are in (I1).
pub async fn membership(nodes: Vec<Arc<dyn Backplane>>, seed: u64) {
    let hubs = hubs(nodes);
    let rooms: Vec<RoomName> = (0..ROOMS).map(|n| format!("room {n}").parse().unwrap()).collect();
    let expected: Arc<Mutex<HashMap<RoomName, HashSet<PeerId>>>> = Arc::default();

    // One peer stays in all rooms, so that each has one history from first to last.
    let mut anchor = Witness::arrive(&hubs[0]).await;
    for room in &rooms {
        anchor.join(room).await.unwrap();
        expected.lock().unwrap().entry(room.clone()).or_default().insert(anchor.peer.clone());
    }
    let crowd = hubs.len() * PEERS_PER_NODE;
    let quiet = Arc::new(Barrier::new(crowd + 1));
    let mut tasks = JoinSet::new();
    for index in 0..crowd {
        let (hub, rooms) = (hubs[index % hubs.len()].clone(), rooms.clone());
        let (expected, quiet) = (expected.clone(), quiet.clone());
        tasks.spawn(async move {
            let mut peer = Witness::arrive(&hub).await;
            wander(&mut peer, &rooms, &expected, Dice::new(seed, index)).await;
            settle(&mut peer, &rooms, &expected, &quiet).await;
            peer
        });
    }
    settle(&mut anchor, &rooms, &expected, &quiet).await;
    let mut peers = tasks.join_all().await;
    peers.push(anchor);

    compare(&peers, &rooms);
    for room in &rooms {
        let expected = expected.lock().unwrap().get(room).cloned();
        for hub in &hubs {
            let known = || -> Option<HashSet<PeerId>> {
                Some(hub.members(room)?.into_iter().map(|member| member.peer).collect())
            };
            // A peer that left and came back looks as if it had stayed: its steps may be on their way.
            let exact = async {
                while known().is_some_and(|known| Some(known) != expected) {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            let known = timeout(PATIENCE, exact).await.map_err(|_| known());
            assert_eq!(known, Ok(()), "{hub:?} {room}: expected {expected:?}");
        }
    }
    goodbye(hubs, peers).await;
}

/// Random joins, updates and leaves.
async fn wander(
    peer: &mut Witness,
    rooms: &[RoomName],
    expected: &Mutex<HashMap<RoomName, HashSet<PeerId>>>,
    mut dice: Dice,
) {
    for n in 0..OPERATIONS {
        let room = &rooms[dice.roll(rooms.len())];
        if !peer.is_in(room) {
            peer.join(room).await.unwrap();
            let mut expected = expected.lock().unwrap();
            expected.entry(room.clone()).or_default().insert(peer.peer.clone());
        } else if dice.roll(3) == 0 {
            peer.update(room, n).await.unwrap();
        } else {
            peer.leave(room).await.unwrap();
            expected.lock().unwrap().get_mut(room).unwrap().remove(&peer.peer);
        }
    }
}

/// Once nobody does anything any more, waits until the last has been heard.
async fn settle(
    peer: &mut Witness,
    rooms: &[RoomName],
    expected: &Mutex<HashMap<RoomName, HashSet<PeerId>>>,
    quiet: &Barrier,
) {
    tokio::pin! { let all_quiet = quiet.wait(); }
    loop {
        tokio::select! {
            _ = &mut all_quiet => break,
            () = peer.listen() => {}
        }
    }
    let expected = expected.lock().unwrap().clone();
    let inside: Vec<_> = rooms.iter().filter(|room| peer.is_in(room)).cloned().collect();
    let exact = |peer: &Witness| inside.iter().all(|room| peer.members(room) == expected[room]);
    peer.listen_until(exact, |peer| {
        let seen: Vec<_> = inside.iter().map(|room| (room, peer.members(room))).collect();
        format!("sees {seen:?}, expected {expected:?}")
    })
    .await;
}

/// Whoever saw a step of a room saw the same.
fn compare(peers: &[Witness], rooms: &[RoomName]) {
    for room in rooms {
        let mut agreed: BTreeMap<u64, &String> = BTreeMap::new();
        for peer in peers {
            for (version, what) in peer.history.get(room).into_iter().flatten() {
                let before = agreed.entry(*version).or_insert(what);
                assert_eq!(*before, what, "{room} has two histories at version {version}");
            }
        }
        let versions: Vec<u64> = agreed.keys().copied().collect();
        assert_eq!(versions, (1..=versions.len() as u64).collect::<Vec<_>>(), "{room} has a gap");
    }
}

/// All leave; nothing may be left behind.
pub(super) async fn goodbye(hubs: Vec<Hub>, peers: Vec<Witness>) {
    drop(peers);
    for hub in &hubs {
        hub.shutdown().await;
    }
}

/// Many ask for a room's last places at once, from all nodes: exactly as many get in as it holds.
/// A join repeated under the same generation is the same join; a leave under another is none.
pub async fn capacity(nodes: Vec<Arc<dyn Backplane>>) {
    // The backplane itself, without hubs; it still wants to be attached.
    let hubs = hubs(nodes.clone());
    let room: RoomName = "full".parse().unwrap();
    let entry = |n: u64| Entry {
        room: room.clone(),
        peer: format!("peer-{n}").parse().unwrap(),
        generation: n,
        user: None,
        meta: Json::empty_object(),
        capacity: 7,
        listed: true,
    };
    let asking = (0..40).map(|n| nodes[n as usize % nodes.len()].join(entry(n)));
    let answers = tokio::time::timeout(PATIENCE, join_all(asking)).await.unwrap();
    let entered: Vec<u64> =
        (0..).zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(n, _)| n).collect();
    assert_eq!(entered.len(), 7);
    assert!(answers.iter().flatten().all(|e| e.change.after.version <= 7));
    let full =
        |answer: &Result<_, JoinError>| matches!(answer, Err(JoinError::Full { members: 7 }));
    assert_eq!(answers.iter().filter(|answer| full(answer)).count(), 33);

    let node = |n: u64| &nodes[n as usize % nodes.len()];
    let first = entered[0];
    let again = node(first).join(entry(first)).await.unwrap();
    assert_eq!((again.snapshot.stamp.version, again.snapshot.members.len()), (7, 7));
    let peer: PeerId = format!("peer-{first}").parse().unwrap();
    let reason = crate::protocol::ByeReason::Left;
    assert_eq!(node(first).leave(&room, &peer, first + 1000, reason).await, Ok(None));
    let left = node(first).leave(&room, &peer, first, reason).await.unwrap().unwrap();
    assert_eq!(left.after.version, 8);
    assert_eq!(node(first).leave(&room, &peer, first, reason).await, Ok(None));
    assert_eq!(node(0).occupancy(&room).await, Ok(6));
    let lobby = node(0).lobby(10).await.unwrap();
    assert_eq!((lobby[0].room.as_str(), lobby[0].peers), ("full", 6));
    for n in &entered[1..] {
        let peer: PeerId = format!("peer-{n}").parse().unwrap();
        assert!(node(*n).leave(&room, &peer, *n, reason).await.unwrap().is_some());
    }
    assert_eq!(node(0).occupancy(&room).await, Ok(0));
    assert!(node(0).lobby(10).await.unwrap().is_empty());
    drop(hubs);
}
