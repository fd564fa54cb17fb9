//! One room, as this node serves it.

mod relay;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio::sync::{RwLock, oneshot};

pub(super) use relay::Relayed;

use super::{delivery::Delivery, event::Event};
use crate::{
    backplane::{Entered, Message},
    protocol::{
        ByeReason, ErrorCode, Frame, PeerId, RoomName, ServerMessage,
        server::{Bye, Error, Joined, Roster as RosterMessage, Updated, Welcome},
    },
    room::{Change, ChangeKind, Member, Roster, Snapshot, Stamp, View},
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
    /// Messages of other nodes that know the room better than this one does, in order.
    early: VecDeque<Message>,
    /// Whether a snapshot is on its way.
    fetching: bool,
}

/// One of this node's peers.
#[derive(Debug)]
struct Local {
    session: Arc<Session>,
    generation: u64,
    /// The request of this peer that the next change of its own answers.
    pending: Option<Pending>,
    /// Its session has ended; the cluster has yet to hear of it.
    gone: bool,
}

/// A request that a change will answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: Option<u64>,
    pub(super) asks: Asks,
    /// The step that the request led to, once the cluster has said so.
    pub(super) landed: Option<u64>,
    /// Dropped once it is answered.
    pub(super) _done: oneshot::Sender<()>,
}

/// What kind of change a request is answered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Join,
    Leave,
    Update,
}

impl Pending {
    pub(super) fn new(id: Option<u64>, asks: Asks, done: oneshot::Sender<()>) -> Self {
        Self { id, asks, landed: None, _done: done }
    }
}

/// What a room needs beyond its lock.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    /// A snapshot of the cluster's roster; call [`Room::adopt`] with it.
    Snapshot,
}

impl Room {
    pub(super) fn new(name: RoomName) -> Self {
        Self {
            name,
            gate: Arc::default(),
            view: View::default(),
            locals: HashMap::new(),
            joining: HashMap::new(),
            early: VecDeque::new(),
            fetching: false,
        }
    }

    /// Announces a join of one of this node's peers. From now on steps of the room are held for it.
    pub(super) fn expect(&mut self, session: Arc<Session>, member: Member, pending: Pending) {
        let pending = Some(pending);
        let local = Local { session, generation: member.generation, pending, gone: false };
        self.joining.insert(member.peer.clone(), (local, Arc::new(member)));
    }

    /// The join will not take effect. Returns whether it was still expected.
    pub(super) fn unexpect(&mut self, peer: &PeerId, generation: u64) -> bool {
        let expected = self.joining.get(peer).is_some_and(|(l, _)| l.generation == generation);
        if expected {
            self.joining.remove(peer);
        }
        expected
    }

    /// Takes in a step of the room's history.
    pub(super) fn receive(&mut self, change: Change, delivery: &mut Delivery<'_>) -> Need {
        self.view.receive(change, delivery.limits.held_events);
        self.advance(delivery)
    }

    /// Takes in the answer to one of this node's joins.
    pub(super) fn enter(&mut self, entered: Entered, delivery: &mut Delivery<'_>) -> Need {
        let Entered { change, snapshot } = entered;
        // The first of this node's peers brings the roster. Where several joined at the same time,
        // the first of them is the one that met no other.
        let met_another = snapshot.members.iter().any(|member| {
            let expected = self.joining.get(&member.peer);
            member.seat != change.after.step
                && expected.is_some_and(|(local, _)| local.generation == member.generation)
        });
        if self.locals.is_empty() && !met_another {
            // Where this node had nobody in the room, not even for a moment, it was not told of the
            // steps of that moment: what it knew before does not count.
            if self.view.roster().is_some() {
                self.view.doubt();
            }
            self.adopt(snapshot, delivery)
        } else {
            self.receive(change, delivery)
        }
    }

    /// Takes in the room as the cluster has it.
    pub(super) fn adopt(&mut self, snapshot: Snapshot, delivery: &mut Delivery<'_>) -> Need {
        self.fetching = false;
        let first = self.view.roster().is_none();
        let replaced = self.view.adopt(snapshot);
        if replaced && !first {
            self.drop_missing(delivery);
            self.tell_roster(delivery);
            self.settle_all(delivery);
        }
        self.promote(delivery);
        self.advance(delivery)
    }

    /// The steps at hand may not be all: a snapshot is needed.
    pub(super) fn doubt(&mut self) -> Need {
        self.view.doubt();
        self.need()
    }

