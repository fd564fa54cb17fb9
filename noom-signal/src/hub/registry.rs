//! The sessions of a hub.

use std::{collections::HashMap, sync::Arc, sync::Mutex};

use super::lock;
use crate::{protocol::SessionSecret, session::Session};

/// The sessions, by the secret that resumes them.
///
/// A lookup compares hashes under a random key and then the whole secret, so that its time tells
/// an attacker nothing to build a guess on.
#[derive(Debug, Default)]
pub(super) struct Registry {
    sessions: Mutex<HashMap<SessionSecret, Arc<Session>>>,
}

impl Registry {
    pub(super) fn insert(&self, session: Arc<Session>) {
        lock(&self.sessions).insert(session.secret.clone(), session);
    }

    pub(super) fn remove(&self, secret: &SessionSecret) {
        lock(&self.sessions).remove(secret);
    }

    pub(super) fn find(&self, secret: &str) -> Option<Arc<Session>> {
        lock(&self.sessions).get(secret).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        lock(&self.sessions).values().cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.sessions).len()
    }
}
