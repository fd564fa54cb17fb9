//! What stands in an inbox, and what a member is in Redis.

use std::{fmt::Write, sync::Arc};

use noom_signal::{
    backplane::{Letter, Message},
    protocol::{ByeReason, Frame, Json, PeerId, RoomName, Target, UserId},
    room::{Change, ChangeKind, Member, NodeId, Stamp},
};

use crate::text::Text;

/// One entry of an inbox.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InboxEntry {
    /// Another node changed a room.
    Changed(Change),
    /// Another node sent a message, after what the text says.
    Message(Message, String),
    /// Another hub wrote, after what the text says.
    Letter(Letter, String),
    /// Entries were left out.
    Gap,
}

impl InboxEntry {
    /// `None` for what this version cannot read.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut text = Text(text);
        if text.0 == "g" {
            return Some(Self::Gap);
        }
        match text.word()? {
            "c" => read_change_after_kind(text).map(Self::Changed),
            "m" => read_message(text),
            "l" => {
                let (from, after) = (NodeId(text.hex()?), text.word()?.to_owned());
                Some(Self::Letter(Letter { from, text: Frame::from_text(text.rest()) }, after))
            }
            _ => None,
        }
    }
}

/// A change as `advance` writes it.
pub(crate) fn read_change(text: &str) -> Option<Change> {
    let mut text = Text(text);
    (text.word()? == "c").then_some(())?;
    read_change_after_kind(text)
}

fn read_change_after_kind(mut text: Text<'_>) -> Option<Change> {
    let kind = text.word()?;
    let after = Stamp { step: text.number()?, version: text.number()?, token: text.hex()? };
    let step = after.step.checked_sub(1)?;
    let before = Stamp { step, version: text.number()?, token: text.hex()? };
    let room: RoomName = text.counted()?.parse().ok()?;
    text.space()?;
    let peer = text.word()?.parse().ok()?;
    let kind = match kind {
        "j" => ChangeKind::Joined(Arc::new(read_member(peer, text.rest())?)),
        "l" => ChangeKind::Left { peer, reason: read_reason(text.rest()) },
        "u" => ChangeKind::Updated { peer, meta: Json::from_text(text.rest().into()).ok()? },
        "m" => {
            let generation = text.number()?;
            let node = NodeId(u64::from_str_radix(text.rest(), 16).ok()?);
            ChangeKind::Moved { peer, generation, node }
        }
        _ => return None,
    };
    Some(Change { room, before, after, kind })
}

/// A member as `place` writes it.
pub(crate) fn read_member(peer: PeerId, text: &str) -> Option<Member> {
    let mut text = Text(text);
    let node = NodeId(text.hex()?);
    let (generation, seat, since) = (text.number()?, text.number()?, text.number()?);
    let user = read_user(&mut text)?;
    let meta = Json::from_text(text.rest().into()).ok()?;
    Some(Member { peer, generation, node, seat, user, meta, since })
}

/// Who a peer is and what it says about itself, as one text.
pub(crate) fn write_tail(user: Option<&UserId>, meta: &Json) -> String {
    match user {
        Some(user) => format!("{} {}{}", user.as_str().len(), user.as_str(), meta.as_str()),
        None => format!("-1 {}", meta.as_str()),
    }
}

/// The user at the head of what [`write_tail`] wrote; its meta is left. `None` where it is neither.
pub(crate) fn read_user(text: &mut Text<'_>) -> Option<Option<UserId>> {
    match text.word()? {
        "-1" => Some(None),
        length => {
            let length = length.parse().ok()?;
            text.take(length)?.parse().ok().map(Some)
        }
    }
}

/// The part of a message that is the same for whomever it goes to.
pub(crate) fn write_message(message: &Message) -> String {
    let Message { room, known, frame, .. } = message;
    let (room, frame) = (room.as_str(), frame.as_str());
    let mut text = String::with_capacity(room.len() + frame.len() + 80);
    let Stamp { step, version, token } = known;
    // Writing to a string does not fail.
    let _ = write!(text, "{step} {version} {token:016x} {} {room} {frame}", room.len());
    text
}

fn read_message(mut text: Text<'_>) -> Option<InboxEntry> {
    let except = match text.word()? {
        "-" => Vec::new(),
        some => some.split(',').map(str::parse).collect::<Result<_, _>>().ok()?,
    };
    let from = text.word()?.parse().ok()?;
    let to = match text.word()? {
        "*" => Target::Everyone,
        peer => Target::Peer(peer.parse().ok()?),
    };
    let after = text.word()?.to_owned();
    let known = Stamp { step: text.number()?, version: text.number()?, token: text.hex()? };
    let room = text.counted()?.parse().ok()?;
    text.space()?;
    let frame = Frame::from_text(text.rest());
    Some(InboxEntry::Message(Message { room, from, to, known, except, frame }, after))
}

const REASONS: [(&str, ByeReason); 5] = [
    ("left", ByeReason::Left),
    ("disconnected", ByeReason::Disconnected),
    ("kicked", ByeReason::Kicked),
    ("closed", ByeReason::Closed),
    ("lost", ByeReason::Lost),
];

pub(crate) fn write_reason(reason: ByeReason) -> &'static str {
    let known = REASONS.into_iter().find(|(_, known)| *known == reason);
    known.map_or("left", |(text, _)| text)
}

/// One of a later version's is still a leave.
fn read_reason(text: &str) -> ByeReason {
    let known = REASONS.into_iter().find(|(known, _)| *known == text);
    known.map_or(ByeReason::Left, |(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(step: u64) -> Stamp {
        Stamp { step, version: step, token: 0xabcd_0000_0000_0001 }
    }

    #[test]
    fn a_message_comes_out_as_it_went_in() {
        let message = Message {
            room: "a room ☕ 7".parse().unwrap(),
            from: "ann".parse().unwrap(),
            to: Target::Peer("bob".parse().unwrap()),
            known: stamp(7),
            except: Vec::new(),
            frame: Frame::from_text("{\"a\": \"b c\"}"),
        };
        let text = format!("m - ann bob x,1 {}", write_message(&message));
        let expected = InboxEntry::Message(message.clone(), "x,1".into());
        assert_eq!(InboxEntry::read(&text), Some(expected));
        let text = format!("m x,y ann * - {}", write_message(&message));
        let Some(InboxEntry::Message(read, _)) = InboxEntry::read(&text) else { panic!("{text}") };
        assert_eq!((read.to, read.except.len()), (Target::Everyone, 2));
    }

    #[test]
    fn a_member_keeps_its_user_and_meta() {
        for user in [None, Some("weird 5 user\n\0".parse::<UserId>().unwrap())] {
            let meta = Json::from_text("{ \"n\": 1 }".into()).unwrap();
            let tail = write_tail(user.as_ref(), &meta);
            let text = format!("00000000000000ff 18446744073709551615 5 4 {tail}");
            let member = read_member("p".parse().unwrap(), &text).unwrap();
            assert_eq!((member.node, member.generation), (NodeId(255), u64::MAX));
            assert_eq!((member.seat, member.since), (5, 4));
            assert_eq!((member.user, member.meta), (user, meta));
        }
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        for text in ["", "c", "c j 1 1 zz", "x y", "m - ann", "l zz text", "c j 0 0 0 0 0 1 r p x"]
        {
            assert_eq!(InboxEntry::read(text), None, "{text}");
        }
    }

    #[test]
    fn reasons_survive() {
        for (_, reason) in REASONS {
            assert_eq!(read_reason(write_reason(reason)), reason);
        }
    }
}
