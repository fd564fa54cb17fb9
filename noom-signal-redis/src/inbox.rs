//! Reading what the other nodes left for this one.
//!
//! Each entry is in the node's stream, under a number one higher than the last, and is pushed as well.
//! Pushes are the fast way; the numbers show when one was lost, and then the stream is read. What
//! is not in the stream any more is a gap, and the hub is told of it.

use std::sync::Arc;

use noom_signal::{
    backplane::Events,
    room::{Change, ChangeKind},
};
use tokio::sync::mpsc;
use tracing::{info, trace, warn};

use crate::{
    entry::InboxEntry,
    generation::{Generation, Trouble},
    link::Push,
    node::Node,
    reply::read_stream,
    script,
    sent::{After, read_after},
    text::Text,
};

/// How many entries are read from the stream at once.
const READ_AT_ONCE: usize = 64;
/// After how much reading Redis is told, so that it can let go of it. A small inbox would be full
/// before that: there it is a quarter of it.
const TELL_AFTER_ENTRIES: u64 = 256;
const TELL_AFTER_BYTES: u64 = 1 << 20;

/// The one reader of all this node's inboxes: what is in an inbox reaches the hub in its order.
pub(crate) struct Reader {
    node: Arc<Node>,
    generation: Arc<Generation>,
    /// By partition, how much Redis has been told was read.
    told: Vec<(u64, u64)>,
}

impl Reader {
    pub(crate) fn new(node: Arc<Node>, generation: Arc<Generation>) -> Self {
        let positions = generation.partitions().map(|partition| node.position(partition));
        let told = positions.map(|position| (position.seq, position.bytes)).collect();
        Self { node, generation, told }
    }

    /// Reads until the generation is over.
    pub(crate) async fn run(mut self, mut pushes: mpsc::Receiver<Push>) -> Result<(), Trouble> {
        // Whatever came before the subscription was there.
        self.read_all_back().await?;
        loop {
            tokio::select! {
                biased;
                push = pushes.recv() => match push {
                    Some(push) => self.take_in(&push).await?,
                    None => return Err(Trouble::Over),
                },
                () = self.node.behind.notified() => self.read_all_back().await?,
            }
        }
    }

    async fn take_in(&mut self, push: &Push) -> Result<(), Trouble> {
        let named = |name: &String| *name == push.channel;
        let mut partitions = self.node.partitions.iter();
        let Some(partition) = partitions.position(|p| named(&p.channel) || named(&p.all)) else {
            return Ok(());
        };
        let epoch = &self.generation.epochs[partition];
        if named(&self.node.partitions[partition].all) {
            if push.payload != *epoch {
                self.generation.links.over.end("a new epoch was announced");
            }
            return Ok(());
        }
        let mut text = Text(&push.payload);
        let head = (|| Some((text.word()?, text.number()?, text.number()?)))();
        let Some((of, seq, bytes)) = head else { return Ok(()) };
        let last = self.node.position(partition).seq;
        if of != epoch || seq <= last {
            return Ok(());
        }
        if seq == last + 1 {
            return self.handle(partition, seq, bytes, text.rest()).await;
        }
        trace!(partition, seq, last, "a push was lost: reading the stream");
        self.read_back(partition, seq, None).await
    }

    async fn read_all_back(&mut self) -> Result<(), Trouble> {
        for partition in self.generation.partitions() {
            self.read_back(partition, 0, None).await?;
        }
        Ok(())
    }

    /// Reads the stream from where this node is, at least up to `seq`, at most up to `end`.
    async fn read_back(
        &mut self,
        partition: usize,
        seq: u64,
        end: Option<u64>,
    ) -> Result<(), Trouble> {
        let epoch = &self.generation.epochs[partition];
        let key = self.node.partitions[partition].inbox(epoch, &self.node.name);
        loop {
            let last = self.node.position(partition).seq;
            let mut range = redis::cmd("XRANGE");
            range.arg(&key).arg(format!("{}-0", last + 1));
            range.arg(end.map_or_else(|| "+".to_owned(), |end| format!("{end}-0")));
            range.arg("COUNT").arg(READ_AT_ONCE);
            let entries = self.generation.links.to(partition).run(&range).await;
            let Some(entries) = entries.ok().and_then(read_stream) else {
                self.generation.links.over.end("the inbox cannot be read");
                return Err(Trouble::Over);
            };
            if entries.is_empty() {
                if last < seq {
                    self.skip_to(partition, seq);
                }
                return Ok(());
            }
            for (seq, bytes, text) in entries {
                let next = self.node.position(partition).seq + 1;
                if seq > next {
                    self.skip_to(partition, seq - 1);
                } else if seq < next {
                    continue;
                }
                self.handle(partition, seq, bytes, &text).await?;
            }
        }
    }

