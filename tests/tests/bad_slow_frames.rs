//! WebSocket frames that never end, before the hello and after it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use system_tests::{Hub, PATIENCE, RawSocket, Scene, json, limits, until};
use tokio::time::interval;

const TEXT: u8 = 1;
const PING: u8 = 9;

/// A hello within a second, bytes that make sense within another. Two innocent members; the
/// villains are all made in the tests.
async fn impatient() -> Scene {
    let quick = limits(|limits| {
        limits.handshake = Duration::from_secs(1);
        limits.heartbeat = Duration::from_millis(500);
        limits.close = Duration::from_millis(200);
        // The innocent talk all the while.
        limits.messages_per_second = 0;
    });
    let mut scene = Scene::new(Hub::builder().limits(quick)).await;
    scene.villain.close(None).await;
    scene.villain_goes("disconnected").await;
    scene
}

/// A connection that is a WebSocket and has said nothing on it.
async fn upgraded(scene: &Scene) -> RawSocket {
    let mut raw = scene.server.raw().await;
    raw.upgrade().await;
    raw
}

/// A session of its own, in no room.
async fn opened(scene: &Scene) -> RawSocket {
    let mut raw = upgraded(scene).await;
    raw.frame(TEXT, br#"{"type":"hello"}"#).await;
    raw
}

/// A masked frame without FIN.
fn fragment(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[opcode, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

/// A frame that is announced with so many bytes.
fn announced(bytes: u64) -> Vec<u8> {
    [&[0x81, 0x80 | 127][..], &bytes.to_be_bytes(), &[0; 4]].concat()
}

/// Writes the same again and again until the connection is cut, while the innocent go on.
async fn dribble(scene: &mut Scene, mut raw: RawSocket, bytes: &[u8]) -> Option<u16> {
    let (begin, mut pace) = (Instant::now(), interval(Duration::from_millis(10)));
    while raw.try_write(bytes).await.is_ok() {
        assert!(begin.elapsed() < PATIENCE, "dribbling goes on");
        pace.tick().await;
        scene.undisturbed().await;
    }
    raw.closed().await.1
}

#[tokio::test]
async fn a_hello_that_never_ends() {
    let mut scene = impatient().await;
    // One frame, a byte at a time.
    let mut raw = upgraded(&scene).await;
    raw.write(&announced(1000)).await;
    assert_eq!(dribble(&mut scene, raw, b" ").await, Some(4408));
    // One message, a fragment at a time.
    let mut raw = upgraded(&scene).await;
    raw.write(&fragment(TEXT, br#"{"type":"hello","#)).await;
    assert_eq!(dribble(&mut scene, raw, &fragment(0, b" ")).await, Some(4408));
    // Empty fragments add nothing, and go on for ever.
    let mut raw = upgraded(&scene).await;
    raw.write(&fragment(TEXT, b"{")).await;
    assert_eq!(dribble(&mut scene, raw, &fragment(0, b"")).await, Some(4408));
    // Pings, and nothing else; unasked pongs; pings within a message.
    let ping = fragment(0x80 | PING, b"?");
    let raw = upgraded(&scene).await;
    assert_eq!(dribble(&mut scene, raw, &ping).await, Some(4408));
    let raw = upgraded(&scene).await;
    assert_eq!(dribble(&mut scene, raw, &fragment(0x8a, b"!")).await, Some(4408));
    let mut raw = upgraded(&scene).await;
    raw.write(&fragment(TEXT, br#"{"type":"hello","#)).await;
    assert_eq!(dribble(&mut scene, raw, &ping).await, Some(4408));
    let hub = scene.server.hub.clone();
    until("their connections are given up", || hub.stats().connections == 2).await;
    assert_eq!(hub.stats().peers, 2);
}

/// Bytes that never become a frame are no sign of life.
#[tokio::test]
async fn a_frame_that_never_ends() {
    let mut scene = impatient().await;
    let mut raw = opened(&scene).await;
    raw.write(&announced(60_000)).await;
    assert_eq!(dribble(&mut scene, raw, b" ").await, Some(4408));
    let mut raw = opened(&scene).await;
    raw.write(&fragment(TEXT, b"{")).await;
    assert_eq!(dribble(&mut scene, raw, &fragment(0, b"")).await, Some(4408));
    let hub = scene.server.hub.clone();
    until("their connections are given up", || hub.stats().connections == 2).await;
}

/// A message within which its client is alive is a message that takes its time.
#[tokio::test]
async fn a_message_between_pings() {
    let mut scene = impatient().await;
    let mut raw = opened(&scene).await;
    let hub = scene.server.hub.clone();
    until("it has a session", || hub.stats().peers == 3).await;
    let text = json!({"type": "join", "room": "scene"}).to_string();
    let (first, rest) = text.split_at(1);
    raw.write(&fragment(TEXT, first.as_bytes())).await;
    let (begin, mut pace) = (Instant::now(), interval(Duration::from_millis(100)));
    while begin.elapsed() < Duration::from_secs(3) {
        raw.write(&fragment(0x80 | PING, b"")).await;
        pace.tick().await;
        scene.undisturbed().await;
    }
    raw.write(&fragment(0x80, rest.as_bytes())).await;
    for member in &mut scene.innocent {
        assert_eq!(member.recv().await["type"], "welcome");
    }
    scene.undisturbed().await;
}

/// Many at once, of each kind, are all given up.
#[tokio::test]
async fn a_crowd_of_them() {
    let mut scene = impatient().await;
    let begin = |n: usize| {
        let scene = &scene;
        async move {
            let mut raw =
                if n.is_multiple_of(2) { upgraded(scene).await } else { opened(scene).await };
            match n % 3 {
                0 => raw.write(&announced(60_000)).await,
                1 => raw.write(&fragment(TEXT, b"{")).await,
                _ => raw.write(&[0x81]).await,
            }
            raw
        }
    };
    let crowd = join_all((0..300).map(begin)).await;
    let hub = scene.server.hub.clone();
    until("they are served", || hub.stats().connections > 2).await;
    while hub.stats().connections > 2 {
        scene.undisturbed().await;
    }
    for raw in crowd {
        assert_eq!(raw.closed().await.1, Some(4408));
    }
    scene.undisturbed().await;
}
