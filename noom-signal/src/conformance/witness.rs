//! A peer that checks every frame it gets.

use std::collections::{BTreeMap, HashMap, HashSet};

use tokio::time::timeout;

use super::PATIENCE;
use crate::{
    ConnectRequest, Hub,
    protocol::{
        ClientMessage, ErrorCode, Json, PeerId, PeerInfo, Resumed, RoomName, ServerMessage,
        SessionSecret, Target, client, server,
    },
    transport::{ClientEnd, pipe},
};

/// One peer, and all it has been told.
pub(super) struct Witness {
    pub(super) peer: PeerId,
    client: ClientEnd,
    session: SessionSecret,
    /// How many counted frames it has taken.
    received: u64,
    next_id: u64,
    pictures: HashMap<RoomName, Picture>,
    /// What happened in each room, by version, as far as this peer was there.
    pub(super) history: HashMap<RoomName, BTreeMap<u64, String>>,
    /// The numbers that came in each room from each peer, in order.
    pub(super) heard: HashMap<(RoomName, PeerId), Vec<u64>>,
    /// The last number from each peer, in whatever room.
    last: HashMap<PeerId, u64>,
}

/// One room, put together from frames.
#[derive(Debug, Default)]
struct Picture {
    version: u64,
    others: HashMap<PeerId, PeerInfo>,
}

async fn connect(hub: &Hub, hello: client::Hello) -> (server::Hello, ClientEnd) {
    let (server_end, mut client) = pipe(64);
    tokio::spawn(hub.admit(ConnectRequest::default()).unwrap().serve(server_end));
    client.send(hello).await.unwrap();
    match timeout(PATIENCE, client.recv()).await {
        Ok(Some(ServerMessage::Hello(hello))) => (hello, client),
        other => panic!("no hello, but {other:?}"),
    }
}

impl Witness {
    pub(super) async fn arrive(hub: &Hub) -> Self {
        let (hello, client) = connect(hub, client::Hello::default()).await;
        Self {
            peer: hello.peer,
            client,
            session: hello.session,
            received: 0,
            next_id: 0,
            pictures: HashMap::new(),
            history: HashMap::new(),
            heard: HashMap::new(),
            last: HashMap::new(),
        }
    }

    /// Cuts its link and goes on at another hub, as if nothing were.
    pub(super) async fn hop(&mut self, hub: &Hub) {
        let (session, received) = (self.session.clone(), self.received);
        let resume = Some(client::Resume { session, received });
        let (hello, client) = connect(hub, client::Hello { resume, ..Default::default() }).await;
        assert_eq!(hello.peer, self.peer, "another peer after a move");
        assert_eq!(hello.resumed, Resumed::Full, "{}: something is lost", self.peer);
        assert_eq!(hello.received, Some(self.next_id), "{}: requests are lost", self.peer);
        self.client = client;
    }

    pub(super) async fn join(&mut self, room: &RoomName) -> Result<(), ErrorCode> {
        let id = self.id();
        let join = client::Join { room: room.clone(), meta: None, token: None, id };
        self.ask(join).await
    }

    pub(super) async fn leave(&mut self, room: &RoomName) -> Result<(), ErrorCode> {
        let id = self.id();
        self.ask(client::Leave { room: room.clone(), id }).await
    }

    pub(super) async fn update(&mut self, room: &RoomName, n: usize) -> Result<(), ErrorCode> {
        let (id, meta) = (self.id(), Json::of(&serde_json::json!({ "n": n })).unwrap());
        self.ask(client::Update { room: room.clone(), meta, id }).await
    }

    pub(super) async fn send(
        &mut self,
        room: &RoomName,
        to: Target,
        number: u64,
    ) -> Result<(), ErrorCode> {
        let (id, data) = (self.id(), Json::of(&(&self.peer, room, number)).unwrap());
        self.ask(client::Message { room: room.clone(), to, data, id }).await
    }

    pub(super) fn is_in(&self, room: &RoomName) -> bool {
        self.pictures.contains_key(room)
    }

    /// The members of a room as this peer knows them, itself included.
    pub(super) fn members(&self, room: &RoomName) -> HashSet<PeerId> {
        let others = self.pictures.get(room).into_iter().flat_map(|p| p.others.keys().cloned());
        others.chain([self.peer.clone()]).collect()
    }

    /// Takes in one more frame.
    pub(super) async fn listen(&mut self) {
        let frame = timeout(PATIENCE, self.client.recv()).await;
        let frame = frame.unwrap_or_else(|_| panic!("{}: nothing comes any more", self.peer));
        let frame = frame.unwrap_or_else(|| panic!("{}: closed {:?}", self.peer, self.client));
        self.witness(&frame);
    }

    /// Takes in frames until `done`, and panics with `what` is missing when they do not come.
    pub(super) async fn listen_until(
        &mut self,
        mut done: impl FnMut(&Self) -> bool,
        what: impl Fn(&Self) -> String,
    ) {
        while !done(self) {
            let Ok(Some(frame)) = timeout(PATIENCE, self.client.recv()).await else {
                panic!("{}: {}", self.peer, what(self));
            };
            self.witness(&frame);
        }
    }

