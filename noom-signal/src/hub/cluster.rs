//! The hub as a node of its cluster.

use std::{sync::Arc, time::Duration};

use super::{
    Inner,
    room::{Need, Room},
};
use crate::{
    backplane::{Events, Message, Unavailable},
    protocol::RoomName,
    room::Change,
};

impl Events for Inner {
    fn changed(&self, change: Change) {
        let Some(hub) = self.this.upgrade() else { return };
        let room = change.room.clone();
        hub.step(&room, |here, delivery| here.receive(change, delivery));
    }

    fn message(&self, message: Message) {
        let Some(hub) = self.this.upgrade() else { return };
        let room = message.room.clone();
        hub.step(&room, |here, delivery| here.deliver(message, delivery));
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
                let asked =
                    |here: &mut Room| Arc::ptr_eq(&here.gate, &gate).then(|| here.present());
                let present = hub.with_room(room.as_str(), |here, _| asked(here)).flatten();
                let Some(present) = present else { return };
                match hub.backplane.resync(&room, present).await {
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
