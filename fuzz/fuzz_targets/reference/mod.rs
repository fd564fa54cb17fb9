//! A client's frame, read by way of a whole tree of values.

use std::{collections::HashSet, fmt};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

const MAX_INTEGER: u64 = (1 << 53) - 1;

/// What a text is.
pub enum Reading {
    /// No JSON object.
    NotJson,
    /// A JSON object that the framing rules refuse.
    Refused,
    /// An object within the framing rules.
    Message(Reference),
    /// JSON that cannot be held as a tree of values.
    Beyond,
}

/// The members of a message.
#[derive(Debug)]
pub struct Reference(Vec<(String, Value)>);

/// Reads a text in which objects and arrays may nest to `limit`.
pub fn read(text: &str, limit: usize) -> Reading {
    let any = serde_json::from_str::<IgnoredAny>(text);
    if any.is_err() || !text.trim_start().starts_with('{') {
        return Reading::NotJson;
    }
    let message = match serde_json::from_str::<Reference>(text) {
        Ok(message) => message,
        Err(error) => {
            let why = error.to_string();
            return if why.starts_with("number out of range") {
                Reading::Beyond
            } else {
                // Too deep for any limit, or a surrogate that stands alone.
                Reading::Refused
            };
        }
    };
    let mut names = HashSet::new();
    let twice = message.0.iter().any(|(name, _)| !names.insert(name));
    let deepest = message.0.iter().map(|(_, value)| depth(value)).max().unwrap_or(0);
    if twice || deepest + 1 > limit { Reading::Refused } else { Reading::Message(message) }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(values) => 1 + values.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

impl Reference {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(its, _)| its == name).map(|(_, value)| value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    pub fn integer(&self, name: &str) -> Option<u64> {
        integer(self.get(name)?)
    }

    pub fn id(&self) -> Option<u64> {
        self.integer("id").filter(|_| self.text("type") != Some("ping"))
    }

    pub fn counted(&self) -> bool {
        !matches!(self.text("type"), Some("hello" | "ping" | "pong" | "goaway"))
    }

    pub fn resume(&self) -> Option<(&str, u64, u64)> {
        let resume = self.get("resume")?;
        let attempt = resume.get("attempt").map_or(Some(0), integer)?;
        Some((resume["session"].as_str()?, integer(&resume["received"])?, attempt))
    }

    /// The error code that the message deserves, or nothing.
    pub fn verdict(&self) -> &'static str {
        let Some(kind) = self.text("type") else { return "bad_message" };
        let is = |name: &str, right: fn(&Value) -> bool| self.get(name).is_some_and(right);
        let may = |name: &str, right: fn(&Value) -> bool| self.get(name).is_none_or(right);
        let whole = |value: &Value| integer(value).is_some();
        let in_room = is("room", Value::is_string);
        let addressed = in_room && is("to", Value::is_string);
        let fine = match kind {
            "ping" => may("received", whole),
            _ if !may("id", whole) => false,
            "hello" => {
                let resume = self.get("resume").is_none() || self.resume().is_some();
                may("token", Value::is_string) && may("client", Value::is_string) && resume
            }
            "join" => in_room && may("meta", Value::is_object) && may("token", Value::is_string),
            "update" => in_room && may("meta", Value::is_object),
            "leave" => in_room,
            "offer" | "answer" => addressed && is("sdp", Value::is_string),
            "ice" => addressed && is("candidate", |c| c.is_object() || c.is_null()),
            "message" => addressed && self.get("data").is_some(),
            "lobby" => is("watch", Value::is_boolean),
            "iceServers" => true,
            _ => return "unknown_type",
        };
        if fine { "" } else { "bad_message" }
    }
}

fn integer(value: &Value) -> Option<u64> {
    value.as_u64().filter(|&number| number <= MAX_INTEGER)
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Reference;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reference, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Reference(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}
