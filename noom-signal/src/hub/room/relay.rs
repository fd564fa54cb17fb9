//! Messages between the members of a room.

use std::collections::HashSet;

use super::Room;
use crate::{
    backplane::Message,
    hub::delivery::Delivery,
    protocol::{Frame, PeerId, ServerMessage, Target, server::Missed},
    room::NodeId,
};

/// How a message inside a room went.
#[derive(Debug)]
pub(in crate::hub) enum Relayed {
    Delivered,
    /// The target, or some of them, are on these nodes.
    Remote {
        message: Message,
        nodes: Vec<NodeId>,
        /// Those of this node that are just being moved to another, where it is for all. Whether
        /// they are here or there, the backplane knows.
        departing: Vec<PeerId>,
    },
    NotInRoom,
    /// Nobody can say whether the sender is still in the room.
    Unsure,
    PeerNotFound,
}

impl Room {
    /// Relays a frame from one of this node's peers.
    pub(in crate::hub) fn relay(
        &mut self,
        from: &PeerId,
        to: &str,
        everyone: bool,
        frame: &Frame,
        delivery: &mut Delivery<'_>,
    ) -> Relayed {
        match self.locals.get(from) {
            None => return Relayed::NotInRoom,
            Some(sender) if sender.unsure => return Relayed::Unsure,
            Some(_) => {}
        }
        if everyone && to == "*" {
            return self.spread(from, frame, delivery);
        }
        if to == from.as_str() {
            return Relayed::PeerNotFound;
        }
        if let Some(target) = self.locals.get(to).filter(|target| !target.gone) {
            if self.departing.contains_key(to) {
                // What others send it goes to its new node already, perhaps: the backplane orders
                // this message among theirs.
                let peer = Target::Peer(target.session.peer.clone());
                return self.remote(from, peer, HashSet::from([delivery.node]), Vec::new(), frame);
            }
            delivery.push(&target.session, frame.clone());
            return Relayed::Delivered;
        }
        match self.view.roster().and_then(|roster| roster.get(to)).cloned() {
            Some(member) if member.node != delivery.node => {
                let nodes = HashSet::from([member.node]);
                self.remote(from, Target::Peer(member.peer.clone()), nodes, Vec::new(), frame)
            }
            // Of this node, and not among its peers: it is on its way out.
            _ => Relayed::PeerNotFound,
        }
    }

    /// Gives a frame of one member to all others.
    fn spread(&self, from: &PeerId, frame: &Frame, delivery: &mut Delivery<'_>) -> Relayed {
        let mut departing = Vec::new();
        for (peer, local) in self.locals.iter().filter(|(peer, _)| *peer != from) {
            if self.departing.contains_key(peer) {
                departing.push(peer.clone());
            } else {
                delivery.push(&local.session, frame.clone());
            }
        }
        let own = delivery.node;
        let nodes: HashSet<NodeId> =
            self.members().map(|m| m.node).filter(|&node| node != own).collect();
        self.remote(from, Target::Everyone, nodes, departing, frame)
    }

    /// Sends a frame of the server's own: to this node's peers at once; to the others by what is
    /// returned. `None` where the target is not in the room.
    #[allow(clippy::type_complexity)]
    pub(in crate::hub) fn announce(
        &self,
        to: &Target,
        frame: &Frame,
        delivery: &mut Delivery<'_>,
    ) -> Option<Option<(Message, Vec<NodeId>)>> {
        let own = delivery.node;
        let nodes: HashSet<NodeId> = match to {
            Target::Everyone => {
                for local in self.locals.values() {
                    delivery.push(&local.session, frame.clone());
                }
                self.members().map(|m| m.node).filter(|&node| node != own).collect()
            }
            Target::Peer(peer) => {
                let member = self.view.roster()?.get(peer.as_str())?;
                match self.locals.get(peer) {
                    Some(local) => {
                        delivery.push(&local.session, frame.clone());
                        HashSet::new()
                    }
                    None => HashSet::from([member.node]),
                }
            }
        };
        match self.remote(&PeerId::server(), to.clone(), nodes, Vec::new(), frame) {
            Relayed::Remote { message, nodes, .. } => Some(Some((message, nodes))),
            _ => Some(None),
        }
    }

    /// Tells the other members that this peer may have missed messages: those of this node at once,
    /// the others by what is returned.
    pub(in crate::hub) fn tell_missed(
        &self,
        peer: &PeerId,
        delivery: &mut Delivery<'_>,
    ) -> Relayed {
        let missed = Missed { room: self.name.clone(), peer: peer.clone() };
        self.spread(peer, &ServerMessage::from(missed).to_frame(), delivery)
    }

    fn remote(
        &self,
        from: &PeerId,
        to: Target,
        nodes: HashSet<NodeId>,
        departing: Vec<PeerId>,
        frame: &Frame,
    ) -> Relayed {
        if nodes.is_empty() && departing.is_empty() {
            return Relayed::Delivered;
        }
        let known = self.stamp();
        let (room, from, frame) = (self.name.clone(), from.clone(), frame.clone());
        let message = Message { room, from, to, known, except: Vec::new(), frame };
        Relayed::Remote { message, nodes: nodes.into_iter().collect(), departing }
    }
}
