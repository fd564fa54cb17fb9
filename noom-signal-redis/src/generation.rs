//! One life of the connection to Redis, from its registration to its first trouble.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use redis::{Cmd, ErrorKind, ServerErrorKind, ToRedisArgs};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    link::{Link, is_the_end},
    partition::Partition,
    reply::Reply,
    script::Script,
};

/// Connections to all servers of the store.
///
/// Whatever happens to one of them ends all: the supervisor then begins a new generation, which looks
/// at everything afresh. There is one way to recover, and it is taken often.
pub(crate) struct Links {
    servers: Vec<Link>,
    /// Which of them has which partition.
    of: Vec<usize>,
    partitions: Arc<[Partition]>,
    node: Arc<str>,
    sharded: bool,
    pub(crate) over: Over,
}

/// [`Links`] of a node that is registered.
pub(crate) struct Generation {
    pub(crate) links: Links,
    /// The epoch of each partition, 8 hexadecimal digits.
    pub(crate) epochs: Vec<String>,
    settled: Vec<AtomicBool>,
}

/// A request to a script.
pub(crate) struct Call {
    script: &'static Script,
    command: Cmd,
}

/// Why a script gave no answer to go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The generation is over; another one comes.
    Over,
    /// It may have happened, it may not.
    Unanswered,
    /// Redis will not or cannot do it.
    Refused,
}

/// That a generation is over, and why.
#[derive(Debug, Clone, Default)]
pub(crate) struct Over {
    token: CancellationToken,
    reason: Arc<OnceLock<&'static str>>,
}

impl Links {
    pub(crate) fn new(
        servers: Vec<Link>,
        of: Vec<usize>,
        partitions: Arc<[Partition]>,
        node: Arc<str>,
        sharded: bool,
        over: Over,
    ) -> Self {
        Self { servers, of, partitions, node, sharded, over }
    }

    pub(crate) fn servers(&self) -> &[Link] {
        &self.servers
    }

    /// Which of the servers has a partition.
    pub(crate) fn place(&self, partition: usize) -> usize {
        self.of[partition]
    }

    pub(crate) fn to(&self, partition: usize) -> &Link {
        &self.servers[self.of[partition]]
    }

    /// Begins a call. `keys` are those beside the epoch that Redis Cluster has to know of.
    pub(crate) fn call(
        &self,
        script: &'static Script,
        partition: usize,
        epoch: &str,
        keys: &[String],
    ) -> Call {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&script.digest).arg(keys.len() + 1).arg(&self.partitions[partition].epoch);
        let publish = if self.sharded { "SPUBLISH" } else { "PUBLISH" };
        command.arg(keys).arg(&*self.node).arg(epoch).arg(publish);
        Call { script, command }
    }

    /// Runs a script. At the end of the generation nobody waits any longer.
    pub(crate) async fn ask(&self, partition: usize, call: &Call) -> Result<Reply, Trouble> {
        let answer = tokio::select! {
            biased;
            answer = self.run(partition, call) => answer,
            () = self.over.wait() => return Err(Trouble::Over),
        };
        let script = call.script.name;
        let value = match answer {
            Ok(value) => value,
            Err(error) if is_the_end(&error) => {
                debug!(script, %error, "the connection is of no more use");
                self.over.end("a command found the connection of no more use");
                return Err(Trouble::Over);
            }
            Err(error) if error.is_timeout() => return Err(Trouble::Unanswered),
            Err(error) => {
                warn!(script, %error, "redis refused a script");
                return Err(Trouble::Refused);
            }
        };
        let Some(reply) = Reply::read(value) else {
            warn!(script, "redis answered what the script cannot have said");
            return Err(Trouble::Refused);
        };
        match reply.word.as_str() {
            "EPOCH" => self.over.end("redis may have lost what it knew"),
            // Registering is where a node learns what became of it.
            "FENCED" if script != "register" => {
                self.over.end("the cluster took this node for dead")
            }
            _ => return Ok(reply),
        }
        Err(Trouble::Over)
    }

    async fn run(&self, partition: usize, call: &Call) -> redis::RedisResult<redis::Value> {
        let link = self.to(partition);
        let answer = link.run(&call.command).await;
        let unknown = ErrorKind::Server(ServerErrorKind::NoScript);
        if !answer.as_ref().is_err_and(|error| error.kind() == unknown) {
            return answer;
        }
        link.run(redis::cmd("SCRIPT").arg("LOAD").arg(&call.script.source)).await?;
        link.run(&call.command).await
    }
}

impl Generation {
    pub(crate) fn new(links: Links, epochs: Vec<(String, bool)>) -> Self {
        let (epochs, settled): (Vec<_>, Vec<_>) = epochs.into_iter().unzip();
        Self { links, epochs, settled: settled.into_iter().map(AtomicBool::new).collect() }
    }

    /// Begins a call, in the epoch that this generation was registered in.
    pub(crate) fn call(&self, script: &'static Script, partition: usize) -> Call {
        self.links.call(script, partition, &self.epochs[partition], &[])
    }

    /// Begins a call about a room.
    pub(crate) fn call_of_room(
        &self,
        script: &'static Script,
        partition: usize,
        room: &str,
    ) -> Call {
        let epoch = &self.epochs[partition];
        let keys = self.links.partitions[partition].of_room(epoch, room);
        let mut call = self.links.call(script, partition, epoch, &keys);
        call.arg(room);
        call
    }

    pub(crate) async fn ask(&self, partition: usize, call: &Call) -> Result<Reply, Trouble> {
        self.links.ask(partition, call).await
    }

    /// Whether all nodes have brought back their peers, as far as is known here.
    pub(crate) fn is_settled(&self, partition: usize) -> bool {
        self.settled[partition].load(Ordering::Acquire)
    }

    pub(crate) fn is_settled_everywhere(&self) -> bool {
        self.settled.iter().all(|settled| settled.load(Ordering::Acquire))
    }

    pub(crate) fn settle(&self, partition: usize) {
        self.settled[partition].store(true, Ordering::Release);
    }

    pub(crate) fn partitions(&self) -> std::ops::Range<usize> {
        0..self.epochs.len()
    }
}

impl Call {
    pub(crate) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        self.command.arg(argument);
        self
    }
}

impl Over {
    /// The first reason stands.
    pub(crate) fn end(&self, reason: &'static str) {
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    pub(crate) async fn wait(&self) {
        self.token.cancelled().await;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.token.is_cancelled()
    }

    pub(crate) fn reason(&self) -> &'static str {
        self.reason.get().copied().unwrap_or("it goes on")
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation").field("epochs", &self.epochs).finish_non_exhaustive()
    }
}
