//! Reading a frame of the server.

use std::borrow::Cow;

use noom_signal::protocol::{InvalidServerMessage, ServerMessage};
use serde::Deserialize;

/// Frames that belong to their connection: they are not counted and never come again.
const UNCOUNTED: [&str; 5] = ["hello", "ping", "pong", "goaway", "lobby"];

/// What a text frame of the server is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Whether it counts within the session.
    pub(crate) counted: bool,
    /// The message, if there is any sense in it.
    pub(crate) message: Option<ServerMessage>,
}

/// Reads a frame. One that is unreadable or of an unknown type has no message, but may count.
pub(crate) fn read(text: &str) -> Received {
    match text.parse() {
        Ok(message) => Received { counted: !is_uncounted(&message), message: Some(message) },
        Err(InvalidServerMessage::UnknownType(kind)) => {
            Received { counted: !UNCOUNTED.contains(&kind.as_str()), message: None }
        }
        Err(_) => Received { counted: !names_an_uncounted(text), message: None },
    }
}

fn is_uncounted(message: &ServerMessage) -> bool {
    use ServerMessage::{Goaway, Hello, Lobby, Pong};
    matches!(message, Hello(_) | Pong(_) | Goaway(_) | Lobby(_))
}

/// Whether a frame that is no message has a `type` that is not counted, whatever is wrong with it.
fn names_an_uncounted(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(borrow)]
        r#type: Cow<'a, str>,
    }
    serde_json::from_str(text).is_ok_and(|tag: Tag<'_>| UNCOUNTED.contains(&&*tag.r#type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts() {
        for (text, counted, readable) in [
            (r#"{"type":"ack","id":1}"#, true, true),
            (r#"{"type":"pong","received":1}"#, false, true),
            (r#"{"type":"goaway","reason":"draining","reconnectMs":1}"#, false, true),
            (r#"{"type":"lobby","rooms":[]}"#, false, true),
            (r#"{"type":"lobby","rooms":7}"#, false, false),
            (r#"{"type":"p\u006fng"}"#, false, false),
            (r#"{"type":"ping"}"#, false, false),
            (r#"{"type":"hello"}"#, false, false),
            (r#"{"type":"later","x":1}"#, true, false),
            (r#"{"type":"ack"}"#, true, false),
            (r#"{"type":["pong"]}"#, true, false),
            (r#"{"type":"pong","type":"pong","received":1}"#, true, false),
            (r#"{"type":"pong""#, true, false),
            ("null", true, false),
            ("", true, false),
        ] {
            let received = read(text);
            assert_eq!(
                (received.counted, received.message.is_some()),
                (counted, readable),
                "{text}"
            );
        }
    }
}
