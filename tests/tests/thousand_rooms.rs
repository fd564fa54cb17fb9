//! A thousand calls at once over real sockets: each peer gets what was sent to it, once, in order,
//! to the byte, and nothing else; and when all have gone, nothing of them is left.

mod call;

use call::Call;
use futures_util::future::join_all;
use system_tests::{Hub, Server, until};
use tokio::runtime::Handle;

const ROOMS: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_sockets() {
    // Two ends of two sockets a room, and some for the process itself.
    let needed = 4 * ROOMS as u64 + 100;
    let allowed = rlimit::increase_nofile_limit(needed.max(20_000)).unwrap();
    assert!(allowed >= needed, "this test needs {needed} open files: ulimit -Hn {needed}");

    let server = Server::start(Hub::builder()).await;
    let before = Handle::current().metrics().num_alive_tasks();
    for round in 0..2 {
        let calls = join_all((0..ROOMS).map(|n| Call::begin(&server, n))).await;
        let stats = server.hub.stats();
        assert_eq!((stats.connections, stats.peers, stats.rooms), (2 * ROOMS, 2 * ROOMS, ROOMS));
        let calls = join_all(calls.into_iter().map(Call::exchange)).await;
        join_all(calls.into_iter().map(|call| call.end(round))).await;

        let stats = || server.hub.stats();
        let empty = || (stats().connections, stats().peers, stats().rooms) == (0, 0, 0);
        until("nothing is left", empty).await;
        let tasks = || Handle::current().metrics().num_alive_tasks();
        until("no task is left", || tasks() <= before).await;
    }
}
