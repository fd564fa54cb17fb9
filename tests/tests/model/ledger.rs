//! Who said what to whom, and what became of it (I4, I5).

use std::collections::{BTreeMap, HashMap, HashSet};

use noom_signal::protocol::{ByeReason, PeerId, RoomName, ServerMessage};

use crate::op::Kind;

/// Every message of a run, by its number, and what each peer was told that excuses a loss.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    said: Vec<Said>,
    diaries: HashMap<PeerId, Diary>,
    /// Whether the cluster may fail.
    troubled: bool,
    /// The time, in things written here.
    now: u64,
}

#[derive(Debug)]
struct Said {
    /// `None`: the application.
    from: Option<PeerId>,
    room: RoomName,
    kind: Kind,
    to: Option<PeerId>,
    at: u64,
    /// Who was in the room by what its sender knew, and since when: they get it, or know that
    /// they may not.
    owed: Vec<(PeerId, u64)>,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// No answer, or one that leaves it open.
    Open,
    Taken,
    Refused,
}

/// What one peer was told.
#[derive(Debug, Default)]
struct Diary {
    /// Its session is over, or its client has lost count of it.
    over: bool,
    /// When each message came.
    heard: BTreeMap<usize, u64>,
    /// The last message of each peer, whatever the room.
    last: HashMap<PeerId, usize>,
    /// When it was told that it may have lost something, in all rooms or in one.
    losses: Vec<(Option<RoomName>, u64)>,
    stays: Vec<Stay>,
    /// Who was put out, before its eyes.
    put_out: HashSet<(RoomName, PeerId)>,
}

/// A peer's stay in a room. One that is forgotten begins again at version 1: two stays may have the
/// same `since`.
#[derive(Debug)]
struct Stay {
    room: RoomName,
    /// As far as it was told.
    since: Option<u64>,
    begun: u64,
    over: Option<u64>,
}

impl Ledger {
    pub(crate) fn new(troubled: bool) -> Self {
        Self { troubled, ..Self::default() }
    }

    pub(crate) fn open(&mut self, peer: &PeerId) {
        self.diaries.insert(peer.clone(), Diary::default());
    }

    pub(crate) fn over(&mut self, peer: &PeerId) {
        self.diary(peer).over = true;
    }

    /// Something is said. Returns its number.
    pub(crate) fn say(
        &mut self,
        from: Option<PeerId>,
        room: &RoomName,
        kind: Kind,
        to: Option<PeerId>,
        owed: Vec<(PeerId, u64)>,
    ) -> usize {
        self.now += 1;
        let (room, at, outcome) = (room.clone(), self.now, Outcome::Open);
        self.said.push(Said { from, room, kind, to, at, owed, outcome });
        self.said.len() - 1
    }

    pub(crate) fn answered(&mut self, number: usize, outcome: Outcome) {
        self.said[number].outcome = outcome;
    }

    /// The session was resumed with a loss, and is in these rooms.
    pub(crate) fn lost(&mut self, peer: &PeerId, rooms: &[RoomName]) {
        self.now += 1;
        let now = self.now;
        self.diary(peer).losses.push((None, now));
        for stay in &mut self.diary(peer).stays {
            if !rooms.contains(&stay.room) {
                stay.over.get_or_insert(now);
            }
        }
    }

    /// A peer is told something.
    pub(crate) fn told(&mut self, peer: &PeerId, message: &ServerMessage) {
        self.now += 1;
        let now = self.now;
        match message {
            ServerMessage::Joined(joined) => {
                let (room, since) = (joined.room.clone(), Some(joined.version));
                self.diary(peer).stays.push(Stay { room, since, begun: now, over: None });
            }
            ServerMessage::Roster(roster) => {
                let Diary { losses, stays, .. } = self.diary(peer);
                losses.push((Some(roster.room.clone()), now));
                let room = roster.room.clone();
                match stays.iter_mut().find(|stay| stay.room == room && stay.over.is_none()) {
                    // It may be another stay by now.
                    Some(stay) => stay.since = None,
                    None => stays.push(Stay { room, since: None, begun: now, over: None }),
                }
            }
            ServerMessage::Bye(bye) if bye.peer == *peer => {
                for stay in &mut self.diary(peer).stays {
                    if stay.room == bye.room {
                        stay.over.get_or_insert(now);
                    }
                }
            }
            ServerMessage::Bye(bye)
                if !matches!(bye.reason, ByeReason::Left | ByeReason::Disconnected) =>
            {
                self.diary(peer).put_out.insert((bye.room.clone(), bye.peer.clone()));
            }
            ServerMessage::Offer(offer) => {
                self.heard(peer, Kind::Offer, &offer.room, &offer.from, &offer.sdp);
            }
            ServerMessage::Answer(answer) => {
                self.heard(peer, Kind::Answer, &answer.room, &answer.from, &answer.sdp);
            }
            ServerMessage::Ice(ice) => {
                let text = ice.candidate.read::<BTreeMap<String, String>>().unwrap()["n"].clone();
                self.heard(peer, Kind::Ice, &ice.room, &ice.from, &text);
            }
            ServerMessage::Message(message) => {
                let text = message.data.read::<(String, String)>().unwrap().0;
                self.heard(peer, Kind::Message, &message.room, &message.from, &text);
            }
            _ => {}
        }
    }

