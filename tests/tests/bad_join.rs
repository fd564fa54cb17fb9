//! Joins and updates that are refused change nothing for anybody.

use noom_signal::policy::RoomGrant;
use system_tests::{Hub, Rules, Scene, Server, json, limits};

#[tokio::test]
async fn twice() {
    let mut scene = Scene::new(Hub::builder()).await;
    scene.villain.send(json!({"type": "join", "room": "scene", "meta": {"x": 1}, "id": 8})).await;
    let error = scene.villain.expect_error("already_joined").await;
    assert_eq!(error["room"], "scene");
    assert_eq!(error["id"], 8);
    scene.undisturbed().await;
    // The first join holds, with its meta.
    let newcomer = scene.server.hello().await.join("scene").await;
    let peers = newcomer["peers"].as_array().unwrap();
    let villain = peers.iter().find(|peer| peer["peer"] == scene.villain.peer.as_str()).unwrap();
    assert_eq!(villain, &json!({"peer": scene.villain.peer, "meta": {}, "since": 3}));
    assert_eq!((peers.len(), &newcomer["version"]), (3, &json!(4)));
}

#[tokio::test]
async fn a_full_room() {
    let mut scene = Scene::new(Hub::builder().limits(limits(|l| l.peers_per_room = 3))).await;
    let mut stranger = scene.stranger().await;
    stranger.send(json!({"type": "join", "room": "scene", "id": 8})).await;
    let error = stranger.expect_error("room_full").await;
    let expected = json!({
        "type": "error", "code": "room_full", "message": "room scene holds 3 of 3 peers",
        "room": "scene", "id": 8,
    });
    assert_eq!(error, expected);
    stranger.tell("scene", "*", json!(1)).await;
    stranger.expect_error("not_in_room").await;
    scene.undisturbed().await;

    // A place that comes free is a place.
    scene.villain.send(json!({"type": "leave", "room": "scene"})).await;
    scene.villain_goes("left").await;
    assert_eq!(stranger.join("scene").await["version"], 5);
    for innocent in &mut scene.innocent {
        innocent.expect_welcome("scene", &stranger).await;
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn a_capacity_of_the_applications() {
    let rules = Rules::new().authorize(|join| {
        let capacity = (join.room.as_str() == "tiny").then_some(1);
        Ok(RoomGrant { capacity, ..RoomGrant::default() })
    });
    let server = Server::start(Hub::builder().policy(rules)).await;
    let mut alone = server.join("tiny").await;
    let mut other = server.hello().await;
    other.send(json!({"type": "join", "room": "tiny"})).await;
    other.expect_error("room_full").await;
    other.join("large").await;
    alone.nothing_came().await;
}

#[tokio::test]
async fn of_many_one_gets_the_last_place() {
    let server = Server::start(Hub::builder().limits(limits(|l| l.peers_per_room = 3))).await;
    let (mut a, mut b) = server.pair("race").await;
    let mut racers = Vec::new();
    for _ in 0..20 {
        racers.push(server.hello().await);
    }
    for racer in &mut racers {
        racer.send(json!({"type": "join", "room": "race"})).await;
    }
    let mut joined = 0;
    for racer in &mut racers {
        let answer = racer.recv().await;
        joined += usize::from(answer["type"] == "joined");
        assert!(answer["type"] == "joined" || answer["code"] == "room_full", "{answer}");
    }
    assert_eq!(joined, 1);
    for member in [&mut a, &mut b] {
        assert_eq!(member.recv().await["type"], "welcome");
        member.nothing_came().await;
    }
}

#[tokio::test]
async fn room_names() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut stranger = scene.stranger().await;
    let long = "x".repeat(129);
    let long_in_bytes = "é".repeat(65);
    let bad = ["", "\u{0}", "a\nb", "tab\t", "\u{7f}", "\u{80}", "\u{9f}", &long, &long_in_bytes];
    for room in bad {
        stranger.send(json!({"type": "join", "room": room, "id": 8})).await;
        let error = stranger.expect_error("invalid_room").await;
        assert_eq!((&error["room"], &error["id"]), (&json!(room), &json!(8)));
        scene.undisturbed().await;
    }
    // The bounds themselves; what looks like a control but is none; bytes are compared.
    let longest = "x".repeat(128);
    let good = [&longest, "é", "e\u{301}", " ", "\u{202e}b\u{2028}", "\u{1f3a5}", "\"\\/"];
    for room in good {
        let joined = stranger.join(room).await;
        assert_eq!((&joined["room"], &joined["version"]), (&json!(room), &json!(1)));
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn a_name_in_escapes_is_the_same_name() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut stranger = scene.stranger().await;
    stranger.send_text(r#"{"type":"join","room":"\u0073cene"}"#).await;
    let joined = stranger.recv().await;
    assert_eq!(joined["peers"].as_array().unwrap().len(), 3, "{joined}");
    for innocent in &mut scene.innocent {
        innocent.expect_welcome("scene", &stranger).await;
    }
    stranger.send_text(r#"{"type":"message","room":"\u0073cene","to":"\u002a","data":1}"#).await;
    for innocent in &mut scene.innocent {
        innocent.expect_data("scene", &stranger.peer, json!(1)).await;
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn a_giant_meta() {
    let mut scene = Scene::new(Hub::builder()).await;
    let meta_of = |bytes: usize| {
        let meta = json!({"x": "y".repeat(bytes - r#"{"x":""}"#.len())});
        assert_eq!(meta.to_string().len(), bytes);
        meta
    };
    let mut stranger = scene.stranger().await;
    for bytes in [4097, 60_000] {
        let meta = meta_of(bytes);
        stranger.send(json!({"type": "join", "room": "scene", "meta": meta, "id": 8})).await;
        assert_eq!(stranger.expect_error("invalid_meta").await["id"], 8);
        scene.villain.send(json!({"type": "update", "room": "scene", "meta": meta, "id": 9})).await;
        assert_eq!(scene.villain.expect_error("invalid_meta").await["id"], 9);
        scene.undisturbed().await;
    }
    // Bytes as sent: white space counts, and so do escapes.
    let spaced = format!(r#"{{"type":"join","room":"scene","meta":{{{}}}}}"#, " ".repeat(4095));
    stranger.send_text(spaced).await;
    stranger.expect_error("invalid_meta").await;
    scene.undisturbed().await;

    let joined = stranger.join_with("scene", meta_of(4096)).await;
    assert_eq!(joined["version"], 4);
    for innocent in &mut scene.innocent {
        let welcome = innocent.expect_welcome("scene", &stranger).await;
        assert_eq!(welcome["meta"], meta_of(4096));
    }
}

#[tokio::test]
async fn one_room_too_many() {
    let mut scene = Scene::new(Hub::builder()).await;
    for n in 1..8 {
        scene.villain.join(&format!("room {n}")).await;
    }
    scene.villain.send(json!({"type": "join", "room": "one more", "id": 8})).await;
    let error = scene.villain.expect_error("too_many_rooms").await;
    assert_eq!((&error["room"], &error["id"]), (&json!("one more"), &json!(8)));
    scene.undisturbed().await;
    assert_eq!(scene.server.hub.stats().rooms, 8);

    scene.villain.send(json!({"type": "leave", "room": "room 3"})).await;
    let peer = scene.villain.peer.clone();
    scene.villain.expect_bye("room 3", &peer, "left").await;
    assert_eq!(scene.villain.join("one more").await["version"], 1);
    scene.undisturbed().await;
}

/// Of several reasons the first in the protocol's table is told.
#[tokio::test]
async fn the_first_reason_counts() {
    let rules = Rules::new().authorize(|join| match join.room.as_str() {
        "private" => Err(noom_signal::policy::Refused::because("private")),
        _ => Ok(RoomGrant { capacity: Some(1), ..RoomGrant::default() }),
    });
    let few = limits(|limits| limits.rooms_per_peer = 1);
    let server = Server::start(Hub::builder().policy(rules).limits(few)).await;
    let _holder = server.join("taken").await;
    let mut client = server.join("own").await;
    let large = json!({"x": "y".repeat(5000)});
    for (room, meta, code) in [
        ("private", large.clone(), "forbidden"),
        ("\n", large.clone(), "invalid_room"),
        ("taken", large.clone(), "invalid_meta"),
        ("taken", json!({}), "room_full"),
        ("free", json!({}), "too_many_rooms"),
    ] {
        client.send(json!({"type": "join", "room": room, "meta": meta})).await;
        client.expect_error(code).await;
    }
    client.send(json!({"type": "update", "room": "taken", "meta": large})).await;
    client.expect_error("invalid_meta").await;
}
