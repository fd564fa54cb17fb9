//! Joining, updating and leaving, and what each member is told of it.

use std::sync::Arc;

use noom_signal::policy::{JoinRequest, Policy, Refused, RoomGrant};
use system_tests::{Client, Hub, Rules, Server, Value, json};
use tokio::sync::Notify;

async fn user(server: &Server, name: &str) -> Client {
    let mut client = server.connect().await;
    client.hello_with(json!({"type": "hello", "token": format!("user:{name}")})).await;
    client
}

/// The members of a roster in the order of their coming.
fn sorted(mut joined: Value) -> Value {
    joined["peers"].as_array_mut().unwrap().sort_by_key(|peer| peer["since"].as_u64());
    joined
}

#[tokio::test]
async fn the_whole_story_of_a_room() {
    let server = Server::start(Hub::builder().policy(Rules::new())).await;
    let mut mina = user(&server, "mina").await;
    let mut anon = server.hello().await;
    let mut jo = user(&server, "jo").await;

    // The first one finds nobody.
    let meta = json!({"name": "Mina"});
    mina.send(json!({"type": "join", "room": "standup", "meta": meta, "id": 1})).await;
    mina.expect(json!({"type": "joined", "room": "standup", "version": 1, "peers": [], "id": 1}))
        .await;

    // The second one, anonymous and without a meta or an id, finds the first.
    anon.send(json!({"type": "join", "room": "standup"})).await;
    let mina_as_seen = json!({"peer": mina.peer, "user": "mina", "meta": meta, "since": 1});
    let joined =
        json!({"type": "joined", "room": "standup", "version": 2, "peers": [mina_as_seen]});
    anon.expect(joined).await;
    let welcome = json!({
        "type": "welcome", "room": "standup", "version": 2, "peer": anon.peer, "meta": {}, "since": 2,
    });
    mina.expect(welcome).await;

    // An update is told to all; the sender's copy has the id.
    let meta = json!({"name": "Mina", "muted": true});
    mina.send(json!({"type": "update", "room": "standup", "meta": meta, "id": 2})).await;
    let updated = json!({
        "type": "updated", "room": "standup", "version": 3, "peer": mina.peer, "meta": meta,
    });
    anon.expect(updated.clone()).await;
    let mut own = updated.clone();
    own["id"] = json!(2);
    mina.expect(own).await;

    // Without an id, both copies are the same; without a meta, it is empty.
    anon.send(json!({"type": "update", "room": "standup"})).await;
    let updated =
        json!({"type": "updated", "room": "standup", "version": 4, "peer": anon.peer, "meta": {}});
    mina.expect(updated.clone()).await;
    anon.expect(updated).await;

    // A third one sees the metas of now, and when each joined.
    let joined = sorted(jo.join_with("standup", json!({"name": "Jo"})).await);
    let expected = json!({
        "type": "joined", "room": "standup", "version": 5,
        "peers": [
            {"peer": mina.peer, "user": "mina", "meta": meta, "since": 1},
            {"peer": anon.peer, "meta": {}, "since": 2},
        ],
    });
    assert_eq!(joined, expected);
    let welcome = json!({
        "type": "welcome", "room": "standup", "version": 5, "peer": jo.peer, "user": "jo",
        "meta": {"name": "Jo"}, "since": 5,
    });
    mina.expect(welcome.clone()).await;
    anon.expect(welcome).await;

    // A leave is told to all and the leaver, whose copy has the id.
    anon.send(json!({"type": "leave", "room": "standup", "id": 3})).await;
    let bye = json!({
        "type": "bye", "room": "standup", "version": 6, "peer": anon.peer, "reason": "left",
    });
    mina.expect(bye.clone()).await;
    jo.expect(bye.clone()).await;
    let mut own = bye;
    own["id"] = json!(3);
    anon.expect(own).await;

    // Out is out; coming back is a new stay.
    anon.send(json!({"type": "leave", "room": "standup", "id": 4})).await;
    assert_eq!(anon.expect_error("not_in_room").await["id"], 4);
    assert_eq!(anon.join("standup").await["version"], 7);
    for member in [&mut mina, &mut jo] {
        assert_eq!(member.expect_welcome("standup", &anon).await["since"], 7);
        member.nothing_came().await;
    }
}

#[tokio::test]
async fn a_room_that_was_empty_begins_again() {
    let server = Server::start(Hub::builder()).await;
    let mut client = server.hello().await;
    for _ in 0..3 {
        assert_eq!(client.join("room").await["version"], 1);
        assert_eq!(server.hub.stats().rooms, 1);
        client.send(json!({"type": "leave", "room": "room"})).await;
        let peer = client.peer.clone();
        assert_eq!(client.expect_bye("room", &peer, "left").await["version"], 2);
        assert_eq!(server.hub.stats().rooms, 0);
    }
}

