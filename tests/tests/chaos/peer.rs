//! A peer that keeps to the plan, and checks what it hears against it.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use noom_signal_client::{
    Client, ClientLimits, Event, Events, RequestError,
    protocol::{Json, PeerId, PeerInfo, RoomName, ServerMessage, Target},
};
use system_tests::{PATIENCE, Proxy, Server};
use tokio::time::timeout;

use super::plan::{Heard, Kind, Said, Step};

/// A client behind a proxy of its own, and what it knows.
pub(crate) struct Peer {
    pub(crate) client: Client,
    pub(crate) proxy: Proxy,
    events: Events,
    rooms: HashMap<RoomName, Room>,
    /// The plan's numbers of the peers.
    names: Arc<HashMap<PeerId, usize>>,
    to_hear: Heard,
}

/// A room as this peer knows it, without itself.
struct Room {
    version: u64,
    members: BTreeMap<PeerId, (u64, Json)>,
}

/// How many requests of a peer may wait for their reply: few, so that what is said is spread over
/// the time in which links break.
const WINDOW: usize = 8;

/// How long all of it may take, on a machine that does much else. Only a failing test waits so long.
const LONG: Duration = Duration::from_secs(4 * PATIENCE.as_secs());

pub(crate) fn room(n: usize) -> RoomName {
    format!("room {n}").parse().unwrap()
}

impl Peer {
    /// A peer in these rooms.
    pub(crate) async fn join(server: &Server, rooms: [usize; 2]) -> Self {
        let proxy = Proxy::to(server.address()).await;
        let mut limits = ClientLimits::default();
        limits.connect = Duration::from_secs(2);
        limits.pong = Duration::from_millis(300);
        limits.backoff = Duration::from_millis(20);
        limits.backoff_cap = Duration::from_millis(100);
        let builder = Client::builder(&proxy.url()).unwrap().limits(limits);
        let (client, events) = builder.connect().await.unwrap();
        for n in rooms {
            client.join(&room(n), None, None).await.unwrap();
        }
        let (rooms, names, to_hear) = (HashMap::new(), Arc::default(), Heard::new());
        Self { client, proxy, events, rooms, names, to_hear }
    }

    /// Learns who is there, until that is everyone: so many others in each room.
    pub(crate) async fn meet(&mut self, names: Arc<HashMap<PeerId, usize>>, others: [usize; 2]) {
        self.names = names;
        let mut others = others.to_vec();
        others.sort();
        let complete = |rooms: &HashMap<RoomName, Room>| {
            let mut known: Vec<_> = rooms.values().map(|room| room.members.len()).collect();
            known.sort();
            known == others
        };
        while !complete(&self.rooms) {
            let event = timeout(PATIENCE, self.events.next()).await.expect("everyone joins");
            match event {
                Some(Event::Message(ServerMessage::Joined(joined))) => {
                    let members = joined.peers.into_iter().map(known).collect();
                    let room = Room { version: joined.version, members };
                    self.rooms.insert(joined.room, room);
                }
                Some(Event::Message(ServerMessage::Welcome(welcome))) => {
                    let room = self.rooms.get_mut(&welcome.room).unwrap();
                    assert_eq!(welcome.version, room.version + 1);
                    room.version += 1;
                    room.members.insert(welcome.peer, (welcome.since, welcome.meta));
                }
                event => panic!("before anything was said: {event:?}"),
            }
        }
    }

    /// Does what the plan has for this peer, and hears what it has: all of it, once, in order.
    pub(crate) async fn keep_to(&mut self, steps: &[Step], heard: Heard, peers: &[PeerId]) {
        self.to_hear = heard;
        let own = self.client.peer();
        let acted = timeout(LONG, act(self.client.clone(), steps, &self.proxy, peers));
        let events = &mut self.events;
        let hearing = async {
            while self.to_hear.values().any(|from| !from.is_empty()) {
                let event = events.next().await.expect("an event");
                take(event, &own, &self.names, &mut self.rooms, &mut self.to_hear);
            }
        };
        let (acted, heard) = tokio::join!(acted, timeout(LONG, hearing));
        if heard.is_err() {
            self.to_hear.retain(|_, from| !from.is_empty());
            panic!("peer {} waits in vain for, by sender: {:?}", self.names[&own], self.to_hear);
        }
        assert!(acted.is_ok(), "peer {} waits in vain for a reply", self.names[&own]);
    }