    fn id(&mut self) -> Option<u64> {
        self.next_id += 1;
        Some(self.next_id)
    }

    /// Sends a request and takes in frames until its reply.
    async fn ask(&mut self, request: impl Into<ClientMessage>) -> Result<(), ErrorCode> {
        let asked = self.next_id;
        self.client.send(request).await.unwrap();
        loop {
            let frame = timeout(PATIENCE, self.client.recv()).await;
            let frame = frame.unwrap_or_else(|_| panic!("{}: no reply to {asked}", self.peer));
            let frame = frame.unwrap_or_else(|| panic!("{}: closed {:?}", self.peer, self.client));
            self.witness(&frame);
            let (id, result) = match frame {
                ServerMessage::Joined(joined) => (joined.id, Ok(())),
                ServerMessage::Updated(updated) => (updated.id, Ok(())),
                ServerMessage::Bye(bye) => (bye.id, Ok(())),
                ServerMessage::Ack(ack) => (Some(ack.id), Ok(())),
                ServerMessage::Error(error) => (error.id, Err(error.code)),
                _ => (None, Ok(())),
            };
            if let Some(id) = id {
                assert_eq!(id, asked, "{}: a reply to something else", self.peer);
                return result;
            }
        }
    }

    /// Checks a frame against all that was told before.
    fn witness(&mut self, frame: &ServerMessage) {
        let me = self.peer.clone();
        self.received += 1;
        match frame {
            ServerMessage::Joined(joined) => {
                let others: HashMap<_, _> =
                    joined.peers.iter().map(|p| (p.peer.clone(), p.clone())).collect();
                assert!(!others.contains_key(&me), "{me}: joined names the newcomer itself");
                assert!(joined.peers.iter().all(|p| p.since < joined.version));
                let picture = Picture { version: joined.version, others };
                let before = self.pictures.insert(joined.room.clone(), picture);
                assert!(before.is_none(), "{me}: joined {} twice", joined.room);
                self.note(&joined.room, joined.version, format!("joined {me}"));
            }
            ServerMessage::Welcome(welcome) => {
                let picture = self.next(&welcome.room, welcome.version);
                assert_eq!(welcome.since, welcome.version);
                let info = PeerInfo {
                    peer: welcome.peer.clone(),
                    user: welcome.user.clone(),
                    meta: welcome.meta.clone(),
                    since: welcome.since,
                };
                let before = picture.others.insert(welcome.peer.clone(), info);
                assert!(before.is_none(), "{me}: {} is welcomed twice", welcome.peer);
                self.note(&welcome.room, welcome.version, format!("joined {}", welcome.peer));
            }
            ServerMessage::Updated(updated) => {
                let picture = self.next(&updated.room, updated.version);
                if updated.peer != me {
                    let other = picture.others.get_mut(&updated.peer);
                    let other = other.unwrap_or_else(|| panic!("{me}: a stranger updates"));
                    other.meta = updated.meta.clone();
                }
                let what = format!("updated {} {:?}", updated.peer, updated.meta);
                self.note(&updated.room, updated.version, what);
            }
            ServerMessage::Bye(bye) => {
                let picture = self.next(&bye.room, bye.version);
                if bye.peer == me {
                    self.pictures.remove(&bye.room);
                } else {
                    let before = picture.others.remove(&bye.peer);
                    assert!(before.is_some(), "{me}: {} leaves twice", bye.peer);
                }
                let what = format!("left {} {:?}", bye.peer, bye.reason);
                self.note(&bye.room, bye.version, what);
            }
            ServerMessage::Message(message) => {
                let picture = self.pictures.get(&message.room);
                let known = picture.is_some_and(|p| p.others.contains_key(&message.from));
                assert!(known, "{me}: a message from {}, who is not here", message.from);
                let (from, room, number): (PeerId, RoomName, u64) = message.data.read().unwrap();
                assert_eq!((&from, &room), (&message.from, &message.room), "{me}: misdelivered");
                let last = self.last.insert(from.clone(), number);
                assert!(last < Some(number), "{me}: {number} from {from} after {last:?}");
                self.heard.entry((room, from)).or_default().push(number);
            }
            ServerMessage::Roster(roster) => {
                let others = roster.peers.iter().map(|p| (p.peer.clone(), p.clone())).collect();
                let picture = Picture { version: roster.version, others };
                let before = self.pictures.insert(roster.room.clone(), picture);
                assert!(before.is_some(), "{me}: a roster of a room it is not in");
            }
            ServerMessage::Ack(_) | ServerMessage::Error(_) => {}
            other => panic!("{me}: unexpected {other:?}"),
        }
    }

    /// The room at the version right before this one.
    fn next(&mut self, room: &RoomName, version: u64) -> &mut Picture {
        let picture = self.pictures.get_mut(room);
        let picture = picture.unwrap_or_else(|| panic!("{}: not in {room}", self.peer));
        assert_eq!(version, picture.version + 1, "{}: a step is missing in {room}", self.peer);
        picture.version = version;
        picture
    }

    fn note(&mut self, room: &RoomName, version: u64, what: String) {
        let before = self.history.entry(room.clone()).or_default().insert(version, what);
        assert!(before.is_none(), "{}: version {version} of {room} came twice", self.peer);
    }
}
