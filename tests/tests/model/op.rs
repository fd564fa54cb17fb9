//! What clients, their links and the application do.

use system_tests::Random;

/// Few clients in few rooms, so that they meet.
pub(crate) const CLIENTS: usize = 6;
/// A room that all may join; one of them is full before all are in it.
pub(crate) const ROOMS: [&str; 3] = ["one", "two", "three"];
/// Nobody may join this one.
pub(crate) const FORBIDDEN: &str = "forbidden";
/// The policy panics when it is asked about this one.
pub(crate) const PANIC: &str = "panic";

/// One step of a run. A client is named by its number, a node likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// Opens a new session, where there is none.
    Open(usize),
    Join(usize, &'static str),
    // Where a client is not in the room that is named here, another one may be meant.
    Leave(usize, &'static str),
    Update(usize, &'static str),
    /// Says something to one client, or to all.
    Say(usize, &'static str, Kind, Option<usize>),
    /// Says something long to all, so many times.
    Shout(usize, &'static str, usize),
    /// Begins or ends to watch the lobby.
    Watch(usize, bool),
    IceServers(usize),
    /// Sends what no client should.
    Garbage(usize, Garbage),
    /// Makes more requests than are allowed in a while.
    Flood(usize),
    /// Loses the link, without a word.
    Cut(usize),
    /// Closes, and the session ends.
    Close(usize),
    /// Takes up its session, from a second link if the first is still there.
    Resume(usize, Width),
    /// The same, with a count that cannot be.
    Lie(usize),
    /// The same, at that node.
    Hop(usize, usize),
    /// From now on it says something as soon as it is in a room, and to whoever joins; or no more.
    Greet(usize, bool),
    /// Does not read for now.
    Stop(usize),
    /// Reads again.
    Continue(usize),
    /// Somebody connects with a hello that the policy panics over, or with none.
    Stranger(usize, bool),
    /// The application puts a client out of a room.
    Kick(usize, &'static str, usize),
    CloseRoom(usize, &'static str),
    /// The application says something to one client, or to all.
    Announce(usize, &'static str, Option<usize>),
    /// So many milliseconds pass.
    Wait(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Offer,
    Answer,
    Ice,
    Message,
}

/// How many frames a link holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    Narrow,
    Wide,
}

impl Width {
    pub(crate) fn frames(self) -> usize {
        match self {
            Self::Narrow => 4,
            Self::Wide => 64,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Garbage {
    NotJson,
    UnknownType,
    NoRoom,
    Deep,
    SecondHello,
    Binary,
    TooLong,
    BadRoomName,
    LongMeta,
}

impl Op {
    /// Any step, the likely ones more often.
    pub(crate) fn any(random: &mut Random, nodes: usize) -> Self {
        const KINDS: [Kind; 6] =
            [Kind::Offer, Kind::Answer, Kind::Ice, Kind::Message, Kind::Message, Kind::Message];
        let client = random.below(CLIENTS);
        let room = random.pick(&ROOMS);
        let node = random.below(nodes);
        let other = Some(random.below(CLIENTS)).filter(|_| random.chance(70));
        let width = if random.chance(50) { Width::Narrow } else { Width::Wide };
        match random.below(100) {
            0..=2 => Self::Open(client),
            3..=14 => Self::Join(client, room),
            15..=17 => Self::Leave(client, room),
            18..=21 => Self::Update(client, room),
            22..=46 => match (random.pick(&KINDS), other) {
                (_, None) => Self::Say(client, room, Kind::Message, None),
                (kind, other) => Self::Say(client, room, kind, other),
            },
            47..=51 => Self::Shout(client, room, 1 + random.below(40)),
            52 => Self::Watch(client, random.chance(70)),
            53 => Self::IceServers(client),
            54 => Self::Garbage(client, Garbage::any(random)),
            55 => match random.below(6) {
                0 => Self::Flood(client),
                1..=3 => Self::Stranger(node, random.chance(50)),
                _ => Self::Join(client, random.pick(&[FORBIDDEN, PANIC])),
            },
            56..=59 => Self::Cut(client),
            60 => match random.below(3) {
                0 => Self::Close(client),
                _ => Self::Garbage(client, Garbage::any(random)),
            },
            61..=64 => Self::Resume(client, width),
            65 | 66 => Self::Hop(client, node),
            67 => match random.below(3) {
                0 => Self::Lie(client),
                _ => Self::Greet(client, random.chance(60)),
            },
            68 => Self::Hop(client, node),
            69..=72 => Self::Stop(client),
            73 | 74 => Self::Continue(client),
            75 => Self::Kick(node, room, client),
            76 => match random.below(4) {
                0 => Self::CloseRoom(node, room),
                _ => Self::Announce(node, room, other),
            },
            77..=96 => Self::Wait(1 + random.below(150) as u64),
            97 | 98 => Self::Wait(random.below(3000) as u64),
            _ => match random.below(3) {
                0 => Self::Wait(10_000 + random.below(25_000) as u64),
                _ => Self::Wait(random.below(10_000) as u64),
            },
        }
    }
}

impl Garbage {
    fn any(random: &mut Random) -> Self {
        random.pick(&[
            Self::NotJson,
            Self::UnknownType,
            Self::NoRoom,
            Self::Deep,
            Self::SecondHello,
            Self::Binary,
            Self::TooLong,
            Self::BadRoomName,
            Self::LongMeta,
        ])
    }
}
