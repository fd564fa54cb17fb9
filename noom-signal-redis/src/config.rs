//! Where the cluster meets, and its limits.

use std::time::Duration;

use crate::ConnectError;

/// Where Redis is, and how a node behaves there.
///
/// All nodes of a cluster use the same prefix and the same times; another prefix is another
/// cluster. The defaults are safe.
///
/// ```
/// use std::time::Duration;
/// use noom_signal_redis::Config;
///
/// let config = Config::new("redis://:secret@redis.internal:6379/0").prefix("calls");
/// # let _ = config;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Config {
    pub(crate) url: String,
    pub(crate) prefix: String,
    pub(crate) lease: Duration,
    pub(crate) renew: Duration,
    pub(crate) settle: Duration,
    pub(crate) inbox_entries: usize,
    pub(crate) inbox_bytes: usize,
}

impl Config {
    /// The settings for the Redis at `url`:
    ///
    /// - `redis://[user:password@]host[:port][/database]`, one server;
    /// - `redis+sentinel://[user:password@]host:port,host:port/master[/database]`, the server that
    ///   these sentinels call the master of that name;
    /// - `redis+cluster://[user:password@]host:port,host:port`, a Redis Cluster;
    /// - each with `rediss` for `redis`: over TLS (feature `tls`).
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "noom".into(),
            lease: Duration::from_secs(10),
            renew: Duration::from_secs(3),
            settle: Duration::from_millis(1500),
            inbox_entries: 16_384,
            inbox_bytes: 32 << 20,
        }
    }

    /// What all keys and channels begin with; `noom` unless said otherwise. Clusters with different
    /// prefixes share a Redis without knowing of each other.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a node that does not show is taken to be alive; 10 s. Then its peers are lost.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How often a node shows; 3 s. At most a third of the lease, so that one that is late twice
    /// is alive still.
    pub fn renew(mut self, renew: Duration) -> Self {
        self.renew = renew;
        self
    }

    /// How long after a loss of what Redis knew all nodes are given to notice; 1.5 s. Each looks
    /// once a second. Nobody is told a roster before.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// How many entries may wait for a node in Redis, in each partition; 16,384. Over it, messages
    /// to the node are refused, and it fetches its rooms anew.
    pub fn inbox_entries(mut self, entries: usize) -> Self {
        self.inbox_entries = entries;
        self
    }

    /// How many bytes may wait for a node in Redis, in each partition; 32 MiB.
    pub fn inbox_bytes(mut self, bytes: usize) -> Self {
        self.inbox_bytes = bytes;
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConnectError> {
        let wrong = |what: &str| Err(ConnectError::Config(what.to_owned()));
        if self.prefix.is_empty() || self.prefix.contains(['{', '}']) {
            return wrong("the prefix is empty or has a brace in it");
        }
        if self.renew.is_zero() || self.renew * 3 > self.lease {
            return wrong("a lease is at least three times as long as the time between renewals");
        }
        if self.inbox_entries < 16 {
            return wrong("inbox_entries is at least 16");
        }
        if self.inbox_bytes < 4 << 20 {
            return wrong("inbox_bytes is at least 4 MiB: a letter may be over 1 MiB long");
        }
        Ok(())
    }
}

impl std::fmt::Debug for Config {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Config");
        shown.field("prefix", &self.prefix).field("lease", &self.lease).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let config = || Config::new("redis://localhost");
        assert!(config().check().is_ok());
        assert!(config().prefix("a{b").check().is_err());
        assert!(config().renew(Duration::from_secs(4)).check().is_err());
        assert!(config().inbox_entries(0).check().is_err());
        assert!(config().inbox_bytes(1 << 20).check().is_err());
        assert!(!format!("{:?}", Config::new("redis://:hush@x")).contains("hush"));
    }
}
