//! What one peer was told, and what it said: material for the ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use noom_signal::protocol::{
    ByeReason, ErrorCode, PeerId, PeerInfo, Resumed, RoomName, ServerMessage,
};
use noom_signal_client::{Event, RequestError};

/// A peer's account of its room.
pub(crate) struct Account {
    pub(crate) room: RoomName,
    /// Comes and goes, on purpose: it does not count as a member.
    pub(crate) churning: bool,
    /// Is not to be found in any roster, by the test's doing.
    pub(crate) away: bool,
    /// Its node is given up by the cluster, and goes on.
    pub(crate) fenced: bool,
    /// One for each session. The last goes on.
    pub(crate) stays: Vec<Stay>,
    /// The others as it was told, each with its `since`.
    pub(crate) members: BTreeMap<PeerId, u64>,
    /// Its own.
    pub(crate) since: u64,
    pub(crate) in_room: bool,
    /// How many requests are open.
    pub(crate) open: usize,
    /// The number of its last word, once that was taken over.
    pub(crate) last_word: Option<u64>,
    /// What must never come to pass.
    pub(crate) violations: Vec<String>,
    /// When joins were asked for, and how and when they were answered.
    pub(crate) joins: Vec<(Instant, Answer)>,
    version: u64,
    /// Orders what it was told.
    place: usize,
}

/// What was said and heard in one session.
pub(crate) struct Stay {
    pub(crate) peer: PeerId,
    pub(crate) said: Vec<Said>,
    pub(crate) heard: BTreeMap<PeerId, Vec<Heard>>,
    /// When it was told that something may be missing.
    pub(crate) told: Vec<(usize, Instant)>,
    pub(crate) byes: BTreeMap<PeerId, Vec<ByeReason>>,
    pub(crate) missed: BTreeSet<PeerId>,
    pub(crate) partials: usize,
    pub(crate) ended: bool,
}

pub(crate) struct Said {
    pub(crate) n: u64,
    /// `None`: to all.
    pub(crate) to: Option<PeerId>,
    /// Who was in the room as far as the sender knew, or who was named.
    pub(crate) owed: BTreeSet<PeerId>,
    pub(crate) at: Instant,
    pub(crate) answer: Option<Answer>,
}

pub(crate) type Answer = (Instant, Result<(), RequestError>);

pub(crate) struct Heard {
    pub(crate) n: u64,
    pub(crate) place: usize,
}

impl Account {
    pub(crate) fn new(room: RoomName, churning: bool) -> Self {
        Self {
            room,
            churning,
            away: false,
            fenced: false,
            stays: Vec::new(),
            members: BTreeMap::new(),
            since: 0,
            in_room: false,
            open: 0,
            last_word: None,
            violations: Vec::new(),
            joins: Vec::new(),
            version: 0,
            place: 0,
        }
    }

    pub(crate) fn begin(&mut self, peer: PeerId) {
        if let Some(before) = self.stays.last_mut() {
            before.ended = true;
        }
        self.leave();
        self.stays.push(Stay {
            peer,
            said: Vec::new(),
            heard: BTreeMap::new(),
            told: Vec::new(),
            byes: BTreeMap::new(),
            missed: BTreeSet::new(),
            partials: 0,
            ended: false,
        });
    }

    /// The session of now. There is one from the first hello on.
    pub(crate) fn stay(&mut self) -> &mut Stay {
        self.stays.last_mut().unwrap()
    }

    /// Who it is now.
    pub(crate) fn id(&self) -> Option<&PeerId> {
        self.stays.last().map(|stay| &stay.peer)
    }

    pub(crate) fn take(&mut self, event: Event) {
        use ServerMessage as Is;
        self.place += 1;
        match event {
            Event::State(_) => {}
            Event::Partial(hello) => {
                debug_assert_eq!(hello.resumed, Resumed::Partial);
                self.tell();
                self.stay().partials += 1;
                if !hello.rooms.unwrap_or_default().contains(&self.room) {
                    self.leave();
                }
            }
            Event::Reset(hello) => self.begin(hello.peer),
            Event::Message(message) => match message {
                Is::Message(m) => self.hear(m.from, m.data.read().unwrap()),
                Is::Joined(m) => {
                    self.since = m.version;
                    self.enter(m.version, m.peers);
                }
                Is::Roster(m) => self.enter(m.version, m.peers),
                Is::Welcome(m) => {
                    self.step(m.version);
                    if self.members.insert(m.peer.clone(), m.since).is_some() {
                        self.violate(format!("a welcome again of {}", m.peer));
                    }
                }
                Is::Bye(m) if Some(&m.peer) == self.id() => {
                    self.tell();
                    self.leave();
                }
                Is::Bye(m) => {
                    self.step(m.version);
                    if self.members.remove(&m.peer).is_none() {
                        self.violate(format!("a bye of a stranger, {}", m.peer));
                    }
                    self.stay().byes.entry(m.peer).or_default().push(m.reason);
                }
                Is::Missed(m) => {
                    self.stay().missed.insert(m.peer);
                }
                Is::Error(m) if m.code == ErrorCode::Unavailable => {}
                Is::Goaway(_) => {}
                other => self.violate(format!("told {other:?}")),
            },
            other => self.violate(format!("told {other:?}")),
        }
    }

    pub(crate) fn violate(&mut self, what: String) {
        let who = self.id().map(ToString::to_string).unwrap_or_default();
        self.violations.push(format!("{who} in {}: {what}", self.room));
    }

    fn hear(&mut self, from: PeerId, n: u64) {
        if !self.members.contains_key(&from) {
            self.violate(format!("hears {n} of a stranger, {from}"));
        }
        let place = self.place;
        self.stay().heard.entry(from).or_default().push(Heard { n, place });
    }

    fn enter(&mut self, version: u64, peers: Vec<PeerInfo>) {
        self.tell();
        self.version = version;
        self.in_room = true;
        self.members = peers.into_iter().map(|info| (info.peer, info.since)).collect();
    }

    fn leave(&mut self) {
        self.in_room = false;
        self.members.clear();
    }

    fn step(&mut self, version: u64) {
        if version != self.version + 1 {
            self.violate(format!("version {version} after {}", self.version));
        }
        self.version = version;
    }

    fn tell(&mut self) {
        let told = (self.place, Instant::now());
        self.stay().told.push(told);
    }
}
