//! The opening: what a server says to a `hello`, to the member.

use std::time::Duration;

use noom_signal::{policy::Identity, protocol::IceServer};
use system_tests::{Hub, Rules, Server, Value, json, limits, strip};

/// Whether `text` is an id of the server's making.
fn is_id(text: &Value) -> bool {
    let text = text.as_str().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=64).contains(&text.len()) && text.chars().all(allowed)
}

#[tokio::test]
async fn an_anonymous_hello() {
    let server = Server::start(Hub::builder()).await;
    let mut client = server.connect().await;
    let hello = client.hello().await;
    assert!(is_id(&hello["peer"]), "{hello}");
    // At least 128 bits in base64.
    assert!(hello["session"].as_str().unwrap().len() >= 22, "{hello}");
    assert_ne!(hello["session"], hello["peer"]);
    let expected = json!({
        "type": "hello", "resumed": "new", "iceServers": [], "heartbeatMs": 25000, "resumeMs": 30000,
        "limits": {
            "messageBytes": 65536, "frameBytes": 1048576, "metaBytes": 4096, "depth": 32,
            "roomsPerPeer": 8, "messagesPerSecond": 100, "burst": 400,
            "bytesPerSecond": 1048576, "byteBurst": 4194304, "resumeFrames": 512,
            "resumeBytes": 1048576, "outboundBytes": 1048576, "lobbyRooms": 100,
            "bytesPerSecond": 1048576, "byteBurst": 4194304,
        },
    });
    assert_eq!(strip(hello, &["peer", "session"]), expected);
}

#[tokio::test]
async fn a_hello_with_all_members() {
    let rules = Rules::new().ice_servers(|identity| {
        let user = identity.user.as_ref().map(|user| user.as_str().to_owned());
        let turn = IceServer {
            urls: vec!["turn:t.example:3478".into(), "turns:t.example:5349".into()],
            username: user,
            credential: Some("s3cret".into()),
        };
        vec![IceServer::stun("stun:s.example"), turn]
    });
    let adjusted = limits(|limits| {
        limits.heartbeat = Duration::from_secs(7);
        limits.resume = Duration::from_secs(11);
        limits.message_bytes = 10_000;
        limits.meta_bytes = 100;
        limits.rooms_per_peer = 3;
        limits.messages_per_second = 0;
    });
    let server = Server::start(Hub::builder().policy(rules).limits(adjusted)).await;
    let mut client = server.connect().await;
    let hello = client
        .hello_with(json!({
            "type": "hello", "token": "user:mina", "client": "test/1.0", "id": 9,
            "resume": {"session": "never was", "received": 12}, "more": {"to": ["come"]},
        }))
        .await;
    let expected = json!({
        "type": "hello", "user": "mina", "resumed": "new", "id": 9,
        "iceServers": [
            {"urls": ["stun:s.example"]},
            {
                "urls": ["turn:t.example:3478", "turns:t.example:5349"],
                "username": "mina", "credential": "s3cret",
            },
        ],
        "heartbeatMs": 7000, "resumeMs": 11000,
        "limits": {
            "messageBytes": 10000, "frameBytes": 1048576, "metaBytes": 100, "depth": 32,
            "roomsPerPeer": 3, "messagesPerSecond": 0, "burst": 400,
            "bytesPerSecond": 1048576, "byteBurst": 4194304, "resumeFrames": 512,
            "resumeBytes": 1048576, "outboundBytes": 1048576, "lobbyRooms": 100,
            "bytesPerSecond": 1048576, "byteBurst": 4194304,
        },
    });
    assert_eq!(strip(hello, &["peer", "session"]), expected);
}

#[tokio::test]
async fn every_session_is_a_peer_of_its_own() {
    let server = Server::start(Hub::builder()).await;
    let mut ids = std::collections::HashSet::new();
    for _ in 0..50 {
        let client = server.hello().await;
        assert!(ids.insert(client.peer.clone()));
        assert!(ids.insert(client.session.clone()));
    }
}

