//! Two hundred peers talk while their links break in every way that links do. Each message arrives
//! exactly once and in order, each request has its one reply, and nobody hears of a broken link.

mod chaos;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chaos::{Peer, Plan};
use futures_util::future::join_all;
use system_tests::{Hub, Random, Server, limits, seed};
use tokio::task::JoinSet;

const PEERS: usize = 200;
const ROOMS: usize = 50;
const STEPS: usize = 100;
/// How many of a hundred steps are faults.
const FAULTS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices() {
    // A socket at each end and two in each proxy, which listens on one more; twice that while those
    // that broke are not forgotten.
    let needed = 10 * PEERS as u64 + 100;
    let allowed = rlimit::increase_nofile_limit(needed).unwrap();
    assert!(allowed >= needed, "this test needs {needed} open files: ulimit -Hn {needed}");
    let seed = seed();
    println!("NOOM_SEED={seed}");

    let plan = Plan::new(PEERS, ROOMS, STEPS, FAULTS, &mut Random::new(seed));
    let server = Server::start(Hub::builder().limits(limits(|limits| {
        limits.messages_per_second = 0;
        limits.bytes_per_second = 0;
        limits.resume_frames = 4096;
        limits.resume_bytes = 16 * 1024 * 1024;
        limits.resume = Duration::from_secs(300);
        // A client notices a dead link after 300 to 1300 ms, the server after 700 to 1400: now this
        // one is first, now that one.
        limits.heartbeat = Duration::from_millis(700);
    })))
    .await;
    let mut peers = join_all((0..PEERS).map(|n| Peer::join(&server, plan.rooms_of(n)))).await;
    let ids: Arc<[_]> = peers.iter().map(|peer| peer.client.peer()).collect();
    let names = Arc::new(ids.iter().cloned().zip(0..).collect());
    join_all(peers.iter_mut().enumerate().map(|(n, peer)| {
        let others = plan.rooms_of(n).map(|room| plan.members(room).len() - 1);
        peer.meet(Arc::clone(&names), others)
    }))
    .await;

    let mut running = JoinSet::new();
    for (mut peer, (steps, heard)) in peers.into_iter().zip(plan.steps.into_iter().zip(plan.heard))
    {
        let ids = ids.clone();
        running.spawn(async move {
            peer.keep_to(&steps, heard, &ids).await;
            peer
        });
    }
    let mut peers = Vec::new();
    while let Some(peer) = running.join_next().await {
        peers.push(peer.unwrap());
    }
    join_all(peers.iter_mut().map(Peer::hear_the_rest)).await;

    let mut struck = BTreeMap::new();
    for peer in &peers {
        peer.check_rosters(&server);
        for fault in peer.proxy.struck() {
            *struck.entry(fault.kind()).or_insert(0) += 1;
        }
    }
    let stats = server.hub.stats();
    assert_eq!((stats.peers, stats.rooms), (PEERS, ROOMS));
    println!("faults: {struck:?}");
    assert_eq!(struck.len(), 10, "each kind of fault came to pass");
}
