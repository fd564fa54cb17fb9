//! Joining, leaving, updating, and what a session's end means for its rooms.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, oneshot};

use super::{
    Inner,
    delivery::Delivery,
    room::{Asks, Need, Pending, Room},
};
use crate::{
    backplane::{Entry, JoinError, Unavailable},
    policy::RoomGrant,
    protocol::{ByeReason, ErrorCode, Json, PeerId, RoomName},
    room::{Change, Member},
    session::Session,
};

/// Why a request had no effect, for the client.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: ErrorCode,
    pub(super) message: String,
    pub(super) retry_after_ms: Option<u64>,
}

impl Failure {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }
}

impl From<Unavailable> for Failure {
    fn from(unavailable: Unavailable) -> Self {
        Self {
            code: ErrorCode::Unavailable,
            message: unavailable.to_string(),
            retry_after_ms: Some(unavailable.retry_after_ms),
        }
    }
}

/// What a peer brings to a room.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) room: RoomName,
    pub(super) meta: Json,
    pub(super) grant: RoomGrant,
    pub(super) id: Option<u64>,
}

impl Inner {
    /// Puts a session into a room. The `joined` is told by the room itself, when the join takes
    /// effect; by the time this returns, it has.
    pub(super) async fn join(
        self: &Arc<Self>,
        session: &Arc<Session>,
        arrival: Arrival,
    ) -> Result<(), Failure> {
        let Arrival { room, meta, grant, id } = arrival;
        let capacity = grant.capacity.unwrap_or(usize::MAX).min(self.limits.peers_per_room);
        let entered = session.rooms();
        if entered.contains(&room) {
            return Err(Failure::new(ErrorCode::AlreadyJoined, format!("already in room {room}")));
        }
        if entered.len() >= self.limits.rooms_per_peer {
            let members = self.backplane.occupancy(&room).await?;
            if members >= capacity {
                return Err(room_full(&room, members, capacity));
            }
            let most = self.limits.rooms_per_peer;
            return Err(Failure::new(
                ErrorCode::TooManyRooms,
                format!("a peer may be in {most} rooms"),
            ));
        }

        let generation = self.generations.fetch_add(1, Ordering::Relaxed);
        let user = session.identity().user.clone();
        let member = Member {
            peer: session.peer.clone(),
            generation,
            node: self.node,
            seat: 0,
            user: user.clone(),
            meta: meta.clone(),
            since: 0,
        };
        let (pending, told) = Pending::new(id, Asks::Join);
        let (expected, gate) = self.expect(&room, session, member, pending).await;
        let (peer, listed) = (session.peer.clone(), grant.listed);
        let entry = Entry { room: room.clone(), peer, generation, user, meta, capacity, listed };
        match self.backplane.join(entry).await {
            Ok(entered) => self.step(&room, |here, delivery| here.enter(entered, delivery)),
            Err(JoinError::Full { members }) => return Err(room_full(&room, members, capacity)),
            Err(JoinError::Unavailable(unavailable)) => {
                drop(expected);
                self.doubt(&room);
                // It may have happened: the cluster must not keep a member that nobody is.
                self.leave_in_time(room.clone(), session.peer.clone(), generation);
                return Err(unavailable.into());
            }
        }
        drop(gate);
        // Told at once, unless an earlier step of the room is still on its way.
        let _ = told.await;
        drop(expected);
        if !session.rooms().contains(&room) {
            self.leave_in_time(room, session.peer.clone(), generation);
        }
        Ok(())
    }

