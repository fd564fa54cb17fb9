//! Many peers do at random whatever there is to do, links break, and each peer checks that what it
//! is told makes one history; once all is quiet, each knows exactly who is there.

mod witness;

use futures_util::future::join_all;
use system_tests::{Client, Hub, HubBuilder, Server, Value, json, limits};
use witness::Witness;

const PEERS: usize = 12;
const ROOMS: [&str; 3] = ["one", "two", "three"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_pipes() {
    for seed in 1..=5 {
        println!("seed {seed}");
        run(seed, 150, &Server::in_process(hub())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_sockets() {
    let server = Server::start(hub()).await;
    run(6, 150, &server).await;
}

fn hub() -> HubBuilder {
    Hub::builder().limits(limits(|limits| {
        limits.messages_per_second = 0;
        limits.bad_messages = 1000;
        limits.resume_frames = 2000;
    }))
}

async fn run(seed: u64, steps: usize, server: &Server) {
    let peers = join_all((0..PEERS).map(|n| async move {
        let mut peer = Peer::new(server, seed * 1000 + n as u64).await;
        for _ in 0..steps {
            peer.step(server).await;
        }
        peer.sync().await;
        peer
    }))
    .await;
    for mut peer in peers {
        // Nobody does anything any more: this brings all that there is.
        peer.sync().await;
        for room in ROOMS {
            let members = server.hub.members(&room.parse().unwrap()).unwrap_or_default();
            let own = peer.client.peer.as_str();
            let mut members: Vec<_> =
                members.iter().map(|m| (m.peer.as_str().to_owned(), m.since)).collect();
            members.sort();
            let in_it = members.iter().any(|(peer, _)| peer == own);
            members.retain(|(peer, _)| peer != own);
            let expected = in_it.then_some(members);
            assert_eq!(peer.witness.roster(room), expected, "{own} in {room}");
        }
    }
}

/// A peer that does things at random.
struct Peer {
    client: Client,
    witness: Witness,
    random: u64,
    /// The session's counted frames, to be sent again where they were lost.
    sent: Vec<String>,
    said: u64,
}

impl Peer {
    async fn new(server: &Server, seed: u64) -> Self {
        let client = server.hello().await;
        let witness = Witness::new(&client.peer);
        Self { client, witness, random: seed, sent: Vec::new(), said: 0 }
    }

    /// A number below `n` (the multiplier of MMIX).
    fn below(&mut self, n: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % n
    }

    async fn step(&mut self, server: &Server) {
        let room = ROOMS[self.below(ROOMS.len())];
        match self.below(20) {
            0..=2 => self.send(json!({"type": "join", "room": room})).await,
            3 => self.send(json!({"type": "leave", "room": room})).await,
            4 | 5 => {
                let meta = json!({"n": self.below(100)});
                self.send(json!({"type": "update", "room": room, "meta": meta})).await;
            }
            6..=14 => self.say(room).await,
            15 | 16 => self.sync().await,
            17 | 18 => self.reconnect(server, false).await,
            _ => self.reconnect(server, true).await,
        }
    }

    /// Says something numbered to all, or to one that is there.
    async fn say(&mut self, room: &str) {
        let members = self.witness.roster(room).unwrap_or_default();
        let n = self.below(members.len() + 1);
        let to = members.get(n).map_or("*", |(peer, _)| peer).to_owned();
        self.said += 1;
        let data = self.said;
        self.send(json!({"type": "message", "room": room, "to": to, "data": data})).await;
    }

    async fn send(&mut self, message: Value) {
        let text = message.to_string();
        self.sent.push(text.clone());
        self.client.send_text(text).await;
    }

    /// Takes in all that was told by now.
    async fn sync(&mut self) {
        self.client.send(json!({"type": "ping"})).await;
        loop {
            let message = self.client.recv().await;
            if message["type"] == "pong" {
                // What was sent on this connection, and all before it, was taken.
                assert_eq!(message["received"], self.sent.len());
                return;
            }
            self.witness.told(&message);
        }
    }

    /// Loses the link, or opens another beside it, and goes on as the protocol has it.
    async fn reconnect(&mut self, server: &Server, forget: bool) {
        if self.below(2) == 0 {
            self.client.lose_link();
        }
        if forget {
            self.client.received += 1 << 40;
        }
        let (client, hello) = server.resume(&self.client).await;
        assert_eq!(client.peer, self.client.peer);
        self.client = client;
        if hello["resumed"] == "full" {
            let taken = hello["received"].as_u64().unwrap() as usize;
            for text in &self.sent[taken..] {
                self.client.send_text(text).await;
            }
        } else {
            assert_eq!(hello["resumed"], "partial", "{hello}");
            assert!(forget, "nothing was lost");
            self.sent.clear();
            self.witness.lost(&hello["rooms"]);
        }
        self.sync().await;
    }
}
