//! A session taken up again after something was lost: the client is told, and so are the others.

use system_tests::{Client, Hub, HubBuilder, Server, Value, json, limits};

async fn servers(hub: impl Fn() -> HubBuilder) -> [Server; 2] {
    [Server::start(hub()).await, Server::in_process(hub())]
}

fn few_frames() -> HubBuilder {
    Hub::builder().limits(limits(|limits| limits.resume_frames = 10))
}

/// Says what `"partial"` means for a client in one room with one other member.
async fn is_partial(client: &mut Client, hello: &Value, other: &mut Client, version: u64) {
    assert_eq!(hello["resumed"], "partial", "{hello}");
    assert_eq!(hello["rooms"], json!(["room"]));
    assert!(hello.get("received").is_none(), "{hello}");
    // The roster follows directly; nothing earlier is replayed.
    let roster = json!({
        "type": "roster", "room": "room", "version": version,
        "peers": [{"peer": other.peer, "meta": {}, "since": 1}],
    });
    client.expect(roster).await;
    client.nothing_came().await;
    // The others are told that it may have missed theirs. The roster has not changed.
    other.expect(json!({"type": "missed", "room": "room", "peer": client.peer})).await;
    other.nothing_came().await;
}

#[tokio::test]
async fn more_frames_than_are_kept() {
    for server in servers(few_frames).await {
        let (mut other, client) = server.pair("room").await;
        let mut old = client.cut();
        for (lost, resumed) in [(10, "full"), (11, "partial"), (10, "full"), (100, "partial")] {
            for n in 0..lost {
                other.tell("room", "*", json!(n)).await;
            }
            other.nothing_came().await;
            let (mut client, hello) = server.resume(&old).await;
            assert_eq!(client.peer, old.peer);
            if resumed == "full" {
                assert_eq!(hello["resumed"], "full", "{lost} lost: {hello}");
                for n in 0..lost {
                    client.expect_data("room", &other.peer, json!(n)).await;
                }
            } else {
                is_partial(&mut client, &hello, &mut other, 2).await;
            }
            client.nothing_came().await;
            // All as before for both of them.
            client.tell("room", &other.peer, json!("back")).await;
            other.expect_data("room", &client.peer, json!("back")).await;
            old = client.cut();
        }
    }
}

#[tokio::test]
async fn more_bytes_than_are_kept() {
    let few_bytes = || Hub::builder().limits(limits(|limits| limits.resume_bytes = 20_000));
    for server in servers(few_bytes).await {
        let (mut other, client) = server.pair("room").await;
        let old = client.cut();
        for _ in 0..3 {
            other.tell("room", "*", json!("x".repeat(9_000))).await;
        }
        other.nothing_came().await;
        let (mut client, hello) = server.resume(&old).await;
        is_partial(&mut client, &hello, &mut other, 2).await;

        let old = client.cut();
        for _ in 0..2 {
            other.tell("room", "*", json!("x".repeat(9_000))).await;
        }
        other.nothing_came().await;
        // Of the new count, one roster was received.
        let (mut client, hello) = server.resume(&old).await;
        assert_eq!(hello["resumed"], "full");
        for _ in 0..2 {
            assert_eq!(client.recv().await["type"], "message");
        }
        client.nothing_came().await;
    }
}

#[tokio::test]
async fn an_impossible_count() {
    for server in servers(Hub::builder).await {
        let (mut other, mut client) = server.pair("room").await;
        for received in [client.received + 1, 9_007_199_254_740_991] {
            client = client.cut();
            client.received = received;
            let (mut next, hello) = server.resume(&client).await;
            is_partial(&mut next, &hello, &mut other, 2).await;
            client = next;
        }
    }
}

/// Both counts begin at zero again.
#[tokio::test]
async fn the_counts_begin_again() {
    for server in servers(Hub::builder).await {
        let (mut other, mut client) = server.pair("room").await;
        for n in 0..5 {
            client.tell("room", "*", json!(n)).await;
            other.expect_data("room", &client.peer, json!(n)).await;
        }
        let mut old = client.cut();
        old.received = 99;
        let (mut client, hello) = server.resume(&old).await;
        assert_eq!(hello["resumed"], "partial");
        client.send(json!({"type": "ping"})).await;
        assert_eq!(client.recv().await["type"], "roster");
        client.expect(json!({"type": "pong", "received": 0})).await;
        assert_eq!(other.recv().await["type"], "missed");
        client.tell("room", "*", json!("one")).await;
        client.send(json!({"type": "ping"})).await;
        client.expect(json!({"type": "pong", "received": 1})).await;
        other.expect_data("room", &client.peer, json!("one")).await;

        // The roster was the first frame of the server's new count.
        assert_eq!(client.received, 1);
        other.tell("room", "*", json!("two")).await;
        other.nothing_came().await;
        let (mut client, hello) = server.resume(&client).await;
        assert_eq!((&hello["resumed"], &hello["received"]), (&json!("full"), &json!(1)));
        client.expect_data("room", &other.peer, json!("two")).await;
        client.nothing_came().await;
    }
}

