//! A peer that talks, and keeps account.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use noom_signal_client::{
    Client, ClientLimits, Event, Events, RequestError,
    protocol::{ByeReason, Json, PeerId, PeerInfo, RoomName, ServerMessage, Target},
};
use system_tests::{Fault, PATIENCE, Proxy, Random, Server};
use tokio::{select, time::timeout};

use super::stay::{Said, Stay};

/// A client in one room, behind a proxy of its own.
pub(crate) struct Peer {
    pub(crate) client: Client,
    pub(crate) proxy: Proxy,
    /// The sessions it has had; the last is the present one.
    pub(crate) stays: Vec<Stay>,
    /// The room's other members and when they joined, at this version. None while not in it.
    pub(crate) members: BTreeMap<PeerId, u64>,
    version: u64,
    room: RoomName,
    events: Events,
    open: FuturesUnordered<BoxFuture<'static, (Asked, Result<(), RequestError>)>>,
    random: Random,
    said: u64,
    /// Everything before the last [`Peer::hear_all`] was heard.
    caught_up: bool,
}

/// What a request was: the join after a loss, or something said, by stay and place in it.
type Asked = Option<(usize, usize)>;

/// How many requests may wait for their reply.
const WINDOW: usize = 8;

impl Peer {
    pub(crate) async fn join(server: &Server, room: RoomName, seed: u64) -> Self {
        let proxy = Proxy::to(server.address()).await;
        let mut limits = ClientLimits::default();
        limits.connect = Duration::from_secs(2);
        limits.pong = Duration::from_millis(300);
        limits.backoff = Duration::from_millis(20);
        limits.backoff_cap = Duration::from_millis(100);
        let builder = Client::builder(&proxy.url()).unwrap().limits(limits);
        let (client, events) = builder.connect().await.unwrap();
        client.join(&room, None, None).await.unwrap();
        Self {
            stays: vec![Stay::new(client.peer())],
            client,
            proxy,
            members: BTreeMap::new(),
            version: 0,
            room,
            events,
            open: FuturesUnordered::new(),
            random: Random::new(seed),
            said: 0,
            caught_up: false,
        }
    }

