//! A cluster within one process.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;

use super::{Backplane, Entered, Entry, Events, JoinError, Message, SendError, Unavailable};
use crate::{
    protocol::{ByeReason, Json, LobbyRoom, PeerId, RoomName},
    room::{Change, ChangeKind, Member, NodeId, Roster, Snapshot, Stamp},
};

/// The backplane of one process: the default of every hub, and the reference for all others.
///
/// One hub on one `Local` is a cluster of one, and no event is ever made. Several hubs are joined
/// by [`Local::another_node`]: tests do that, and servers that want one hub a core. Dropping the
/// last handle of a node takes its peers out of their rooms, with the reason `lost`.
///
/// Every request is answered at once; none is ever [`Unavailable`].
///
/// ```
/// use std::sync::Arc;
/// use noom_signal::{Hub, backplane::Local};
///
/// let first = Local::new();
/// let second = first.another_node();
/// let hubs = [first, second].map(|node| Hub::builder().backplane(Arc::new(node)).build());
/// # assert!(hubs.iter().all(Result::is_ok));
/// ```
#[derive(Debug)]
pub struct Local {
    cluster: Arc<Cluster>,
    node: NodeId,
}

struct Cluster {
    rooms: Vec<Mutex<HashMap<RoomName, Room>>>,
    nodes: RwLock<HashMap<NodeId, Arc<Attached>>>,
    hasher: RandomState,
    /// The last number given: to nodes, and to changes as their token.
    numbers: AtomicU64,
}

/// The hubs that were told of a step, to be let go after the room is unlocked: the last handle of a
/// hub may be among them, and with a hub its node goes too, which locks every room.
type Told = Vec<Arc<dyn Events>>;

/// A node's hub, once there is one.
type Attached = OnceLock<Weak<dyn Events>>;

#[derive(Debug, Default)]
struct Room {
    roster: Roster,
    listed: bool,
}

const SHARDS: usize = 64;

impl Local {
    /// The first node of a new cluster.
    pub fn new() -> Self {
        let cluster = Cluster {
            rooms: (0..SHARDS).map(|_| Mutex::default()).collect(),
            nodes: RwLock::default(),
            hasher: RandomState::new(),
            numbers: AtomicU64::new(0),
        };
        Self::in_cluster(Arc::new(cluster))
    }

    /// One more node of the same cluster.
    pub fn another_node(&self) -> Self {
        Self::in_cluster(self.cluster.clone())
    }

    fn in_cluster(cluster: Arc<Cluster>) -> Self {
        let node = NodeId(cluster.number());
        write(&cluster.nodes).insert(node, Arc::default());
        Self { cluster, node }
    }
}

impl Default for Local {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        write(&self.cluster.nodes).remove(&self.node);
        let mut told = Told::new();
        for shard in &self.cluster.rooms {
            let mut rooms = lock(shard);
            let touched: Vec<RoomName> = rooms
                .iter()
                .filter(|(_, room)| room.roster.members().any(|m| m.node == self.node))
                .map(|(name, _)| name.clone())
                .collect();
            for room in touched {
                let (node, reason) = (self.node, ByeReason::Lost);
                self.cluster.retain(&mut rooms, node, &room, reason, |_| false, &mut told);
            }
        }
    }
}

impl Cluster {
    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn rooms(&self, room: &RoomName) -> MutexGuard<'_, HashMap<RoomName, Room>> {
        let shard = self.hasher.hash_one(room) as usize % SHARDS;
        lock(&self.rooms[shard])
    }

    /// Makes the next step of a room's history and tells the other nodes in it.
    ///
    /// They are told while the room is locked, which keeps their events in order; a hub's
    /// [`Events`] return at once and never call back.
    fn step(
        &self,
        room: &RoomName,
        roster: &mut Roster,
        by: NodeId,
        kind: ChangeKind,
        told: &mut Told,
    ) -> Change {
        let before = roster.stamp();
        let after = Stamp { version: before.version + 1, token: self.number() };
        let change = Change { room: room.clone(), before, after, kind };
        // A node hears of the step that takes its last peer out, too.
        let mut others: HashSet<NodeId> = roster.members().map(|m| m.node).collect();
        roster.apply(&change);
        others.extend(roster.members().map(|m| m.node));
        others.remove(&by);
        for node in others {
            if let Some(events) = self.node(node) {
                events.changed(change.clone());
                told.push(events);
            }
        }
        change
    }

    /// Takes out of a room those peers of `node` that `keep` does not name.
    fn retain(
        &self,
        rooms: &mut HashMap<RoomName, Room>,
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
        if roster.is_empty() {
            rooms.remove(room);
        }
    }

    fn node(&self, node: NodeId) -> Option<Arc<dyn Events>> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        nodes.get(&node)?.get()?.upgrade()
    }
}

#[async_trait]
impl Backplane for Local {
    fn attach(&self, events: Weak<dyn Events>) -> NodeId {
        let nodes = self.cluster.nodes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = nodes.get(&self.node) {
            // A hub attaches once; were it to do so again, the first stays.
            let _ = slot.set(events);
        }
        self.node
    }

