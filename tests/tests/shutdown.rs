//! A hub that shuts down: everybody is told, nobody new comes in, and the wait ends.

use std::time::Duration;

use system_tests::{Hub, Server, json, limits, until};

#[tokio::test]
async fn open_connections_close_1001() {
    let server = Server::start(Hub::builder()).await;
    let (mut a, mut b) = server.pair("room").await;
    let mut c = server.hello().await;
    let hub = server.hub.clone();
    let shutdown = tokio::spawn(async move { hub.shutdown().await });
    for client in [&mut a, &mut b, &mut c] {
        assert_eq!(client.closed().await, Some(1001));
    }
    shutdown.await.unwrap();
    assert_eq!(server.hub.stats().connections, 0);
    // Nobody left: for as long as the process lives, they may come back.
    assert_eq!((server.hub.stats().peers, server.hub.stats().rooms), (3, 1));
}

#[tokio::test]
async fn new_upgrades_are_answered_503() {
    let server = Server::start(Hub::builder()).await;
    let mut client = server.hello().await;
    let hub = server.hub.clone();
    let mut shutdown = Box::pin(async move { hub.shutdown().await });
    // As soon as it has begun.
    assert!(futures_util::poll!(&mut shutdown).is_pending());
    let (status, response) = server.upgrade(server.request()).await.expect_err("a refusal");
    assert_eq!(status.as_u16(), 503);
    let retry_after: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(retry_after >= 1);
    assert_eq!(client.closed().await, Some(1001));
    shutdown.await;
    let (status, _) = server.upgrade(server.request()).await.expect_err("a refusal");
    assert_eq!(status.as_u16(), 503, "after it, too");
}

#[tokio::test]
async fn a_client_that_does_not_answer_the_close() {
    let quick = limits(|limits| limits.close = Duration::from_millis(100));
    let server = Server::start(Hub::builder().limits(quick)).await;
    let mut raw = server.raw().await;
    raw.upgrade().await;
    raw.frame(1, br#"{"type":"hello"}"#).await;
    until("it has a session", || server.hub.stats().peers == 1).await;
    server.hub.shutdown().await;
    assert_eq!(raw.closed().await.1, Some(1001));
}

/// Connections that had not said hello yet are closed too: at once, or when they say it.
#[tokio::test(start_paused = true)]
async fn a_connection_before_its_hello() {
    let server = Server::in_process(Hub::builder());
    let mut silent = server.connect().await;
    let mut late = server.connect().await;
    let hub = server.hub.clone();
    let shutdown = tokio::spawn(async move { hub.shutdown().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let _ = late.try_send_text(json!({"type": "hello"}).to_string()).await;
    let (_, code) = late.drain().await;
    assert_eq!(code, Some(1001));
    let (_, code) = silent.drain().await;
    assert!(matches!(code, Some(1001 | 4408)), "{code:?}");
    let ended = tokio::time::timeout(Duration::from_secs(20), shutdown).await;
    ended.expect("the shutdown ends").unwrap();
}

/// Twice, or given up and called again.
#[tokio::test]
async fn again() {
    let server = Server::start(Hub::builder()).await;
    let mut client = server.hello().await;
    let first = tokio::time::timeout(Duration::ZERO, server.hub.shutdown()).await;
    assert!(first.is_err());
    assert_eq!(client.closed().await, Some(1001));
    server.hub.shutdown().await;
    server.hub.shutdown().await;
}

#[tokio::test]
async fn with_nobody_there() {
    Hub::new().shutdown().await;
}

/// A message that is on its way when the shutdown begins is delivered or still there.
#[tokio::test]
async fn what_was_taken_is_not_lost() {
    let server = Server::start(Hub::builder()).await;
    let (mut a, mut b) = server.pair("room").await;
    let messages =
        (0..100).map(|n| json!({"type": "message", "room": "room", "to": "*", "data": n, "id": n}));
    a.send_all(messages).await;
    server.hub.clone().shutdown().await;
    let (acks, code) = a.drain().await;
    assert_eq!(code, Some(1001));
    assert!(acks.iter().enumerate().all(|(n, ack)| ack["id"] == n), "{acks:?}");
    let (got, code) = b.drain().await;
    assert_eq!(code, Some(1001));
    assert!(got.iter().enumerate().all(|(n, message)| message["data"] == n), "{got:?}");
}
