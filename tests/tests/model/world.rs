//! Some hubs, their clients, and what they do to each other.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use noom_signal::{
    protocol::{ByeReason, ErrorCode, Json, PeerId, RoomName, ServerMessage, Target},
    transport::ClientEnd,
};
use serde_json::{Value, json};
use system_tests::{Hub, Wires};
use tokio::time::{Instant, sleep};

use crate::{
    book::Book,
    client::{Client, link},
    op::{CLIENTS, FORBIDDEN, Garbage, Kind, Op, PANIC, ROOMS, Width},
    session::Ask,
};

pub(crate) struct World {
    pub hubs: Vec<Hub>,
    pub wires: Option<Arc<Wires>>,
    pub clients: Vec<Client>,
    pub book: Book,
    strangers: Vec<(ClientEnd, ErrorCode)>,
    metas: u64,
}

impl World {
    pub(crate) fn new(hubs: Vec<Hub>, wires: Option<Arc<Wires>>) -> Self {
        let nodes = hubs.len();
        let clients = (0..CLIENTS).map(|n| Client::new(n % nodes)).collect();
        let faulty = wires.as_ref().is_some_and(|wires| wires.lose_something());
        let book = Book::new(wires.is_some(), faulty);
        Self { hubs, wires, clients, book, strangers: Vec::new(), metas: 0 }
    }

    pub(crate) async fn act(&mut self, op: Op) {
        match op {
            Op::Open(client) if self.clients[client].session.is_none() => {
                self.connect(client, Width::Wide, false);
            }
            Op::Open(_) => {}
            Op::Resume(client, width) => self.connect(client, width, false),
            Op::Lie(client) if self.clients[client].session.is_some() => {
                self.connect(client, Width::Wide, true);
            }
            Op::Lie(_) => {}
            Op::Hop(client, node) => {
                // Where the cluster fails, moves have holes that are known.
                if !self.book.faulty || std::env::var_os("NOOM_HOPS").is_some() {
                    self.clients[client].node = node;
                    self.book.saw("a hop");
                }
                self.connect(client, Width::Wide, false);
            }
            Op::Greet(client, greets) => self.clients[client].greets = greets,
            Op::Cut(client) => self.clients[client].lose(),
            Op::Close(client) => self.clients[client].close(&mut self.book),
            Op::Stop(client) => self.clients[client].stop(),
            Op::Continue(client) => self.clients[client].go_on(),
            Op::Stranger(node, panic) => self.stranger(node, panic),
            Op::Kick(node, room, client) => self.kick(node, name(room), client),
            Op::CloseRoom(node, room) => {
                let (hub, room) = (self.hubs[node].clone(), name(room));
                self.book.may_go(Some(&room), None, ByeReason::Closed);
                tokio::spawn(async move { hub.close_room(&room).await });
            }
            Op::Announce(node, room, to) => self.announce(node, name(room), to),
            Op::Wait(ms) => self.wait(Duration::from_millis(ms)).await,
            Op::Join(client, ..)
            | Op::Leave(client, ..)
            | Op::Update(client, ..)
            | Op::Say(client, ..)
            | Op::Shout(client, ..)
            | Op::Watch(client, ..)
            | Op::IceServers(client)
            | Op::Garbage(client, ..)
            | Op::Flood(client) => {
                if self.clients[client].is_open() {
                    self.ask(client, op);
                }
            }
        }
    }

    fn ask(&mut self, client: usize, op: Op) {
        let op = self.meant(client, op);
        match op {
            Op::Join(_, room) => {
                self.metas += 1;
                let meta = json!({ "n": self.metas });
                let ask = match room {
                    FORBIDDEN => Ask::Nonsense(ErrorCode::Forbidden),
                    PANIC => Ask::Nonsense(ErrorCode::Internal),
                    _ => Ask::Join(name(room), Json::of(&meta).unwrap()),
                };
                let request = json!({"type": "join", "room": room, "meta": meta});
                self.clients[client].ask(ask, request);
            }
            Op::Leave(_, room) => {
                let peer = self.peer(client);
                self.book.may_go(Some(&name(room)), peer.as_ref(), ByeReason::Left);
                let request = json!({"type": "leave", "room": room});
                self.clients[client].ask(Ask::Leave(name(room)), request);
            }
            Op::Update(_, room) => {
                self.metas += 1;
                let meta = json!({ "n": self.metas });
                let ask = Ask::Update(name(room), Json::of(&meta).unwrap());
                let request = json!({"type": "update", "room": room, "meta": meta});
                self.clients[client].ask(ask, request);
            }
            Op::Say(_, room, kind, to) => self.say(client, room, kind, to, 0),
            Op::Shout(_, room, times) => {
                (0..times).for_each(|_| self.say(client, room, Kind::Message, None, 1500));
            }
            Op::Watch(_, watch) => {
                let request = json!({"type": "lobby", "watch": watch});
                self.clients[client].ask(Ask::Watch(watch), request);
            }
            Op::IceServers(_) => {
                self.clients[client].ask(Ask::IceServers, json!({"type": "iceServers"}));
            }
            Op::Garbage(_, garbage) => self.garbage(client, garbage),
            Op::Flood(_) => {
                for _ in 0..100 {
                    let nonsense = Ask::Nonsense(ErrorCode::NotInRoom);
                    let request = json!({"type": "leave", "room": "nowhere"});
                    self.clients[client].ask(nonsense, request);
                }
            }
            _ => {}
        }
    }

