//! One client, and what it knows of its session.

use std::{collections::HashMap, time::Duration};

use noom_signal::{
    ConnectRequest, Hub,
    protocol::{CloseCode, PeerId, Request, RequestFrame, Resumed, ServerMessage, server},
    transport::{ClientEnd, pipe},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::view::View;

/// How many frames a link holds each way: few, so that not reading is soon noticed.
const CAPACITY: usize = 8;
/// Longer than a server writes to a client that does not read.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client.
#[derive(Default)]
pub struct Actor {
    link: Option<ClientEnd>,
    pub session: Option<Session>,
}

/// A session, as its client has it.
pub struct Session {
    pub peer: PeerId,
    secret: String,
    /// The server's counted frames.
    received: u64,
    /// The own counted frames, to be sent again where they were lost.
    sent: Vec<String>,
    /// How many of those the server has said it has.
    taken: usize,
    /// How many replies each id waits for, and how many more may come.
    waiting: HashMap<u64, u32>,
    possible: HashMap<u64, u32>,
    pings: u32,
    next_id: u64,
    said: u64,
    pub view: View,
}

impl Actor {
    /// A new connection, for a new session or for the one there was, of which it says to have
    /// received so many frames more than it has.
    pub async fn connect(&mut self, hub: &Hub, resume: Option<i64>, beside: bool) {
        if !beside {
            self.link = None;
        }
        let lies = resume.is_some_and(|more| more != 0);
        let resume = resume.zip(self.session.as_ref()).map(|(more, session)| {
            let received = session.received.saturating_add_signed(more);
            json!({"session": session.secret, "received": received})
        });
        let hello = match resume {
            Some(resume) => json!({"type": "hello", "resume": resume}),
            None => json!({"type": "hello"}),
        };
        let mut link = open(hub);
        link.send_text(hello.to_string()).await.expect("an open link");
        let first = timeout(PATIENCE, link.recv()).await.expect("an answer to the hello");
        let Some(ServerMessage::Hello(hello)) = first else { panic!("not a hello: {first:?}") };
        // Only now: nothing more is taken from the link there was.
        self.link = Some(link);
        if lies && hello.resumed == Resumed::Full {
            // Taken at its word: it now misses frames, or gets some twice. Its own affair.
            (self.link, self.session) = (None, None);
            return;
        }
        self.opened(hello).await;
    }

    async fn opened(&mut self, hello: server::Hello) {
        let again = match (hello.resumed, &mut self.session) {
            (Resumed::New, _) => {
                assert!(self.session.as_ref().is_none_or(|session| session.peer != hello.peer));
                self.session = Some(Session::new(&hello));
                return;
            }
            (Resumed::Partial, Some(session)) => {
                assert_eq!(session.peer, hello.peer);
                session.forget();
                return session.view.lost(hello.rooms.expect("the rooms it is in"));
            }
            (Resumed::Full, Some(session)) => {
                assert_eq!(session.peer, hello.peer);
                session.pings = 0;
                let taken = hello.received.expect("a count") as usize;
                assert!(taken >= session.taken, "{taken} < {}", session.taken);
                assert!(taken <= session.sent.len(), "{taken} > {}", session.sent.len());
                session.sent.split_off(taken)
            }
            (resumed, None) => panic!("{resumed:?} without a session"),
        };
        if let Some((first, session)) = again.first().zip(self.session.as_mut())
            && let Some(id) = RequestFrame::parse(first, 32).id
        {
            // Perhaps the frame that closed the last connection, and answered all the same.
            *session.possible.entry(id).or_default() += 1;
        }
        for text in again {
            if let Some(session) = &mut self.session
                && let Some(id) = RequestFrame::parse(&text, 32).id
                && let Some(waiting) = session.waiting.get_mut(&id)
            {
                *waiting = waiting.saturating_sub(1);
            }
            self.send(text).await;
        }
    }

    /// Sends any text.
    pub async fn send(&mut self, text: String) {
        let Some(session) = &mut self.session else { return };
        let frame = RequestFrame::parse(&text, 32);
        let replies = match (&frame.request, frame.counted) {
            (Ok(Request::Ping { .. }), _) => {
                session.pings += 1;
                None
            }
            // A lobby comes as often as it likes, and what is not counted may be lost.
            (Ok(Request::Lobby { .. }), _) | (_, false) => Some(&mut session.possible),
            _ => Some(&mut session.waiting),
        };
        if let Some((replies, id)) = replies.zip(frame.id) {
            *replies.entry(id).or_default() += 1;
        }
        if frame.counted {
            session.sent.push(text.clone());
        }
        if let Some(link) = &self.link
            && !matches!(timeout(PATIENCE, link.send_text(text)).await, Ok(Ok(())))
        {
            // What has come before the end is not read: it comes again.
            self.link = None;
        }
    }

    /// Sends a request, with an id or without.
    pub async fn ask(&mut self, mut request: Value, with_id: bool) {
        let Some(session) = &mut self.session else { return };
        if with_id {
            session.next_id += 1;
            request["id"] = session.next_id.into();
        }
        if request["type"] == "message" {
            session.said += 1;
            request["data"] = json!({
                "by": session.peer, "room": request["room"], "to": request["to"],
                "number": session.said,
            });
        }
        self.send(request.to_string()).await;
    }

    pub async fn send_binary(&mut self) {
        if let Some(link) = &self.link {
            let _ = timeout(PATIENCE, link.send_binary()).await;
        }
    }

    /// Loses the link.
    pub fn cut(&mut self) {
        self.link = None;
    }

    /// Closes; the session ends with it or not.
    pub async fn close(&mut self, code: Option<CloseCode>) {
        let Some(mut link) = self.link.take() else { return };
        let closed = timeout(PATIENCE, link.close(code)).await.is_ok();
        if closed && code.is_none_or(|code| code == CloseCode::NORMAL) {
            self.session = None;
        }
    }

    /// Takes in so many frames, as far as there are any.
    pub async fn read(&mut self, frames: usize) {
        for _ in 0..frames {
            if !self.read_one(Duration::from_millis(1)).await {
                return;
            }
        }
    }

    /// Takes in all there is, by which every request is answered and every frame counted.
    pub async fn sync(&mut self) {
        let Some(session) = &self.session else { return };
        let ping = json!({"type": "ping", "received": session.received});
        self.send(ping.to_string()).await;
        while self.link.is_some() && self.session.as_ref().is_some_and(|s| s.pings > 0) {
            let came = self.read_one(2 * PATIENCE).await;
            assert!(came || self.link.is_none(), "no pong");
        }
        let Some((session, _)) = self.session.as_mut().zip(self.link.as_ref()) else { return };
        assert_eq!(session.taken, session.sent.len());
        session.waiting.retain(|_, waiting| *waiting > 0);
        assert!(session.waiting.is_empty(), "unanswered: {:?}", session.waiting);
    }

    /// The rooms that it is in by what it was told, where it is told everything.
    pub fn live_view(&self) -> Option<(&PeerId, &View)> {
        self.link.as_ref()?;
        self.session.as_ref().map(|session| (&session.peer, &session.view))
    }

    async fn read_one(&mut self, patience: Duration) -> bool {
        let Some((link, session)) = self.link.as_mut().zip(self.session.as_mut()) else {
            return false;
        };
        match timeout(patience, link.recv_text()).await {
            Ok(Some(text)) => session.take(&text),
            Ok(None) => {
                self.link = None;
                return false;
            }
            Err(_) => return false,
        }
        true
    }
}

impl Session {
    fn new(hello: &server::Hello) -> Self {
        Self {
            peer: hello.peer.clone(),
            secret: hello.session.reveal().to_owned(),
            received: 0,
            sent: Vec::new(),
            taken: 0,
            waiting: HashMap::new(),
            possible: HashMap::new(),
            pings: 0,
            next_id: 1 << 40,
            said: 0,
            view: View::new(hello.peer.clone()),
        }
    }

    /// Counting starts again, and nothing is answered any more.
    fn forget(&mut self) {
        (self.received, self.taken, self.pings) = (0, 0, 0);
        self.sent.clear();
        self.waiting.clear();
        self.possible.clear();
    }

    fn take(&mut self, text: &str) {
        let message: ServerMessage = text.parse().expect("a message of the protocol");
        match &message {
            ServerMessage::Hello(_) => panic!("a second hello"),
            ServerMessage::Pong(pong) => {
                self.pings = self.pings.checked_sub(1).expect("a pong to a ping");
                self.taken = pong.received as usize;
                assert!(self.taken <= self.sent.len(), "{pong:?} of {}", self.sent.len());
                return;
            }
            ServerMessage::Goaway(_) | ServerMessage::Lobby(_) => return,
            _ => self.received += 1,
        }
        let reply = match &message {
            ServerMessage::Joined(joined) => joined.id,
            ServerMessage::Updated(updated) => updated.id,
            ServerMessage::Bye(bye) => bye.id,
            ServerMessage::Ack(ack) => Some(ack.id),
            ServerMessage::Error(error) => error.id,
            ServerMessage::IceServers(servers) => servers.id,
            _ => None,
        };
        if let Some(id) = reply {
            let waiting = self.waiting.get_mut(&id).filter(|n| **n > 0);
            let waiting = waiting.or_else(|| self.possible.get_mut(&id).filter(|n| **n > 0));
            *waiting.unwrap_or_else(|| panic!("a reply to nothing: {text}")) -= 1;
        }
        self.view.told(&message);
    }
}

/// A link to the hub that has said nothing yet.
pub fn open(hub: &Hub) -> ClientEnd {
    let (server_end, link) = pipe(CAPACITY);
    let admission = hub.admit(ConnectRequest::default()).expect("an admission");
    tokio::spawn(admission.serve(server_end));
    link
}
