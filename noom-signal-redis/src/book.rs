//! This node's own peers, room by room.

use std::collections::{HashMap, HashSet};

use noom_signal::protocol::{PeerId, RoomName};

use crate::partition::partition_of;

/// What a node has to bring back after Redis has lost it.
///
/// Kept from the node's own requests and the changes it is told of. Where the two leave a doubt, the
/// hub asks for the room anew, and says who is there: that counts.
#[derive(Debug, Default)]
pub(crate) struct Book {
    rooms: HashMap<RoomName, Stay>,
}

#[derive(Debug, Default)]
struct Stay {
    peers: HashSet<PeerId>,
    /// What the last join from here said.
    listed: bool,
    /// The epoch into which they were brought back.
    asserted: Option<String>,
}

impl Book {
    pub(crate) fn enter(&mut self, room: &RoomName, peer: &PeerId) {
        self.rooms.entry(room.clone()).or_default().peers.insert(peer.clone());
    }

    pub(crate) fn list(&mut self, room: &RoomName, listed: bool) {
        if let Some(stay) = self.rooms.get_mut(room) {
            stay.listed = listed;
        }
    }

    pub(crate) fn exit(&mut self, room: &RoomName, peer: &PeerId) {
        let Some(stay) = self.rooms.get_mut(room) else { return };
        stay.peers.remove(peer);
        if stay.peers.is_empty() {
            self.rooms.remove(room);
        }
    }

    /// The hub says who of its own is in a room. Returns whether the room was listed.
    pub(crate) fn set(&mut self, room: &RoomName, peers: HashSet<PeerId>) -> bool {
        if peers.is_empty() {
            return self.rooms.remove(room).is_some_and(|stay| stay.listed);
        }
        let stay = self.rooms.entry(room.clone()).or_default();
        stay.peers = peers;
        stay.listed
    }

    /// This node's peers in a room are in the store, in that epoch.
    pub(crate) fn assert(&mut self, room: &RoomName, epoch: &str) {
        if let Some(stay) = self.rooms.get_mut(room) {
            stay.asserted = Some(epoch.to_owned());
        }
    }

    pub(crate) fn is_asserted(&self, room: &RoomName, epoch: &str) -> bool {
        self.rooms.get(room).is_some_and(|stay| stay.asserted.as_deref() == Some(epoch))
    }

    /// Whether all peers of a partition have been brought back into an epoch.
    pub(crate) fn all_asserted(&self, partition: usize, partitions: usize, epoch: &str) -> bool {
        self.rooms
            .iter()
            .filter(|(room, _)| partition_of(room.as_str(), partitions) == partition)
            .all(|(_, stay)| stay.asserted.as_deref() == Some(epoch))
    }

    pub(crate) fn clear(&mut self) {
        self.rooms.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_brought_back_when_each_room_is() {
        let (room, other): (RoomName, RoomName) = ("a".parse().unwrap(), "b".parse().unwrap());
        let peer: PeerId = "p".parse().unwrap();
        let mut book = Book::default();
        assert!(book.all_asserted(0, 1, "e"));
        book.enter(&room, &peer);
        book.enter(&other, &peer);
        book.list(&other, true);
        book.assert(&room, "e");
        assert!(!book.all_asserted(0, 1, "e"));
        assert!(book.set(&other, HashSet::from([peer.clone()])));
        book.assert(&other, "e");
        assert!(book.all_asserted(0, 1, "e") && !book.all_asserted(0, 1, "f"));
        book.exit(&other, &peer);
        book.set(&room, HashSet::new());
        assert!(book.all_asserted(0, 1, "f"));
    }
}
