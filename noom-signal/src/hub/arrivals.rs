//! A session on its way here from another node.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

use super::{
    Inner,
    delivery::Delivery,
    handover::Refusal,
    letter::{Claim, Handover, Stay, Watch, Word},
    lock,
    room::{Need, Room},
};
use crate::{
    backplane::{Entered, SendError, Unavailable},
    policy::Identity,
    protocol::{PeerId, RoomName, SessionSecret},
    room::NodeId,
    session::Session,
};

/// The sessions that are being fetched from other nodes.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    peers: Mutex<HashMap<PeerId, Arrival>>,
}

/// One of them. From here on the session collects what its peer is told.
#[derive(Debug)]
struct Arrival {
    session: Arc<Session>,
    generation: u64,
    /// The rooms that have been told to expect it.
    rooms: Vec<RoomName>,
    /// Where the answer of the other node goes.
    answer: Option<oneshot::Sender<Answer>>,
    outcome: Shared<BoxFuture<'static, Brought>>,
}

type Answer = Result<Box<Handover>, Refusal>;

/// How it went.
#[derive(Debug, Clone)]
pub(super) enum Brought {
    Here(Arc<Session>),
    /// No node has such a session, or only for another user.
    Nowhere,
    /// A newer connection, at the other node, has it.
    Superseded,
    /// The cluster cannot say.
    Unavailable,
}

/// How long another node may take to hand a session over. After that what it held is given up, and
/// the client is told.
const PATIENCE: Duration = Duration::from_secs(2);

impl Arrivals {
    pub(super) fn session(&self, peer: &PeerId) -> Option<Arc<Session>> {
        lock(&self.peers).get(peer).map(|arrival| arrival.session.clone())
    }

    /// The session that a move under this generation brings to this room.
    pub(super) fn expected(
        &self,
        peer: &PeerId,
        generation: u64,
        room: &RoomName,
    ) -> Option<Arc<Session>> {
        let mut peers = lock(&self.peers);
        let arrival = peers.get_mut(peer).filter(|arrival| arrival.generation == generation)?;
        arrival.rooms.push(room.clone());
        Some(arrival.session.clone())
    }

    /// Waits until no session of that peer is on its way here.
    pub(super) async fn finished(&self, peer: &PeerId) {
        loop {
            let outcome = lock(&self.peers).get(peer).map(|arrival| arrival.outcome.clone());
            match outcome {
                Some(outcome) => drop(outcome.await),
                None => return,
            }
        }
    }

    /// The rooms that have been told to expect it.
    fn rooms(&self, peer: &PeerId) -> Vec<RoomName> {
        lock(&self.peers).get(peer).map(|arrival| arrival.rooms.clone()).unwrap_or_default()
    }

    /// It is not on its way any more. Returns the same.
    fn end(&self, peer: &PeerId) -> Vec<RoomName> {
        lock(&self.peers).remove(peer).map(|arrival| arrival.rooms).unwrap_or_default()
    }

    /// What will get the answer of another node.
    fn listen(&self, peer: &PeerId) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        if let Some(arrival) = lock(&self.peers).get_mut(peer) {
            arrival.answer = Some(answer);
        }
        answered
    }

    /// Passes on what the other node says. What comes too late, when it was given up, is dropped.
    pub(super) fn answer(&self, peer: &PeerId, generation: u64, answer: Answer) {
        let mut peers = lock(&self.peers);
        let arrival = peers.get_mut(peer).filter(|arrival| arrival.generation == generation);
        if let Some(waiting) = arrival.and_then(|arrival| arrival.answer.take()) {
            let _ = waiting.send(answer);
        }
    }
}

