//! The handle that a hub holds, and what it asks for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::{join_all, try_join_all};
use noom_signal::{
    backplane::{
        Backplane, Entered, Entry, Events, JoinError, Letter, Location, Message, Move, SendError,
        Unavailable,
    },
    protocol::{ByeReason, Json, LobbyRoom, PeerId, RoomName, Target},
    room::{Change, Member, NodeId, Snapshot, Stamp},
};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

use crate::{
    Config, ConnectError,
    address::Address,
    entry::{read_change, read_user, write_message, write_reason, write_tail},
    generation::{Call, Generation, Trouble},
    node::Node,
    partition::partition_of,
    reply::Reply,
    script,
    supervisor::{open, supervise},
    text::Text,
};

/// How long a node waits at its start until all others have brought back their peers, if they are at
/// it. It goes on after that, and so do they.
const READY: Duration = Duration::from_secs(15);
/// How long a peer that was handed over is waited for: its messages are on their way to the hub.
const READ: Duration = Duration::from_secs(2);
/// How long senders wait for a peer that is about to move, in several partitions at once.
const FROZEN: Duration = Duration::from_secs(1);
/// How long until they look again.
const HOLD: Duration = Duration::from_millis(5);
/// When to ask again where others still bring back their peers.
const SETTLING_MS: u64 = 200;
/// When to ask again where an inbox is full.
const FULL_MS: u64 = 250;
/// When to ask again where Redis refused, which is for somebody to mend.
const REFUSED_MS: u64 = 1000;

/// One node of a cluster that meets in Redis.
///
/// Requests are answered in one round trip; at once, with
/// [`Unavailable`], while Redis is away, which the node keeps
/// looking for. Dropped, it takes its peers out of their rooms; a node that dies without is found
/// dead by the others when its lease ends.
///
/// ```no_run
/// use noom_signal_redis::{Config, Redis};
///
/// # async fn serve() -> Result<(), noom_signal_redis::ConnectError> {
/// let redis = Redis::connect(Config::new("redis://127.0.0.1/")).await?;
/// # Ok(())
/// # }
/// ```
pub struct Redis {
    node: Arc<Node>,
    /// Its supervisor.
    running: TaskTracker,
}

