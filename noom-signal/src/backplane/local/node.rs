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
struct Departures {
    peers: HashMap<PeerId, Departed>,
    /// The same, the oldest first; one that left several times is in it as often.
    order: VecDeque<PeerId>,
}

#[derive(Debug, Default)]
struct Departed {
    /// Where it went; `None` if it is back.
    node: Option<NodeId>,
    stays: VecDeque<Past>,
}

/// A stay in a room that a move has ended.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) room: RoomName,
    /// The step that it began with, and the one that ended it.
    pub(super) from: u64,
    pub(super) to: u64,
}

/// How many departures a node remembers. Others hear of a departure while it happens: only what was
/// on its way in another thread can still come here.
const REMEMBERED: usize = 4096;

/// How many past stays of one peer.
const STAYS: usize = 64;

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

    /// Passes a message in, unless its target has departed. Returns the peers that must have it on
    /// another way; `None` where the hub is gone.
    pub(super) fn accept(&self, here: NodeId, mut message: Message) -> Option<Elsewhere> {
        // Let go of last: it may be the hub's last handle, and the node's with it.
        let events = self.events()?;
        let departures = lock(&self.departures);
        let elsewhere = departures.concerning(here, &message);
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

    /// Moves a peer from one node to another by `moving`, which returns the stays that it ended. No
    /// message is passed in on either node meanwhile.
    pub(super) fn relocate<T>(
        peer: &PeerId,
        (from_id, from): (NodeId, &Self),
        (to_id, to): (NodeId, &Self),
        moving: impl FnOnce() -> (T, Vec<Past>),
    ) -> T {
        // Two moves may go opposite ways: the lower node is locked first.
        let (first, second) = if from_id < to_id { (from, to) } else { (to, from) };
        let (first, second) = (lock(&first.departures), lock(&second.departures));
        let (mut leaving, mut coming) =
            if from_id < to_id { (first, second) } else { (second, first) };
        let (moved, stays) = moving();
        leaving.depart(peer, to_id, stays);
        if let Some(departed) = coming.peers.get_mut(peer) {
            departed.node = None;
        }
        moved
    }
}

impl Departures {
    fn depart(&mut self, peer: &PeerId, to: NodeId, stays: Vec<Past>) {
        let departed = self.peers.entry(peer.clone()).or_default();
        departed.node = Some(to);
        departed.stays.extend(stays);
        while departed.stays.len() > STAYS {
            departed.stays.pop_front();
        }
        self.order.push_back(peer.clone());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
            && !self.order.contains(&oldest)
        {
            self.peers.remove(&oldest);
        }
    }

    fn concerning(&self, here: NodeId, message: &Message) -> Elsewhere {
        if self.peers.is_empty() {
            return Elsewhere::new();
        }
        let known = message.known.step;
        let was_here =
            |past: &Past| past.room == message.room && past.from <= known && known < past.to;
        match &message.to {
            Target::Peer(peer) => {
                let node = self.peers.get(peer).and_then(|departed| departed.node);
                node.map(|node| (peer.clone(), node)).into_iter().collect()
            }
            Target::Everyone => {
                let departed = self.peers.iter();
                let missed = departed.filter(|(_, departed)| departed.stays.iter().any(was_here));
                missed.map(|(peer, d)| (peer.clone(), d.node.unwrap_or(here))).collect()
            }
        }
    }
}
