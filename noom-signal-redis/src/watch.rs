//! Looking whether Redis is there, and is what it was.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use crate::{
    generation::{Generation, Trouble},
    node::Node,
    script,
};

/// How often each server is asked whether it is there, and each partition for its epoch.
const EVERY: Duration = Duration::from_secs(1);
/// How often an epoch that is not settled is looked at.
const SETTLING: Duration = Duration::from_millis(100);
/// How long this node's hub is given to bring back its peers before the cluster goes on without
/// what it has not asked for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the servers whether they are there. A connection that swallows everything shows in no other
/// way: neither TCP nor the driver takes note.
pub(crate) async fn watch_servers(generation: &Generation) -> Result<(), Trouble> {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let servers = generation.links.servers();
        if !join_all(servers.iter().map(|link| link.is_alive())).await.into_iter().all(|it| it) {
            generation.links.over.end("a server does not answer");
            return Err(Trouble::Over);
        }
    }
}

/// Asks each partition for its epoch; and while one is not settled, helps to settle it.
pub(crate) async fn watch_epochs(node: &Node, generation: &Generation) -> Result<(), Trouble> {
    node.ready.send_replace(generation.is_settled_everywhere());
    let each = generation.partitions().map(|partition| watch_epoch(node, generation, partition));
    try_join_all(each).await.map(|_| ())
}

async fn watch_epoch(
    node: &Node,
    generation: &Generation,
    partition: usize,
) -> Result<(), Trouble> {
    let begun = Instant::now();
    let mut impatient = false;
    loop {
        let settled = generation.is_settled(partition);
        let done = settled || is_done(node, generation, partition) || impatient;
        let mut call = generation.call(&script::WATCH, partition);
        call.arg(u8::from(done));
        match generation.ask(partition, &call).await {
            Ok(mut reply) => {
                if reply.number() == Some(1) && !settled {
                    info!(partition, "all nodes have brought back their peers");
                    generation.settle(partition);
                    node.ready.send_replace(generation.is_settled_everywhere());
                }
            }
            Err(Trouble::Over) => return Err(Trouble::Over),
            // Whether the server is there is asked elsewhere.
            Err(_) => {}
        }
        if generation.is_settled(partition) {
            sleep(EVERY).await;
        } else {
            if !impatient && begun.elapsed() >= PATIENCE && !is_done(node, generation, partition) {
                warn!(partition, "not all rooms were asked for: going on without");
                impatient = true;
            }
            tokio::select! {
                () = sleep(SETTLING) => {}
                () = node.asserted.notified() => {}
            }
        }
    }
}

/// Whether this node's peers are all back, as far as the hub has any.
fn is_done(node: &Node, generation: &Generation, partition: usize) -> bool {
    let epoch = &generation.epochs[partition];
    node.book().all_asserted(partition, node.partitions.len(), epoch)
}
