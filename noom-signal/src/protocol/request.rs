//! A client's frame, read without copying its payload.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use super::scan;

/// The largest `id` and count: 2^53 − 1, the largest integer that every JSON reader keeps exact.
pub(crate) const MAX_INTEGER: u64 = (1 << 53) - 1;

/// One frame from a client, as far as the server reads it.
///
/// Reading never fails: a frame that must be refused still has an `id` where it had a readable
/// one, so that its sender learns which request it was.
#[derive(Debug)]
pub struct RequestFrame<'a> {
    /// The request's id.
    pub id: Option<u64>,
    /// The room it names. Not yet known to be a room's name.
    pub room: Option<Cow<'a, str>>,
    /// The peer it is for, or `"*"`. Not yet known to be a peer's id.
    pub to: Option<Cow<'a, str>>,
    /// Whether the frame counts as taken within its session. `hello` and `ping` do not.
    pub counted: bool,
    /// What it asks, or why it is refused.
    pub request: Result<Request<'a>, Refusal>,
}

/// A session to take up again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Resumption<'a> {
    /// The session's secret.
    pub session: Cow<'a, str>,
    /// The server's frames that the client has taken.
    pub received: u64,
    /// Which of the client's attempts within the session this is; 0 where it does not count them.
    pub attempt: u64,
}

/// What a client asks. `room` and `to` stand in the [`RequestFrame`].
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Request<'a> {
    Hello {
        token: Option<Cow<'a, str>>,
        resume: Option<Resumption<'a>>,
        client: Option<Cow<'a, str>>,
    },
    Join {
        meta: Option<&'a RawValue>,
        token: Option<Cow<'a, str>>,
    },
    Update {
        meta: Option<&'a RawValue>,
    },
    Leave,
    Offer {
        sdp: &'a RawValue,
    },
    Answer {
        sdp: &'a RawValue,
    },
    Ice {
        candidate: &'a RawValue,
    },
    Message {
        data: &'a RawValue,
    },
    Lobby {
        watch: bool,
    },
    IceServers,
    Ping {
        received: Option<u64>,
    },
}

/// Why a frame is not a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Answered with `bad_message`.
    #[error("{0}")]
    BadMessage(Cow<'static, str>),
    /// Answered with `unknown_type`.
    #[error("unknown message type")]
    UnknownType,
}

impl<'a> RequestFrame<'a> {
    /// Reads `text`, in which arrays and objects may nest to `depth`, the message being level 1.
    pub fn parse(text: &'a str, depth: usize) -> Self {
        let members: Members<'a> = match serde_json::from_str(text) {
            Ok(members) => members,
            Err(error) => return Self::unreadable(&error),
        };
        let id = members.get(Member::Id).map(integer);
        let room = members.get(Member::Room).map(string);
        let to = members.get(Member::To).map(string);
        let kind = members.get(Member::Type).and_then(string);
        let refused = members.refusal.clone().or_else(|| {
            if scan::deeper_than(text, depth) {
                Some(bad(format!("nested deeper than {depth}")))
            } else if scan::has_lone_surrogate(text) {
                Some(bad("a string holds a lone surrogate"))
            } else {
                None
            }
        });
        // What the framing rules refuse counts, whatever it calls itself.
        let counted = refused.is_some()
            || !matches!(kind.as_deref(), Some("hello" | "ping" | "pong" | "goaway"));
        let ping = kind.as_deref() == Some("ping");
        let request = match (refused, &kind) {
            (Some(refusal), _) => Err(refusal),
            (None, None) => Err(bad("\"type\" is missing or not a string")),
            (None, Some(_)) if id == Some(None) && !ping => {
                Err(bad("\"id\" is not an integer from 0 to 2^53-1"))
            }
            (None, Some(kind)) => members.request(kind, &room, &to),
        };
        Self {
            id: id.flatten().filter(|_| !ping),
            room: room.flatten(),
            to: to.flatten(),
            counted,
            request,
        }
    }

    fn unreadable(error: &serde_json::Error) -> Self {
        // A value of another kind would be quoted in the error, at whatever length it came.
        let why = if error.is_data() {
            bad("not a JSON object")
        } else {
            bad(format!("not JSON: {error}"))
        };
        Self { id: None, room: None, to: None, counted: true, request: Err(why) }
    }
}

fn bad(why: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::BadMessage(why.into())
}

/// The member names that mean something. All others are only checked for repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Type,
    Id,
    Room,
    To,
    Sdp,
    Candidate,
    Data,
    Meta,
    Token,
    Received,
    Resume,
    Session,
    Client,
    Watch,
    Attempt,
}

impl Member {
    const COUNT: usize = Self::Attempt as usize + 1;

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "type" => Self::Type,
            "id" => Self::Id,
            "room" => Self::Room,
            "to" => Self::To,
            "sdp" => Self::Sdp,
            "candidate" => Self::Candidate,
            "data" => Self::Data,
            "meta" => Self::Meta,
            "token" => Self::Token,
            "received" => Self::Received,
            "resume" => Self::Resume,
            "attempt" => Self::Attempt,
            "session" => Self::Session,
            "client" => Self::Client,
            "watch" => Self::Watch,
            _ => return None,
        })
    }
}