/// A client that waits for nothing: what it pipelines is handled in order once it is let in.
#[tokio::test]
async fn a_client_that_does_not_wait() {
    let server = Server::start(Hub::builder()).await;
    let mut member = server.join("room").await;
    let mut eager = server.connect().await;
    let to = member.peer.clone();
    eager
        .send_all([
            json!({"type": "hello", "id": 1}),
            json!({"type": "join", "room": "room", "meta": {"name": "Eager"}, "id": 2}),
            json!({"type": "offer", "room": "room", "to": to, "sdp": "v=0", "id": 3}),
            json!({"type": "message", "room": "room", "to": "*", "data": "hi", "id": 4}),
            json!({"type": "leave", "room": "room", "id": 5}),
            json!({"type": "ping"}),
        ])
        .await;
    let hello = eager.recv().await;
    assert_eq!((&hello["type"], &hello["id"]), (&json!("hello"), &json!(1)));
    let peer = hello["peer"].as_str().unwrap();
    let joined = json!({
        "type": "joined", "room": "room", "version": 2, "id": 2,
        "peers": [{"peer": to, "meta": {}, "since": 1}],
    });
    eager.expect(joined).await;
    eager.expect(json!({"type": "ack", "id": 3})).await;
    eager.expect(json!({"type": "ack", "id": 4})).await;
    let bye = |id: Value| {
        let mut bye =
            json!({"type": "bye", "room": "room", "version": 3, "peer": peer, "reason": "left"});
        if !id.is_null() {
            bye["id"] = id;
        }
        bye
    };
    eager.expect(bye(json!(5))).await;
    eager.expect(json!({"type": "pong", "received": 4})).await;

    let welcome = json!({
        "type": "welcome", "room": "room", "version": 2, "peer": peer,
        "meta": {"name": "Eager"}, "since": 2,
    });
    member.expect(welcome).await;
    member.expect(json!({"type": "offer", "room": "room", "from": peer, "sdp": "v=0"})).await;
    member.expect_data("room", peer, json!("hi")).await;
    member.expect(bye(Value::Null)).await;
    member.nothing_came().await;
}

#[tokio::test]
async fn fresh_ice_servers() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let rules = Rules::new().ice_servers(|_| {
        let n = ASKED.fetch_add(1, Ordering::Relaxed);
        vec![IceServer::stun(format!("stun:{n}.example"))]
    });
    let server = Server::start(Hub::builder().policy(rules)).await;
    let mut client = server.connect().await;
    let hello = client.hello().await;
    assert_eq!(hello["iceServers"], json!([{"urls": ["stun:0.example"]}]));
    let fresh = |n: u32| json!({"type": "iceServers", "iceServers": [{"urls": [format!("stun:{n}.example")]}]});
    client.send(json!({"type": "iceServers", "id": 3})).await;
    let mut answer = fresh(1);
    answer["id"] = json!(3);
    client.expect(answer).await;
    // Without an id it is answered without one.
    client.send(json!({"type": "iceServers"})).await;
    client.expect(fresh(2)).await;
    // Each hello asks anew, a resuming one too.
    let (_, hello) = server.resume(&client).await;
    assert_eq!(hello["iceServers"], fresh(3)["iceServers"]);
}

/// What a policy sees of a connection.
#[tokio::test]
async fn the_request_reaches_the_policy() {
    let rules = Rules::new().authenticate(|request, _| {
        assert!(request.remote.is_some_and(|remote| remote.ip().is_loopback()));
        assert_eq!(request.uri.path(), "/signal");
        let user = request.headers["x-user"].to_str().unwrap();
        Ok(Identity::of(user.parse().unwrap()))
    });
    let server = Server::start(Hub::builder().policy(rules)).await;
    let mut request = server.request();
    request.headers_mut().insert("x-user", "mina".parse().unwrap());
    let (mut client, _) = server.upgrade(request).await.unwrap();
    assert_eq!(client.hello().await["user"], "mina");
}