impl Redis {
    /// Takes a new node into the cluster.
    ///
    /// Where Redis has just been emptied, this takes as long as the other nodes need to bring back
    /// their peers, a second or two.
    ///
    /// # Errors
    ///
    /// Where Redis is not to be reached or will not do: at a start that is a mistake more often
    /// than an outage, and somebody is there to see it. Once connected, the node never gives up.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        config.check()?;
        let address = Address::parse(&config.url)?;
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(|error| ConnectError::Config(error.to_string()))?;
        let node = Arc::new(Node::new(NodeId(u64::from_be_bytes(id)), config, address));
        let opened = open(&node, true).await?;
        let running = TaskTracker::new();
        running.spawn(supervise(node.clone(), opened));
        let redis = Self { node, running };
        let mut ready = redis.node.ready.subscribe();
        // Later than that is not an error: requests say for themselves that they cannot be met yet.
        let _ = timeout(READY, ready.wait_for(|&ready| ready)).await;
        Ok(redis)
    }

    /// Takes the node out of the cluster, as dropping it does, and waits until that is done: two
    /// seconds at most. Peers that are in rooms still are taken out of them.
    ///
    /// A process that ends without it is missed only when its lease ends. Until then its peers may
    /// be resumed on other nodes (as `"partial"`), so a process that could not wait for all of
    /// its sessions does well to end without.
    pub async fn close(&self) {
        self.node.stop.cancel();
        self.running.close();
        self.running.wait().await;
    }

    /// Where the cluster meets, for people to read: host and port, without a password.
    pub fn address(&self) -> String {
        self.node.address.name()
    }

    /// Ends the node as a crash would: without a goodbye. For tests of what the others do then.
    #[doc(hidden)]
    pub fn kill(&self) {
        self.node.kill.cancel();
        self.node.set_current(None);
    }

    fn of_room(&self, room: &RoomName) -> usize {
        partition_of(room.as_str(), self.node.partitions.len())
    }

    fn unavailable(&self, trouble: Trouble) -> Unavailable {
        match trouble {
            Trouble::Over | Trouble::Unanswered => self.node.unavailable(),
            Trouble::Refused => Unavailable { retry_after_ms: REFUSED_MS },
        }
    }

    /// Asks, and makes of all answers that are none an [`Unavailable`].
    async fn ask(
        &self,
        generation: &Generation,
        partition: usize,
        call: &Call,
    ) -> Result<Reply, Unavailable> {
        let reply = generation.ask(partition, call).await;
        let reply = reply.map_err(|trouble| self.unavailable(trouble))?;
        match reply.word.as_str() {
            "SETTLING" => Err(Unavailable { retry_after_ms: SETTLING_MS }),
            "FULL" if reply.is_done() => Err(Unavailable { retry_after_ms: FULL_MS }),
            _ => Ok(reply),
        }
    }

    /// Hands a message to the node where a peer is, as of now.
    async fn send_to(
        &self,
        mut node: NodeId,
        peer: &PeerId,
        message: &Message,
    ) -> Result<(), SendError> {
        let partition = self.of_room(&message.room);
        let text = write_message(message);
        let begun = Instant::now();
        loop {
            let generation = self.node.current()?;
            let mut call = generation.call(&script::SEND, partition);
            call.arg(message.room.as_str()).arg(peer.as_str()).arg(node.to_string());
            let after = self.node.write_after(node, partition);
            call.arg(format!("m - {} {peer} {after} {text}", message.from));
            let mut reply = self.ask(&generation, partition, &call).await?;
            match reply.word.as_str() {
                "GONE" => return Err(SendError::NodeGone),
                "HOLD" => self.hold(begun).await?,
                "ELSEWHERE" => {
                    let moved = reply.text().and_then(|node| read_node(&node));
                    node = moved.ok_or_else(unreadable)?;
                }
                _ => {
                    self.note_sent(&generation, partition, &mut reply).await?;
                    return Ok(());
                }
            }
        }
    }

    /// Waits a little for a peer that is about to move.
    async fn hold(&self, since: Instant) -> Result<(), Unavailable> {
        if since.elapsed() >= FROZEN {
            return Err(self.node.unavailable());
        }
        sleep(HOLD).await;
        Ok(())
    }

    /// Takes note that a node has a message.
    async fn note_sent(
        &self,
        generation: &Generation,
        partition: usize,
        reply: &mut Reply,
    ) -> Result<(), Unavailable> {
        let accepted = reply.text().and_then(|node| read_node(&node)).zip(reply.number());
        let Some((node, seq)) = accepted else { return Ok(()) };
        let (epoch, seq) = (&generation.epochs[partition], seq.unsigned_abs());
        if node == self.node.id {
            // Its target has come here. What is sent to it next goes by no inbox, and must not overtake.
            return self.wait_for(partition, epoch, seq).await;
        }
        if let Some(mut sent) = self.node.sent() {
            sent.note(node, partition, epoch, seq);
        }
        Ok(())
    }

    /// Asks all partitions. One that cannot answer fails it: half an answer is none.
    async fn ask_all(
        &self,
        generation: &Generation,
        call: impl Fn(usize) -> Call,
    ) -> Vec<Result<Reply, Unavailable>> {
        let calls: Vec<_> = generation.partitions().map(call).collect();
        join_all(calls.iter().enumerate().map(|(at, call)| self.ask(generation, at, call))).await
    }

    /// Waits until this node has handled its inbox up to an entry.
    async fn wait_for(&self, partition: usize, epoch: &str, seq: u64) -> Result<(), Unavailable> {
        let mut position = self.node.positions[partition].subscribe();
        let there = position.wait_for(|position| position.epoch != epoch || position.seq >= seq);
        match timeout(READ, there).await {
            Ok(Ok(position)) if position.epoch == epoch => Ok(()),
            _ => Err(self.node.unavailable()),
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.node.stop.cancel();
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.node.address.name();
        f.debug_struct("Redis").field("node", &self.node.id).field("at", &at).finish()
    }
}

#[async_trait]
impl Backplane for Redis {
    fn attach(&self, events: Weak<dyn Events>) -> NodeId {
        self.node.attach(events);
        self.node.id
    }

