//! Every message of the server's, as raw JSON, there and back.

use noom_signal::protocol::{
    ByeReason, ErrorCode, IceServer, InvalidServerMessage, Json, LobbyRoom, PeerInfo, Resumed,
    ServerMessage, SessionSecret, server,
};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// `text` is `message`, and `message` is `text`, byte for byte.
#[track_caller]
fn both_ways(text: &str, message: impl Into<ServerMessage>) {
    let message = message.into();
    assert_eq!(text.parse::<ServerMessage>().map_err(|e| e.to_string()), Ok(message.clone()));
    assert_eq!(message.to_frame().as_str(), text);
}

/// `text` is a message, and survives the way there and back byte for byte.
fn read(text: &str) -> Result<ServerMessage, InvalidServerMessage> {
    let message: ServerMessage = text.parse()?;
    assert_eq!(message.to_frame().as_str(), text);
    Ok(message)
}

fn json(text: &str) -> Result<Json, serde_json::Error> {
    Json::from_text(text.into())
}

/// What every `hello` says alike, from `iceServers` on.
const HELLO_REST: &str = r#""iceServers":[{"urls":["stun:stun.example.org"]},{"urls":["turn:turn.example.org?transport=udp","turns:turn.example.org"],"username":"1795000000:mina","credential":"c2VjcmV0"}],"heartbeatMs":25000,"resumeMs":30000,"limits":{"messageBytes":65536,"frameBytes":1048576,"metaBytes":4096,"depth":32,"roomsPerPeer":8,"messagesPerSecond":100,"burst":400,"bytesPerSecond":1048576,"byteBurst":4194304,"resumeFrames":512,"resumeBytes":1048576,"outboundBytes":1048576,"lobbyRooms":100}"#;