    async fn join(&self, entry: Entry) -> Result<Entered, JoinError> {
        let Entry { room, peer, generation, user, meta, capacity, listed } = entry;
        let mut told = Told::new();
        let mut rooms = self.cluster.rooms(&room);
        if let Some(Room { roster, .. }) = rooms.get(&room)
            && let Some(member) = roster.get(peer.as_str())
            && member.generation == generation
        {
            let after = Stamp { version: member.since, token: 0 };
            let before = Stamp { version: member.since - 1, token: 0 };
            let kind = ChangeKind::Joined(member.clone());
            let change = Change { room, before, after, kind };
            return Ok(Entered { change, snapshot: roster.snapshot() });
        }
        // An earlier stay that its node gave up without knowing whether it had begun.
        let reason = ByeReason::Disconnected;
        let earlier = |member: &Member| member.peer != peer;
        self.cluster.retain(&mut rooms, self.node, &room, reason, earlier, &mut told);
        let members = rooms.get(&room).map_or(0, |room| room.roster.len());
        if members >= capacity {
            return Err(JoinError::Full { members });
        }
        let here = rooms.entry(room.clone()).or_default();
        here.listed = listed;
        let roster = &mut here.roster;
        let since = roster.version() + 1;
        let member = Member { peer, generation, node: self.node, user, meta, since };
        let kind = ChangeKind::Joined(Arc::new(member));
        let change = self.cluster.step(&room, roster, self.node, kind, &mut told);
        Ok(Entered { change, snapshot: roster.snapshot() })
    }

    async fn leave(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        reason: ByeReason,
    ) -> Result<Option<Change>, Unavailable> {
        let mut told = Told::new();
        let mut rooms = self.cluster.rooms(room);
        let Some(Room { roster, .. }) = rooms.get_mut(room) else { return Ok(None) };
        if roster.get(peer.as_str()).is_none_or(|m| m.generation != generation) {
            return Ok(None);
        }
        let kind = ChangeKind::Left { peer: peer.clone(), reason };
        let change = self.cluster.step(room, roster, self.node, kind, &mut told);
        if roster.is_empty() {
            rooms.remove(room);
        }
        Ok(Some(change))
    }

    async fn update(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        meta: Json,
    ) -> Result<Option<Change>, Unavailable> {
        let mut told = Told::new();
        let mut rooms = self.cluster.rooms(room);
        let Some(Room { roster, .. }) = rooms.get_mut(room) else { return Ok(None) };
        if roster.get(peer.as_str()).is_none_or(|m| m.generation != generation) {
            return Ok(None);
        }
        let kind = ChangeKind::Updated { peer: peer.clone(), meta };
        Ok(Some(self.cluster.step(room, roster, self.node, kind, &mut told)))
    }

    async fn resync(
        &self,
        room: &RoomName,
        present: Vec<Arc<Member>>,
    ) -> Result<Snapshot, Unavailable> {
        let mut told = Told::new();
        let mut rooms = self.cluster.rooms(room);
        let same = |a: &Member, b: &Member| a.peer == b.peer && a.generation == b.generation;
        self.cluster.retain(
            &mut rooms,
            self.node,
            room,
            ByeReason::Lost,
            |member| present.iter().any(|p| same(p, member)),
            &mut told,
        );
        if present.is_empty() {
            return Ok(rooms.get(room).map(|room| room.roster.snapshot()).unwrap_or_default());
        }
        let Room { roster, .. } = rooms.entry(room.clone()).or_default();
        for member in present {
            if roster.get(member.peer.as_str()).is_none_or(|m| !same(m, &member)) {
                let since = roster.version() + 1;
                let member = Member { since, node: self.node, ..(*member).clone() };
                let kind = ChangeKind::Joined(Arc::new(member));
                self.cluster.step(room, roster, self.node, kind, &mut told);
            }
        }
        Ok(roster.snapshot())
    }

    async fn occupancy(&self, room: &RoomName) -> Result<usize, Unavailable> {
        Ok(self.cluster.rooms(room).get(room).map_or(0, |room| room.roster.len()))
    }

    async fn lobby(&self, limit: usize) -> Result<Vec<LobbyRoom>, Unavailable> {
        let mut listed = Vec::new();
        for shard in &self.cluster.rooms {
            listed.extend(lock(shard).iter().filter(|(_, room)| room.listed).map(
                |(name, room)| {
                    let peers = u32::try_from(room.roster.len()).unwrap_or(u32::MAX);
                    LobbyRoom { room: name.clone(), peers }
                },
            ));
        }
        // Rooms of the same size by name, so that an unchanged lobby is an equal list.
        let order =
            |a: &LobbyRoom, b: &LobbyRoom| b.peers.cmp(&a.peers).then_with(|| a.room.cmp(&b.room));
        if listed.len() > limit && limit > 0 {
            listed.select_nth_unstable_by(limit - 1, order);
        }
        listed.truncate(limit);
        listed.sort_unstable_by(order);
        Ok(listed)
    }

    async fn send(&self, node: NodeId, message: Message) -> Result<(), SendError> {
        self.cluster.node(node).ok_or(SendError::NodeGone)?.message(message);
        Ok(())
    }

    async fn broadcast(&self, nodes: Vec<NodeId>, message: Message) -> Result<(), SendError> {
        for node in nodes.into_iter().filter_map(|node| self.cluster.node(node)) {
            node.message(message.clone());
        }
        Ok(())
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// A panic elsewhere leaves no half-made step behind: each is made by one call that does not fail.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
