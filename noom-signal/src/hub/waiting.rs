//! Sessions whose client is away.

use std::sync::{Arc, Weak};

use tokio::{
    task::AbortHandle,
    time::{Instant, sleep_until},
};

use super::Inner;
use crate::session::Session;

impl Inner {
    /// Lets a session wait for its client, and ends it when its resume window has passed, or when
    /// so many wait that this one has become the oldest of too many.
    pub(super) fn wait_for(self: &Arc<Self>, session: &Arc<Session>) {
        if self.limits.resume.is_zero() {
            return self.end(session);
        }
        let (place, longest) = self.registry.wait(session, self.limits.sessions_away);
        let hub = self.this.clone();
        session.wait_with(Box::new(Waiting { hub, place, timer: self.timer(session) }));
        if let Some(longest) = longest
            && let Some(rooms) = longest.end_away()
        {
            tracing::debug!(peer = %longest.peer, "too many sessions wait: this one ends early");
            self.end_in(&longest, rooms);
        }
    }

    fn timer(self: &Arc<Self>, session: &Arc<Session>) -> Option<AbortHandle> {
        let (hub, waiting) = (self.clone(), session.clone());
        let until = Instant::now() + self.limits.resume;
        self.spawn(async move {
            sleep_until(until).await;
            // Whoever is just resuming it has the turn.
            let _turn = waiting.turn().await;
            if let Some(rooms) = waiting.end_away() {
                hub.end_in(&waiting, rooms);
            }
        })
    }
}

/// A session's wait. Dropping it ends it.
struct Waiting {
    hub: Weak<Inner>,
    place: u64,
    timer: Option<AbortHandle>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(timer) = &self.timer {
            timer.abort();
        }
        if let Some(hub) = self.hub.upgrade() {
            hub.registry.wait_no_more(self.place);
        }
    }
}
