//! One connection to one server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, ProtocolVersion, PushInfo,
    PushKind, RedisError, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection,
    io::tcp::TcpSettings,
};
use tokio::{sync::mpsc, time::timeout};
use tracing::debug;

use crate::{generation::Over, reply::text};

/// How long a server may take to let a connection in.
const CONNECT: Duration = Duration::from_secs(1);
/// How long a command may take. One that takes longer may still happen.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a server may be silent while it is asked whether it is there.
const SILENCE: Duration = Duration::from_millis(500);

/// Commands and pushes of one server. It never reconnects: when it ends, so does its generation.
#[derive(Clone)]
pub(crate) struct Link {
    connection: MultiplexedConnection,
    heard: Heard,
}

/// What was published on one of our channels.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) channel: String,
    pub(crate) payload: String,
}

/// When the server last gave a sign of life.
#[derive(Debug, Clone)]
struct Heard {
    start: Instant,
    at_ms: Arc<AtomicU64>,
}

impl Link {
    /// Connects. What is pushed goes to `pushes`; the end of the connection, and a push that does
    /// not fit, end `over`.
    pub(crate) async fn open(
        info: &ConnectionInfo,
        pushes: mpsc::Sender<Push>,
        over: Over,
    ) -> RedisResult<Self> {
        let heard = Heard { start: Instant::now(), at_ms: Arc::default() };
        let sink = Sink { pushes, over, heard: heard.clone() };
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info
            .clone()
            .set_tcp_settings(TcpSettings::default().set_nodelay(true))
            .set_redis_settings(settings);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER))
            .set_push_sender(move |info| sink.push(info));
        let client = Client::open(info)?;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        // The library's own limit covers the handshake of TCP alone.
        let connection = timeout(ANSWER, connecting).await;
        let connection = connection.map_err(|_| timed_out("no answer to the greeting"))??;
        Ok(Self { connection, heard })
    }

    pub(crate) async fn run(&self, command: &Cmd) -> RedisResult<Value> {
        let answer = self.connection.clone().send_packed_command(command).await;
        if answer.is_ok() {
            self.heard.now();
        }
        answer.and_then(Value::extract_error)
    }

    pub(crate) async fn subscribe(&self, command: &str, channel: &str) -> RedisResult<()> {
        self.run(redis::cmd(command).arg(channel)).await.map(|_| ())
    }

    /// `INFO` of one section, or a field of it.
    pub(crate) async fn info(&self, section: &str) -> RedisResult<Info> {
        let value = self.run(redis::cmd("INFO").arg(section)).await?;
        Ok(Info(text(value).unwrap_or_default()))
    }

    /// Whether the server still answers. A server that is busy with many requests answers those:
    /// any answer counts.
    pub(crate) async fn is_alive(&self) -> bool {
        let ping = redis::cmd("PING");
        let ping = self.run(&ping);
        tokio::pin!(ping);
        loop {
            match timeout(SILENCE, &mut ping).await {
                Ok(answer) => return answer.is_ok_and(|_| true),
                Err(_) if self.heard.since() < SILENCE => {}
                Err(_) => return false,
            }
        }
    }
}

/// Where a connection puts what it is pushed. It must not wait: the connection would.
struct Sink {
    pushes: mpsc::Sender<Push>,
    over: Over,
    heard: Heard,
}

impl Sink {
    fn push(&self, info: PushInfo) -> Result<(), ()> {
        self.heard.now();
        match info.kind {
            PushKind::Message | PushKind::SMessage => {
                let [channel, payload]: [Value; 2] = info.data.try_into().map_err(|_| ())?;
                let read = text(channel).zip(text(payload));
                let Some((channel, payload)) = read else {
                    debug!("a push that is no text");
                    return Ok(());
                };
                let pushed = self.pushes.try_send(Push { channel, payload });
                // Nothing is lost: the inbox holds it, and the next generation reads it there.
                pushed.map_err(|_| self.over.end("more is pushed than can be taken in"))
            }
            PushKind::Disconnection => {
                self.over.end("the connection broke");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Sink {
    /// The connection lets go of it when it ends, however it ends.
    fn drop(&mut self) {
        self.over.end("the connection ended");
    }
}

impl Heard {
    fn now(&self) {
        let at = self.start.elapsed().as_millis();
        self.at_ms.store(u64::try_from(at).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn since(&self) -> Duration {
        let at = Duration::from_millis(self.at_ms.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(at)
    }
}

/// What a server says about itself.
#[derive(Debug)]
pub(crate) struct Info(String);

impl Info {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let of = |line: &'_ str| line.strip_prefix(name)?.strip_prefix(':').map(str::len);
        let line = self.0.lines().find(|line| of(line).is_some())?;
        Some(line[name.len() + 1..].trim())
    }
}

/// Whether the connection is of no more use after this: it is broken, or leads to a server that is
/// not, or not any more, the one to ask.
pub(crate) fn is_the_end(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly};
    match error.kind() {
        ErrorKind::Server(BusyLoading | ClusterDown | MasterDown | Moved | ReadOnly) => true,
        // Redis 6 wraps what a script ran into.
        ErrorKind::Server(_) => error.detail().is_some_and(|text| text.contains("READONLY")),
        _ => error.is_unrecoverable_error() || error.is_connection_dropped(),
    }
}

pub(crate) fn timed_out(what: &'static str) -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, what).into()
}
