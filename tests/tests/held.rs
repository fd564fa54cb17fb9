//! Messages of other nodes that wait for steps which do not come: as many as the limits say.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use noom_signal::{
    backplane::{
        Backplane, Entered, Entry, Events, JoinError, Letter, Local, Location, Message, Move,
        SendError, Unavailable,
    },
    protocol::{ByeReason, Frame, Json, LobbyRoom, PeerId, RoomName, Target},
    room::{Change, Member, NodeId, Snapshot, Stamp},
};
use system_tests::{Client, Hub, Limits, Server, json};

/// A node of which the test can play the others.
#[derive(Clone)]
struct Played {
    inner: Arc<Local>,
    events: Arc<OnceLock<Weak<dyn Events>>>,
}

#[async_trait]
impl Backplane for Played {
    fn attach(&self, events: Weak<dyn Events>) -> NodeId {
        let _ = self.events.set(events.clone());
        self.inner.attach(events)
    }
    async fn join(&self, entry: Entry) -> Result<Entered, JoinError> {
        self.inner.join(entry).await
    }
    async fn leave(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        reason: ByeReason,
    ) -> Result<Option<Change>, Unavailable> {
        self.inner.leave(room, peer, generation, reason).await
    }
    async fn update(
        &self,
        room: &RoomName,
        peer: &PeerId,
        generation: u64,
        meta: Json,
    ) -> Result<Option<Change>, Unavailable> {
        self.inner.update(room, peer, generation, meta).await
    }
    async fn resync(
        &self,
        room: &RoomName,
        known: Stamp,
        present: Vec<Arc<Member>>,
    ) -> Result<Snapshot, Unavailable> {
        self.inner.resync(room, known, present).await
    }
    async fn nodes(&self) -> Result<usize, Unavailable> {
        self.inner.nodes().await
    }
    async fn occupancy(&self, room: &RoomName) -> Result<usize, Unavailable> {
        self.inner.occupancy(room).await
    }
    async fn lobby(&self, limit: usize) -> Result<Vec<LobbyRoom>, Unavailable> {
        self.inner.lobby(limit).await
    }
    async fn send(&self, node: NodeId, message: Message) -> Result<(), SendError> {
        self.inner.send(node, message).await
    }
    async fn broadcast(&self, nodes: Vec<NodeId>, message: Message) -> Result<(), SendError> {
        self.inner.broadcast(nodes, message).await
    }
    async fn write(&self, node: NodeId, letter: Letter) -> Result<(), SendError> {
        self.inner.write(node, letter).await
    }
    async fn locate(&self, peer: &PeerId) -> Result<Option<Location>, Unavailable> {
        self.inner.locate(peer).await
    }
    async fn hand_over(&self, moving: Move) -> Result<Vec<Change>, Unavailable> {
        self.inner.hand_over(moving).await
    }
    async fn take_over(&self, peer: &PeerId, generation: u64) -> Result<Vec<Entered>, Unavailable> {
        self.inner.take_over(peer, generation).await
    }
}

impl Played {
    fn new() -> Self {
        Self { inner: Arc::default(), events: Arc::default() }
    }

    /// A message of a node that knows the room better than this one will.
    fn message(&self, room: &str, to: &str, data: &str) {
        let from: PeerId = "ghost".parse().unwrap();
        let text =
            format!(r#"{{"type":"message","room":"{room}","from":"ghost","data":"{data}"}}"#);
        let message = Message {
            room: room.parse().unwrap(),
            from,
            to: Target::Peer(to.parse().unwrap()),
            known: Stamp { step: 1000, version: 1000, token: 0 },
            except: Vec::new(),
            frame: Frame::from_text(text),
        };
        self.events.get().and_then(Weak::upgrade).unwrap().message(message);
    }
}

async fn server(change: impl FnOnce(&mut Limits)) -> (Server, Played, [Client; 2]) {
    let mut limits = Limits::default();
    change(&mut limits);
    let played = Played::new();
    let hub = Hub::builder().limits(limits).backplane(Arc::new(played.clone()));
    let server = Server::in_process(hub);
    let (mut a, mut b) = server.pair("here").await;
    a.join("there").await;
    b.join("there").await;
    a.expect_welcome("there", &b).await;
    (server, played, [a, b])
}

/// The target learns that something is lost, and so do the others.
async fn is_told(server: &Server, mut target: Client, mut bystander: Client) {
    assert_eq!(target.closed().await, Some(4410));
    let (_target, hello) = server.resume(&target).await;
    assert_eq!(hello["resumed"], "partial");
    for _ in 0..2 {
        let missed = bystander.recv().await;
        assert_eq!((&missed["type"], &missed["peer"]), (&json!("missed"), &json!(target.peer)));
    }
}

#[tokio::test]
async fn so_many_are_held_for_a_room() {
    let (server, played, [mut target, mut bystander]) = server(|l| l.held_events = 5).await;
    for _ in 0..5 {
        played.message("here", &target.peer, "x");
    }
    // What its own node has for it comes all the same.
    bystander.tell("here", &target.peer, json!("meanwhile")).await;
    target.expect_data("here", &bystander.peer, json!("meanwhile")).await;
    target.nothing_came().await;
    played.message("here", &target.peer, "x");
    is_told(&server, target, bystander).await;
}

#[tokio::test]
async fn so_many_bytes_are_held_for_a_room() {
    let long = "x".repeat(900);
    let (server, played, [mut target, bystander]) = server(|l| l.held_bytes = 4000).await;
    for _ in 0..4 {
        played.message("here", &target.peer, &long);
    }
    target.nothing_came().await;
    played.message("here", &target.peer, &long);
    is_told(&server, target, bystander).await;
}

#[tokio::test]
async fn so_many_of_a_sender_wait_for_another_room() {
    let (server, played, [mut target, bystander]) = server(|l| l.held_events = 5).await;
    // The first is held in its room, the others wait for it.
    for room in ["here", "there", "there", "there", "there", "there"] {
        played.message(room, &target.peer, "x");
    }
    target.nothing_came().await;
    played.message("there", &target.peer, "x");
    is_told(&server, target, bystander).await;
}
