//! Every message of a client's, as raw JSON: the frame as a server reads it, and the owned type
//! there and back.

use noom_signal::protocol::{
    ClientMessage, Json, Request, RequestFrame, SessionSecret, Target, client,
};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// The frame, read as a server with the default limits reads it.
fn read(text: &str) -> RequestFrame<'_> {
    RequestFrame::parse(text, noom_signal::Limits::default().depth)
}

/// `text` is `message`, and `message` is `text`, byte for byte.
#[track_caller]
fn both_ways(text: &str, message: impl Into<ClientMessage>) {
    let message = message.into();
    assert_eq!(text.parse(), Ok(message.clone()));
    assert_eq!(message.to_frame().as_str(), text);
}

fn json(text: &str) -> Result<Json, serde_json::Error> {
    Json::from_text(text.into())
}

#[test]
fn hello() {
    let text = r#"{"type":"hello"}"#;
    let RequestFrame { id: None, room: None, to: None, counted: false, request: Ok(request) } =
        read(text)
    else {
        panic!("{:?}", read(text));
    };
    assert!(matches!(request, Request::Hello { token: None, resume: None, client: None }));
    both_ways(text, client::Hello::default());

    let text = r#"{"type":"hello","token":"t0ken","resume":{"session":"s3cr3t","received":42},"client":"noom-js/1.0","id":0}"#;
    let RequestFrame { id: Some(0), room: None, to: None, counted: false, request: Ok(request) } =
        read(text)
    else {
        panic!("{:?}", read(text));
    };
    let Request::Hello { token: Some(token), resume: Some(resume), client: Some(client) } = request
    else {
        panic!("{request:?}");
    };
    assert_eq!((&*token, &*resume.session, &*client), ("t0ken", "s3cr3t", "noom-js/1.0"));
    assert_eq!((resume.received, resume.attempt), (42, 0));
    both_ways(
        text,
        client::Hello {
            token: Some("t0ken".into()),
            resume: Some(client::Resume {
                session: SessionSecret::new("s3cr3t"),
                received: 42,
                attempt: None,
            }),
            client: Some("noom-js/1.0".into()),
            id: Some(0),
        },
    );
}

