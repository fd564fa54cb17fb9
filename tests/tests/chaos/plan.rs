//! Who says what to whom, and when a link breaks.

use std::collections::{HashMap, VecDeque};

use system_tests::{Fault, Random, Way};

/// What a peer does next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Says something to one peer, or to all others in the room.
    Say(Said, Option<usize>),
    /// Its link gets a fault.
    Break(Fault),
}

/// Something said in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) kind: Kind,
    pub(crate) room: usize,
    /// An `sdp`, or the text of JSON.
    pub(crate) payload: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Offer,
    Answer,
    Ice,
    Message,
    /// A new `meta`. It is told to all, and takes its place among what is said.
    Update,
}

/// All that will happen, known before it does. Peers and rooms are numbers.
#[derive(Debug)]
pub(crate) struct Plan {
    peers: usize,
    rooms: usize,
    /// By peer.
    pub(crate) steps: Vec<Vec<Step>>,
    /// What each is to hear: by peer, then by sender, in order.
    pub(crate) heard: Vec<Heard>,
}

/// What is to be heard yet, by sender and in order.
pub(crate) type Heard = HashMap<usize, VecDeque<Said>>;

/// Codes with which a connection may be closed and its session go on.
const CODES: [u16; 5] = [1011, 1012, 1013, 4000, 4410];

impl Plan {
    /// So many peers in so many rooms do so many things each, and so many of a hundred of these are
    /// faults.
    pub(crate) fn new(
        peers: usize,
        rooms: usize,
        steps: usize,
        faults: usize,
        random: &mut Random,
    ) -> Self {
        let heard = vec![Heard::new(); peers];
        let mut plan = Self { peers, rooms, steps: Vec::new(), heard };
        for peer in 0..peers {
            let step = |n| match random.chance(faults) {
                true => Step::Break(fault(random)),
                false => plan.say(peer, n, random),
            };
            let steps = (0..steps).map(step).collect();
            plan.steps.push(steps);
        }
        plan
    }

    /// Each peer is in two neighbouring rooms, so that some pairs share one and some both.
    pub(crate) fn rooms_of(&self, peer: usize) -> [usize; 2] {
        [peer % self.rooms, (peer + 1) % self.rooms]
    }

    /// Who is in a room.
    pub(crate) fn members(&self, room: usize) -> Vec<usize> {
        (0..self.peers).filter(|&peer| self.rooms_of(peer).contains(&room)).collect()
    }

    fn say(&mut self, peer: usize, n: usize, random: &mut Random) -> Step {
        let room = random.pick(&self.rooms_of(peer));
        let mut others = self.members(room);
        others.retain(|&other| other != peer);
        let (kind, to) = match random.below(20) {
            0..5 => (Kind::Message, None),
            5 => (Kind::Update, None),
            6..10 => (Kind::Message, Some(random.pick(&others))),
            10..13 => (Kind::Offer, Some(random.pick(&others))),
            13..16 => (Kind::Answer, Some(random.pick(&others))),
            _ => (Kind::Ice, Some(random.pick(&others))),
        };
        // The number tells it from all else that this peer says.
        let pad = "~".repeat(match random.below(50) {
            0 if kind != Kind::Update => 20_000,
            1..10 => random.below(3000),
            _ => random.below(100),
        });
        let payload = match kind {
            Kind::Offer | Kind::Answer => format!("v=0 {n} {pad}"),
            Kind::Ice if random.chance(20) => "null".into(),
            Kind::Ice => format!(r#"{{"candidate":"{n} {pad}","sdpMLineIndex":0}}"#),
            Kind::Message | Kind::Update => format!(r#"{{"n":{n}, "pad":"{pad}"}}"#),
        };
        let said = Said { kind, room, payload };
        let to_whom = to.map_or(others, |to| vec![to]);
        for other in to_whom {
            self.heard[other].entry(peer).or_default().push_back(said.clone());
        }
        Step::Say(said, to)
    }
}

fn fault(random: &mut Random) -> Fault {
    let way = random.pick(&[Way::Up, Way::Down]);
    match random.below(10) {
        0 => Fault::End,
        1 => Fault::Reset,
        2..5 => Fault::Tear(way, random.below(4000)),
        5..7 => Fault::Close(way, random.pick(&CODES)),
        7 => Fault::Swallow(None),
        8 => Fault::Swallow(Some(way)),
        _ => Fault::Late,
    }
}
