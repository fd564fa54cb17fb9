//! One generation after the other, for as long as the node lives.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tracing::{debug, info, warn};

use crate::{
    ConnectError,
    check::check,
    generation::{Generation, Trouble},
    inbox::{self, Reader},
    lease,
    link::Push,
    node::Node,
    register::{register, withdraw},
    watch,
};

/// How long connecting and registering may take, before it is begun anew.
const OPENING: Duration = Duration::from_secs(10);
/// How long a goodbye may take. Without one the lease ends.
const GOODBYE: Duration = Duration::from_secs(2);
const SOONEST: Duration = Duration::from_millis(50);
const LATEST: Duration = Duration::from_secs(1);
/// How many pushes may wait to be read; each is in an inbox too, which is bounded in bytes.
const PUSHES: usize = 16_384;

/// A generation, and what is pushed to it.
pub(crate) struct Opened {
    generation: Arc<Generation>,
    pushes: mpsc::Receiver<Push>,
    gap: bool,
}

/// Connects and registers.
pub(crate) async fn open(node: &Node, first: bool) -> Result<Opened, ConnectError> {
    let (sender, pushes) = mpsc::channel(PUSHES);
    let address = node.address.name();
    let unreachable = |reason: &str| ConnectError::Unreachable {
        address: address.clone(),
        reason: reason.to_owned(),
    };
    let opening = async {
        let links = node.address.connect(&node.partitions, &node.name, &sender).await?;
        if first {
            check(&links, &address, node.address.is_cluster()).await?;
        }
        let over = links.over.clone();
        let registered = register(node, links).await;
        registered.map_err(|trouble| match trouble {
            Trouble::Over => unreachable(over.reason()),
            Trouble::Unanswered => unreachable("it does not answer"),
            Trouble::Refused => unreachable("it refuses the scripts; the log has more"),
        })
    };
    let opened = timeout(OPENING, opening).await;
    let (generation, gap) = opened.map_err(|_| unreachable("it took too long"))??;
    Ok(Opened { generation: Arc::new(generation), pushes, gap })
}

/// Runs the node until it is stopped.
pub(crate) async fn supervise(node: Arc<Node>, first: Opened) {
    let mut opened = Some(first);
    let mut backoff = SOONEST;
    let mut told = false;
    while !node.kill.is_cancelled() {
        if let Some(Opened { generation, pushes, gap }) = opened.take() {
            let begun = Instant::now();
            serve(&node, &generation, pushes, gap).await;
            node.set_retry_after(SOONEST * 2);
            node.set_current(None);
            if node.kill.is_cancelled() {
                return;
            }
            if node.stop.is_cancelled() {
                return say_goodbye(&node, &generation).await;
            }
            info!(reason = generation.links.over.reason(), "the connection to redis is over");
            generation.links.over.end("it is replaced");
            if begun.elapsed() > LATEST {
                backoff = SOONEST;
            }
            told = false;
        }
        // Jitter, or all nodes of a cluster come back at the same moment.
        let pause = backoff.mul_f64(0.5 + fraction() / 2.0);
        node.set_retry_after(pause + SOONEST * 2);
        backoff = (backoff * 2).min(LATEST);
        let attempt = async {
            sleep(pause).await;
            open(&node, false).await
        };
        let attempt = tokio::select! {
            attempt = attempt => attempt,
            () = node.stop.cancelled() => return,
            () = node.kill.cancelled() => return,
        };
        match attempt {
            Ok(again) => {
                info!("connected to redis again");
                opened = Some(again);
            }
            Err(error) if told => debug!(%error, "redis is still away"),
            Err(error) => {
                warn!(%error, "redis is away: trying until it is back");
                told = true;
            }
        }
    }
}

/// Serves one generation until it is over, or the node is to stop.
async fn serve(
    node: &Arc<Node>,
    generation: &Arc<Generation>,
    pushes: mpsc::Receiver<Push>,
    gap: bool,
) {
    node.set_current(Some(generation.clone()));
    if gap && let Some(events) = node.events() {
        events.gap();
    }
    // A task of its own, for it is woken by every push.
    let mut reading = JoinSet::new();
    reading.spawn(Reader::new(node.clone(), generation.clone()).run(pushes));
    // Each ends only with the generation.
    tokio::select! {
        biased;
        () = node.kill.cancelled() => {}
        () = node.stop.cancelled() => {}
        () = generation.links.over.wait() => {}
        _ = reading.join_next() => {}
        _ = watch::watch_servers(generation) => {}
        _ = watch::watch_epochs(node, generation) => {}
        _ = lease::keep(node, generation) => {}
        _ = inbox::acknowledge(node, generation) => {}
    }
    // Before the next one begins: two readers would mix up the order.
    reading.shutdown().await;
}

async fn say_goodbye(node: &Node, generation: &Generation) {
    let all = async {
        for (partition, epoch) in generation.epochs.iter().enumerate() {
            if withdraw(node, &generation.links, partition, epoch).await.is_err() {
                return;
            }
        }
    };
    if timeout(GOODBYE, all).await.is_err() {
        debug!("no time for a goodbye: the lease will end");
    }
}

/// From 0 to 1.
fn fraction() -> f64 {
    let mut bytes = [0; 4];
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}
