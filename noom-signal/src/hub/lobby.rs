//! The list of listed rooms, and who watches it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Inner, lock};
use crate::{
    backplane::Unavailable,
    protocol::{Frame, LobbyRoom, PeerId, Resumed, ServerMessage, server},
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
    /// What it was sent last, and when.
    last: Vec<LobbyRoom>,
    sent: Instant,
}

impl Lobby {
    /// Ends a watch. Returns the open request it was asked for by, if there was a watch.
    pub(super) fn unwatch(&self, session: &Session) -> Option<Option<u64>> {
        if !session.watches.swap(false, Ordering::Relaxed) {
            return None;
        }
        lock(&self.watchers).remove(&session.peer).map(|watcher| watcher.id)
    }

    /// A request with this id was made: an answer under it is no longer the lobby's.
    pub(super) fn reuse(&self, session: &Session, id: Option<u64>) {
        if id.is_none() || !session.watches.load(Ordering::Relaxed) {
            return;
        }
        let mut watchers = lock(&self.watchers);
        if let Some(watcher) = watchers.get_mut(&session.peer).filter(|w| w.id == id) {
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
        // A change since that list was made is seen by the next look, which compares with it.
        let watcher = Watcher { session: session.clone(), id, last: rooms, sent: Instant::now() };
        self.add_watcher(watcher);
        Ok(())
    }

    /// Goes on with a watch that was begun on another node. Its client is sent the list when it has
    /// resumed.
    pub(super) fn keep_watching(self: &Arc<Self>, session: &Arc<Session>, id: Option<u64>) {
        let (session, last, sent) = (session.clone(), Vec::new(), Instant::now());
        self.add_watcher(Watcher { session, id, last, sent });
    }

    fn add_watcher(self: &Arc<Self>, watcher: Watcher) {
        watcher.session.watches.store(true, Ordering::Relaxed);
        lock(&self.lobby.watchers).insert(watcher.session.peer.clone(), watcher);
        if !self.lobby.watching.swap(true, Ordering::AcqRel) {
            let hub = self.clone();
            self.spawn(async move { hub.keep_lobby().await });
        }
    }

    /// Sends a resumed watcher the list, which may have changed meanwhile.
    pub(super) async fn resume_lobby(self: &Arc<Self>, session: &Arc<Session>, how: Resumed) {
        if !session.identity().may_watch_lobby {
            self.lobby.unwatch(session);
            return;
        }
        let id = {
            let mut watchers = lock(&self.lobby.watchers);
            let Some(watcher) = watchers.get_mut(&session.peer) else { return };
            if how == Resumed::Partial {
                // Open requests stay unanswered, and their ids are free.
                watcher.id = None;
            }
            watcher.id
        };
        // Where the cluster is away, the list comes when it is back and has changed.
        if let Ok(rooms) = self.backplane.lobby(self.limits.lobby_rooms).await {
            self.tell(session, encode(&rooms, id));
            if let Some(watcher) = lock(&self.lobby.watchers).get_mut(&session.peer) {
                (watcher.last, watcher.sent) = (rooms, Instant::now());
            }
        }
    }

    async fn keep_lobby(self: Arc<Self>) {
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
            let (frame, now) = (encode(&rooms, None), Instant::now());
            for watcher in lock(&self.lobby.watchers).values_mut() {
                // Whoever got a list within the second gets this one at the next look.
                if watcher.last != rooms && now >= watcher.sent + PERIOD {
                    self.tell(&watcher.session, frame.clone());
                    (watcher.last, watcher.sent) = (rooms.clone(), now);
                }
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