    fn heard(&mut self, peer: &PeerId, kind: Kind, room: &RoomName, from: &PeerId, text: &str) {
        let number: usize = text.parse().unwrap();
        let said = &self.said[number];
        let sender = said.from.as_ref();
        assert!(sender.is_none_or(|f| f == from), "I5: {number} is not from {from}: {said:?}");
        assert_eq!(sender.is_none(), from.is_server(), "I5: {number}: {said:?}");
        assert_eq!((&said.room, said.kind), (room, kind), "I5: {number}");
        assert!(said.to.as_ref().is_none_or(|to| to == peer), "I5: {number} is not for {peer}");
        assert!(sender != Some(peer), "I5: {number} came back");
        assert!(said.outcome != Outcome::Refused, "I4: {number} was refused, and came: {said:?}");
        let now = self.now;
        let diary = self.diary(peer);
        assert!(diary.heard.insert(number, now).is_none(), "I4: {number} came twice");
        // What the application says has many callers, and no order among them.
        if !from.is_server() {
            let last = diary.last.insert(from.clone(), number);
            assert!(last.is_none_or(|last| last < number), "I4: {number} came after {last:?}");
        }
    }

    /// All is quiet, and all that is to come has come: nothing was lost in silence.
    pub(crate) fn settled(&self) {
        for (number, said) in self.said.iter().enumerate() {
            let arrived = |peer: &PeerId| self.diaries[peer].heard.contains_key(&number);
            if said.outcome == Outcome::Refused {
                assert!(!self.diaries.keys().any(arrived), "I4: {number} was refused, and came");
            }
            if said.outcome != Outcome::Taken {
                continue;
            }
            for (peer, since) in &said.owed {
                let excused = arrived(peer) || self.excuses(number, said, peer, *since);
                let diary = &self.diaries[peer];
                assert!(excused, "I4: {number} was lost: {peer}, {said:?}\n{diary:?}");
            }
        }
    }

    fn excuses(&self, number: usize, said: &Said, peer: &PeerId, since: u64) -> bool {
        let diary = &self.diaries[peer];
        let here = |room: &Option<RoomName>| room.as_ref().is_none_or(|room| *room == said.room);
        if diary.over || diary.losses.iter().any(|(room, at)| here(room) && *at > said.at) {
            return true;
        }
        if let Some(from) = &said.from
            && diary.put_out.contains(&(said.room.clone(), from.clone()))
        {
            return true;
        }
        let meant =
            |stay: &&Stay| stay.room == said.room && stay.since.is_none_or(|from| from == since);
        let stays = diary.stays.iter().filter(meant);
        // What looked like a join to others was undone before its peer was told.
        if self.troubled && stays.clone().all(|stay| stay.begun > said.at) {
            return true;
        }
        let overs: Vec<u64> = stays.filter_map(|stay| stay.over).collect();
        // Gone before it was said, though the sender did not know.
        let Some(over) = overs.iter().find(|over| **over > said.at) else {
            return !overs.is_empty();
        };
        // Gone before it came, unless something that was said later came in time.
        let later = |(&n, at): (&usize, &u64)| {
            let next = &self.said[n];
            n > number && at < over && (&next.room, &next.from) == (&said.room, &said.from)
        };
        said.from.is_none() || !diary.heard.iter().any(later)
    }

    fn diary(&mut self, peer: &PeerId) -> &mut Diary {
        self.diaries.get_mut(peer).expect("a peer that was seen")
    }
}
