//! When all peers have gone, a hub holds what it held before: no room, no session, no task, and no
//! more memory than after the last time.
//!
//! One test, alone in its process: it counts every byte that the process allocates.

mod call;

use std::{alloc::System, time::Duration};

use call::Call;
use futures_util::future::join_all;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use system_tests::{Hub, Server, json, limits, until};
use tokio::runtime::Handle;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROOMS: usize = 1000;

/// What two rounds may differ by: far less than one byte for each of 4,000 sessions and 2,000
/// rooms. What varies is only how full hash tables are before they rehash.
const MARGIN: isize = 2048;

fn allocated() -> isize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

#[tokio::test]
async fn rounds_end_where_they_began() {
    // A session whose client does not come back is one of the ways to go.
    let short = limits(|limits| limits.resume = Duration::from_millis(1));
    let server = Server::in_process(Hub::builder().limits(short));
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let (before, mut levels) = (tasks(), Vec::new());
    for _ in 0..5 {
        round(&server).await;
        let stats = || server.hub.stats();
        let empty = || (stats().connections, stats().peers, stats().rooms) == (0, 0, 0);
        until("no room, session or connection is left", empty).await;
        until("no task is left", || tasks() == before).await;
        levels.push(allocated());
    }
    // The first rounds fill what is kept for later: hash tables, the runtime's own buffers.
    let growth = levels[4] - levels[2];
    assert!(growth.abs() <= MARGIN, "{growth} bytes more after two more rounds: {levels:?}");
}

/// A thousand calls that end in order, and as many peers that go in other ways.
async fn round(server: &Server) {
    let calls = join_all((0..ROOMS).map(|n| Call::begin(server, n))).await;
    let calls = join_all(calls.into_iter().map(Call::exchange)).await;
    join_all(calls.into_iter().enumerate().map(|(n, call)| call.end(n / 2))).await;
    join_all((0..ROOMS).map(|n| odd_end(server, n))).await;
}

async fn odd_end(server: &Server, n: usize) {
    let room = format!("odd {n}");
    match n % 8 {
        0 => drop(server.pair(&room).await),
        1 => drop(server.hello().await.cut()),
        2 => drop(server.connect().await),
        3 => {
            // Lost, and taken up again, and lost.
            let client = server.join(&room).await.cut();
            let (client, _) = server.resume(&client).await;
            drop(client);
        }
        4 => {
            let mut client = server.join(&room).await;
            client.send(json!({"type": "lobby", "watch": true, "id": 1})).await;
            assert_eq!(client.recv().await["type"], "lobby");
        }
        5 => {
            let mut client = server.join(&room).await;
            client.send_binary().await;
            assert_eq!(client.closed().await, Some(1003));
        }
        6 => {
            let mut client = server.connect().await;
            client.send_text("nonsense").await;
            client.expect_error("bad_message").await;
            assert_eq!(client.closed().await, Some(4400));
        }
        _ => {
            // In several rooms, not waiting for the joins.
            let mut client = server.hello().await;
            let joins = (0..3).map(|r| json!({"type": "join", "room": format!("{room} {r}")}));
            client.send_all(joins).await;
            drop(client);
        }
    }
}
