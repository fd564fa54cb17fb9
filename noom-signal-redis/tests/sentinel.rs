//! Sentinels that name another server the master.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use support::{
    Server,
    cluster::text,
    config,
    crowd::{all_is_well, crowd},
    log,
};

/// A master, its replica in step with it, and a sentinel that knows of both.
async fn pair() -> (Server, Server, Server) {
    let master = Server::start().await;
    let port = master.port.to_string();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &port]).await;
    while !text(replica.run(&["INFO", "replication"]).await).contains("link_status:up") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let sentinel = Server::sentinel("main", &master).await;
    loop {
        let info = text(sentinel.run(&["INFO", "sentinel"]).await);
        if info.contains("status=ok") && info.contains("slaves=1") {
            return (master, replica, sentinel);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_master_that_dies_is_replaced() {
    log();
    let (mut master, replica, sentinel) = pair().await;
    let config = config(format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port));
    let (backplane, hubs, rooms, mut peers) = crowd(&config).await;
    let begun = Instant::now();
    master.kill();
    while backplane.lobby(1).await.is_ok() {}
    all_is_well(&hubs, &rooms, &mut peers, begun).await;
    drop(replica);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_master_that_is_demoted_is_left() {
    log();
    let (master, replica, sentinel) = pair().await;
    let config = config(format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port));
    let (backplane, hubs, rooms, mut peers) = crowd(&config).await;
    let begun = Instant::now();
    sentinel.run(&["SENTINEL", "FAILOVER", "main"]).await;
    while backplane.lobby(1).await.is_ok() {}
    println!("left after {:?}", begun.elapsed());
    all_is_well(&hubs, &rooms, &mut peers, begun).await;
    drop((master, replica));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_demoted_for_a_while_comes_back() {
    log();
    let (server, other) = (Server::start().await, Server::start().await);
    let (backplane, hubs, rooms, mut peers) = crowd(&config(server.url())).await;
    let begun = Instant::now();
    let (at, port) = ("127.0.0.1", other.port.to_string());
    server.run(&["REPLICAOF", at, &port]).await;
    while backplane.lobby(1).await.is_ok() {}
    println!("left after {:?}", begun.elapsed());
    server.run(&["REPLICAOF", "NO", "ONE"]).await;
    all_is_well(&hubs, &rooms, &mut peers, begun).await;
}
