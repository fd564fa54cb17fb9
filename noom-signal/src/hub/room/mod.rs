//! One room, as this node serves it.

mod early;
mod moving;
mod pending;
mod relay;
mod telling;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio::sync::{RwLock, oneshot};

pub(super) use early::Handed;
pub(super) use pending::{Asks, Pending};
pub(super) use relay::Relayed;

use self::moving::Leaving;
use super::{delivery::Delivery, event::Event};
use crate::{
    backplane::{Entered, Message},
    protocol::{ByeReason, ErrorCode, Frame, Json, PeerId, RoomName},
    room::{Change, ChangeKind, Member, NodeId, Roster, Snapshot, Stamp, View},
    session::Session,
};

/// This node's peers in a room, and its view of all others.
///
/// Every method that changes something also tells the members, through a [`Delivery`]: state and
/// frames change together, under one lock, so that what a member reads is always one history.
#[derive(Debug)]
pub(super) struct Room {
    name: RoomName,
    /// Keeps joins and leaves of this node's peers apart: joins share it, a leave has it alone.
    ///
    /// A node hears of a room's changes for as long as one of its peers is in it. Were a join under
    /// way while the last peer leaves, steps between the two could be told to nobody here, and
    /// the view would wait for them.
    pub(super) gate: Arc<RwLock<()>>,
    view: View,
    locals: HashMap<PeerId, Local>,
    /// Own peers whose join has not taken effect yet.
    joining: HashMap<PeerId, (Local, Arc<Member>)>,
    /// Peers that another node hands over, until the step that moves them here.
    arriving: HashMap<PeerId, Local>,
    /// Own peers on their way to another node, and what is waiting for the step that moves them.
    departing: HashMap<PeerId, oneshot::Sender<Snapshot>>,
    /// Those that have been moved, and whose sessions have yet to follow: what came for them before
    /// the move, and was held here, is still theirs.
    leaving: HashMap<PeerId, Leaving>,
    /// Messages of other nodes that know the room better than this one does; those of one sender in
    /// order.
    early: VecDeque<Message>,
    early_bytes: usize,
    /// Senders on other nodes of which messages for this room wait for another room first, and the
    /// step that each of those knew. They come before a bye of their sender that is later than that.
    reserved: HashMap<PeerId, VecDeque<u64>>,
    /// Whether such a bye waits.
    blocked: bool,
    /// Whether a snapshot is on its way.
    fetching: bool,
    /// Messages may have been lost: the members are told, even if the roster is as it was.
    gap: bool,
}

/// One of this node's peers.
#[derive(Debug)]
struct Local {
    session: Arc<Session>,
    generation: u64,
    /// The step that moved it here; 0 where it joined here.
    seat: u64,
    /// The request of this peer that the next change of its own answers.
    pending: Option<Pending>,
    /// Its session has ended; the cluster has yet to hear of it.
    gone: bool,
    /// Nobody can say whether it is still in the room, until the room has been fetched.
    unsure: bool,
}

/// What a room needs beyond its lock.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    /// A snapshot of the cluster's roster; call [`Room::adopt`] with it.
    Snapshot,
}

impl Need {
    /// What two steps need together.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::Snapshot { self } else { other }
    }
}

impl Room {
    pub(super) fn new(name: RoomName) -> Self {
        Self {
            name,
            gate: Arc::default(),
            view: View::default(),
            locals: HashMap::new(),
            joining: HashMap::new(),
            arriving: HashMap::new(),
            departing: HashMap::new(),
            leaving: HashMap::new(),
            early: VecDeque::new(),
            early_bytes: 0,
            reserved: HashMap::new(),
            blocked: false,
            fetching: false,
            gap: false,
        }
    }

    /// Announces a join of one of this node's peers. From now on steps of the room are held for it.
    pub(super) fn expect(&mut self, session: Arc<Session>, member: Member, pending: Pending) {
        let pending = Some(pending);
        let generation = member.generation;
        let local = Local { session, generation, seat: 0, pending, gone: false, unsure: false };
        self.joining.insert(member.peer.clone(), (local, Arc::new(member)));
    }

    /// The join will not take effect, if it has not. Others may have waited for its answer.
    pub(super) fn unexpect(
        &mut self,
        peer: &PeerId,
        generation: u64,
        delivery: &mut Delivery<'_>,
    ) -> Need {
        if self.joining.get(peer).is_none_or(|(local, _)| local.generation != generation) {
            return Need::Nothing;
        }
        self.joining.remove(peer);
        self.advance(delivery)
    }