    async fn nodes(&self) -> Result<usize, Unavailable> {
        let generation = self.node.current()?;
        // A node is in all partitions or in none.
        let call = generation.call(&script::NODES, 0);
        let count = self.ask(&generation, 0, &call).await?.number();
        count.and_then(|count| usize::try_from(count).ok()).ok_or_else(unreadable)
    }

    async fn join(&self, entry: Entry) -> Result<Entered, JoinError> {
        let generation = self.node.current()?;
        let partition = self.of_room(&entry.room);
        let mut call = generation.call_of_room(&script::JOIN, partition, entry.room.as_str());
        call.arg(entry.peer.as_str()).arg(entry.generation);
        call.arg(write_tail(entry.user.as_ref(), &entry.meta));
        call.arg(entry.capacity).arg(u8::from(entry.listed));
        let mut reply = self.ask(&generation, partition, &call).await?;
        if reply.word == "FULL" {
            let members = reply.number().and_then(|members| usize::try_from(members).ok());
            return Err(JoinError::Full { members: members.unwrap_or(entry.capacity) });
        }
        let entered = read_entered(&mut reply).ok_or_else(unreadable)?;
        let mut book = self.node.book();
        book.enter(&entry.room, &entry.peer);
        book.list(&entry.room, entry.listed);
        Ok(entered)
    }

    async fn leave(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        reason: ByeReason,
    ) -> Result<Option<Change>, Unavailable> {
        let current = self.node.current()?;
        let partition = self.of_room(room);
        let mut call = current.call_of_room(&script::LEAVE, partition, room.as_str());
        call.arg(peer.as_str()).arg(generation).arg(write_reason(reason));
        let mut reply = self.ask(&current, partition, &call).await?;
        if reply.word == "NONE" {
            return Ok(None);
        }
        self.node.book().exit(room, peer);
        read_reply_change(&mut reply).ok_or_else(unreadable).map(Some)
    }

    async fn update(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        meta: Json,
    ) -> Result<Option<Change>, Unavailable> {
        let current = self.node.current()?;
        let partition = self.of_room(room);
        let mut call = current.call_of_room(&script::UPDATE, partition, room.as_str());
        call.arg(peer.as_str()).arg(generation).arg(meta.as_str());
        let mut reply = self.ask(&current, partition, &call).await?;
        if reply.word == "NONE" {
            return Ok(None);
        }
        read_reply_change(&mut reply).ok_or_else(unreadable).map(Some)
    }

    async fn resync(
        &self,
        room: &RoomName,
        known: Stamp,
        present: Vec<Arc<Member>>,
    ) -> Result<Snapshot, Unavailable> {
        let generation = self.node.current()?;
        let partition = self.of_room(room);
        let epoch = &generation.epochs[partition];
        let peers = present.iter().map(|member| member.peer.clone()).collect();
        let listed = {
            let mut book = self.node.book();
            if !generation.is_settled(partition) && book.is_asserted(room, epoch) {
                return Err(Unavailable { retry_after_ms: SETTLING_MS });
            }
            book.set(room, peers)
        };
        let mut call = generation.call_of_room(&script::RESYNC, partition, room.as_str());
        call.arg(known.step).arg(known.version).arg(format!("{:016x}", known.token));
        call.arg(u8::from(listed));
        for member in &present {
            call.arg(member.peer.as_str()).arg(member.generation).arg(member.seat);
            call.arg(member.since).arg(write_tail(member.user.as_ref(), &member.meta));
        }
        let reply = generation.ask(partition, &call).await;
        let mut reply = reply.map_err(|trouble| self.unavailable(trouble))?;
        self.node.book().assert(room, epoch);
        if reply.word == "SETTLING" {
            self.node.asserted.notify_one();
            return Err(Unavailable { retry_after_ms: SETTLING_MS });
        }
        reply.snapshot().ok_or_else(unreadable)
    }

    async fn occupancy(&self, room: &RoomName) -> Result<usize, Unavailable> {
        let generation = self.node.current()?;
        let partition = self.of_room(room);
        let call = generation.call_of_room(&script::OCCUPANCY, partition, room.as_str());
        let count = self.ask(&generation, partition, &call).await?.number();
        count.and_then(|count| usize::try_from(count).ok()).ok_or_else(unreadable)
    }

