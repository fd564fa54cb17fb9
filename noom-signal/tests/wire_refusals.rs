//! Messages that lack something or say it wrongly, as raw JSON, and what the server still reads of
//! them.

mod wire;

use noom_signal::protocol::{ClientMessage, Refusal, Request};
use wire::{bad, good, read};

#[test]
fn what_is_not_a_json_object() {
    let texts = [
        "",
        " ",
        "hello",
        "null",
        "true",
        "17",
        r#""hello""#,
        "[]",
        r#"[{"type":"leave","room":"r","id":1}]"#,
        "{",
        r#"{"type":"leave","room":"r","id":1"#,
        r#"{"type":"leave","room":"r","id":1,}"#,
        r#"{"type":"leave","room":"r","id":1} {}"#,
        r#"{"type":"leave","room":"r","id":1}x"#,
        r#"{"type":"leave" "room":"r","id":1}"#,
        r#"{type:"leave","room":"r","id":1}"#,
        r#"{'type':'leave','room':'r','id':1}"#,
        r#"{"type":"leave","room":"r","id":1,"x":undefined}"#,
        r#"{"type":"leave","room":"r","id":1,"x":NaN}"#,
        r#"{"type":"leave","room":"r","id":1,"x":.5}"#,
        r#"{"type":"leave","room":"r","id":1,"x":01}"#,
        r#"{"type":"leave","room":"r","id":1,"x":"\x"}"#,
        r#"{"type":"leave","room":"r","id":1,"x":"\u00g0"}"#,
        r#"{"type":"leave","room":"r","id":1,"x":"\u+123"}"#,
        "{\"type\":\"leave\",\"room\":\"r\",\"id\":1,\"x\":\"\n\"}",
        "{\"type\":\"leave\",\"room\":\"r\",\"id\":1,\"\n\":0}",
        "{\"type\":\"leave\",\"room\":\"r\u{0}\",\"id\":1}",
        "\u{feff}{\"type\":\"leave\",\"room\":\"r\",\"id\":1}",
        "{\"type\":\"leave\",\u{a0}\"room\":\"r\",\"id\":1}",
        r#"{"type":"leave","room":"r","id":1,"x":1 /* why */}"#,
        r#"{1:2,"type":"leave","room":"r","id":1}"#,
    ];
    for text in texts {
        let frame = bad(text);
        assert!(frame.counted, "{text}");
        assert_eq!((frame.id, frame.room, frame.to), (None, None, None), "{text}");
    }
    // A value of another kind is not quoted in the reason, however long it is.
    bad(&format!("\"{}\"", r"\\".repeat(30_000)));
    bad(&format!("\"{}\"", "x".repeat(60_000)));
}

#[test]
fn type_missing_or_not_a_string() {
    for text in [
        r#"{"room":"r","to":"p","id":1}"#,
        r#"{"type":null,"room":"r","to":"p","id":1}"#,
        r#"{"type":5,"room":"r","to":"p","id":1}"#,
        r#"{"type":["hello"],"room":"r","to":"p","id":1}"#,
        r#"{"Type":"hello","room":"r","to":"p","id":1}"#,
    ] {
        let frame = bad(text);
        assert!(frame.counted, "{text}");
        assert_eq!(frame.id, Some(1), "{text}");
        assert_eq!((frame.room.as_deref(), frame.to.as_deref()), (Some("r"), Some("p")), "{text}");
    }
    let frame = bad("{}");
    assert!(frame.counted);
    assert_eq!(frame.id, None);
}

