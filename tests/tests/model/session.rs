//! A session, as a client has it that keeps to the protocol.

use std::{collections::BTreeMap, time::Duration};

use noom_signal::protocol::{ErrorCode, Json, LobbyRoom, PeerId, RoomName, ServerMessage, server};
use tokio::time::Instant;

use crate::{book::Book, ledger::Outcome, view::View};

#[derive(Debug)]
pub(crate) struct Session {
    pub peer: PeerId,
    pub secret: String,
    /// The node at which it began, and whether its client has been to another since.
    pub born: usize,
    pub roams: bool,
    /// How often its client has tried to resume it.
    pub attempts: u64,
    /// The server's counted frames.
    pub received: u64,
    /// It names a count that cannot be, and the same again until it is answered.
    pub lying: bool,
    /// The own counted frames, to be sent again where they were lost.
    pub sent: Vec<Sent>,
    pub view: View,
    /// What each room may have as this peer's meta: more than one where an answer is open.
    pub metas: BTreeMap<RoomName, Vec<Json>>,
    /// What waits for an answer, by id.
    pub waiting: BTreeMap<u64, Ask>,
    /// The last list of the lobby, while it is watched.
    pub lobby: Option<Vec<LobbyRoom>>,
    /// Nobody knows whether it is watched.
    pub lobby_unsure: bool,
    /// Ids of lobby requests: a resume may answer one again.
    watches: Vec<u64>,
    next_id: u64,
    /// The server has closed over something unreadable.
    pub closed_over: bool,
    /// When the link was last known to be there, and when it was known to be gone.
    pub alive: Instant,
    pub gone: Instant,
}

#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub text: String,
    /// The server may close over it: it is not sent again then.
    pub garbage: bool,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Join(RoomName, Json),
    Leave(RoomName),
    Update(RoomName, Json),
    /// The message of that number in the ledger.
    Say(usize),
    Watch(bool),
    IceServers,
    /// To be refused.
    Nonsense(ErrorCode),
}

impl Session {
    pub(crate) fn new(hello: &server::Hello, born: usize, troubled: bool) -> Self {
        Self {
            peer: hello.peer.clone(),
            secret: hello.session.reveal().to_owned(),
            born,
            roams: false,
            attempts: 0,
            received: 0,
            lying: false,
            sent: Vec::new(),
            view: View::new(hello.peer.clone(), troubled),
            metas: BTreeMap::new(),
            waiting: BTreeMap::new(),
            lobby: None,
            lobby_unsure: false,
            watches: Vec::new(),
            next_id: 0,
            closed_over: false,
            alive: Instant::now(),
            gone: Instant::now() + FOREVER,
        }
    }

    /// Notes a request, and gives it an id.
    pub(crate) fn ask(&mut self, ask: Ask) -> u64 {
        self.next_id += 1;
        if let Ask::Watch(true) = ask {
            self.watches.push(self.next_id);
        }
        self.waiting.insert(self.next_id, ask);
        self.next_id
    }

    /// It was resumed in full, after so many of its frames were taken. Returns the later ones.
    pub(crate) fn found(&mut self, taken: usize) -> Vec<String> {
        assert!(taken <= self.sent.len(), "{taken} of {} frames", self.sent.len());
        if std::mem::take(&mut self.closed_over)
            && self.sent.get(taken).is_some_and(|sent| sent.garbage)
        {
            self.sent.remove(taken);
        }
        self.sent[taken..].iter().map(|sent| sent.text.clone()).collect()
    }

    /// It was resumed with a loss: both sides count anew, and nothing is answered any more.
    pub(crate) fn lost(&mut self, rooms: Vec<RoomName>, book: &mut Book) {
        self.received = 0;
        self.sent.clear();
        for ask in std::mem::take(&mut self.waiting).into_values() {
            match ask {
                Ask::Update(room, meta) | Ask::Join(room, meta) => {
                    self.metas.entry(room).or_default().push(meta);
                }
                Ask::Watch(_) => self.lobby_unsure = true,
                _ => {}
            }
        }
        book.ledger.lost(&self.peer, &rooms);
        self.view.lost(rooms);
    }

