//! A room as one client was told of it (I2, I3).

use std::collections::BTreeMap;

use noom_signal::protocol::{Json, PeerId, PeerInfo, RoomName, ServerMessage};

/// A peer's rooms, put together from what it was told. It panics where a frame does not go on
/// from the one before.
#[derive(Debug)]
pub(crate) struct View {
    own: PeerId,
    rooms: BTreeMap<RoomName, Picture>,
    /// Rooms whose roster must come next.
    expected: Vec<RoomName>,
    /// Whether the cluster may fail.
    troubled: bool,
}

/// A room at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub version: u64,
    /// When the client itself joined; `None` where a roster did not say.
    pub since: Option<u64>,
    pub others: BTreeMap<PeerId, Other>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    pub since: u64,
    pub meta: Json,
}

impl View {
    pub(crate) fn new(own: PeerId, troubled: bool) -> Self {
        Self { own, rooms: BTreeMap::new(), expected: Vec::new(), troubled }
    }

    pub(crate) fn room(&self, room: &str) -> Option<&Picture> {
        self.rooms.get(&room.parse::<RoomName>().unwrap())
    }

    pub(crate) fn is_roomless(&self) -> bool {
        self.rooms.is_empty()
    }

    /// The session was resumed with a loss, in these rooms.
    pub(crate) fn lost(&mut self, rooms: Vec<RoomName>) {
        self.rooms.retain(|room, _| rooms.contains(room));
        self.expected = rooms;
    }

    /// Whether the next roster is one that a resume promised.
    pub(crate) fn expects_roster(&self) -> bool {
        !self.expected.is_empty()
    }

    pub(crate) fn told(&mut self, message: &ServerMessage) {
        let own = self.own.clone();
        if let ServerMessage::Roster(roster) = message {
            let expected = !self.expected.is_empty();
            if expected {
                assert_eq!(self.expected.remove(0), roster.room, "I2: rosters out of order");
            }
            let picture = self.picture(roster.version, None, &roster.peers);
            let before = self.rooms.insert(roster.room.clone(), picture);
            assert!(expected || before.is_some(), "I3: a roster of a room it is not in");
            return;
        }
        assert!(self.expected.is_empty(), "I2: rosters come first, not {message:?}");
        match message {
            ServerMessage::Joined(joined) => {
                assert!(joined.peers.iter().all(|peer| peer.since < joined.version), "{joined:?}");
                let picture = self.picture(joined.version, Some(joined.version), &joined.peers);
                let before = self.rooms.insert(joined.room.clone(), picture);
                assert!(before.is_none(), "I3: joined twice");
            }
            ServerMessage::Welcome(welcome) => {
                assert_eq!(welcome.since, welcome.version, "I2: since");
                let other = Other { since: welcome.since, meta: welcome.meta.clone() };
                let others = &mut self.step(&welcome.room, welcome.version).others;
                assert!(others.insert(welcome.peer.clone(), other).is_none(), "I3: there already");
                assert_ne!(welcome.peer, own, "I3: welcome to oneself");
            }
            ServerMessage::Updated(updated) => {
                let here = self.step(&updated.room, updated.version);
                match here.others.get_mut(&updated.peer) {
                    Some(other) => other.meta = updated.meta.clone(),
                    None => assert_eq!(updated.peer, own, "I3: an update of nobody"),
                }
            }
            // Where the room was fetched anew, the last step of a peer's own may be a long one.
            ServerMessage::Bye(bye) if bye.peer == own => {
                let here = self.rooms.remove(&bye.room);
                let here = here.unwrap_or_else(|| panic!("I3: {own} is not in {}", bye.room));
                let next = bye.version == here.version + 1;
                assert!(next || self.troubled, "I2: {bye:?}");
            }
            ServerMessage::Bye(bye) => {
                let here = self.step(&bye.room, bye.version);
                assert!(here.others.remove(&bye.peer).is_some(), "I3: a bye of nobody: {bye:?}");
            }
            ServerMessage::Missed(missed) => self.knows(&missed.room, &missed.peer),
            ServerMessage::Offer(offer) => self.knows(&offer.room, &offer.from),
            ServerMessage::Answer(answer) => self.knows(&answer.room, &answer.from),
            ServerMessage::Ice(ice) => self.knows(&ice.room, &ice.from),
            ServerMessage::Message(message) if message.from.is_server() => {
                assert!(self.rooms.contains_key(&message.room), "I5: not in {}", message.room);
            }
            ServerMessage::Message(message) => self.knows(&message.room, &message.from),
            _ => {}
        }
    }

    fn picture(&self, version: u64, since: Option<u64>, peers: &[PeerInfo]) -> Picture {
        let other = |peer: &PeerInfo| Other { since: peer.since, meta: peer.meta.clone() };
        let others: BTreeMap<_, _> =
            peers.iter().map(|peer| (peer.peer.clone(), other(peer))).collect();
        assert_eq!(others.len(), peers.len(), "I2: a peer twice");
        assert!(!others.contains_key(&self.own), "I2: oneself among the others");
        assert!(others.values().all(|other| other.since <= version), "I2: since the future");
        Picture { version, since, others }
    }

    fn knows(&self, room: &RoomName, peer: &PeerId) {
        let here = self.rooms.get(room);
        let known = here.is_some_and(|here| here.others.contains_key(peer));
        assert!(known, "I3, I5: {peer} is not in {room} for {}", self.own);
    }

    fn step(&mut self, room: &RoomName, version: u64) -> &mut Picture {
        let here = self.rooms.get_mut(room);
        let here = here.unwrap_or_else(|| panic!("I3: {} is not in {room}", self.own));
        assert_eq!(version, here.version + 1, "I2: a step is missing in {room}");
        here.version = version;
        here
    }
}
