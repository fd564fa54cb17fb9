//! Only one connection holds a session: a newer one takes it over, whatever the older is doing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use noom_signal::policy::{JoinRequest, Policy, Refused, RoomGrant};
use system_tests::{Client, Hub, Server, Value, json, until};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

/// Both ways to connect: real sockets, and pipes within the process.
async fn servers() -> [Server; 2] {
    [Server::start(Hub::builder()).await, Server::in_process(Hub::builder())]
}

#[tokio::test]
async fn the_older_connection_closes_4409() {
    for server in servers().await {
        let (mut other, mut old) = server.pair("room").await;
        old.tell("room", "*", json!("from the old one")).await;
        old.nothing_came().await;
        let (mut new, hello) = server.resume(&old).await;
        assert_eq!((&hello["resumed"], &hello["received"]), (&json!("full"), &json!(2)));
        new.tell("room", "*", json!("from the new one")).await;

        // No frame of the old one is handled any more.
        let _ = old
            .try_send_text(
                json!({"type": "message", "room": "room", "to": "*", "data": "too late"})
                    .to_string(),
            )
            .await;
        assert_eq!(old.closed().await, Some(4409));
        let _ = old.try_send_text(json!({"type": "leave", "room": "room"}).to_string()).await;

        other.expect_data("room", &new.peer, json!("from the old one")).await;
        other.expect_data("room", &new.peer, json!("from the new one")).await;
        new.nothing_came().await;
        other.nothing_came().await;
        // The old one's end is no end of the session.
        drop(old);
        new.nothing_came().await;
        other.nothing_came().await;
    }
}

/// An attempt that its client had given up takes nothing from a later one, however late it comes.
#[tokio::test]
async fn a_late_attempt_is_refused() {
    for server in servers().await {
        let (mut other, old) = server.pair("room").await;
        let attempt = |n: u64| {
            let resume = json!({"session": old.session, "received": old.received, "attempt": n});
            json!({"type": "hello", "resume": resume})
        };
        let mut new = server.connect().await;
        new.send(attempt(2)).await;
        assert_eq!(new.recv().await["resumed"], "full");
        for late in [1, 2] {
            let mut one = server.connect().await;
            one.send(attempt(late)).await;
            assert_eq!(one.closed().await, Some(4409));
        }
        let message = json!({"type": "message", "room": "room", "to": "*", "data": "still here"});
        new.send(message).await;
        other.expect_data("room", &old.peer, json!("still here")).await;
        let mut newest = server.connect().await;
        newest.send(attempt(3)).await;
        assert_eq!(newest.recv().await["resumed"], "full");
    }
}

/// Of many connections that want one session, one has it in the end, and each other is told.
#[tokio::test]
async fn a_crowd_of_resumes() {
    for server in servers().await {
        let (mut other, client) = server.pair("room").await;
        let resume = json!({"session": client.session, "received": client.received});
        let mut tasks = JoinSet::new();
        tasks.spawn(told_or_ended(client));
        for _ in 0..20 {
            let mut one = server.connect().await;
            one.send(json!({"type": "hello", "resume": resume})).await;
            tasks.spawn(told_or_ended(one));
        }
        for _ in 0..20 {
            let ended = tasks.join_next().await.unwrap().unwrap();
            assert_eq!(ended, Err(Some(4409)));
        }
        other.tell("room", "*", json!("who is it?")).await;
        let last = tasks.join_next().await.unwrap().unwrap();
        assert_eq!(last.unwrap()["data"], "who is it?");
        other.nothing_came().await;
        assert_eq!(server.hub.stats().peers, 2);
    }
}

/// The first message of a peer, or the close code.
async fn told_or_ended(mut client: Client) -> Result<Value, Option<u16>> {
    loop {
        let message = client.recv_or_end().await?;
        if message["type"] == "message" {
            return Ok(message);
        }
    }
}

/// The old link is half open: nobody reads from it, nothing says that it is dead.
#[tokio::test(start_paused = true)]
async fn while_the_old_connection_is_half_open() {
    let server = Server::in_process(Hub::builder());
    let mut other = server.join("room").await;
    let mut half_open = server.connect_with_capacity(4);
    half_open.hello().await;
    half_open.join("room").await;
    other.expect_welcome("room", &half_open).await;
    // More than the pipe holds: the server is in the middle of writing.
    for n in 0..20 {
        other.tell("room", "*", json!(n)).await;
    }
    other.nothing_came().await;

    let begin = Instant::now();
    let (mut client, hello) = server.resume(&half_open).await;
    assert_eq!(hello["resumed"], "full");
    // Not for a moment is the session held up by the old one.
    assert_eq!(begin.elapsed(), Duration::ZERO);
    for n in 0..20 {
        client.expect_data("room", &other.peer, json!(n)).await;
    }
    client.nothing_came().await;
    other.nothing_came().await;

    // The old one, should it ever read on, is told.
    let (messages, code) = half_open.drain().await;
    assert_eq!(code, Some(4409));
    assert!(messages.len() <= 4, "{messages:?}");
    client.nothing_came().await;
}

/// A request that is under way when its connection is replaced takes effect, once, and its answer
/// comes on the newer connection.
#[tokio::test]
async fn a_request_in_flight() {
    for socket in [true, false] {
        let gate = Arc::new(Gate { asked: AtomicUsize::new(0), open: Semaphore::new(1) });
        let hub = Hub::builder().policy(Doorman(gate.clone()));
        let server = if socket { Server::start(hub).await } else { Server::in_process(hub) };
        let mut witness = server.hello().await;
        witness.join("room").await;

        let mut client = server.hello().await;
        client
            .send_all([
                json!({"type": "join", "room": "room", "id": 1}),
                json!({"type": "message", "room": "room", "to": "*", "data": "next", "id": 2}),
            ])
            .await;
        until("the doorman is asked", || gate.asked.load(Ordering::Relaxed) == 2).await;

        let mut next = server.connect().await;
        let resume = json!({"session": client.session, "received": 0});
        next.send(json!({"type": "hello", "resume": resume})).await;
        assert_eq!(client.closed().await, Some(4409));
        gate.open.add_permits(1);
        let hello = next.recv().await;
        assert_eq!(hello["resumed"], "full", "{hello}");
        let taken = hello["received"].as_u64().unwrap();
        let joined = next.recv().await;
        assert_eq!((&joined["type"], &joined["id"]), (&json!("joined"), &json!(1)));
        witness.expect_welcome("room", &client).await;
        // The join was taken. The message after it was not read while the join was under way.
        assert_eq!(taken, 1);
        next.nothing_came().await;
        witness.nothing_came().await;
    }
}

/// Lets one join in for each permit.
struct Doorman(Arc<Gate>);

struct Gate {
    asked: AtomicUsize,
    open: Semaphore,
}

#[async_trait::async_trait]
impl Policy for Doorman {
    async fn authorize(&self, _join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        self.0.open.acquire().await.unwrap().forget();
        Ok(RoomGrant::default())
    }
}
