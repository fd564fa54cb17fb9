//! Sessions: one peer's stay at the server, which outlives its connections.

mod intake;
mod outbox;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    task::{Context, Poll, Waker},
};

use serde::{Deserialize, Serialize};
use tokio::{sync::OwnedMutexGuard, time::Instant};

use intake::PackedIntake;
pub(crate) use intake::{Intake, Rate};
use outbox::Outbox;
pub(crate) use outbox::{Pushed, Rewound};

use crate::{
    Limits,
    policy::Identity,
    protocol::{CloseCode, Frame, PeerId, RoomName, SessionSecret},
};

/// The part of a session that any task may touch, for as long as it takes to push a frame.
///
/// At most one connection *holds* the session at a time. It proves that by the session's turn, a
/// lock around the [`Intake`]: whoever has it is the one whose frames are handled. A newer
/// connection first makes a *claim*, which the holder sees and gives way to, then waits for the
/// turn.
pub(crate) struct Session {
    pub(crate) peer: PeerId,
    pub(crate) secret: SessionSecret,
    /// Whether it watches the lobby. Written by the holder and by the session's end alone.
    pub(crate) watches: AtomicBool,
    turn: Arc<tokio::sync::Mutex<Intake>>,
    state: Mutex<State>,
}

struct State {
    identity: Arc<Identity>,
    outbox: Outbox,
    /// The holder, waiting for something to do.
    waker: Option<Waker>,
    /// What the holder is told to do.
    closing: Option<CloseCode>,
    /// The newest claim, and the one that holds the session.
    claim: u64,
    holder: u64,
    /// The latest of the client's attempts to resume.
    attempt: u64,
    rooms: Vec<RoomName>,
    life: Life,
}

enum Life {
    Connected,
    /// Waiting for its client. What it holds is dropped when the wait is over.
    Away(Option<Wait>),
    Ended,
}

/// A session on its way to another node.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Packed {
    outbox: Outbox,
    intake: PackedIntake,
}

/// Whatever undoes a wait when it is dropped.
pub(crate) type Wait = Box<dyn Send>;

/// How many frames are taken at a time. Few enough that a write is soon over and something else
/// can be looked at, many enough to share one flush.
const BATCH: usize = 64;

impl Session {
    pub(crate) fn new(
        secret: SessionSecret,
        identity: Identity,
        limits: &Limits,
        now: Instant,
    ) -> Self {
        Self {
            peer: PeerId::of(secret.reveal()),
            secret,
            watches: AtomicBool::new(false),
            turn: Arc::new(tokio::sync::Mutex::new(Intake::new(limits, now))),
            state: Mutex::new(State {
                identity: Arc::new(identity),
                outbox: Outbox::default(),
                waker: None,
                closing: None,
                claim: 0,
                holder: 0,
                attempt: 0,
                rooms: Vec::new(),
                life: Life::Away(None),
            }),
        }
    }

    /// Asks the holder to give way. Returns the claim's number; `None` where the client has made a
    /// later attempt than this one (0: it does not count them).
    pub(crate) fn claim(&self, attempt: u64) -> Option<u64> {
        let mut state = self.state();
        if attempt > 0 && attempt <= state.attempt {
            return None;
        }
        state.attempt = state.attempt.max(attempt);
        state.claim += 1;
        let (claim, waker) = (state.claim, state.waker.take());
        drop(state);
        wake(waker);
        Some(claim)
    }

    /// Whether a newer claim was made.
    pub(crate) fn is_claimed_after(&self, claim: u64) -> bool {
        self.state().claim > claim
    }

