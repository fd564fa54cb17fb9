//! The hub as a node of its cluster.

use std::{sync::Arc, time::Duration};

use super::{
    Inner,
    room::{Need, Room},
};
use crate::{
    backplane::{Events, Letter, Message, Unavailable},
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

    fn letter(&self, _letter: Letter) {}

    fn fenced(&self) {}

    fn gap(&self) {
        let Some(hub) = self.this.upgrade() else { return };
        for room in hub.rooms.names() {
            hub.step(&room, |here, _| here.doubt());
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
                let asked = |here: &mut Room| (here.stamp(), here.present(), here.gate.clone());
                // A room that nobody is in any more needs no roster.
                let asked = hub.with_room(room.as_str(), |here, _| asked(here));
                let Some((known, present, gate)) = asked else { return };
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
                        tokio::time::sleep(Duration::from_millis(retry_after_ms.max(50))).await;
                    }
                }
            }
        });
    }
}
