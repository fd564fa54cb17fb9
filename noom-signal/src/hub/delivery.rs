//! What a room tells, on its way out.

use std::task::Waker;

use tokio::sync::broadcast;

use super::event::Event;
use crate::{Limits, protocol::Frame, room::NodeId, session::Session};

/// What a room tells, collected while its lock is held and finished after.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    pub(super) limits: &'a Limits,
    pub(super) node: NodeId,
    pub(super) events: &'a broadcast::Sender<Event>,
    wakers: Vec<Waker>,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(
        limits: &'a Limits,
        node: NodeId,
        events: &'a broadcast::Sender<Event>,
    ) -> Self {
        Self { limits, node, events, wakers: Vec::new() }
    }

    pub(super) fn push(&mut self, session: &Session, frame: Frame) {
        self.wakers.extend(session.push(frame, self.limits));
    }

    /// Sent while the room is locked, so that listeners hear a room's events in order.
    pub(super) fn emit(&self, event: Event) {
        event.send(self.events);
    }

    /// Wakes the connections that have something to write. Called without the lock.
    pub(super) fn finish(self) {
        self.wakers.into_iter().for_each(Waker::wake);
    }
}
