//! A connection's hold on its session.

use std::{sync::Arc, time::SystemTime};

use futures_util::future::BoxFuture;
use tokio::{sync::OwnedMutexGuard, time::Instant};

use super::{Inner, request::Step};
use crate::{
    protocol::CloseCode,
    session::{Intake, Session},
};

/// A connection's hold on its session. Dropping it, on whatever path, lets go of the session: a
/// request under way is finished first, then the resume window begins, or the session ends.
pub(super) struct Holder {
    pub(super) hub: Arc<Inner>,
    pub(super) session: Arc<Session>,
    /// Taken only by `drop`.
    turn: Option<OwnedMutexGuard<Intake>>,
    /// The request under way.
    pub(super) operation: Option<BoxFuture<'static, ()>>,
    pub(super) ends_session: bool,
}

impl Holder {
    pub(super) fn new(
        hub: Arc<Inner>,
        session: Arc<Session>,
        turn: OwnedMutexGuard<Intake>,
    ) -> Self {
        Self { hub, session, turn: Some(turn), operation: None, ends_session: false }
    }

    /// When what its client proved of itself ends.
    pub(super) fn expires(&self) -> Option<Instant> {
        let expires = self.session.identity().expires?;
        let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
        Instant::now().checked_add(left)
    }

    /// How many of the client's frames were taken.
    pub(super) fn received(&self) -> u64 {
        self.turn.as_ref().map_or(0, |intake| intake.received())
    }

    /// The client starts to count again, and so does the server.
    pub(super) fn restart(&mut self) {
        if let Some(intake) = &mut self.turn {
            intake.restart();
        }
    }

    pub(super) fn handle(&mut self, text: &str) -> Step {
        match &mut self.turn {
            Some(intake) => self.hub.handle(&self.session, intake, text),
            None => Step::Close(CloseCode::INTERNAL),
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let (hub, session) = (self.hub.clone(), self.session.clone());
        let (turn, ends_session) = (self.turn.take(), self.ends_session);
        session.detach(&hub.limits);
        let let_go = move || {
            if ends_session {
                hub.end(&session);
            } else {
                hub.wait_for(&session);
            }
            drop(turn);
        };
        match self.operation.take() {
            None => let_go(),
            Some(operation) => {
                self.hub.spawn(async move {
                    operation.await;
                    let_go();
                });
            }
        }
    }
}