#[test]
fn join() -> TestResult {
    let text = r#"{"type":"join","room":"standup"}"#;
    let RequestFrame { id: None, room: Some(room), to: None, counted: true, request: Ok(request) } =
        read(text)
    else {
        panic!("{:?}", read(text));
    };
    assert_eq!(room, "standup");
    assert!(matches!(request, Request::Join { meta: None, token: None }));
    both_ways(text, client::Join { room: "standup".parse()?, meta: None, token: None, id: None });

    let text = r#"{"type":"join","room":"standup","meta":{"name":"Mina"},"token":"r00m","id":1}"#;
    let frame = read(text);
    assert_eq!(frame.id, Some(1));
    let Ok(Request::Join { meta: Some(meta), token: Some(token) }) = frame.request else {
        panic!("{frame:?}");
    };
    assert_eq!((meta.get(), &*token), (r#"{"name":"Mina"}"#, "r00m"));
    both_ways(
        text,
        client::Join {
            room: "standup".parse()?,
            meta: Some(json(r#"{"name":"Mina"}"#)?),
            token: Some("r00m".into()),
            id: Some(1),
        },
    );
    Ok(())
}

#[test]
fn update() -> TestResult {
    let text = r#"{"type":"update","room":"standup","meta":{"hand":true},"id":2}"#;
    let RequestFrame {
        id: Some(2),
        room: Some(room),
        to: None,
        counted: true,
        request: Ok(request),
    } = read(text)
    else {
        panic!("{:?}", read(text));
    };
    assert_eq!(room, "standup");
    let Request::Update { meta: Some(meta) } = request else { panic!("{request:?}") };
    assert_eq!(meta.get(), r#"{"hand":true}"#);
    let meta = json(r#"{"hand":true}"#)?;
    both_ways(text, client::Update { room: "standup".parse()?, meta, id: Some(2) });

    // Without `meta` the default takes the place of what was there.
    let message: ClientMessage = r#"{"type":"update","room":"standup"}"#.parse()?;
    let meta = Json::empty_object();
    assert_eq!(message, client::Update { room: "standup".parse()?, meta, id: None }.into());
    Ok(())
}

#[test]
fn leave() -> TestResult {
    let text = r#"{"type":"leave","room":"standup","id":3}"#;
    let RequestFrame {
        id: Some(3),
        room: Some(room),
        to: None,
        counted: true,
        request: Ok(Request::Leave),
    } = read(text)
    else {
        panic!("{:?}", read(text));
    };
    assert_eq!(room, "standup");
    both_ways(text, client::Leave { room: "standup".parse()?, id: Some(3) });
    Ok(())
}

#[test]
fn offer_and_answer() -> TestResult {
    let text = r#"{"type":"offer","room":"standup","to":"p-1","sdp":"v=0\r\no=- 1","id":4}"#;
    let frame = read(text);
    let RequestFrame { id: Some(4), counted: true, request: Ok(Request::Offer { sdp }), .. } =
        frame
    else {
        panic!("{frame:?}");
    };
    assert_eq!((frame.room.as_deref(), frame.to.as_deref()), (Some("standup"), Some("p-1")));
    assert_eq!(sdp.get(), r#""v=0\r\no=- 1""#);
    let (room, to, sdp) = ("standup".parse()?, "p-1".parse()?, "v=0\r\no=- 1".to_owned());
    both_ways(text, client::Offer { room, to, sdp, id: Some(4) });

    let text = r#"{"type":"answer","room":"standup","to":"p-1","sdp":""}"#;
    let frame = read(text);
    let RequestFrame { id: None, counted: true, request: Ok(Request::Answer { sdp }), .. } = frame
    else {
        panic!("{frame:?}");
    };
    assert_eq!((frame.room.as_deref(), frame.to.as_deref()), (Some("standup"), Some("p-1")));
    assert_eq!(sdp.get(), r#""""#);
    let (room, to) = ("standup".parse()?, "p-1".parse()?);
    both_ways(text, client::Answer { room, to, sdp: String::new(), id: None });
    Ok(())
}

#[test]
fn ice() -> TestResult {
    for candidate in [
        r#"{"candidate":"candidate:1 1 UDP 1 192.0.2.2 9 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"x"}"#,
        "{}",
        "null",
    ] {
        let text = format!(
            r#"{{"type":"ice","room":"standup","to":"p-1","candidate":{candidate},"id":5}}"#
        );
        let frame = read(&text);
        let RequestFrame {
            id: Some(5),
            counted: true,
            request: Ok(Request::Ice { candidate: read }),
            ..
        } = frame
        else {
            panic!("{frame:?}");
        };
        assert_eq!((frame.room.as_deref(), frame.to.as_deref()), (Some("standup"), Some("p-1")));
        assert_eq!(read.get(), candidate);
        let (room, to) = ("standup".parse()?, "p-1".parse()?);
        both_ways(&text, client::Ice { room, to, candidate: json(candidate)?, id: Some(5) });
    }
    Ok(())
}

#[test]
fn message() -> TestResult {
    for data in ["null", "true", "-1.50e+3", r#""text""#, "[]", r#"{"type":"hello"}"#] {
        for (to, target) in [("p-1", Target::Peer("p-1".parse()?)), ("*", Target::Everyone)] {
            let text = format!(
                r#"{{"type":"message","room":"standup","to":"{to}","data":{data},"id":6}}"#
            );
            let frame = read(&text);
            let RequestFrame {
                id: Some(6),
                counted: true,
                request: Ok(Request::Message { data: read }),
                ..
            } = frame
            else {
                panic!("{frame:?}");
            };
            assert_eq!((frame.room.as_deref(), frame.to.as_deref()), (Some("standup"), Some(to)));
            assert_eq!(read.get(), data);
            let room = "standup".parse()?;
            both_ways(&text, client::Message { room, to: target, data: json(data)?, id: Some(6) });
        }
    }
    Ok(())
}

#[test]
fn lobby() {
    for watch in [true, false] {
        let text = format!(r#"{{"type":"lobby","watch":{watch},"id":7}}"#);
        let frame = read(&text);
        let RequestFrame { id: Some(7), room: None, to: None, counted: true, request: Ok(request) } =
            frame
        else {
            panic!("{frame:?}");
        };
        assert!(matches!(request, Request::Lobby { watch: w } if w == watch), "{request:?}");
        both_ways(&text, client::Lobby { watch, id: Some(7) });
    }
}

#[test]
fn ice_servers() {
    let text = r#"{"type":"iceServers","id":9007199254740991}"#;
    let frame = read(text);
    assert!(frame.counted);
    assert!(matches!(frame.request, Ok(Request::IceServers)), "{frame:?}");
    both_ways(text, client::IceServers { id: Some((1 << 53) - 1) });
    both_ways(r#"{"type":"iceServers"}"#, client::IceServers { id: None });
}

#[test]
fn ping() {
    for (text, received) in
        [(r#"{"type":"ping"}"#, None), (r#"{"type":"ping","received":57}"#, Some(57))]
    {
        let frame = read(text);
        assert!(!frame.counted);
        assert!(
            matches!(frame.request, Ok(Request::Ping { received: r }) if r == received),
            "{frame:?}"
        );
        both_ways(text, client::Ping { received });
    }
}

#[test]
fn a_ping_has_no_id_so_that_any_is_ignored() {
    for id in ["1", "-1", "1.5", "null", r#""1""#, "[]"] {
        let text = format!(r#"{{"type":"ping","id":{id},"received":3}}"#);
        let RequestFrame {
            id: None,
            counted: false,
            request: Ok(Request::Ping { received: Some(3) }),
            ..
        } = read(&text)
        else {
            panic!("{:?}", read(&text));
        };
        both_ways(r#"{"type":"ping","received":3}"#, client::Ping { received: Some(3) });
    }
}

#[test]
fn members_come_in_any_order_spelling_and_company() -> TestResult {
    let text = "\t{ \"more\" : [1, {\"type\": 0}] , \"sdp\":\"s\",\r\n\"to\"\n:\"p\\u002d1\", \
                \"ro\\u006fm\":\"caf\\u00e9 \\ud83d\\ude00\",\"\":0,\"ty\\u0070e\":\"of\\u0066er\"} \n";
    let frame = read(text);
    let RequestFrame { id: None, counted: true, request: Ok(Request::Offer { sdp }), .. } = frame
    else {
        panic!("{frame:?}");
    };
    assert_eq!(frame.room.as_deref(), Some("café 😀"));
    assert_eq!(frame.to.as_deref(), Some("p-1"));
    assert_eq!(sdp.get(), r#""s""#);
    let (room, to) = ("café 😀".parse()?, "p-1".parse()?);
    let message: ClientMessage = text.parse()?;
    assert_eq!(message, client::Offer { room, to, sdp: "s".into(), id: None }.into());
    Ok(())
}

#[test]
fn members_of_other_messages_are_ignored_whatever_they_hold() {
    // Each is ill-typed where it belongs.
    let foreign = r#""to":5,"sdp":null,"candidate":1,"data":[],"meta":7,"token":{},"received":-1,"resume":[],"session":0,"client":false"#;
    let text = format!(r#"{{"type":"lobby","watch":true,"room":null,{foreign}}}"#);
    let frame = read(&text);
    assert!(matches!(frame.request, Ok(Request::Lobby { watch: true })), "{frame:?}");
    assert_eq!((frame.room, frame.to), (None, None));
}

#[test]
fn payloads_keep_every_byte() -> TestResult {
    let objects = [
        r#"{ "a" : 1e999 , "b":-0, "c":1.0e+0,"a":[ ], "\u0061" : "\/\u00e9" }"#,
        "{\n\t\"big\":123456789012345678901234567890,\"type\":\"type\",\"type\":\"type\" }",
        r#"{"😀":"\ud83d\ude00","not a surrogate":"\\ud800"}"#,
    ];
    for object in objects {
        let text = format!(r#"{{"type":"join","room":"r","meta": {object} }}"#);
        let Ok(Request::Join { meta: Some(meta), .. }) = read(&text).request else {
            panic!("{text}");
        };
        assert_eq!(meta.get(), object);
        let Ok(ClientMessage::Join(join)) = text.parse() else { panic!("{text}") };
        assert_eq!(join.meta, Some(json(object)?));

        let text = format!(r#"{{"type":"ice","room":"r","to":"p","candidate":{object}}}"#);
        let Ok(Request::Ice { candidate }) = read(&text).request else { panic!("{text}") };
        assert_eq!(candidate.get(), object);

        let array = format!("[ {object}\r\n, 1E5,-0.0 ]");
        let text = format!(r#"{{"type":"message","room":"r","to":"*","data":{array}}}"#);
        let Ok(Request::Message { data }) = read(&text).request else { panic!("{text}") };
        assert_eq!(data.get(), array);
        both_ways(
            &text,
            client::Message {
                room: "r".parse()?,
                to: Target::Everyone,
                data: json(&array)?,
                id: None,
            },
        );
    }

    // A description too is passed on in the spelling it came in.
    let sdp = r#""v=0\r\n\u0061=\/\ud83d\ude00""#;
    let text = format!(r#"{{"type":"offer","room":"r","to":"p","sdp":{sdp}}}"#);
    let Ok(Request::Offer { sdp: kept }) = read(&text).request else { panic!("{text}") };
    assert_eq!(kept.get(), sdp);
    let Ok(ClientMessage::Offer(offer)) = text.parse() else { panic!("{text}") };
    assert_eq!(offer.sdp, "v=0\r\na=/😀");
    Ok(())
}

#[test]
fn a_frame_names_rooms_and_peers_that_the_owned_types_refuse() {
    // Whether they are any is for the room to say, with its own error codes.
    for (room, to) in [("", "p"), ("a\\u0000", "p"), ("r", ""), ("r", "no peer"), ("r", "*")] {
        let text = format!(r#"{{"type":"offer","room":"{room}","to":"{to}","sdp":"s"}}"#);
        assert!(matches!(read(&text).request, Ok(Request::Offer { .. })), "{text}");
        assert!(text.parse::<ClientMessage>().is_err(), "{text}");
    }
    let long = format!(r#"{{"type":"join","room":"{}"}}"#, "r".repeat(129));
    assert!(matches!(read(&long).request, Ok(Request::Join { .. })));
    assert!(long.parse::<ClientMessage>().is_err());
}