    /// Goes on until that is so.
    pub(crate) async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let next = timeout(PATIENCE, async {
                select! {
                    event = self.events.next() => Ok(event.expect("an event")),
                    Some(reply) = self.open.next() => Err(reply),
                }
            });
            match next.await {
                Ok(Ok(event)) => self.take(event),
                Ok(Err((asked, outcome))) => self.replied(asked, outcome),
                Err(_) => panic!("{} waits in vain: {what}", self.id()),
            }
        }
    }

    /// Says so many things, each when there is room for it.
    pub(crate) async fn talk(&mut self, count: usize) {
        for _ in 0..count {
            self.say();
            self.until("a reply", |peer| peer.open.len() < WINDOW).await;
        }
        self.until("all replies", |peer| peer.open.is_empty()).await;
    }

    /// The same, and its link breaks in between, so many times of a hundred.
    pub(crate) async fn talk_and_break(
        &mut self,
        count: usize,
        percent: usize,
        fault: fn(&mut Random) -> Fault,
    ) {
        for _ in 0..count {
            if self.random.chance(percent) {
                self.proxy.strike(fault(&mut self.random));
            }
            self.talk(1).await;
        }
    }

    /// Says something to one or to all, without waiting.
    pub(crate) fn say(&mut self) {
        self.said += 1;
        let (client, room, n) = (&self.client, &self.room, self.said);
        let members: Vec<_> = self.members.keys().cloned().collect();
        let to = members[self.random.below(members.len())].clone();
        let text = format!("{n} {}", "~".repeat(self.random.below(500)));
        let json = || Json::of(&[&text]).unwrap();
        let (to, reply) = match self.random.below(10) {
            0..4 => (None, client.send(room, Target::Everyone, json())),
            4..6 => (Some(&to), client.offer(room, &to, &text)),
            6 => (Some(&to), client.answer(room, &to, &text)),
            7 => (
                Some(&to),
                client.ice(room, &to, Json::of(&Candidate::from([("candidate", &text)])).unwrap()),
            ),
            _ => (Some(&to), client.send(room, Target::Peer(to.clone()), json())),
        };
        let owed =
            to.map_or_else(|| members.iter().cloned().collect(), |to| BTreeSet::from([to.clone()]));
        let stay = self.stays.len() - 1;
        let said = &mut self.stays[stay].said;
        let asked = Some((stay, said.len()));
        said.push(Said { n, to: to.cloned(), owed, outcome: None });
        self.open.push(reply.map(move |outcome| (asked, outcome)).boxed());
    }

    /// Whatever the server has for this peer by now is heard.
    pub(crate) async fn hear_all(&mut self) {
        self.caught_up = false;
        let asked = self.client.renew_ice_servers();
        self.until("the end of what there is", |peer| peer.caught_up).await;
        asked.await.unwrap();
    }

    pub(crate) fn room(&self) -> &RoomName {
        &self.room
    }

    pub(crate) fn id(&self) -> &PeerId {
        &self.stays[self.stays.len() - 1].peer
    }

    fn stay(&mut self) -> &mut Stay {
        self.stays.last_mut().unwrap()
    }

    fn replied(&mut self, asked: Asked, outcome: Result<(), RequestError>) {
        match asked {
            None => outcome.expect("back in the room"),
            Some((stay, place)) => {
                let before = self.stays[stay].said[place].outcome.replace(outcome);
                assert_eq!(before, None);
            }
        }
    }

    fn take(&mut self, event: Event) {
        use ServerMessage as Is;
        match event {
            Event::State(_) => {}
            Event::Message(message) => match message {
                Is::Offer(m) => self.hear(m.from, &m.sdp),
                Is::Answer(m) => self.hear(m.from, &m.sdp),
                Is::Ice(m) => self.hear(m.from, m.candidate.as_str()),
                Is::Message(m) => self.hear(m.from, m.data.as_str()),
                Is::Joined(m) => self.enter(m.version, m.peers),
                Is::Roster(m) => self.enter(m.version, m.peers),
                Is::Welcome(m) => {
                    self.step(m.version);
                    self.stay().known.insert(m.peer.clone());
                    assert!(self.members.insert(m.peer, m.since).is_none(), "welcome again");
                }
                Is::Bye(m) => {
                    self.step(m.version);
                    assert_eq!(m.reason, ByeReason::Disconnected);
                    assert!(self.members.remove(&m.peer).is_some(), "bye of a stranger");
                    *self.stay().byes.entry(m.peer).or_default() += 1;
                }
                Is::Missed(m) => *self.stay().missed.entry(m.peer).or_default() += 1,
                Is::IceServers(_) => self.caught_up = true,
                other => panic!("{} is told {other:?}", self.id()),
            },
            Event::Partial(hello) => {
                assert_eq!(hello.rooms.as_deref(), Some(&[self.room.clone()][..]));
                assert_eq!(hello.peer, *self.id());
                self.stay().partials += 1;
            }
            Event::Reset(hello) => {
                self.stay().ended = true;
                assert!(self.stays.iter().all(|stay| stay.peer != hello.peer), "an id again");
                self.stays.push(Stay::new(hello.peer));
                self.members.clear();
                let back = self.client.join(&self.room, None, None);
                self.open.push(back.map(|joined| (None, joined.map(drop))).boxed());
            }
            other => panic!("{} is told {other:?}", self.id()),
        }
    }

    fn hear(&mut self, from: PeerId, text: &str) {
        assert!(self.members.contains_key(&from), "{} hears a stranger: {text:.40}", self.id());
        let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let n = digits[..end].parse().unwrap();
        let stay = self.stay();
        stay.heard.entry(from).or_default().push((n, stay.partials));
    }

    fn enter(&mut self, version: u64, peers: Vec<PeerInfo>) {
        self.version = version;
        self.members = peers.into_iter().map(|info| (info.peer, info.since)).collect();
        let known: Vec<_> = self.members.keys().cloned().collect();
        self.stay().known.extend(known);
    }

    fn step(&mut self, version: u64) {
        assert_eq!(version, self.version + 1);
        self.version = version;
    }
}

type Candidate<'a> = BTreeMap<&'static str, &'a String>;
