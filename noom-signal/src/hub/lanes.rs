//! The order of one sender's messages across rooms.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

use super::{
    Inner,
    delivery::Aftermath,
    lock,
    room::{Handed, Need},
};
use crate::{
    Limits,
    backplane::Message,
    protocol::{PeerId, RoomName},
};

/// The senders on other nodes of which a message is held in some room.
///
/// A peer's messages to another arrive in the order sent, across rooms. A message that waits in its
/// room for a step has to be waited for by those that the same peer sent after it into other
/// rooms. It is seldom, and short: the step is on its way.
///
/// A lane is locked before a room, never after.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    shards: [Mutex<HashMap<PeerId, Lane>>; SHARDS],
    /// How many senders there are, so that it costs little that there are none.
    senders: AtomicUsize,
    /// Told when a message is held no more.
    progress: Notify,
}

/// One sender.
#[derive(Debug)]
struct Lane {
    /// The room that holds what came first, and how many messages of this sender it holds.
    room: RoomName,
    held: usize,
    /// What came after it, for other rooms.
    queue: VecDeque<Message>,
    bytes: usize,
}

const SHARDS: usize = 16;

/// How long a bye waits for what its peer sent.
const PATIENCE: Duration = Duration::from_secs(1);

impl Lanes {
    fn of(&self, sender: &PeerId) -> MutexGuard<'_, HashMap<PeerId, Lane>> {
        let mut hasher = DefaultHasher::new();
        sender.hash(&mut hasher);
        lock(&self.shards[hasher.finish() as usize % SHARDS])
    }

    /// Whether something is held that this peer sent from another node.
    pub(super) fn has(&self, sender: &PeerId) -> bool {
        self.senders.load(Ordering::Acquire) > 0 && self.of(sender).contains_key(sender)
    }
}

impl Lane {
    fn push(&mut self, message: Message) {
        self.bytes += message.frame.len();
        self.queue.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        self.bytes -= message.frame.len();
        Some(message)
    }

    /// Whether a message for that room must wait for others.
    fn blocks(&self, room: &RoomName) -> bool {
        !self.queue.is_empty() || self.held > 0 && self.room != *room
    }

    fn is_over(&self, limits: &Limits) -> bool {
        self.queue.len() > limits.held_events || self.bytes > limits.held_bytes
    }
}

impl Inner {
    /// Takes in a message from another node, in its turn among those of its sender.
    pub(super) fn take_in(self: &Arc<Self>, message: Message) {
        if message.from.is_server() {
            // What the server says in one room does not depend on another.
            let after = self.hand(message, false).1;
            return self.follow_all([after]);
        }
        let sender = message.from.clone();
        let mut after = Vec::new();
        {
            let mut lanes = self.lanes.of(&sender);
            match lanes.get_mut(&sender) {
                Some(lane) if lane.blocks(&message.room) => {
                    self.in_room(message.room.as_str(), |here, _| here.reserve(&message));
                    lane.push(message);
                    if lane.is_over(&self.limits) {
                        after.extend(self.lose_all(lane));
                    }
                }
                known => {
                    let room = message.room.clone();
                    let (handed, then) = self.hand(message, false);
                    after.push(then);
                    match (handed, known) {
                        (Handed::Held, Some(lane)) => lane.held += 1,
                        (Handed::Held, None) => {
                            let (queue, bytes) = (VecDeque::new(), 0);
                            lanes.insert(sender, Lane { room, held: 1, queue, bytes });
                            self.lanes.senders.fetch_add(1, Ordering::AcqRel);
                        }
                        (Handed::Over | Handed::Lost, _) => {}
                    }
                }
            }
        }
        self.follow_all(after);
    }

