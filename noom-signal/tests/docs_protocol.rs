//! The protocol's page, `docs/protocol.md`: its examples are messages, and none is missing.

use std::collections::BTreeSet;

use noom_signal::protocol::{ClientMessage, CloseCode, ErrorCode, ServerMessage};
use serde_json::{Value, value::RawValue};

const PAGE: &str = include_str!("../../docs/protocol.md");

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Who says an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Client,
    Server,
}

/// The fenced blocks of the page: what stands behind the fence, and the lines between.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut fences = PAGE.split("\n```");
    fences.next();
    let mut blocks = Vec::new();
    while let (Some(block), Some(_)) = (fences.next(), fences.next()) {
        blocks.push(block.split_once('\n').unwrap_or((block, "")));
    }
    blocks
}

/// All examples: the messages of blocks marked `json client` or `json server`, any number in each,
/// and the lines with an arrow of blocks marked `text`.
fn examples() -> Result<Vec<(By, String)>, Box<dyn std::error::Error>> {
    let mut examples = Vec::new();
    for (info, block) in blocks() {
        let by = match info {
            "json client" => By::Client,
            "json server" => By::Server,
            "text" => {
                for line in block.lines() {
                    let by_line = line
                        .strip_prefix("→ ")
                        .map(|text| (By::Client, text))
                        .or_else(|| line.strip_prefix("← ").map(|text| (By::Server, text)));
                    let (by, text) = by_line.ok_or_else(|| format!("whose is this? {line}"))?;
                    examples.push((by, text.to_owned()));
                }
                continue;
            }
            _ => return Err(format!("a block is marked {info:?}: {block}").into()),
        };
        for message in serde_json::Deserializer::from_str(block).into_iter::<Box<RawValue>>() {
            examples.push((by, message?.get().to_owned()));
        }
    }
    Ok(examples)
}

#[test]
fn every_example_is_a_message_of_its_side_and_nothing_more() -> TestResult {
    let examples = examples()?;
    assert!(examples.len() > 50, "only {} examples were found", examples.len());
    for (by, text) in examples {
        let frame = match by {
            By::Client => text.parse::<ClientMessage>().map(|message| message.to_frame())?,
            By::Server => text.parse::<ServerMessage>().map(|message| message.to_frame())?,
        };
        // What the types do not know would be lost on the way: a slip in a name shows.
        let (read, written): (Value, Value) =
            (serde_json::from_str(frame.as_str())?, serde_json::from_str(&text)?);
        assert_eq!(read, written);
    }
    Ok(())
}

#[test]
fn every_message_has_an_example() -> TestResult {
    let mut shown = BTreeSet::new();
    for (by, text) in examples()? {
        let message: Value = serde_json::from_str(&text)?;
        shown.insert((by, message["type"].as_str().unwrap_or_default().to_owned()));
    }
    let client = [
        "hello",
        "join",
        "update",
        "leave",
        "offer",
        "answer",
        "ice",
        "message",
        "lobby",
        "iceServers",
        "ping",
    ];
    let server = [
        "hello",
        "joined",
        "welcome",
        "updated",
        "bye",
        "roster",
        "missed",
        "offer",
        "answer",
        "ice",
        "message",
        "lobby",
        "iceServers",
        "ack",
        "pong",
        "goaway",
        "error",
    ];
    let all = client
        .map(|kind| (By::Client, kind.to_owned()))
        .into_iter()
        .chain(server.map(|kind| (By::Server, kind.to_owned())))
        .collect();
    assert_eq!(shown, all);
    Ok(())
}

#[test]
fn the_table_of_errors_is_in_the_order_of_the_codes() {
    let rows: Vec<_> = PAGE
        .lines()
        .skip_while(|line| *line != "## Errors")
        .take_while(|line| *line != "## Close codes")
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let codes = [
        ErrorCode::RateLimited,
        ErrorCode::BadMessage,
        ErrorCode::UnknownType,
        ErrorCode::Unauthorized,
        ErrorCode::Forbidden,
        ErrorCode::InvalidRoom,
        ErrorCode::InvalidMeta,
        ErrorCode::RoomFull,
        ErrorCode::TooManyRooms,
        ErrorCode::AlreadyJoined,
        ErrorCode::NotInRoom,
        ErrorCode::PeerNotFound,
        ErrorCode::Unavailable,
        ErrorCode::Internal,
    ];
    assert!(codes.is_sorted());
    assert_eq!(rows, codes.map(ErrorCode::as_str));
}

#[test]
fn every_close_code_has_a_row() {
    let rows: BTreeSet<u16> = PAGE
        .lines()
        .skip_while(|line| *line != "## Close codes")
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .flat_map(|codes| codes.split(", "))
        .filter_map(|code| code.parse().ok())
        .collect();
    let codes = [
        CloseCode::NORMAL,
        CloseCode::GOING_AWAY,
        CloseCode::PROTOCOL_ERROR,
        CloseCode::UNSUPPORTED,
        CloseCode::INVALID_TEXT,
        CloseCode::TOO_BIG,
        CloseCode::BAD_MESSAGES,
        CloseCode::UNAUTHORIZED,
        CloseCode::TIMEOUT,
        CloseCode::REPLACED,
        CloseCode::TOO_SLOW,
        CloseCode::RATE,
    ];
    assert_eq!(rows, codes.map(CloseCode::as_u16).into());
}