    /// Reads other inboxes up to what an entry comes after.
    async fn read_first(&mut self, after: &str) -> Result<(), Trouble> {
        if after == "-" {
            return Ok(());
        }
        for After { partition, epoch, seq } in
            read_after(after, &self.node.name).unwrap_or_default()
        {
            let same = self.generation.epochs.get(partition).is_some_and(|own| *own == epoch);
            if same && self.node.position(partition).seq < seq {
                trace!(partition, seq, "reading another room's inbox first");
                // No further than that: what comes after may itself have to wait for this entry.
                // And it ends, for what those up to there come after is older still.
                Box::pin(self.read_back(partition, seq, Some(seq))).await?;
            }
        }
        Ok(())
    }

    /// The entries up to that one are gone.
    fn skip_to(&self, partition: usize, seq: u64) {
        warn!(partition, seq, "entries of the inbox are gone: all rooms are fetched anew");
        self.node.positions[partition].send_modify(|position| position.seq = seq);
        if let Some(events) = self.node.events() {
            events.gap();
        }
    }

    async fn handle(
        &mut self,
        partition: usize,
        seq: u64,
        bytes: u64,
        text: &str,
    ) -> Result<(), Trouble> {
        let entry = InboxEntry::read(text);
        let missing = matches!(entry, None | Some(InboxEntry::Gap));
        match entry {
            Some(InboxEntry::Gap) => {
                info!(partition, "the inbox was full: all rooms are fetched anew");
                // First the inbox takes entries again, then the rooms are fetched: what happens
                // between the two is in both, and not in neither.
                let mut call = self.generation.call(&script::ACKNOWLEDGE, partition);
                call.arg(seq).arg(bytes).arg(1);
                self.generation.ask(partition, &call).await?;
                self.told[partition] = (seq, bytes);
            }
            None => warn!(partition, seq, "an entry of the inbox that cannot be read"),
            Some(_) if self.node.events().is_none() => {}
            Some(InboxEntry::Changed(change)) => {
                self.note(&change);
                self.tell(|events| events.changed(change));
            }
            Some(InboxEntry::Message(message, after)) => {
                self.read_first(&after).await?;
                self.tell(|events| events.message(message));
            }
            Some(InboxEntry::Letter(letter, after)) => {
                self.read_first(&after).await?;
                if let Some(mut sent) = self.node.sent() {
                    sent.adopt(&after);
                }
                self.tell(|events| events.letter(letter));
            }
        }
        if missing {
            self.tell(|events| events.gap());
        }
        self.node.positions[partition].send_modify(|position| {
            (position.seq, position.bytes) = (seq, bytes);
        });
        let (told, told_bytes) = self.told[partition];
        let entries = TELL_AFTER_ENTRIES.min(self.node.config.inbox_entries as u64 / 4);
        if seq - told >= entries || bytes - told_bytes >= TELL_AFTER_BYTES {
            self.told[partition] = (seq, bytes);
            self.node.consumed.notify_one();
        }
        Ok(())
    }

    fn tell(&self, tell: impl FnOnce(&dyn Events)) {
        if let Some(events) = self.node.events() {
            tell(&*events);
        }
    }

    /// Other nodes may put this one's peers out, or move them here.
    fn note(&self, change: &Change) {
        let mut book = self.node.book();
        match &change.kind {
            ChangeKind::Left { peer, .. } => book.exit(&change.room, peer),
            ChangeKind::Moved { peer, node, .. } if *node == self.node.id => {
                book.enter(&change.room, peer);
            }
            ChangeKind::Moved { peer, .. } => book.exit(&change.room, peer),
            ChangeKind::Joined(_) | ChangeKind::Updated { .. } => {}
        }
    }
}

/// Tells Redis, after much reading, how far it went.
pub(crate) async fn acknowledge(node: &Node, generation: &Generation) -> Result<(), Trouble> {
    let mut told = vec![0; node.partitions.len()];
    loop {
        node.consumed.notified().await;
        for partition in generation.partitions() {
            let position = node.position(partition);
            if position.seq == told[partition] {
                continue;
            }
            told[partition] = position.seq;
            let mut call = generation.call(&script::ACKNOWLEDGE, partition);
            call.arg(position.seq).arg(position.bytes).arg(0);
            // Where it is not answered, the next renewal says so too.
            if generation.ask(partition, &call).await.err() == Some(Trouble::Over) {
                return Err(Trouble::Over);
            }
        }
    }
}
