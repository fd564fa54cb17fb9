//! A cluster whose wires are slow and at times out of order.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use noom_signal::{
    backplane::{
        Backplane, Entered, Entry, Events, JoinError, Letter, Local, Location, Message, Move,
        SendError, Unavailable,
    },
    protocol::{ByeReason, Json, LobbyRoom, PeerId, RoomName, Target},
    room::{Change, ChangeKind, Member, NodeId, Snapshot, Stamp},
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::Random;

/// What may go wrong between the nodes of a cluster.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// The longest way of a request, of its answer, and of an event.
    pub delay: Duration,
    /// How many of a hundred requests are answered [`Unavailable`]; of those that change a room,
    /// about half take effect all the same.
    pub unavailable: usize,
    /// How many of a thousand events are followed by a [`Events::gap`].
    pub gaps: usize,
    /// Whether such an event is lost with it.
    pub losses: bool,
}

/// A node of a [`Local`] cluster that does whatever the [`Backplane`] trait permits, at random.
#[derive(Debug)]
pub struct Delayed {
    inner: Local,
    wires: Arc<Wires>,
    random: Mutex<Random>,
    /// Taken by the hub when it attaches.
    inbox: Mutex<Option<Arc<Inbox>>>,
    seed: u64,
}

/// What the nodes of one cluster have in common.
#[derive(Debug)]
pub struct Wires {
    trouble: Trouble,
    calm: AtomicBool,
}

impl Wires {
    /// From now on nothing goes wrong, though everything still takes its time.
    pub fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Whether requests may be answered [`Unavailable`], or events be followed by a gap.
    pub fn lose_something(&self) -> bool {
        self.trouble.unavailable + self.trouble.gaps > 0
    }

    fn troubled(&self) -> bool {
        !self.calm.load(Ordering::Relaxed)
    }

    fn time(&self, random: &mut Random) -> Duration {
        Duration::from_millis(random.below(self.trouble.delay.as_millis() as usize + 1) as u64)
    }
}

impl Delayed {
    /// A cluster of so many nodes.
    pub fn cluster(nodes: usize, seed: u64, trouble: Trouble) -> (Vec<Self>, Arc<Wires>) {
        let wires = Arc::new(Wires { trouble, calm: AtomicBool::new(false) });
        let first = Local::new();
        let others: Vec<Local> = (1..nodes).map(|_| first.another_node()).collect();
        let mut random = Random::new(seed);
        let nodes = std::iter::once(first).chain(others).map(|inner| Self {
            inner,
            wires: wires.clone(),
            random: Mutex::new(Random::new(random.seed())),
            inbox: Mutex::default(),
            seed: random.seed(),
        });
        (nodes.collect(), wires)
    }

    /// Takes a request there and its answer back, or loses one of them.
    async fn ask<T>(&self, asking: impl Future<Output = T>) -> Result<T, Unavailable> {
        let (there, back, lost, before) = {
            let mut random = lock(&self.random);
            let (there, back) = (self.wires.time(&mut random), self.wires.time(&mut random));
            let lost = self.is_lost(&mut random);
            (there, back, lost, random.chance(50))
        };
        sleep(there).await;
        if lost && before {
            return Err(UNAVAILABLE);
        }
        let answer = asking.await;
        sleep(back).await;
        if lost { Err(UNAVAILABLE) } else { Ok(answer) }
    }

    fn is_lost(&self, random: &mut Random) -> bool {
        self.wires.troubled() && random.chance(self.wires.trouble.unavailable)
    }

    /// Sends at once, for messages keep the order in which they were sent; then waits for the
    /// answer.
    async fn hand(&self, nodes: Vec<NodeId>, message: Message) -> Result<(), SendError> {
        let (back, lost) = {
            let mut random = lock(&self.random);
            (self.wires.time(&mut random), self.is_lost(&mut random))
        };
        let inbox = lock(&self.inbox).clone();
        let last = || inbox.as_ref().map(|inbox| lock(&inbox.queue).last);
        let before = last();
        let sent = match (&message.to, nodes.as_slice()) {
            (Target::Peer(_), &[node]) => self.inner.send(node, message).await,
            _ => self.inner.broadcast(nodes, message).await,
        };
        sleep(back).await;
        let after = last().filter(|_| last() != before);
        if let Some(mine) = after {
            // It came back to this node, and must be here when this returns.
            sleep_until(mine + TICK).await;
        }
        if lost { Err(UNAVAILABLE.into()) } else { sent }
    }
}

const UNAVAILABLE: Unavailable = Unavailable { retry_after_ms: 60 };

#[async_trait]
impl Backplane for Delayed {
    fn attach(&self, events: Weak<dyn Events>) -> NodeId {
        let inbox = Arc::new(Inbox {
            hub: events,
            wires: self.wires.clone(),
            queue: Mutex::new(Queue::new(self.seed)),
        });
        let weak: Weak<dyn Events> = Arc::downgrade(&(inbox.clone() as Arc<dyn Events>));
        *lock(&self.inbox) = Some(inbox);
        self.inner.attach(weak)
    }

    async fn nodes(&self) -> Result<usize, Unavailable> {
        self.ask(self.inner.nodes()).await?
    }

