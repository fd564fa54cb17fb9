//! Floods of every kind harm whoever makes them, and nobody else.

use futures_util::future::join_all;
use system_tests::{Client, Hub, Scene, Value, json, until};

/// What a flood was answered with, by kind.
#[derive(Debug, Default)]
struct Answers {
    passed: usize,
    limited: usize,
    end: Option<u16>,
}

/// Sends all of it as fast as the server takes it, and counts the answers, one to each.
async fn flood(client: &mut Client, messages: impl IntoIterator<Item = Value>) -> Answers {
    let mut answers = Answers::default();
    let mut messages = messages.into_iter().peekable();
    while messages.peek().is_some() {
        // In portions, so that neither side's socket is full of what the other has not read.
        let portion: Vec<_> = messages.by_ref().take(100).collect();
        let sent = portion.len();
        client.send_all(portion).await;
        for _ in 0..sent {
            match client.recv_or_end().await {
                Ok(answer) if answer["code"] == "rate_limited" => answers.limited += 1,
                Ok(_) => answers.passed += 1,
                Err(code) => {
                    answers.end = code;
                    return answers;
                }
            }
        }
    }
    answers
}

#[tokio::test]
async fn of_messages() {
    let mut scene = Scene::new(Hub::builder()).await;
    // To somebody who is not there, so that each is answered.
    let message =
        |n| json!({"type": "message", "room": "scene", "to": "nobody", "data": n, "id": n});
    let answers =
        scene.undisturbed_by(async |_, villain| flood(villain, (0..20_000).map(message)).await);
    let answers = answers.await;
    assert!(answers.limited > 0, "{answers:?}");
    assert!(answers.passed >= 399, "{answers:?}");
}

#[tokio::test]
async fn of_bytes() {
    let mut scene = Scene::new(Hub::builder()).await;
    // Few messages, within their rate: it is the bytes that are too many.
    let data = "x".repeat(65_000);
    let message =
        |n| json!({"type": "message", "room": "scene", "to": "nobody", "data": data, "id": n});
    let answers =
        scene.undisturbed_by(async |_, villain| flood(villain, (0..300).map(message)).await);
    let answers = answers.await;
    assert!(answers.limited > 0 && answers.passed >= 64, "{answers:?}");
}

/// Pings cost nothing and are all answered; and nobody else waits for that.
#[tokio::test]
async fn of_pings() {
    let mut scene = Scene::new(Hub::builder()).await;
    let ping = |n: u64| json!({"type": "ping", "received": n});
    let answers =
        scene.undisturbed_by(async |_, villain| flood(villain, (0..20_000).map(ping)).await).await;
    assert_eq!((answers.passed, answers.limited), (20_000, 0));
}

/// Pings of WebSocket's own, from a client that reads no answer.
#[tokio::test]
async fn of_websocket_pings() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut raw = scene.server.raw().await;
    raw.upgrade().await;
    raw.frame(1, br#"{"type":"hello"}"#).await;
    let payload = [b'p'; 125];
    scene
        .undisturbed_by(async |_, _| {
            for _ in 0..20_000 {
                raw.frame(9, &payload).await;
            }
        })
        .await;
    // It was served all the while: its close is answered.
    raw.frame(8, &1000_u16.to_be_bytes()).await;
    let (texts, code) = raw.closed().await;
    assert_eq!((texts.len(), code), (1, Some(1000)));
}

/// Connections that come and go as fast as they can.
#[tokio::test]
async fn of_connections() {
    let mut scene = Scene::new(Hub::builder()).await;
    scene
        .undisturbed_by(async |server, _| {
            for round in 0..20 {
                let visitors = join_all((0..25).map(|_| server.connect())).await;
                for (n, mut visitor) in visitors.into_iter().enumerate() {
                    match (n + round) % 3 {
                        0 => drop(visitor.cut()),
                        1 => visitor.close(None).await,
                        _ => {
                            visitor.hello().await;
                            visitor.close(Some(1000)).await;
                        }
                    }
                }
            }
        })
        .await;
    let hub = scene.server.hub.clone();
    until("they have gone", || hub.stats().connections == 3).await;
    assert_eq!(hub.stats().peers, 3);
    scene.undisturbed().await;
}
