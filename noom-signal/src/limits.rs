//! Every limit of the server, in one place.

use std::time::Duration;

use thiserror::Error;

use crate::protocol::{AnnouncedLimits, RoomName, UserId};

/// What a server takes, holds and waits for. Each default says its reason; all are bounds on what
/// one peer can cost.
///
/// ```
/// use std::time::Duration;
/// use noom_signal::Limits;
///
/// let mut limits = Limits::default();
/// limits.peers_per_room = 8;
/// limits.heartbeat = Duration::from_secs(10);
/// assert!(limits.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest client message, in bytes: 65,536. An offer with many tracks is 3 to 30 KB.
    pub message_bytes: usize,
    /// The longest server frame, in bytes: 1 MiB. A full room's roster must fit; see
    /// [`Limits::check`].
    pub frame_bytes: usize,
    /// The longest `meta`, in bytes of JSON text: 4,096. It is repeated in every roster.
    pub meta_bytes: usize,
    /// The deepest nesting of a message: 32. Some readers crash on what is very deep.
    pub depth: usize,
    /// How many rooms one peer may be in: 8.
    pub rooms_per_peer: usize,
    /// How many peers one room holds, unless the policy says otherwise: 100.
    pub peers_per_room: usize,
    /// How many messages a second a peer may send in the long run: 100. A call's set-up is a few
    /// dozen. 0 = no limit.
    pub messages_per_second: u32,
    /// How many messages a peer may send at once: 400, a join of a large mesh.
    pub burst: u32,
    /// How many bytes of messages a second a peer may send in the long run: 1 MiB, which no call
    /// needs. 0 = no limit.
    pub bytes_per_second: u32,
    /// How many bytes of messages a peer may send at once: 4 MiB.
    pub byte_burst: u32,
    /// How many unreadable messages in 60 s a connection survives: 10.
    pub bad_messages: usize,
    /// How many frames are kept for a resume: 512.
    pub resume_frames: usize,
    /// How many bytes are kept for a resume: 1 MiB.
    pub resume_bytes: usize,
    /// How many bytes may wait for a client that reads slowly: 1 MiB. Over it, the connection is
    /// closed with 4410; the session stays.
    pub outbound_bytes: usize,
    /// How many connections there may be: 100,000, for which a machine should have 2 GB. 0 = no
    /// limit.
    pub connections: usize,
    /// How many sessions may wait for a client that is away: 100,000. One more, and the one that has
    /// waited the longest ends before its time. 0 = no limit.
    pub sessions_away: usize,
    /// How many connections one address may have (of IPv6, one network of 64 bits). 0 = no limit,
    /// the default: behind a proxy that is not told of, all clients have the proxy's address.
    pub connections_per_address: usize,
    /// How many refused `hello`s of one address in ten minutes cost it nothing: 5. From then on
    /// each `hello` from there waits, twice as long after each failure, for 3 s at most.
    pub failed_hellos: u32,
    /// How many rooms a lobby lists: 100.
    pub lobby_rooms: usize,
    /// How many events of one room are held while an earlier one is on its way: 1,024. Over it,
    /// the room is fetched anew.
    pub held_events: usize,
    /// How many bytes of messages from other nodes are held, for one room or from one sender, while
    /// a step that they depend on is on its way: 4 MiB. Over it, they are lost and their targets
    /// are told.
    pub held_bytes: usize,
    /// How long a connection may take to say `hello`: 5 s.
    pub handshake: Duration,
    /// How long the policy may take over a join or over ICE servers: 10 s. Over a `hello` it has what
    /// is left of `handshake`.
    pub policy: Duration,
    /// How often the server pings: 25 s, under the minute after which proxies give up. Silence for
    /// twice that ends the connection.
    pub heartbeat: Duration,
    /// How long one write to a client may stall: 10 s.
    pub write: Duration,
    /// How long a close waits for the other side's echo: 2 s.
    pub close: Duration,
    /// How long a session outlives its connection: 30 s, a phone's way through a tunnel. 0 = not
    /// at all.
    pub resume: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 * 1024,
            frame_bytes: 1024 * 1024,
            meta_bytes: 4096,
            depth: 32,
            rooms_per_peer: 8,
            peers_per_room: 100,
            messages_per_second: 100,
            burst: 400,
            bytes_per_second: 1024 * 1024,
            byte_burst: 4 * 1024 * 1024,
            bad_messages: 10,
            resume_frames: 512,
            resume_bytes: 1024 * 1024,
            outbound_bytes: 1024 * 1024,
            connections: 100_000,
            sessions_away: 100_000,
            connections_per_address: 0,
            failed_hellos: 5,
            lobby_rooms: 100,
            held_events: 1024,
            held_bytes: 4 * 1024 * 1024,
            handshake: Duration::from_secs(5),
            policy: Duration::from_secs(10),
            heartbeat: Duration::from_secs(25),
            write: Duration::from_secs(10),
            close: Duration::from_secs(2),
            resume: Duration::from_secs(30),
        }
    }
}

