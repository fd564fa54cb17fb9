//! Messages from other nodes, and their wait for the steps that they depend on.

use std::collections::{HashSet, VecDeque};

use super::{Local, Need, Room};
use crate::{
    backplane::Message,
    hub::delivery::Delivery,
    protocol::{PeerId, Target},
    room::Change,
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
        let follows = self.early.iter().any(|earlier| earlier.from == message.from);
        if !follows && self.is_due(&message) {
            self.hand_out(message, delivery);
            return (Handed::Over, Need::Nothing);
        }
        self.early_bytes += message.frame.len();
        self.early.push_back(message);
        let limits = delivery.limits;
        if self.early.len() > limits.held_events || self.early_bytes > limits.held_bytes {
            // The steps they wait for do not come.
            while let Some(message) = self.take_early(0, delivery) {
                self.lose(&message, delivery);
            }
            return (Handed::Lost, self.doubt());
        }
        (Handed::Held, Need::Nothing)
    }

    /// Delivers the messages whose time has come: each after those of the same sender before it, and
    /// before the step after the one it waits for. What others sent is not waited for.
    pub(super) fn release(&mut self, delivery: &mut Delivery<'_>) {
        let (mut at, mut waiting) = (0, HashSet::new());
        while let Some(message) = self.early.get(at) {
            if waiting.contains(&message.from) || !self.is_due(message) {
                waiting.insert(message.from.clone());
                at += 1;
            } else if let Some(message) = self.take_early(at, delivery) {
                self.hand_out(message, delivery);
            }
        }
    }

    /// A message is for this room, and waits for another one first.
    pub(in crate::hub) fn reserve(&mut self, message: &Message) {
        self.reserved.entry(message.from.clone()).or_default().push_back(message.known.step);
    }

    /// The first of those of this sender waits no more.
    pub(in crate::hub) fn unreserve(
        &mut self,
        sender: &PeerId,
        delivery: &mut Delivery<'_>,
    ) -> Need {
        let Some(known) = self.reserved.get_mut(sender) else { return Need::Nothing };
        known.pop_front();
        if known.is_empty() {
            self.reserved.remove(sender);
        }
        self.advance(delivery)
    }

    /// Whether a bye of this sender waits for its messages. An earlier one, which the sender's node
    /// knew of when it sent them, does not: it ended an earlier stay.
    pub(in crate::hub) fn waits_for(&self, sender: &PeerId) -> bool {
        let Some(known) = self.reserved.get(sender).and_then(VecDeque::front) else { return false };
        let next = self.view.next();
        next.is_some_and(|change| change.is_leave_of(sender) && change.after.step > *known)
    }

    /// The next step, unless it is the bye of a sender of which something is still to be told.
    pub(super) fn next_step(&mut self, delivery: &mut Delivery<'_>) -> Option<Change> {
        let waited_for = self.reserved.keys().find(|sender| self.waits_for(sender));
        if let Some(sender) = waited_for {
            if !self.blocked {
                delivery.blocked(self.name.clone(), sender.clone());
            }
            self.blocked = true;
            return None;
        }
        self.blocked = false;
        self.view.advance()
    }

    /// Forgets what is held.
    pub(in crate::hub) fn drop_early(&mut self, delivery: &mut Delivery<'_>) {
        while self.take_early(0, delivery).is_some() {}
    }

    /// Tells the targets of a message that they lost it.
    pub(in crate::hub) fn lose(&self, message: &Message, delivery: &mut Delivery<'_>) {
        match &message.to {
            Target::Peer(to) => match self.locals.get(to).or_else(|| self.arriving.get(to)) {
                Some(local) => local.session.lose(),
                None => self.lose_elsewhere(to, delivery),
            },
            Target::Everyone => {
                let here = self.locals.iter().filter(|(peer, local)| local.is_for(message, peer));
                here.for_each(|(_, local)| local.session.lose());
                let leaving = self.leaving.values().filter(|leaving| leaving.misses(message));
                leaving.for_each(|leaving| leaving.session.lose());
            }
        }
    }

    fn take_early(&mut self, at: usize, delivery: &mut Delivery<'_>) -> Option<Message> {
        let message = self.early.remove(at)?;
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
            // It said something to all, and was moved meanwhile.
            Target::Peer(to) if *to == message.from => {}
            Target::Peer(to) => match (self.locals.get(to), self.leaving.get(to)) {
                (Some(target), _) => delivery.push(&target.session, message.frame),
                (None, Some(target)) => delivery.push(&target.session, message.frame),
                (None, None) => self.lose_elsewhere(to, delivery),
            },
            Target::Everyone => {
                for (peer, local) in &self.locals {
                    if local.is_for(&message, peer) {
                        delivery.push(&local.session, message.frame.clone());
                    }
                }
                for leaving in self.leaving.values().filter(|leaving| leaving.misses(&message)) {
                    delivery.push(&leaving.session, message.frame.clone());
                }
            }
        }
    }

    /// A peer that was here has gone to another node, and what came too late for it is lost.
    fn lose_elsewhere(&self, peer: &PeerId, delivery: &mut Delivery<'_>) {
        let member = self.roster().and_then(|roster| roster.get(peer.as_str()));
        if let Some(member) = member.filter(|member| member.node != delivery.node) {
            delivery.lost_elsewhere(member.node, peer.clone());
        }
    }
}

impl Message {
    /// Whether a peer gets it by this way, if it was there: whoever sent it may have moved here.
    pub(super) fn reaches(&self, peer: &PeerId) -> bool {
        self.from != *peer && !self.except.contains(peer)
    }
}

impl Local {
    /// Whether a message to all is for this peer, by this way. One that moved here later than its
    /// sender's node knew gets it from where it was.
    fn is_for(&self, message: &Message, peer: &PeerId) -> bool {
        self.seat <= message.known.step && message.reaches(peer)
    }
}
