//! What joins hubs into a cluster.
//!
//! A hub is one node. It knows its own peers; a [`Backplane`] keeps each room's roster for all
//! nodes, tells every node of a room what the others changed, and carries messages to peers on
//! other nodes. [`Local`] does it within one process and is the default: a cluster of one.
//!
//! `docs/backplane.md` leads through writing one; the `conformance` feature holds the suite that
//! it must pass.

mod local;

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use thiserror::Error;

pub use local::Local;

use crate::{
    protocol::{ByeReason, Frame, Json, LobbyRoom, PeerId, RoomName, Target, UserId},
    room::{Change, Member, NodeId, Snapshot, Stamp},
};

/// One node's link to the cluster.
///
/// # What an implementation guarantees
///
/// - **One history a room.** Every change leads from the room's stamp to the next
///   ([`Change::before`], [`Stamp::next`]). A room without members is forgotten; the next one of its
///   name begins at version 1 with other tokens.
/// - **Every node of a room hears of it.** From the moment at which [`Backplane::join`] put a
///   node's first peer into a room, or another node moved one there, until its last is out, each
///   change made by *another* node comes to [`Events::changed`], at any time and in any order. A
///   node's own changes come as the replies to its requests, and only there.
/// - **Messages keep order.** What was accepted for a node comes to it once, and in the order in
///   which it was accepted, across rooms and whoever sent it: of two calls of `send`, `broadcast` or
///   `write`, the one begun after the other had returned never overtakes it. Nor does a change
///   overtake a message for the same room that was accepted before it was made.
/// - **Gaps show.** Where events may have been lost, [`Events::gap`] is called. Silence means that
///   nothing is missing.
/// - **Requests end.** Every request is answered within seconds, at once when the cluster is known
///   to be out of reach.
///
/// # What it may expect
///
/// A hub calls `attach` once, before all else, and drops its backplane when it goes. After an
/// [`Unavailable`] it fetches the room with [`Backplane::resync`]; it repeats a `leave` of the same
/// generation for as long as it takes, where the peer is gone for good; whether a `join` or an
/// `update` is tried again is its client's to say. It never calls while it holds a lock that [`Events`]
/// takes: an implementation may call `Events` from within a request. One thing to mind: an upgraded
/// [`Weak`] may be the last handle of its hub, and with the hub the backplane itself is dropped.
#[async_trait]
pub trait Backplane: Send + Sync + 'static {
    /// Takes the node into the cluster. Events go to `events` from now on; once the hub is gone,
    /// it cannot be upgraded any more.
    fn attach(&self, events: Weak<dyn Events>) -> NodeId;

    /// How many nodes the cluster has, this one included. A hub that is about to stop asks: where
    /// there is another, its sessions are worth waiting for. One that has died may be counted for as
    /// long as it could still be alive.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn nodes(&self) -> Result<usize, Unavailable>;

    /// Puts a peer into a room.
    ///
    /// Atomic: of many that ask for a room's last place, one gets it. A repetition (same peer, same
    /// generation) is answered like the first. An earlier stay of the peer (another generation), of
    /// which its node does not know whether it ever began, ends with a step of its own.
    ///
    /// # Errors
    ///
    /// [`JoinError::Full`] changes nothing. [`JoinError::Unavailable`]: it may or may not have
    /// happened.
    async fn join(&self, entry: Entry) -> Result<Entered, JoinError>;

    /// Takes a peer out of a room. `None`: the peer of that generation was not in it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: it may or may not have happened.
    async fn leave(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        reason: ByeReason,
    ) -> Result<Option<Change>, Unavailable>;

    /// Replaces a peer's meta. `None`: the peer of that generation was not in the room.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: it may or may not have happened.
    async fn update(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        meta: Json,
    ) -> Result<Option<Change>, Unavailable>;

    /// The room as it is, once it holds no other of this node's peers than `present`. `known` is the
    /// last stamp this node's picture of the room had.
    ///
    /// Those too many are taken out, with the reason `lost`. Of those that are missing, one whose
    /// [`Member::since`] is 0 joins. One with another `since` was taken out by another node, and
    /// stays out, unless the cluster has lost what it knew of the room at `known`: then it is put in with
    /// the `since` it had, for nobody is to see it leave or join, and versions and steps go on above
    /// all that were in use. A peer that is in the room from another node stays there.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: it may or may not have happened. A cluster that has lost what it knew says so
    /// until all its nodes have brought back their peers.
    async fn resync(
        &self,
        room: &RoomName,
        known: Stamp,
        present: Vec<Arc<Member>>,
    ) -> Result<Snapshot, Unavailable>;

    /// How many peers are in a room; 0 for one that does not exist.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn occupancy(&self, room: &RoomName) -> Result<usize, Unavailable>;

    /// The listed rooms of the whole cluster, those with the most peers first, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn lobby(&self, limit: usize) -> Result<Vec<LobbyRoom>, Unavailable>;

    /// Hands a message to the node that holds its target. `Ok` when that node has it for sure,
    /// now or as soon as it looks.
    ///
    /// Where the target was handed over meanwhile ([`Backplane::hand_over`]), the message goes to
    /// the node it moved to, as if that had been asked for. If it has moved to this very node, the
    /// message is passed to [`Events::message`] before this returns, for what its sender says next
    /// may not have to leave the node.
    ///
    /// # Errors
    ///
    /// [`SendError`]; the message was then not delivered, and will not be.
    async fn send(&self, node: NodeId, message: Message) -> Result<(), SendError>;

    /// Hands a message to each of `nodes`, for all their peers in the room.
    ///
    /// Where such a node has handed a peer over, in a step later than [`Message::known`], that was
    /// not moved to it in a later one either ([`Member::seat`]), that peer gets the message too: it is
    /// named in [`Message::except`], and the message goes to its new node once more, with
    /// [`Target::Peer`], as by [`Backplane::send`].
    ///
    /// # Errors
    ///
    /// [`SendError`]; some of the nodes may have it.
    async fn broadcast(&self, nodes: Vec<NodeId>, message: Message) -> Result<(), SendError>;

    /// Hands a letter to another node's hub, as [`Backplane::send`] does a message. A letter may
    /// be as long as a session's resume buffer and some 100 KB more.
    ///
    /// # Errors
    ///
    /// [`SendError`]; it was then not delivered, and will not be.
    async fn write(&self, node: NodeId, letter: Letter) -> Result<(), SendError>;

    /// Which node holds a peer, as far as some room says; `None` for a peer that is in no room.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn locate(&self, peer: &PeerId) -> Result<Option<Location>, Unavailable>;

    /// Moves one of this node's peers to another node, in all its rooms, one step in each. Stays
    /// that are not in the roster (any more) are left out.
    ///
    /// The node moved to is told of the steps too, before all that is accepted for it later, and is a
    /// node of those rooms from then on. When this returns, every message for the peer that was
    /// accepted for this node has been passed to [`Events::message`], and no more will be: they go to
    /// the other node.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: it may or may not have happened, in some of the rooms or all.
    async fn hand_over(&self, moving: Move) -> Result<Vec<Change>, Unavailable>;

    /// Moves a peer to this node from wherever it is, in all its rooms: its own node is gone or does
    /// not answer, and what it held for the peer is lost. To be answered with each room right after
    /// its step, as a join is.
    ///
    /// That node, should it still be there, is told of the steps, and messages for the peer go
    /// here from now on.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: it may or may not have happened, in some of the rooms or all.
    async fn take_over(&self, peer: &PeerId, generation: u64) -> Result<Vec<Entered>, Unavailable>;
}

