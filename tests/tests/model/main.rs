//! Random runs against a model: clients join, talk, stall, break off and come back, nodes lose
//! each other's answers, and whatever happens, what each client is told makes sense, and in the end
//! everyone knows who is there.
//!
//! `NOOM_CASES=10000` makes more runs than the test does. A run that fails says its seed;
//! `NOOM_SEED=…` makes that run again (`NOOM_CASES` times: the hub's own random ids and hash maps are
//! not in the seed). `NOOM_HOPS=1` has clients change nodes where requests or events are lost, too.

mod book;
mod check;
mod client;
mod known;
mod ledger;
mod op;
mod session;
mod trial;
mod view;
mod world;

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use async_trait::async_trait;
use book::Tally;
use noom_signal::{
    Limits,
    backplane::Local,
    policy::{ConnectRequest, Identity, JoinRequest, Policy, Refused, RoomGrant},
};
use op::{CLIENTS, FORBIDDEN, Op, PANIC, ROOMS};
use system_tests::{Delayed, Hub, Random, Trouble, Wires, limits};
use world::World;

/// What the nodes are joined by.
#[derive(Debug, Clone, Copy)]
enum Cluster {
    One,
    Three,
    Troubled(Trouble),
}

#[test]
fn one_node() {
    println!("{}", run(Cluster::One, 200, &SEEN));
}

#[test]
fn three_nodes() {
    println!("{}", run(Cluster::Three, 150, &SEEN));
}

#[test]
fn three_nodes_far_apart() {
    println!("{}", run(Cluster::Troubled(FAR_APART), 80, &[]));
}

#[test]
fn three_nodes_that_miss_answers() {
    let trouble = Trouble { unavailable: 10, ..FAR_APART };
    println!("{}", run(Cluster::Troubled(trouble), 80, &["error unavailable", "roster"]));
}

#[test]
fn three_nodes_that_doubt() {
    let trouble = Trouble { gaps: 10, ..FAR_APART };
    println!("{}", run(Cluster::Troubled(trouble), 80, &["roster"]));
}

#[test]
fn three_nodes_that_miss_events() {
    let trouble = Trouble { gaps: 10, losses: true, ..FAR_APART };
    println!("{}", run(Cluster::Troubled(trouble), 80, &["roster"]));
}

/// Everything takes its time, and nothing is lost.
const FAR_APART: Trouble =
    Trouble { delay: Duration::from_millis(120), unavailable: 0, gaps: 0, losses: false };

/// What no number of runs should leave out.
const SEEN: [&str; 10] = [
    "a window that passed",
    "bye Closed",
    "bye Disconnected",
    "bye Kicked",
    "close 4410",
    "error internal",
    "error rate_limited",
    "hello Full",
    "hello Partial",
    "missed",
];

/// Makes runs, and shows the first that fails, as short as it can be made. Returns what was seen.
fn run(cluster: Cluster, cases: u64, seen: &[&str]) -> String {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    // Fewer runs, or the same one again, need not see it all.
    let enough = cases;
    let cases = number("NOOM_CASES").unwrap_or(cases);
    let mut tally = Tally::new();
    for case in 1..=cases {
        let seed = number("NOOM_SEED").unwrap_or(case);
        let mut random = Random::new(seed);
        let wires = random.seed();
        let length = 60 + random.below(140);
        let nodes = if matches!(cluster, Cluster::One) { 1 } else { 3 };
        let ops: Vec<(Op, bool)> =
            (0..length).map(|_| (Op::any(&mut random, nodes), random.chance(50))).collect();
        match attempt(cluster, wires, &ops) {
            Ok(seen) => seen.into_iter().for_each(|(what, n)| *tally.entry(what).or_default() += n),
            Err(why) => {
                let (ops, why) = trial::shorten(ops, why, |ops| attempt(cluster, wires, ops));
                panic!("NOOM_SEED={seed} in {cluster:?}: {ops:?}\n{why}");
            }
        }
    }
    for what in seen.iter().filter(|_| cases >= enough && number("NOOM_SEED").is_none()) {
        assert!(tally.contains_key(*what), "never seen: {what}");
    }
    format!("{cases} runs in {cluster:?}: {tally:#?}")
}

/// One run.
fn attempt(cluster: Cluster, seed: u64, ops: &[(Op, bool)]) -> Result<Tally, String> {
    trial::judge(async {
        let (hubs, wires) = hubs(cluster, seed);
        let mut world = World::new(hubs, wires);
        for client in 0..CLIENTS {
            world.act(Op::Open(client)).await;
        }
        world.settle().await;
        for client in 0..CLIENTS {
            world.act(Op::Join(client, ROOMS[client % 2])).await;
            world.act(Op::Join(client, ROOMS[2])).await;
        }
        world.settle().await;
        for &(op, settle) in ops {
            world.act(op).await;
            if settle {
                world.settle().await;
            }
        }
        world.quiet().await;
        world.check();
        world.end().await
    })
}

fn hubs(cluster: Cluster, seed: u64) -> (Vec<Hub>, Option<Arc<Wires>>) {
    let build =
        |builder: system_tests::HubBuilder| builder.policy(House).limits(narrow()).build().unwrap();
    match cluster {
        Cluster::One => (vec![build(Hub::builder())], None),
        Cluster::Three => {
            let first = Local::new();
            let nodes = [first.another_node(), first.another_node(), first];
            let hubs = nodes.map(|node| build(Hub::builder().backplane(Arc::new(node))));
            (hubs.to_vec(), None)
        }
        Cluster::Troubled(trouble) => {
            let (nodes, wires) = Delayed::cluster(3, seed, trouble);
            let hubs = nodes.into_iter().map(|n| build(Hub::builder().backplane(Arc::new(n))));
            (hubs.collect(), Some(wires))
        }
    }
}

/// Limits that are soon reached.
fn narrow() -> Limits {
    limits(|limits| {
        limits.peers_per_room = 4;
        limits.rooms_per_peer = 2;
        limits.meta_bytes = 500;
        limits.message_bytes = 50_000;
        limits.bad_messages = 3;
        limits.resume_frames = 40;
        limits.resume_bytes = 20_000;
        limits.outbound_bytes = 24_000;
        limits.lobby_rooms = 2;
        limits.held_events = 16;
        (limits.messages_per_second, limits.burst) = (50, 80);
        limits.resume = client::RESUME;
    })
}

/// An application that lists all rooms, keeps one closed, and is not well.
struct House;

#[async_trait]
impl Policy for House {
    async fn authenticate(
        &self,
        _request: &ConnectRequest,
        token: Option<&str>,
    ) -> Result<Identity, Refused> {
        fall_over_if(token == Some(PANIC));
        Ok(Identity::default())
    }

    async fn authorize(&self, join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        fall_over_if(join.room.as_str() == PANIC);
        match join.room.as_str() {
            FORBIDDEN => Err(Refused::because("it is")),
            _ => Ok(RoomGrant { listed: true, ..RoomGrant::default() }),
        }
    }
}

/// Panics without the panic hook, which is for panics that nobody wants.
fn fall_over_if(ill: bool) {
    if ill {
        resume_unwind(Box::new("the policy's"));
    }
}
