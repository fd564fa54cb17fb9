//! Another server takes the place of the one that was.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::{
    connections::place,
    scene::{Place, Row, Scene},
    support::{
        Server,
        cluster::{Cluster, text},
    },
};

/// A master, its replica in step with it, and a sentinel that knows of both.
async fn pair() -> (Server, Server, Server) {
    let master = Server::start().await;
    let port = master.port.to_string();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &port]).await;
    while !text(replica.run(&["INFO", "replication"]).await).contains("link_status:up") {
        sleep(Duration::from_millis(20)).await;
    }
    let sentinel = Server::sentinel("main", &master).await;
    loop {
        let info = text(sentinel.run(&["INFO", "sentinel"]).await);
        if info.contains("status=ok") && info.contains("slaves=1") {
            return (master, replica, sentinel);
        }
        sleep(Duration::from_millis(20)).await;
    }
}

fn by_sentinel(server: &Server, sentinel: &Server) -> Place {
    let redis = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port);
    Place { redis, ..place(server) }
}

const TOLD: &str = "across nodes `unavailable`, then a `roster`; nobody is seen to leave";

/// Measures from the fault's end on, if it has one, or else from its beginning.
async fn recover(scene: &mut Scene, fault: &'static str, begun: Instant, over: Option<Instant>) {
    // It takes effect in its own time.
    scene.until("a refusal", |scene| scene.first_refusal(begun).is_some()).await;
    let noticed = scene.first_refusal(begun).map(|first| first - begun);
    scene.newcomers(&[0, 1, 2]).await;
    let exact = scene.exact_since(over.unwrap_or(begun)).await;
    scene.assert_nobody_left();
    let sum = scene.end().await;
    Row { fault, seen: TOLD, exact, noticed, sum }.print();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_demoted_for_a_while() {
    let (server, other) = (Server::start().await, Server::start().await);
    let mut scene = Scene::set(&vec![place(&server); 3], 2, 2).await;
    let port = other.port.to_string();
    server.run(&["REPLICAOF", "127.0.0.1", &port]).await;
    let begun = Instant::now();
    sleep(Duration::from_secs(3)).await;
    let over = Instant::now();
    server.run(&["REPLICAOF", "NO", "ONE"]).await;
    recover(&mut scene, "Redis demoted to a replica for 3 s", begun, Some(over)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_replace_a_dead_master() {
    let (mut master, _replica, sentinel) = pair().await;
    let mut scene = Scene::set(&vec![by_sentinel(&master, &sentinel); 3], 2, 2).await;
    let begun = Instant::now();
    master.kill();
    let fault = "Redis killed, Sentinel promotes its replica (down-after 0.5 s)";
    recover(&mut scene, fault, begun, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_replace_a_live_master() {
    let (master, _replica, sentinel) = pair().await;
    let mut scene = Scene::set(&vec![by_sentinel(&master, &sentinel); 3], 2, 2).await;
    let begun = Instant::now();
    sentinel.run(&["SENTINEL", "FAILOVER", "main"]).await;
    recover(&mut scene, "SENTINEL FAILOVER of a live master", begun, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clusters_master_is_killed() {
    let mut cluster = Cluster::start().await;
    let place = Place { redis: cluster.url(), ..place(&cluster.servers[0]) };
    let mut scene = Scene::set(&vec![place; 3], 6, 1).await;
    let begun = Instant::now();
    cluster.servers[0].kill();
    let fault = "Cluster: a master killed, its replica promoted (node timeout 1.5 s)";
    recover(&mut scene, fault, begun, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clusters_slots_move() {
    let cluster = Cluster::start().await;
    let place = Place { redis: cluster.url(), ..place(&cluster.servers[0]) };
    let mut scene = Scene::set(&vec![place; 3], 6, 1).await;
    let begun = Instant::now();
    for tag in ["{0}", "{1}", "{2}"] {
        let slot = cluster.servers[0].run(&["CLUSTER", "KEYSLOT", tag]).await;
        let redis::Value::Int(slot) = slot else { panic!("{slot:?}") };
        let slot = usize::try_from(slot).unwrap();
        cluster.migrate(slot, (Cluster::master_of(slot) + 1) % 3).await;
    }
    recover(&mut scene, "Cluster: three slots in use move to other masters", begun, None).await;
}
