//! The hub as a node of its cluster.

use std::{sync::Arc, time::Duration};

use super::{Inner, room::Need};
use crate::{
    backplane::{Events, Letter, Message, Unavailable},
    protocol::{CloseCode, RoomName},
    room::{Change, ChangeKind},
};

impl Events for Inner {
    fn changed(&self, change: Change) {
        let Some(hub) = self.this.upgrade() else { return };
        let room = change.room.clone();
        if let ChangeKind::Moved { peer, generation, node } = &change.kind
            && *node == self.node
        {
            match hub.arrivals.expected(peer, *generation, &room) {
                // Whoever fetches the session waits for it, in its own time.
                Some(session) => drop(hub.expect_arrival(&room, &session, *generation)),
                // It was given up: nobody is here who would be that peer.
                None => hub.leave_in_time(room.clone(), peer.clone(), *generation),
            }
        }
        hub.step(&room, |here, delivery| here.receive(change, delivery));
    }

    fn message(&self, message: Message) {
        let Some(hub) = self.this.upgrade() else { return };
        hub.take_in(message);
    }

    fn letter(&self, letter: Letter) {
        let Some(hub) = self.this.upgrade() else { return };
        hub.read(letter);
    }

    fn fenced(&self) {
        let Some(hub) = self.this.upgrade() else { return };
        tracing::error!("the cluster took this node for dead: its sessions end");
        for session in hub.registry.all() {
            session.close(CloseCode::GOING_AWAY);
            if session.end().is_some() {
                hub.lobby.unwatch(&session);
                hub.registry.remove(&session);
            }
        }
        for room in hub.rooms.names() {
            hub.step(&room, |here, delivery| here.clear(delivery));
        }
    }

    fn gap(&self) {
        let Some(hub) = self.this.upgrade() else { return };
        for room in hub.rooms.names() {
            hub.step(&room, |here, _| here.gap());
        }
    }
}

impl Inner {
    /// Fetches a room anew, for as long as it takes; meanwhile its steps are held. Call it when a
    /// room asks for it, within a runtime.
    pub(super) fn fetch(self: &Arc<Self>, room: RoomName) {
        let hub = self.clone();
        self.spawn(async move {
            loop {
                let gate = hub.with_room(room.as_str(), |here, _| here.gate.clone());
                let Some(gate) = gate else { return };
                // Alone, for a join or leave under way would be undone by what is said here.
                let alone = gate.clone().write_owned().await;
                // A room that nobody is in any more needs no roster. If it was forgotten and made
                // anew, that is another room.
                let asked = hub.with_room(room.as_str(), |here, _| {
                    let same = Arc::ptr_eq(&here.gate, &gate);
                    same.then(|| (here.stamp(), here.present(hub.node)))
                });
                let Some((known, present)) = asked.flatten() else { return };
                match hub.backplane.resync(&room, known, present).await {
                    Ok(snapshot) => {
                        return hub.step(&room, |here, delivery| {
                            // The room may have been forgotten meanwhile, and made anew.
                            if Arc::ptr_eq(&here.gate, &gate) {
                                here.adopt(snapshot, delivery)
                            } else {
                                Need::Nothing
                            }
                        });
                    }
                    Err(Unavailable { retry_after_ms }) => {
                        drop(alone);
                        tokio::time::sleep(Duration::from_millis(retry_after_ms.max(50))).await;
                    }
                }
            }
        });
    }
}