#[tokio::test]
async fn several_rooms_keep_apart() {
    let server = Server::start(Hub::builder()).await;
    let mut both = server.hello().await;
    let (mut one, mut two) = (server.join("one").await, server.join("two").await);
    both.join("one").await;
    one.expect_welcome("one", &both).await;
    both.join("two").await;
    two.expect_welcome("two", &both).await;

    // Each room counts for itself.
    both.send(json!({"type": "update", "room": "two", "meta": {"in": "two"}})).await;
    let updated = json!({
        "type": "updated", "room": "two", "version": 3, "peer": both.peer, "meta": {"in": "two"},
    });
    both.expect(updated.clone()).await;
    two.expect(updated).await;
    one.nothing_came().await;

    one.tell("one", "*", json!(1)).await;
    two.tell("two", "*", json!(2)).await;
    let (a, b) = (both.recv().await, both.recv().await);
    let mut rooms = [a["room"].as_str().unwrap(), b["room"].as_str().unwrap()];
    rooms.sort_unstable();
    assert_eq!(rooms, ["one", "two"]);

    both.send(json!({"type": "leave", "room": "one"})).await;
    let peer = both.peer.clone();
    both.expect_bye("one", &peer, "left").await;
    one.expect_bye("one", &peer, "left").await;
    two.nothing_came().await;
    both.tell("two", "*", json!("still here")).await;
    two.expect_data("two", &peer, json!("still here")).await;

    // The session's end is told in every room that is left.
    both.join("one").await;
    one.expect_welcome("one", &both).await;
    both.close(Some(1000)).await;
    one.expect_bye("one", &peer, "disconnected").await;
    two.expect_bye("two", &peer, "disconnected").await;
}

/// Every member sees each version once, in order, whatever happens at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_history_for_all() {
    let server = Server::start(Hub::builder()).await;
    let mut witness = server.join("busy").await;
    let mut tasks = Vec::new();
    for n in 0..10 {
        let mut client = server.join("busy").await;
        tasks.push(tokio::spawn(async move {
            for k in 0..10 {
                client
                    .send(json!({"type": "update", "room": "busy", "meta": {"n": n, "k": k}}))
                    .await;
            }
            client.send(json!({"type": "leave", "room": "busy"})).await;
            let mut seen: Vec<u64> = Vec::new();
            loop {
                let step = client.recv().await;
                seen.push(step["version"].as_u64().unwrap());
                if step["type"] == "bye" && step["peer"] == client.peer.as_str() {
                    break;
                }
            }
            assert!(seen.windows(2).all(|two| two[1] == two[0] + 1), "{seen:?}");
            client.nothing_came().await;
        }));
    }
    // Ten joins, a hundred updates, ten byes.
    for version in 2..=121 {
        assert_eq!(witness.recv().await["version"], version);
    }
    witness.nothing_came().await;
    for task in tasks {
        task.await.unwrap();
    }
}

/// A slow decision about one peer holds up that peer alone.
#[tokio::test]
async fn a_join_that_takes_its_time() {
    let gate = Arc::new(Notify::new());
    let server = Server::start(Hub::builder().policy(Doorman(gate.clone()))).await;
    let mut member = server.join("room").await;
    let mut waiting = server.hello().await;
    waiting
        .send_all([
            json!({"type": "join", "room": "room", "token": "ask the boss", "id": 1}),
            json!({"type": "message", "room": "room", "to": "*", "data": "in order", "id": 2}),
        ])
        .await;
    for _ in 0..3 {
        let other = server.join("room").await;
        member.expect_welcome("room", &other).await;
        drop(other);
    }
    member.nothing_came().await;
    gate.notify_one();
    let joined = waiting.recv().await;
    assert_eq!((&joined["type"], &joined["version"]), (&json!("joined"), &json!(5)));
    waiting.expect(json!({"type": "ack", "id": 2})).await;
    member.expect_welcome("room", &waiting).await;
    member.expect_data("room", &waiting.peer, json!("in order")).await;
}

/// Lets all in, but whoever says so only when it is told to.
struct Doorman(Arc<Notify>);

#[async_trait::async_trait]
impl Policy for Doorman {
    async fn authorize(&self, join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        if join.token == Some("ask the boss") {
            self.0.notified().await;
        }
        Ok(RoomGrant::default())
    }
}
