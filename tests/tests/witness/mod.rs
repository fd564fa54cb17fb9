//! What one peer was told, checked as it comes.

use std::collections::HashMap;

use system_tests::Value;

/// A peer's view of its rooms.
pub(crate) struct Witness {
    own: String,
    rooms: HashMap<String, Room>,
    /// The last number heard from each peer.
    heard: HashMap<String, u64>,
    /// Rooms whose roster must come next.
    expected: Vec<String>,
}

/// A roster at a version: each other member, and when it joined.
struct Room {
    version: u64,
    peers: HashMap<String, u64>,
}

impl Room {
    fn new(message: &Value) -> Self {
        let peers = message["peers"].as_array().unwrap().iter();
        Self {
            version: message["version"].as_u64().unwrap(),
            peers: peers.map(|p| (text(&p["peer"]), p["since"].as_u64().unwrap())).collect(),
        }
    }
}

impl Witness {
    pub(crate) fn new(own: &str) -> Self {
        let (rooms, heard) = (HashMap::new(), HashMap::new());
        Self { own: own.into(), rooms, heard, expected: Vec::new() }
    }

    /// The other members of a room and when they joined, in order; `None` when not in it.
    pub(crate) fn roster(&self, room: &str) -> Option<Vec<(String, u64)>> {
        let room = self.rooms.get(room)?;
        let mut peers: Vec<_> = room.peers.clone().into_iter().collect();
        peers.sort();
        Some(peers)
    }

    /// The session was resumed with a loss, in these rooms.
    pub(crate) fn lost(&mut self, rooms: &Value) {
        self.expected = rooms.as_array().unwrap().iter().map(text).collect();
        self.rooms.retain(|room, _| self.expected.contains(room));
    }

    /// Takes in a message, which must go on from where the view is.
    pub(crate) fn told(&mut self, message: &Value) {
        let kind = message["type"].as_str().unwrap();
        let room = message["room"].as_str().unwrap_or_default();
        if kind == "roster" {
            assert_eq!(self.expected.first().map(String::as_str), Some(room), "{message}");
            self.expected.remove(0);
            let now = Room::new(message);
            let before = self.rooms.insert(room.into(), now).map_or(0, |before| before.version);
            assert!(message["version"].as_u64() >= Some(before), "{message} after {before}");
            return;
        }
        assert_eq!(self.expected, [""; 0], "rosters come first, not {message}");
        match kind {
            "joined" => {
                let before = self.rooms.insert(room.into(), Room::new(message));
                assert!(before.is_none(), "in it already: {message}");
            }
            "error" => {
                let code = message["code"].as_str().unwrap();
                let expected = ["not_in_room", "peer_not_found", "already_joined"];
                assert!(expected.contains(&code), "{message}");
            }
            _ => self.told_in_room(kind, room, message),
        }
    }

    fn told_in_room(&mut self, kind: &str, room: &str, message: &Value) {
        let here = self.rooms.get_mut(room).unwrap_or_else(|| panic!("not in it: {message}"));
        let peer = text(&message["peer"]);
        if matches!(kind, "welcome" | "updated" | "bye") {
            assert_eq!(message["version"], here.version + 1, "{message}");
            here.version += 1;
        }
        match kind {
            "welcome" => {
                assert_eq!(message["since"], here.version, "{message}");
                assert_ne!(peer, self.own);
                assert!(
                    here.peers.insert(peer, here.version).is_none(),
                    "there already: {message}"
                );
            }
            "updated" => assert!(peer == self.own || here.peers.contains_key(&peer), "{message}"),
            "bye" if peer == self.own => drop(self.rooms.remove(room)),
            "bye" => assert!(here.peers.remove(&peer).is_some(), "not there: {message}"),
            "missed" => assert!(here.peers.contains_key(&peer), "not there: {message}"),
            "message" => {
                let from = text(&message["from"]);
                assert!(here.peers.contains_key(&from), "not there: {message}");
                let n = message["data"].as_u64().unwrap();
                let last = self.heard.insert(from, n).unwrap_or(0);
                assert!(n > last, "{message} after {last}");
            }
            _ => panic!("{message}"),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}
