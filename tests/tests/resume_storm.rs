//! A network goes down and comes back: ten thousand peers lose their links at once, and all return
//! at once. Every session is taken up as it was, what was sent meanwhile arrives once, and nobody
//! who stayed hears of it.

use std::{collections::BTreeSet, fmt::Debug, sync::Arc, time::Duration};

use futures_util::future::join_all;
use system_tests::{Client, Hub, HubBuilder, Server, Value, json, limits, until};
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

const PEERS: usize = 10_000;
/// How many of a room lose their links; one more stays.
const AWAY: usize = 10;
/// How many sockets are opened at a time: no more than a server with its defaults lets wait.
const AT_A_TIME: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_pipes() {
    storm(Server::in_process(hub()), PEERS / AWAY).await;
}

/// As many of them as this machine lets a process have sockets for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_sockets() {
    // Two ends each.
    let files = |rooms: usize| 2 * (rooms * (AWAY + 1)) as u64 + 200;
    let wanted = files(PEERS / AWAY);
    let allowed = rlimit::increase_nofile_limit(wanted).unwrap();
    let least = files(10);
    assert!(allowed >= least, "this test needs {least} open files: ulimit -Hn {wanted}");
    let rooms = (1..=PEERS / AWAY).rev().find(|&rooms| files(rooms) <= allowed).unwrap();
    println!("{} peers, with {allowed} open files of the {wanted} for all", rooms * AWAY);
    storm(Server::start(hub()).await, rooms).await;
}

/// However slow this machine is, it is not the clock that ends anything here.
fn hub() -> HubBuilder {
    Hub::builder().limits(limits(|limits| {
        let long = Duration::from_secs(3600);
        (limits.handshake, limits.heartbeat, limits.resume, limits.write) =
            (long, long, long, long);
    }))
}

async fn storm(server: Server, rooms: usize) {
    let (server, doors) = (Arc::new(server), Arc::new(Semaphore::new(AT_A_TIME)));
    let enter = |n| Room::enter(server.clone(), doors.clone(), n);
    let mut rooms = all((0..rooms).map(enter)).await;
    let stats = || server.hub.stats();
    let count = rooms.len() * (AWAY + 1);
    assert_eq!((stats().connections, stats().peers), (count, count));

    // Whether the server reads these before it sees that the link is gone is open.
    for room in &mut rooms {
        let (name, stays) = (&room.name, &room.stays.peer);
        join_all(room.away.iter_mut().map(|peer| peer.tell(name, stays, json!("last words"))))
            .await;
    }
    rooms.iter_mut().flat_map(|room| &mut room.away).for_each(Client::lose_link);
    let staying = rooms.len();
    until("all links are seen to be gone", || stats().connections == staying).await;

    let rooms = all(rooms.into_iter().map(Room::speak)).await;
    let back = |room: Room| room.come_back(server.clone(), doors.clone());
    let rooms = all(rooms.into_iter().map(back)).await;
    assert_eq!((stats().connections, stats().peers), (count, count));
    all(rooms.into_iter().map(|room| room.check(server.clone()))).await;
}

/// Runs all of these at once.
async fn all<T: Debug + Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut running: JoinSet<T> = tasks.collect();
    let mut done = Vec::new();
    while let Some(task) = running.join_next().await {
        // Not `join_all`: the first that fails is to fail the test.
        done.push(task.unwrap());
    }
    done
}

/// A room, one who stays in it, and those whose links break.
#[derive(Debug)]
struct Room {
    name: String,
    stays: Client,
    away: Vec<Client>,
    /// The members, each with the version at which it joined.
    members: BTreeSet<(String, u64)>,
    /// Who has been heard to say its last words.
    heard: Vec<String>,
}

impl Room {
    async fn enter(server: Arc<Server>, doors: Arc<Semaphore>, n: usize) -> Self {
        let name = format!("room {n}");
        let mut peers = Vec::new();
        for _ in 0..=AWAY {
            let _door = doors.acquire().await.unwrap();
            let newcomer = server.join(&name).await;
            for there in &mut peers {
                Client::expect_welcome(there, &name, &newcomer).await;
            }
            peers.push(newcomer);
        }
        let members = members(&server, &name);
        let stays = peers.remove(0);
        Self { name, stays, away: peers, members, heard: Vec::new() }
    }

    /// Something for each of those who are away, and something for all.
    async fn speak(mut self) -> Self {
        for (n, peer) in self.away.iter().enumerate() {
            self.stays.tell(&self.name, &peer.peer, json!(["for you", n])).await;
        }
        let all = json!({"type": "message", "room": self.name, "to": "*", "data": "all", "id": 1});
        self.stays.send(all).await;
        loop {
            let message = self.stays.recv().await;
            if message == json!({"type": "ack", "id": 1}) {
                return self;
            }
            self.hear(&message);
        }
    }

    fn hear(&mut self, message: &Value) {
        assert_eq!(message["data"], "last words", "{message}");
        self.heard.push(message["from"].as_str().unwrap().into());
    }

    /// All of them at once, too.
    async fn come_back(mut self, server: Arc<Server>, doors: Arc<Semaphore>) -> Self {
        let (name, stays) = (&self.name, &self.stays.peer);
        let back: Vec<JoinHandle<Client>> = self
            .away
            .drain(..)
            .enumerate()
            .map(|(n, peer)| {
                let (server, doors) = (server.clone(), doors.clone());
                let (name, stays) = (name.clone(), stays.clone());
                tokio::spawn(async move {
                    let door = doors.acquire().await.unwrap();
                    let (mut back, hello) = server.resume(&peer).await;
                    drop(door);
                    assert_eq!((&hello["resumed"], &back.peer), (&json!("full"), &peer.peer));
                    // The join was answered, so it was taken.
                    if hello["received"] == 1 {
                        back.tell(&name, &stays, json!("last words")).await;
                    } else {
                        assert_eq!(hello["received"], 2);
                    }
                    back.expect_data(&name, &stays, json!(["for you", n])).await;
                    back.expect_data(&name, &stays, json!("all")).await;
                    back.nothing_came().await;
                    back
                })
            })
            .collect();
        for back in back {
            self.away.push(back.await.unwrap());
        }
        self
    }

    /// Once all are back: nothing more came to anybody, each last word was heard once, and the room
    /// is what it was.
    async fn check(mut self, server: Arc<Server>) {
        while self.heard.len() < AWAY {
            let message = self.stays.recv().await;
            self.hear(&message);
        }
        self.stays.nothing_came().await;
        join_all(self.away.iter_mut().map(Client::nothing_came)).await;
        let heard: BTreeSet<_> = self.heard.iter().collect();
        assert_eq!(heard, self.away.iter().map(|peer| &peer.peer).collect());
        assert_eq!(members(&server, &self.name), self.members);
        assert_eq!(self.members.len(), AWAY + 1);
    }
}

fn members(server: &Server, room: &str) -> BTreeSet<(String, u64)> {
    let members = server.hub.members(&room.parse().unwrap()).unwrap();
    members.into_iter().map(|member| (member.peer.as_str().to_owned(), member.since)).collect()
}