/// Each room's roster, one after the other; the rooms it has left are not among them.
#[tokio::test]
async fn several_rooms() {
    for server in servers(few_frames).await {
        let (mut other, mut client) = server.pair("one").await;
        client.join("two").await;
        client.join("three").await;
        other.join("three").await;
        client.expect_welcome("three", &other).await;
        client.send(json!({"type": "leave", "room": "two"})).await;
        let peer = client.peer.clone();
        client.expect_bye("two", &peer, "left").await;
        let old = client.cut();
        for n in 0..20 {
            other.tell("one", "*", json!(n)).await;
        }
        other.send(json!({"type": "update", "room": "three", "meta": {"a": 1}})).await;
        assert_eq!(other.recv().await["type"], "updated");

        let (mut client, hello) = server.resume(&old).await;
        assert_eq!(hello["resumed"], "partial");
        let mut rooms: Vec<_> = hello["rooms"].as_array().unwrap().clone();
        rooms.sort_by_key(Value::to_string);
        assert_eq!(rooms, ["one", "three"]);
        let mut rosters = vec![client.recv().await, client.recv().await];
        client.nothing_came().await;
        rosters.sort_by_key(|roster| roster["room"].to_string());
        let expected = [
            json!({
                "type": "roster", "room": "one", "version": 2,
                "peers": [{"peer": other.peer, "meta": {}, "since": 1}],
            }),
            json!({
                "type": "roster", "room": "three", "version": 3,
                "peers": [{"peer": other.peer, "meta": {"a": 1}, "since": 2}],
            }),
        ];
        assert_eq!(rosters, expected);
        let mut missed = [other.recv().await, other.recv().await];
        missed.sort_by_key(|missed| missed["room"].to_string());
        for (missed, room) in missed.iter().zip(["one", "three"]) {
            assert_eq!(missed, &json!({"type": "missed", "room": room, "peer": peer}));
        }
        other.nothing_came().await;
    }
}

#[tokio::test]
async fn no_room_at_all() {
    for server in servers(Hub::builder).await {
        let mut client = server.hello().await.cut();
        client.received = 7;
        let (mut client, hello) = server.resume(&client).await;
        assert_eq!((&hello["resumed"], &hello["rooms"]), (&json!("partial"), &json!([])));
        client.nothing_came().await;
    }
}

/// Ids that were open stay unanswered, and may be used again.
#[tokio::test]
async fn open_ids_stay_unanswered() {
    for server in servers(Hub::builder).await {
        let (mut other, mut client) = server.pair("room").await;
        client
            .send(json!({"type": "message", "room": "room", "to": "*", "data": 1, "id": 7}))
            .await;
        other.expect_data("room", &client.peer, json!(1)).await;
        // The ack is written and not received.
        let mut old = client.cut();
        old.received = 99;
        let (mut client, hello) = server.resume(&old).await;
        is_partial(&mut client, &hello, &mut other, 2).await;
        client
            .send(json!({"type": "message", "room": "room", "to": "*", "data": 2, "id": 7}))
            .await;
        client.expect(json!({"type": "ack", "id": 7})).await;
        other.expect_data("room", &client.peer, json!(2)).await;
    }
}

/// Whatever happens to the room at the same time, the client's history has no gap: from the roster
/// on, each version comes once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_room() {
    let server = Server::start(few_frames()).await;
    let (mut other, client) = server.pair("room").await;
    let mut client = client.cut();
    let busy = tokio::spawn(async move {
        for n in 0..300 {
            other.send(json!({"type": "update", "room": "room", "meta": {"n": n}})).await;
            while other.recv().await["type"] != "updated" {}
        }
        other
    });
    let mut version = 2;
    while !busy.is_finished() {
        client.received = 1 << 40;
        let (mut next, hello) = server.resume(&client).await;
        assert_eq!(hello["resumed"], "partial");
        let roster = next.recv().await;
        assert_eq!(roster["type"], "roster");
        assert!(roster["version"].as_u64() >= Some(version), "{roster}");
        version = roster["version"].as_u64().unwrap();
        next.send(json!({"type": "ping"})).await;
        loop {
            let step = next.recv().await;
            if step["type"] == "pong" {
                break;
            }
            version += 1;
            assert_eq!(step["version"], version, "{step}");
        }
        client = next.cut();
    }
    busy.await.unwrap();
}