/// A hub, as its backplane sees it.
///
/// Each call returns at once. All may be called from any thread within a tokio runtime; calls for
/// the same room must not overlap where their order matters.
pub trait Events: Send + Sync {
    /// Another node changed a room.
    fn changed(&self, change: Change);

    /// Another node sent a message.
    fn message(&self, message: Message);

    /// Another node's hub wrote to this one.
    fn letter(&self, letter: Letter);

    /// Events may have been lost. The hub fetches every room again with [`Backplane::resync`].
    fn gap(&self);

    /// The cluster took this node for dead and has begun to take its peers out of their rooms. The
    /// hub ends all its sessions without a word to the cluster; their clients come back and are new.
    /// The node may go on under its id once the last of its peers is out.
    fn fenced(&self);
}

/// A peer about to enter a room.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The room.
    pub room: RoomName,
    /// The peer.
    pub peer: PeerId,
    /// Names this join among all of the peer's; see [`Member::generation`].
    pub generation: u64,
    /// Who the application says it is.
    pub user: Option<UserId>,
    /// What the peer says about itself.
    pub meta: Json,
    /// How many peers the room may hold, this one included.
    pub capacity: usize,
    /// Whether the lobby lists the room. Each join says so anew.
    pub listed: bool,
}

/// A join that took effect.
#[derive(Debug, Clone)]
pub struct Entered {
    /// The change it was.
    pub change: Change,
    /// The room right after it, the new member included.
    pub snapshot: Snapshot,
}

/// A message between peers of different nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The room.
    pub room: RoomName,
    /// The sender, which is in that room on the sending node.
    pub from: PeerId,
    /// One peer, or everyone on the receiving node.
    pub to: Target,
    /// The room as the sending node knew it. A node whose own view is older waits for it, so that
    /// no message overtakes the join it depends on.
    pub known: Stamp,
    /// Peers that do not get it from this node, where it is for everyone: they were handed over and
    /// get it on their new one. Filled in by the backplane.
    pub except: Vec<PeerId>,
    /// What the target is told, as it goes over the wire.
    pub frame: Frame,
}

/// A word from one hub to another. What it says is the hubs' own affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Who wrote it.
    pub from: NodeId,
    /// JSON text.
    pub text: Frame,
}

/// Where a peer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The node that holds its session.
    pub node: NodeId,
    /// Whether that node is known to be alive.
    pub alive: bool,
    /// Who the application said it is, when it joined.
    pub user: Option<UserId>,
}

/// A peer about to go to another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Who.
    pub peer: PeerId,
    /// Its rooms, each with the generation of its stay there.
    pub stays: Vec<(RoomName, u64)>,
    /// Where to.
    pub node: NodeId,
    /// Names all its stays from then on.
    pub generation: u64,
}

/// Why a join had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The room is at its capacity.
    #[error("the room holds {members} peers already")]
    Full {
        /// How many peers are in it.
        members: usize,
    },
    /// The cluster cannot be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a message was not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError {
    /// That node is no more.
    #[error("the target's node is gone")]
    NodeGone,
    /// The cluster cannot be reached, or the node has more waiting than it can take.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The cluster cannot do it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the cluster is out of reach")]
pub struct Unavailable {
    /// When it is worth trying again, in milliseconds.
    pub retry_after_ms: u64,
}
