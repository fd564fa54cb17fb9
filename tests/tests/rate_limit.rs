//! A bucket of `burst`, refilled by `messagesPerSecond`. Virtual time.

use std::time::Duration;

use system_tests::{Client, Hub, HubBuilder, Scene, Server, json, limits};
use tokio::time::{Instant, sleep};

/// Five at once, ten a second.
fn slow() -> HubBuilder {
    Hub::builder().limits(limits(|limits| (limits.burst, limits.messages_per_second) = (5, 10)))
}

async fn acked(client: &mut Client) {
    client.send(json!({"type": "lobby", "watch": false, "id": 1})).await;
    client.expect(json!({"type": "ack", "id": 1})).await;
}

/// Returns `retryAfterMs`.
async fn limited(client: &mut Client) -> u64 {
    client.send(json!({"type": "lobby", "watch": false, "id": 2})).await;
    let error = client.expect_error("rate_limited").await;
    assert_eq!(error["id"], 2);
    error["retryAfterMs"].as_u64().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_burst_then_refusals_until_the_time_told() {
    let server = Server::in_process(slow());
    let mut client = server.hello().await;
    for _ in 0..5 {
        acked(&mut client).await;
    }
    let retry_after = limited(&mut client).await;
    assert!((1..=101).contains(&retry_after), "{retry_after}");
    sleep(Duration::from_millis(retry_after)).await;
    acked(&mut client).await;
    limited(&mut client).await;
    // The bucket never holds more than the burst.
    sleep(Duration::from_secs(20)).await;
    for _ in 0..5 {
        acked(&mut client).await;
    }
    limited(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_dropped_has_no_effect_and_counts() {
    let server = Server::in_process(slow());
    let mut scene = Scene::on(server).await;
    for _ in 0..4 {
        acked(&mut scene.villain).await;
    }
    let message = json!({"type": "message", "room": "scene", "to": "*", "data": 1});
    let messages = [
        message.to_string(),
        json!({"type": "leave", "room": "scene"}).to_string(),
        json!({"type": "update", "room": "scene", "meta": {"x": 1}}).to_string(),
        json!({"type": "unheard of"}).to_string(),
        // Of several reasons this one comes first.
        "nonsense".into(),
    ];
    for text in &messages {
        scene.villain.send_text(text).await;
        scene.villain.expect_error("rate_limited").await;
    }
    scene.undisturbed().await;
    // A ping costs nothing and is answered. The join, four requests and five refused were taken.
    scene.villain.send(json!({"type": "ping"})).await;
    scene.villain.expect(json!({"type": "pong", "received": 10})).await;
}

#[tokio::test(start_paused = true)]
async fn pings_are_free() {
    let server = Server::in_process(slow());
    let mut client = server.hello().await;
    for _ in 0..100 {
        client.nothing_came().await;
    }
    acked(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn ten_seconds_without_a_pause_close_4429() {
    let mut scene = Scene::on(Server::in_process(slow())).await;
    let villain = &mut scene.villain;
    let begin = Instant::now();
    let (mut since, mut refusals) = (None, 0);
    let closed = loop {
        villain.send(json!({"type": "unheard of"})).await;
        let error = villain.recv().await;
        if error["code"] == "rate_limited" {
            refusals += 1;
            let since = *since.get_or_insert_with(Instant::now);
            if since.elapsed() >= Duration::from_secs(10) {
                break Instant::now();
            }
        }
        sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(villain.closed().await, Some(4429));
    assert!(refusals > 100, "{refusals}");
    assert!(closed - begin < Duration::from_secs(12));
    scene.undisturbed().await;

    // Resumable, and no richer for it.
    let (mut villain, hello) = scene.server.resume(&scene.villain).await;
    assert_eq!(hello["resumed"], "full");
    villain.send(json!({"type": "unheard of"})).await;
    villain.expect_error("rate_limited").await;
    scene.undisturbed().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_second_without_a_refusal_starts_anew() {
    let server = Server::in_process(slow());
    let mut client = server.hello().await;
    // A minute of bursts, each well over the rate, with a pause after each.
    for _ in 0..30 {
        for _ in 0..20 {
            client.send(json!({"type": "unheard of"})).await;
            assert_eq!(client.recv().await["type"], "error");
        }
        sleep(Duration::from_millis(1001)).await;
    }
    client.nothing_came().await;
}

#[tokio::test(start_paused = true)]
async fn no_limit_is_none() {
    let unlimited = limits(|limits| limits.messages_per_second = 0);
    let server = Server::in_process(Hub::builder().limits(unlimited));
    let mut client = server.hello().await;
    for _ in 0..2000 {
        acked(&mut client).await;
    }
}

#[tokio::test]
async fn the_default_over_a_socket() {
    let mut scene = Scene::new(Hub::builder()).await;
    scene.villain.send_all((0..5000).map(|_| json!({"type": "unheard of"}))).await;
    let (mut passed, mut refused) = (0, 0);
    for _ in 0..5000 {
        let error = scene.villain.recv().await;
        match error["code"].as_str() {
            Some("unknown_type") => passed += 1,
            Some("rate_limited") => refused += 1,
            _ => panic!("{error}"),
        }
    }
    // The join took one of the burst of 400.
    assert!(passed >= 399 && refused > 0, "{passed} passed, {refused} refused");
    scene.undisturbed().await;
}
