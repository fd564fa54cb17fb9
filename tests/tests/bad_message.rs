//! Messages that cannot be read: an error for whoever sent one, nothing for anybody else.

use system_tests::{Hub, Scene, Value, json, limits};

/// A scene in which nobody is thrown out for his bad messages.
async fn patient_scene() -> Scene {
    let patient = limits(|limits| {
        limits.bad_messages = 1000;
        limits.message_bytes = 256 * 1024;
    });
    Scene::new(Hub::builder().limits(patient)).await
}

/// The villain is told, nobody else is, and he may go on.
async fn refused(scene: &mut Scene, text: &str, code: &str, id: Option<u64>) {
    scene.villain.send_text(text).await;
    let error = scene.villain.expect_error(code).await;
    let start: String = text.chars().take(80).collect();
    assert_eq!(error.get("id").and_then(Value::as_u64), id, "{start}: {error}");
    scene.villain.nothing_came().await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn not_json() {
    let mut scene = patient_scene().await;
    for text in [
        "",
        " ",
        "{",
        "hello",
        r#"{"type":"leave","room":"scene""#,
        r#"{"type":"leave","room":"scene"}}"#,
        r#"{"type":"leave","room":"scene"} {"type":"leave","room":"scene"}"#,
        r#"{'type':'leave','room':'scene'}"#,
        r#"{"type":"leave","room":"scene",}"#,
        r#"{"type":"leave","room":"scene","x":NaN}"#,
        r#"{"type":"leave","room":"scene","x":01}"#,
        "{\"type\":\"leave\",\"room\":\"scene\",\"x\":\"a\nb\"}",
        "\u{feff}{\"type\":\"leave\",\"room\":\"scene\"}",
    ] {
        refused(&mut scene, text, "bad_message", None).await;
    }
}

#[tokio::test]
async fn json_of_another_kind() {
    let mut scene = patient_scene().await;
    for text in ["null", "true", "7", r#""leave""#, "[]", r#"[{"type":"leave"}]"#, "{}"] {
        refused(&mut scene, text, "bad_message", None).await;
    }
}

#[tokio::test]
async fn members_of_wrong_types_or_missing() {
    let mut scene = patient_scene().await;
    let to = scene.innocent[0].peer.clone();
    for message in [
        json!({"type": null, "id": 7}),
        json!({"type": 7, "id": 7}),
        json!({"type": ["leave"], "room": "scene", "id": 7}),
        json!({"id": 7}),
        json!({"type": "join", "id": 7}),
        json!({"type": "join", "room": 5, "id": 7}),
        json!({"type": "join", "room": null, "id": 7}),
        json!({"type": "join", "room": "x", "meta": null, "id": 7}),
        json!({"type": "join", "room": "x", "meta": [], "id": 7}),
        json!({"type": "join", "room": "x", "meta": "{}", "id": 7}),
        json!({"type": "join", "room": "x", "token": null, "id": 7}),
        json!({"type": "join", "room": "x", "token": {}, "id": 7}),
        json!({"type": "update", "room": "scene", "meta": 1, "id": 7}),
        json!({"type": "leave", "room": ["scene"], "id": 7}),
        json!({"type": "offer", "room": "scene", "sdp": "v=0", "id": 7}),
        json!({"type": "offer", "room": "scene", "to": to, "id": 7}),
        json!({"type": "offer", "room": "scene", "to": to, "sdp": null, "id": 7}),
        json!({"type": "offer", "room": "scene", "to": to, "sdp": {"sdp": "v=0"}, "id": 7}),
        json!({"type": "offer", "to": to, "sdp": "v=0", "id": 7}),
        json!({"type": "answer", "room": "scene", "to": [to], "sdp": "v=0", "id": 7}),
        json!({"type": "answer", "room": "scene", "to": to, "sdp": 0, "id": 7}),
        json!({"type": "ice", "room": "scene", "to": to, "id": 7}),
        json!({"type": "ice", "room": "scene", "to": to, "candidate": "candidate:1", "id": 7}),
        json!({"type": "ice", "room": "scene", "to": to, "candidate": [], "id": 7}),
        json!({"type": "ice", "room": "scene", "to": to, "candidate": false, "id": 7}),
        json!({"type": "message", "room": "scene", "to": to, "id": 7}),
        json!({"type": "message", "room": "scene", "to": null, "data": 1, "id": 7}),
        json!({"type": "lobby", "id": 7}),
        json!({"type": "lobby", "watch": 1, "id": 7}),
        json!({"type": "lobby", "watch": "true", "id": 7}),
        json!({"type": "hello", "id": 7}),
        json!({"type": "hello", "resume": {"session": "x", "received": 0}, "id": 7}),
    ] {
        refused(&mut scene, &message.to_string(), "bad_message", Some(7)).await;
    }
    let ill_typed_ping = json!({"type": "ping", "received": "many"}).to_string();
    refused(&mut scene, &ill_typed_ping, "bad_message", None).await;
}

#[tokio::test]
async fn ids_that_are_none() {
    let mut scene = patient_scene().await;
    for id in ["-1", "-0", "1.0", "1e3", "\"1\"", "null", "[1]", "9007199254740992", "true"] {
        let text = format!(r#"{{"type":"iceServers","id":{id}}}"#);
        refused(&mut scene, &text, "bad_message", None).await;
    }
    scene.villain.send_text(r#"{"type":"iceServers","id":9007199254740991}"#).await;
    let largest = json!({"type": "iceServers", "id": 9_007_199_254_740_991_u64, "iceServers": []});
    scene.villain.expect(largest).await;
    scene.villain.send_text(r#"{"type":"iceServers","id":0}"#).await;
    scene.villain.expect(json!({"type": "iceServers", "id": 0, "iceServers": []})).await;
}

#[tokio::test]
async fn what_framing_refuses() {
    let mut scene = patient_scene().await;
    for (text, id) in [
        (r#"{"type":"message","room":"scene","to":"*","data":"\ud800","id":7}"#, Some(7)),
        (r#"{"type":"message","room":"scene","to":"*","data":1,"x":"\udc00","id":7}"#, Some(7)),
        (r#"{"type":"message","room":"scene","to":"*","data":{"\ud800":1},"id":7}"#, Some(7)),
        (r#"{"type":"message","room":"scene","to":"*","data":1,"data":2,"id":7}"#, Some(7)),
        (r#"{"type":"message","room":"scene","to":"*","data":1,"d\u0061ta":2,"id":7}"#, Some(7)),
        (r#"{"type":"message","room":"scene","to":"*","data":1,"x":2,"x":2,"id":7}"#, Some(7)),
        (r#"{"type":"message","type":"message","room":"scene","to":"*","data":1}"#, None),
        (r#"{"type":"message","room":"scene","to":"*","data":1,"id":7,"id":7}"#, None),
    ] {
        refused(&mut scene, text, "bad_message", id).await;
    }
}

#[tokio::test]
async fn nesting() {
    let mut scene = patient_scene().await;
    let message = |member: &str, depth: usize| {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(
            r#"{{"type":"message","room":"scene","to":"*","data":1,"id":7,"{member}":{nested}}}"#
        )
        .replacen(r#""data":1,"#, if member == "data" { "" } else { r#""data":1,"# }, 1)
    };
    // The message itself is level 1 of 32, wherever the depth is.
    for member in ["data", "unknown"] {
        for depth in [32, 33, 1000, 100_000] {
            refused(&mut scene, &message(member, depth), "bad_message", Some(7)).await;
        }
    }
    for open in ["[", r#"{"a":"#] {
        refused(&mut scene, &open.repeat(40_000), "bad_message", None).await;
    }

    scene.villain.send_text(message("data", 31)).await;
    scene.villain.expect(json!({"type": "ack", "id": 7})).await;
    for innocent in &mut scene.innocent {
        let text = innocent.recv_text().await;
        assert!(text.ends_with(&format!("{}{}}}", "[".repeat(31), "]".repeat(31))), "{text}");
    }
}

#[tokio::test]
async fn types_nobody_knows() {
    let mut scene = patient_scene().await;
    for kind in ["", "Join", "JOIN", "join ", "welcome", "joined", "roster", "error", "pong", "☕"]
    {
        let text =
            json!({"type": kind, "room": "scene", "to": "*", "data": 1, "id": 3}).to_string();
        refused(&mut scene, &text, "unknown_type", Some(3)).await;
    }
    // Not a strike: the default of ten is passed by far, and each had its answer.
    for _ in 0..50 {
        scene.villain.send(json!({"type": "shout"})).await;
        scene.villain.expect_error("unknown_type").await;
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn members_that_are_unknown_are_ignored() {
    let mut scene = patient_scene().await;
    let message = json!({
        "type": "message", "room": "scene", "to": "*", "data": [1], "id": 3,
        "candidate": 7, "sdp": {}, "watch": null, "priority": {"high": [true]}, "meta": 3,
    });
    scene.villain.send(message).await;
    scene.villain.expect(json!({"type": "ack", "id": 3})).await;
    let from = scene.villain.peer.clone();
    for innocent in &mut scene.innocent {
        innocent.expect_data("scene", &from, json!([1])).await;
    }
}

#[tokio::test]
async fn an_error_repeats_what_was_readable() {
    let mut scene = patient_scene().await;
    let message = json!({"type": "offer", "room": "scene", "to": "nobody", "sdp": 1, "id": 9});
    scene.villain.send(message).await;
    let error = scene.villain.expect_error("bad_message").await;
    assert_eq!([&error["room"], &error["to"]], ["scene", "nobody"]);
    assert_eq!(error["id"], 9);
    scene.villain.send(json!({"type": "offer", "room": 1, "to": [], "sdp": 1})).await;
    let error = scene.villain.expect_error("bad_message").await;
    let mut members: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["code", "message", "type"]);
}
