//! The hub: rooms, sessions and the delivery between them, behind one handle.

mod admission;
mod arrivals;
mod cluster;
mod connection;
mod control;
mod delivery;
mod door;
mod event;
mod handover;
mod holder;
mod lanes;
mod letter;
mod lobby;
mod membership;
mod parting;
mod registry;
mod request;
mod room;
mod waiting;

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak, atomic::AtomicU64},
};

use tokio::{
    runtime::Handle,
    sync::{Notify, broadcast},
    task::AbortHandle,
};
use tokio_util::task::TaskTracker;

pub use admission::{Admission, Refused};
use arrivals::Arrivals;
pub use connection::Departure;
pub use control::ControlError;
use delivery::{Aftermath, Delivery};
use door::Door;
pub use event::{Event, EventStream, Observed};
use lanes::Lanes;
use lobby::Lobby;
use registry::Registry;
use room::Room;

use crate::{
    InvalidLimits, Limits,
    backplane::{Backplane, Local},
    policy::{Open, Policy},
    protocol::{CloseCode, PeerInfo, RoomName},
    room::NodeId,
};

/// A signaling server's heart: what an application holds on to.
///
/// A hub serves connections of any transport ([`Hub::admit`]), keeps the rooms they join and the
/// sessions that outlive them, and relays what peers send each other. Cloning it is cheap; all
/// clones are the same hub. Its methods may be called from any task of a tokio runtime.
///
/// # Order and loss
///
/// What one peer sends another arrives at most once and in order. A member sees each room's changes
/// in version order. Nothing that was accepted is lost in silence: a sender gets an error, or the
/// target is told.
///
/// # Example
///
/// ```
/// use noom_signal::{Hub, Limits};
///
/// let mut limits = Limits::default();
/// limits.peers_per_room = 8;
/// let hub = Hub::builder().limits(limits).build()?;
/// assert_eq!(hub.stats().peers, 0);
/// # Ok::<_, noom_signal::InvalidLimits>(())
/// ```
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

pub(crate) struct Inner {
    limits: Limits,
    policy: Arc<dyn Policy>,
    backplane: Arc<dyn Backplane>,
    node: NodeId,
    rooms: Shards,
    registry: Registry,
    /// The last number given to a join.
    generations: AtomicU64,
    events: broadcast::Sender<Event>,
    connections: TaskTracker,
    /// What is on its way to the cluster though no session stands for it any more: leaves, and
    /// sessions being handed over.
    partings: TaskTracker,
    door: Arc<Door>,
    lobby: Lobby,
    lanes: Lanes,
    /// Told when a room has made a step.
    stepped: Notify,
    arrivals: Arrivals,
    /// Where tasks go that are begun outside of any runtime, when a connection is dropped there.
    runtime: OnceLock<Handle>,
    this: Weak<Inner>,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    /// A hub of one node with the default limits and an open policy.
    pub fn new() -> Self {
        Self(Inner::new(Limits::default(), Arc::new(Open), Arc::new(Local::new())))
    }

    /// A hub to one's own taste.
    pub fn builder() -> HubBuilder {
        HubBuilder { limits: Limits::default(), policy: None, backplane: None }
    }

    /// What happens at this hub from now on.
    ///
    /// Listening never holds up a delivery: a listener that falls more than 1,024 events behind
    /// loses the oldest and is told how many ([`Observed::Lagged`]).
    pub fn events(&self) -> EventStream {
        EventStream(self.0.events.subscribe())
    }

    /// The members of a room, wherever they are, as this node knows them: `None` where no peer of
    /// this node is in it.
    pub fn members(&self, room: &RoomName) -> Option<Vec<PeerInfo>> {
        let rooms = self.0.rooms.of(room.as_str());
        let roster = rooms.get(room)?.roster()?;
        Some(roster.members().map(|member| member.info()).collect())
    }

    /// How much this hub holds now.
    pub fn stats(&self) -> Stats {
        let mut stats =
            Stats { connections: self.0.connections.len(), peers: self.0.registry.len(), rooms: 0 };
        for shard in &self.0.rooms.shards {
            stats.rooms += lock(shard).len();
        }
        stats
    }

    /// The limits this hub was built with.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Closes every connection with 1001, admits no new one, and waits until the last has ended.
    ///
    /// A server calls this before it stops: an HTTP server's own shutdown does not wait for
    /// WebSockets. It does not end the sessions, but nothing can resume them here any more. Cancel
    /// safe: the closing goes on, and calling again waits for it.
    pub async fn shutdown(&self) {
        self.0.connections.close();
        for session in self.0.registry.all() {
            session.close(CloseCode::GOING_AWAY);
        }
        self.0.connections.wait().await;
    }
}

/// How much a hub holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that are being served, or admitted and not yet served.
    pub connections: usize,
    /// Sessions, those included whose client is away.
    pub peers: usize,
    /// Rooms that a peer of this node is in.
    pub rooms: usize,
}

/// Builds a [`Hub`].
#[must_use]
pub struct HubBuilder {
    limits: Limits,
    policy: Option<Arc<dyn Policy>>,
    backplane: Option<Arc<dyn Backplane>>,
}

impl HubBuilder {
    /// What the server takes, holds and waits for.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What the application decides.
    pub fn policy(mut self, policy: impl Policy) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// What joins this hub with others. Default: [`Local`], a cluster of one.
    pub fn backplane(mut self, backplane: Arc<dyn Backplane>) -> Self {
        self.backplane = Some(backplane);
        self
    }

