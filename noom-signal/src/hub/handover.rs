//! A session on its way to another node, as the node does it that held it.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::{
    Inner,
    letter::{Claim, Handover, Stay, Word},
};
use crate::{
    backplane::Move,
    protocol::{CloseCode, RoomName},
    room::NodeId,
    session::Session,
};

/// Why a session is not handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Refusal {
    /// It is not here, or is somebody else's.
    Unknown,
    /// A newer connection has it.
    Superseded,
    /// It could not be done cleanly, and is not here any more.
    Failed,
}

/// How long a room may take to get to the step that moves a peer. Its steps are on their way.
const PATIENCE: Duration = Duration::from_secs(1);

impl Inner {
    /// Hands a session over to the node whose client has claimed it.
    pub(super) async fn answer_claim(self: Arc<Self>, to: NodeId, claim: Claim) {
        let (peer, generation) = (claim.peer.clone(), claim.generation);
        let word = match self.part_with(to, claim).await {
            Ok(handover) => Word::Handover(Box::new(handover)),
            Err(why) => Word::Refused { peer: peer.clone(), generation, why },
        };
        if let Err(error) = self.write(to, &word).await {
            // That node will take the peer over as it is, and tells its client of the loss.
            tracing::warn!(%peer, %to, %error, "a session was lost on its way");
        }
    }

    async fn part_with(self: &Arc<Self>, to: NodeId, claim: Claim) -> Result<Handover, Refusal> {
        let Claim { peer, user, generation } = claim;
        let session = self.registry.get(&peer).ok_or(Refusal::Unknown)?;
        if session.identity().user != user {
            return Err(Refusal::Unknown);
        }
        // As for a newer connection here: the older one is closed, and what it asked for is done.
        let number = session.claim();
        let intake = session.turn().await;
        if session.is_claimed_after(number) {
            return Err(Refusal::Superseded);
        }

        let mut rooms = session.rooms();
        // Whoever closes several gates does so in this order.
        rooms.sort_unstable();
        let (mut gates, mut stays, mut departures) = (Vec::new(), Vec::new(), Vec::new());
        for room in rooms {
            // A move may take this node's last peer out of a room, as a leave does.
            gates.push(self.close_gate(&room).await);
            let departing = self.with_room(room.as_str(), |here, _| here.await_departure(&peer));
            if let Some((stay, gone)) = departing.flatten() {
                stays.push((room.clone(), stay));
                departures.push((room, gone));
            }
        }
        let moving = Move { peer: peer.clone(), stays, node: to, generation };
        match self.backplane.hand_over(moving).await {
            Ok(changes) => {
                for change in changes {
                    let room = change.room.clone();
                    self.step(&room, |here, delivery| here.receive(change, delivery));
                }
            }
            Err(_) => {
                for (room, _) in departures {
                    self.with_room(room.as_str(), |here, _| here.unexpect_departure(&peer));
                    self.doubt(&room);
                }
                return Err(Refusal::Failed);
            }
        }
        let mut stays = Vec::new();
        for (room, gone) in departures {
            match timeout(PATIENCE, gone).await {
                Ok(Ok(snapshot)) => stays.push(Stay { room, snapshot: Some(snapshot) }),
                // It was taken out of the room first, and told so.
                Ok(Err(_)) => {}
                Err(_) => {
                    session.lose();
                    stays.push(Stay { room, snapshot: None });
                }
            }
        }
        drop(gates);
        let left: Vec<RoomName> = stays.iter().map(|stay| stay.room.clone()).collect();
        if timeout(PATIENCE, self.owed_to(&peer, &left)).await.is_err() {
            session.lose();
        }
        let packed = session.pack(&intake, &self.limits, Instant::now());
        for room in left {
            self.with_room(room.as_str(), |here, _| here.forget_departed(&peer));
        }
        let watches = self.lobby.unwatch(&session);
        self.registry.remove(&session);
        let session = packed.ok_or(Refusal::Failed)?;
        tracing::debug!(%peer, %to, "a session was handed over");
        Ok(Handover { peer, generation, session, stays, watches })
    }

    /// Lets a session go that is on another node without this one having been asked: its client has
    /// come to that one while this node was silent.
    pub(super) fn let_go(&self, session: &Arc<Session>) {
        session.close(CloseCode::REPLACED);
        if session.end().is_some() {
            self.lobby.unwatch(session);
            self.registry.remove(session);
        }
    }
}
