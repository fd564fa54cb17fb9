//! What the parts of a node share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use noom_signal::{
    backplane::{Events, Unavailable},
    room::NodeId,
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, address::Address, book::Book, generation::Generation, partition::Partition, sent::Sent,
};

/// A node, through all its generations.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    /// The id as the scripts write it.
    pub(crate) name: Arc<str>,
    pub(crate) config: Config,
    pub(crate) address: Address,
    pub(crate) partitions: Arc<[Partition]>,
    /// How far each partition's inbox has been read.
    pub(crate) positions: Vec<watch::Sender<Position>>,
    /// A room's peers were brought back.
    pub(crate) asserted: Notify,
    /// Much was read since Redis was told how far.
    pub(crate) consumed: Notify,
    /// There is more in an inbox than was pushed.
    pub(crate) behind: Notify,
    /// Whether all nodes have brought back their peers, so that joins are answered.
    pub(crate) ready: watch::Sender<bool>,
    /// Ends it with a goodbye.
    pub(crate) stop: CancellationToken,
    /// Ends it without.
    pub(crate) kill: CancellationToken,
    events: OnceLock<Weak<dyn Events>>,
    current: RwLock<Option<Arc<Generation>>>,
    book: Mutex<Book>,
    sent: Mutex<Sent>,
    retry_after_ms: AtomicU64,
}

/// How far an inbox has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// The epoch it belongs to; empty where the node is not registered.
    pub(crate) epoch: String,
    /// The number of the last entry that was handled.
    pub(crate) seq: u64,
    /// The bytes of all entries up to that one.
    pub(crate) bytes: u64,
}

impl Node {
    pub(crate) fn new(id: NodeId, config: Config, address: Address) -> Self {
        let name: Arc<str> = id.to_string().into();
        let count = address.partitions();
        let partition = |number| Partition::new(&config.prefix, number, &name);
        Self {
            id,
            partitions: (0..count).map(partition).collect(),
            positions: (0..count).map(|_| watch::Sender::default()).collect(),
            asserted: Notify::new(),
            consumed: Notify::new(),
            behind: Notify::new(),
            ready: watch::Sender::new(false),
            stop: CancellationToken::new(),
            kill: CancellationToken::new(),
            events: OnceLock::new(),
            current: RwLock::default(),
            book: Mutex::default(),
            sent: Mutex::default(),
            retry_after_ms: AtomicU64::new(100),
            name,
            config,
            address,
        }
    }

    pub(crate) fn attach(&self, events: Weak<dyn Events>) {
        // A hub attaches once; were it to do so again, the first stays.
        let _ = self.events.set(events);
    }

    /// The hub, for as long as there is one. It may be its last handle, so hold no lock when it goes.
    pub(crate) fn events(&self) -> Option<Arc<dyn Events>> {
        self.events.get()?.upgrade()
    }

    /// The generation to ask, or when there may be one.
    pub(crate) fn current(&self) -> Result<Arc<Generation>, Unavailable> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let current = current.as_ref().filter(|generation| !generation.links.over.is_over());
        current.cloned().ok_or_else(|| self.unavailable())
    }

    pub(crate) fn set_current(&self, generation: Option<Arc<Generation>>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = generation;
    }

    pub(crate) fn unavailable(&self) -> Unavailable {
        Unavailable { retry_after_ms: self.retry_after_ms.load(Ordering::Relaxed) }
    }

    pub(crate) fn set_retry_after(&self, retry: Duration) {
        let retry = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
        self.retry_after_ms.store(retry, Ordering::Relaxed);
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was sent to other nodes, where they have more than one inbox; nothing orders those.
    pub(crate) fn sent(&self) -> Option<MutexGuard<'_, Sent>> {
        let several = self.partitions.len() > 1;
        several.then(|| self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a message to that node has to come after.
    pub(crate) fn write_after(&self, node: NodeId, partition: usize) -> String {
        self.sent().map_or_else(|| "-".into(), |sent| sent.write_after(node, partition))
    }

    /// What a letter to that node has to come after; and, as a peer may go on there that sent from
    /// here, what all that comes from there then has to come after.
    pub(crate) fn write_all_after(&self, node: NodeId, partition: usize) -> String {
        self.sent().map_or_else(|| "-".into(), |sent| sent.write_all_after(node, partition))
    }

    pub(crate) fn position(&self, partition: usize) -> Position {
        self.positions[partition].borrow().clone()
    }
}