    async fn lobby(&self, limit: usize) -> Result<Vec<LobbyRoom>, Unavailable> {
        let generation = self.node.current()?;
        let answers = self
            .ask_all(&generation, |partition| {
                let mut call = generation.call(&script::LOBBY, partition);
                call.arg(limit);
                call
            })
            .await;
        let mut rooms = Vec::new();
        for answer in answers {
            let mut reply = answer?;
            while let Some(room) = reply.text() {
                let count = reply.number().ok_or_else(unreadable)?.unsigned_abs();
                let room = room.parse().map_err(|_| unreadable())?;
                rooms.push(LobbyRoom { room, peers: u32::try_from(count).unwrap_or(u32::MAX) });
            }
        }
        rooms.sort_unstable_by(|a, b| b.peers.cmp(&a.peers).then_with(|| a.room.cmp(&b.room)));
        rooms.truncate(limit);
        Ok(rooms)
    }

    async fn send(&self, node: NodeId, message: Message) -> Result<(), SendError> {
        match &message.to {
            Target::Peer(peer) => self.send_to(node, peer, &message).await,
            Target::Everyone => self.broadcast(vec![node], message).await,
        }
    }

    async fn broadcast(&self, nodes: Vec<NodeId>, message: Message) -> Result<(), SendError> {
        if nodes.is_empty() {
            return Ok(());
        }
        let partition = self.of_room(&message.room);
        let text = write_message(&message);
        let begun = Instant::now();
        loop {
            let generation = self.node.current()?;
            let mut call = generation.call(&script::BROADCAST, partition);
            call.arg(message.room.as_str()).arg(message.known.step).arg(message.from.as_str());
            call.arg(&text);
            for node in &nodes {
                call.arg(node.to_string()).arg(self.node.write_after(*node, partition));
            }
            let mut reply = self.ask(&generation, partition, &call).await?;
            if reply.word == "HOLD" {
                self.hold(begun).await?;
                continue;
            }
            for _ in 0..reply.number().unwrap_or(0) {
                self.note_sent(&generation, partition, &mut reply).await?;
            }
            while let Some((peer, node)) = reply.text().zip(reply.text()) {
                let peer: PeerId = peer.parse().map_err(|_| unreadable())?;
                let node = read_node(&node).ok_or_else(unreadable)?;
                match self.send_to(node, &peer, &message).await {
                    // Where that node is gone by now, so is its peer.
                    Ok(()) | Err(SendError::NodeGone) => {}
                    Err(error) => return Err(error),
                }
            }
            return Ok(());
        }
    }

    async fn write(&self, node: NodeId, letter: Letter) -> Result<(), SendError> {
        let generation = self.node.current()?;
        let name = node.to_string();
        let partition = partition_of(&name, self.node.partitions.len());
        let mut call = generation.call(&script::WRITE, partition);
        let after = self.node.write_all_after(node, partition);
        call.arg(name).arg(format!("l {} {after} {}", letter.from, letter.text.as_str()));
        let mut reply = self.ask(&generation, partition, &call).await?;
        if reply.word == "GONE" {
            return Err(SendError::NodeGone);
        }
        self.note_sent(&generation, partition, &mut reply).await?;
        Ok(())
    }

    async fn locate(&self, peer: &PeerId) -> Result<Option<Location>, Unavailable> {
        let generation = self.node.current()?;
        let answers = self
            .ask_all(&generation, |partition| {
                let mut call = generation.call(&script::LOCATE, partition);
                call.arg(peer.as_str());
                call
            })
            .await;
        let mut missing = None;
        for answer in answers {
            match answer {
                Ok(reply) if reply.word == "NONE" => {}
                Ok(mut reply) => return read_location(&mut reply).ok_or_else(unreadable).map(Some),
                Err(unavailable) => missing = Some(unavailable),
            }
        }
        missing.map_or(Ok(None), Err)
    }