    /// The point in its history up to which this node knows the room.
    pub(super) fn stamp(&self) -> Stamp {
        self.view.roster().map(Roster::stamp).unwrap_or_default()
    }

    /// This node's peers as the cluster's roster should have them.
    pub(super) fn present(&self) -> Vec<Arc<Member>> {
        let roster = self.view.roster();
        let here = self.locals.iter().filter(|(_, local)| !local.gone);
        let here = here.filter_map(|(peer, _)| roster?.get(peer.as_str()).cloned());
        here.chain(self.joining.values().map(|(_, member)| member.clone())).collect()
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
            if local.pending.as_ref().is_some_and(passed) {
                let id = local.pending.take().and_then(|pending| pending.id);
                fail(&self.name, &local.session, id, ErrorCode::Unavailable, delivery);
            }
        }
    }

    /// The change will not come. Returns whether it is still awaited.
    pub(super) fn give_up_change(&mut self, peer: &PeerId) -> bool {
        self.locals.get_mut(peer).is_some_and(|local| local.pending.take().is_some())
    }

    /// Delivers nothing to or from this peer from now on; the cluster will hear later that it is
    /// out. Returns the generation of its stay.
    pub(super) fn detach(&mut self, peer: &PeerId) -> Option<u64> {
        let local = self.locals.get_mut(peer)?;
        local.gone = true;
        Some(local.generation)
    }

    /// The room as one member is told it after a loss.
    pub(super) fn roster_for(&self, peer: &PeerId) -> Option<Frame> {
        let roster = self.view.roster().filter(|_| self.locals.contains_key(peer))?;
        Some(roster_frame(&self.name, roster, peer))
    }

    /// Whether this node has nobody in it, so that it may be forgotten.
    pub(super) fn is_idle(&self) -> bool {
        self.locals.is_empty() && self.joining.is_empty()
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
        while let Some(change) = self.view.advance() {
            // A message goes out before the step that comes after what its sender knew: nothing
            // from a peer follows its bye.
            self.tell(change, delivery);
            self.release(delivery);
        }
        self.promote(delivery);
        self.release(delivery);
        self.need()
    }

    fn tell(&mut self, change: Change, delivery: &mut Delivery<'_>) {
        let (room, version) = (self.name.clone(), change.after.version);
        match change.kind {
            ChangeKind::Joined(member) => {
                let welcome = Welcome {
                    room,
                    version,
                    peer: member.peer.clone(),
                    user: member.user.clone(),
                    meta: member.meta.clone(),
                    since: member.since,
                };
                self.tell_all(welcome.into(), delivery);
                self.promote(delivery);
            }
            ChangeKind::Updated { peer, meta } => {
                let asks = |pending: &mut Pending| pending.asks == Asks::Update;
                let local = self.locals.get_mut(&peer);
                let pending = local.and_then(|local| local.pending.take_if(asks));
                let updated = |id| Updated {
                    room: room.clone(),
                    version,
                    peer: peer.clone(),
                    meta: meta.clone(),
                    id,
                };
                let own = pending.map(|pending| (&peer, updated(pending.id).into()));
                self.tell_all_but(updated(None).into(), own, delivery);
            }
            ChangeKind::Left { peer, reason } => {
                let asks = |pending: &mut Pending| pending.asks == Asks::Leave;
                let local = self.locals.get_mut(&peer);
                let pending = local.and_then(|local| local.pending.take_if(asks));
                let bye = |id| Bye { room: room.clone(), version, peer: peer.clone(), reason, id };
                let own = pending.map(|pending| (&peer, bye(pending.id).into()));
                self.tell_all_but(bye(None).into(), own, delivery);
                self.remove(&peer, reason, delivery);
            }
            ChangeKind::Moved { .. } => {}
        }
    }

    /// Makes members of those joining peers that the roster has by now.
    fn promote(&mut self, delivery: &mut Delivery<'_>) {
        let Some(roster) = self.view.roster() else { return };
        if self.joining.is_empty() {
            return;
        }
        let joined = self.joining.extract_if(|peer, (local, _)| {
            roster.get(peer.as_str()).is_some_and(|m| m.generation == local.generation)
        });
        for (peer, (mut local, _)) in joined {
            if !local.session.enter(&self.name) {
                // Its session has ended meanwhile; whoever ended it takes it out again.
                continue;
            }
            // A newcomer learns its own `since` from this version. Where the roster is past it, the
            // steps between are not at hand: it is told of its join, then of the room as it is.
            let since = roster.get(peer.as_str()).map_or(roster.version(), |m| m.since);
            let mut peers = roster.others(&peer);
            let late = since < roster.version();
            peers.retain(|other| !late || other.since < since);
            let joined = Joined {
                room: self.name.clone(),
                version: since,
                peers,
                id: local.pending.as_ref().and_then(|pending| pending.id),
            };
            delivery.push(&local.session, ServerMessage::from(joined).to_frame());
            if late {
                delivery.push(&local.session, roster_frame(&self.name, roster, &peer));
            }
            local.pending = None;
            if self.locals.is_empty() {
                delivery.emit(Event::RoomOpened { room: self.name.clone() });
            }
            let user = local.session.identity().user.clone();
            delivery.emit(Event::Joined { room: self.name.clone(), peer: peer.clone(), user });
            self.locals.insert(peer, local);
        }
    }

    /// Tells every local member the whole roster, which replaces what it knew.
    fn tell_roster(&self, delivery: &mut Delivery<'_>) {
        for (peer, local) in &self.locals {
            if let Some(frame) = self.roster_for(peer) {
                delivery.push(&local.session, frame);
            }
        }
    }

    /// Takes out those local members that the cluster has not: the ones that were on their way out
    /// anyway. A backplane that dropped another one broke its word; that peer is told.
    fn drop_missing(&mut self, delivery: &mut Delivery<'_>) {
        let Some(roster) = self.view.roster() else { return };
        let version = roster.version();
        let missing = self.locals.keys().filter(|peer| roster.get(peer.as_str()).is_none());
        for peer in missing.cloned().collect::<Vec<_>>() {
            let gone = self.locals.get(&peer).is_some_and(|local| local.gone);
            let reason = if gone { ByeReason::Disconnected } else { ByeReason::Lost };
            if let Some(local) = self.locals.get_mut(&peer) {
                let left = local.pending.take_if(|pending| pending.asks == Asks::Leave);
                let reason = if left.is_some() { ByeReason::Left } else { reason };
                let (room, id) = (self.name.clone(), left.and_then(|pending| pending.id));
                let bye = Bye { room, version, peer: peer.clone(), reason, id };
                delivery.push(&local.session, ServerMessage::from(bye).to_frame());
            }
            self.remove(&peer, reason, delivery);
        }
    }

    fn remove(&mut self, peer: &PeerId, reason: ByeReason, delivery: &mut Delivery<'_>) {
        if let Some(local) = self.locals.remove(peer) {
            let Local { session, pending, .. } = &local;
            if let Some(Pending { id, .. }) = pending {
                fail(&self.name, session, *id, ErrorCode::NotInRoom, delivery);
            }
            local.session.exit(&self.name);
            let room = self.name.clone();
            delivery.emit(Event::Left { room, peer: peer.clone(), reason });
            if self.locals.is_empty() {
                delivery.emit(Event::RoomClosed { room: self.name.clone() });
            }
        }
    }

    fn tell_all(&self, message: ServerMessage, delivery: &mut Delivery<'_>) {
        self.tell_all_but(message, None, delivery);
    }

    /// Tells all local members, one of them in words of its own.
    fn tell_all_but(
        &self,
        message: ServerMessage,
        own: Option<(&PeerId, ServerMessage)>,
        delivery: &mut Delivery<'_>,
    ) {
        let frame = message.to_frame();
        for (peer, local) in &self.locals {
            match &own {
                Some((its, message)) if *its == peer => {
                    delivery.push(&local.session, message.to_frame());
                }
                _ => delivery.push(&local.session, frame.clone()),
            }
        }
    }
}

/// Answers a request that no change will answer.
fn fail(
    room: &RoomName,
    session: &Session,
    id: Option<u64>,
    code: ErrorCode,
    delivery: &mut Delivery<'_>,
) {
    let (message, retry_after_ms) = match code {
        ErrorCode::Unavailable => ("the room was fetched anew meanwhile", Some(100)),
        _ => ("no longer in this room", None),
    };
    let room = Some(room.as_str().to_owned());
    let error = Error { code, message: message.into(), room, to: None, retry_after_ms, id };
    delivery.push(session, ServerMessage::from(error).to_frame());
}

fn roster_frame(room: &RoomName, roster: &Roster, peer: &PeerId) -> Frame {
    let (version, peers) = (roster.version(), roster.others(peer));
    ServerMessage::from(RosterMessage { room: room.clone(), version, peers }).to_frame()
}
