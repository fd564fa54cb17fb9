//! Which servers to talk to.

use std::sync::Arc;

use redis::{ConnectionAddr, ConnectionInfo, RedisResult, Value};
use tokio::sync::mpsc;

use crate::{
    ConnectError,
    generation::{Links, Over},
    link::{Link, Push},
    partition::{IN_CLUSTER, Partition},
    reply::text,
};

/// Where the store is to be found.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    /// At one server.
    Single(Box<ConnectionInfo>),
    /// At the one that the sentinels call the master of that name.
    Sentinel { sentinels: Vec<ConnectionInfo>, master: String },
    /// On the masters of a Redis Cluster, of which these are some servers.
    Cluster(Vec<ConnectionInfo>),
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, ConnectError> {
        let wrong = |what: &str| ConnectError::Url(what.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("there is no scheme"))?;
        let (secure, kind) = match scheme.split_once('+') {
            Some((secure, kind @ ("sentinel" | "cluster"))) => (secure, kind),
            None => (scheme, ""),
            Some(_) => return Err(wrong("the scheme is none of those known")),
        };
        if secure == "rediss" && !cfg!(feature = "tls") {
            return Err(wrong("rediss needs noom-signal-redis's feature tls"));
        }
        let (login, rest) = rest.rsplit_once('@').map_or(("", rest), |(login, rest)| (login, rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let at = if login.is_empty() { "" } else { "@" };
        let info = |host: &str, port: u16, database: &str| {
            let port = if host.rsplit(']').next().is_some_and(|end| end.contains(':')) {
                String::new()
            } else {
                format!(":{port}")
            };
            let url = format!("{secure}://{login}{at}{host}{port}/{database}");
            url.parse::<ConnectionInfo>().map_err(|error| wrong(&error.to_string()))
        };
        match kind {
            "sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(wrong("the master's name is missing: redis+sentinel://host/name"));
                }
                let sentinels = hosts.split(',').map(|host| info(host, 26379, database));
                let (sentinels, master) = (sentinels.collect::<Result<_, _>>()?, master.to_owned());
                Ok(Self::Sentinel { sentinels, master })
            }
            "cluster" => {
                let servers = hosts.split(',').map(|host| info(host, 6379, ""));
                Ok(Self::Cluster(servers.collect::<Result<_, _>>()?))
            }
            _ => Ok(Self::Single(Box::new(info(hosts, 6379, path)?))),
        }
    }

    pub(crate) fn partitions(&self) -> usize {
        if self.is_cluster() { IN_CLUSTER } else { 1 }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// Connects to every server that has one of the partitions.
    pub(crate) async fn connect(
        &self,
        partitions: &Arc<[Partition]>,
        node: &Arc<str>,
        pushes: &mpsc::Sender<Push>,
    ) -> Result<Links, ConnectError> {
        let over = Over::default();
        let places = match self {
            Self::Single(info) => vec![(**info).clone(); partitions.len()],
            Self::Sentinel { sentinels, master } => {
                vec![ask_sentinels(sentinels, master).await?; partitions.len()]
            }
            Self::Cluster(servers) => ask_cluster(servers, partitions.len()).await?,
        };
        let mut names: Vec<String> = Vec::new();
        let (mut links, mut of) = (Vec::new(), Vec::new());
        for info in places {
            let name = info.addr().to_string();
            if let Some(known) = names.iter().position(|known| *known == name) {
                of.push(known);
                continue;
            }
            let link = Link::open(&info, pushes.clone(), over.clone()).await;
            links.push(link.map_err(|error| unreachable_at(&name, &error))?);
            of.push(names.len());
            names.push(name);
        }
        let sharded = self.is_cluster();
        let links = Links::new(links, of, partitions.clone(), node.clone(), sharded, over);
        let command = if sharded { "SSUBSCRIBE" } else { "SUBSCRIBE" };
        for (number, partition) in partitions.iter().enumerate() {
            for channel in [&partition.channel, &partition.all] {
                let subscribed = links.to(number).subscribe(command, channel).await;
                subscribed.map_err(|error| unreachable_at(&names[links.place(number)], &error))?;
            }
        }
        Ok(links)
    }

    /// For whoever reads an error: hosts and ports, no password.
    pub(crate) fn name(&self) -> String {
        let all = |infos: &[ConnectionInfo]| {
            let names: Vec<String> = infos.iter().map(|info| info.addr().to_string()).collect();
            names.join(", ")
        };
        match self {
            Self::Single(info) => info.addr().to_string(),
            Self::Sentinel { sentinels, master } => format!("{master} of {}", all(sentinels)),
            Self::Cluster(servers) => all(servers),
        }
    }
}

