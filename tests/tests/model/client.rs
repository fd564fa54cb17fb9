//! A client with its link, which it loses and takes up again.

use std::{collections::VecDeque, time::Duration};

use futures_util::FutureExt;
use noom_signal::{
    ConnectRequest, Hub,
    protocol::{ByeReason, CloseCode, PeerId, Resumed, RoomName, ServerMessage, server},
    transport::{ClientEnd, pipe},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    book::Book,
    op::{Kind, Width},
    session::{Ask, FOREVER, Sent, Session},
};

/// The longest the server may take to notice that a link is gone, where a request is under way or
/// the session is on its way from another node.
const SLACK: Duration = Duration::from_secs(16);
/// How many frames it sends in a millisecond: so few that whoever reads keeps up.
const PACE: usize = 3;
/// How many it sends while it does not read. The server may not read them before it does; were
/// they many, the server would then take them all at once, and be too fast for the others.
const BLIND: usize = 8;
/// What a timer may be off by.
const MARGIN: Duration = Duration::from_millis(200);

pub(crate) struct Client {
    pub node: usize,
    pub link: Option<Link>,
    pub session: Option<Session>,
    /// Whether it says something as soon as it meets somebody.
    pub greets: bool,
    /// A link beside which another was opened.
    old: Option<ClientEnd>,
}

pub(crate) struct Link {
    end: ClientEnd,
    /// What does not fit into it yet.
    outbound: VecDeque<String>,
    pub reading: bool,
    /// How much it has sent since it last read.
    blind: usize,
    /// Whether all was read all the time, and there was room for more.
    prompt: bool,
    /// Whether the hello was answered.
    pub open: bool,
    pub pings: usize,
    /// Whether the session's window had passed when it was asked for.
    late: bool,
}

/// A link to the hub that has said nothing yet.
pub(crate) fn link(hub: &Hub, width: Width) -> ClientEnd {
    let (server_end, end) = pipe(width.frames());
    let admission = hub.admit(ConnectRequest::default()).expect("an admission");
    tokio::spawn(admission.serve(server_end));
    end
}

impl Client {
    pub(crate) fn new(node: usize) -> Self {
        Self { node, link: None, session: None, greets: node == 0, old: None }
    }

    /// Connects, for a new session or the one there was.
    pub(crate) fn connect(&mut self, hub: &Hub, width: Width, lie: bool, book: &mut Book) {
        let hello = match &mut self.session {
            Some(session) => {
                session.roams |= session.born != self.node;
                session.attempts += 1;
                session.lying |= lie;
                let Session { secret, received, attempts, lying, .. } = session;
                let received = if *lying { *received + (1 << 40) } else { *received };
                let resume = json!({"session": secret, "received": received, "attempt": attempts});
                json!({"type": "hello", "resume": resume})
            }
            None => json!({"type": "hello"}),
        };
        if self.link.as_ref().is_some_and(|link| link.open && link.reading && link.prompt) {
            self.old = self.link.take().map(|link| link.end);
            book.saw("a second link");
        }
        self.cut();
        let mut late = false;
        if let Some(session) = &mut self.session {
            late = Instant::now() > session.gone + RESUME + SLACK;
            // From now on the server may have it back.
            session.gone = Instant::now() + FOREVER;
        }
        let end = link(hub, width);
        // Even if it is gone the next moment: the hub has heard it.
        let _ = end.send_text(hello.to_string()).now_or_never();
        self.link = Some(Link {
            end,
            outbound: VecDeque::new(),
            reading: true,
            blind: 0,
            prompt: width == Width::Wide,
            open: false,
            pings: 0,
            late,
        });
    }

    /// Loses the link.
    pub(crate) fn cut(&mut self) {
        self.link = None;
        if let Some(session) = &mut self.session {
            session.gone = session.gone.min(Instant::now());
        }
    }

    /// Loses every link.
    pub(crate) fn lose(&mut self) {
        self.old = None;
        self.cut();
    }

    /// Closes, and the session ends. Where the server has yet to read, it is just cut.
    pub(crate) fn close(&mut self, book: &mut Book) {
        if let Some(mut link) = self.link.take() {
            let _ = link.end.close(Some(CloseCode::NORMAL)).now_or_never();
            self.old = None;
        }
        self.forget(book);
    }

