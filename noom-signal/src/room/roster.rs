//! Who is in a room, at one version.

use std::{collections::HashMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::protocol::{ByeReason, Json, PeerId, PeerInfo, RoomName, UserId};

/// A node of the cluster: one hub, from its start to its end. Never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u64);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {self}")
    }
}

/// A point in one room's history.
///
/// The step counts all changes, the version those that peers are told of: a move to another node is
/// not among them. The token names the change itself, so that two histories that reached the same
/// number on different ways (a store that failed over and lost a write) are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// 0 before the first change; each raises it by one.
    pub step: u64,
    /// 0 before the first change; each but [`ChangeKind::Moved`] raises it by one.
    pub version: u64,
    /// Unique among all changes; 0 before the first.
    pub token: u64,
}

/// One peer's stay in one room, on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The peer.
    pub peer: PeerId,
    /// Tells this stay from an earlier or later one of the same peer. Chosen by the node, once a
    /// join or a move, so that a request repeated after a lost reply is seen to be the same, and
    /// one made too late, when the peer has moved on, does no harm.
    pub generation: u64,
    /// The node that holds the peer's session.
    pub node: NodeId,
    /// The step that moved it to that node; 0 where it joined there.
    pub seat: u64,
    /// Who the application says it is.
    pub user: Option<UserId>,
    /// What the peer says about itself.
    pub meta: Json,
    /// The version at which it joined.
    pub since: u64,
}

impl Member {
    /// The member as other members see it.
    pub fn info(&self) -> PeerInfo {
        PeerInfo {
            peer: self.peer.clone(),
            user: self.user.clone(),
            meta: self.meta.clone(),
            since: self.since,
        }
    }
}

/// One step of a room's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The room.
    pub room: RoomName,
    /// The point it leads on from.
    pub before: Stamp,
    /// The point it leads to: one step higher.
    pub after: Stamp,
    /// What happened.
    pub kind: ChangeKind,
}

impl Change {
    /// Whether it takes this peer out.
    pub(crate) fn is_leave_of(&self, peer: &PeerId) -> bool {
        matches!(&self.kind, ChangeKind::Left { peer: left, .. } if left == peer)
    }
}

/// What can happen to a roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// A peer joined.
    Joined(Arc<Member>),
    /// A peer is out.
    Left {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: ByeReason,
    },
    /// A peer replaced its meta.
    Updated {
        /// Who.
        peer: PeerId,
        /// The new value.
        meta: Json,
    },
    /// A peer's session is on another node now. Peers are not told.
    Moved {
        /// Who.
        peer: PeerId,
        /// Names its stay there; see [`Member::generation`].
        generation: u64,
        /// Where to.
        node: NodeId,
    },
}

impl Stamp {
    /// Where a change of that kind leads to from here.
    pub fn next(self, kind: &ChangeKind, token: u64) -> Self {
        let told = u64::from(!matches!(kind, ChangeKind::Moved { .. }));
        Self { step: self.step + 1, version: self.version + told, token }
    }
}

/// A room's members at one point of its history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The point.
    pub stamp: Stamp,
    /// The members, in no particular order.
    pub members: Vec<Arc<Member>>,
}

/// A room's members, kept by applying one change after another.
///
/// ```
/// use noom_signal::room::Roster;
///
/// let roster = Roster::default();
/// assert_eq!((roster.version(), roster.len()), (0, 0));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    stamp: Stamp,
    members: HashMap<PeerId, Arc<Member>>,
}

impl Roster {
    /// Applies the next step.
    ///
    /// The caller has seen that it leads on from [`Roster::stamp`].
    pub fn apply(&mut self, change: &Change) {
        debug_assert_eq!(change.before, self.stamp);
        self.stamp = change.after;
        match &change.kind {
            ChangeKind::Joined(member) => {
                self.members.insert(member.peer.clone(), member.clone());
            }
            ChangeKind::Left { peer, .. } => {
                self.members.remove(peer);
            }
            ChangeKind::Updated { peer, meta } => {
                if let Some(member) = self.members.get_mut(peer) {
                    Arc::make_mut(member).meta = meta.clone();
                }
            }
            ChangeKind::Moved { peer, generation, node } => {
                if let Some(member) = self.members.get_mut(peer) {
                    let member = Arc::make_mut(member);
                    (member.generation, member.node) = (*generation, *node);
                    member.seat = change.after.step;
                }
            }
        }
    }

    /// Where in its history the roster is.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The version, 0 when nobody was ever in the room.
    pub fn version(&self) -> u64 {
        self.stamp.version
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member of that id.
    pub fn get(&self, peer: &str) -> Option<&Arc<Member>> {
        self.members.get(peer)
    }

    /// The members, in no particular order.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }

    /// The members but `peer`, as that peer is told.
    pub fn others(&self, peer: &PeerId) -> Vec<PeerInfo> {
        self.members().filter(|member| member.peer != *peer).map(|member| member.info()).collect()
    }

    /// All of it, to be handed on.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { stamp: self.stamp, members: self.members().cloned().collect() }
    }
}

impl From<Snapshot> for Roster {
    fn from(snapshot: Snapshot) -> Self {
        let members = snapshot.members.into_iter();
        Self {
            stamp: snapshot.stamp,
            members: members.map(|member| (member.peer.clone(), member)).collect(),
        }
    }
}
