//! Messages between peers: who gets what, exactly as it was sent, and who is told that it was.

use system_tests::{Hub, Server, Value, json};

#[tokio::test]
async fn a_relayed_frame_has_exactly_four_members() {
    let server = Server::start(Hub::builder()).await;
    let (mut a, mut b) = server.pair("room").await;
    let candidate = json!({
        "candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0,
        "usernameFragment": "x",
    });
    for (kind, member, payload) in [
        ("offer", "sdp", json!("v=0\r\n")),
        ("answer", "sdp", json!("")),
        ("ice", "candidate", candidate),
        ("ice", "candidate", json!({})),
        ("ice", "candidate", Value::Null),
        ("message", "data", json!({"any": ["thing", null, 1.5]})),
        ("message", "data", Value::Null),
        ("message", "data", json!(false)),
    ] {
        let (to, from) = (b.peer.clone(), a.peer.clone());
        a.send(json!({"type": kind, "room": "room", "to": to, member: payload, "id": 5, "x": 1}))
            .await;
        a.expect(json!({"type": "ack", "id": 5})).await;
        b.expect(json!({"type": kind, "room": "room", "from": from, member: payload})).await;
    }
    a.nothing_came().await;
    b.nothing_came().await;
}

/// What a reader and a writer of JSON would change stays as it was written.
#[tokio::test]
async fn payloads_pass_as_text() {
    let server = Server::start(Hub::builder()).await;
    let (mut a, mut b) = server.pair("room").await;
    let (to, from) = (b.peer.clone(), a.peer.clone());
    for payload in [
        "1e999",
        "-0.0",
        "1.000000000000000000000000001",
        "12345678901234567890123",
        r#""\u0041\/é\u00e9\ud83d\ude00""#,
        r#"{"b":1,"a":2,"b":3}"#,
        r#"{ "spaced" : [ 1 , 2 ] }"#,
        "[\t1,\r\n2 ]",
        "\"\u{2028}\u{7f}\"",
        "\"__proto__\"",
    ] {
        a.send_text(format!(
            r#"{{"data":{payload},"to":"{to}","room":"ro\u006fm","type":"message"}}"#
        ))
        .await;
        let relayed =
            format!(r#"{{"type":"message","room":"room","from":"{from}","data":{payload}}}"#);
        assert_eq!(b.recv_text().await, relayed);
    }
    // White space around it is not part of it.
    a.send_text(format!(
        "{{\"type\":\"message\",\"room\":\"room\",\"to\":\"{to}\",\"data\": \n 7 \t}}"
    ))
    .await;
    b.expect_data("room", &from, json!(7)).await;
}

#[tokio::test]
async fn to_all_reaches_each_other_member_once() {
    let server = Server::start(Hub::builder()).await;
    let mut members = Vec::new();
    for _ in 0..5 {
        let newcomer = server.join("room").await;
        for member in &mut members {
            newcomer_seen(member, &newcomer).await;
        }
        members.push(newcomer);
    }
    let from = members[2].peer.clone();
    members[2]
        .send(json!({"type": "message", "room": "room", "to": "*", "data": "all", "id": 1}))
        .await;
    members[2].expect(json!({"type": "ack", "id": 1})).await;
    for (n, member) in members.iter_mut().enumerate() {
        if n != 2 {
            member.expect_data("room", &from, json!("all")).await;
        }
        member.nothing_came().await;
    }
}

async fn newcomer_seen(member: &mut system_tests::Client, newcomer: &system_tests::Client) {
    member.expect_welcome("room", newcomer).await;
}

#[tokio::test]
async fn alone_in_the_room() {
    let server = Server::start(Hub::builder()).await;
    let mut alone = server.join("room").await;
    alone.send(json!({"type": "message", "room": "room", "to": "*", "data": 1, "id": 0})).await;
    alone.expect(json!({"type": "ack", "id": 0})).await;
    alone.tell("room", "*", json!(1)).await;
    alone.nothing_came().await;
}

#[tokio::test]
async fn without_an_id_there_is_no_ack() {
    let server = Server::start(Hub::builder()).await;
    let (mut a, mut b) = server.pair("room").await;
    a.tell("room", &b.peer, json!(1)).await;
    a.nothing_came().await;
    b.expect_data("room", &a.peer, json!(1)).await;
    a.tell("room", "nobody", json!(1)).await;
    let error = a.expect_error("peer_not_found").await;
    assert!(error.get("id").is_none(), "{error}");
    // An id may be used again once it was answered.
    for _ in 0..3 {
        let to = b.peer.clone();
        a.send(json!({"type": "message", "room": "room", "to": to, "data": 1, "id": 77})).await;
        a.expect(json!({"type": "ack", "id": 77})).await;
        b.expect_data("room", &a.peer, json!(1)).await;
    }
}

/// Each request with an id gets one reply with it, whatever the others get.
#[tokio::test]
async fn every_id_is_answered_once() {
    let server = Server::start(Hub::builder()).await;
    let (mut a, b) = server.pair("room").await;
    let to = b.peer.clone();
    let requests = [
        json!({"type": "update", "room": "room"}),
        json!({"type": "message", "room": "room", "to": to, "data": 1}),
        json!({"type": "message", "room": "room", "to": "nobody", "data": 1}),
        json!({"type": "join", "room": "other"}),
        json!({"type": "join", "room": "other"}),
        json!({"type": "iceServers"}),
        json!({"type": "lobby", "watch": true}),
        json!({"type": "lobby", "watch": false}),
        json!({"type": "unheard of"}),
        json!({"type": "leave"}),
        json!({"type": "leave", "room": "other"}),
        json!({"type": "leave", "room": "other"}),
    ];
    let with_ids = requests.into_iter().enumerate().map(|(id, mut request)| {
        request["id"] = json!(id);
        request
    });
    a.send_all(with_ids).await;
    let mut replies = Vec::new();
    for _ in 0..12 {
        replies.push(a.recv().await);
    }
    a.nothing_came().await;
    replies.sort_by_key(|reply| reply["id"].as_u64());
    let types: Vec<_> = replies
        .iter()
        .map(|reply| (reply["id"].as_u64(), reply["type"].as_str().unwrap()))
        .collect();
    let expected = [
        "updated",
        "ack",
        "error",
        "joined",
        "error",
        "iceServers",
        "lobby",
        "ack",
        "error",
        "error",
        "bye",
        "error",
    ];
    assert!(types.iter().copied().eq((0..).map(Some).zip(expected)), "{types:?}");
}

/// In order across rooms, types, directed and to all, and before the sender's bye.
#[tokio::test]
async fn order_from_one_peer_to_another() {
    let server = Server::start(Hub::builder()).await;
    let (mut a, mut b) = server.pair("one").await;
    b.join("two").await;
    a.join("two").await;
    b.expect_welcome("two", &a).await;
    let (to, from) = (b.peer.clone(), a.peer.clone());
    let messages: Vec<_> = (0..300)
        .map(|n: u32| {
            let room = if n.is_multiple_of(3) { "one" } else { "two" };
            let to = if n.is_multiple_of(5) { "*" } else { &to };
            match n % 4 {
                0 => json!({"type": "offer", "room": room, "to": b.peer, "sdp": n.to_string()}),
                1 => json!({"type": "ice", "room": room, "to": b.peer, "candidate": {"n": n}}),
                2 => json!({"type": "answer", "room": room, "to": b.peer, "sdp": n.to_string()}),
                _ => json!({"type": "message", "room": room, "to": to, "data": n}),
            }
        })
        .collect();
    let byes = ["one", "two"].map(|room| json!({"type": "leave", "room": room}));
    a.send_all(messages.iter().cloned().chain(byes)).await;
    for mut expected in messages {
        expected.as_object_mut().unwrap().remove("to");
        expected["from"] = json!(from);
        b.expect(expected).await;
    }
    for room in ["one", "two"] {
        b.expect_bye(room, &from, "left").await;
    }
    b.nothing_came().await;
}
