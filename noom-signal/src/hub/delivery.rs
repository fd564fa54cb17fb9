//! What a room tells, on its way out.

use std::{sync::Arc, task::Waker};

use tokio::sync::broadcast;

use super::event::Event;
use crate::{
    Limits,
    backplane::Message,
    protocol::{Frame, PeerId, RoomName},
    room::NodeId,
    session::Session,
};

/// What a room tells, collected while its lock is held and finished after.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    pub(super) limits: &'a Limits,
    pub(super) node: NodeId,
    pub(super) events: &'a broadcast::Sender<Event>,
    /// Whether what is delivered has waited for another room.
    pub(super) was_queued: bool,
    wakers: Vec<Waker>,
    after: Aftermath,
}

/// What is to be done beyond the room.
#[must_use]
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    /// The senders of messages that were held and are not any more.
    pub(super) released: Vec<PeerId>,
    /// Sessions that go on on another node, without this one having been asked.
    pub(super) taken: Vec<Arc<Session>>,
    /// Rooms in which a bye waits for what its peer sent, and that peer.
    pub(super) blocked: Vec<(RoomName, PeerId)>,
    /// Peers that lost something on their way to another node, and which one.
    pub(super) lost: Vec<(NodeId, PeerId)>,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(
        limits: &'a Limits,
        node: NodeId,
        events: &'a broadcast::Sender<Event>,
    ) -> Self {
        let after = Aftermath::default();
        Self { limits, node, events, was_queued: false, wakers: Vec::new(), after }
    }

    pub(super) fn push(&mut self, session: &Session, frame: Frame) {
        self.wakers.extend(session.push(frame, self.limits));
    }

    /// Sent while the room is locked, so that listeners hear a room's events in order.
    pub(super) fn emit(&self, event: Event) {
        event.send(self.events);
    }

    pub(super) fn released(&mut self, message: &Message) {
        if !message.from.is_server() {
            self.after.released.push(message.from.clone());
        }
    }

    pub(super) fn blocked(&mut self, room: RoomName, sender: PeerId) {
        self.after.blocked.push((room, sender));
    }

    pub(super) fn taken(&mut self, session: Arc<Session>) {
        self.after.taken.push(session);
    }

    pub(super) fn lost_elsewhere(&mut self, node: NodeId, peer: PeerId) {
        self.after.lost.push((node, peer));
    }

    /// Wakes the connections that have something to write. Called without the lock.
    pub(super) fn finish(self) -> Aftermath {
        self.wakers.into_iter().for_each(Waker::wake);
        self.after
    }
}

impl Aftermath {
    pub(super) fn is_empty(&self) -> bool {
        self.released.is_empty()
            && self.blocked.is_empty()
            && self.taken.is_empty()
            && self.lost.is_empty()
    }
}
