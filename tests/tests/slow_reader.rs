//! A member that does not read is given up with 4410, and holds up nobody.

use std::time::Duration;

use system_tests::{Hub, HubBuilder, Scene, Server, json, limits, until};
use tokio::time::sleep;

/// Nobody is too fast; little waits for the slow.
fn hub() -> HubBuilder {
    Hub::builder().limits(limits(|limits| {
        (limits.messages_per_second, limits.bytes_per_second) = (0, 0);
        limits.outbound_bytes = 64 * 1024;
        limits.close = Duration::from_millis(100);
        limits.write = Duration::from_secs(1);
    }))
}

/// In virtual time with a pipe of 8 frames, everything is known to the frame.
#[tokio::test(start_paused = true)]
async fn over_a_pipe() {
    let server = Server::in_process(hub());
    let (mut first, mut second) = server.pair("scene").await;
    let mut slow = server.connect_with_capacity(8);
    slow.hello().await;
    slow.join("scene").await;
    first.expect_welcome("scene", &slow).await;
    second.expect_welcome("scene", &slow).await;

    // A hundred kilobytes: more than the pipe and the limit hold together.
    let data = "x".repeat(1000);
    for n in 0..100 {
        first.tell("scene", "*", json!([n, data])).await;
        second.expect_data("scene", &first.peer, json!([n, data])).await;
    }
    // The slow one wakes up: what had been written for it, then the close.
    let (messages, code) = slow.drain().await;
    assert_eq!(code, Some(4410));
    let ns: Vec<_> = messages.iter().map(|message| message["data"][0].as_u64().unwrap()).collect();
    assert!((1..60).contains(&ns.len()), "{ns:?}");
    assert!(ns.iter().copied().eq(0..ns.len() as u64), "{ns:?}");

    // What it has not got is kept for it, for the resume buffer holds 512 frames.
    let (mut slow, hello) = server.resume(&slow).await;
    assert_eq!(hello["resumed"], "full", "{hello}");
    for n in ns.len()..100 {
        slow.expect_data("scene", &first.peer, json!([n, data])).await;
    }
    slow.nothing_came().await;
    first.nothing_came().await;
    second.nothing_came().await;
}

#[tokio::test]
async fn over_a_socket() {
    let mut scene = Scene::new(hub()).await;
    let data = "x".repeat(10_000);
    let hub = scene.server.hub.clone();
    let mut sent = 0;
    // The kernel's buffers fill first, however large they are.
    while hub.stats().connections == 3 {
        let [first, second] = &mut scene.innocent;
        first.tell(Scene::ROOM, "*", json!([sent, data])).await;
        second.expect_data(Scene::ROOM, &first.peer, json!([sent, data])).await;
        sent += 1;
        assert!(sent < 100_000, "a billion bytes for one who does not read");
    }
    scene.undisturbed().await;

    // Who does not read at all may see the link broken instead of the code.
    let (messages, code) = scene.villain.drain().await;
    assert!(matches!(code, Some(4410) | None), "{code:?}");
    let ns = messages.iter().map(|message| message["data"][0].as_u64().unwrap());
    assert!(ns.eq(0..messages.len() as u64), "in order, without a gap");
    assert!(messages.len() < sent);

    // Its session waits: all of the rest, or the word that something is lost.
    let (mut villain, hello) = scene.server.resume(&scene.villain).await;
    if hello["resumed"] == "partial" {
        assert_eq!(hello["rooms"], json!(["scene"]));
        assert_eq!(villain.recv().await["type"], "roster");
        for innocent in &mut scene.innocent {
            let missed = json!({"type": "missed", "room": "scene", "peer": villain.peer});
            innocent.expect(missed).await;
        }
    } else {
        for n in messages.len()..sent {
            villain.expect_data(Scene::ROOM, &scene.innocent[0].peer, json!([n, data])).await;
        }
    }
    villain.nothing_came().await;
    scene.undisturbed().await;
}

/// A client that asks and never reads the answers is not read from either.
#[tokio::test]
async fn who_does_not_read_is_not_read_from() {
    let mut scene = Scene::new(hub()).await;
    let hub = scene.server.hub.clone();
    let ask = json!({"type": "unheard of", "room": "x".repeat(1000)}).to_string();
    let mut asked = 0;
    // Its requests, and the errors that nobody takes, fill what the kernel holds. Then its own
    // write waits, until the server gives the connection up.
    while scene.villain.try_send_text(&ask).await.is_ok() {
        asked += 1;
        assert!(asked < 1_000_000, "a billion bytes, and none refused");
    }
    until("it is given up", || hub.stats().connections == 2).await;
    scene.undisturbed().await;
}

/// Dead links show: no bytes for two heartbeats.
#[tokio::test(start_paused = true)]
async fn a_dead_link_closes_4408() {
    let server = Server::in_process(Hub::builder());
    let mut dead = server.join("scene").await;
    // Not received from, it answers no ping.
    sleep(Duration::from_secs(49)).await;
    assert_eq!(server.hub.stats().connections, 1);
    sleep(Duration::from_secs(2)).await;
    let (_, code) = dead.drain().await;
    assert_eq!(code, Some(4408));
    // The session waits for its client, then goes.
    sleep(Duration::from_secs(28)).await;
    assert_eq!(server.hub.stats().peers, 1);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(server.hub.stats().peers, 0);
    assert_eq!(server.hub.stats().rooms, 0);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_client_that_answers_pings_stays() {
    let server = Server::in_process(Hub::builder());
    let mut quiet = server.join("scene").await;
    let silence = tokio::time::timeout(Duration::from_secs(500), quiet.recv()).await;
    assert!(silence.is_err(), "{silence:?}");
    quiet.nothing_came().await;
}
