//! A session taken up again with nothing lost: same peer, same rooms, and every frame once.

use system_tests::{Hub, Server, Value, json};

/// Both ways to connect: real sockets, and pipes within the process.
async fn servers() -> [Server; 2] {
    [Server::start(Hub::builder()).await, Server::in_process(Hub::builder())]
}

#[tokio::test]
async fn the_hello_of_a_full_resume() {
    for server in servers().await {
        let mut client = server.connect().await;
        let first = client.hello().await;
        client.join("room").await;
        client.tell("room", "*", json!(1)).await;
        client.nothing_came().await;
        let old = client.cut();
        let (_, hello) = server.resume(&old).await;
        // The join and the message were taken.
        let mut expected = first;
        expected["resumed"] = json!("full");
        expected["received"] = json!(2);
        assert_eq!(hello, expected);
    }
}

#[tokio::test]
async fn missed_frames_come_in_order_once() {
    for server in servers().await {
        let (mut other, mut client) = server.pair("room").await;
        other.tell("room", "*", json!("before")).await;
        client.expect_data("room", &other.peer, json!("before")).await;
        let old = client.cut();

        // Whatever the room does meanwhile, it does with the one who is away.
        let to = old.peer.clone();
        for n in 0..100 {
            other.tell("room", if n % 2 == 0 { "*" } else { &to }, json!(n)).await;
        }
        other.send(json!({"type": "update", "room": "room", "meta": {"a": 1}})).await;
        assert_eq!(other.recv().await["version"], 3);
        other.send(json!({"type": "message", "room": "room", "to": to, "data": 1, "id": 1})).await;
        other.expect(json!({"type": "ack", "id": 1})).await;
        let newcomer = server.join("room").await;
        other.expect_welcome("room", &newcomer).await;

        let (mut client, hello) = server.resume(&old).await;
        assert_eq!(hello["resumed"], "full");
        for n in 0..100 {
            client.expect_data("room", &other.peer, json!(n)).await;
        }
        assert_eq!(client.recv().await["type"], "updated");
        client.expect_data("room", &other.peer, json!(1)).await;
        client.expect_welcome("room", &newcomer).await;
        client.nothing_came().await;

        // Then everything newer; and it speaks as the peer it was.
        other.tell("room", &to, json!("after")).await;
        client.expect_data("room", &other.peer, json!("after")).await;
        client.tell("room", "*", json!("here I am")).await;
        other.expect_data("room", &to, json!("here I am")).await;
        other.nothing_came().await;
    }
}

/// What was sent but not received comes again, from wherever the client says it was.
#[tokio::test]
async fn from_any_count_that_is_possible() {
    for server in servers().await {
        let (mut other, mut client) = server.pair("room").await;
        for n in 0..10 {
            other.tell("room", "*", json!(n)).await;
            client.expect_data("room", &other.peer, json!(n)).await;
        }
        // Frame 1 is the joined; n is frame n + 2. A later resume never knows of fewer.
        for received in 1..=11 {
            client = client.cut();
            client.received = received;
            let (mut next, hello) = server.resume(&client).await;
            assert_eq!(hello["resumed"], "full", "{received}");
            for n in received - 1..10 {
                next.expect_data("room", &other.peer, json!(n)).await;
            }
            next.nothing_came().await;
            client = next;
        }
        // Ten times lost in between.
        other.nothing_came().await;
    }
}

/// Requests whose answer did not arrive are answered on the next connection, under their ids.
#[tokio::test]
async fn answers_that_were_missed() {
    for server in servers().await {
        let mut witness = server.join("room").await;
        let mut client = server.hello().await;
        client
            .send_all([
                json!({"type": "join", "room": "room", "id": 1}),
                json!({"type": "update", "room": "room", "meta": {"a": 1}, "id": 2}),
                json!({"type": "message", "room": "room", "to": "*", "data": "x", "id": 3}),
                json!({"type": "leave", "room": "nowhere", "id": 4}),
            ])
            .await;
        witness.expect_welcome("room", &client).await;
        assert_eq!(witness.recv().await["type"], "updated");
        witness.expect_data("room", &client.peer, json!("x")).await;
        // Nothing was read of all this.
        let old = client.cut();
        let (mut client, hello) = server.resume(&old).await;
        assert_eq!(hello["resumed"], "full");
        // The fourth may have come just after the link broke: it was taken, or the client is told
        // to send it again. Then it does.
        let taken = hello["received"].as_u64().unwrap();
        assert!((3..=4).contains(&taken), "{hello}");
        if taken == 3 {
            client.send(json!({"type": "leave", "room": "nowhere", "id": 4})).await;
        }
        let mut replies = Vec::new();
        for _ in 0..4 {
            replies.push(client.recv().await);
        }
        client.nothing_came().await;
        let brief = |reply: &Value| (reply["type"].clone(), reply["id"].clone());
        let expected = [("joined", 1), ("updated", 2), ("ack", 3), ("error", 4)]
            .map(|(t, n)| (json!(t), json!(n)));
        assert!(replies.iter().map(brief).eq(expected), "{replies:?}");
    }
}

/// Client frames that were lost with the link are told by `received`; sent again, each message is
/// handled once and in order across any number of connections.
#[tokio::test]
async fn messages_are_handled_once_across_connections() {
    for server in servers().await {
        let (mut other, mut client) = server.pair("room").await;
        let message = |n: u64| json!({"type": "message", "room": "room", "to": "*", "data": n});
        // Frame 1 of the client's was the join; message n is frame n + 2.
        let (mut next, last) = (0, 200);
        while next < last {
            client.send_all((next..(next + 30).min(last)).map(message)).await;
            client = client.cut();
            let (resumed, hello) = server.resume(&client).await;
            assert_eq!(hello["resumed"], "full");
            next = hello["received"].as_u64().unwrap() - 1;
            client = resumed;
            // The frames of this connection that arrive do so in full.
            client.send_all((next..(next + 5).min(last)).map(message)).await;
            client.send(json!({"type": "ping"})).await;
            let pong = client.recv().await;
            next = pong["received"].as_u64().unwrap() - 1;
        }
        for n in 0..last {
            other.expect_data("room", &client.peer, json!(n)).await;
        }
        other.nothing_came().await;
    }
}
