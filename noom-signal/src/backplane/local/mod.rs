//! A cluster within one process.

mod cluster;
mod node;

use std::sync::{Arc, Weak};

use async_trait::async_trait;

use super::{
    Backplane, Entered, Entry, Events, JoinError, Letter, Location, Message, Move, SendError,
    Unavailable,
};
use crate::{
    protocol::{ByeReason, Json, LobbyRoom, PeerId, RoomName, Target},
    room::{Change, ChangeKind, Member, NodeId, Snapshot, Stamp},
};
use cluster::{Cluster, Room, Told};
use node::{Node, Past};

/// The backplane of one process: the default of every hub, and the reference for all others.
///
/// One hub on one `Local` is a cluster of one, and no event is ever made. Several hubs are joined
/// by [`Local::another_node`]: tests do that, and servers that want one hub a core. Dropping the
/// last handle of a node takes its peers out of their rooms, with the reason `lost`.
///
/// Every request is answered at once. None is ever [`Unavailable`], but a move to a node that is gone.
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

impl Local {
    /// The first node of a new cluster.
    pub fn new() -> Self {
        Self::in_cluster(Arc::new(Cluster::new()))
    }

    /// One more node of the same cluster.
    pub fn another_node(&self) -> Self {
        Self::in_cluster(self.cluster.clone())
    }

    fn in_cluster(cluster: Arc<Cluster>) -> Self {
        let node = cluster.add_node();
        Self { cluster, node }
    }

    /// Moves a peer from one node to another, in those rooms for which `stays` gives a yes.
    fn relocate(
        &self,
        peer: &PeerId,
        generation: u64,
        (from, to): (NodeId, NodeId),
        stays: impl Fn(&RoomName, &Member) -> bool,
    ) -> Vec<Entered> {
        let mut told = Told::new();
        let mut relocate = || {
            let (mut entered, mut past) = (Vec::new(), Vec::new());
            for room in self.cluster.rooms_of(peer) {
                let mut rooms = self.cluster.rooms(&room);
                let Some(Room { roster, .. }) = rooms.get_mut(&room) else { continue };
                let Some(member) = roster.get(peer.as_str()).filter(|m| stays(&room, m)) else {
                    continue;
                };
                let from = member.seat;
                let kind = ChangeKind::Moved { peer: peer.clone(), generation, node: to };
                let change = self.cluster.step(&room, roster, self.node, kind, &mut told);
                past.push(Past { room, from, to: change.after.step });
                entered.push(Entered { change, snapshot: roster.snapshot() });
            }
            (entered, past)
        };
        match (self.cluster.node(from), self.cluster.node(to)) {
            (Some(old), Some(new)) if from != to => {
                Node::relocate(peer, (from, &old), (to, &new), relocate)
            }
            _ => relocate().0,
        }
    }
}

impl Default for Local {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.cluster.remove_node(self.node);
    }
}

#[async_trait]
impl Backplane for Local {
    fn attach(&self, events: Weak<dyn Events>) -> NodeId {
        if let Some(node) = self.cluster.node(self.node) {
            node.attach(events);
        }
        self.node
    }

    async fn nodes(&self) -> Result<usize, Unavailable> {
        Ok(self.cluster.nodes())
    }

