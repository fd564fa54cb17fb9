//! Nothing reaches a peer outside the sender's room, and nobody speaks in another's name.

use system_tests::{Hub, Rules, Scene, json};

/// Each kind of message, to `to`.
fn messages(room: &str, to: &str) -> [system_tests::Value; 4] {
    [
        json!({"type": "offer", "room": room, "to": to, "sdp": "v=0", "id": 5}),
        json!({"type": "answer", "room": room, "to": to, "sdp": "v=0", "id": 5}),
        json!({"type": "ice", "room": room, "to": to, "candidate": null, "id": 5}),
        json!({"type": "message", "room": room, "to": to, "data": 1, "id": 5}),
    ]
}

#[tokio::test]
async fn a_room_one_is_not_in() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut stranger = scene.stranger().await;
    let to = scene.innocent[0].peer.clone();
    let broadcast = json!({"type": "message", "room": "scene", "to": "*", "data": 1, "id": 5});
    for message in messages("scene", &to).into_iter().chain([broadcast]) {
        let to = message["to"].clone();
        stranger.send(message).await;
        let error = stranger.expect_error("not_in_room").await;
        assert_eq!([&error["room"], &error["to"]], [&json!("scene"), &to]);
        assert_eq!(error["id"], 5);
        scene.undisturbed().await;
    }
    for request in ["leave", "update"] {
        stranger.send(json!({"type": request, "room": "scene", "id": 5})).await;
        assert_eq!(stranger.expect_error("not_in_room").await["id"], 5);
        scene.undisturbed().await;
    }
}

#[tokio::test]
async fn names_of_no_room() {
    let mut scene = Scene::new(Hub::builder()).await;
    let to = scene.innocent[0].peer.clone();
    // invalid_room comes from join alone.
    for room in ["", "elsewhere", "sce\u{0}ne", "Scene", "scene ", &"x".repeat(129)] {
        for message in messages(room, &to) {
            scene.villain.send(message).await;
            scene.villain.expect_error("not_in_room").await;
        }
        for request in ["leave", "update"] {
            scene.villain.send(json!({"type": request, "room": room, "id": 5})).await;
            scene.villain.expect_error("not_in_room").await;
        }
        scene.undisturbed().await;
    }
}

#[tokio::test]
async fn a_target_that_is_not_in_the_room() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut elsewhere = scene.server.join("elsewhere").await;
    let stranger = scene.stranger().await;
    let own = scene.villain.peer.clone();
    let targets = [&elsewhere.peer, &stranger.peer, &own, "nobody", "", "**", " *", "é\u{7}"];
    for to in targets {
        for message in messages("scene", to) {
            scene.villain.send(message).await;
            let error = scene.villain.expect_error("peer_not_found").await;
            assert_eq!(error["to"], to);
        }
        scene.undisturbed().await;
    }
    // Everyone is no target of what is meant for one.
    for message in &messages("scene", "*")[..3] {
        scene.villain.send(message.clone()).await;
        scene.villain.expect_error("peer_not_found").await;
        scene.undisturbed().await;
    }
    elsewhere.nothing_came().await;
}

#[tokio::test]
async fn a_target_in_another_room_of_the_senders() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut elsewhere = scene.server.join("elsewhere").await;
    let joined = scene.villain.join("elsewhere").await;
    assert_eq!(joined["peers"][0]["peer"], elsewhere.peer.as_str());
    elsewhere.expect_welcome("elsewhere", &scene.villain).await;

    // Both rooms are the sender's, but not the target's.
    for message in messages("scene", &elsewhere.peer) {
        scene.villain.send(message).await;
        scene.villain.expect_error("peer_not_found").await;
    }
    let innocent = scene.innocent[0].peer.clone();
    for message in messages("elsewhere", &innocent) {
        scene.villain.send(message).await;
        scene.villain.expect_error("peer_not_found").await;
    }
    elsewhere.nothing_came().await;
    scene.undisturbed().await;

    // To all in one of them reaches those in it, and no others.
    scene.villain.tell("elsewhere", "*", json!("hi")).await;
    elsewhere.expect_data("elsewhere", &scene.villain.peer, json!("hi")).await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn a_target_that_has_left() {
    let mut scene = Scene::new(Hub::builder()).await;
    let [_, second] = &mut scene.innocent;
    let gone = second.peer.clone();
    second.send(json!({"type": "leave", "room": "scene"})).await;
    second.expect_bye("scene", &gone, "left").await;
    scene.villain.expect_bye("scene", &gone, "left").await;
    for message in messages("scene", &gone) {
        scene.villain.send(message).await;
        scene.villain.expect_error("peer_not_found").await;
    }
    scene.innocent[1].nothing_came().await;
    scene.innocent[0].expect_bye("scene", &gone, "left").await;
    scene.innocent[0].nothing_came().await;
}

#[tokio::test]
async fn spoofed_members_are_replaced_or_ignored() {
    let mut scene = Scene::new(Hub::builder().policy(Rules::new())).await;
    let [first, second] = &mut scene.innocent;
    let (own, spoofed) = (scene.villain.peer.clone(), second.peer.clone());
    let spoof = |mut message: system_tests::Value| {
        for member in ["from", "user", "peer"] {
            message[member] = json!(spoofed);
        }
        message["since"] = json!(1);
        message["version"] = json!(1);
        message
    };

    for message in messages("scene", &first.peer) {
        scene.villain.send(spoof(message.clone())).await;
        scene.villain.expect(json!({"type": "ack", "id": 5})).await;
        let mut relayed = message;
        for member in ["to", "id"] {
            relayed.as_object_mut().unwrap().remove(member);
        }
        relayed["from"] = json!(own);
        first.expect(relayed).await;
    }
    second.nothing_came().await;

    scene.villain.send(spoof(json!({"type": "update", "room": "scene", "meta": {"a": 1}}))).await;
    let updated =
        json!({"type": "updated", "room": "scene", "version": 4, "peer": own, "meta": {"a": 1}});
    for member in [first, second, &mut scene.villain] {
        member.expect(updated.clone()).await;
    }

    scene.villain.send(spoof(json!({"type": "leave", "room": "scene"}))).await;
    scene.villain.expect_bye("scene", &own, "left").await;
    scene.villain_goes("left").await;
    scene.undisturbed().await;

    scene
        .villain
        .send(spoof(json!({"type": "join", "room": "scene", "meta": {"user": "root"}})))
        .await;
    assert_eq!(scene.villain.recv().await["type"], "joined");
    let welcome = json!({
        "type": "welcome", "room": "scene", "version": 6, "peer": own,
        "meta": {"user": "root"}, "since": 6,
    });
    for innocent in &mut scene.innocent {
        innocent.expect(welcome.clone()).await;
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn a_spoofed_hello() {
    let mut scene = Scene::new(Hub::builder().policy(Rules::new())).await;
    let spoofed = scene.innocent[0].peer.clone();
    let mut spoofer = scene.server.connect().await;
    let hello = json!({
        "type": "hello", "peer": spoofed, "user": "root", "from": spoofed, "session": "mine",
        "resumed": "full", "rooms": ["scene"], "token": "user:mina",
    });
    let answer = spoofer.hello_with(hello).await;
    assert_ne!(answer["peer"], spoofed.as_str());
    assert_ne!(answer["session"], "mine");
    assert_eq!(answer["user"], "mina");
    assert_eq!(answer["resumed"], "new");
    spoofer.tell("scene", "*", json!(1)).await;
    spoofer.expect_error("not_in_room").await;
    scene.undisturbed().await;
}
