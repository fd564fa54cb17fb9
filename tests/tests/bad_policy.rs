//! An application's hook that panics harms whom it was asked about, and nobody else.

use noom_signal::policy::{Identity, RoomGrant};
use system_tests::{Hub, Rules, Scene, json, until};

#[tokio::test]
async fn authenticate() {
    let rules = Rules::new().authenticate(|_, token| match token {
        Some("bomb") => panic!("a bug of the application's"),
        _ => Ok(Identity::default()),
    });
    let mut scene = Scene::new(Hub::builder().policy(rules)).await;
    let mut client = scene.server.connect().await;
    client.send(json!({"type": "hello", "token": "bomb", "id": 1})).await;
    assert_eq!(client.expect_error("internal").await["id"], 1);
    assert_eq!(client.closed().await, Some(1011));
    scene.undisturbed().await;

    // Trying to resume with it leaves the session with whom it is.
    let resume = json!({"session": scene.villain.session, "received": 0});
    let mut client = scene.server.connect().await;
    client.send(json!({"type": "hello", "token": "bomb", "resume": resume})).await;
    client.expect_error("internal").await;
    assert_eq!(client.closed().await, Some(1011));
    scene.villain.nothing_came().await;
    let hub = scene.server.hub.clone();
    until("the others are left", || hub.stats().connections == 3).await;
    assert_eq!(hub.stats().peers, 3);
    scene.undisturbed().await;
}

#[tokio::test]
async fn authorize() {
    let rules = Rules::new().authorize(|join| match join.token {
        Some("bomb") => panic!("a bug of the application's"),
        _ => Ok(RoomGrant::default()),
    });
    let mut scene = Scene::new(Hub::builder().policy(rules)).await;
    let mut stranger = scene.stranger().await;
    for _ in 0..3 {
        let join = json!({"type": "join", "room": "scene", "token": "bomb", "id": 2});
        stranger.send(join).await;
        let error = stranger.expect_error("internal").await;
        assert_eq!((&error["room"], &error["id"]), (&json!("scene"), &json!(2)));
        scene.undisturbed().await;
    }
    // The connection stays, and so does the way into the room.
    assert_eq!(stranger.join("scene").await["version"], 4);
    for innocent in &mut scene.innocent {
        innocent.expect_welcome("scene", &stranger).await;
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn ice_servers() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static ARMED: AtomicBool = AtomicBool::new(false);
    let rules = Rules::new().ice_servers(|_| match ARMED.load(Ordering::Relaxed) {
        true => panic!("a bug of the application's"),
        false => Vec::new(),
    });
    let mut scene = Scene::new(Hub::builder().policy(rules)).await;
    ARMED.store(true, Ordering::Relaxed);
    scene.villain.send(json!({"type": "iceServers", "id": 3})).await;
    assert_eq!(scene.villain.expect_error("internal").await["id"], 3);
    scene.undisturbed().await;

    let mut client = scene.server.connect().await;
    client.send(json!({"type": "hello"})).await;
    client.expect_error("internal").await;
    assert_eq!(client.closed().await, Some(1011));
    scene.undisturbed().await;

    ARMED.store(false, Ordering::Relaxed);
    scene.villain.send(json!({"type": "iceServers", "id": 4})).await;
    scene.villain.expect(json!({"type": "iceServers", "id": 4, "iceServers": []})).await;
    scene.undisturbed().await;
}
