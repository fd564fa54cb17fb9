//! A session on its way to another node, as the node does it that held it.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    sync::OwnedRwLockWriteGuard,
    time::{Instant, timeout},
};

use super::{
    Inner,
    delivery::Delivery,
    letter::{Claim, Handover, Stay, Watch, Word},
    room::Need,
};
use crate::{
    backplane::Move,
    protocol::{CloseCode, RoomName},
    room::{Change, NodeId},
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
        let Claim { peer, user, generation, attempt } = claim;
        // Its client may go on to the next node before the session has come to this one.
        self.arrivals.finished(&peer).await;
        let session = self.registry.get(&peer).ok_or(Refusal::Unknown)?;
        if session.identity().user != user {
            return Err(Refusal::Unknown);
        }
        // As for a newer connection here: the older one is closed, and what it asked for is done.
        let number = session.claim(attempt).ok_or(Refusal::Superseded)?;
        let intake = session.turn().await;
        if session.is_claimed_after(number) {
            return Err(Refusal::Superseded);
        }
        if session.has_ended() {
            // Perhaps it was handed over just now.
            return Err(Refusal::Unknown);
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
                if !self.step_together(changes, gates).await {
                    session.lose();
                }
            }
            Err(_) => {
                for (room, mut gone) in departures {
                    // The other node may have lost its patience, and taken the peer over.
                    let taken = gone.try_recv().is_ok();
                    self.with_room(room.as_str(), |here, _| here.forget_departed(&peer));
                    if taken {
                        self.let_go(&session);
                    }
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
        let left: Vec<RoomName> = stays.iter().map(|stay| stay.room.clone()).collect();
        if timeout(PATIENCE, self.owed_to(&peer, &left)).await.is_err() {
            session.lose();
        }
        let packed = session.pack(&intake, &self.limits, Instant::now());
        for room in left {
            self.with_room(room.as_str(), |here, _| here.forget_departed(&peer));
        }
        let watches = self.lobby.unwatch(&session).map(|id| Watch { id });
        self.registry.remove(&session);
        let session = packed.ok_or(Refusal::Failed)?;
        tracing::debug!(%peer, %to, "a session was handed over");
        Ok(Handover { peer, generation, session, stays, watches })
    }

    /// Makes these steps, each in another room, at the same moment: what its node has for a peer that
    /// moves is all from before, what the next one has is all from after. Returns whether that was
    /// possible; made they are in any case.
    async fn step_together(
        self: &Arc<Self>,
        changes: Vec<Change>,
        gates: Vec<Option<OwnedRwLockWriteGuard<()>>>,
    ) -> bool {
        if self.try_step_together(&changes) {
            return true;
        }
        // An earlier step of some room is still on its way, or the room is in doubt; then it waits
        // for its gate.
        drop(gates);
        let together = async {
            loop {
                let stepped = self.stepped.notified();
                tokio::pin!(stepped);
                stepped.as_mut().enable();
                if self.try_step_together(&changes) {
                    return;
                }
                stepped.await;
            }
        };
        let made = timeout(PATIENCE, together).await.is_ok();
        for change in changes {
            let room = change.room.clone();
            self.step(&room, |here, delivery| {
                // One that was made counts no more. With the gate open somebody may have joined.
                let _ = here.receive(change, delivery);
                here.doubt()
            });
        }
        made
    }

    fn try_step_together(self: &Arc<Self>, changes: &[Change]) -> bool {
        let mut delivery = Delivery::new(&self.limits, self.node, &self.events);
        let mut rooms = self.rooms.of_all(changes.iter().map(|change| &change.room));
        let due =
            |change: &Change| rooms.get(&change.room).is_none_or(|here| here.is_due_next(change));
        if !changes.iter().all(due) {
            return false;
        }
        let mut doubtful = Vec::new();
        for change in changes {
            if let Some(here) = rooms.get_mut(&change.room)
                && here.receive(change.clone(), &mut delivery) == Need::Snapshot
            {
                doubtful.push(change.room.clone());
            }
        }
        drop(rooms);
        doubtful.into_iter().for_each(|room| self.fetch(room));
        self.follow(delivery.finish());
        true
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