    /// Most of what clients do, they do where they are.
    fn meant(&self, client: usize, op: Op) -> Op {
        let Some(session) = &self.clients[client].session else { return op };
        let inside = |room: &&&str| session.view.room(room).is_some();
        let Some(other) = ROOMS.iter().find(inside) else { return op };
        let elsewhere = |room: &str| room != ROOMS[2] && session.view.room(room).is_none();
        match op {
            Op::Leave(_, room) if elsewhere(room) => Op::Leave(client, other),
            Op::Update(_, room) if elsewhere(room) => Op::Update(client, other),
            Op::Say(_, room, kind, to) if elsewhere(room) => Op::Say(client, other, kind, to),
            Op::Shout(_, room, times) if elsewhere(room) => Op::Shout(client, other, times),
            op => op,
        }
    }

    fn connect(&mut self, client: usize, width: Width, lie: bool) {
        let hub = &self.hubs[self.clients[client].node];
        self.clients[client].connect(hub, width, lie, &mut self.book);
    }

    pub(crate) fn peer(&self, client: usize) -> Option<PeerId> {
        self.clients[client].session.as_ref().map(|session| session.peer.clone())
    }

    fn say(&mut self, client: usize, room: &str, kind: Kind, to: Option<usize>, length: usize) {
        let target = to.and_then(|to| self.peer(to));
        if to.is_none() || target.is_some() {
            let (client, book) = (&mut self.clients[client], &mut self.book);
            client.say(&name(room), kind, target.as_ref(), length, book);
        }
    }

    fn garbage(&mut self, client: usize, garbage: Garbage) {
        let client = &mut self.clients[client];
        let bad = |client: &mut Client, text: &str| client.send(text.to_owned(), true);
        match garbage {
            Garbage::NotJson => bad(client, "{\"type\":"),
            Garbage::NoRoom => bad(client, r#"{"type":"join"}"#),
            Garbage::Deep => {
                let (open, close) = ("[".repeat(40), "]".repeat(40));
                bad(client, &format!(r#"{{"type":"nothing","data":{open}{close}}}"#));
            }
            Garbage::SecondHello => client.send_uncounted(r#"{"type":"hello"}"#.into()),
            Garbage::Binary => client.send_binary(),
            Garbage::TooLong => client.send_uncounted("x".repeat(100_000)),
            Garbage::UnknownType => {
                client.ask(Ask::Nonsense(ErrorCode::UnknownType), json!({"type": "nothing"}));
            }
            Garbage::BadRoomName => {
                let request = json!({"type": "join", "room": "\n"});
                client.ask(Ask::Nonsense(ErrorCode::InvalidRoom), request);
            }
            Garbage::LongMeta => {
                let meta: Value = json!({"long": "x".repeat(1000)});
                let request = json!({"type": "join", "room": "long", "meta": meta});
                client.ask(Ask::Nonsense(ErrorCode::InvalidMeta), request);
            }
        }
    }

    fn stranger(&mut self, node: usize, panic: bool) {
        let end = link(&self.hubs[node], Width::Wide);
        let (hello, code) = match panic {
            true => (json!({"type": "hello", "token": PANIC}), ErrorCode::Internal),
            false => (json!({"type": "join", "room": "one"}), ErrorCode::BadMessage),
        };
        let _ = end.send_text(hello.to_string()).now_or_never();
        self.strangers.push((end, code));
    }

    fn kick(&mut self, node: usize, room: RoomName, client: usize) {
        let Some(peer) = self.peer(client) else { return };
        self.book.may_go(Some(&room), Some(&peer), ByeReason::Kicked);
        let hub = self.hubs[node].clone();
        tokio::spawn(async move { hub.kick(&room, &peer).await });
    }

    fn announce(&mut self, node: usize, room: RoomName, to: Option<usize>) {
        let target = to.and_then(|to| self.peer(to));
        if to.is_some() && target.is_none() {
            return;
        }
        let kind = Kind::Message;
        let number = self.book.ledger.say(None, &room, kind, target.clone(), Vec::new());
        let data = Json::of(&[number.to_string(), String::new()]).unwrap();
        let to = target.map_or(Target::Everyone, Target::Peer);
        let hub = self.hubs[node].clone();
        tokio::spawn(async move { hub.send(&room, to, &data).await });
    }

    /// Lets all that can happen at this moment happen.
    pub(crate) async fn settle(&mut self) {
        for _ in 0..MOST {
            sleep(Duration::from_millis(1)).await;
            let mut moved = false;
            self.clients.iter().for_each(|client| client.look_at_the_clock(&mut self.book));
            for client in &mut self.clients {
                moved |= client.pump(&mut self.book);
            }
            if !moved {
                return self.see_strangers();
            }
        }
        panic!("it never ends");
    }

    /// Lets time pass, while those read who do.
    pub(crate) async fn wait(&mut self, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            // What is on its way comes within the first of these.
            let step = if begun.elapsed() < BUSY { SHORT } else { LONG };
            sleep(step.min(time - begun.elapsed())).await;
            self.settle().await;
        }
    }

    fn see_strangers(&mut self) {
        for (mut end, code) in std::mem::take(&mut self.strangers) {
            match end.recv().now_or_never() {
                Some(Some(ServerMessage::Error(error))) => assert_eq!(error.code, code, "I7"),
                Some(other) => panic!("I7: a stranger was answered {other:?}"),
                None => self.strangers.push((end, code)),
            }
        }
    }
}

const LONG: Duration = Duration::from_secs(1);
const SHORT: Duration = Duration::from_millis(5);
const BUSY: Duration = Duration::from_millis(200);
/// More rounds than any step needs.
const MOST: usize = 10_000;

pub(crate) fn name(room: &str) -> RoomName {
    room.parse().unwrap()
}