    /// Takes in a step of the room's history.
    pub(super) fn receive(&mut self, change: Change, delivery: &mut Delivery<'_>) -> Need {
        self.view.receive(change, delivery.limits.held_events);
        self.advance(delivery)
    }

    /// Takes in the answer to one of this node's joins.
    pub(super) fn enter(&mut self, entered: Entered, delivery: &mut Delivery<'_>) -> Need {
        let Entered { change, snapshot } = entered;
        // The first of this node's peers brings the roster. It is the one that met no other: where
        // several join at the same time, and where the last one's leave is not told yet, since an
        // earlier step is still on its way.
        let met_another = snapshot.members.iter().any(|member| {
            let joining = self.joining.get(&member.peer).map(|(local, _)| local);
            let here = self.locals.get(&member.peer).or(joining);
            member.since != change.after.version
                && member.node == delivery.node
                && here.is_some_and(|local| local.generation == member.generation)
        });
        if !met_another {
            // Where this node had nobody in the room, not even for a moment, it was not told of the
            // steps of that moment: what it knew before does not count.
            self.start_from(snapshot, delivery)
        } else {
            let step = change.after.step;
            let peer = match &change.kind {
                ChangeKind::Joined(member) => member.peer.clone(),
                _ => return self.receive(change, delivery),
            };
            if let Some((Local { pending: Some(pending), .. }, _)) = self.joining.get_mut(&peer) {
                pending.landed = Some(step);
                if self.view.step() >= step {
                    // The step looks old: it is of a history that began after the one known here
                    // ended, or what came after it is known already.
                    return self.doubt();
                }
            }
            self.receive(change, delivery)
        }
    }

    /// Takes in the room as it was at a step of this node's own, whatever was known before.
    fn start_from(&mut self, snapshot: Snapshot, delivery: &mut Delivery<'_>) -> Need {
        if self.view.roster().is_some() {
            self.view.doubt(false);
        }
        let fetching = self.fetching;
        let need = self.adopt(snapshot, delivery);
        if !fetching {
            return need;
        }
        // What raised the doubt may be younger than this snapshot.
        self.fetching = true;
        self.view.doubt(false);
        Need::Nothing
    }

    /// Takes in the room as the cluster has it.
    pub(super) fn adopt(&mut self, snapshot: Snapshot, delivery: &mut Delivery<'_>) -> Need {
        self.fetching = false;
        let first = self.view.roster().is_none();
        let leaves = self.view.held_leaves();
        let replaced = self.view.adopt(snapshot);
        if replaced && !first {
            self.drop_missing(&leaves, delivery);
        }
        if !self.view.in_doubt() {
            self.locals.values_mut().for_each(|local| local.unsure = false);
        }
        let told = self.gap && !self.view.in_doubt();
        if replaced && !first || told {
            self.gap &= !told;
            self.tell_roster(delivery);
            self.settle_all(delivery);
        }
        self.promote(delivery);
        self.advance(delivery)
    }

    /// Steps and messages may have been lost.
    pub(super) fn gap(&mut self) -> Need {
        self.gap = true;
        self.doubt()
    }

    /// The steps at hand may not be all: a snapshot is needed.
    pub(super) fn doubt(&mut self) -> Need {
        self.view.doubt(self.fetching);
        self.need()
    }

    /// Nobody can say whether a peer's leave took effect. If it did, the others hear nothing of the
    /// peer any more: until the room has been fetched, what it says is refused.
    pub(super) fn doubt_stay(&mut self, peer: &PeerId) -> Need {
        if let Some(local) = self.locals.get_mut(peer) {
            local.unsure = true;
        }
        self.doubt()
    }

    /// Whether nothing is told until a snapshot is there.
    pub(super) fn in_doubt(&self) -> bool {
        self.view.in_doubt()
    }

    /// The point in its history up to which this node knows the room.
    pub(super) fn stamp(&self) -> Stamp {
        self.view.roster().map(Roster::stamp).unwrap_or_default()
    }