    /// The hub.
    ///
    /// # Errors
    ///
    /// [`InvalidLimits`] where the limits do not go together.
    pub fn build(self) -> Result<Hub, InvalidLimits> {
        self.limits.check()?;
        let policy = self.policy.unwrap_or_else(|| Arc::new(Open));
        let backplane = self.backplane.unwrap_or_else(|| Arc::new(Local::new()));
        Ok(Hub(Inner::new(self.limits, policy, backplane)))
    }
}

impl Inner {
    fn new(limits: Limits, policy: Arc<dyn Policy>, backplane: Arc<dyn Backplane>) -> Arc<Self> {
        let hasher = RandomState::new();
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            limits,
            policy,
            node: backplane.attach(this.clone()),
            backplane,
            rooms: Shards::new(),
            registry: Registry::default(),
            // Any start will do; a random one keeps the numbers of two nodes apart.
            generations: AtomicU64::new(hasher.hash_one(0)),
            events: broadcast::Sender::new(event::CAPACITY),
            connections: TaskTracker::new(),
            partings: TaskTracker::new(),
            door: Arc::default(),
            lobby: Lobby::default(),
            lanes: Lanes::default(),
            stepped: Notify::new(),
            arrivals: Arrivals::default(),
            runtime: OnceLock::new(),
            this: this.clone(),
        })
    }

    /// Begins a task of the hub's own. `None` where there is no runtime left, in which case there
    /// is no connection left either.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<AbortHandle> {
        let runtime = Handle::try_current().ok().or_else(|| self.runtime.get().cloned())?;
        Some(runtime.spawn(task).abort_handle())
    }

    /// Does something with a room under its lock, and then tells what came of it. `None` where
    /// this node has no such room. A room that ends up with nobody in it is forgotten.
    fn with_room<T>(
        &self,
        room: &str,
        act: impl FnOnce(&mut Room, &mut Delivery<'_>) -> T,
    ) -> Option<T> {
        let (result, after) = self.in_room(room, act)?;
        self.follow(after);
        Some(result)
    }

    /// The same, with what is to be done after it left to the caller.
    fn in_room<T>(
        &self,
        room: &str,
        act: impl FnOnce(&mut Room, &mut Delivery<'_>) -> T,
    ) -> Option<(T, Aftermath)> {
        let mut delivery = Delivery::new(&self.limits, self.node, &self.events);
        let mut rooms = self.rooms.of(room);
        let found = rooms.get_mut(room)?;
        let result = act(found, &mut delivery);
        if found.is_idle() {
            // What is held there goes with it; what its senders said after it elsewhere does not wait
            // any more.
            found.drop_early(&mut delivery);
            rooms.remove(room);
        }
        drop(rooms);
        Some((result, delivery.finish()))
    }

    /// Does what a room's step leads to beyond the room.
    fn follow(&self, after: Aftermath) {
        if after.is_empty() {
            return;
        }
        // Without a handle the hub is going, and nobody is left to tell.
        let Some(hub) = self.this.upgrade() else { return };
        let Aftermath { released, blocked, taken, lost } = after;
        blocked.into_iter().for_each(|(room, sender)| hub.wait_for_sender(room, sender));
        released.iter().for_each(|sender| hub.go_on(sender));
        taken.iter().for_each(|session| hub.let_go(session));
        lost.into_iter().for_each(|(node, peer)| hub.tell_lost(node, peer));
    }
}

/// The rooms, in many small maps, so that two rooms seldom wait for each other.
///
/// A lock is held only to look something up, to change it, and to push frames into outboxes: never
/// across an `await`. Lookup and removal of an empty room happen under the same lock, which settles
/// the race between a last leave and a first join.
struct Shards {
    shards: Vec<Mutex<HashMap<RoomName, Room>>>,
    hasher: RandomState,
}

const SHARDS: usize = 64;

type RoomMap = HashMap<RoomName, Room>;

impl Shards {
    fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }

    fn index(&self, room: &str) -> usize {
        self.hasher.hash_one(room) as usize % SHARDS
    }

    fn of(&self, room: &str) -> MutexGuard<'_, RoomMap> {
        lock(&self.shards[self.index(room)])
    }

    /// Locks all that hold any of these rooms, each once, in the order that everyone keeps.
    fn of_all<'a>(&self, rooms: impl Iterator<Item = &'a RoomName>) -> LockedRooms<'_> {
        let mut indices: Vec<usize> = rooms.map(|room| self.index(room.as_str())).collect();
        indices.sort_unstable();
        indices.dedup();
        LockedRooms {
            shards: self,
            guards: indices.into_iter().map(|index| (index, lock(&self.shards[index]))).collect(),
        }
    }

    /// The names of all rooms.
    fn names(&self) -> Vec<RoomName> {
        self.shards
            .iter()
            .flat_map(|shard| lock(shard).keys().cloned().collect::<Vec<_>>())
            .collect()
    }
}

/// Several rooms, locked together.
struct LockedRooms<'a> {
    shards: &'a Shards,
    guards: Vec<(usize, MutexGuard<'a, RoomMap>)>,
}

impl LockedRooms<'_> {
    fn get(&self, room: &RoomName) -> Option<&Room> {
        let index = self.shards.index(room.as_str());
        let (_, guard) = self.guards.iter().find(|(locked, _)| *locked == index)?;
        guard.get(room)
    }

    fn get_mut(&mut self, room: &RoomName) -> Option<&mut Room> {
        let index = self.shards.index(room.as_str());
        let (_, guard) = self.guards.iter_mut().find(|(locked, _)| *locked == index)?;
        guard.get_mut(room)
    }
}

/// A panic under one of these locks leaves frames untold at the worst, never a broken map.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("node", &self.node).finish_non_exhaustive()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
