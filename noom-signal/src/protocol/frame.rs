//! One encoded message.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;

use super::PeerId;

/// One message as the JSON text that goes over the wire.
///
/// Cloning shares one allocation: a broadcast is encoded once, and what waits for a resume is what
/// was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame(ByteString);

/// The kinds of message that go from peer to peer, each with the one payload it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Relay {
    Offer,
    Answer,
    Ice,
    Message,
}

impl Relay {
    /// The frame's text before the room, and between the sender and the payload.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Offer => (r#"{"type":"offer","room":"#, r#"","sdp":"#),
            Self::Answer => (r#"{"type":"answer","room":"#, r#"","sdp":"#),
            Self::Ice => (r#"{"type":"ice","room":"#, r#"","candidate":"#),
            Self::Message => (r#"{"type":"message","room":"#, r#"","data":"#),
        }
    }
}

impl Frame {
    /// A frame of text that is known to be one JSON object.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// Encodes one of the protocol's messages.
    #[allow(clippy::expect_used)]
    pub(crate) fn encode<T: Serialize>(message: &T) -> Self {
        // Every message is made of strings, numbers and checked JSON: none of them can fail.
        Self::from_text(serde_json::to_string(message).expect("a message has a JSON form"))
    }

    /// What the target of a relayed message gets: the payload as it came, and the sender as the
    /// server knows it. Written by hand, for it is most of what a server does. `room` is a room's
    /// name: other text gives a frame that must not be sent.
    pub(crate) fn relayed(kind: Relay, room: &str, from: &PeerId, payload: &RawValue) -> Self {
        let (head, middle) = kind.parts();
        let (from, payload) = (from.as_str(), payload.get());
        let fixed = head.len() + middle.len() + r#""",from":"}"#.len();
        let mut text = String::with_capacity(fixed + room.len() + from.len() + payload.len());
        text.push_str(head);
        push_json_string(&mut text, room);
        text.push_str(r#","from":""#);
        text.push_str(from);
        text.push_str(middle);
        text.push_str(payload);
        text.push('}');
        Self::from_text(text)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the frame is empty, which no message is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text as shared bytes of UTF-8, for a transport to write without copying.
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }
}

/// Appends `text` as a JSON string. Room names hold no control characters, so that two characters
/// are all there is to escape.
fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push('\\');
        out.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// As the JSON that it is, not as a string that holds it.
impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.as_str()).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Frame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self::from_text(String::from(Box::<str>::from(raw))))
    }
}

impl fmt::Debug for Frame {
    /// Only the length: payloads hold addresses, and a log is no place for them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relayed_frame_is_exactly_four_members() -> Result<(), Box<dyn std::error::Error>> {
        let payload = RawValue::from_string(r#"{"candidate" : "x",  "n":1e999}"#.into())?;
        let frame = Frame::relayed(Relay::Ice, "standup", &"p-1".parse()?, &payload);
        assert_eq!(
            frame.as_str(),
            r#"{"type":"ice","room":"standup","from":"p-1","candidate":{"candidate" : "x",  "n":1e999}}"#
        );
        Ok(())
    }

    #[test]
    fn odd_room_names_are_escaped() -> Result<(), Box<dyn std::error::Error>> {
        let name = r#"a"b\c☕ "" \\"#;
        let payload = RawValue::from_string("null".into())?;
        let frame = Frame::relayed(Relay::Message, name, &"p".parse()?, &payload);
        let value: serde_json::Value = serde_json::from_str(frame.as_str())?;
        assert_eq!(value["room"], name);
        assert_eq!(value["data"], serde_json::Value::Null);
        Ok(())
    }
}