    /// This node's peers as the cluster's roster should have them: without those whose leave has
    /// taken effect, though in doubt it was not told yet.
    pub(super) fn present(&self, node: NodeId) -> Vec<Arc<Member>> {
        let (roster, leaves) = (self.view.roster(), self.view.held_leaves());
        let here =
            self.locals.iter().filter(|(peer, local)| !local.gone && !leaves.contains_key(*peer));
        let here = here.filter_map(|(peer, _)| roster?.get(peer.as_str()).cloned());
        let joining = self.joining.values().map(|(_, member)| member.clone());
        let arriving = self.arriving.iter().map(|(peer, local)| {
            // Where the cluster does not have it, it is not to be put in.
            let (since, seat, generation) = (1, 1, local.generation);
            let (user, meta) = (None, Json::empty_object());
            Arc::new(Member { peer: peer.clone(), generation, node, seat, user, meta, since })
        });
        here.chain(joining).chain(arriving).collect()
    }

    /// Sets what the next change of this peer's own answers. `None` where it is not in the room.
    pub(super) fn await_change(&mut self, peer: &PeerId, pending: Pending) -> Option<u64> {
        let local = self.locals.get_mut(peer)?;
        local.pending = Some(pending);
        Some(local.generation)
    }

    /// Takes in the step that a request of this peer's own led to.
    pub(super) fn land(
        &mut self,
        peer: &PeerId,
        change: Change,
        delivery: &mut Delivery<'_>,
    ) -> Need {
        if let Some(pending) = self.locals.get_mut(peer).and_then(|l| l.pending.as_mut()) {
            pending.landed = Some(change.after.step);
        }
        let need = self.receive(change, delivery);
        self.settle_all(delivery);
        need
    }

    /// Answers those requests whose change is in the roster already, and so will not be told: it
    /// came within a snapshot.
    fn settle_all(&mut self, delivery: &mut Delivery<'_>) {
        let step = self.view.step();
        for local in self.locals.values_mut() {
            let passed = |pending: &Pending| pending.landed.is_some_and(|at| at <= step);
            if let Some(pending) = local.pending.take_if(|pending| passed(pending)) {
                pending.fail(&self.name, &local.session, ErrorCode::Unavailable, delivery);
            }
        }
    }

    /// The change will not come. Returns whether it is still awaited.
    pub(super) fn give_up_change(&mut self, peer: &PeerId) -> bool {
        self.locals.get_mut(peer).is_some_and(|local| local.pending.take().is_some())
    }

    /// Delivers nothing to or from this peer from now on; the cluster will hear later that it is
    /// out. Returns the generation of its stay.
    pub(super) fn detach(&mut self, session: &Arc<Session>) -> Option<u64> {
        let local = self.locals.get_mut(&session.peer)?;
        if !Arc::ptr_eq(&local.session, session) {
            return None;
        }
        local.gone = true;
        Some(local.generation)
    }

    /// The room as one member is told it after a loss.
    pub(super) fn roster_for(&self, peer: &PeerId) -> Option<Frame> {
        self.locals.contains_key(peer).then(|| self.roster_frame(peer))
    }

    /// The cluster has taken all of this node's peers out, and tells this node nothing any more.
    pub(super) fn clear(&mut self, delivery: &mut Delivery<'_>) -> Need {
        let peers: Vec<PeerId> = self.locals.keys().cloned().collect();
        for peer in peers {
            self.remove(&peer, ByeReason::Lost, delivery);
        }
        self.arriving.clear();
        self.leaving.clear();
        self.drop_early(delivery);
        self.view = View::default();
        Need::Nothing
    }

    /// Whether this node has nobody in it, so that it may be forgotten.
    pub(super) fn is_idle(&self) -> bool {
        self.locals.is_empty()
            && self.joining.is_empty()
            && self.arriving.is_empty()
            && self.leaving.is_empty()
    }

    pub(super) fn roster(&self) -> Option<&Roster> {
        self.view.roster()
    }

    fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.view.roster().into_iter().flat_map(Roster::members)
    }

    fn need(&mut self) -> Need {
        if self.view.in_doubt() && !self.fetching {
            self.fetching = true;
            return Need::Snapshot;
        }
        Need::Nothing
    }

    /// Applies and tells all steps whose turn has come.
    fn advance(&mut self, delivery: &mut Delivery<'_>) -> Need {
        // After a doubt: the first step at hand may be the bye of whoever sent what was held.
        self.release(delivery);
        while let Some(change) = self.next_step(delivery) {
            // A message goes out before the step that comes after what its sender knew: nothing
            // from a peer follows its bye.
            self.tell(change, delivery);
            self.release(delivery);
        }
        self.promote(delivery);
        self.refuse_past(delivery);
        self.release(delivery);
        let entered = |local: &Local| local.pending.as_ref().is_some_and(|p| p.landed.is_some());
        if self.locals.is_empty()
            && self.view.is_waiting()
            && !self.joining.is_empty()
            && self.joining.values().all(|(local, _)| entered(local))
        {
            // Another node took the last peer out of here while one was about to enter: of what came
            // between, this node was not told.
            self.view.doubt(self.fetching);
        }
        self.need()
    }

    /// Makes members of those joining and arriving peers that the roster has by now.
    fn promote(&mut self, delivery: &mut Delivery<'_>) {
        self.promote_arrivals(delivery);
        let Some(roster) = self.view.roster() else { return };
        if self.joining.is_empty() {
            return;
        }
        let joined: Vec<(Arc<Member>, Local)> = self
            .joining
            .extract_if(|peer, (local, _)| {
                roster.get(peer.as_str()).is_some_and(|m| m.generation == local.generation)
            })
            .filter_map(|(peer, (local, _))| Some((roster.get(peer.as_str())?.clone(), local)))
            .collect();
        for (member, mut local) in joined {
            if !local.session.enter(&self.name) {
                // Its session has ended meanwhile; whoever ended it takes it out again.
                continue;
            }
            let id = local.pending.as_ref().and_then(|pending| pending.id);
            self.emit_if_opened(delivery);
            self.tell_joined(&local.session, &member, id, delivery);
            (local.pending, local.seat) = (None, member.seat);
            self.locals.insert(member.peer.clone(), local);
        }
    }

    /// Answers those joins that took effect and were undone by another node before this one heard of
    /// it: their step is past, and will not be told.
    fn refuse_past(&mut self, delivery: &mut Delivery<'_>) {
        if self.view.in_doubt() || self.joining.is_empty() {
            return;
        }
        let step = self.view.step();
        let past = |local: &Local| {
            let landed = local.pending.as_ref().and_then(|pending| pending.landed);
            landed.is_some_and(|landed| landed <= step)
        };
        for (_, (local, _)) in self.joining.extract_if(|_, (local, _)| past(local)) {
            if let Some(pending) = local.pending {
                pending.fail(&self.name, &local.session, ErrorCode::Unavailable, delivery);
            }
        }
    }

    /// Takes out those local members that the cluster has not: the ones that were on their way out
    /// anyway, those taken out by another node, and those that are on another node by now.
    fn drop_missing(&mut self, leaves: &HashMap<PeerId, ByeReason>, delivery: &mut Delivery<'_>) {
        let Some(roster) = self.view.roster() else { return };
        let (mut missing, mut moved) = (Vec::new(), Vec::new());
        for peer in self.locals.keys() {
            match roster.get(peer.as_str()) {
                None => missing.push(peer.clone()),
                Some(member) if member.node != delivery.node => moved.push(peer.clone()),
                Some(_) => {}
            }
        }
        for peer in moved {
            if let Some(local) = self.locals.get(&peer) {
                // Of the steps up to its move it was not told, and its new node tells those after.
                local.session.lose();
            }
            self.let_go(&peer, delivery);
        }
        for peer in missing {
            let Some(local) = self.locals.get_mut(&peer) else { continue };
            let left = local.pending.take_if(|pending| pending.asks == Asks::Leave);
            let reason = match left {
                Some(_) => ByeReason::Left,
                None if local.gone => ByeReason::Disconnected,
                None => leaves.get(&peer).copied().unwrap_or(ByeReason::Lost),
            };
            self.tell_out(&peer, reason, left.and_then(|pending| pending.id), delivery);
            self.remove(&peer, reason, delivery);
        }
    }

    fn remove(&mut self, peer: &PeerId, reason: ByeReason, delivery: &mut Delivery<'_>) {
        self.departing.remove(peer);
        if let Some(Local { session, pending, .. }) = self.locals.remove(peer) {
            if let Some(pending) = pending {
                pending.fail(&self.name, &session, ErrorCode::NotInRoom, delivery);
            }
            session.exit(&self.name);
            let room = self.name.clone();
            delivery.emit(Event::Left { room, peer: peer.clone(), reason });
            self.emit_if_closed(delivery);
        }
    }

    fn emit_if_opened(&self, delivery: &Delivery<'_>) {
        if self.locals.is_empty() {
            delivery.emit(Event::RoomOpened { room: self.name.clone() });
        }
    }

    fn emit_if_closed(&self, delivery: &Delivery<'_>) {
        if self.locals.is_empty() {
            delivery.emit(Event::RoomClosed { room: self.name.clone() });
        }
    }
}
