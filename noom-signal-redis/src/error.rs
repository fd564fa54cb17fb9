//! Why a node could not join its cluster.

use thiserror::Error;

/// Why [`Redis::connect`](crate::Redis::connect) gave up.
///
/// It is answered once, at start-up, where somebody is there to read it. Later on nothing gives up:
/// a node whose Redis is away tries again until it is back.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL names no place to connect to.
    #[error("redis url: {0}")]
    Url(String),
    /// A setting is out of its bounds.
    #[error("redis settings: {0}")]
    Config(String),
    /// Nobody answers there, or not as Redis does.
    #[error("redis at {address}: {reason}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What was tried, and what came of it.
        reason: String,
    },
    /// The server is too old.
    #[error("redis at {address} is version {found}, and {needed} is the oldest that will do")]
    Version {
        /// Host and port.
        address: String,
        /// The server's version.
        found: String,
        /// The oldest that will do.
        needed: &'static str,
    },
    /// The server may throw away rosters when it is short of memory.
    #[error("redis at {address} evicts keys: set maxmemory-policy to noeviction, not {policy}")]
    Eviction {
        /// Host and port.
        address: String,
        /// Its `maxmemory-policy`.
        policy: String,
    },
}