    /// Whether it is over here; it may go on on another node.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state().life, Life::Ended)
    }

    /// Waits until the holder, if there is one, has given way.
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<Intake> {
        self.turn.clone().lock_owned().await
    }

    /// Makes the connection that has the turn the holder, with the frames that `received` leaves
    /// to be sent. `None` where the session has ended, or where a newer claim was made.
    pub(crate) fn attach(&self, claim: u64, received: u64, identity: Identity) -> Option<Rewound> {
        let mut state = self.state();
        if matches!(state.life, Life::Ended) || claim != state.claim {
            return None;
        }
        state.life = Life::Connected;
        state.holder = claim;
        state.closing = None;
        state.identity = Arc::new(identity);
        Some(state.outbox.reconnect(received))
    }

    /// The holder is gone; the session waits for its client.
    pub(crate) fn detach(&self, limits: &Limits) {
        let mut state = self.state();
        state.outbox.disconnect(limits);
        state.waker = None;
        if matches!(state.life, Life::Connected) {
            state.life = Life::Away(None);
        }
    }

    /// Hands over what is to be dropped when the session's client is back, or the session ends.
    pub(crate) fn wait_with(&self, wait: Wait) {
        if let Life::Away(slot) = &mut self.state().life {
            *slot = Some(wait);
        }
    }

    /// Ends the session, whoever holds it. Returns the rooms it was in; `None` if it had ended.
    pub(crate) fn end(&self) -> Option<Vec<RoomName>> {
        let mut state = self.state();
        if matches!(state.life, Life::Ended) {
            return None;
        }
        Some(state.end())
    }

    /// Ends the session if its client is away.
    pub(crate) fn end_away(&self) -> Option<Vec<RoomName>> {
        let mut state = self.state();
        if !matches!(state.life, Life::Away(_)) {
            return None;
        }
        Some(state.end())
    }

    /// Adds a frame. The waker, if any, is to be woken once no lock is held.
    #[must_use]
    pub(crate) fn push(&self, frame: Frame, limits: &Limits) -> Option<Waker> {
        let mut state = self.state();
        if matches!(state.life, Life::Ended) {
            return None;
        }
        if state.outbox.push(frame, limits) == Pushed::Overrun {
            state.closing = Some(CloseCode::TOO_SLOW);
        }
        state.waker.take()
    }

    /// Adds one of the rosters that a connection begins with. Nobody waits for it yet: the
    /// connection that will write it is the one that is just made.
    pub(crate) fn push_roster(&self, frame: Frame, limits: &Limits) {
        let mut state = self.state();
        state.outbox.allow(frame.len());
        if state.outbox.push(frame, limits) == Pushed::Overrun {
            state.closing = Some(CloseCode::TOO_SLOW);
        }
    }

    /// Adds a frame that is not counted, for the present connection only.
    #[must_use]
    pub(crate) fn push_loose(&self, frame: Frame, limits: &Limits) -> Option<Waker> {
        let mut state = self.state();
        if state.outbox.push_loose(frame, limits) == Pushed::Overrun {
            state.closing = Some(CloseCode::TOO_SLOW);
        }
        state.waker.take()
    }

    /// Tells the holder to close.
    pub(crate) fn close(&self, code: CloseCode) {
        let mut state = self.state();
        state.closing.get_or_insert(code);
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }

    /// A frame for this peer was lost: its next resume is `"partial"`, and it is soon.
    pub(crate) fn lose(&self) {
        self.state().outbox.lose();
        self.close(CloseCode::TOO_SLOW);
    }

    /// The client has heard how its resume went.
    pub(crate) fn heard(&self) {
        self.state().outbox.heard();
    }

    /// Forgets the frames that the client has taken.
    pub(crate) fn confirm(&self, received: u64) {
        self.state().outbox.confirm(received);
    }

    /// Takes the next frames into `batch`; ready with an error when the holder is to close.
    pub(crate) fn poll_outgoing(
        &self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Frame>,
        limits: &Limits,
    ) -> Poll<Result<(), CloseCode>> {
        let mut state = self.state();
        if let Some(code) = state.must_close() {
            return Poll::Ready(Err(code));
        }
        while batch.len() < BATCH {
            match state.outbox.pop(limits) {
                Some(frame) => batch.push(frame),
                None => break,
            }
        }
        if batch.is_empty() {
            state.wait(cx);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the holder is to close.
    pub(crate) fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<CloseCode> {
        let mut state = self.state();
        match state.must_close() {
            Some(code) => Poll::Ready(code),
            None => {
                state.wait(cx);
                Poll::Pending
            }
        }
    }

    /// Takes out all that another node needs to go on with the session, which ends here. Whoever calls
    /// has the turn. `None` where it has ended.
    pub(crate) fn pack(&self, intake: &Intake, limits: &Limits, now: Instant) -> Option<Packed> {
        let mut state = self.state();
        if matches!(state.life, Life::Ended) {
            return None;
        }
        state.outbox.disconnect(limits);
        let outbox = std::mem::take(&mut state.outbox);
        state.end();
        Some(Packed { outbox, intake: intake.pack(now) })
    }

    /// Goes on with a session of another node, whose frames come before all those here. Whoever
    /// calls has the turn.
    pub(crate) fn unpack(
        &self,
        packed: Packed,
        intake: &mut Intake,
        limits: &Limits,
        now: Instant,
    ) {
        *intake = Intake::unpack(packed.intake, now);
        self.state().outbox.continue_from(packed.outbox, limits);
    }

    /// Notes that the peer is in a room. Returns false where the session has ended.
    pub(crate) fn enter(&self, room: &RoomName) -> bool {
        let mut state = self.state();
        if matches!(state.life, Life::Ended) {
            return false;
        }
        state.rooms.push(room.clone());
        true
    }

    /// Notes that the peer is out of a room.
    pub(crate) fn exit(&self, room: &RoomName) {
        self.state().rooms.retain(|entered| entered != room);
    }

    pub(crate) fn rooms(&self) -> Vec<RoomName> {
        self.state().rooms.clone()
    }

    pub(crate) fn identity(&self) -> Arc<Identity> {
        self.state().identity.clone()
    }

    /// Short: nothing is called or awaited while it is held. A panic leaves nothing half-done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self) -> Vec<RoomName> {
        self.life = Life::Ended;
        self.outbox = Outbox::default();
        std::mem::take(&mut self.rooms)
    }

    fn must_close(&self) -> Option<CloseCode> {
        if self.holder != self.claim { Some(CloseCode::REPLACED) } else { self.closing }
    }

    fn wait(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            slot => *slot = Some(cx.waker().clone()),
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("peer", &self.peer).finish_non_exhaustive()
    }
}
