//! The sessions of a hub.

use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;

use super::lock;
use crate::{protocol::PeerId, session::Session};

/// The sessions, by their peers, and those of them that wait for their clients.
///
/// A secret is looked up by the peer that it hashes to, so that the time it takes tells an attacker
/// nothing to build a guess on.
#[derive(Debug, Default)]
pub(super) struct Registry {
    sessions: Mutex<HashMap<PeerId, Arc<Session>>>,
    away: Mutex<Away>,
    /// Told when the last session has gone.
    emptied: Notify,
}

/// Sessions whose client is away, those first that have been for the longest.
#[derive(Debug, Default)]
struct Away {
    waiting: BTreeMap<u64, Arc<Session>>,
    last: u64,
}

impl Registry {
    pub(super) fn insert(&self, session: Arc<Session>) {
        lock(&self.sessions).insert(session.peer.clone(), session);
    }

    /// Forgets a session. One that has come back under the same peer meanwhile stays.
    pub(super) fn remove(&self, session: &Arc<Session>) {
        let mut sessions = lock(&self.sessions);
        if sessions.get(&session.peer).is_some_and(|known| Arc::ptr_eq(known, session)) {
            sessions.remove(&session.peer);
            if sessions.is_empty() {
                self.emptied.notify_waiters();
            }
        }
    }

    pub(super) fn get(&self, peer: &PeerId) -> Option<Arc<Session>> {
        lock(&self.sessions).get(peer).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        lock(&self.sessions).values().cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.sessions).len()
    }

    /// Waits until there is no session.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = pin!(self.emptied.notified());
            if self.len() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Notes that a session waits for its client. Returns its place in the queue, and the session
    /// that has to end so that no more than `limit` wait (0: any number).
    pub(super) fn wait(&self, session: &Arc<Session>, limit: usize) -> (u64, Option<Arc<Session>>) {
        let mut away = lock(&self.away);
        away.last += 1;
        let place = away.last;
        away.waiting.insert(place, session.clone());
        let over = limit > 0 && away.waiting.len() > limit;
        let longest = if over { away.waiting.pop_first() } else { None };
        (place, longest.map(|(_, session)| session))
    }

    /// The session at that place waits no more.
    pub(super) fn wait_no_more(&self, place: u64) {
        lock(&self.away).waiting.remove(&place);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::{Limits, policy::Identity, protocol::SessionSecret, room::NodeId};

    #[test]
    fn who_has_waited_the_longest_makes_room() {
        let registry = Registry::default();
        let [a, b, c] = [(); 3].map(|()| {
            let (limits, now) = (Limits::default(), Instant::now());
            let secret = SessionSecret::random(NodeId(1));
            Arc::new(Session::new(secret, Identity::default(), &limits, now))
        });
        let (first, none) = registry.wait(&a, 2);
        assert!(none.is_none());
        registry.wait_no_more(first);
        assert!(registry.wait(&b, 2).1.is_none());
        assert!(registry.wait(&a, 2).1.is_none());
        let (_, longest) = registry.wait(&c, 2);
        assert!(longest.is_some_and(|session| Arc::ptr_eq(&session, &b)));
        assert!(registry.wait(&b, 0).1.is_none());
        assert_eq!(lock(&registry.away).waiting.len(), 3);
    }
}
