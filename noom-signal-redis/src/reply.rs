//! What a script answered.

use std::{sync::Arc, vec};

use noom_signal::room::{Snapshot, Stamp};
use redis::Value;

use crate::entry::read_member;

/// A script's answer: a word, and what belongs to it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) word: String,
    rest: vec::IntoIter<Value>,
}

impl Reply {
    pub(crate) fn read(value: Value) -> Option<Self> {
        let Value::Array(values) = value else { return None };
        let mut rest = values.into_iter();
        let word = text(rest.next()?)?;
        Some(Self { word, rest })
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        text(self.rest.next()?)
    }

    pub(crate) fn number(&mut self) -> Option<i64> {
        number(self.rest.next()?)
    }

    /// What `HGETALL` says of a room.
    pub(crate) fn snapshot(&mut self) -> Option<Snapshot> {
        let Value::Array(fields) = self.rest.next()? else { return None };
        read_snapshot(fields)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.rest.as_slice().is_empty()
    }
}

fn read_snapshot(fields: Vec<Value>) -> Option<Snapshot> {
    let mut snapshot = Snapshot::default();
    snapshot.members.reserve(fields.len() / 2);
    let Stamp { step, version, token } = &mut snapshot.stamp;
    let mut fields = fields.into_iter();
    while let Some(name) = fields.next() {
        let (name, value) = (text(name)?, text(fields.next()?)?);
        match name.as_str() {
            ".s" => *step = value.parse().ok()?,
            ".v" => *version = value.parse().ok()?,
            ".t" => *token = u64::from_str_radix(&value, 16).ok()?,
            name if name.starts_with('.') => {}
            name => {
                snapshot.members.push(Arc::new(read_member(name.parse().ok()?, &value)?));
            }
        }
    }
    Some(snapshot)
}

/// The entries of an inbox that `XRANGE` gives: number, bytes up to it, text.
pub(crate) fn read_stream(value: Value) -> Option<Vec<(u64, u64, String)>> {
    let Value::Array(entries) = value else { return None };
    let read = |entry: Value| {
        let Value::Array(entry) = entry else { return None };
        let [id, Value::Array(fields)]: [Value; 2] = entry.try_into().ok()? else { return None };
        let seq = text(id)?.split_once('-')?.0.parse().ok()?;
        let [_, total, _, body]: [Value; 4] = fields.try_into().ok()?;
        Some((seq, text(total)?.parse().ok()?, text(body)?))
    };
    entries.into_iter().map(read).collect()
}

pub(crate) fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        Value::VerbatimString { text, .. } => Some(text),
        Value::Okay => Some("OK".into()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(number),
        other => text(other)?.parse().ok(),
    }
}