    async fn join(&self, entry: Entry) -> Result<Entered, JoinError> {
        let Entry { room, peer, generation, user, meta, capacity, listed } = entry;
        let mut told = Told::new();
        let mut rooms = self.cluster.rooms(&room);
        if let Some(Room { roster, .. }) = rooms.get(&room)
            && let Some(member) = roster.get(peer.as_str())
            && member.generation == generation
        {
            // Which step it was is not known any more: the snapshot says where to go on from.
            let after = roster.stamp();
            let before = Stamp { step: after.step - 1, version: after.version - 1, token: 0 };
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
        let (seat, since) = (0, roster.version() + 1);
        let member = Member { peer, generation, node: self.node, seat, user, meta, since };
        let kind = ChangeKind::Joined(Arc::new(member));
        let change = self.cluster.step(&room, roster, self.node, kind, &mut told);
        let snapshot = roster.snapshot();
        self.cluster.settle(&mut rooms, &room);
        Ok(Entered { change, snapshot })
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
        self.cluster.settle(&mut rooms, room);
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
        _known: Stamp,
        present: Vec<Arc<Member>>,
    ) -> Result<Snapshot, Unavailable> {
        let mut told = Told::new();
        let mut rooms = self.cluster.rooms(room);
        let same = |a: &Member, b: &Member| a.peer == b.peer && a.generation == b.generation;
        let keep = |member: &Member| present.iter().any(|p| same(p, member));
        self.cluster.retain(&mut rooms, self.node, room, ByeReason::Lost, keep, &mut told);
        // What is missing otherwise was taken out: nothing is ever lost here.
        for newcomer in present.iter().filter(|member| member.since == 0) {
            let Room { roster, .. } = rooms.entry(room.clone()).or_default();
            if roster.get(newcomer.peer.as_str()).is_none() {
                let (node, seat, since) = (self.node, 0, roster.version() + 1);
                let member = Member { node, seat, since, ..(**newcomer).clone() };
                let kind = ChangeKind::Joined(Arc::new(member));
                self.cluster.step(room, roster, self.node, kind, &mut told);
            }
        }
        self.cluster.settle(&mut rooms, room);
        Ok(rooms.get(room).map(|room| room.roster.snapshot()).unwrap_or_default())
    }

    async fn occupancy(&self, room: &RoomName) -> Result<usize, Unavailable> {
        Ok(self.cluster.rooms(room).get(room).map_or(0, |room| room.roster.len()))
    }

    async fn lobby(&self, limit: usize) -> Result<Vec<LobbyRoom>, Unavailable> {
        Ok(self.cluster.lobby(limit))
    }

    async fn send(&self, mut node: NodeId, message: Message) -> Result<(), SendError> {
        loop {
            let there = self.cluster.node(node).ok_or(SendError::NodeGone)?;
            let elsewhere = there.accept(node, message.clone()).ok_or(SendError::NodeGone)?;
            match elsewhere.first() {
                None => return Ok(()),
                Some(&(_, moved)) => node = moved,
            }
        }
    }

    async fn broadcast(&self, nodes: Vec<NodeId>, message: Message) -> Result<(), SendError> {
        for node in nodes {
            let there = self.cluster.node(node);
            let elsewhere = there.and_then(|there| there.accept(node, message.clone()));
            for (peer, moved) in elsewhere.unwrap_or_default() {
                // Where that node is gone by now, so is its peer.
                let copy = Message { to: Target::Peer(peer), ..message.clone() };
                let _ = self.send(moved, copy).await;
            }
        }
        Ok(())
    }

    async fn write(&self, node: NodeId, letter: Letter) -> Result<(), SendError> {
        let events = self.cluster.node(node).and_then(|node| node.events());
        events.ok_or(SendError::NodeGone)?.letter(letter);
        Ok(())
    }

    async fn locate(&self, peer: &PeerId) -> Result<Option<Location>, Unavailable> {
        for room in self.cluster.rooms_of(peer) {
            if let Some(Room { roster, .. }) = self.cluster.rooms(&room).get(&room)
                && let Some(member) = roster.get(peer.as_str())
            {
                let (node, user) = (member.node, member.user.clone());
                // Those of a node that is gone went with it.
                return Ok(Some(Location { node, alive: true, user }));
            }
        }
        Ok(None)
    }

    async fn hand_over(&self, moving: Move) -> Result<Vec<Change>, Unavailable> {
        let Move { peer, stays, node, generation } = moving;
        if self.cluster.node(node).is_none() {
            return Err(Unavailable { retry_after_ms: 0 });
        }
        let here = self.node;
        let stays = |room: &RoomName, member: &Member| {
            member.node == here && stays.iter().any(|(r, g)| r == room && *g == member.generation)
        };
        let entered = self.relocate(&peer, generation, (here, node), stays);
        Ok(entered.into_iter().map(|entered| entered.change).collect())
    }

    async fn take_over(&self, peer: &PeerId, generation: u64) -> Result<Vec<Entered>, Unavailable> {
        let Some(Location { node, .. }) = self.locate(peer).await? else { return Ok(Vec::new()) };
        Ok(self.relocate(peer, generation, (node, self.node), |_, _| true))
    }
}