    async fn hand_over(&self, moving: Move) -> Result<Vec<Change>, Unavailable> {
        let current = self.node.current()?;
        let Move { peer, stays, node, generation } = &moving;
        let mut places: BTreeMap<usize, Vec<&(RoomName, u64)>> = BTreeMap::new();
        for stay in stays {
            places.entry(self.of_room(&stay.0)).or_default().push(stay);
        }
        let several = places.len() > 1;
        let calls = places.iter().map(|(&partition, stays)| {
            let mut freeze = current.call(&script::FREEZE, partition);
            freeze.arg(peer.as_str()).arg(millis(FROZEN));
            let mut moving = current.call(&script::MOVE, partition);
            moving.arg(peer.as_str()).arg(*generation).arg(node.to_string()).arg("hand");
            for (room, generation) in stays {
                freeze.arg(room.as_str()).arg(*generation);
                moving.arg(room.as_str()).arg(*generation);
            }
            (partition, freeze, moving)
        });
        let calls: Vec<_> = calls.collect();
        if several {
            let each = calls.iter().map(|(at, freeze, _)| self.ask(&current, *at, freeze));
            try_join_all(each).await?;
        }
        let each = calls.iter().map(|(at, _, moving)| self.moved(&current, *at, moving));
        let moved = join_all(each).await;
        let mut changes = Vec::new();
        for ((partition, ..), moved) in calls.iter().zip(moved) {
            let (seq, moved) = moved?;
            changes.extend(moved.into_iter().map(|(change, _)| change));
            // The marks stand: nothing comes after that entry.
            self.wait_for(*partition, &current.epochs[*partition], seq).await?;
        }
        let mut book = self.node.book();
        for change in &changes {
            book.exit(&change.room, peer);
        }
        Ok(changes)
    }

    async fn take_over(&self, peer: &PeerId, generation: u64) -> Result<Vec<Entered>, Unavailable> {
        let current = self.node.current()?;
        let each = current.partitions().map(|partition| {
            let mut call = current.call(&script::MOVE, partition);
            call.arg(peer.as_str()).arg(generation).arg(&*self.node.name).arg("take");
            (partition, call)
        });
        let calls: Vec<_> = each.collect();
        let each = calls.iter().map(|(partition, call)| self.moved(&current, *partition, call));
        let mut entered = Vec::new();
        for answer in join_all(each).await {
            for (change, snapshot) in answer?.1 {
                entered.push(Entered { change, snapshot: snapshot.ok_or_else(unreadable)? });
            }
        }
        let mut book = self.node.book();
        for Entered { change, .. } in &entered {
            book.enter(&change.room, peer);
        }
        Ok(entered)
    }
}

/// The last number of this node's inbox, and the rooms with their steps.
type Moved = (u64, Vec<(Change, Option<Snapshot>)>);

impl Redis {
    async fn moved(
        &self,
        generation: &Generation,
        partition: usize,
        call: &Call,
    ) -> Result<Moved, Unavailable> {
        let mut reply = self.ask(generation, partition, call).await?;
        if reply.word == "GONE" {
            // Where it was to go is no more; whoever asked looks again.
            return Err(self.node.unavailable());
        }
        let seq = reply.number().and_then(|seq| u64::try_from(seq).ok()).ok_or_else(unreadable)?;
        let mut moved = Vec::new();
        while !reply.is_done() {
            let change = read_reply_change(&mut reply).ok_or_else(unreadable)?;
            moved.push((change, reply.snapshot()));
        }
        Ok((seq, moved))
    }
}

fn read_entered(reply: &mut Reply) -> Option<Entered> {
    let change = read_reply_change(reply)?;
    Some(Entered { change, snapshot: reply.snapshot()? })
}

fn read_reply_change(reply: &mut Reply) -> Option<Change> {
    read_change(&reply.text()?)
}

fn read_node(text: &str) -> Option<NodeId> {
    u64::from_str_radix(text, 16).ok().map(NodeId)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn read_location(reply: &mut Reply) -> Option<Location> {
    let node = read_node(&reply.text()?)?;
    let alive = reply.number()? == 1;
    let user = read_user(&mut Text(&reply.text()?))?;
    Some(Location { node, alive, user })
}

/// What is in Redis was written by something else, or by a version that writes other things.
fn unreadable() -> Unavailable {
    tracing::warn!("redis holds what this version cannot read");
    Unavailable { retry_after_ms: REFUSED_MS }
}