#[test]
fn hello_new() -> TestResult {
    let text = format!(
        r#"{{"type":"hello","peer":"p-1","user":"mina@example.org","session":"s3cr3t","resumed":"new",{HELLO_REST},"id":0}}"#
    );
    let ServerMessage::Hello(hello) = read(&text)? else { panic!("{text}") };
    assert_eq!(hello.peer, "p-1".parse()?);
    assert_eq!(hello.user, Some("mina@example.org".parse()?));
    assert_eq!(hello.session, SessionSecret::new("s3cr3t"));
    assert_eq!(hello.resumed, Resumed::New);
    assert_eq!((hello.received, hello.rooms, hello.id), (None, None, Some(0)));
    let stun = IceServer::stun("stun:stun.example.org");
    let turn = IceServer {
        urls: vec!["turn:turn.example.org?transport=udp".into(), "turns:turn.example.org".into()],
        username: Some("1795000000:mina".into()),
        credential: Some("c2VjcmV0".into()),
    };
    assert_eq!(hello.ice_servers, [stun, turn]);
    assert_eq!((hello.heartbeat_ms, hello.resume_ms), (25_000, 30_000));
    let limits = hello.limits;
    assert_eq!(
        (limits.message_bytes, limits.frame_bytes, limits.meta_bytes, limits.depth),
        (65_536, 1_048_576, 4096, 32)
    );
    assert_eq!((limits.rooms_per_peer, limits.messages_per_second, limits.burst), (8, 100, 400));
    assert_eq!((limits.bytes_per_second, limits.byte_burst), (Some(1_048_576), Some(4_194_304)));
    assert_eq!((limits.resume_frames, limits.resume_bytes), (512, 1_048_576));
    assert_eq!((limits.outbound_bytes, limits.lobby_rooms), (1_048_576, 100));

    // A server without limits by bytes leaves them out.
    let text = text.replace(r#""bytesPerSecond":1048576,"byteBurst":4194304,"#, "");
    let ServerMessage::Hello(hello) = read(&text)? else { panic!("{text}") };
    assert_eq!((hello.limits.bytes_per_second, hello.limits.byte_burst), (None, None));
    Ok(())
}

#[test]
fn hello_resumed() -> TestResult {
    let text = format!(
        r#"{{"type":"hello","peer":"p","session":"s","resumed":"full","received":42,{HELLO_REST}}}"#
    );
    let ServerMessage::Hello(hello) = read(&text)? else { panic!("{text}") };
    assert_eq!((hello.resumed, hello.received, hello.rooms), (Resumed::Full, Some(42), None));
    assert_eq!((hello.user, hello.id), (None, None));

    let text = format!(
        r#"{{"type":"hello","peer":"p","session":"s","resumed":"partial","rooms":["standup","café"],{HELLO_REST}}}"#
    );
    let ServerMessage::Hello(hello) = read(&text)? else { panic!("{text}") };
    assert_eq!((hello.resumed, hello.received), (Resumed::Partial, None));
    assert_eq!(hello.rooms, Some(vec!["standup".parse()?, "café".parse()?]));
    Ok(())
}

#[test]
fn a_session_secret_does_not_show_in_debug() -> TestResult {
    let text =
        format!(r#"{{"type":"hello","peer":"p","session":"s3cr3t","resumed":"new",{HELLO_REST}}}"#);
    assert!(!format!("{:?}", read(&text)?).contains("s3cr3t"));
    Ok(())
}

#[test]
fn joined_and_roster() -> TestResult {
    let peers = || -> Result<_, Box<dyn std::error::Error>> {
        Ok(vec![
            PeerInfo {
                peer: "p-2".parse()?,
                user: Some("ada".parse()?),
                meta: json(r#"{"name":"Ada","n":1.0}"#)?,
                since: 3,
            },
            PeerInfo { peer: "p-3".parse()?, user: None, meta: Json::empty_object(), since: 7 },
        ])
    };
    let room = "standup".parse()?;
    both_ways(
        r#"{"type":"joined","room":"standup","version":7,"peers":[{"peer":"p-2","user":"ada","meta":{"name":"Ada","n":1.0},"since":3},{"peer":"p-3","meta":{},"since":7}],"id":1}"#,
        server::Joined { room, version: 7, peers: peers()?, id: Some(1) },
    );
    let room = "standup".parse()?;
    both_ways(
        r#"{"type":"joined","room":"standup","version":1,"peers":[]}"#,
        server::Joined { room, version: 1, peers: vec![], id: None },
    );
    let room = "standup".parse()?;
    both_ways(
        r#"{"type":"roster","room":"standup","version":12,"peers":[{"peer":"p-2","user":"ada","meta":{"name":"Ada","n":1.0},"since":3},{"peer":"p-3","meta":{},"since":7}]}"#,
        server::Roster { room, version: 12, peers: peers()? },
    );
    Ok(())
}

#[test]
fn welcome() -> TestResult {
    both_ways(
        r#"{"type":"welcome","room":"standup","version":7,"peer":"p-1","user":"mina","meta":{ "name" : "Mina" },"since":7}"#,
        server::Welcome {
            room: "standup".parse()?,
            version: 7,
            peer: "p-1".parse()?,
            user: Some("mina".parse()?),
            meta: json(r#"{ "name" : "Mina" }"#)?,
            since: 7,
        },
    );
    both_ways(
        r#"{"type":"welcome","room":"standup","version":9007199254740991,"peer":"p-1","meta":{},"since":1}"#,
        server::Welcome {
            room: "standup".parse()?,
            version: (1 << 53) - 1,
            peer: "p-1".parse()?,
            user: None,
            meta: Json::empty_object(),
            since: 1,
        },
    );
    Ok(())
}

#[test]
fn updated() -> TestResult {
    for (end, id) in [("", None), (r#","id":2"#, Some(2))] {
        both_ways(
            &format!(
                r#"{{"type":"updated","room":"standup","version":8,"peer":"p-1","meta":{{"a":1e999,"a":-0}}{end}}}"#
            ),
            server::Updated {
                room: "standup".parse()?,
                version: 8,
                peer: "p-1".parse()?,
                meta: json(r#"{"a":1e999,"a":-0}"#)?,
                id,
            },
        );
    }
    Ok(())
}

#[test]
fn bye() -> TestResult {
    for (word, reason) in [
        ("left", ByeReason::Left),
        ("disconnected", ByeReason::Disconnected),
        ("kicked", ByeReason::Kicked),
        ("closed", ByeReason::Closed),
        ("lost", ByeReason::Lost),
    ] {
        for (end, id) in [("", None), (r#","id":3"#, Some(3))] {
            let text = format!(
                r#"{{"type":"bye","room":"standup","version":9,"peer":"p-1","reason":"{word}"{end}}}"#
            );
            let (room, peer) = ("standup".parse()?, "p-1".parse()?);
            both_ways(&text, server::Bye { room, version: 9, peer, reason, id });
        }
    }
    // More may come.
    let text = r#"{"type":"bye","room":"r","version":9,"peer":"p","reason":"abducted"}"#;
    let ServerMessage::Bye(bye) = text.parse()? else { panic!("{text}") };
    assert_eq!(bye.reason, ByeReason::Unknown);
    Ok(())
}

#[test]
fn missed() -> TestResult {
    both_ways(
        r#"{"type":"missed","room":"standup","peer":"p-1"}"#,
        server::Missed { room: "standup".parse()?, peer: "p-1".parse()? },
    );
    Ok(())
}

#[test]
fn relayed() -> TestResult {
    let sdp = || "v=0\r\n".to_owned();
    let (room, from) = ("standup".parse()?, "p-1".parse()?);
    both_ways(
        r#"{"type":"offer","room":"standup","from":"p-1","sdp":"v=0\r\n"}"#,
        server::Offer { room, from, sdp: sdp() },
    );
    let (room, from) = ("standup".parse()?, "p-1".parse()?);
    both_ways(
        r#"{"type":"answer","room":"standup","from":"p-1","sdp":"v=0\r\n"}"#,
        server::Answer { room, from, sdp: sdp() },
    );
    for candidate in [r#"{"candidate":"","sdpMid":null}"#, "null"] {
        let (room, from) = ("standup".parse()?, "p-1".parse()?);
        both_ways(
            &format!(r#"{{"type":"ice","room":"standup","from":"p-1","candidate":{candidate}}}"#),
            server::Ice { room, from, candidate: json(candidate)? },
        );
    }
    for data in ["null", r#"[ 1.0 , "\u0041" ]"#, r#""text""#, r#"{"a":1,"a":2}"#] {
        let (room, from) = ("standup".parse()?, "p-1".parse()?);
        both_ways(
            &format!(r#"{{"type":"message","room":"standup","from":"p-1","data":{data}}}"#),
            server::Message { room, from, data: json(data)? },
        );
    }
    Ok(())
}

#[test]
fn lobby() -> TestResult {
    let rooms = vec![
        LobbyRoom { room: "standup".parse()?, peers: 3 },
        LobbyRoom { room: "a\"b\\c".parse()?, peers: 1 },
    ];
    both_ways(
        r#"{"type":"lobby","rooms":[{"room":"standup","peers":3},{"room":"a\"b\\c","peers":1}],"id":4}"#,
        server::Lobby { rooms, id: Some(4) },
    );
    both_ways(r#"{"type":"lobby","rooms":[]}"#, server::Lobby { rooms: vec![], id: None });
    Ok(())
}

#[test]
fn ice_servers() {
    both_ways(
        r#"{"type":"iceServers","iceServers":[{"urls":["stun:stun.example.org"]}],"id":3}"#,
        server::IceServers {
            ice_servers: vec![IceServer::stun("stun:stun.example.org")],
            id: Some(3),
        },
    );
    both_ways(
        r#"{"type":"iceServers","iceServers":[]}"#,
        server::IceServers { ice_servers: vec![], id: None },
    );
}

#[test]
fn ack_pong_goaway() {
    both_ways(r#"{"type":"ack","id":0}"#, server::Ack { id: 0 });
    both_ways(r#"{"type":"pong","received":31}"#, server::Pong { received: 31 });
    both_ways(
        r#"{"type":"goaway","reason":"draining","reconnectMs":1830}"#,
        server::Goaway { reason: "draining".into(), reconnect_ms: 1830 },
    );
}

#[test]
fn error() -> TestResult {
    for (word, code) in [
        ("rate_limited", ErrorCode::RateLimited),
        ("bad_message", ErrorCode::BadMessage),
        ("unknown_type", ErrorCode::UnknownType),
        ("unauthorized", ErrorCode::Unauthorized),
        ("forbidden", ErrorCode::Forbidden),
        ("invalid_room", ErrorCode::InvalidRoom),
        ("invalid_meta", ErrorCode::InvalidMeta),
        ("room_full", ErrorCode::RoomFull),
        ("too_many_rooms", ErrorCode::TooManyRooms),
        ("already_joined", ErrorCode::AlreadyJoined),
        ("not_in_room", ErrorCode::NotInRoom),
        ("peer_not_found", ErrorCode::PeerNotFound),
        ("unavailable", ErrorCode::Unavailable),
        ("internal", ErrorCode::Internal),
    ] {
        assert_eq!(code.to_string(), word);
        let bare = server::Error {
            code,
            message: "why".into(),
            room: None,
            to: None,
            retry_after_ms: None,
            id: None,
        };
        both_ways(&format!(r#"{{"type":"error","code":"{word}","message":"why"}}"#), bare.clone());
        both_ways(
            &format!(
                r#"{{"type":"error","code":"{word}","message":"why","room":"not a\nroom","to":"not a peer","retryAfterMs":250,"id":1}}"#
            ),
            server::Error {
                room: Some("not a\nroom".into()),
                to: Some("not a peer".into()),
                retry_after_ms: Some(250),
                id: Some(1),
                ..bare
            },
        );
    }
    // More may come.
    let text = r#"{"type":"error","code":"on_fire","message":"run"}"#;
    let ServerMessage::Error(error) = text.parse()? else { panic!("{text}") };
    assert_eq!(error.code, ErrorCode::Unknown);
    Ok(())
}

#[test]
fn members_come_in_any_order_and_company() -> TestResult {
    let text = "{ \"since\" : 7, \"more\":{\"since\":8},\"meta\" :{ },\"peer\":\"p\\u002d1\",\
                \"version\":7,\n\"ro\\u006fm\":\"r\",\"ty\\u0070e\":\"welc\\u006fme\"}";
    let ServerMessage::Welcome(welcome) = text.parse()? else { panic!("{text}") };
    assert_eq!((welcome.peer, welcome.since), ("p-1".parse()?, 7));
    assert_eq!(welcome.meta.as_str(), "{ }");
    Ok(())
}

#[test]
fn what_a_client_ignores() {
    for text in [r#"{"type":"fanfare","room":"r"}"#, r#"{"type":"join","room":"r"}"#] {
        let unknown = text.parse::<ServerMessage>();
        assert!(matches!(unknown, Err(InvalidServerMessage::UnknownType(_))), "{text}");
    }
    for text in [
        "",
        "hello",
        "[]",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"ack"}"#,
        r#"{"type":"ack","id":-1}"#,
        r#"{"type":"ack","id":null}"#,
        r#"{"type":"ack","id":1"#,
        r#"{"type":"missed","room":"","peer":"p"}"#,
        r#"{"type":"missed","room":"r","peer":"*"}"#,
        r#"{"type":"offer","room":"r","from":"p"}"#,
        r#"{"type":"ice","room":"r","from":"p"}"#,
        r#"{"type":"message","room":"r","from":"p"}"#,
        r#"{"type":"hello","peer":"p","session":"s","resumed":"perhaps"}"#,
    ] {
        let unreadable = text.parse::<ServerMessage>();
        assert!(matches!(unreadable, Err(InvalidServerMessage::Unreadable(_))), "{text}");
    }
    // However deep the nonsense, reading it ends.
    for text in ["[".repeat(100_000), r#"{"a":"#.repeat(100_000)] {
        assert!(text.parse::<ServerMessage>().is_err());
    }
}
