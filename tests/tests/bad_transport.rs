//! Clients that break WebSocket's rules, or the limits set on it, get the close code that says so.

use std::time::Duration;

use system_tests::{Client, Hub, RawSocket, Scene, Server, json, limits};

const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// A message that is exactly so long.
fn message_of(bytes: usize) -> String {
    let around = json!({"type": "message", "room": "scene", "to": "*", "data": ""}).to_string();
    let data = "x".repeat(bytes - around.len());
    json!({"type": "message", "room": "scene", "to": "*", "data": data}).to_string()
}

/// A member of the room by a connection below WebSocket. Nothing of what it is sent is read
/// before its end.
async fn raw_member(scene: &mut Scene) -> RawSocket {
    let mut raw = scene.server.raw().await;
    raw.upgrade().await;
    raw.frame(TEXT, json!({"type": "hello"}).to_string().as_bytes()).await;
    raw.frame(TEXT, json!({"type": "join", "room": "scene"}).to_string().as_bytes()).await;
    for witness in scene.innocent.iter_mut().chain([&mut scene.villain]) {
        assert_eq!(witness.recv().await["type"], "welcome");
    }
    raw
}

/// The session is open after the close, and the others noticed nothing.
async fn resumable(scene: &mut Scene) {
    scene.undisturbed().await;
    let (villain, hello) = scene.server.resume(&scene.villain).await;
    assert_eq!(hello["resumed"], "full", "{hello}");
    scene.villain = villain;
    scene.villain.nothing_came().await;
    scene.undisturbed().await;
}

