//! A peer that talks for as long as it is to, and stays or comes and goes.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use noom_signal::protocol::{ErrorCode, Json, PeerId, RoomName, Target};
use noom_signal_client::{Client, ClientLimits, RequestError};
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{MissedTickBehavior, sleep_until},
};

use super::{
    account::{Account, Said},
    door::Door,
    node::Node,
};

/// What the peers of a scene are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Phase {
    Talk,
    /// Those that come and go, go; nobody says anything new.
    Quiet,
    /// Each says one last thing to all.
    LastWord,
}

pub(crate) struct Talker {
    /// The node it began at, among the scene's.
    pub(crate) node: usize,
    /// Whether it came after the fault.
    pub(crate) is_new: bool,
    door: Option<Door>,
    account: Arc<Mutex<Account>>,
    task: AbortHandle,
}

/// Where to, and how often it says something.
pub(crate) struct Manner {
    pub(crate) room: RoomName,
    pub(crate) churning: bool,
    pub(crate) pace: Duration,
}

/// How many requests are open at a time.
const WINDOW: usize = 8;

impl Talker {
    pub(crate) fn start(
        node: usize,
        port: u16,
        door: Option<Door>,
        manner: Manner,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let port = door.as_ref().map_or(port, |door| door.port);
        let account = Arc::new(Mutex::new(Account::new(manner.room.clone(), manner.churning)));
        let task = tokio::spawn(run(port, manner, account.clone(), phase)).abort_handle();
        Self { node, is_new: false, door, account, task }
    }

    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap()
    }

    /// Who it is now.
    pub(crate) fn id(&self) -> PeerId {
        self.account().id().cloned().unwrap()
    }

    /// Breaks its connection, and leads it to another node from now on.
    pub(crate) fn lead_to(&self, node: &Node) {
        self.door.as_ref().expect("a door").lead_to(Some(node.port));
    }

    /// Leads its next connection to another node.
    pub(crate) fn lead_next_to(&self, node: &Node) {
        self.door.as_ref().expect("a door").lead_next_to(node.port);
    }

    /// Ends it without a word: its client is gone for good.
    pub(crate) fn vanish(&self) {
        if let Some(door) = &self.door {
            door.lead_to(None);
        }
        self.task.abort();
        let mut account = self.account();
        account.away = true;
        account.open = 0;
        account.stay().ended = true;
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

enum Asked {
    /// By stay and place in it.
    Said(usize, usize, bool),
    Join(Instant),
    Leave,
}

struct Run {
    client: Client,
    account: Arc<Mutex<Account>>,
    open: FuturesUnordered<BoxFuture<'static, (Asked, Result<(), RequestError>)>>,
    churning: bool,
    wants_in: bool,
    entering: bool,
    last_word: bool,
    /// When a refused join or last word may be tried again.
    not_before: Instant,
    said: u64,
    random: u64,
}

async fn run(
    port: u16,
    manner: Manner,
    account: Arc<Mutex<Account>>,
    mut phases: watch::Receiver<Phase>,
) {
    let mut limits = ClientLimits::default();
    limits.connect = Duration::from_secs(4);
    limits.pong = Duration::from_secs(1);
    limits.backoff = Duration::from_millis(50);
    limits.backoff_cap = Duration::from_millis(500);
    let builder = Client::builder(&format!("ws://127.0.0.1:{port}/signal")).unwrap();
    let (client, mut events) = builder.limits(limits).connect().await.expect("a first hello");
    let mut random = client.peer().as_str().bytes().fold(7, |r, b| r * 31 % 65_521 + u64::from(b));
    account.lock().unwrap().begin(client.peer());
    // At different moments.
    let first = tokio::time::Instant::now() + manner.pace.mul_f64((random % 100) as f64 / 100.0);
    let mut tick = tokio::time::interval_at(first, manner.pace);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    random += u64::from(port);
    let mut run = Run {
        client,
        account,
        open: FuturesUnordered::new(),
        churning: manner.churning,
        wants_in: true,
        entering: false,
        last_word: false,
        not_before: Instant::now(),
        said: 0,
        random,
    };
    loop {
        tokio::select! {
            biased;
            event = events.next() => {
                let event = event.expect("the client goes on");
                run.account.lock().unwrap().take(event);
            }
            Some((asked, answer)) = run.open.next() => run.answered(asked, answer),
            _ = phases.changed() => {}
            () = sleep_until(run.not_before.into()), if run.is_to_enter() => {
                run.enter_or_leave();
            }
            _ = tick.tick() => run.act(*phases.borrow()),
        }
        run.account.lock().unwrap().open = run.open.len();
    }
}

impl Run {
    fn act(&mut self, phase: Phase) {
        let (in_room, alone) = {
            let account = self.account.lock().unwrap();
            (account.in_room, account.members.is_empty())
        };
        if self.churning && !self.entering && in_room == self.wants_in {
            self.wants_in = phase == Phase::Talk && (!in_room || !self.chance(25));
        }
        if !in_room || !self.wants_in {
            return;
        }
        if phase == Phase::Talk && !alone && self.open.len() < WINDOW {
            self.say(false);
        } else if phase == Phase::LastWord && !self.last_word && self.not_before <= Instant::now() {
            self.last_word = true;
            self.say(true);
        }
    }

    fn is_to_enter(&self) -> bool {
        !self.entering && self.account.lock().unwrap().in_room != self.wants_in
    }

    fn enter_or_leave(&mut self) {
        self.entering = true;
        let (asked, room) = (Instant::now(), self.account.lock().unwrap().room.clone());
        self.open.push(if self.wants_in {
            let join = self.client.join(&room, None, None);
            join.map(move |joined| (Asked::Join(asked), joined.map(drop))).boxed()
        } else {
            let leave = self.client.leave(&room);
            leave.map(|left| (Asked::Leave, left.map(drop))).boxed()
        });
    }

    fn say(&mut self, last: bool) {
        self.said += 1;
        let all = last || self.chance(30);
        let pick = self.next();
        let mut account = self.account.lock().unwrap();
        let members: Vec<_> = account.members.keys().cloned().collect();
        let to = (!all).then(|| members[pick as usize % members.len()].clone());
        let target = to.clone().map_or(Target::Everyone, Target::Peer);
        let (room, stay) = (account.room.clone(), account.stays.len() - 1);
        let owed = match &to {
            Some(to) => BTreeSet::from([to.clone()]),
            None => members.into_iter().collect(),
        };
        let said = &mut account.stay().said;
        let place = said.len();
        said.push(Said { n: self.said, to, owed, at: Instant::now(), answer: None });
        let reply = self.client.send(&room, target, Json::of(&self.said).unwrap());
        self.open.push(reply.map(move |answer| (Asked::Said(stay, place, last), answer)).boxed());
    }

    fn answered(&mut self, asked: Asked, answer: Result<(), RequestError>) {
        let mut account = self.account.lock().unwrap();
        let now = Instant::now();
        if let Err(error) = &answer {
            let pause = error.retry_after().unwrap_or(Duration::from_millis(50));
            self.not_before = now + pause.min(Duration::from_secs(1));
        }
        match asked {
            Asked::Said(stay, place, last) => {
                let said = &mut account.stays[stay].said[place];
                said.answer = Some((now, answer.clone()));
                let n = said.n;
                if last {
                    self.last_word = answer.is_ok();
                    account.last_word = answer.is_ok().then_some(n);
                }
            }
            Asked::Join(asked) => {
                self.entering = false;
                let fine = match &answer {
                    Ok(()) | Err(RequestError::Lost) => true,
                    Err(error) => {
                        let code = error.code();
                        code == Some(ErrorCode::Unavailable)
                            || code == Some(ErrorCode::AlreadyJoined)
                    }
                };
                if !fine {
                    account.violate(format!("joins, and gets {answer:?}"));
                }
                account.joins.push((asked, (now, answer)));
            }
            Asked::Leave => {
                self.entering = false;
                if let Err(error) = answer
                    && error != RequestError::Lost
                    && !matches!(error.code(), Some(ErrorCode::Unavailable | ErrorCode::NotInRoom))
                {
                    account.violate(format!("leaves, and gets {error}"));
                }
            }
        }
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// Reproducible enough: what matters is that peers differ.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 3
    }
}
