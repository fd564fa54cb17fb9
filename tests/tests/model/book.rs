//! What a run is held to, beyond what each client sees for itself.

use std::collections::{BTreeMap, HashSet};

use noom_signal::protocol::{ByeReason, PeerId, RoomName, ServerMessage};

use crate::{ledger::Ledger, session::Session};

/// The run's record: what was said, what was done to whom, and what was seen to happen.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub ledger: Ledger,
    /// Whether the nodes of the cluster hear late of each other.
    pub troubled: bool,
    /// Whether requests or events may be lost.
    pub faulty: bool,
    /// What may take a peer out of a room: nobody goes without a reason.
    causes: HashSet<(Option<RoomName>, Option<PeerId>, ByeReason)>,
    /// How often each thing was seen.
    pub tally: Tally,
}

pub(crate) type Tally = BTreeMap<String, u64>;

impl Book {
    pub(crate) fn new(troubled: bool, faulty: bool) -> Self {
        Self { ledger: Ledger::new(troubled), troubled, faulty, ..Self::default() }
    }

    /// From now on this peer, or any, may be told to be out of this room, or any.
    pub(crate) fn may_go(
        &mut self,
        room: Option<&RoomName>,
        peer: Option<&PeerId>,
        reason: ByeReason,
    ) {
        self.causes.insert((room.cloned(), peer.cloned(), reason));
    }

    /// Whether a session's peer is in no room, or may be without its client knowing it yet.
    pub(crate) fn may_be_roomless(&self, session: &Session) -> bool {
        let put_out = |(room, peer, _): &(Option<RoomName>, Option<PeerId>, ByeReason)| {
            room.is_some() && peer.as_ref().is_none_or(|peer| *peer == session.peer)
        };
        session.view.is_roomless() || self.faulty || self.causes.iter().any(put_out)
    }

    pub(crate) fn saw(&mut self, what: impl Into<String>) {
        *self.tally.entry(what.into()).or_default() += 1;
    }

    /// Holds a frame against the record. `promised`: a resume has said that it would come.
    pub(crate) fn told(&mut self, peer: &PeerId, message: &ServerMessage, promised: bool) {
        match message {
            ServerMessage::Bye(bye) => {
                self.saw(format!("bye {:?}", bye.reason));
                let cause = |room: Option<&RoomName>, peer: Option<&PeerId>| {
                    self.causes.contains(&(room.cloned(), peer.cloned(), bye.reason))
                };
                let (room, peer) = (Some(&bye.room), Some(&bye.peer));
                let cause = cause(room, peer) || cause(room, None) || cause(None, peer);
                // What failed may have taken effect, and is then undone.
                let undone = matches!(bye.reason, ByeReason::Lost | ByeReason::Disconnected);
                assert!(cause || self.troubled && undone, "I1: {bye:?} for no reason");
            }
            ServerMessage::Roster(_) if promised => self.saw("roster after partial"),
            ServerMessage::Roster(_) => {
                assert!(self.troubled, "I2: a roster out of nowhere: {message:?}");
                self.saw("roster");
            }
            ServerMessage::Error(error) => self.saw(format!("error {}", error.code.as_str())),
            ServerMessage::Missed(_) => self.saw("missed"),
            ServerMessage::Message(_) => self.saw("message"),
            _ => {}
        }
        self.ledger.told(peer, message);
    }
}