    /// Whatever the server has for this peer has come, and it was nothing but what is known.
    pub(crate) async fn hear_the_rest(&mut self) {
        let own = self.client.peer();
        let barrier = self.client.renew_ice_servers();
        loop {
            let event = timeout(PATIENCE, self.events.next()).await.expect("a reply").unwrap();
            if matches!(event, Event::Message(ServerMessage::IceServers(_))) {
                break;
            }
            take(event, &own, &self.names, &mut self.rooms, &mut self.to_hear);
        }
        barrier.await.unwrap();
    }

    /// Knows of its rooms exactly what the server does.
    pub(crate) fn check_rosters(&self, server: &Server) {
        for (name, room) in &self.rooms {
            let mut members: BTreeMap<_, _> =
                server.hub.members(name).unwrap().into_iter().map(known).collect();
            assert!(members.remove(&self.client.peer()).is_some(), "not in {name}");
            assert_eq!(members, room.members, "{name}");
        }
    }
}

fn known(info: PeerInfo) -> (PeerId, (u64, Json)) {
    (info.peer, (info.since, info.meta))
}

/// Each request gets its reply, and that is a good one.
async fn act(client: Client, steps: &[Step], proxy: &Proxy, peers: &[PeerId]) {
    let mut open: VecDeque<BoxFuture<'_, Result<(), RequestError>>> = VecDeque::new();
    for step in steps {
        match step {
            Step::Break(fault) => proxy.strike(*fault),
            Step::Say(said, to) => {
                if open.len() == WINDOW {
                    open.pop_front().unwrap().await.unwrap();
                }
                open.push_back(say(&client, said, to.map(|to| &peers[to])));
            }
        }
    }
    for reply in open {
        reply.await.unwrap();
    }
}

fn say(
    client: &Client,
    said: &Said,
    to: Option<&PeerId>,
) -> BoxFuture<'static, Result<(), RequestError>> {
    let (room, payload) = (room(said.room), said.payload.clone());
    let json = || Json::from_text(said.payload.clone()).unwrap();
    let target = to.map_or(Target::Everyone, |to| Target::Peer(to.clone()));
    match (said.kind, to) {
        (Kind::Offer, Some(to)) => client.offer(&room, to, payload).boxed(),
        (Kind::Answer, Some(to)) => client.answer(&room, to, payload).boxed(),
        (Kind::Ice, Some(to)) => client.ice(&room, to, json()).boxed(),
        (Kind::Update, None) => client.update(&room, json()).map(|done| done.map(drop)).boxed(),
        _ => client.send(&room, target, json()).boxed(),
    }
}

/// Only what was to come, and the comings and goings of the link.
fn take(
    event: Event,
    own: &PeerId,
    names: &HashMap<PeerId, usize>,
    rooms: &mut HashMap<RoomName, Room>,
    to_hear: &mut Heard,
) {
    use ServerMessage as Is;
    let (kind, in_room, from, payload) = match event {
        Event::State(_) => return,
        Event::Message(Is::Offer(m)) => (Kind::Offer, m.room, m.from, m.sdp),
        Event::Message(Is::Answer(m)) => (Kind::Answer, m.room, m.from, m.sdp),
        Event::Message(Is::Ice(m)) => (Kind::Ice, m.room, m.from, text(&m.candidate)),
        Event::Message(Is::Message(m)) => (Kind::Message, m.room, m.from, text(&m.data)),
        Event::Message(Is::Updated(m)) => {
            let room = rooms.get_mut(&m.room).unwrap();
            assert_eq!(m.version, room.version + 1, "{m:?}");
            room.version += 1;
            if m.peer == *own {
                return;
            }
            room.members.get_mut(&m.peer).unwrap().1 = m.meta.clone();
            (Kind::Update, m.room, m.peer, text(&m.meta))
        }
        event => panic!("peer {} is told {event:?}", names[own]),
    };
    let next = to_hear.get_mut(&names[&from]).and_then(VecDeque::pop_front);
    let matches = next.as_ref().is_some_and(|next| {
        (next.kind, &next.payload) == (kind, &payload) && room(next.room) == in_room
    });
    assert!(
        matches,
        "peer {} hears from {} in {in_room} the {kind:?} {payload:.60}, and is to hear {next:.60?}",
        names[own], names[&from]
    );
}

fn text(json: &Json) -> String {
    json.as_str().to_owned()
}
