//! One service on many servers, which meet in Redis.

use std::{sync::Arc, time::Duration};

use clap::Args;
use noom_signal::{Hub, HubBuilder};
use noom_signal_redis::{Config, ConnectError, Redis};
use tokio::time::timeout;

use crate::options::Secret;

#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterFlags {
    /// The Redis where the servers of one service meet, like redis://:password@10.0.0.1:6379. Other
    /// users of this machine can read a command line: prefer the environment.
    #[arg(long, env = "NOOM_REDIS", value_name = "URL", hide_env_values = true)]
    redis: Option<Secret>,

    /// What the names of all keys in Redis begin with. Another prefix is another service.
    #[arg(long, env = "NOOM_REDIS_PREFIX", default_value = "noom", value_name = "PREFIX")]
    redis_prefix: String,

    /// How long a stop waits after its drain, in milliseconds, until the other servers have taken the
    /// clients over. It never waits longer than --resume-ms, or where there is no other.
    #[arg(long, env = "NOOM_HANDOVER_MS", default_value_t = 10_000, value_name = "MS")]
    handover_ms: u64,
}

impl ClusterFlags {
    /// Joins the cluster, if there is to be one.
    pub(crate) async fn join(&self) -> Result<Cluster, ConnectError> {
        let handover = Duration::from_millis(self.handover_ms);
        let Some(Secret(url)) = &self.redis else { return Ok(Cluster { redis: None, handover }) };
        let config = Config::new(url).prefix(&self.redis_prefix);
        let redis = Some(Arc::new(Redis::connect(config).await?));
        Ok(Cluster { redis, handover })
    }
}

/// This server's place in the cluster, if there is one.
pub(crate) struct Cluster {
    redis: Option<Arc<Redis>>,
    handover: Duration,
}

impl Cluster {
    pub(crate) fn build(&self, hub: HubBuilder) -> HubBuilder {
        match &self.redis {
            Some(redis) => hub.backplane(redis.clone()),
            None => hub,
        }
    }

    /// Where the others are met, for the line that says that the server is up.
    pub(crate) fn address(&self) -> Option<String> {
        self.redis.as_ref().map(|redis| redis.address())
    }

    /// Sends the clients away, and waits until the other servers have them.
    pub(crate) async fn drain(&self, hub: &Hub, spread: Duration) {
        hub.drain(spread).await;
        let _ = timeout(self.handover, hub.emptied()).await;
    }

    /// The last of this server.
    pub(crate) async fn leave(&self, hub: Hub) {
        let Some(redis) = &self.redis else { return };
        match hub.stats().peers {
            0 => redis.close().await,
            sessions => {
                tracing::warn!(sessions, "not all were taken over; others may be for some seconds");
                // A goodbye would put them out of their rooms now. Without one the cluster keeps their
                // places until this server's lease ends, for whoever comes back.
                std::mem::forget(hub);
            }
        }
    }
}
