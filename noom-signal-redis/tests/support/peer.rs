//! A peer of a real hub.

use noom_signal::{
    ConnectRequest, Hub,
    protocol::{ErrorCode, PeerId, RoomName, ServerMessage, Target, client},
    transport::{ClientEnd, pipe},
};
use tokio::time::timeout;

use super::PATIENCE;

pub(crate) struct Peer {
    pub(crate) id: PeerId,
    client: ClientEnd,
    next: u64,
    /// All that came, but answers to requests.
    pub(crate) seen: Vec<ServerMessage>,
}

impl Peer {
    pub(crate) async fn arrive(hub: &Hub) -> Self {
        let (server_end, mut client) = pipe(1024);
        tokio::spawn(hub.admit(ConnectRequest::default()).unwrap().serve(server_end));
        client.send(client::Hello::default()).await.unwrap();
        let Some(ServerMessage::Hello(hello)) = client.recv().await else { panic!("no hello") };
        Self { id: hello.peer, client, next: 0, seen: Vec::new() }
    }

    /// Joins, and tries again for as long as the cluster cannot.
    pub(crate) async fn join(&mut self, room: &RoomName) {
        loop {
            let id = self.id();
            let (room, meta, token) = (room.clone(), None, None);
            self.client.send(client::Join { room, meta, token, id }).await.unwrap();
            match self.answer(id).await {
                Ok(()) => return,
                Err(ErrorCode::Unavailable) => {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                Err(code) => panic!("{}: {code}", self.id),
            }
        }
    }

    pub(crate) async fn say(&mut self, room: &RoomName, to: Target) -> Result<(), ErrorCode> {
        let (id, data) = (self.id(), noom_signal::protocol::Json::empty_object());
        self.client.send(client::Message { room: room.clone(), to, data, id }).await.unwrap();
        self.answer(id).await
    }

    /// Takes in what comes until `done`.
    pub(crate) async fn until(&mut self, what: &str, done: impl Fn(&[ServerMessage]) -> bool) {
        while !done(&self.seen) {
            let Ok(Some(frame)) = timeout(PATIENCE, self.client.recv()).await else {
                panic!("{}: {what} did not come; seen was {:#?}", self.id, self.seen);
            };
            self.seen.push(frame);
        }
    }

    pub(crate) fn byes(&self) -> usize {
        self.seen.iter().filter(|frame| matches!(frame, ServerMessage::Bye(_))).count()
    }

    fn id(&mut self) -> Option<u64> {
        self.next += 1;
        Some(self.next)
    }

    async fn answer(&mut self, asked: Option<u64>) -> Result<(), ErrorCode> {
        loop {
            let frame = timeout(PATIENCE, self.client.recv()).await;
            let frame = frame.ok().flatten();
            let Some(frame) = frame else { panic!("{}: no answer", self.id) };
            match &frame {
                ServerMessage::Joined(joined) if joined.id == asked => {
                    self.seen.push(frame);
                    return Ok(());
                }
                ServerMessage::Ack(ack) if Some(ack.id) == asked => return Ok(()),
                ServerMessage::Error(error) if error.id == asked => return Err(error.code),
                _ => self.seen.push(frame),
            }
        }
    }
}
