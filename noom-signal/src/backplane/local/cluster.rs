//! What the nodes of one process share.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::node::Node;
use crate::{
    backplane::Events,
    protocol::{ByeReason, LobbyRoom, PeerId, RoomName},
    room::{Change, ChangeKind, Member, NodeId, Roster},
};

/// All rooms and all nodes.
///
/// Of its locks, a node's departures come before a room's, and a room's before the lists of peers and
/// of rooms.
pub(super) struct Cluster {
    rooms: Vec<Mutex<HashMap<RoomName, Room>>>,
    nodes: RwLock<HashMap<NodeId, Arc<Node>>>,
    /// The rooms that each peer is in.
    peers: Mutex<HashMap<PeerId, Vec<RoomName>>>,
    /// The listed rooms, the largest first, those of the same size by name, so that an unchanged
    /// lobby is an equal list.
    listed: Mutex<BTreeSet<(Reverse<u32>, RoomName)>>,
    hasher: RandomState,
    /// The last number given: to nodes, and to changes as their token.
    numbers: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) roster: Roster,
    pub(super) listed: bool,
    /// The size under which it is in the list.
    size: Option<u32>,
}

pub(super) type Rooms = HashMap<RoomName, Room>;

/// The hubs that were told of a step, to be let go after the room is unlocked: the last handle of a
/// hub may be among them, and with a hub its node goes too, which locks every room.
pub(super) type Told = Vec<Arc<dyn Events>>;

const SHARDS: usize = 64;

impl Cluster {
    pub(super) fn new() -> Self {
        Self {
            rooms: (0..SHARDS).map(|_| Mutex::default()).collect(),
            nodes: RwLock::default(),
            peers: Mutex::default(),
            listed: Mutex::default(),
            hasher: RandomState::new(),
            numbers: AtomicU64::new(0),
        }
    }

    pub(super) fn add_node(&self) -> NodeId {
        let node = NodeId(self.number());
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).insert(node, Arc::default());
        node
    }

    pub(super) fn remove_node(&self, node: NodeId) {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).remove(&node);
        let mut told = Told::new();
        for shard in &self.rooms {
            let mut rooms = lock(shard);
            let touched: Vec<RoomName> = rooms
                .iter()
                .filter(|(_, room)| room.roster.members().any(|m| m.node == node))
                .map(|(name, _)| name.clone())
                .collect();
            for room in touched {
                self.retain(&mut rooms, node, &room, ByeReason::Lost, |_| false, &mut told);
            }
        }
    }

    /// How many nodes have a hub.
    pub(super) fn nodes(&self) -> usize {
        let nodes: Vec<Arc<Node>> = {
            let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
            nodes.values().cloned().collect()
        };
        // Not under the lock: it may be the last handle of a hub, and with it a node goes.
        nodes.iter().filter(|node| node.events().is_some()).count()
    }

    pub(super) fn node(&self, node: NodeId) -> Option<Arc<Node>> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        nodes.get(&node).cloned()
    }

    /// The rooms among which that one is, or would be.
    pub(super) fn rooms(&self, room: &RoomName) -> MutexGuard<'_, Rooms> {
        let shard = self.hasher.hash_one(room) as usize % SHARDS;
        lock(&self.rooms[shard])
    }

    pub(super) fn rooms_of(&self, peer: &PeerId) -> Vec<RoomName> {
        lock(&self.peers).get(peer).cloned().unwrap_or_default()
    }

    /// The first of the listed rooms.
    pub(super) fn lobby(&self, limit: usize) -> Vec<LobbyRoom> {
        let listed = lock(&self.listed);
        let first = listed.iter().take(limit);
        first.map(|(size, room)| LobbyRoom { room: room.clone(), peers: size.0 }).collect()
    }

    /// Puts a room whose roster has changed where it belongs in the list, or forgets it if nobody is
    /// in it.
    pub(super) fn settle(&self, rooms: &mut Rooms, name: &RoomName) {
        let Some(room) = rooms.get_mut(name) else { return };
        let peers = u32::try_from(room.roster.len()).unwrap_or(u32::MAX);
        let size = (room.listed && peers > 0).then_some(peers);
        if size != room.size {
            let mut listed = lock(&self.listed);
            if let Some(old) = room.size {
                listed.remove(&(Reverse(old), name.clone()));
            }
            listed.extend(size.map(|new| (Reverse(new), name.clone())));
            room.size = size;
        }
        if peers == 0 {
            rooms.remove(name);
        }
    }

    /// Makes the next step of a room's history and tells the other nodes in it.
    ///
    /// They are told while the room is locked, which keeps their events in order; a hub's
    /// [`Events`] return at once and never call back.
    pub(super) fn step(
        &self,
        room: &RoomName,
        roster: &mut Roster,
        by: NodeId,
        kind: ChangeKind,
        told: &mut Told,
    ) -> Change {
        let before = roster.stamp();
        let after = before.next(&kind, self.number());
        self.note(room, &kind);
        let change = Change { room: room.clone(), before, after, kind };
        // A node hears of the step that takes its last peer out, too.
        let mut others: HashSet<NodeId> = roster.members().map(|m| m.node).collect();
        roster.apply(&change);
        others.extend(roster.members().map(|m| m.node));
        others.remove(&by);
        for node in others {
            if let Some(events) = self.node(node).and_then(|node| node.events()) {
                events.changed(change.clone());
                told.push(events);
            }
        }
        change
    }

    /// Takes out of a room those peers of `node` that `keep` does not name.
    pub(super) fn retain(
        &self,
        rooms: &mut Rooms,
        node: NodeId,
        room: &RoomName,
        reason: ByeReason,
        keep: impl Fn(&Member) -> bool,
        told: &mut Told,
    ) {
        let Some(Room { roster, .. }) = rooms.get_mut(room) else { return };
        let gone: Vec<PeerId> = roster
            .members()
            .filter(|m| m.node == node && !keep(m))
            .map(|m| m.peer.clone())
            .collect();
        for peer in gone {
            self.step(room, roster, node, ChangeKind::Left { peer, reason }, told);
        }
        self.settle(rooms, room);
    }

    /// Keeps the list of peers true.
    fn note(&self, room: &RoomName, kind: &ChangeKind) {
        match kind {
            ChangeKind::Joined(member) => {
                let mut peers = lock(&self.peers);
                let rooms = peers.entry(member.peer.clone()).or_default();
                if !rooms.contains(room) {
                    rooms.push(room.clone());
                }
            }
            ChangeKind::Left { peer, .. } => {
                let mut peers = lock(&self.peers);
                let Some(rooms) = peers.get_mut(peer) else { return };
                rooms.retain(|entered| entered != room);
                if rooms.is_empty() {
                    peers.remove(peer);
                }
            }
            ChangeKind::Updated { .. } | ChangeKind::Moved { .. } => {}
        }
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// A panic elsewhere leaves no half-made step behind: each is made by one call that does not fail.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