    /// Makes the room ready for one of its joins, before the cluster is asked: whatever that tells
    /// from then on is for the room to keep.
    async fn expect<'a>(
        self: &'a Arc<Self>,
        room: &'a RoomName,
        session: &'a Arc<Session>,
        member: Member,
        pending: Pending,
    ) -> (Expected<'a>, OwnedRwLockReadGuard<()>) {
        let generation = member.generation;
        loop {
            let gate = {
                let mut rooms = self.rooms.of(room.as_str());
                let here = rooms.entry(room.clone()).or_insert_with(|| Room::new(room.clone()));
                here.gate.clone()
            };
            let open = gate.clone().read_owned().await;
            let mut rooms = self.rooms.of(room.as_str());
            match rooms.get_mut(room) {
                Some(here) if Arc::ptr_eq(&here.gate, &gate) => {
                    here.expect(session.clone(), member, pending);
                    let peer = &session.peer;
                    return (Expected { hub: self, room, peer, generation }, open);
                }
                // It was forgotten meanwhile, and perhaps made anew.
                _ => {}
            }
        }
    }

    /// Takes a peer of this node out of a room. The `bye` is told by the room itself.
    pub(super) async fn leave(
        self: &Arc<Self>,
        peer: &PeerId,
        room: &RoomName,
        reason: ByeReason,
        id: Option<u64>,
    ) -> Result<(), Failure> {
        let alone = self.close_gate(room).await;
        self.change(peer, room, id, Asks::Leave, alone, async |generation| {
            self.backplane.leave(room, peer, generation, reason).await
        })
        .await
    }

    pub(super) async fn close_gate(&self, room: &RoomName) -> Option<OwnedRwLockWriteGuard<()>> {
        let gate = self.with_room(room.as_str(), |here, _| here.gate.clone())?;
        Some(gate.write_owned().await)
    }

    /// Nobody can say whether the last request took effect: the room is fetched anew.
    pub(super) fn doubt(self: &Arc<Self>, room: &RoomName) {
        self.step(room, |here, _| here.doubt());
    }

    /// Replaces a peer's meta. The `updated` is told by the room itself.
    pub(super) async fn update(
        self: &Arc<Self>,
        peer: &PeerId,
        room: &RoomName,
        meta: Json,
        id: Option<u64>,
    ) -> Result<(), Failure> {
        self.change(peer, room, id, Asks::Update, None, async |generation| {
            self.backplane.update(room, peer, generation, meta).await
        })
        .await
    }

    async fn change(
        self: &Arc<Self>,
        peer: &PeerId,
        room: &RoomName,
        id: Option<u64>,
        asks: Asks,
        alone: Option<OwnedRwLockWriteGuard<()>>,
        ask: impl AsyncFnOnce(u64) -> Result<Option<Change>, Unavailable>,
    ) -> Result<(), Failure> {
        let (pending, told) = Pending::new(id, asks);
        let generation = self
            .with_room(room.as_str(), |here, _| here.await_change(peer, pending))
            .flatten()
            .ok_or_else(|| not_in_room(room))?;
        let given_up = || {
            let give_up = |here: &mut Room| here.give_up_change(peer);
            self.with_room(room.as_str(), |here, _| give_up(here)).unwrap_or(false)
        };
        match ask(generation).await {
            Ok(Some(change)) => {
                self.step(room, |here, delivery| here.land(peer, change, delivery));
                self.until_told_or_doubted(room, alone, told).await;
                Ok(())
            }
            // Something else took it out first, and its bye has answered or will.
            Ok(None) if given_up() => Err(not_in_room(room)),
            Ok(None) => Ok(()),
            Err(unavailable) => {
                match asks {
                    Asks::Leave => self.step(room, |here, _| here.doubt_stay(peer)),
                    _ => self.doubt(room),
                }
                if given_up() { Err(unavailable.into()) } else { Ok(()) }
            }
        }
    }

    /// Waits until a change is told, which an earlier step may hold up that is still on its way.
    ///
    /// The gate stays closed meanwhile: a join would be answered from a time when this node had
    /// nobody in the room, and what it was not told of then would be missing. Only where the room is
    /// in doubt the gate is opened, for the snapshot that tells the change waits for it.
    async fn until_told_or_doubted(
        &self,
        room: &RoomName,
        alone: Option<OwnedRwLockWriteGuard<()>>,
        told: oneshot::Receiver<()>,
    ) {
        tokio::pin!(told);
        loop {
            let stepped = self.stepped.notified();
            tokio::pin!(stepped);
            stepped.as_mut().enable();
            if self.with_room(room.as_str(), |here, _| here.in_doubt()).unwrap_or(true) {
                break;
            }
            tokio::select! {
                _ = &mut told => return,
                () = stepped => {}
            }
        }
        drop(alone);
        let _ = told.await;
    }

    /// Ends a session: it is out of all its rooms, with one `bye` in each.
    pub(super) fn end(self: &Arc<Self>, session: &Arc<Session>) {
        if let Some(rooms) = session.end() {
            self.end_in(session, rooms);
        }
    }

    /// Forgets a session that has ended, which was in these rooms.
    pub(super) fn end_in(self: &Arc<Self>, session: &Arc<Session>, rooms: Vec<RoomName>) {
        // Whoever waits for the last session waits for its leaves, too.
        let _parting = self.partings.token();
        self.registry.remove(session);
        self.lobby.unwatch(session);
        for room in rooms {
            let generation = self.with_room(room.as_str(), |here, _| here.detach(session));
            if let Some(generation) = generation.flatten() {
                self.leave_in_time(room, session.peer.clone(), generation);
            }
        }
    }

    /// Sees to it that a peer is out of a room, however long the cluster takes.
    ///
    /// At once where the cluster answers at once; otherwise on a task of its own.
    pub(super) fn leave_in_time(self: &Arc<Self>, room: RoomName, peer: PeerId, generation: u64) {
        let hub = self.clone();
        self.spawn(self.partings.track_future(async move {
            loop {
                let reason = ByeReason::Disconnected;
                let alone = hub.close_gate(&room).await;
                match hub.backplane.leave(&room, &peer, generation, reason).await {
                    Ok(Some(change)) => {
                        return hub.step(&room, |here, delivery| here.receive(change, delivery));
                    }
                    Ok(None) => return,
                    Err(Unavailable { retry_after_ms }) => {
                        drop(alone);
                        hub.doubt(&room);
                        tokio::time::sleep(Duration::from_millis(retry_after_ms.max(50))).await;
                    }
                }
            }
        }));
    }
}

/// A join on its way. However it ends, the room does not go on expecting it.
struct Expected<'a> {
    hub: &'a Arc<Inner>,
    room: &'a RoomName,
    peer: &'a PeerId,
    generation: u64,
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        let (peer, generation) = (self.peer, self.generation);
        self.hub.step(self.room, |here, delivery| here.unexpect(peer, generation, delivery));
    }
}

/// What a room's step calls for, done.
impl Inner {
    pub(super) fn step(
        self: &Arc<Self>,
        room: &RoomName,
        act: impl FnOnce(&mut Room, &mut Delivery<'_>) -> Need,
    ) {
        if self.with_room(room.as_str(), act) == Some(Need::Snapshot) {
            self.fetch(room.clone());
        }
        self.stepped.notify_waiters();
    }
}

fn not_in_room(room: &RoomName) -> Failure {
    Failure::new(ErrorCode::NotInRoom, format!("not in room {room}"))
}

fn room_full(room: &RoomName, members: usize, capacity: usize) -> Failure {
    Failure::new(ErrorCode::RoomFull, format!("room {room} holds {members} of {capacity} peers"))
}