#[test]
fn unknown_types() {
    for kind in ["welcome", "Hello", "hello ", "", "joined", "error", "ack", "*", "\\u0000"] {
        let text = format!(r#"{{"type":"{kind}","room":"r","to":"p","id":1}}"#);
        let frame = read(&text);
        assert!(matches!(frame.request, Err(Refusal::UnknownType)), "{frame:?}");
        assert!(frame.counted, "{text}");
        assert_eq!(frame.id, Some(1), "{text}");
        assert_eq!((frame.room.as_deref(), frame.to.as_deref()), (Some("r"), Some("p")), "{text}");
        assert!(text.parse::<ClientMessage>().is_err(), "{text}");
    }
    // Known in the other direction only, where they do not count either.
    for kind in ["pong", "goaway"] {
        let text = format!(r#"{{"type":"{kind}"}}"#);
        assert!(matches!(read(&text).request, Err(Refusal::UnknownType)), "{text}");
        assert!(!read(&text).counted, "{text}");
    }
    // What is ill-typed in every message comes before.
    assert!(bad(r#"{"type":"welcome","id":-1}"#).counted);
}

/// One value of each kind of JSON.
const KINDS: [(&str, &str); 6] = [
    ("null", "null"),
    ("boolean", "true"),
    ("number", "7"),
    ("string", r#""text""#),
    ("array", "[]"),
    ("object", "{}"),
];
const EVERY: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

/// A member of a message: its name, a value that fits, the kinds that it may be of.
type Slot = (&'static str, &'static str, &'static [&'static str]);

/// Each message with the members it must have and those it may have.
#[allow(clippy::type_complexity)]
const MESSAGES: [(&str, &[Slot], &[Slot]); 11] = [
    ("hello", &[], &[TOKEN, ("client", r#""c/1""#, &["string"]), RESUME]),
    ("join", &[ROOM], &[("meta", "{}", &["object"]), TOKEN]),
    ("update", &[ROOM], &[("meta", "{}", &["object"])]),
    ("leave", &[ROOM], &[]),
    ("offer", &[ROOM, TO, ("sdp", r#""v=0""#, &["string"])], &[]),
    ("answer", &[ROOM, TO, ("sdp", r#""v=0""#, &["string"])], &[]),
    ("ice", &[ROOM, TO, ("candidate", "{}", &["object", "null"])], &[]),
    ("message", &[ROOM, TO, ("data", "[0]", &EVERY)], &[]),
    ("lobby", &[("watch", "true", &["boolean"])], &[]),
    ("iceServers", &[], &[]),
    ("ping", &[], &[("received", "5", &["number"])]),
];
const ROOM: Slot = ("room", r#""r""#, &["string"]);
const TO: Slot = ("to", r#""p""#, &["string"]);
const TOKEN: Slot = ("token", r#""t""#, &["string"]);
/// No value of `KINDS` fits: an object needs both members.
const RESUME: Slot = ("resume", r#"{"session":"s","received":1}"#, &[]);

fn frame_of(kind: &str, members: &[(&str, &str)]) -> String {
    let mut text = format!(r#"{{"type":"{kind}""#);
    for (name, value) in members {
        text += &format!(r#","{name}":{value}"#);
    }
    text + "}"
}

#[test]
fn members_missing_or_ill_typed_each_in_turn() {
    let mut refused = 0;
    for (kind, required, optional) in MESSAGES {
        let all: Vec<_> = required.iter().chain(optional).collect();
        let mut members: Vec<_> = all.iter().map(|slot| (slot.0, slot.1)).collect();
        members.push(("id", "9"));
        let id = (kind != "ping").then_some(9);
        let counts = !matches!(kind, "hello" | "ping");
        assert_eq!(good(&frame_of(kind, &members)).id, id);

        for (at, (name, _, kinds)) in all.into_iter().enumerate() {
            let mut without = members.clone();
            without.remove(at);
            let text = frame_of(kind, &without);
            if at < required.len() {
                let frame = bad(&text);
                assert_eq!((frame.id, frame.counted), (id, counts), "{text}");
                refused += 1;
            } else {
                good(&text);
            }
            for (value_kind, value) in KINDS {
                let mut changed = members.clone();
                changed[at].1 = value;
                let text = frame_of(kind, &changed);
                if kinds.contains(&value_kind) {
                    good(&text);
                } else {
                    let frame = bad(&text);
                    assert_eq!((frame.id, frame.counted), (id, counts), "{text} ({name})");
                    refused += 1;
                }
            }
        }
    }
    assert_eq!(refused, 126);
}

#[test]
fn resume_needs_both_of_its_members() {
    for resume in [
        r#"{"session":"s"}"#,
        r#"{"received":1}"#,
        r#"{"session":null,"received":1}"#,
        r#"{"session":5,"received":1}"#,
        r#"{"session":"s","received":null}"#,
        r#"{"session":"s","received":"1"}"#,
        r#"{"session":"s","received":-1}"#,
        r#"{"session":"s","received":1.0}"#,
        r#"{"session":"s","received":9007199254740992}"#,
        // Which of the two is meant?
        r#"{"session":"s","session":"s","received":1}"#,
        r#"{"session":"s","received":1,"rec\u0065ived":1}"#,
        r#"{"session":"s","received":1,"attempt":-1}"#,
        r#"{"session":"s","received":1,"attempt":null}"#,
    ] {
        let text = format!(r#"{{"type":"hello","resume":{resume},"id":9}}"#);
        assert_eq!(bad(&text).id, Some(9), "{text}");
    }
    let text = r#"{"type":"hello","resume":{"more":0,"more":0,"received":0,"session":"\u0073"}}"#;
    let Ok(Request::Hello { resume: Some(resume), .. }) = good(text).request else {
        panic!("{text}");
    };
    assert_eq!((&*resume.session, resume.received, resume.attempt), ("s", 0, 0));
}

#[test]
fn an_id_is_an_integer_literal_from_0_to_2_to_the_53_less_1() {
    for (literal, id) in [
        ("0", 0),
        ("1", 1),
        ("4294967296", 1 << 32),
        ("9007199254740990", (1 << 53) - 2),
        ("9007199254740991", (1 << 53) - 1),
    ] {
        let text = format!(r#"{{"type":"leave","room":"r","id":{literal}}}"#);
        assert_eq!(good(&text).id, Some(id));
    }
    for other in [
        "9007199254740992",
        "18446744073709551616",
        "99999999999999999999999999999999999999",
        "-1",
        "-0",
        "0.0",
        "1.0",
        "1e3",
        "1E0",
        "1e999",
        r#""1""#,
        r#""""#,
        "null",
        "false",
        "[1]",
        "{}",
    ] {
        let text = format!(r#"{{"type":"leave","room":"r","id":{other}}}"#);
        let frame = bad(&text);
        assert_eq!(frame.id, None, "{text}");
        assert_eq!(frame.room.as_deref(), Some("r"), "{text}");
        assert!(frame.counted, "{text}");
        let text = format!(r#"{{"type":"ping","received":{other}}}"#);
        assert!(!bad(&text).counted, "{text}");
    }
}
