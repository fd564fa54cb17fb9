//! A hub that does nothing but write down what it is told.

use std::sync::{Arc, Mutex, Weak};

use noom_signal::{
    backplane::{Backplane, Entered, Entry, Events, JoinError, Letter, Message},
    protocol::{Frame, Json, PeerId, RoomName, Target},
    room::{Change, NodeId, Stamp},
};
use noom_signal_redis::{Config, Redis};
use tokio::{sync::watch, time::timeout};

use super::PATIENCE;

/// What a hub is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    Changed(Change),
    Message(Message),
    Letter(Letter),
    Gap,
    Fenced,
}

/// A node with a witness in the place of its hub.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) backplane: Arc<Redis>,
    pub(crate) witness: Arc<Witness>,
}

#[derive(Default)]
pub(crate) struct Witness {
    told: Mutex<Vec<Told>>,
    count: watch::Sender<usize>,
}

impl Node {
    pub(crate) async fn start(config: &Config) -> Self {
        let backplane = Arc::new(Redis::connect(config.clone()).await.unwrap());
        let witness = Arc::new(Witness::default());
        let weak: Weak<Witness> = Arc::downgrade(&witness);
        let id = backplane.attach(weak);
        Self { id, backplane, witness }
    }

    pub(crate) async fn join(&self, name: &str, who: &str, generation: u64) -> Entered {
        self.try_join(name, who, generation).await.unwrap()
    }

    pub(crate) async fn try_join(
        &self,
        name: &str,
        who: &str,
        generation: u64,
    ) -> Result<Entered, JoinError> {
        let entry = Entry {
            room: room(name),
            peer: peer(who),
            generation,
            user: Some("someone".parse().unwrap()),
            meta: Json::from_text(format!("{{\"name\": \"{who}\"}}")).unwrap(),
            capacity: 100_000,
            listed: false,
        };
        self.backplane.join(entry).await
    }
}

impl Witness {
    pub(crate) fn all(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        let changed = |told| if let Told::Changed(change) = told { Some(change) } else { None };
        self.all().into_iter().filter_map(changed).collect()
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        let message = |told| if let Told::Message(message) = told { Some(message) } else { None };
        self.all().into_iter().filter_map(message).collect()
    }

    /// The texts of the messages for one peer, or for all but some.
    pub(crate) fn heard_by(&self, who: &str) -> Vec<String> {
        let who = peer(who);
        let is_for = |message: &Message| match &message.to {
            Target::Peer(to) => *to == who,
            Target::Everyone => !message.except.contains(&who),
        };
        let messages = self.messages().into_iter().filter(is_for);
        messages.map(|message| message.frame.as_str().to_owned()).collect()
    }

    pub(crate) async fn until(&self, what: &str, done: impl Fn(&[Told]) -> bool) {
        let mut count = self.count.subscribe();
        let there = count.wait_for(|_| done(&self.told.lock().unwrap()));
        if timeout(PATIENCE, there).await.is_err() {
            panic!("{what} did not come; told was {:#?}", self.all());
        }
    }

    fn write(&self, told: Told) {
        self.told.lock().unwrap().push(told);
        self.count.send_modify(|count| *count += 1);
    }
}

impl Events for Witness {
    fn changed(&self, change: Change) {
        self.write(Told::Changed(change));
    }

    fn message(&self, message: Message) {
        self.write(Told::Message(message));
    }

    fn letter(&self, letter: Letter) {
        self.write(Told::Letter(letter));
    }

    fn gap(&self) {
        self.write(Told::Gap);
    }

    fn fenced(&self) {
        self.write(Told::Fenced);
    }
}

pub(crate) fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

pub(crate) fn peer(name: &str) -> PeerId {
    name.parse().unwrap()
}

pub(crate) fn message(name: &str, from: &str, to: Target, known: Stamp, text: &str) -> Message {
    let (room, from) = (room(name), peer(from));
    Message { room, from, to, known, except: Vec::new(), frame: Frame::from_text(text) }
}
