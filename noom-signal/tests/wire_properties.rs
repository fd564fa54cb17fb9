//! What is true of every text and every message: nothing panics, messages survive the wire, and
//! the scans for depth and surrogates agree with a model that never looks at the text.

use noom_signal::protocol::{
    ClientMessage, Json, PeerId, RequestFrame, RoomName, ServerMessage, SessionSecret, Target,
    client,
};
use proptest::prelude::*;

/// Texts of a parser's favourite pieces, many of them nearly a message.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\""),
        Just("\\"),
        Just(r"\u"),
        Just(r"\ud83d"),
        Just(r"\ude00"),
        Just("d800"),
        Just("null"),
        Just("-0"),
        Just("1e3"),
        Just(" "),
        Just("é😀"),
        Just("\u{0}"),
        Just(r#""type":"#),
        Just(r#""offer""#),
        Just(r#""ping","#),
        Just(r#""id":1,"#),
        Just(r#""room":"r","#),
        Just(r#""to":"p","#),
        Just(r#"{"type":"message","room":"r","to":"*","data":"#),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn read_every_way(text: &str) {
    let frame = RequestFrame::parse(text, 32);
    let _ = format!("{frame:?}");
    let owned = text.parse::<ClientMessage>();
    assert!(frame.request.is_ok() || owned.is_err());
    let _ = text.parse::<ServerMessage>().map(|message| message.to_frame());
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        read_every_way(&text);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_every_way(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn nothing_nearly_json_panics(text in nearly_json()) {
        read_every_way(&text);
    }

    #[test]
    fn a_cut_or_changed_message_does_not_panic(
        message in message(),
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
    ) {
        let text = message.to_frame().as_str().to_owned();
        let mut at = at.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let (head, tail) = text.split_at(at);
        read_every_way(head);
        read_every_way(tail);
        read_every_way(&format!("{head}{with}{tail}"));
    }

    #[test]
    fn every_message_survives_the_wire(message in message()) {
        let frame = message.to_frame();
        prop_assert_eq!(frame.as_str().parse::<ClientMessage>(), Ok(message));
    }

    #[test]
    fn depth_and_surrogates_agree_with_the_model(node in node(), limit in 1_usize..10) {
        let mut value = String::new();
        node.write(&mut value);
        // Below, not up to: the message itself is a level.
        let fine = node.depth() < limit && !node.has_lone_surrogate();
        for text in [
            format!(r#"{{"type":"message","room":"r","to":"*","data":{value}}}"#),
            format!(r#"{{"type":"leave","room":"r","ignored":{value}}}"#),
        ] {
            let frame = RequestFrame::parse(&text, limit);
            prop_assert_eq!(frame.request.is_ok(), fine, "{} within {}", text, limit);
        }
    }
}

fn message() -> impl Strategy<Value = ClientMessage> {
    let room =
        || "[^\\p{Cc}]{1,24}".prop_filter_map("a name", |name| name.parse::<RoomName>().ok());
    let peer = || "[A-Za-z0-9_-]{1,64}".prop_filter_map("an id", |id| id.parse::<PeerId>().ok());
    let target = || prop_oneof![peer().prop_map(Target::Peer), Just(Target::Everyone)];
    let number = || 0..1_u64 << 53;
    let id = move || prop::option::of(number());
    let text = any::<String>;
    prop_oneof![
        (
            prop::option::of(text()),
            prop::option::of((text(), number(), prop::option::of(1..1_u64 << 53))),
            prop::option::of(text()),
            id()
        )
            .prop_map(|(token, resume, client, id)| {
                let resume = resume.map(|(session, received, attempt)| client::Resume {
                    session: SessionSecret::new(session),
                    received,
                    attempt,
                });
                client::Hello { token, resume, client, id }.into()
            }),
        (room(), prop::option::of(object()), prop::option::of(text()), id())
            .prop_map(|(room, meta, token, id)| client::Join { room, meta, token, id }.into()),
        (room(), object(), id())
            .prop_map(|(room, meta, id)| client::Update { room, meta, id }.into()),
        (room(), id()).prop_map(|(room, id)| client::Leave { room, id }.into()),
        (room(), peer(), text(), id()).prop_map(|(room, to, sdp, id)| client::Offer {
            room,
            to,
            sdp,
            id
        }
        .into()),
        (room(), peer(), text(), id()).prop_map(|(room, to, sdp, id)| client::Answer {
            room,
            to,
            sdp,
            id
        }
        .into()),
        (room(), peer(), prop_oneof![object(), Just(null())], id())
            .prop_map(|(room, to, candidate, id)| client::Ice { room, to, candidate, id }.into()),
        (room(), target(), value(), id()).prop_map(|(room, to, data, id)| client::Message {
            room,
            to,
            data,
            id
        }
        .into()),
        (any::<bool>(), id()).prop_map(|(watch, id)| client::Lobby { watch, id }.into()),
        id().prop_map(|id| client::IceServers { id }.into()),
        prop::option::of(number()).prop_map(|received| client::Ping { received }.into()),
    ]
}

fn null() -> Json {
    Json::of(&()).unwrap_or_else(|error| panic!("{error}"))
}

/// Any JSON value that the framing passes, in any spelling.
fn value() -> impl Strategy<Value = Json> {
    node().prop_filter_map("refused by the framing", |node| {
        let mut text = String::new();
        node.write(&mut text);
        Json::from_text(text).ok().filter(|_| !node.has_lone_surrogate())
    })
}

fn object() -> impl Strategy<Value = Json> {
    value().prop_filter_map("no object", |value| {
        let text = value.as_str();
        if text.starts_with('{') {
            Some(value)
        } else {
            Json::from_text(format!(r#"{{ "value": {text}}}"#)).ok()
        }
    })
}

/// A JSON value as it is spelled.
#[derive(Debug, Clone)]
enum Node {
    Plain(&'static str),
    Text(Vec<Piece>),
    Array(Vec<Node>),
    Object(Vec<(Vec<Piece>, Node)>),
}

/// A piece of a string as it is spelled.
#[derive(Debug, Clone)]
enum Piece {
    Raw(char),
    /// `\uXXXX`, its letters in upper case or lower.
    Unit(u16, bool),
    /// One of the short escapes, and the character it stands for.
    Short(&'static str, char),
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let unit = prop_oneof![
        2 => 0xd800..=0xdbff_u16,
        2 => 0xdc00..=0xdfff_u16,
        1 => any::<u16>(),
    ];
    let piece = prop_oneof![
        2 => any::<char>()
            .prop_filter("raw in JSON", |c| !matches!(c, '"' | '\\' | '\0'..='\u{1f}'))
            .prop_map(Piece::Raw),
        4 => prop::sample::select(&['[', '{', ']', '}', 'u', 'd', '8', '0'][..])
            .prop_map(Piece::Raw),
        2 => (unit, any::<bool>()).prop_map(|(unit, upper)| Piece::Unit(unit, upper)),
        4 => prop::sample::select(&[(r"\\", '\\'), (r#"\""#, '"'), (r"\/", '/'), (r"\n", '\n')][..])
            .prop_map(|(spelled, meant)| Piece::Short(spelled, meant)),
    ];
    // Pairs are rare among random units: put whole ones in as well.
    let pair = (0xd800..=0xdbff_u16, 0xdc00..=0xdfff_u16, any::<bool>())
        .prop_map(|(high, low, upper)| vec![Piece::Unit(high, upper), Piece::Unit(low, !upper)]);
    let run = prop_oneof![9 => piece.prop_map(|piece| vec![piece]), 1 => pair];
    prop::collection::vec(run, 0..6).prop_map(|runs| runs.concat())
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        prop::sample::select(&["null", "true", "0", "-0", "1.0", "1e999"][..])
            .prop_map(Node::Plain),
        pieces().prop_map(Node::Text),
    ];
    leaf.prop_recursive(9, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Node::Array),
            prop::collection::vec((pieces(), inner), 0..3).prop_map(Node::Object),
        ]
    })
}

impl Node {
    fn depth(&self) -> usize {
        match self {
            Self::Plain(_) | Self::Text(_) => 0,
            Self::Array(nodes) => 1 + nodes.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => {
                1 + members.iter().map(|(_, node)| node.depth()).max().unwrap_or(0)
            }
        }
    }

    fn has_lone_surrogate(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Text(pieces) => is_lone(pieces),
            Self::Array(nodes) => nodes.iter().any(Self::has_lone_surrogate),
            Self::Object(members) => {
                members.iter().any(|(name, node)| is_lone(name) || node.has_lone_surrogate())
            }
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Plain(text) => out.push_str(text),
            Self::Text(pieces) => write_string(pieces, out),
            Self::Array(nodes) => {
                out.push('[');
                for (at, node) in nodes.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { " ," });
                    node.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, node)) in members.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { ",\t" });
                    write_string(name, out);
                    out.push(':');
                    node.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_string(pieces: &[Piece], out: &mut String) {
    out.push('"');
    for piece in pieces {
        match piece {
            Piece::Raw(c) => out.push(*c),
            Piece::Unit(unit, true) => out.push_str(&format!(r"\u{unit:04X}")),
            Piece::Unit(unit, false) => out.push_str(&format!(r"\u{unit:04x}")),
            Piece::Short(spelled, _) => out.push_str(spelled),
        }
    }
    out.push('"');
}

/// Whether what the pieces mean, as UTF-16, is no Unicode text.
fn is_lone(pieces: &[Piece]) -> bool {
    let mut units = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Raw(c) | Piece::Short(_, c) => {
                units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            }
            Piece::Unit(unit, _) => units.push(*unit),
        }
    }
    char::decode_utf16(units).any(|unit| unit.is_err())
}
