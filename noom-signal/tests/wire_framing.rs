//! What the framing refuses of any message, as raw JSON: names that repeat, lone surrogates, depth.

mod wire;

use noom_signal::protocol::{Request, RequestFrame};
use wire::{DEPTH, bad, good, read};

#[test]
fn a_member_name_stands_once() {
    // Known and unknown names, in every spelling, with like and unlike values.
    for (text, id, room) in [
        (r#"{"type":"leave","type":"leave","room":"r","id":1}"#, Some(1), Some("r")),
        (r#"{"type":"leave","room":"r","id":1,"ty\u0070e":"join"}"#, Some(1), Some("r")),
        (r#"{"type":"leave","room":"r","room":"r","id":1}"#, Some(1), None),
        (r#"{"type":"leave","room":"r","id":1,"id":1}"#, None, Some("r")),
        (r#"{"type":"leave","room":"r","id":1,"id":2,"\u0069d":3}"#, None, Some("r")),
        (r#"{"type":"leave","room":"r","id":1,"x":0,"x":0}"#, Some(1), Some("r")),
        (r#"{"type":"leave","room":"r","id":1,"x":0,"\u0078":[]}"#, Some(1), Some("r")),
        (r#"{"type":"leave","room":"r","id":1,"":0,"":0}"#, Some(1), Some("r")),
        (r#"{"type":"leave","room":"r","id":1,"é":0,"\u00e9":0}"#, Some(1), Some("r")),
        (r#"{"type":"leave","room":"r","id":1,"😀":0,"\ud83d\uDE00":0}"#, Some(1), Some("r")),
        (r#"{"type":"leave","room":"r","id":1,"sdp":0,"sdp":0}"#, Some(1), Some("r")),
    ] {
        let frame = bad(text);
        assert_eq!((frame.id, frame.room.as_deref()), (id, room), "{text}");
        assert!(frame.counted, "{text}");
    }
    // Names are compared as they are: neither case nor accents are folded.
    good(r#"{"type":"leave","room":"r","Room":1,"ROOM":2,"x":0,"X":0,"é":0,"e\u0301":0,"x ":0}"#);
}

#[test]
fn deeper_down_names_may_repeat() {
    for text in [
        r#"{"type":"message","room":"r","to":"p","data":{"a":1,"a":2,"type":0,"type":0}}"#,
        r#"{"type":"ice","room":"r","to":"p","candidate":{"candidate":"","candidate":""}}"#,
        r#"{"type":"join","room":"r","meta":{"a":{"a":1,"a":2},"a":3}}"#,
        r#"{"type":"leave","room":"r","ignored":{"room":1,"room":2}}"#,
        r#"{"type":"leave","room":"r","ignored":[{"x":1,"x":2}]}"#,
    ] {
        good(text);
    }
}

#[test]
fn lone_surrogates_are_refused_wherever_they_stand() {
    for lone in [r"\ud800", r"\uDFFF", r"\udc00\ud800", r"\ud800\ud800\udc00", r"a\udbff\\udc00"] {
        for text in [
            format!(r#"{{"type":"message","room":"r","to":"p","id":1,"data":"{lone}"}}"#),
            format!(r#"{{"type":"message","room":"r","to":"p","id":1,"data":{{"{lone}":0}}}}"#),
            format!(r#"{{"type":"message","room":"r","to":"p","id":1,"data":[[["{lone}"]]]}}"#),
            format!(r#"{{"type":"offer","room":"r","to":"p","id":1,"sdp":"v=0{lone}"}}"#),
            format!(r#"{{"type":"leave","room":"r","to":"p","id":1,"ignored":"{lone}"}}"#),
            format!(r#"{{"type":"leave","room":"r","to":"p","id":1,"ignored":{{"{lone}":0}}}}"#),
            format!(r#"{{"type":"leave","room":"r","to":"p","id":1,"{lone}":0}}"#),
            format!(r#"{{"type":"leave","room":"r","to":"p","id":1,"{lone}":0,"{lone}":0}}"#),
            format!(r#"{{"type":"{lone}","room":"r","to":"p","id":1}}"#),
        ] {
            let frame = bad(&text);
            assert!(frame.counted, "{text}");
            assert_eq!(frame.id, Some(1), "{text}");
            assert_eq!(frame.room.as_deref(), Some("r"), "{text}");
            assert_eq!(frame.to.as_deref(), Some("p"), "{text}");
        }
        // The room itself is not readable then.
        let text = format!(r#"{{"type":"leave","room":"{lone}","id":1}}"#);
        let frame = bad(&text);
        assert_eq!((frame.id, frame.room), (Some(1), None), "{text}");
    }
    for fine in [r"\ud83d\ude00", r"\\ud800", r"\\\\udc00", r"\uD7FF\uE000", "😀", r"\\"] {
        let text =
            format!(r#"{{"type":"message","room":"r","to":"p","data":"{fine}","{fine}":0}}"#);
        let Ok(Request::Message { data }) = good(&text).request else { panic!("{text}") };
        assert_eq!(data.get(), format!("\"{fine}\""));
    }
}

fn nested(levels: usize) -> String {
    let open: String = "[{\"a\":".chars().cycle().take(levels / 2 * 6).collect();
    let odd = levels % 2;
    format!("{open}{}0{}{}", "[".repeat(odd), "]".repeat(odd), "}]".repeat(levels / 2))
}

#[test]
fn nesting_ends_at_the_limit() {
    let places = [
        r#"{"type":"message","room":"r","to":"p","id":1,"data":@}"#,
        r#"{"data":@,"type":"message","room":"r","to":"p","id":1}"#,
        r#"{"type":"join","room":"r","id":1,"meta":{"a":@}}"#,
        r#"{"type":"ice","room":"r","to":"p","id":1,"candidate":{"a":@}}"#,
        r#"{"type":"leave","room":"r","id":1,"ignored":@}"#,
        r#"{"type":"leave","room":"r","id":1,"data":@}"#,
    ];
    for place in places {
        // The message itself is level 1; `meta` and `candidate` are level 2.
        let above = 1 + usize::from(place.contains("{\"a\":"));
        good(&place.replace('@', &nested(DEPTH - above)));
        let text = place.replace('@', &nested(DEPTH - above + 1));
        let frame = bad(&text);
        assert!(frame.counted, "{text}");
        assert_eq!((frame.id, frame.room.as_deref()), (Some(1), Some("r")), "{text}");
        bad(&place.replace('@', &nested(100_000)));
    }
    // Breadth is not depth, and what stands in a string does not nest.
    let broad = nested(DEPTH - 2) + ",";
    good(&format!(r#"{{"type":"leave","room":"r","ignored":[{}0]}}"#, broad.repeat(100)));
    let quoted = r#"[{\"[\\"#.repeat(100);
    good(&format!(r#"{{"type":"leave","room":"r","{quoted}":["{quoted}"]}}"#));
    // The limit is the caller's.
    let text = r#"{"type":"leave","room":"r","ignored":[[]]}"#;
    assert!(RequestFrame::parse(text, 3).request.is_ok());
    assert!(RequestFrame::parse(text, 2).request.is_err());
    // Too deep, and not JSON either.
    bad(&"[".repeat(100_000));
    bad(&r#"{"a":"#.repeat(100_000));
}

#[test]
fn type_decides_what_counts_unless_framing_refuses() {
    for kind in ["hello", "ping", "pong", "goaway"] {
        for (members, counted) in [
            ("", false),
            // An ill-typed member is refused, but no matter of framing.
            (r#","token":5,"received":"x""#, false),
            (r#","id":-1"#, false),
            (r#","x":0,"x":0"#, true),
            (r#","id":1,"id":2"#, true),
            (r#","x":"\ud800""#, true),
            (r#","\ud800":0"#, true),
            (&format!(r#","x":{}"#, nested(DEPTH)), true),
            (r#","x":"#, true),
        ] {
            let text = format!(r#"{{"type":"{kind}"{members}}}"#);
            assert_eq!(read(&text).counted, counted, "{text}");
        }
    }
    for kind in ["lobby", "joined", "iceServers", "leave", "Ping"] {
        assert!(read(&format!(r#"{{"type":"{kind}"}}"#)).counted, "{kind}");
    }
    // Of a type that stands twice, neither is the type.
    assert!(read(r#"{"type":"ping","type":"ping"}"#).counted);
}

#[test]
fn hostile_sizes_take_linear_time() {
    // Each is far over the longest message, so that quadratic work would be noticed by anyone.
    const SIZE: usize = 1 << 20;

    // Short unknown members: all are told apart, and the last one that repeats is found.
    let mut members = String::with_capacity(SIZE + 32);
    let mut names = 0;
    while members.len() < SIZE {
        members += &format!(r#","{names:x}":0"#);
        names += 1;
    }
    assert!(names > 100_000);
    good(&format!(r#"{{"type":"leave","room":"r"{members}}}"#));
    let frame = format!(r#"{{"type":"leave","room":"r","id":1{members},"{:x}":0}}"#, names - 1);
    assert_eq!(bad(&frame).id, Some(1));
    let repeated = r#","x":0"#.repeat(SIZE / 6);
    bad(&format!(r#"{{"type":"leave","room":"r"{repeated}}}"#));

    // Backslashes: every second is escaped by the one before, in each place that could be read
    // twice.
    let backslashes = r"\\".repeat(SIZE / 2);
    let text = format!(r#"{{"type":"message","room":"r","to":"*","data":"{backslashes}u"}}"#);
    let Ok(Request::Message { data }) = good(&text).request else { panic!("not a message") };
    assert_eq!(data.get().len(), SIZE + 3);
    good(&format!(r#"{{"type":"leave","room":"r","{backslashes}":"{}"}}"#, "[".repeat(40)));
    bad(&format!(r#"{{"type":"leave","room":"r","x":"{backslashes}\ud800"}}"#));
    bad(&format!(r#"{{"type":"leave","room":"r","x":"{backslashes}"#));
    for escape in [r"\\u", r"\u005c", r"\ud83d\ude00", r"\\\u005c", r"\\\\u"] {
        let escapes = escape.repeat(SIZE / escape.len());
        good(&format!(r#"{{"type":"leave","room":"r","x":"{escapes}"}}"#));
        bad(&format!(r#"{{"type":"leave","room":"r","x":"{escapes}\udc00"}}"#));
    }

    // Brackets, as many as fit.
    good(&format!(r#"{{"type":"leave","room":"r","x":"{}"}}"#, "[".repeat(SIZE)));
    good(&format!(r#"{{"type":"leave","room":"r","x":[{}0]}}"#, "[],".repeat(SIZE / 3)));
    bad(&format!(r#"{{"type":"leave","room":"r","x":{}}}"#, nested(SIZE / 7 * 2)));
}
