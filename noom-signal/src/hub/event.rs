//! What an application can watch.

use tokio::sync::broadcast;

use crate::protocol::{ByeReason, ErrorCode, PeerId, RoomName, UserId};

/// Something that happened at this hub, to its own peers. In a cluster each hub tells of its own,
/// so that together they tell of each once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A room has its first peer of this node.
    RoomOpened {
        /// The room.
        room: RoomName,
    },
    /// A peer joined.
    Joined {
        /// The room.
        room: RoomName,
        /// The peer.
        peer: PeerId,
        /// Who it is.
        user: Option<UserId>,
    },
    /// A peer is out.
    Left {
        /// The room.
        room: RoomName,
        /// The peer.
        peer: PeerId,
        /// Why.
        reason: ByeReason,
    },
    /// A peer came here from another node, with its session. Its members have seen nothing of it.
    Arrived {
        /// The room.
        room: RoomName,
        /// The peer.
        peer: PeerId,
    },
    /// A peer went to another node, with its session.
    Departed {
        /// The room.
        room: RoomName,
        /// The peer.
        peer: PeerId,
    },
    /// A room has no peer of this node any more.
    RoomClosed {
        /// The room.
        room: RoomName,
    },
    /// A client's message was refused.
    Refused {
        /// The peer; `None` where it had not yet become one.
        peer: Option<PeerId>,
        /// Why.
        code: ErrorCode,
    },
}

/// How many events wait for a listener that is slow.
pub(super) const CAPACITY: usize = 1024;

impl Event {
    pub(super) fn send(self, events: &broadcast::Sender<Event>) {
        // With nobody listening there is nobody to tell.
        let _ = events.send(self);
    }
}

/// The events of one hub, from the moment of asking on. See [`Hub::events`](crate::Hub::events).
#[derive(Debug)]
pub struct EventStream(pub(super) broadcast::Receiver<Event>);

/// What an [`EventStream`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// An event. Those of one room come in order.
    Event(Event),
    /// The listener was slow: this many events are lost to it. It may ask the hub how things are.
    Lagged(u64),
}

impl EventStream {
    /// The next event; `None` once the hub is gone. Cancel safe.
    pub async fn next(&mut self) -> Option<Observed> {
        match self.0.recv().await {
            Ok(event) => Some(Observed::Event(event)),
            Err(broadcast::error::RecvError::Lagged(lost)) => Some(Observed::Lagged(lost)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
