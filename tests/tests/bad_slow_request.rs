//! Requests that never end, before there is a WebSocket.

use std::time::{Duration, Instant};

use axum::Router;
use futures_util::future::join_all;
use system_tests::{Hub, RawSocket, Scene, Server, limits, until};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// A server that gives requests so long, with room for so many.
fn server(header_timeout: Duration, waiting: usize) -> Server {
    let hub = Hub::builder().build().unwrap();
    let app = Router::new().route("/signal", noom_signal_axum::endpoint(hub.clone()));
    Server::over(Server::http().header_timeout(header_timeout).waiting(waiting), hub, app)
}

/// Longer than any test takes: what ends is not ended by this.
const NEVER: Duration = Duration::from_secs(1000);

const HALF: &[u8] = b"GET /signal HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";

#[tokio::test]
async fn a_head_that_takes_too_long() {
    let limit = Duration::from_millis(500);
    let mut scene = Scene::on(server(limit, 0)).await;
    for start in [&b""[..], b"G", b"\r\n", HALF, b"PRI * HTTP/2.0\r\n\r\nSM\r\n"] {
        let begin = Instant::now();
        let mut raw = scene.server.raw().await;
        raw.write(start).await;
        let end = raw.end().await;
        let end = String::from_utf8_lossy(&end);
        assert!(end.is_empty() || end.starts_with("HTTP/1.1 4"), "{start:?}: {end}");
        assert!(!end.is_empty() || begin.elapsed() >= limit, "{start:?}");
        scene.undisturbed().await;
    }
    // Nor does a byte now and then buy more time.
    let mut raw = scene.server.raw().await;
    raw.write(HALF).await;
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let begin = Instant::now();
    while raw.try_write(b"x").await.is_ok() {
        pace.tick().await;
        assert!(begin.elapsed() < system_tests::PATIENCE, "dribbling goes on");
    }
    scene.undisturbed().await;
}

/// A connection that is kept for another request is not kept for good.
#[tokio::test]
async fn a_second_request_that_never_comes() {
    let mut scene = Scene::on(server(Duration::from_millis(500), 0)).await;
    for next in [&b""[..], HALF] {
        let mut raw = scene.server.raw().await;
        raw.write(b"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        raw.write(next).await;
        let answer = String::from_utf8(raw.end().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        scene.undisturbed().await;
    }
}

/// A head that grows and grows is answered long before it is a burden.
#[tokio::test]
async fn a_head_that_never_ends() {
    let mut scene = Scene::on(server(NEVER, 0)).await;
    let mut raw = scene.server.raw().await;
    raw.write(HALF).await;
    let mut sent = 0;
    while raw.try_write(&[b'x'; 1024]).await.is_ok() {
        sent += 1;
        assert!(sent < 100_000, "a hundred megabytes of head");
    }
    let answer = String::from_utf8(raw.end().await).unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    scene.undisturbed().await;
}

/// Those who dribble have to make room for those who ask.
#[tokio::test]
async fn a_hall_full_of_them() {
    let mut scene = Scene::on(server(NEVER, 50)).await;
    let slow = || async {
        let mut raw = scene.server.raw().await;
        raw.write(HALF).await;
        raw
    };
    // Many more than there is room for: they queue, within the server or before it.
    let slow: Vec<RawSocket> = join_all((0..200).map(|_| slow())).await;
    let mut newcomer = scene.server.join("another").await;
    newcomer.nothing_came().await;
    scene.undisturbed().await;
    // Room was made at their expense, in the order in which they came.
    let mut slow = slow.into_iter();
    assert!(slow.next().unwrap().end().await.is_empty());
    drop(slow);
    scene.undisturbed().await;
}

/// Those who ask for much and read nothing have to make room as well.
#[tokio::test]
async fn answers_that_nobody_reads() {
    let hub = Hub::builder().build().unwrap();
    let large = || async { vec![b'x'; 64 << 20] };
    let app = Router::new()
        .route("/signal", noom_signal_axum::endpoint(hub.clone()))
        .route("/large", axum::routing::get(large));
    let http = Server::http().header_timeout(NEVER).waiting(5);
    let mut scene = Scene::on(Server::over(http, hub, app)).await;
    let mut greedy = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(scene.server.address()).await.unwrap();
        stream.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        greedy.push(stream);
    }
    scene.server.join("another").await;
    scene.undisturbed().await;
}

/// Upgraded connections take no place among those who wait.
#[tokio::test]
async fn a_small_hall_is_enough_for_many_websockets() {
    let server = server(NEVER, 2);
    let clients = join_all((0..20).map(|_| server.hello())).await;
    assert_eq!((clients.len(), server.hub.stats().connections), (20, 20));
}

/// A body that was announced and never comes holds no connection of the hub's.
#[tokio::test]
async fn an_upgrade_with_a_body_that_never_comes() {
    let quick = limits(|limits| {
        limits.handshake = Duration::from_millis(500);
        limits.close = Duration::from_millis(100);
    });
    let server = Server::start(Hub::builder().limits(quick)).await;
    let mut scene = Scene::on(server).await;
    for body in ["Content-Length: 1000000", "Transfer-Encoding: chunked", "Expect: 100-continue"] {
        let mut raw = scene.server.raw().await;
        let request = format!(
            "GET /signal HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{body}\r\n\r\n"
        );
        raw.write(request.as_bytes()).await;
        raw.end().await;
        let hub = scene.server.hub.clone();
        until("its connection is given up", || hub.stats().connections == 3).await;
        scene.undisturbed().await;
    }
}

/// What stops the server stops those who wait, not the calls.
#[tokio::test]
async fn a_server_that_stops() {
    let hub = Hub::builder().build().unwrap();
    let app = Router::new().route("/signal", noom_signal_axum::endpoint(hub.clone()));
    let server = Server::over(Server::http().header_timeout(NEVER), hub.clone(), app);
    let address = server.address();
    let mut scene = Scene::on(server).await;
    let mut kept = scene.server.raw().await;
    kept.write(b"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    until("it is answered", || kept.has_read()).await;
    // One has said nothing, one half of what it wants.
    let (silent, mut half) = (scene.server.raw().await, scene.server.raw().await);
    half.write(HALF).await;
    // Accepted after those two.
    scene.stranger().await;
    scene.server.stop_listening().await;
    for waiting in [kept, silent, half] {
        waiting.end().await;
    }
    assert!(TcpStream::connect(address).await.is_err());
    scene.undisturbed().await;
}