    /// The session is no longer this client's.
    pub(crate) fn forget(&mut self, book: &mut Book) {
        if let Some(session) = self.session.take() {
            book.ledger.over(&session.peer);
            book.may_go(None, Some(&session.peer), ByeReason::Disconnected);
        }
    }

    pub(crate) fn stop(&mut self) {
        if let Some(link) = self.link.as_mut().filter(|link| link.open) {
            (link.reading, link.prompt) = (false, false);
        }
    }

    pub(crate) fn go_on(&mut self) {
        if let Some(link) = &mut self.link {
            (link.reading, link.blind) = (true, 0);
        }
    }

    /// Whether it can say something.
    pub(crate) fn is_open(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.open)
    }

    /// Sends a request, under an id.
    pub(crate) fn ask(&mut self, ask: Ask, mut request: Value) {
        let Some(session) = self.session.as_mut().filter(|_| self.link.is_some()) else { return };
        request["id"] = session.ask(ask).into();
        self.send(request.to_string(), false);
    }

    /// Says something to one peer, or to all.
    pub(crate) fn say(
        &mut self,
        room: &RoomName,
        kind: Kind,
        target: Option<&PeerId>,
        length: usize,
        book: &mut Book,
    ) {
        let Some(session) = &self.session else { return };
        let others = session.view.room(room.as_str()).into_iter().flat_map(|here| &here.others);
        let owed = others
            .filter(|(peer, _)| target.is_none_or(|target| target == *peer))
            .map(|(peer, other)| (peer.clone(), other.since));
        let (owed, from) = (owed.collect(), Some(session.peer.clone()));
        let number = book.ledger.say(from, room, kind, target.cloned(), owed);
        let to = target.map_or("*", PeerId::as_str);
        let text = number.to_string();
        let request = match kind {
            Kind::Offer => json!({"type": "offer", "room": room, "to": to, "sdp": text}),
            Kind::Answer => json!({"type": "answer", "room": room, "to": to, "sdp": text}),
            Kind::Ice => json!({"type": "ice", "room": room, "to": to, "candidate": {"n": text}}),
            Kind::Message => {
                let data = [text, "x".repeat(length)];
                json!({"type": "message", "room": room, "to": to, "data": data})
            }
        };
        self.ask(Ask::Say(number), request);
    }

    /// Says something the moment it is in a room, or somebody else is: others may not know yet.
    fn greet(&mut self, message: &ServerMessage, book: &mut Book) {
        if !self.greets {
            return;
        }
        match message {
            ServerMessage::Joined(joined) => {
                self.say(&joined.room, Kind::Message, None, 0, book);
                if let Some(other) = joined.peers.first() {
                    self.say(&joined.room, Kind::Offer, Some(&other.peer), 0, book);
                }
                book.saw("hello, everyone");
            }
            ServerMessage::Welcome(welcome) => {
                self.say(&welcome.room, Kind::Offer, Some(&welcome.peer), 0, book);
            }
            _ => {}
        }
    }

    /// Sends a counted frame.
    pub(crate) fn send(&mut self, text: String, garbage: bool) {
        if let Some(session) = &mut self.session {
            session.sent.push(Sent { text: text.clone(), garbage });
        }
        self.send_uncounted(text);
    }

    pub(crate) fn send_uncounted(&mut self, text: String) {
        if let Some(link) = &mut self.link {
            link.outbound.push_back(text);
        }
    }

    pub(crate) fn send_binary(&mut self) {
        if let Some(link) = &self.link {
            let _ = link.end.send_binary().now_or_never();
        }
    }

    pub(crate) fn ping(&mut self) {
        let received = self.session.as_ref().map(|session| session.received);
        self.send_uncounted(json!({"type": "ping", "received": received}).to_string());
        if let Some(link) = &mut self.link {
            link.pings += 1;
        }
    }

    /// Whoever has been away for so long may be taken for gone.
    pub(crate) fn look_at_the_clock(&self, book: &mut Book) {
        if let Some(session) = &self.session
            && Instant::now() >= session.alive + RESUME - MARGIN
        {
            book.may_go(None, Some(&session.peer), ByeReason::Disconnected);
        }
    }

    /// Sends and takes in what can be, without waiting. Returns whether there was anything.
    pub(crate) fn pump(&mut self, book: &mut Book) -> bool {
        let mut moved = false;
        if let Some(old) = &mut self.old {
            // Nothing more is taken from it; only how it ends matters.
            while let Some(frame) = old.recv_text().now_or_never() {
                moved = true;
                if frame.is_none() {
                    let code = old.close_code();
                    // Unless it was closing just then.
                    let closing = [1003, 1009, 4400, 4410].map(|c| Some(CloseCode::from_u16(c)));
                    let replaced = code == Some(CloseCode::REPLACED);
                    assert!(replaced || closing.contains(&code), "{code:?} for a newer link");
                    book.saw(format!("a newer link: {code:?}"));
                    self.old = None;
                    break;
                }
            }
        }
        let mut pace = PACE;
        while let Some(link) = &mut self.link {
            let may_send = pace > 0 && (link.reading || link.blind < BLIND);
            if let Some(text) = link.outbound.front().filter(|_| may_send)
                && let Some(sent) = link.end.send_text(text.clone()).now_or_never()
            {
                pace -= 1;
                link.blind += usize::from(!link.reading);
                link.outbound.pop_front();
                moved |= sent.is_ok();
                continue;
            }
            if !link.reading {
                break;
            }
            match link.end.recv_text().now_or_never() {
                None => {
                    if let Some(session) = self.session.as_mut().filter(|_| link.open) {
                        session.alive = Instant::now();
                    }
                    break;
                }
                Some(None) => {
                    self.ended(book);
                    return true;
                }
                Some(Some(text)) => {
                    moved = true;
                    let message = text.parse().expect("a message of the protocol");
                    self.told(message, book);
                }
            }
        }
        moved
    }

    fn told(&mut self, message: ServerMessage, book: &mut Book) {
        let Some(link) = &mut self.link else { return };
        match (message, &mut self.session) {
            (ServerMessage::Hello(hello), _) if !link.open => self.opened(hello, book),
            (ServerMessage::Pong(pong), Some(session)) if link.open => {
                link.pings = link.pings.checked_sub(1).expect("a pong to a ping");
                assert!(pong.received <= session.sent.len() as u64, "{pong:?}");
            }
            (message, Some(session)) if link.open => {
                session.told(&message, book);
                self.greet(&message, book);
            }
            (message, _) => panic!("not a hello: {message:?}"),
        }
    }

    fn opened(&mut self, hello: server::Hello, book: &mut Book) {
        let Some(link) = &mut self.link else { return };
        link.open = true;
        book.saw(format!("hello {:?}", hello.resumed));
        if hello.resumed == Resumed::New {
            if let Some(session) = &self.session {
                let early = Instant::now() < session.alive + RESUME - MARGIN;
                // Without a room nobody knows where it is, but the node at which it began.
                let homeless = session.roams && book.may_be_roomless(session);
                assert!(!early || homeless, "a session is gone before its window was");
                book.saw(if early { "homeless" } else { "a window that passed" });
                // The one it had may go on with it.
                self.old = None;
            }
            self.forget(book);
            let session = Session::new(&hello, self.node, book.troubled);
            book.ledger.open(&session.peer);
            self.session = Some(session);
            return;
        }
        let session = self.session.as_mut().expect("a session to resume");
        assert_eq!(session.peer, hello.peer);
        assert!(!link.late, "a session is there after its window has passed");
        session.alive = Instant::now();
        let lied = std::mem::take(&mut session.lying);
        if hello.resumed == Resumed::Partial {
            // Where its node fell silent, nobody else knew of the watch.
            session.lobby_unsure |= session.roams && book.faulty;
            return session.lost(hello.rooms.expect("its rooms"), book);
        }
        assert!(!lied, "full, for a count that cannot be");
        let taken = hello.received.expect("a count") as usize;
        link.outbound.extend(session.found(taken));
    }

    /// The server has closed, or the link is broken.
    fn ended(&mut self, book: &mut Book) {
        let Some(link) = self.link.take() else { return };
        let code = link.end.close_code();
        book.saw(match code {
            Some(code) => format!("close {}", code.as_u16()),
            None => "broken".into(),
        });
        let slow = code == Some(CloseCode::TOO_SLOW);
        assert!(!slow || !link.prompt || book.troubled, "I6: too slow, though it read");
        self.lose();
        if let Some(session) = &mut self.session {
            session.closed_over = code == Some(CloseCode::BAD_MESSAGES);
        }
    }
}

/// The resume window of every hub here.
pub(crate) const RESUME: Duration = Duration::from_secs(30);