/// The master, as the first sentinel that answers has it.
async fn ask_sentinels(
    sentinels: &[ConnectionInfo],
    master: &str,
) -> Result<ConnectionInfo, ConnectError> {
    let mut tried = Vec::new();
    for sentinel in sentinels {
        // The login and the database are the master's; sentinels have none.
        let plain = redis::RedisConnectionInfo::default();
        let asked = sentinel.clone().set_redis_settings(plain);
        match ask_once(&asked, redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(master))
            .await
        {
            Ok(Value::Array(place)) => {
                let mut place = place.into_iter().filter_map(text);
                if let Some((host, port)) = place.next().zip(place.next())
                    && let Ok(port) = port.parse()
                {
                    return Ok(at(sentinel, host, port));
                }
            }
            Ok(_) => tried.push(format!("{} knows no master {master}", asked.addr())),
            Err(error) => tried.push(format!("{}: {error}", asked.addr())),
        }
    }
    Err(ConnectError::Unreachable { address: master.to_owned(), reason: tried.join("; ") })
}

/// The master of each partition, as the first server that answers has it.
async fn ask_cluster(
    servers: &[ConnectionInfo],
    partitions: usize,
) -> Result<Vec<ConnectionInfo>, ConnectError> {
    let mut tried = Vec::new();
    for server in servers {
        match ask_once(server, redis::cmd("CLUSTER").arg("SLOTS")).await {
            Ok(value) => match read_slots(server, value, partitions) {
                Some(places) => return Ok(places),
                None => tried.push(format!("{}: not all slots have a master", server.addr())),
            },
            Err(error) => tried.push(format!("{}: {error}", server.addr())),
        }
    }
    Err(ConnectError::Unreachable { address: "the cluster".into(), reason: tried.join("; ") })
}

fn read_slots(
    server: &ConnectionInfo,
    value: Value,
    partitions: usize,
) -> Option<Vec<ConnectionInfo>> {
    let Value::Array(ranges) = value else { return None };
    let mut places = vec![None; partitions];
    for range in ranges {
        let Value::Array(range) = range else { return None };
        let mut range = range.into_iter();
        let first: u16 = text(range.next()?)?.parse().ok()?;
        let last: u16 = text(range.next()?)?.parse().ok()?;
        let Value::Array(master) = range.next()? else { return None };
        let mut master = master.into_iter();
        // A server that does not know its own name means: where you asked.
        let host = text(master.next()?).filter(|host| !host.is_empty() && host != "?");
        let port = text(master.next()?)?.parse().ok()?;
        let own = match server.addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
            _ => return None,
        };
        let place = at(server, host.unwrap_or(own), port);
        for (number, slot) in places.iter_mut().enumerate() {
            if (first..=last).contains(&Partition::slot(number)) {
                *slot = Some(place.clone());
            }
        }
    }
    places.into_iter().collect()
}

/// Another server, reached in the same way.
fn at(like: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let addr = match like.addr().clone() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port, insecure, tls_params }
        }
        _ => ConnectionAddr::Tcp(host, port),
    };
    like.clone().set_addr(addr)
}

async fn ask_once(info: &ConnectionInfo, command: &redis::Cmd) -> RedisResult<Value> {
    let (pushes, _) = mpsc::channel(1);
    Link::open(info, pushes, Over::default()).await?.run(command).await
}

pub(crate) fn unreachable_at(address: &str, error: &redis::RedisError) -> ConnectError {
    let reason = match error.kind() {
        redis::ErrorKind::RESP3NotSupported => "it is older than Redis 6".to_owned(),
        _ => error.to_string(),
    };
    ConnectError::Unreachable { address: address.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let single = Address::parse("redis://:pw@example:7000/3").unwrap();
        assert_eq!((single.name().as_str(), single.partitions()), ("example:7000", 1));
        let Address::Single(info) = single else { panic!() };
        assert_eq!(info.redis_settings().db(), 3);
        assert_eq!(Address::parse("redis://localhost").unwrap().name(), "localhost:6379");
        let many = Address::parse("redis+sentinel://a:1,b/main/2").unwrap();
        assert_eq!(many.name(), "main of a:1, b:26379");
        let cluster = Address::parse("redis+cluster://u:p@a:7001,b:7002").unwrap();
        assert_eq!((cluster.name().as_str(), cluster.partitions()), ("a:7001, b:7002", 16));
        for bad in ["localhost", "http://x", "redis+odd://x", "redis+sentinel://x"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Address::parse("rediss://x").is_ok(), cfg!(feature = "tls"));
    }
}
