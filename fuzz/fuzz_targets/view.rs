//! What one peer was told of its rooms, checked as it comes.

use std::collections::HashMap;

use noom_signal::protocol::{PeerId, PeerInfo, RoomName, ServerMessage};
use serde::Deserialize;

/// A peer's rooms, put together from what it was told.
pub struct View {
    own: PeerId,
    pub rooms: HashMap<RoomName, Picture>,
    /// The last number heard from each peer.
    heard: HashMap<PeerId, u64>,
    /// Rooms whose roster must come next.
    expected: Vec<RoomName>,
}

/// A room at a version: the other members, and since when they are there.
#[derive(Debug)]
pub struct Picture {
    pub version: u64,
    pub peers: HashMap<PeerId, u64>,
}

/// What the clients here say to each other.
#[derive(Deserialize)]
struct Said {
    by: PeerId,
    room: RoomName,
    to: String,
    number: u64,
}

impl View {
    pub fn new(own: PeerId) -> Self {
        let (rooms, heard) = (HashMap::new(), HashMap::new());
        Self { own, rooms, heard, expected: Vec::new() }
    }

    /// The session was resumed with a loss, in these rooms.
    pub fn lost(&mut self, rooms: Vec<RoomName>) {
        self.rooms.retain(|room, _| rooms.contains(room));
        self.expected = rooms;
    }

    /// Takes in a message, which must go on from where the view is.
    pub fn told(&mut self, message: &ServerMessage) {
        if let ServerMessage::Roster(roster) = message {
            let expected = !self.expected.is_empty();
            if expected {
                assert_eq!(self.expected.remove(0), roster.room);
            }
            let before =
                self.rooms.insert(roster.room.clone(), picture(roster.version, &roster.peers));
            assert!(expected || before.is_some(), "a roster of a room it is not in: {message:?}");
            return;
        }
        assert!(self.expected.is_empty(), "rosters come first, not {message:?}");
        match message {
            ServerMessage::Joined(joined) => {
                assert!(
                    joined.peers.iter().all(|p| p.since < joined.version && p.peer != self.own)
                );
                let picture = picture(joined.version, &joined.peers);
                let before = self.rooms.insert(joined.room.clone(), picture);
                assert!(before.is_none(), "in it already: {message:?}");
            }
            ServerMessage::Welcome(welcome) => {
                let here = self.step(&welcome.room, welcome.version);
                assert_eq!(welcome.since, welcome.version);
                let before = here.peers.insert(welcome.peer.clone(), welcome.since);
                assert!(before.is_none(), "there already: {message:?}");
                assert_ne!(welcome.peer, self.own);
            }
            ServerMessage::Updated(updated) => {
                let own = updated.peer == self.own;
                let here = self.step(&updated.room, updated.version);
                assert!(own || here.peers.contains_key(&updated.peer), "{message:?}");
            }
            ServerMessage::Bye(bye) => {
                let own = bye.peer == self.own;
                let here = self.step(&bye.room, bye.version);
                if own {
                    self.rooms.remove(&bye.room);
                } else {
                    assert!(here.peers.remove(&bye.peer).is_some(), "not there: {message:?}");
                }
            }
            ServerMessage::Missed(missed) => self.knows(&missed.room, &missed.peer),
            ServerMessage::Offer(offer) => self.knows(&offer.room, &offer.from),
            ServerMessage::Answer(answer) => self.knows(&answer.room, &answer.from),
            ServerMessage::Ice(ice) => self.knows(&ice.room, &ice.from),
            ServerMessage::Message(message) if message.from.is_server() => {
                assert!(self.rooms.contains_key(&message.room), "not in {}", message.room);
            }
            ServerMessage::Message(message) => {
                self.knows(&message.room, &message.from);
                let Ok(said) = message.data.read::<Said>() else { return };
                // Real ids cannot be guessed, so it is not the fuzzer's own text.
                if said.by.as_str().len() != 22 {
                    return;
                }
                assert_eq!((&said.by, &said.room), (&message.from, &message.room));
                assert!(said.to == "*" || said.to == self.own.as_str(), "for another");
                let last = self.heard.insert(said.by, said.number).unwrap_or(0);
                assert!(said.number > last, "{} after {last}", said.number);
            }
            _ => {}
        }
    }

    fn knows(&self, room: &RoomName, peer: &PeerId) {
        let here = self.rooms.get(room);
        let known = here.is_some_and(|here| here.peers.contains_key(peer));
        assert!(known, "{peer} is not in {room} for {}", self.own);
    }

    fn step(&mut self, room: &RoomName, version: u64) -> &mut Picture {
        let here = self.rooms.get_mut(room);
        let here = here.unwrap_or_else(|| panic!("{} is not in {room}", self.own));
        assert_eq!(version, here.version + 1, "a step is missing in {room}");
        here.version = version;
        here
    }
}

fn picture(version: u64, peers: &[PeerInfo]) -> Picture {
    Picture { version, peers: peers.iter().map(|p| (p.peer.clone(), p.since)).collect() }
}