    /// Takes in one frame.
    pub(crate) fn told(&mut self, message: &ServerMessage, book: &mut Book) {
        match message {
            ServerMessage::Hello(_) => panic!("a second hello"),
            ServerMessage::Lobby(lobby) => {
                if let Some(id) = lobby.id {
                    let open = matches!(self.waiting.remove(&id), Some(Ask::Watch(true)));
                    // Of several that were lost with their link only the last is answered.
                    let older =
                        |other: &u64, ask: &Ask| *other < id && matches!(ask, Ask::Watch(true));
                    self.waiting.retain(|other, ask| !older(other, ask));
                    assert!(open || self.watches.contains(&id), "a lobby nobody asked for");
                    self.lobby_unsure &= !open;
                }
                self.lobby = Some(lobby.rooms.clone());
                return book.saw("lobby");
            }
            ServerMessage::Goaway(_) | ServerMessage::Pong(_) => return,
            _ => self.received += 1,
        }
        book.told(&self.peer, message, self.view.expects_roster());
        self.answered(message, book);
        if let ServerMessage::Updated(updated) = message
            && updated.peer == self.peer
        {
            self.metas.insert(updated.room.clone(), vec![updated.meta.clone()]);
        }
        self.view.told(message);
    }

    /// Each answer is to a request, of its kind, and the only one.
    fn answered(&mut self, message: &ServerMessage, book: &mut Book) {
        let id = match message {
            ServerMessage::Joined(joined) => joined.id,
            ServerMessage::Updated(updated) => updated.id,
            ServerMessage::Bye(bye) => bye.id,
            ServerMessage::Ack(ack) => Some(ack.id),
            ServerMessage::Error(error) => error.id,
            ServerMessage::IceServers(servers) => servers.id,
            _ => None,
        };
        let Some(id) = id else { return };
        let ask = self.waiting.remove(&id);
        let ask = ask.unwrap_or_else(|| panic!("an answer to nothing: {message:?}"));
        match (&ask, message) {
            (Ask::Join(room, meta), ServerMessage::Joined(joined)) if joined.room == *room => {
                self.metas.insert(room.clone(), vec![meta.clone()]);
            }
            (Ask::Leave(room), ServerMessage::Bye(bye)) if bye.room == *room => {
                assert_eq!(bye.peer, self.peer);
            }
            (Ask::Update(room, meta), ServerMessage::Updated(updated)) => {
                assert_eq!((&updated.room, &updated.meta), (room, meta));
            }
            (Ask::Say(number), ServerMessage::Ack(_)) => {
                book.ledger.answered(*number, Outcome::Taken);
            }
            (Ask::Say(number), ServerMessage::Error(error)) => {
                if error.code != ErrorCode::Unavailable {
                    book.ledger.answered(*number, Outcome::Refused);
                }
            }
            (Ask::Update(room, meta), ServerMessage::Error(error)) => {
                if error.code == ErrorCode::Unavailable {
                    self.metas.entry(room.clone()).or_default().push(meta.clone());
                }
            }
            (Ask::Watch(_), ServerMessage::Error(_)) => {}
            (Ask::Nonsense(code), ServerMessage::Error(error)) => {
                let usual = error.code == *code || error.code == ErrorCode::RateLimited;
                assert!(usual || error.code == ErrorCode::Unavailable, "{ask:?}: {error:?}");
            }
            (Ask::Watch(false), ServerMessage::Ack(_)) => {
                (self.lobby, self.lobby_unsure) = (None, false);
            }
            (Ask::IceServers, ServerMessage::IceServers(_)) => {}
            (_, ServerMessage::Error(_)) => {}
            _ => panic!("no answer to {ask:?}: {message:?}"),
        }
    }
}

/// Longer than any run.
pub(crate) const FOREVER: Duration = Duration::from_secs(1_000_000);
