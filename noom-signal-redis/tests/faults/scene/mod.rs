//! Nodes in processes of their own, peers that talk through them, and an account of all of it.

mod account;
mod answers;
mod door;
mod ledger;
mod node;
mod report;
mod talker;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::{Duration, Instant},
};

use noom_signal::protocol::{PeerId, RoomName};
use tokio::sync::watch;

pub(crate) use account::Said;
pub(crate) use ledger::Sum;
pub(crate) use node::{Node, Place};
pub(crate) use report::{Row, measuring};
pub(crate) use talker::{Phase, Talker};

use self::{door::Door, talker::Manner};

/// Only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long rosters must stay exact to be called so.
const STEADY: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) struct Scene {
    pub(crate) nodes: Vec<Node>,
    pub(crate) talkers: Vec<Talker>,
    rooms: Vec<RoomName>,
    pace: Duration,
    phase: watch::Sender<Phase>,
}

impl Scene {
    /// As many nodes as there are places, and in each room so many peers on each node that stay, and
    /// one on each that comes and goes.
    pub(crate) async fn set(places: &[Place], rooms: usize, peers: usize) -> Self {
        let mut nodes = Vec::new();
        for place in places {
            nodes.push(Node::start(place).await);
        }
        let mut scene = Self {
            nodes,
            talkers: Vec::new(),
            rooms: (0..rooms).map(|n| format!("room {n}").parse().unwrap()).collect(),
            pace: Duration::from_millis(30),
            phase: watch::Sender::new(Phase::Talk),
        };
        for room in 0..rooms {
            for node in 0..places.len() {
                for _ in 0..peers {
                    scene.enter(room, node, false).await;
                }
                scene.enter(room, node, true).await;
            }
        }
        scene.exact_since(Instant::now()).await;
        scene
    }

    /// A crowd: many rooms of many peers, who say something once in a while.
    pub(crate) async fn crowd(places: &[Place], rooms: usize, peers: usize) -> Self {
        let mut scene = Self::set(places, 0, 0).await;
        scene.rooms = (0..rooms).map(|n| format!("room {n}").parse().unwrap()).collect();
        scene.pace = Duration::from_secs(1);
        for n in 0..rooms * peers {
            let node = n / rooms % places.len();
            let (port, manner) = (scene.nodes[node].port, scene.manner(n % rooms, false));
            let talker = Talker::start(node, port, None, manner, scene.phase.subscribe());
            scene.talkers.push(talker);
        }
        scene.exact_since(Instant::now()).await;
        scene
    }

    async fn enter(&mut self, room: usize, node: usize, churning: bool) {
        let port = self.nodes[node].port;
        let door = Door::to(port).await;
        let manner = self.manner(room, churning);
        let talker = Talker::start(node, port, Some(door), manner, self.phase.subscribe());
        self.talkers.push(talker);
    }

    fn manner(&self, room: usize, churning: bool) -> Manner {
        Manner { room: self.rooms[room].clone(), churning, pace: self.pace }
    }

    /// Somebody new enters each room on each of these nodes. They are looked for in all rosters.
    pub(crate) async fn newcomers(&mut self, nodes: &[usize]) {
        self.newcomers_in(0..self.rooms.len(), nodes).await;
    }

    pub(crate) async fn newcomers_in(&mut self, rooms: Range<usize>, nodes: &[usize]) {
        for room in rooms {
            for &node in nodes {
                self.enter(room, node, false).await;
                self.talkers.last_mut().unwrap().is_new = true;
            }
        }
    }

    /// Those that stay.
    pub(crate) fn steady(&self) -> impl Iterator<Item = &Talker> {
        self.talkers.iter().filter(|it| !it.account().churning)
    }

    /// Those that began at a node, and stay.
    pub(crate) fn at(&self, node: usize) -> impl Iterator<Item = &Talker> {
        self.steady().filter(move |it| it.node == node)
    }

    /// Nobody who stays was seen to go, or had to begin anew.
    pub(crate) fn assert_nobody_left(&self) {
        let ids: BTreeSet<PeerId> = self.steady().map(Talker::id).collect();
        for talker in self.steady() {
            let account = talker.account();
            assert_eq!(account.stays.len(), 1, "{:?} is another", account.id());
            let left = account.stays[0].byes.keys().find(|peer| ids.contains(*peer));
            assert_eq!(left, None, "seen to go by {:?}", account.id());
        }
    }

