//! Messages from other nodes, and their wait for the steps that they depend on.

use super::{Need, Room};
use crate::{
    backplane::Message,
    hub::delivery::Delivery,
    protocol::{PeerId, Target},
};

/// What became of a message from another node.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::hub) enum Handed {
    /// Its targets have it, or there is nobody left to have it.
    Over,
    /// It waits in the room.
    Held,
    /// Too much waits: it was lost with all that did, and the targets are told.
    Lost,
}

impl Room {
    /// Takes in a message from another node.
    pub(in crate::hub) fn deliver(
        &mut self,
        message: Message,
        delivery: &mut Delivery<'_>,
    ) -> (Handed, Need) {
        if self.early.is_empty() && self.is_due(&message) {
            self.hand_out(message, delivery);
            return (Handed::Over, Need::Nothing);
        }
        self.early_bytes += message.frame.len();
        self.early.push_back(message);
        let limits = delivery.limits;
        if self.early.len() > limits.held_events || self.early_bytes > limits.held_bytes {
            // The steps they wait for do not come.
            while let Some(message) = self.pop_early(delivery) {
                self.lose(&message, delivery);
            }
            return (Handed::Lost, self.doubt());
        }
        (Handed::Held, Need::Nothing)
    }

    /// Delivers the messages whose time has come.
    pub(super) fn release(&mut self, delivery: &mut Delivery<'_>) {
        while self.early.front().is_some_and(|message| self.is_due(message)) {
            if let Some(message) = self.pop_early(delivery) {
                self.hand_out(message, delivery);
            }
        }
    }

    /// Tells the targets of a message that they lost it.
    pub(in crate::hub) fn lose(&self, message: &Message, delivery: &mut Delivery<'_>) {
        match &message.to {
            Target::Peer(to) => match self.locals.get(to).or_else(|| self.arriving.get(to)) {
                Some(local) => local.session.lose(),
                None => self.lose_elsewhere(to, delivery),
            },
            Target::Everyone => {
                let targets = self.locals.iter().filter(|(peer, _)| self.is_for(message, peer));
                targets.for_each(|(_, local)| local.session.lose());
            }
        }
    }

    pub(super) fn pop_early(&mut self, delivery: &mut Delivery<'_>) -> Option<Message> {
        let message = self.early.pop_front()?;
        self.early_bytes -= message.frame.len();
        delivery.released(&message);
        Some(message)
    }

    fn is_due(&self, message: &Message) -> bool {
        let Some(roster) = self.view.roster() else { return false };
        let here = match &message.to {
            Target::Peer(to) => !self.arriving.contains_key(to),
            Target::Everyone => true,
        };
        here && message.known.step <= roster.stamp().step && !self.view.in_doubt()
    }

    fn hand_out(&self, message: Message, delivery: &mut Delivery<'_>) {
        let Some(roster) = self.view.roster() else { return };
        if roster.get(message.from.as_str()).is_none() && !message.from.is_server() {
            // Its sender's bye has been told: nothing of it may follow. Where it is late since it
            // waited for another room, its targets are told; otherwise it was sent too late.
            if delivery.was_queued {
                self.lose(&message, delivery);
            }
            return;
        }
        match &message.to {
            Target::Peer(to) => match self.locals.get(to) {
                Some(target) => delivery.push(&target.session, message.frame),
                None => self.lose_elsewhere(to, delivery),
            },
            Target::Everyone => {
                for (peer, local) in &self.locals {
                    if self.is_for(&message, peer) {
                        delivery.push(&local.session, message.frame.clone());
                    }
                }
            }
        }
    }

    /// Whether a message to all is for this one, by this way: its sender's node knew it to be here.
    fn is_for(&self, message: &Message, peer: &PeerId) -> bool {
        let member = self.roster().and_then(|roster| roster.get(peer.as_str()));
        member.is_some_and(|member| member.seat <= message.known.step)
            && !message.except.contains(peer)
    }

    /// A peer that was here has gone to another node, and what came too late for it is lost.
    fn lose_elsewhere(&self, peer: &PeerId, delivery: &mut Delivery<'_>) {
        let member = self.roster().and_then(|roster| roster.get(peer.as_str()));
        if let Some(member) = member.filter(|member| member.node != delivery.node) {
            delivery.lost_elsewhere(member.node, peer.clone());
        }
    }
}
