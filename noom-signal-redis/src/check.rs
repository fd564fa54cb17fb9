//! Whether a server will do, seen before anybody relies on it.

use tracing::warn;

use crate::{ConnectError, address::unreachable_at, generation::Links};

/// Trimming a stream by its ids came with 6.2; sharded channels, for clusters, with 7.0.
const OLDEST: (u32, u32, &str) = (6, 2, "6.2");
const OLDEST_IN_CLUSTER: (u32, u32, &str) = (7, 0, "7.0");

pub(crate) async fn check(links: &Links, address: &str, cluster: bool) -> Result<(), ConnectError> {
    for link in links.servers() {
        let info = link.info("server").await.map_err(|error| unreachable_at(address, &error))?;
        let found = info.field("redis_version").unwrap_or("unknown");
        let mut parts = found.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        let (major, minor, needed) = if cluster { OLDEST_IN_CLUSTER } else { OLDEST };
        if version < (major, minor) {
            let (address, found) = (address.to_owned(), found.to_owned());
            return Err(ConnectError::Version { address, found, needed });
        }
        let info = link.info("memory").await.map_err(|error| unreachable_at(address, &error))?;
        let policy = info.field("maxmemory_policy").unwrap_or("unknown").to_owned();
        let bounded = info.field("maxmemory").is_some_and(|bytes| bytes != "0");
        if bounded && policy.starts_with("allkeys") {
            return Err(ConnectError::Eviction { address: address.to_owned(), policy });
        }
        if policy != "noeviction" {
            // Without a bound nothing is evicted; by volatile-* nothing but the marks of peers that
            // moved within the last minute.
            warn!(address, policy, "maxmemory-policy should be noeviction");
        }
    }
    Ok(())
}