/// The members of one object, their values unread.
struct Members<'a> {
    values: [Option<&'a RawValue>; Member::COUNT],
    refusal: Option<Refusal>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members { values: [None; Member::COUNT], refusal: None };
                let mut repeated = [false; Member::COUNT];
                let mut others = HashSet::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    // Compared after unescaping: `"ty\u0070e"` is `"type"`. A name that has no
                    // text is refused for its lone surrogate, once the other members are read.
                    let name = string(name).unwrap_or(Cow::Borrowed(name.get()));
                    let again = match Member::named(&name) {
                        Some(member) => {
                            let slot = &mut members.values[member as usize];
                            let again = slot.replace(value).is_some();
                            repeated[member as usize] |= again;
                            again
                        }
                        None => !others.insert(name),
                    };
                    if again {
                        members.refusal = Some(bad("a member name stands twice"));
                    }
                }
                // Which of two values is meant, nobody can say: neither is readable.
                for (value, repeated) in members.values.iter_mut().zip(repeated) {
                    if repeated {
                        *value = None;
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl<'a> Members<'a> {
    fn get(&self, member: Member) -> Option<&'a RawValue> {
        self.values[member as usize]
    }

    fn request(
        &self,
        kind: &str,
        room: &Option<Option<Cow<'a, str>>>,
        to: &Option<Option<Cow<'a, str>>>,
    ) -> Result<Request<'a>, Refusal> {
        let in_room = || match room {
            Some(Some(_)) => Ok(()),
            _ => Err(bad("\"room\" is missing or not a string")),
        };
        let addressed = || match to {
            Some(Some(_)) => in_room(),
            _ => Err(bad("\"to\" is missing or not a string")),
        };
        Ok(match kind {
            "ice" => {
                addressed()?;
                let candidate = self
                    .get(Member::Candidate)
                    .filter(|c| matches!(c.get().as_bytes().first(), Some(b'{' | b'n')));
                let missing = || bad("\"candidate\" is missing or neither an object nor null");
                Request::Ice { candidate: candidate.ok_or_else(missing)? }
            }
            "offer" => {
                addressed()?;
                Request::Offer { sdp: self.sdp()? }
            }
            "answer" => {
                addressed()?;
                Request::Answer { sdp: self.sdp()? }
            }
            "message" => {
                addressed()?;
                let data = self.get(Member::Data);
                Request::Message { data: data.ok_or_else(|| bad("\"data\" is missing"))? }
            }
            "ping" => Request::Ping { received: self.optional_integer(Member::Received)? },
            "join" => {
                in_room()?;
                Request::Join { meta: self.meta()?, token: self.optional_string(Member::Token)? }
            }
            "update" => {
                in_room()?;
                Request::Update { meta: self.meta()? }
            }
            "leave" => {
                in_room()?;
                Request::Leave
            }
            "lobby" => match self.get(Member::Watch).map(RawValue::get) {
                Some("true") => Request::Lobby { watch: true },
                Some("false") => Request::Lobby { watch: false },
                _ => return Err(bad("\"watch\" is missing or not a boolean")),
            },
            "iceServers" => Request::IceServers,
            "hello" => Request::Hello {
                token: self.optional_string(Member::Token)?,
                resume: self.resume()?,
                client: self.optional_string(Member::Client)?,
            },
            _ => return Err(Refusal::UnknownType),
        })
    }

    fn sdp(&self) -> Result<&'a RawValue, Refusal> {
        self.get(Member::Sdp)
            .filter(|sdp| sdp.get().starts_with('"'))
            .ok_or_else(|| bad("\"sdp\" is missing or not a string"))
    }

    fn meta(&self) -> Result<Option<&'a RawValue>, Refusal> {
        match self.get(Member::Meta) {
            Some(meta) if !meta.get().starts_with('{') => Err(bad("\"meta\" is not an object")),
            meta => Ok(meta),
        }
    }

    fn resume(&self) -> Result<Option<Resumption<'a>>, Refusal> {
        let Some(resume) = self.get(Member::Resume) else { return Ok(None) };
        let unreadable = || bad("\"resume\" is not an object with \"session\" and \"received\"");
        let members: Members<'a> = serde_json::from_str(resume.get()).map_err(|_| unreadable())?;
        let session = members.get(Member::Session).and_then(string).ok_or_else(unreadable)?;
        let received = members.get(Member::Received).and_then(integer).ok_or_else(unreadable)?;
        let attempt = members.optional_integer(Member::Attempt)?.unwrap_or(0);
        Ok(Some(Resumption { session, received, attempt }))
    }

    fn optional_string(&self, member: Member) -> Result<Option<Cow<'a, str>>, Refusal> {
        match self.get(member) {
            None => Ok(None),
            Some(raw) => match string(raw) {
                Some(text) => Ok(Some(text)),
                None => Err(bad(format!("{member:?} is not a string").to_lowercase())),
            },
        }
    }

    fn optional_integer(&self, member: Member) -> Result<Option<u64>, Refusal> {
        match self.get(member) {
            None => Ok(None),
            Some(raw) => match integer(raw) {
                Some(number) => Ok(Some(number)),
                None => Err(bad(format!("{member:?} is not a whole number").to_lowercase())),
            },
        }
    }
}

/// The text of a JSON string, borrowed where it has no escapes.
fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw.get()).ok().map(Cow::Owned)
}

/// An integer literal from 0 to 2^53 − 1: `1.0`, `1e3` and `-0` are none.
fn integer(raw: &RawValue) -> Option<u64> {
    let digits = raw.get();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|&number| number <= MAX_INTEGER)
}