#[tokio::test]
async fn the_longest_message_passes() {
    let mut scene = Scene::new(Hub::builder()).await;
    let longest = message_of(65_536);
    assert_eq!(longest.len(), 65_536);
    scene.villain.send_text(longest).await;
    for innocent in &mut scene.innocent {
        assert_eq!(innocent.recv().await["type"], "message");
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn one_byte_more_closes_1009() {
    let mut scene = Scene::new(Hub::builder()).await;
    scene.villain.send_text(message_of(65_537)).await;
    assert_eq!(scene.villain.closed().await, Some(1009));
    resumable(&mut scene).await;
}

#[tokio::test]
async fn a_megabyte_closes_1009_too() {
    let mut scene = Scene::new(Hub::builder()).await;
    // Cut off in the middle of the frame, while the client still writes it.
    let mut raw = raw_member(&mut scene).await;
    raw.frame(TEXT, &vec![b' '; 1 << 20]).await;
    let (_, code) = raw.closed().await;
    assert_eq!(code, Some(1009));
    scene.undisturbed().await;

    scene.villain.send_text(" ".repeat(1 << 20)).await;
    assert_eq!(scene.villain.closed().await, Some(1009));
    resumable(&mut scene).await;
}

#[tokio::test]
async fn too_long_before_hello() {
    let server = Server::start(Hub::builder()).await;
    let mut client = server.connect().await;
    client.send_text(message_of(65_537)).await;
    assert_eq!(client.closed().await, Some(1009));
}

#[tokio::test]
async fn binary_closes_1003() {
    let mut scene = Scene::new(Hub::builder()).await;
    scene.villain.send_binary().await;
    assert_eq!(scene.villain.closed().await, Some(1003));
    resumable(&mut scene).await;
}

#[tokio::test]
async fn binary_before_hello() {
    let server = Server::start(Hub::builder()).await;
    let mut client = server.connect().await;
    client.send_binary().await;
    assert_eq!(client.closed().await, Some(1003));
    let mut raw = server.raw().await;
    raw.upgrade().await;
    raw.frame(BINARY, br#"{"type":"hello"}"#).await;
    assert_eq!(raw.closed().await, (vec![], Some(1003)));
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_1007() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut raw = raw_member(&mut scene).await;
    raw.frame(TEXT, b"{\"type\":\"\xff\xfe\"}").await;
    assert_eq!(raw.closed().await.1, Some(1007));
    scene.undisturbed().await;

    let mut raw = scene.server.raw().await;
    raw.upgrade().await;
    raw.frame(TEXT, b"\xc0\xaf").await;
    assert_eq!(raw.closed().await, (vec![], Some(1007)), "before hello");
    scene.undisturbed().await;
}

#[tokio::test]
async fn violations_of_websocket_close_1002() {
    let mut scene = Scene::new(Hub::builder()).await;
    let unmasked = [0x81, 2, b'{', b'}'];
    let reserved_opcode = [0x83, 0x80, 0, 0, 0, 0];
    let reserved_bit = [0xc1, 0x80, 0, 0, 0, 0];
    let fragmented_ping = [0x09, 0x80, 0, 0, 0, 0];
    let continues_nothing = [0x80, 0x80, 0, 0, 0, 0];
    let violations: [&[u8]; 5] =
        [&unmasked, &reserved_opcode, &reserved_bit, &fragmented_ping, &continues_nothing];
    for (n, violation) in violations.into_iter().enumerate() {
        let mut raw = raw_member(&mut scene).await;
        raw.write(violation).await;
        assert_eq!(raw.closed().await.1, Some(1002), "violation {n}");
        scene.undisturbed().await;

        let mut raw = scene.server.raw().await;
        raw.upgrade().await;
        raw.write(violation).await;
        assert_eq!(raw.closed().await, (vec![], Some(1002)), "violation {n} before hello");
        scene.undisturbed().await;
    }
}

#[tokio::test]
async fn a_message_in_fragments_is_one_message() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut raw = raw_member(&mut scene).await;
    let fragment = |first: u8, text: &str| {
        [&[first, 0x80 | text.len() as u8, 0, 0, 0, 0], text.as_bytes()].concat()
    };
    raw.write(&fragment(0x01, r#"{"type":"message","room":"sc"#)).await;
    raw.write(&fragment(0x00, r#"ene","to":"*","#)).await;
    // A ping may come in between.
    raw.write(&fragment(0x89, "")).await;
    raw.write(&fragment(0x80, r#""data":"whole"}"#)).await;
    for innocent in &mut scene.innocent {
        assert_eq!(innocent.recv().await["data"], "whole");
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn fragments_do_not_get_around_the_limit() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut raw = raw_member(&mut scene).await;
    let fragment = |first: bool| {
        let mut frame = vec![u8::from(first), 0x80 | 126];
        frame.extend(16_384_u16.to_be_bytes());
        frame.extend([0; 4]);
        frame.resize(frame.len() + 16_384, b' ');
        frame
    };
    // Never a final one: the message grows until the server has had enough.
    for n in 0..64 {
        raw.write(&fragment(n == 0)).await;
    }
    assert_eq!(raw.closed().await.1, Some(1009));
    scene.undisturbed().await;
}

#[tokio::test]
async fn a_client_that_ignores_the_close_is_cut_off() {
    let quick = limits(|limits| limits.close = Duration::from_millis(50));
    let mut scene = Scene::new(Hub::builder().limits(quick)).await;
    let mut raw = raw_member(&mut scene).await;
    raw.frame(BINARY, b"").await;
    // Never answered from this side; the end comes all the same.
    let bytes = raw.end().await;
    assert!(bytes.ends_with(b"\x03\xebtext messages only"), "{bytes:?}");
    scene.undisturbed().await;
}

#[tokio::test]
async fn garbage_instead_of_http() {
    let mut scene = Scene::new(Hub::builder()).await;
    for garbage in
        [&b"\x00\x01\x02\x03\r\n\r\n"[..], b"HELO there\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
    {
        let mut raw = scene.server.raw().await;
        raw.write(garbage).await;
        let text = String::from_utf8(raw.end().await).unwrap();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    }
    scene.undisturbed().await;
}

/// A member whose connection breaks off in the middle of a frame is away, not gone.
#[tokio::test]
async fn half_a_frame() {
    let mut scene = Scene::new(Hub::builder()).await;
    let mut raw = raw_member(&mut scene).await;
    raw.write(&[0x81, 0x80 | 100, 1, 2, 3, 4, 5]).await;
    drop(raw);
    scene.undisturbed().await;
    let mut newcomer: Client = scene.server.hello().await;
    let joined = newcomer.join("scene").await;
    assert_eq!(joined["peers"].as_array().unwrap().len(), 4, "{joined}");
}
