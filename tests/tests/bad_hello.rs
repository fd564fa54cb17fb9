//! Connections that never become a session, or should not.

use std::time::Duration;

use noom_signal::policy::{Identity, Refused};
use system_tests::{Hub, Rules, Scene, Server, json, limits, until};

#[tokio::test]
async fn silence_closes_4408() {
    let quick = limits(|limits| limits.handshake = Duration::from_secs(2));
    let mut scene = Scene::new(Hub::builder().limits(quick)).await;
    let mut silent = scene.server.connect().await;
    assert_eq!(silent.closed().await, Some(4408));
    let mut raw = scene.server.raw().await;
    raw.upgrade().await;
    // Pings are signs of life, but no hello.
    raw.frame(9, b"").await;
    assert_eq!(raw.closed().await, (vec![], Some(4408)));
    scene.undisturbed().await;
    assert_eq!(scene.server.hub.stats().peers, 3);
}

#[tokio::test(start_paused = true)]
async fn silence_is_five_seconds_by_default() {
    let server = Server::in_process(Hub::builder());
    let begin = tokio::time::Instant::now();
    let mut silent = server.connect().await;
    assert_eq!(silent.closed().await, Some(4408));
    let waited = begin.elapsed();
    assert!((5.0..5.1).contains(&waited.as_secs_f64()), "{waited:?}");

    let mut late = server.connect().await;
    tokio::time::sleep(Duration::from_millis(4900)).await;
    assert_eq!(late.hello().await["resumed"], "new");
}

#[tokio::test]
async fn anything_else_first_closes_4400() {
    let mut scene = Scene::new(Hub::builder()).await;
    let session = scene.villain.session.clone();
    let not_first = [
        json!({"type": "join", "room": "scene"}).to_string(),
        json!({"type": "ping"}).to_string(),
        json!({"type": "message", "room": "scene", "to": "*", "data": 1}).to_string(),
        json!({"type": "HELLO"}).to_string(),
        json!({"type": "hello", "token": 7}).to_string(),
        json!({"type": "hello", "token": null}).to_string(),
        json!({"type": "hello", "client": []}).to_string(),
        json!({"type": "hello", "resume": null}).to_string(),
        json!({"type": "hello", "resume": {}}).to_string(),
        json!({"type": "hello", "resume": {"session": session}}).to_string(),
        json!({"type": "hello", "resume": {"received": 1}}).to_string(),
        json!({"type": "hello", "resume": {"session": session, "received": -1}}).to_string(),
        json!({"type": "hello", "resume": {"session": session, "received": "1"}}).to_string(),
        json!({"type": "hello", "resume": {"session": 1, "received": 1}}).to_string(),
        r#"{"type":"hello","type":"hello"}"#.into(),
        r#"{"type":"hello""#.into(),
        "hello".into(),
        String::new(),
    ];
    for text in not_first {
        let mut client = scene.server.connect().await;
        client.send_text(&text).await;
        client.expect_error("bad_message").await;
        assert_eq!(client.closed().await, Some(4400), "{text}");
    }
    scene.undisturbed().await;
    // Whose session was named in vain still holds it.
    scene.villain.nothing_came().await;
}

#[tokio::test]
async fn the_error_before_4400_has_the_id() {
    let server = Server::start(Hub::builder()).await;
    let mut client = server.connect().await;
    client.send(json!({"type": "join", "room": "r", "id": 12})).await;
    assert_eq!(client.expect_error("bad_message").await["id"], 12);
    assert_eq!(client.closed().await, Some(4400));
}

#[tokio::test]
async fn a_refused_token_closes_4401() {
    let rules = Rules::new().authenticate(|_, token| match token {
        Some("let-me-in") => Ok(Identity::default()),
        Some(_) => Err(Refused::because("wrong token")),
        None => Err(Refused::because("no token")),
    });
    let server = Server::start(Hub::builder().policy(rules)).await;
    for (hello, why) in [
        (json!({"type": "hello", "token": "guess"}), "wrong token"),
        (json!({"type": "hello", "token": ""}), "wrong token"),
        (json!({"type": "hello"}), "no token"),
    ] {
        let mut client = server.connect().await;
        client.send(hello).await;
        assert_eq!(client.expect_error("unauthorized").await["message"], why);
        assert_eq!(client.closed().await, Some(4401));
    }
    until("nothing is left", || server.hub.stats().connections == 0).await;
    assert_eq!(server.hub.stats().peers, 0);
    let mut client = server.connect().await;
    client.hello_with(json!({"type": "hello", "token": "let-me-in"})).await;
}

/// What a client sends on without waiting does not count for one that is refused.
#[tokio::test]
async fn a_refused_client_that_sends_on() {
    let rules = Rules::new().authenticate(|_, token| match token {
        Some("let-me-in") => Ok(Identity::default()),
        _ => Err(Refused::because("no")),
    });
    let server = Server::start(Hub::builder().policy(rules)).await;
    let mut member = server.connect().await;
    member.hello_with(json!({"type": "hello", "token": "let-me-in"})).await;
    member.join("scene").await;
    let mut client = server.connect().await;
    let join = json!({"type": "join", "room": "scene"});
    client.send_all([json!({"type": "hello"}), join.clone(), join]).await;
    client.expect_error("unauthorized").await;
    assert_eq!(client.closed().await, Some(4401));
    member.nothing_came().await;
}

#[tokio::test]
async fn a_token_is_checked_on_a_resume_too() {
    let rules = Rules::new().authenticate(|_, token| match token {
        Some("let-me-in") => Ok(Identity::default()),
        _ => Err(Refused::because("no")),
    });
    let server = Server::start(Hub::builder().policy(rules)).await;
    let mut first = server.connect().await;
    first.hello_with(json!({"type": "hello", "token": "let-me-in"})).await;
    let resume = json!({"session": first.session, "received": 0});
    let mut thief = server.connect().await;
    thief.send(json!({"type": "hello", "token": "stale", "resume": resume})).await;
    thief.expect_error("unauthorized").await;
    assert_eq!(thief.closed().await, Some(4401));
    // The session is where it was.
    first.nothing_came().await;
}

#[tokio::test]
async fn a_second_hello_is_a_bad_message() {
    let mut scene = Scene::new(Hub::builder()).await;
    let session = scene.innocent[0].session.clone();
    let stolen = json!({"session": session, "received": 0});
    scene.villain.send(json!({"type": "hello", "id": 4})).await;
    assert_eq!(scene.villain.expect_error("bad_message").await["id"], 4);
    scene.villain.send(json!({"type": "hello", "resume": stolen, "id": 5})).await;
    assert_eq!(scene.villain.expect_error("bad_message").await["id"], 5);
    scene.villain.nothing_came().await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn gone_before_hello() {
    let mut scene = Scene::new(Hub::builder()).await;
    for code in [None, Some(1000), Some(1001), Some(4000)] {
        let mut client = scene.server.connect().await;
        client.close(code).await;
        drop(scene.server.connect().await.cut());
    }
    let hub = scene.server.hub.clone();
    until("they are gone", || hub.stats().connections == 3).await;
    assert_eq!(hub.stats().peers, 3);
    scene.undisturbed().await;
}
