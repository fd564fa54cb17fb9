//! Being alive, and taking note of who is not.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info};

use crate::{
    generation::{Generation, Trouble},
    node::Node,
    register::SWEEP_AT_ONCE,
    script,
};

/// How much later than the end of a lease it is looked at.
const GRACE: Duration = Duration::from_millis(20);
/// How soon a renewal that was not answered is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// What clearing up after an old epoch leaves to others.
const PAUSE: Duration = Duration::from_millis(10);

/// Renews the lease in all partitions, and sweeps up after nodes that did not.
pub(crate) async fn keep(node: &Node, generation: &Generation) -> Result<(), Trouble> {
    let each = generation.partitions().map(|partition| keep_in(node, generation, partition));
    try_join_all(each).await.map(|_| ())
}

async fn keep_in(node: &Node, generation: &Generation, partition: usize) -> Result<(), Trouble> {
    loop {
        let renewed = Instant::now();
        let mut next = renewed + node.config.renew;
        match renew(node, generation, partition).await {
            Ok(Renewed { ends_in, sweeping }) => {
                if sweeping {
                    sweep(generation, partition, next).await?;
                }
                // Other nodes renew long before the end; where one has not, its time is looked at.
                let ends = ends_in.map(|ends_in| renewed + ends_in + GRACE);
                if let Some(ends) = ends.filter(|&ends| ends < next) {
                    sleep_until(ends).await;
                    sweep(generation, partition, next).await?;
                }
                purge(generation, partition, next).await?;
            }
            Err(Trouble::Over) => return Err(Trouble::Over),
            Err(trouble) => {
                debug!(partition, ?trouble, "the lease was not renewed");
                next = Instant::now() + AGAIN;
            }
        }
        sleep_until(next).await;
    }
}

struct Renewed {
    /// When the first of the other nodes' leases ends.
    ends_in: Option<Duration>,
    /// Whether a dead node's peers are being taken out.
    sweeping: bool,
}

async fn renew(node: &Node, generation: &Generation, partition: usize) -> Result<Renewed, Trouble> {
    let position = node.position(partition);
    let mut call = generation.call(&script::RENEW, partition);
    call.arg(node.config.lease.as_millis() as u64).arg(position.seq).arg(position.bytes);
    let mut reply = generation.ask(partition, &call).await?;
    let last = reply.number().and_then(|last| u64::try_from(last).ok());
    if last.is_some_and(|last| last > position.seq) {
        // Perhaps it is on its way; perhaps the subscription is dead, and this is how it shows.
        node.behind.notify_one();
    }
    let ends_in = reply.number().and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
    let sweeping = reply.number().is_some_and(|dead| dead > 0);
    Ok(Renewed { ends_in, sweeping })
}

/// Takes the peers of dead nodes out of their rooms, a bounded piece at a time, until it is time to
/// renew the lease.
async fn sweep(generation: &Generation, partition: usize, until: Instant) -> Result<(), Trouble> {
    while Instant::now() < until {
        let mut call = generation.call(&script::SWEEP, partition);
        call.arg("-").arg(SWEEP_AT_ONCE);
        match generation.ask(partition, &call).await {
            Ok(mut reply) => {
                if reply.number() != Some(1) {
                    return Ok(());
                }
                info!(partition, "sweeping up after a node that is gone");
            }
            Err(Trouble::Over) => return Err(Trouble::Over),
            // The next renewal asks for it again.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// Clears away what earlier epochs left behind, until it is time to renew the lease.
async fn purge(generation: &Generation, partition: usize, until: Instant) -> Result<(), Trouble> {
    while Instant::now() < until {
        let mut call = generation.call(&script::PURGE, partition);
        call.arg(SWEEP_AT_ONCE);
        match generation.ask(partition, &call).await {
            Ok(mut reply) => {
                if reply.number() != Some(1) {
                    return Ok(());
                }
                sleep(PAUSE).await;
            }
            Err(Trouble::Over) => return Err(Trouble::Over),
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}
