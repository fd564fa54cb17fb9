//! Peers that come from another node with their sessions, or go to one.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Asks, Local, Need, Room, pending::Pending};
use crate::{
    backplane::Message,
    hub::{delivery::Delivery, event::Event},
    protocol::{ByeReason, PeerId, ServerMessage, Target, server::Bye},
    room::{Change, Member, Snapshot},
    session::Session,
};

/// A peer on its way to another node.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) session: Arc<Session>,
    /// The step that moved it here (0 if it joined here), and the one that moved it away.
    from: u64,
    to: u64,
}

impl Leaving {
    /// Whether a message to all was sent while the peer was here.
    pub(super) fn misses(&self, message: &Message) -> bool {
        let known = message.known.step;
        self.from <= known && known < self.to && message.reaches(&self.session.peer)
    }
}

impl Room {
    /// Awaits a peer that another node hands over. It becomes a member at the step that moves it, and
    /// is told nothing then: it was there all along. What is returned ends when that has happened.
    pub(in crate::hub) fn await_arrival(
        &mut self,
        session: &Arc<Session>,
        generation: u64,
        delivery: &mut Delivery<'_>,
    ) -> oneshot::Receiver<()> {
        let (pending, told) = Pending::new(None, Asks::Move);
        let here = self.locals.get(&session.peer);
        if here.is_none_or(|local| local.generation != generation) {
            let (session, pending) = (session.clone(), Some(pending));
            let (seat, gone, unsure) = (0, false, false);
            let local = Local { session, generation, seat, pending, gone, unsure };
            self.arriving.insert(local.session.peer.clone(), local);
            self.promote(delivery);
        }
        told
    }

    /// Takes in the room as it was right after a peer's move here.
    pub(in crate::hub) fn catch_up(
        &mut self,
        snapshot: Snapshot,
        delivery: &mut Delivery<'_>,
    ) -> Need {
        if self.view.step() >= snapshot.stamp.step {
            return self.advance(delivery);
        }
        if !self.locals.is_empty() && self.view.roster().is_some() {
            // The steps up to it are on their way.
            return self.advance(delivery);
        }
        // A node hears of a room while it has a peer there. If there was one, the last of them left
        // before this one came: the steps between were told to nobody here.
        self.start_from(snapshot, delivery)
    }

    /// The peer will not come: it was taken out of the room on its way, or the room has not got so
    /// far in time. It is told. Returns whether it was still awaited.
    pub(in crate::hub) fn give_up_arrival(
        &mut self,
        session: &Session,
        delivery: &mut Delivery<'_>,
    ) -> bool {
        let awaited = self.arriving.remove(&session.peer).is_some();
        if awaited {
            let (room, peer) = (self.name.clone(), session.peer.clone());
            let version = self.roster().map_or(0, |roster| roster.version());
            let bye = Bye { room, version, peer, reason: ByeReason::Lost, id: None };
            delivery.push(session, ServerMessage::from(bye).to_frame());
            self.release(delivery);
        }
        awaited
    }

    /// Sets out to hand a peer over. Returns the generation of its stay, and what will get the room
    /// as it is at the step that moves it: from there on, what the peer is told comes from its new
    /// node. `None` where it is not in the room.
    pub(in crate::hub) fn await_departure(
        &mut self,
        peer: &PeerId,
    ) -> Option<(u64, oneshot::Receiver<Snapshot>)> {
        let local = self.locals.get(peer)?;
        let (departing, gone) = oneshot::channel();
        self.departing.insert(peer.clone(), departing);
        Some((local.generation, gone))
    }

    /// Whether a message that is still to be handed out, if it is for this room, is for a peer that
    /// was moved away.
    pub(in crate::hub) fn is_owed(&self, peer: &PeerId, message: &Message) -> bool {
        match &message.to {
            Target::Peer(to) => to == peer,
            Target::Everyone => self.leaving.get(peer).is_some_and(|gone| gone.misses(message)),
        }
    }

    /// Whether a message is held here for a peer that was moved away.
    pub(in crate::hub) fn owes(&self, peer: &PeerId) -> bool {
        self.early.iter().any(|message| self.is_owed(peer, message))
    }

    /// The session of a peer that was moved away is on its way, too; or the peer stays.
    pub(in crate::hub) fn forget_departed(&mut self, peer: &PeerId) {
        // The step that moves it may still be on its way.
        self.departing.remove(peer);
        self.leaving.remove(peer);
    }

    /// Whether that step is the next one here, or was made already.
    pub(in crate::hub) fn is_due_next(&self, change: &Change) -> bool {
        let stamp = self.stamp();
        stamp == change.before && !self.view.in_doubt() || stamp.step >= change.after.step
    }

    /// A peer is on another node now.
    pub(super) fn let_go(&mut self, peer: &PeerId, delivery: &mut Delivery<'_>) {
        let departing = self.departing.remove(peer);
        let Some(Local { session, pending, seat, .. }) = self.locals.remove(peer) else { return };
        session.exit(&self.name);
        drop(pending);
        match departing {
            Some(departing) => {
                let member = self.roster().and_then(|roster| roster.get(peer.as_str()));
                let to = member.map_or(self.view.step(), |member| member.seat);
                self.leaving.insert(peer.clone(), Leaving { session, from: seat, to });
                // If nobody waits for it any more, the other node fetches the room itself.
                let _ = departing.send(self.roster().map(|r| r.snapshot()).unwrap_or_default());
            }
            // It was taken without a word: its client has come to that node while this one was
            // silent. Nothing it still does here may count.
            None => delivery.taken(session),
        }
        let room = self.name.clone();
        delivery.emit(Event::Departed { room, peer: peer.clone() });
        self.emit_if_closed(delivery);
    }

    /// Makes members of those arrived peers that the roster has on this node by now.
    pub(super) fn promote_arrivals(&mut self, delivery: &mut Delivery<'_>) {
        let Some(roster) = self.view.roster() else { return };
        if self.arriving.is_empty() {
            return;
        }
        let arrived: Vec<(Arc<Member>, Local)> = self
            .arriving
            .extract_if(|peer, local| {
                roster.get(peer.as_str()).is_some_and(|m| m.generation == local.generation)
            })
            .filter_map(|(peer, local)| Some((roster.get(peer.as_str())?.clone(), local)))
            .collect();
        let late = |member: &Member| member.seat < roster.stamp().step;
        let late: Vec<bool> = arrived.iter().map(|(member, _)| late(member)).collect();
        for ((member, mut local), late) in arrived.into_iter().zip(late) {
            if !local.session.enter(&self.name) {
                continue;
            }
            if late {
                // What came between its move and now was told nowhere.
                delivery.push(&local.session, self.roster_frame(&member.peer));
            }
            (local.pending, local.seat) = (None, member.seat);
            self.emit_if_opened(delivery);
            let (room, peer) = (self.name.clone(), member.peer.clone());
            delivery.emit(Event::Arrived { room, peer });
            self.locals.insert(member.peer.clone(), local);
        }
    }
}