impl Inner {
    /// Brings a session here whose client has turned up here. Of several who ask at the same time,
    /// all get the same answer.
    pub(super) async fn bring(
        self: &Arc<Self>,
        secret: &str,
        attempt: u64,
        identity: &Identity,
    ) -> Brought {
        let Some(birthplace) = SessionSecret::birthplace(secret) else { return Brought::Nowhere };
        let peer = PeerId::of(secret);
        let outcome = {
            let mut arrivals = lock(&self.arrivals.peers);
            match arrivals.get(&peer) {
                Some(arrival) => arrival.outcome.clone(),
                None => {
                    let (secret, now) = (SessionSecret::new(secret), Instant::now());
                    let session = Session::new(secret, identity.clone(), &self.limits, now);
                    let arrival = self.begin_arrival(Arc::new(session), attempt, birthplace);
                    let outcome = arrival.outcome.clone();
                    arrivals.insert(peer, arrival);
                    outcome
                }
            }
        };
        outcome.await
    }

    /// It goes on on a task of its own, whether or not its client stays: once the other node has let
    /// go of the session, somebody must have it.
    fn begin_arrival(
        self: &Arc<Self>,
        session: Arc<Session>,
        attempt: u64,
        birthplace: NodeId,
    ) -> Arrival {
        let generation = self.generations.fetch_add(1, Ordering::Relaxed);
        let (done, outcome) = oneshot::channel();
        let (hub, arriving) = (self.clone(), session.clone());
        self.spawn(async move {
            let claim = (generation, attempt);
            let brought = hub.fetch_session(&arriving, claim, birthplace).await;
            let rooms = hub.arrivals.end(&arriving.peer);
            rooms.into_iter().for_each(|room| hub.give_up_arrival(room, &arriving, generation));
            let _ = done.send(brought);
        });
        let outcome = outcome.map(|brought| brought.unwrap_or(Brought::Unavailable));
        let (rooms, outcome) = (Vec::new(), outcome.boxed().shared());
        Arrival { session, generation, rooms, answer: None, outcome }
    }

    async fn fetch_session(
        self: &Arc<Self>,
        session: &Arc<Session>,
        (generation, attempt): (u64, u64),
        birthplace: NodeId,
    ) -> Brought {
        let user = session.identity().user.clone();
        let mut asked = None;
        loop {
            let (node, alive, roomless) = match self.backplane.locate(&session.peer).await {
                Ok(Some(location)) if location.user != user => return Brought::Nowhere,
                Ok(Some(location)) => (location.node, location.alive, false),
                // In no room: the node at which it began may have it.
                Ok(None) => (birthplace, true, true),
                Err(_) => return Brought::Unavailable,
            };
            if node == self.node || asked == Some(node) {
                // It has ended, and is on its way out.
                return Brought::Nowhere;
            }
            if !alive {
                break;
            }
            let peer = session.peer.clone();
            let answered = self.arrivals.listen(&peer);
            let claim = Word::Claim(Claim { peer, user: user.clone(), generation, attempt });
            match self.write(node, &claim).await {
                Ok(()) => match timeout(PATIENCE, answered).await {
                    Ok(Ok(Ok(handover))) => {
                        self.install(session, *handover).await;
                        return Brought::Here(session.clone());
                    }
                    Ok(Ok(Err(Refusal::Unknown))) if roomless => return Brought::Nowhere,
                    // It may have gone on to another node meanwhile.
                    Ok(Ok(Err(Refusal::Unknown))) => asked = Some(node),
                    Ok(Ok(Err(Refusal::Superseded))) => return Brought::Superseded,
                    Ok(Ok(Err(Refusal::Failed)) | Err(_)) | Err(_) => break,
                },
                Err(SendError::NodeGone) if roomless => return Brought::Nowhere,
                Err(SendError::NodeGone) => break,
                Err(SendError::Unavailable(_)) => return Brought::Unavailable,
            }
        }
        self.take_over(session, generation).await
    }

    /// Goes on with a session from where the other node stopped.
    async fn install(self: &Arc<Self>, session: &Arc<Session>, handover: Handover) {
        let Handover { generation, session: packed, stays, watches, .. } = handover;
        {
            let mut intake = session.turn().await;
            session.unpack(packed, &mut intake, &self.limits, Instant::now());
        }
        let mut arrived = Vec::new();
        for Stay { room, snapshot } in stays {
            arrived.push((room.clone(), self.expect_arrival(&room, session, generation)));
            self.step(&room, |here, delivery| match snapshot {
                Some(snapshot) => here.catch_up(snapshot, delivery),
                None => here.doubt(),
            });
        }
        self.settle(session, generation, arrived).await;
        if let Some(Watch { id }) = watches {
            self.keep_watching(session, id);
        }
    }

