//! A Redis Cluster of the test's own: three masters, each with a replica.

use std::time::Duration;

use redis::Value;

use super::{Server, free_port};

pub(crate) struct Cluster {
    /// The masters, then their replicas in the same order.
    pub(crate) servers: Vec<Server>,
    ids: Vec<String>,
}

pub(crate) const MASTERS: usize = 3;
const SLOTS: usize = 16_384;

impl Cluster {
    pub(crate) async fn start() -> Self {
        let mut servers = Vec::new();
        let mut bus = Vec::new();
        for n in 0..2 * MASTERS {
            let bus_port = free_port().to_string();
            let file = format!("noom-cluster-{}-{bus_port}-{n}.conf", std::process::id());
            let settings = ["--cluster-enabled", "yes", "--cluster-port", &bus_port];
            let mut settings = settings.to_vec();
            settings.extend(["--cluster-config-file", &file, "--cluster-node-timeout", "1500"]);
            settings.extend(["--repl-diskless-sync-delay", "0"]);
            let mut server = Server::start_with(&settings).await;
            server.files.push(std::env::temp_dir().join(&file));
            servers.push(server);
            bus.push(bus_port);
        }
        let mut ids = Vec::new();
        for server in &servers {
            ids.push(text(server.run(&["CLUSTER", "MYID"]).await));
        }
        for (n, server) in servers.iter().enumerate().take(MASTERS) {
            let (first, last) = (n * SLOTS / MASTERS, (n + 1) * SLOTS / MASTERS - 1);
            let (first, last) = (first.to_string(), last.to_string());
            server.run(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await;
            let epoch = (n + 1).to_string();
            server.run(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
        }
        for (server, bus) in servers.iter().zip(&bus).skip(1) {
            let port = server.port.to_string();
            servers[0].run(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]).await;
        }
        let cluster = Self { servers, ids };
        cluster
            .until("everybody knows everybody", async |info| {
                field(info, "cluster_known_nodes") == "6"
            })
            .await;
        for n in 0..MASTERS {
            let replica = &cluster.servers[MASTERS + n];
            // It may not have heard yet that this one is a master.
            while replica.try_run(&["CLUSTER", "REPLICATE", &cluster.ids[n]]).await.is_err() {
                pause().await;
            }
        }
        cluster
            .until("all slots are served", async |info| field(info, "cluster_state") == "ok")
            .await;
        for replica in &cluster.servers[MASTERS..] {
            while !text(replica.run(&["INFO", "replication"]).await).contains("link_status:up") {
                pause().await;
            }
        }
        cluster
    }

    pub(crate) fn url(&self) -> String {
        let places: Vec<String> =
            self.servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
        format!("redis+cluster://{}", places.join(","))
    }

    /// The master, among the first three, that has a slot at the start.
    pub(crate) fn master_of(slot: usize) -> usize {
        (0..MASTERS).find(|n| slot < (n + 1) * SLOTS / MASTERS).unwrap()
    }

    /// Moves a slot with all its keys to another master.
    pub(crate) async fn migrate(&self, slot: usize, to: usize) {
        let from = Self::master_of(slot);
        let (source, target) = (&self.servers[from], &self.servers[to]);
        let (number, port) = (slot.to_string(), target.port.to_string());
        target.run(&["CLUSTER", "SETSLOT", &number, "IMPORTING", &self.ids[from]]).await;
        source.run(&["CLUSTER", "SETSLOT", &number, "MIGRATING", &self.ids[to]]).await;
        loop {
            let keys = source.run(&["CLUSTER", "GETKEYSINSLOT", &number, "10"]).await;
            let Value::Array(keys) = keys else { panic!() };
            if keys.is_empty() {
                break;
            }
            for key in keys {
                let key = text(key);
                let moved = ["MIGRATE", "127.0.0.1", &port, &key, "0", "1000", "REPLACE"];
                source.run(&moved).await;
            }
        }
        for server in [target, source] {
            server.run(&["CLUSTER", "SETSLOT", &number, "NODE", &self.ids[to]]).await;
        }
    }

    async fn until(&self, what: &str, done: impl AsyncFn(&str) -> bool) {
        let begun = std::time::Instant::now();
        for server in &self.servers {
            while !done(&text(server.run(&["CLUSTER", "INFO"]).await)).await {
                assert!(begun.elapsed() < super::PATIENCE, "{what}: not within {begun:?}");
                pause().await;
            }
        }
    }
}

pub(crate) fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => text,
        other => panic!("{other:?}"),
    }
}

fn field<'a>(info: &'a str, name: &str) -> &'a str {
    let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_default().trim()
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
