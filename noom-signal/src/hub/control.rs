//! What the application does to rooms and peers.

use std::{sync::Arc, time::Duration};

use thiserror::Error;
use tokio::time::{Instant, sleep_until};

use super::{Hub, Inner};
use crate::{
    backplane::{SendError, Unavailable},
    protocol::{ByeReason, Json, LobbyRoom, PeerId, RoomName, ServerMessage, Target, server},
    room::Member,
};

/// Why an application's order had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The peer is not in that room, or this node has nobody in it.
    #[error("no such peer in this room")]
    NotFound,
    /// The cluster cannot be reached. It may or may not have happened.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Hub {
    /// The rooms that a peer of this node is in, with the number of all their peers, by name.
    pub fn rooms(&self) -> Vec<LobbyRoom> {
        let size = |room: &RoomName| {
            let rooms = self.0.rooms.of(room.as_str());
            rooms.get(room)?.roster().map(|roster| roster.len())
        };
        let mut rooms: Vec<LobbyRoom> = self
            .0
            .rooms
            .names()
            .into_iter()
            .filter_map(|room| {
                let peers = u32::try_from(size(&room)?).unwrap_or(u32::MAX);
                Some(LobbyRoom { room, peers })
            })
            .collect();
        rooms.sort_unstable_by(|a, b| a.room.cmp(&b.room));
        rooms
    }

    /// Puts a peer out of a room that this node has a peer in, wherever that one is itself. All members and the peer
    /// itself are told `bye` with the reason `kicked`. It may join again, unless the policy
    /// refuses.
    ///
    /// # Errors
    ///
    /// [`ControlError`].
    pub async fn kick(&self, room: &RoomName, peer: &PeerId) -> Result<(), ControlError> {
        let members = self.0.roster_of(room);
        let member = members.into_iter().find(|member| member.peer == *peer);
        self.0.expel_all(room, member.into_iter().collect(), ByeReason::Kicked).await
    }

    /// Puts everyone out of a room that this node has a peer in, with the reason `closed`. Whoever joins meanwhile is not put
    /// out: to keep a room closed, let the policy refuse it.
    ///
    /// # Errors
    ///
    /// [`ControlError`]; some may be out by then.
    pub async fn close_room(&self, room: &RoomName) -> Result<(), ControlError> {
        self.0.expel_all(room, self.0.roster_of(room), ByeReason::Closed).await
    }

    /// Sends application data into a room as the server: a `message` from
    /// [`PeerId::server`].
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] where the peer is not in the room, or nobody of this node is.
    pub async fn send(&self, room: &RoomName, to: Target, data: &Json) -> Result<(), ControlError> {
        let from = PeerId::server();
        let message = server::Message { room: room.clone(), from, data: data.clone() };
        let frame = ServerMessage::from(message).to_frame();
        let remote = self
            .0
            .with_room(room.as_str(), |here, delivery| here.announce(&to, &frame, delivery))
            .flatten()
            .ok_or(ControlError::NotFound)?;
        let Some((message, nodes)) = remote else { return Ok(()) };
        match self.0.backplane.broadcast(nodes, message).await {
            Ok(()) => Ok(()),
            Err(SendError::NodeGone) => Err(ControlError::NotFound),
            Err(SendError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// Sends this node's clients elsewhere, for a deploy: no new connection is admitted; every
    /// client is told `goaway` with a moment of its own within `spread` at which to come back (to
    /// another node, or to this address once the next server has it); connections that are still
    /// there a second after the last of those moments are closed with 1001. Returns when all have
    /// ended. Sessions stay open: in a cluster, [`Hub::emptied`] waits until other nodes have them.
    ///
    /// Cancel safe as [`Hub::shutdown`] is; a cancelled drain leaves connections open.
    pub async fn drain(&self, spread: Duration) {
        self.0.connections.close();
        let until = Instant::now() + spread + GRACE;
        let sessions = self.0.registry.all();
        let count = sessions.len().max(1) as u128;
        for (place, session) in (0_u128..).zip(sessions) {
            let reconnect_ms = (spread.as_millis() * place / count) as u64;
            let goaway = server::Goaway { reason: "draining".into(), reconnect_ms };
            self.0.tell(&session, ServerMessage::from(goaway).to_frame());
        }
        tokio::select! {
            () = self.0.connections.wait() => {}
            () = sleep_until(until) => self.shutdown().await,
        }
    }
}

/// How long a drain waits for those whose moment came last.
const GRACE: Duration = Duration::from_secs(1);

impl Inner {
    fn roster_of(&self, room: &RoomName) -> Vec<Arc<Member>> {
        let rooms = self.rooms.of(room.as_str());
        let roster = rooms.get(room).and_then(|here| here.roster());
        roster.map(|roster| roster.members().cloned().collect()).unwrap_or_default()
    }

    /// Puts peers out of a room, on a task of its own: what the cluster has done must be told here
    /// even if nobody waits for it any more.
    async fn expel_all(
        self: &Arc<Self>,
        room: &RoomName,
        members: Vec<Arc<Member>>,
        reason: ByeReason,
    ) -> Result<(), ControlError> {
        let (hub, room) = (self.clone(), room.clone());
        let expelling = tokio::spawn(async move {
            let mut expelled = Err(ControlError::NotFound);
            for member in members {
                match hub.expel(&room, &member, reason).await {
                    Ok(()) => expelled = Ok(()),
                    Err(ControlError::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
            expelled
        });
        // It ends early only with its runtime, and this with it.
        expelling.await.unwrap_or(Err(ControlError::NotFound))
    }

    /// Puts a peer out of a room, wherever its session is.
    async fn expel(
        self: &Arc<Self>,
        room: &RoomName,
        member: &Member,
        reason: ByeReason,
    ) -> Result<(), ControlError> {
        let Member { peer, generation, .. } = member;
        let _alone = self.close_gate(room).await;
        let left = self.backplane.leave(room, peer, *generation, reason).await;
        let doubt = |_: &_| self.step(room, |here, _| here.doubt_stay(peer));
        let change = left.inspect_err(doubt)?.ok_or(ControlError::NotFound)?;
        self.step(room, |here, delivery| here.receive(change, delivery));
        Ok(())
    }
}
