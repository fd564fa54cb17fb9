//! What the members of a room are told of its steps.

use super::{Asks, Room, pending::Pending};
use crate::{
    hub::{delivery::Delivery, event::Event},
    protocol::{
        ByeReason, Frame, PeerId, ServerMessage,
        server::{Bye, Joined, Roster as RosterMessage, Updated, Welcome},
    },
    room::{Change, ChangeKind, Member},
    session::Session,
};

impl Room {
    /// Tells a step that the view has just made.
    pub(super) fn tell(&mut self, change: Change, delivery: &mut Delivery<'_>) {
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
                let pending = self.answered(&peer, Asks::Update);
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
                let pending = self.answered(&peer, Asks::Leave);
                let bye = |id| Bye { room: room.clone(), version, peer: peer.clone(), reason, id };
                let own = pending.map(|pending| (&peer, bye(pending.id).into()));
                self.tell_all_but(bye(None).into(), own, delivery);
                self.remove(&peer, reason, delivery);
            }
            ChangeKind::Moved { peer, node, .. } if node == delivery.node => {
                debug_assert!(self.roster().is_some_and(|r| r.get(peer.as_str()).is_some()));
                self.promote(delivery);
            }
            ChangeKind::Moved { peer, .. } => self.let_go(&peer, delivery),
        }
    }

    /// Tells a peer of its own join. Where the roster is past it, the steps between are not at hand:
    /// it is told of its join, then of the room as it is.
    pub(super) fn tell_joined(
        &self,
        session: &Session,
        member: &Member,
        id: Option<u64>,
        delivery: &mut Delivery<'_>,
    ) {
        let Some(roster) = self.roster() else { return };
        // A newcomer learns its own `since` from this version.
        let version = member.since;
        let mut peers = roster.others(&member.peer);
        let late = version < roster.version();
        peers.retain(|other| !late || other.since < version);
        let joined = Joined { room: self.name.clone(), version, peers, id };
        delivery.push(session, ServerMessage::from(joined).to_frame());
        if late {
            delivery.push(session, self.roster_frame(&member.peer));
        }
        let (room, peer) = (self.name.clone(), member.peer.clone());
        delivery.emit(Event::Joined { room, peer, user: member.user.clone() });
    }

    /// Tells every local member the whole roster, which replaces what it knew.
    pub(super) fn tell_roster(&self, delivery: &mut Delivery<'_>) {
        for (peer, local) in &self.locals {
            delivery.push(&local.session, self.roster_frame(peer));
        }
    }

    /// Tells one member that it is out, in a way that no step says.
    pub(super) fn tell_out(
        &self,
        peer: &PeerId,
        reason: ByeReason,
        id: Option<u64>,
        delivery: &mut Delivery<'_>,
    ) {
        if let (Some(local), Some(roster)) = (self.locals.get(peer), self.roster()) {
            // A room that the cluster has forgotten has no version.
            let (room, version) = (self.name.clone(), roster.version().max(1));
            let bye = Bye { room, version, peer: peer.clone(), reason, id };
            delivery.push(&local.session, ServerMessage::from(bye).to_frame());
        }
    }

    /// The room as one member is told it after a loss.
    pub(super) fn roster_frame(&self, peer: &PeerId) -> Frame {
        let roster = self.roster();
        let version = roster.map_or(0, |roster| roster.version());
        let peers = roster.map(|roster| roster.others(peer)).unwrap_or_default();
        ServerMessage::from(RosterMessage { room: self.name.clone(), version, peers }).to_frame()
    }

    /// Takes the request that this kind of change answers.
    fn answered(&mut self, peer: &PeerId, asks: Asks) -> Option<Pending> {
        self.locals.get_mut(peer)?.pending.take_if(|pending| pending.asks == asks)
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