    async fn join(&self, entry: Entry) -> Result<Entered, JoinError> {
        self.ask(self.inner.join(entry)).await?
    }

    async fn leave(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        reason: ByeReason,
    ) -> Result<Option<Change>, Unavailable> {
        self.ask(self.inner.leave(room, peer, generation, reason)).await?
    }

    async fn update(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        meta: Json,
    ) -> Result<Option<Change>, Unavailable> {
        self.ask(self.inner.update(room, peer, generation, meta)).await?
    }

    async fn resync(
        &self,
        room: &RoomName,
        known: Stamp,
        present: Vec<Arc<Member>>,
    ) -> Result<Snapshot, Unavailable> {
        self.ask(self.inner.resync(room, known, present)).await?
    }

    async fn occupancy(&self, room: &RoomName) -> Result<usize, Unavailable> {
        self.ask(self.inner.occupancy(room)).await?
    }

    async fn lobby(&self, limit: usize) -> Result<Vec<LobbyRoom>, Unavailable> {
        self.ask(self.inner.lobby(limit)).await?
    }

    async fn send(&self, node: NodeId, message: Message) -> Result<(), SendError> {
        if self.is_lost(&mut lock(&self.random)) {
            return Err(UNAVAILABLE.into());
        }
        match self.hand(vec![node], message).await {
            // It has been accepted: an error would be a lie.
            Err(SendError::Unavailable(_)) => Ok(()),
            sent => sent,
        }
    }

    async fn broadcast(&self, nodes: Vec<NodeId>, message: Message) -> Result<(), SendError> {
        let lost = self.is_lost(&mut lock(&self.random));
        let some = if lost { nodes[..nodes.len() / 2].to_vec() } else { nodes };
        match self.hand(some, message).await {
            _ if lost => Err(UNAVAILABLE.into()),
            Err(SendError::NodeGone) => Ok(()),
            sent => sent,
        }
    }

    async fn write(&self, node: NodeId, letter: Letter) -> Result<(), SendError> {
        if self.is_lost(&mut lock(&self.random)) {
            return Err(UNAVAILABLE.into());
        }
        self.inner.write(node, letter).await
    }

    async fn locate(&self, peer: &PeerId) -> Result<Option<Location>, Unavailable> {
        self.ask(self.inner.locate(peer)).await?
    }

    async fn hand_over(&self, moving: Move) -> Result<Vec<Change>, Unavailable> {
        let changes = self.ask(self.inner.hand_over(moving)).await?;
        // All that was accepted here before has arrived by then.
        let inbox = lock(&self.inbox).clone();
        if let Some(inbox) = inbox {
            let last = lock(&inbox.queue).last;
            sleep_until(last + TICK).await;
        }
        changes
    }

    async fn take_over(&self, peer: &PeerId, generation: u64) -> Result<Vec<Entered>, Unavailable> {
        self.ask(self.inner.take_over(peer, generation)).await?
    }
}

/// What is on its way to one hub.
#[derive(Debug)]
struct Inbox {
    hub: Weak<dyn Events>,
    wires: Arc<Wires>,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    random: Random,
    /// When the last message arrives.
    last: Instant,
}

impl Queue {
    fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), last: Instant::now() }
    }
}

impl Inbox {
    fn arrive(&self, due: Instant, event: impl FnOnce(&dyn Events) + Send + 'static) {
        let (lost, gap) = {
            let random = &mut lock(&self.queue).random;
            let Trouble { gaps, losses, .. } = self.wires.trouble;
            let gap = self.wires.troubled() && random.below(1000) < gaps;
            (gap && losses, gap)
        };
        let hub = self.hub.clone();
        tokio::spawn(async move {
            sleep_until(due).await;
            let Some(hub) = hub.upgrade() else { return };
            if !lost {
                event(&*hub);
            }
            if gap {
                hub.gap();
            }
        });
    }

    /// Some time from now, after all messages that were accepted before.
    fn next(&self) -> Instant {
        let due = self.due();
        let mut queue = lock(&self.queue);
        queue.last = due.max(queue.last + TICK);
        queue.last
    }

    /// Some time from now.
    fn due(&self) -> Instant {
        Instant::now() + self.wires.time(&mut lock(&self.queue).random)
    }
}

/// Timers of the same millisecond fire in no order.
const TICK: Duration = Duration::from_millis(1);

impl Events for Inbox {
    fn changed(&self, change: Change) {
        let due = match change.kind {
            // Before all that is accepted later.
            ChangeKind::Moved { .. } => self.next(),
            // In any order among themselves, but after the messages accepted before.
            _ => self.due().max(lock(&self.queue).last + TICK),
        };
        self.arrive(due, |hub| hub.changed(change));
    }

    fn message(&self, message: Message) {
        let due = self.next();
        self.arrive(due, |hub| hub.message(message));
    }

    fn letter(&self, letter: Letter) {
        let due = self.next();
        self.arrive(due, |hub| hub.letter(letter));
    }

    fn gap(&self) {
        self.arrive(self.due(), |hub| hub.gap());
    }

    fn fenced(&self) {
        self.arrive(self.due(), |hub| hub.fenced());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}