    /// One of this sender's messages is not held any more: it is the next one's turn.
    pub(super) fn go_on(self: &Arc<Self>, sender: &PeerId) {
        let mut after = Vec::new();
        {
            let mut lanes = self.lanes.of(sender);
            let Some(lane) = lanes.get_mut(sender) else { return };
            lane.held = lane.held.saturating_sub(1);
            while lane.held == 0 || lane.queue.front().is_some_and(|next| next.room == lane.room) {
                let Some(message) = lane.pop() else { break };
                let room = message.room.clone();
                let (handed, then) = self.hand(message, true);
                after.push(then);
                if handed == Handed::Held {
                    lane.room = room;
                    lane.held += 1;
                }
            }
            if lane.held == 0 {
                lanes.remove(sender);
                self.lanes.senders.fetch_sub(1, Ordering::AcqRel);
            }
        }
        self.lanes.progress.notify_waiters();
        self.follow_all(after);
    }

    /// Waits until nothing is held that this peer sent from another node: from then on it sends from
    /// here.
    pub(super) async fn sent_before(&self, sender: &PeerId) {
        self.wait_while(|hub| hub.lanes.has(sender)).await;
    }

    /// Waits until nothing is held here for a peer that was moved away from these rooms.
    pub(super) async fn owed_to(&self, peer: &PeerId, rooms: &[RoomName]) {
        self.wait_while(|hub| {
            let owes = |room: &RoomName| {
                hub.with_room(room.as_str(), |here, _| here.owes(peer)) == Some(true)
            };
            rooms.iter().any(owes)
                || hub.lanes.shards.iter().any(|shard| {
                    lock(shard).values().flat_map(|lane| &lane.queue).any(|message| {
                        rooms.contains(&message.room)
                            && hub
                                .rooms
                                .of(message.room.as_str())
                                .get(&message.room)
                                .is_some_and(|here| here.is_owed(peer, message))
                    })
                })
        })
        .await;
    }

    async fn wait_while(&self, waiting: impl Fn(&Self) -> bool) {
        loop {
            let progress = self.lanes.progress.notified();
            tokio::pin!(progress);
            progress.as_mut().enable();
            if !waiting(self) {
                return;
            }
            progress.await;
        }
    }

    fn hand(self: &Arc<Self>, message: Message, was_queued: bool) -> (Handed, Then) {
        let room = message.room.clone();
        let sender = message.from.clone();
        let handed = self.in_room(room.as_str(), |here, delivery| {
            delivery.was_queued = was_queued;
            let (handed, need) = here.deliver(message, delivery);
            if !was_queued {
                return (handed, need);
            }
            delivery.was_queued = false;
            let more = here.unreserve(&sender, delivery);
            (handed, need.or(more))
        });
        match handed {
            Some(((handed, need), after)) => (handed, Then { room, need, after }),
            // Nobody of this node is in the room any more.
            None => (Handed::Over, Then { room, need: Need::Nothing, after: Aftermath::default() }),
        }
    }

    /// Gives up what waits in a lane; the targets are told.
    fn lose_all(&self, lane: &mut Lane) -> Vec<Then> {
        let lost = std::iter::from_fn(|| lane.pop()).filter_map(|message| {
            let room = message.room.clone();
            let (need, after) = self.in_room(room.as_str(), |here, delivery| {
                here.lose(&message, delivery);
                here.unreserve(&message.from, delivery)
            })?;
            Some(Then { room, need, after })
        });
        lost.collect()
    }

    /// A bye waits in a room for what its peer sent there, which waits for another room. It ends here
    /// if what that one waits for does not come.
    pub(super) fn wait_for_sender(self: &Arc<Self>, room: RoomName, sender: PeerId) {
        let hub = self.clone();
        self.spawn(async move {
            sleep(PATIENCE).await;
            let waits = hub.with_room(room.as_str(), |here, _| here.waits_for(&sender));
            if waits != Some(true) {
                return;
            }
            let lost = match hub.lanes.of(&sender).get_mut(&sender) {
                Some(lane) => hub.lose_all(lane),
                None => return,
            };
            hub.follow_all(lost);
        });
    }

    /// Called without a lane's lock.
    fn follow_all(self: &Arc<Self>, all: impl IntoIterator<Item = Then>) {
        for Then { room, need, after } in all {
            if need == Need::Snapshot {
                self.fetch(room);
            }
            self.follow(after);
        }
    }
}

/// What follows from a delivery.
struct Then {
    room: RoomName,
    need: Need,
    after: Aftermath,
}
