//! One node, as the others see it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, OnceLock, Weak},
};

use super::cluster::lock;
use crate::{
    backplane::{Events, Message},
    protocol::{PeerId, RoomName, Target},
    room::NodeId,
};

/// A node's hub, and the peers that have gone from it to another.
#[derive(Default)]
pub(super) struct Node {
    events: OnceLock<Weak<dyn Events>>,
    /// Locked while a message is passed in, so that each comes either before a departure or after.
    departures: Mutex<Departures>,
}

/// The peers handed over of late, for those who do not know it yet.
#[derive(Debug, Default)]
pub(super) struct Departures {
    peers: HashMap<PeerId, Departed>,
    /// The same, the oldest first; one that came back and left again is in it twice.
    order: VecDeque<PeerId>,
}

#[derive(Debug)]
struct Departed {
    node: NodeId,
    /// The step in each room that moved it.
    rooms: Vec<(RoomName, u64)>,
}

/// How many departures a node remembers. Others hear of a departure while it happens: only what was
/// on its way in another thread can still come here.
const REMEMBERED: usize = 4096;

/// Where a message has to go instead, or as well.
pub(super) type Elsewhere = Vec<(PeerId, NodeId)>;

impl Node {
    pub(super) fn attach(&self, events: Weak<dyn Events>) {
        // A hub attaches once; were it to do so again, the first stays.
        let _ = self.events.set(events);
    }

    pub(super) fn events(&self) -> Option<Arc<dyn Events>> {
        self.events.get()?.upgrade()
    }

    /// Passes a message in, unless its target has departed. `None` where the hub is gone.
    pub(super) fn accept(&self, mut message: Message) -> Option<Elsewhere> {
        // Let go of last: it may be the hub's last handle, and the node's with it.
        let events = self.events()?;
        let departures = lock(&self.departures);
        let elsewhere = departures.concerning(&message);
        match message.to {
            Target::Peer(_) if !elsewhere.is_empty() => return Some(elsewhere),
            Target::Peer(_) => {}
            Target::Everyone => {
                message.except = elsewhere.iter().map(|(peer, _)| peer.clone()).collect();
            }
        }
        events.message(message);
        drop(departures);
        Some(elsewhere)
    }

    /// Moves a peer away by `moving`, which returns the steps that do so. No message is passed in
    /// meanwhile.
    pub(super) fn depart<T>(
        &self,
        peer: &PeerId,
        to: NodeId,
        moving: impl FnOnce() -> T,
        steps: impl FnOnce(&T) -> Vec<(RoomName, u64)>,
    ) -> T {
        let mut departures = lock(&self.departures);
        let moved = moving();
        let departed = Departed { node: to, rooms: steps(&moved) };
        departures.peers.insert(peer.clone(), departed);
        departures.order.push_back(peer.clone());
        if departures.order.len() > REMEMBERED
            && let Some(oldest) = departures.order.pop_front()
            && !departures.order.contains(&oldest)
        {
            departures.peers.remove(&oldest);
        }
        moved
    }

    /// A peer is about to come (back).
    pub(super) fn expect(&self, peer: &PeerId) {
        lock(&self.departures).peers.remove(peer);
    }
}

impl Departures {
    fn concerning(&self, message: &Message) -> Elsewhere {
        if self.peers.is_empty() {
            return Elsewhere::new();
        }
        let missed = |departed: &Departed| {
            let in_room = |(room, step): &(RoomName, u64)| {
                *room == message.room && *step > message.known.step
            };
            departed.rooms.iter().any(in_room)
        };
        match &message.to {
            Target::Peer(peer) => {
                let departed = self.peers.get_key_value(peer).into_iter();
                departed.map(|(peer, departed)| (peer.clone(), departed.node)).collect()
            }
            Target::Everyone => {
                let departed = self.peers.iter().filter(|(_, departed)| missed(departed));
                departed.map(|(peer, departed)| (peer.clone(), departed.node)).collect()
            }
        }
    }
}
