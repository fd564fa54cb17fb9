//! Messages: once, in order, and only from those who are there.

use std::{collections::HashMap, sync::Arc};

use tokio::{sync::Barrier, task::JoinSet};

use super::{Dice, hubs, membership::goodbye, witness::Witness};
use crate::{
    backplane::Backplane,
    protocol::{ErrorCode, PeerId, RoomName, Target},
};

const STAYERS_PER_NODE: usize = 3;
const PASSERS_PER_NODE: usize = 2;
const MESSAGES: u64 = 60;

/// Peers on all nodes send numbered messages, to one member and to all, while others come and go.
/// Those who stay must get every message that its sender was told of as delivered, once and in
/// order (I4); nobody gets one from a peer that is not there (I3), or that was for another (I5).
pub async fn messages(nodes: Vec<Arc<dyn Backplane>>, seed: u64) {
    let hubs = hubs(nodes);
    let rooms: Vec<RoomName> = ["red", "blue"].iter().map(|name| name.parse().unwrap()).collect();
    let mut stayers = Vec::new();
    for index in 0..hubs.len() * STAYERS_PER_NODE {
        let mut peer = Witness::arrive(&hubs[index % hubs.len()]).await;
        for room in &rooms {
            peer.join(room).await.unwrap();
        }
        stayers.push(peer);
    }
    let names: Vec<PeerId> = stayers.iter().map(|peer| peer.peer.clone()).collect();
    // Whoever sends knows of all the others: those who join meanwhile are told nothing of before.
    for peer in &mut stayers {
        let complete = |p: &Witness| rooms.iter().all(|room| p.members(room).len() == names.len());
        peer.listen_until(complete, |_| "a member is missing".into()).await;
    }
    let passers = hubs.len() * PASSERS_PER_NODE;
    let quiet = Arc::new(Barrier::new(stayers.len() + passers));

    let mut passing = JoinSet::new();
    for index in 0..passers {
        let (hub, rooms, names) = (hubs[index % hubs.len()].clone(), rooms.clone(), names.clone());
        let (quiet, dice) = (quiet.clone(), Dice::new(seed, 1000 + index));
        passing.spawn(async move {
            let mut peer = Witness::arrive(&hub).await;
            let sent = pass_by(&mut peer, &rooms, &names, dice).await;
            listen_while(&mut peer, &quiet).await;
            (peer, sent)
        });
    }
    let mut staying = JoinSet::new();
    for (index, mut peer) in stayers.into_iter().enumerate() {
        let (rooms, names, quiet) = (rooms.clone(), names.clone(), quiet.clone());
        let dice = Dice::new(seed, index);
        staying.spawn(async move {
            let all = names.len();
            let complete = |p: &Witness| rooms.iter().all(|room| p.members(room).len() >= all);
            peer.listen_until(complete, |_| "a member is missing".into()).await;
            let sent = talk(&mut peer, &rooms, &names, dice).await;
            listen_while(&mut peer, &quiet).await;
            (peer, sent)
        });
    }
    let (mut peers, mut sent) = (Vec::new(), Sent::new());
    let mut passed = Vec::new();
    for (peer, log) in passing.join_all().await {
        passed.push(peer);
        sent.extend(log);
    }
    for (peer, log) in staying.join_all().await {
        peers.push(peer);
        sent.extend(log);
    }
    for peer in &mut peers {
        let expected = expected_by(&peer.peer, &names, &sent);
        let complete = |p: &Witness| {
            let heard: usize = p.heard.values().map(Vec::len).sum();
            heard >= expected.values().map(Vec::len).sum()
        };
        peer.listen_until(complete, |p| {
            let heard = |key: &(RoomName, PeerId)| p.heard.get(key).cloned().unwrap_or_default();
            let missing = |(key, sent): (&(RoomName, PeerId), &Vec<u64>)| {
                let missing: Vec<_> = sent.iter().filter(|n| !heard(key).contains(n)).collect();
                (!missing.is_empty()).then(|| format!("{missing:?} from {key:?}"))
            };
            format!("never heard {:?}", expected.iter().filter_map(missing).collect::<Vec<_>>())
        })
        .await;
        assert_eq!(peer.heard, expected, "{}", peer.peer);
    }
    peers.append(&mut passed);
    goodbye(hubs, peers).await;
}

/// What each peer sent to whom in which room and was told of as delivered, in order.
type Sent = Vec<(PeerId, RoomName, Target, u64)>;

fn expected_by(
    me: &PeerId,
    names: &[PeerId],
    sent: &Sent,
) -> HashMap<(RoomName, PeerId), Vec<u64>> {
    assert!(names.contains(me));
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

/// Sends to those who stay.
async fn talk(peer: &mut Witness, rooms: &[RoomName], names: &[PeerId], mut dice: Dice) -> Sent {
    let mut sent = Sent::new();
    for number in 0..MESSAGES {
        let room = &rooms[dice.roll(rooms.len())];
        let to = match dice.roll(names.len() + 2) {
            n if n < names.len() => Target::Peer(names[n].clone()),
            _ => Target::Everyone,
        };
        let itself = to == Target::Peer(peer.peer.clone());
        match peer.send(room, to.clone(), number).await {
            Ok(()) => sent.push((peer.peer.clone(), room.clone(), to, number)),
            Err(code) => assert!(itself && code == ErrorCode::PeerNotFound, "{code}"),
        }
    }
    sent
}

/// Comes, sends a little, and goes, again and again.
async fn pass_by(peer: &mut Witness, rooms: &[RoomName], names: &[PeerId], mut dice: Dice) -> Sent {
    let mut sent = Sent::new();
    for visit in 0..MESSAGES / 6 {
        let room = &rooms[dice.roll(rooms.len())];
        peer.join(room).await.unwrap();
        for n in 0..3 {
            let number = visit * 10 + n;
            let to = match dice.roll(3) {
                0 => Target::Everyone,
                _ => Target::Peer(names[dice.roll(names.len())].clone()),
            };
            peer.send(room, to.clone(), number).await.unwrap();
            sent.push((peer.peer.clone(), room.clone(), to, number));
        }
        peer.leave(room).await.unwrap();
        let gone = peer.send(room, Target::Everyone, 0).await;
        assert_eq!(gone, Err(ErrorCode::NotInRoom));
    }
    sent
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
