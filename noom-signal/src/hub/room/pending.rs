//! Requests that a change of the room will answer.

use tokio::sync::oneshot;

use crate::{
    hub::delivery::Delivery,
    protocol::{ErrorCode, RoomName, ServerMessage, server::Error},
    session::Session,
};

/// A request that a change will answer.
#[derive(Debug)]
pub(in crate::hub) struct Pending {
    pub(super) id: Option<u64>,
    pub(super) asks: Asks,
    /// The step that the request led to, once the cluster has said so.
    pub(super) landed: Option<u64>,
    /// Dropped once it is answered.
    _done: oneshot::Sender<()>,
}

/// What kind of change a request is answered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum Asks {
    Join,
    Leave,
    Update,
    /// To be on another node. No client asks for it, and none is answered.
    Move,
}

impl Pending {
    /// The request, and what ends when it is answered.
    pub(in crate::hub) fn new(id: Option<u64>, asks: Asks) -> (Self, oneshot::Receiver<()>) {
        let (done, told) = oneshot::channel();
        (Self { id, asks, landed: None, _done: done }, told)
    }

    /// Answers a request that no change will answer.
    pub(super) fn fail(
        self,
        room: &RoomName,
        session: &Session,
        code: ErrorCode,
        delivery: &mut Delivery<'_>,
    ) {
        if self.asks == Asks::Move {
            return;
        }
        let (message, retry_after_ms) = match code {
            ErrorCode::Unavailable => ("the room was fetched anew meanwhile", Some(100)),
            _ => ("no longer in this room", None),
        };
        let room = Some(room.as_str().to_owned());
        let message = message.into();
        let error = Error { code, message, room, to: None, retry_after_ms, id: self.id };
        delivery.push(session, ServerMessage::from(error).to_frame());
    }
}
