//! Pings and counts, and which ends of a connection are a session's end.

use std::time::Duration;

use system_tests::{Hub, Server, json, limits, until};
use tokio::time::sleep;

#[tokio::test]
async fn a_pong_tells_how_many_frames_were_taken() {
    let server = Server::start(Hub::builder()).await;
    let mut client = server.hello().await;
    let mut taken = 0;
    for (text, answers) in [
        (json!({"type": "join", "room": "room"}).to_string(), 1),
        (json!({"type": "message", "room": "room", "to": "*", "data": 1}).to_string(), 0),
        // Refused, unknown and unreadable frames were taken as well.
        (json!({"type": "message", "room": "room", "to": "x", "data": 1}).to_string(), 1),
        (json!({"type": "unheard of"}).to_string(), 1),
        ("not JSON".into(), 1),
        (r#"{"type":"ping","type":"ping"}"#.into(), 1),
        (json!({"type": "lobby", "watch": false}).to_string(), 0),
    ] {
        client.send_text(text).await;
        taken += 1;
        for _ in 0..answers {
            client.recv().await;
        }
        client.send(json!({"type": "ping", "received": client.received})).await;
        client.expect(json!({"type": "pong", "received": taken})).await;
    }
    // By their type, these are not counted: a second hello, and pings however they read.
    for text in [r#"{"type":"hello"}"#, r#"{"type":"ping","received":"x"}"#] {
        client.send_text(text).await;
        client.expect_error("bad_message").await;
    }
    // Too high a count is ignored.
    client.send(json!({"type": "ping", "received": 1_000_000, "id": 3})).await;
    client.expect(json!({"type": "pong", "received": taken})).await;
    client.nothing_came().await;
}

/// What the client confirmed is forgotten: it cannot be asked for again.
#[tokio::test]
async fn a_ping_frees_what_was_received() {
    let server = Server::start(Hub::builder()).await;
    let mut client = server.join("room").await;
    let before = client.received;
    client.tell("room", "nobody", json!(1)).await;
    client.expect_error("peer_not_found").await;
    client.send(json!({"type": "ping", "received": client.received})).await;
    assert_eq!(client.recv().await["type"], "pong");
    client.received = before;
    let (_, hello) = server.resume(&client).await;
    assert_eq!(hello["resumed"], "partial");
}

#[tokio::test]
async fn these_closes_end_the_session() {
    let server = Server::start(Hub::builder()).await;
    let mut witness = server.join("room").await;
    for code in [Some(1000), Some(1001), None] {
        let mut client = server.join("room").await;
        witness.expect_welcome("room", &client).await;
        client.close(code).await;
        witness.expect_bye("room", &client.peer, "disconnected").await;
        // There is nothing left to come back to.
        let (_, hello) = server.resume(&client).await;
        assert_eq!(hello["resumed"], "new", "{code:?}");
        assert_ne!(hello["peer"], client.peer.as_str());
    }
    witness.nothing_came().await;
}

#[tokio::test(start_paused = true)]
async fn other_ends_leave_it_open_for_the_resume_window() {
    let server = Server::in_process(Hub::builder());
    for end in ["cut", "4000", "binary"] {
        let mut witness = server.join("room").await;
        let mut client = server.join("room").await;
        witness.expect_welcome("room", &client).await;
        match end {
            "cut" => client = client.cut(),
            "4000" => client.close(Some(4000)).await,
            _ => {
                client.send_binary().await;
                assert_eq!(client.closed().await, Some(1003));
            }
        }
        sleep(Duration::from_millis(29_900)).await;
        witness.nothing_came().await;
        // The next message tells when the window has passed, for virtual time stops for nothing
        // else.
        let begin = tokio::time::Instant::now();
        witness.expect_bye("room", &client.peer, "disconnected").await;
        assert!(begin.elapsed() < Duration::from_millis(200), "{:?}", begin.elapsed());
        let (_, hello) = server.resume(&client).await;
        assert_eq!(hello["resumed"], "new");
        witness.close(Some(1000)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_back_in_time_has_missed_nothing() {
    let server = Server::in_process(Hub::builder());
    let (mut witness, client) = server.pair("room").await;
    let mut client = client.cut();
    // Many times the window in all.
    for _ in 0..10 {
        sleep(Duration::from_millis(29_900)).await;
        let (next, hello) = server.resume(&client).await;
        assert_eq!(hello["resumed"], "full");
        witness.nothing_came().await;
        client = next;
        client.nothing_came().await;
        client = client.cut();
    }
    witness.expect_bye("room", &client.peer, "disconnected").await;
}

#[tokio::test]
async fn no_window_at_all() {
    let none = limits(|limits| limits.resume = Duration::ZERO);
    let server = Server::start(Hub::builder().limits(none)).await;
    let (mut witness, client) = server.pair("room").await;
    let client = client.cut();
    witness.expect_bye("room", &client.peer, "disconnected").await;
    let (_, hello) = server.resume(&client).await;
    assert_eq!((&hello["resumed"], &hello["resumeMs"]), (&json!("new"), &json!(0)));
}

/// A server's close that the client echoes ends no session, whatever its code.
#[tokio::test]
async fn an_echo_is_not_the_clients_close() {
    let server = Server::start(Hub::builder()).await;
    let (_witness, mut client) = server.pair("room").await;
    server.hub.shutdown().await;
    assert_eq!(client.closed().await, Some(1001));
    until("the connections are gone", || server.hub.stats().connections == 0).await;
    assert_eq!(server.hub.stats().peers, 2);
    assert_eq!(server.hub.stats().rooms, 1);
}

#[tokio::test]
async fn the_server_pings() {
    let quick = limits(|limits| limits.heartbeat = Duration::from_millis(50));
    let server = Server::start(Hub::builder().limits(quick)).await;
    // Never read from, so that no pong goes out, and no byte comes in.
    let mut raw = server.raw().await;
    raw.upgrade().await;
    raw.frame(1, br#"{"type":"hello"}"#).await;
    let (texts, code) = raw.closed().await;
    assert_eq!((texts.len(), code), (1, Some(4408)), "{texts:?}");
}
