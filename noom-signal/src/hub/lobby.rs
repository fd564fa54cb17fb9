//! The list of listed rooms, and who watches it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

use super::{Inner, lock};
use crate::{
    backplane::Unavailable,
    protocol::{Frame, LobbyRoom, PeerId, ServerMessage, server},
    session::Session,
};

/// How often the list is looked at while somebody watches: the most often it is sent.
const PERIOD: Duration = Duration::from_secs(1);

/// The sessions that watch the lobby.
#[derive(Debug, Default)]
pub(super) struct Lobby {
    watchers: Mutex<HashMap<PeerId, Watcher>>,
    /// Whether a task looks at the list. There is one exactly while there are watchers.
    watching: AtomicBool,
}

#[derive(Debug)]
struct Watcher {
    session: Arc<Session>,
    /// The request whose answer may have been lost with its connection.
    id: Option<u64>,
}

impl Lobby {
    pub(super) fn unwatch(&self, peer: &PeerId) {
        lock(&self.watchers).remove(peer);
    }

    /// A request with this id was made: an answer under it is no longer the lobby's.
    pub(super) fn reuse(&self, peer: &PeerId, id: Option<u64>) {
        if !self.watching.load(Ordering::Relaxed) || id.is_none() {
            return;
        }
        if let Some(watcher) = lock(&self.watchers).get_mut(peer).filter(|w| w.id == id) {
            watcher.id = None;
        }
    }
}

impl Inner {
    /// Sends the list now, and again when it changes, until the session ends or no longer watches.
    pub(super) async fn watch_lobby(
        self: &Arc<Self>,
        session: &Arc<Session>,
        id: Option<u64>,
    ) -> Result<(), Unavailable> {
        let rooms = self.backplane.lobby(self.limits.lobby_rooms).await?;
        self.tell(session, encode(&rooms, id));
        let watcher = Watcher { session: session.clone(), id };
        lock(&self.lobby.watchers).insert(session.peer.clone(), watcher);
        if !self.lobby.watching.swap(true, Ordering::AcqRel) {
            let hub = self.clone();
            self.spawn(async move { hub.keep_lobby(rooms).await });
        }
        Ok(())
    }

    /// Sends a resumed watcher the list, which may have changed meanwhile.
    pub(super) async fn resume_lobby(self: &Arc<Self>, session: &Arc<Session>) {
        let Some(id) = lock(&self.lobby.watchers).get(&session.peer).map(|w| w.id) else { return };
        // Where the cluster is away, the list comes when it is back and has changed.
        if let Ok(rooms) = self.backplane.lobby(self.limits.lobby_rooms).await {
            self.tell(session, encode(&rooms, id));
        }
    }

    async fn keep_lobby(self: Arc<Self>, mut last: Vec<LobbyRoom>) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            {
                let watchers = lock(&self.lobby.watchers);
                if watchers.is_empty() {
                    // Under the lock: whoever comes next finds no task and begins one.
                    return self.lobby.watching.store(false, Ordering::Release);
                }
            }
            let Ok(rooms) = self.backplane.lobby(self.limits.lobby_rooms).await else { continue };
            if rooms == last {
                continue;
            }
            let frame = encode(&rooms, None);
            last = rooms;
            let watchers: Vec<_> =
                lock(&self.lobby.watchers).values().map(|w| w.session.clone()).collect();
            for session in watchers {
                self.tell(&session, frame.clone());
            }
        }
    }

    /// Tells a frame that belongs to the present connection.
    pub(super) fn tell(&self, session: &Session, frame: Frame) {
        if let Some(waker) = session.push_loose(frame, &self.limits) {
            waker.wake();
        }
    }
}

fn encode(rooms: &[LobbyRoom], id: Option<u64>) -> Frame {
    ServerMessage::from(server::Lobby { rooms: rooms.to_vec(), id }).to_frame()
}