    pub(crate) fn talk(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// How long it took, from then on, until each peer knew exactly who is in its room.
    pub(crate) async fn exact_since(&self, begun: Instant) -> Duration {
        let (waiting, mut since) = (Instant::now(), None);
        loop {
            match self.differences(false) {
                None => {
                    let since = *since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= STEADY {
                        return since.duration_since(begun);
                    }
                }
                Some(difference) => {
                    since = None;
                    assert!(waiting.elapsed() < PATIENCE, "no exact rosters: {difference}");
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until something shows in the peers' accounts.
    pub(crate) async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What some peer takes for a room's roster, and is not. Those that come and go are not looked
    /// at, unless all have gone.
    fn differences(&self, all_gone: bool) -> Option<String> {
        let (mut rooms, mut passing) = (BTreeMap::new(), BTreeSet::<PeerId>::new());
        for talker in &self.talkers {
            let account = talker.account();
            if account.churning {
                if all_gone && !account.away && (account.in_room || account.open > 0) {
                    return Some(format!("{:?} has not gone", account.id()));
                }
                passing.extend(account.stays.iter().map(|stay| stay.peer.clone()));
            } else if !account.away {
                if !account.in_room {
                    return Some(format!("{:?} is not in its room", account.id()));
                }
                let roster: &mut BTreeMap<_, _> = rooms.entry(account.room.clone()).or_default();
                roster.insert(account.id().cloned()?, account.since);
            }
        }
        for talker in &self.talkers {
            let account = talker.account();
            if account.churning || account.away {
                continue;
            }
            let own = account.id();
            let others = rooms[&account.room].iter().filter(|(peer, _)| Some(*peer) != own);
            let shown = |peer: &PeerId| all_gone || !passing.contains(peer);
            if !others.eq(account.members.iter().filter(|(peer, _)| shown(peer))) {
                let (room, has) = (&account.room, &account.members);
                return Some(format!("{own:?} in {room} has {has:?}, of {:?}", rooms[room]));
            }
        }
        None
    }

    /// Lets everybody finish, waits for all that is on its way, and draws up the sum.
    pub(crate) async fn end(&self) -> Sum {
        self.talk(Phase::Quiet);
        let begun = Instant::now();
        while let Some(difference) = self.differences(true).or_else(|| self.open()) {
            assert!(begun.elapsed() < PATIENCE, "no end: {difference}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.talk(Phase::LastWord);
        let mut missing = self.missing_words();
        while missing.is_some() && begun.elapsed() < PATIENCE {
            tokio::time::sleep(LOOK_EVERY).await;
            missing = self.missing_words();
        }
        // Where a last word is missing, others may be, and the sum has them.
        let sum = self.sum();
        assert!(sum.violations.is_empty(), "{} lost silently: {:#?}", sum.silent, sum.violations);
        assert_eq!(missing, None, "a last word");
        sum
    }

    pub(crate) fn sum(&self) -> Sum {
        let accounts: Vec<_> = self.talkers.iter().map(Talker::account).collect();
        Sum::of(&accounts.iter().map(|account| &**account).collect::<Vec<_>>())
    }

    fn open(&self) -> Option<String> {
        let open = |it: &&Talker| it.account().open > 0;
        self.talkers.iter().find(open).map(|it| format!("requests of {:?}", it.account().id()))
    }

    fn missing_words(&self) -> Option<String> {
        let accounts: Vec<_> = self.talkers.iter().map(Talker::account).collect();
        let present = || accounts.iter().filter(|account| !account.churning && !account.away);
        for account in present() {
            let Some(last) = account.last_word else { return Some("not said yet".into()) };
            for other in present().filter(|other| other.room == account.room) {
                let (own, stay) = (account.id()?, other.stays.last()?);
                let heard = stay.heard.get(own).and_then(|heard| heard.last()).map(|it| it.n);
                if *own != stay.peer && heard != Some(last) {
                    return Some(format!("{last} of {own} at {}, {heard:?}", stay.peer));
                }
            }
        }
        None
    }
}