    /// Goes on with a peer of which its node, gone or silent, has told nothing.
    async fn take_over(self: &Arc<Self>, session: &Arc<Session>, generation: u64) -> Brought {
        let mut missed = false;
        let entered = loop {
            // Part of it may have happened: until the cluster has said what, nobody else would know.
            match self.backplane.take_over(&session.peer, generation).await {
                Ok(entered) => break entered,
                Err(Unavailable { retry_after_ms }) => {
                    missed = true;
                    sleep(Duration::from_millis(retry_after_ms.max(50))).await;
                }
            }
        };
        if entered.is_empty() {
            return Brought::Nowhere;
        }
        session.lose();
        let mut arrived = Vec::new();
        for Entered { change, snapshot } in entered {
            let room = change.room.clone();
            arrived.push((room.clone(), self.expect_arrival(&room, session, generation)));
            // The step is one of this node's own: nobody else will tell of it.
            self.step(&room, |here, delivery| here.receive(change, delivery));
            self.step(&room, |here, delivery| here.catch_up(snapshot, delivery));
            if missed {
                // A step of which only a lost answer told.
                self.doubt(&room);
            }
        }
        self.settle(session, generation, arrived).await;
        Brought::Here(session.clone())
    }

    /// Waits until the peer is a member of its rooms here, and makes the session one of this node's.
    async fn settle(
        self: &Arc<Self>,
        session: &Arc<Session>,
        generation: u64,
        arrived: Vec<(RoomName, oneshot::Receiver<()>)>,
    ) {
        for (room, mut arrived) in arrived {
            if timeout(PATIENCE, &mut arrived).await.is_err() {
                // The step that moves it is missing.
                self.doubt(&room);
                if timeout(PATIENCE, arrived).await.is_err() {
                    self.give_up_arrival(room, session, generation);
                }
            }
        }
        // Its client is told before it is back.
        for room in self.arrivals.rooms(&session.peer) {
            self.give_up_arrival(room, session, generation);
        }
        if timeout(PATIENCE, self.sent_before(&session.peer)).await.is_err() {
            tracing::warn!(peer = %session.peer, "messages sent before a move are late");
        }
        self.registry.insert(session.clone());
        if session.has_ended() {
            // Another node has taken it over meanwhile.
            return self.registry.remove(session);
        }
        // Its client may have gone again meanwhile.
        self.wait_for(session);
    }

    /// Waits no more for a peer in a room, unless it has come to be a member. The cluster must not keep a member that nobody is.
    fn give_up_arrival(self: &Arc<Self>, room: RoomName, session: &Session, generation: u64) {
        let give_up =
            |here: &mut Room, delivery: &mut Delivery<'_>| here.give_up_arrival(session, delivery);
        if self.with_room(room.as_str(), give_up) == Some(true) {
            self.leave_in_time(room, session.peer.clone(), generation);
        }
    }

    /// Makes a room ready for a peer that another node moves here.
    pub(super) fn expect_arrival(
        self: &Arc<Self>,
        room: &RoomName,
        session: &Arc<Session>,
        generation: u64,
    ) -> oneshot::Receiver<()> {
        loop {
            {
                let mut rooms = self.rooms.of(room.as_str());
                rooms.entry(room.clone()).or_insert_with(|| Room::new(room.clone()));
            }
            let mut arrived = None;
            self.step(room, |here, delivery| {
                arrived = Some(here.await_arrival(session, generation, delivery));
                Need::Nothing
            });
            // It may have been forgotten in between, with nobody in it.
            if let Some(arrived) = arrived {
                return arrived;
            }
        }
    }
}