/// Limits that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidLimits {
    /// A full room's roster would not fit into a frame.
    #[error(
        "a room of {peers_per_room} peers with meta of {meta_bytes} bytes needs frames of \
         {needed} bytes, but frame_bytes is {frame_bytes}"
    )]
    RosterTooBig {
        /// [`Limits::peers_per_room`].
        peers_per_room: usize,
        /// [`Limits::meta_bytes`].
        meta_bytes: usize,
        /// [`Limits::frame_bytes`].
        frame_bytes: usize,
        /// What [`Limits::frame_bytes`] must be at least.
        needed: usize,
    },
    /// The longest message would not fit into a frame when relayed.
    #[error("frame_bytes of {frame_bytes} cannot carry messages of {message_bytes} bytes")]
    MessageTooBig {
        /// [`Limits::message_bytes`].
        message_bytes: usize,
        /// [`Limits::frame_bytes`].
        frame_bytes: usize,
    },
    /// The longest message could never be within the rate.
    #[error("byte_burst of {byte_burst} never lets a message of {message_bytes} bytes through")]
    BurstTooSmall {
        /// [`Limits::byte_burst`].
        byte_burst: u32,
        /// [`Limits::message_bytes`].
        message_bytes: usize,
    },
    /// The longest list of rooms would not fit into a frame.
    #[error("a lobby of {lobby_rooms} rooms does not fit into frame_bytes of {frame_bytes}")]
    LobbyTooBig {
        /// [`Limits::lobby_rooms`].
        lobby_rooms: usize,
        /// [`Limits::frame_bytes`].
        frame_bytes: usize,
    },
    /// A time is longer than 30 days, which is surely a mistake.
    #[error("{0} is over 30 days")]
    TooLong(&'static str),
    /// A limit that must not be zero is.
    #[error("{0} must not be 0")]
    Zero(&'static str),
}

impl Limits {
    /// What one member adds to a roster beside its meta: the id, the member names, and the user,
    /// each byte of which may need six when escaped.
    const MEMBER_OVERHEAD: usize = 160 + 6 * UserId::MAX_BYTES;

    /// What relaying adds to a message: the sender's id, and a room's name in escapes.
    const RELAY_OVERHEAD: usize = 512;

    /// What one room adds to a lobby beside its name, each byte of which may need two when escaped.
    const LISTED_OVERHEAD: usize = 64 + 2 * RoomName::MAX_BYTES;

    /// The longest time that any of the limits may be.
    const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

    /// Whether the limits go together. A hub is not built on limits that do not.
    ///
    /// # Errors
    ///
    /// [`InvalidLimits`] names the culprit.
    pub fn check(&self) -> Result<(), InvalidLimits> {
        let zero = [
            ("message_bytes", self.message_bytes),
            ("depth", self.depth),
            ("rooms_per_peer", self.rooms_per_peer),
            ("peers_per_room", self.peers_per_room),
            ("outbound_bytes", self.outbound_bytes),
            ("held_events", self.held_events),
            ("held_bytes", self.held_bytes),
            ("handshake", self.handshake.as_millis() as usize),
            ("heartbeat", self.heartbeat.as_millis() as usize),
            ("write", self.write.as_millis() as usize),
        ];
        if let Some((name, _)) = zero.into_iter().find(|&(_, value)| value == 0) {
            return Err(InvalidLimits::Zero(name));
        }
        let times = [
            ("handshake", self.handshake),
            ("policy", self.policy),
            ("heartbeat", self.heartbeat),
            ("write", self.write),
            ("close", self.close),
            ("resume", self.resume),
        ];
        if let Some((name, _)) = times.into_iter().find(|&(_, time)| time > Self::LONGEST) {
            return Err(InvalidLimits::TooLong(name));
        }
        if self.messages_per_second > 0 && self.burst == 0 {
            return Err(InvalidLimits::Zero("burst"));
        }
        if self.bytes_per_second > 0 && (self.byte_burst as usize) < self.message_bytes {
            return Err(InvalidLimits::BurstTooSmall {
                byte_burst: self.byte_burst,
                message_bytes: self.message_bytes,
            });
        }
        if self.message_bytes.saturating_add(Self::RELAY_OVERHEAD) > self.frame_bytes {
            return Err(InvalidLimits::MessageTooBig {
                message_bytes: self.message_bytes,
                frame_bytes: self.frame_bytes,
            });
        }
        let lobby = self.lobby_rooms.saturating_mul(Self::LISTED_OVERHEAD).saturating_add(1024);
        if lobby > self.frame_bytes {
            return Err(InvalidLimits::LobbyTooBig {
                lobby_rooms: self.lobby_rooms,
                frame_bytes: self.frame_bytes,
            });
        }
        let needed = self.roster_bytes(self.peers_per_room);
        if needed > self.frame_bytes {
            return Err(InvalidLimits::RosterTooBig {
                peers_per_room: self.peers_per_room,
                meta_bytes: self.meta_bytes,
                frame_bytes: self.frame_bytes,
                needed,
            });
        }
        Ok(())
    }

    /// The longest a roster of so many peers can be.
    pub(crate) fn roster_bytes(&self, peers: usize) -> usize {
        let member = self.meta_bytes.saturating_add(Self::MEMBER_OVERHEAD);
        peers.saturating_mul(member).saturating_add(1024)
    }

    /// What clients are told, in the `hello`.
    pub(crate) fn announced(&self) -> AnnouncedLimits {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        AnnouncedLimits {
            message_bytes: small(self.message_bytes),
            frame_bytes: small(self.frame_bytes),
            meta_bytes: small(self.meta_bytes),
            depth: small(self.depth),
            rooms_per_peer: small(self.rooms_per_peer),
            messages_per_second: self.messages_per_second,
            burst: self.burst,
            bytes_per_second: Some(self.bytes_per_second),
            byte_burst: Some(self.byte_burst),
            resume_frames: small(self.resume_frames),
            resume_bytes: small(self.resume_bytes),
            outbound_bytes: small(self.outbound_bytes),
            lobby_rooms: small(self.lobby_rooms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_go_together() {
        assert_eq!(Limits::default().check(), Ok(()));
    }

    #[test]
    fn a_roster_must_fit_into_a_frame() {
        let limits = Limits { peers_per_room: 1000, ..Limits::default() };
        assert!(matches!(limits.check(), Err(InvalidLimits::RosterTooBig { .. })));
        let limits = Limits { lobby_rooms: 10_000, ..Limits::default() };
        assert!(matches!(limits.check(), Err(InvalidLimits::LobbyTooBig { .. })));
        let limits = Limits { message_bytes: usize::MAX, bytes_per_second: 0, ..Limits::default() };
        assert!(matches!(limits.check(), Err(InvalidLimits::MessageTooBig { .. })));
        let limits = Limits { resume: Duration::MAX, ..Limits::default() };
        assert_eq!(limits.check(), Err(InvalidLimits::TooLong("resume")));
        let limits = Limits { heartbeat: Duration::ZERO, ..Limits::default() };
        assert_eq!(limits.check(), Err(InvalidLimits::Zero("heartbeat")));
    }
}
