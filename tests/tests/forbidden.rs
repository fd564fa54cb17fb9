//! What an identity is not allowed to do, and rooms it may not join.

use noom_signal::policy::{Refused, RoomGrant};
use system_tests::{Client, Hub, Rules, Server, json};

async fn server() -> Server {
    let rules = Rules::new()
        .grants(|token, identity| {
            identity.may_send = token != "mute";
            identity.may_broadcast = token != "quiet";
            identity.may_watch_lobby = token != "blind";
        })
        .authorize(|join| match (join.room.as_str(), join.token) {
            ("staff", Some("key")) | ("scene", _) => Ok(RoomGrant::default()),
            _ => Err(Refused::because("staff only")),
        });
    Server::start(Hub::builder().policy(rules)).await
}

async fn with_token(server: &Server, token: &str) -> Client {
    let mut client = server.connect().await;
    client.hello_with(json!({"type": "hello", "token": token})).await;
    client
}

#[tokio::test]
async fn may_not_send() {
    let server = server().await;
    let mut listener = server.join("scene").await;
    let mut mute = with_token(&server, "mute").await;
    mute.join("scene").await;
    listener.expect_welcome("scene", &mute).await;
    let to = listener.peer.clone();
    for message in [
        json!({"type": "offer", "room": "scene", "to": to, "sdp": "v=0", "id": 1}),
        json!({"type": "answer", "room": "scene", "to": to, "sdp": "v=0", "id": 1}),
        json!({"type": "ice", "room": "scene", "to": to, "candidate": null, "id": 1}),
        json!({"type": "message", "room": "scene", "to": to, "data": 1, "id": 1}),
        json!({"type": "message", "room": "scene", "to": "*", "data": 1, "id": 1}),
        // Before all other reasons.
        json!({"type": "message", "room": "elsewhere", "to": "nobody", "data": 1, "id": 1}),
    ] {
        mute.send(message).await;
        assert_eq!(mute.expect_error("forbidden").await["id"], 1);
    }
    listener.nothing_came().await;

    // It hears, and may say what it is, leave, and come back.
    listener.tell("scene", "*", json!("hear this")).await;
    mute.expect_data("scene", &to, json!("hear this")).await;
    mute.send(json!({"type": "update", "room": "scene", "meta": {"a": 1}})).await;
    assert_eq!(mute.recv().await["type"], "updated");
    assert_eq!(listener.recv().await["type"], "updated");
}

#[tokio::test]
async fn may_not_send_to_all() {
    let server = server().await;
    let mut listener = server.join("scene").await;
    let mut quiet = with_token(&server, "quiet").await;
    quiet.join("scene").await;
    listener.expect_welcome("scene", &quiet).await;
    quiet.send(json!({"type": "message", "room": "scene", "to": "*", "data": 1, "id": 1})).await;
    let error = quiet.expect_error("forbidden").await;
    assert_eq!((&error["room"], &error["to"]), (&json!("scene"), &json!("*")));
    listener.nothing_came().await;
    // To one of them it may.
    quiet.tell("scene", &listener.peer, json!(2)).await;
    listener.expect_data("scene", &quiet.peer, json!(2)).await;
}

#[tokio::test]
async fn may_not_watch_the_lobby() {
    let server = server().await;
    let mut blind = with_token(&server, "blind").await;
    blind.send(json!({"type": "lobby", "watch": true, "id": 1})).await;
    assert_eq!(blind.expect_error("forbidden").await["id"], 1);
    // Not to watch is no privilege.
    blind.send(json!({"type": "lobby", "watch": false, "id": 2})).await;
    blind.expect(json!({"type": "ack", "id": 2})).await;
}

#[tokio::test]
async fn may_not_join() {
    let server = server().await;
    let mut inside = server.hello().await;
    inside.send(json!({"type": "join", "room": "staff", "token": "key"})).await;
    assert_eq!(inside.recv().await["type"], "joined");
    let mut outside = server.hello().await;
    for join in [
        json!({"type": "join", "room": "staff", "id": 1}),
        json!({"type": "join", "room": "staff", "token": "crowbar", "id": 1}),
        json!({"type": "join", "room": "cellar", "token": "key", "id": 1}),
    ] {
        outside.send(join.clone()).await;
        let error = outside.expect_error("forbidden").await;
        let expected = json!({
            "type": "error", "code": "forbidden", "message": "staff only",
            "room": join["room"], "id": 1,
        });
        assert_eq!(error, expected);
    }
    inside.nothing_came().await;
    // No error is fatal by itself.
    outside.join("scene").await;
}

/// A resume brings the grants that the token has now.
#[tokio::test]
async fn grants_are_those_of_the_last_hello() {
    let server = server().await;
    let mut listener = server.join("scene").await;
    let mut client = with_token(&server, "free").await;
    client.join("scene").await;
    listener.expect_welcome("scene", &client).await;
    let old = client.cut();
    let mut client = server.connect().await;
    let resume = json!({"session": old.session, "received": old.received});
    let hello = json!({"type": "hello", "token": "mute", "resume": resume});
    assert_eq!(client.hello_with(hello).await["resumed"], "full");
    client.tell("scene", "*", json!(1)).await;
    client.expect_error("forbidden").await;
    listener.nothing_came().await;
}
