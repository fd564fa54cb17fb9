//! How a node comes into the cluster, or back.

use futures_util::future::try_join_all;
use tracing::{info, warn};

use crate::{
    generation::{Generation, Links, Trouble},
    node::{Node, Position},
    script,
};

/// How many peers one script takes out of their rooms.
pub(crate) const SWEEP_AT_ONCE: usize = 100;

/// What a partition said to a node that came.
struct Registered {
    epoch: String,
    settled: bool,
    fenced: bool,
    /// Where its inbox begins.
    seq: u64,
    bytes: u64,
}

/// Registers the node in all partitions. Returns, with the generation, whether events may have been
/// lost since the last one.
///
/// Where the cluster took the node for dead, even in one partition, it is dead in all: the hub ends
/// its sessions, and no peer of it may stay behind anywhere. It takes them out itself, as anybody
/// would, and then begins anew.
pub(crate) async fn register(node: &Node, links: Links) -> Result<(Generation, bool), Trouble> {
    let numbers = 0..node.partitions.len();
    let found = loop {
        let each = numbers.clone().map(|number| register_in(node, &links, number));
        let found = try_join_all(each).await?;
        if !found.iter().any(|registered| registered.fenced) {
            break found;
        }
        fence(node);
        let each = found.iter().enumerate();
        let each = each.map(|(number, here)| withdraw(node, &links, number, &here.epoch));
        try_join_all(each).await?;
    };
    let mut gap = false;
    for (position, registered) in node.positions.iter().zip(&found) {
        let known = position.borrow().epoch.clone();
        if known != registered.epoch {
            let Registered { epoch, seq, bytes, .. } = registered;
            position.send_replace(Position { epoch: epoch.clone(), seq: *seq, bytes: *bytes });
            gap |= !known.is_empty();
        }
    }
    let epochs = found.into_iter().map(|registered| (registered.epoch, registered.settled));
    Ok((Generation::new(links, epochs.collect()), gap))
}

/// Takes this node's peers out of their rooms in one partition, and the node out of it.
pub(crate) async fn withdraw(
    node: &Node,
    links: &Links,
    number: usize,
    epoch: &str,
) -> Result<(), Trouble> {
    let mut call = links.call(&script::SWEEP, number, epoch, &[]);
    call.arg(&*node.name).arg(SWEEP_AT_ONCE);
    loop {
        let mut reply = links.ask(number, &call).await?;
        let _others_too = reply.number();
        let left = reply.number();
        if left == Some(0) {
            return Ok(());
        }
    }
}

async fn register_in(node: &Node, links: &Links, number: usize) -> Result<Registered, Trouble> {
    let config = &node.config;
    let known = node.position(number).epoch;
    let mut call = links.call(&script::REGISTER, number, "-", &[]);
    call.arg(new_epoch()).arg(config.lease.as_millis() as u64);
    call.arg(config.settle.as_millis() as u64).arg(config.inbox_entries).arg(config.inbox_bytes);
    call.arg(if known.is_empty() { "-" } else { &known });
    let mut reply = links.ask(number, &call).await?;
    let epoch = reply.text().ok_or(Trouble::Refused)?;
    let fenced = reply.word == "FENCED";
    if !known.is_empty() && known != epoch {
        info!(partition = number, "redis lost what it knew: this node's peers are brought back");
    }
    let settled = reply.number() == Some(1);
    let mut number = || reply.number().and_then(|number| u64::try_from(number).ok());
    let (seq, bytes) = (number().unwrap_or(0), number().unwrap_or(0));
    Ok(Registered { epoch, settled, fenced, seq, bytes })
}

/// Lets the hub know, once.
fn fence(node: &Node) {
    // A node that was not in the cluster cannot be thrown out of it.
    if node.positions.iter().all(|position| position.borrow().epoch.is_empty()) {
        return;
    }
    warn!(node = %node.id, "the cluster took this node for dead: its sessions end");
    for position in &node.positions {
        position.send_replace(Position::default());
    }
    node.book().clear();
    if let Some(events) = node.events() {
        events.fenced();
    }
}

/// Random, so that no two epochs are taken for one; never 0, which is no change's token.
fn new_epoch() -> String {
    let mut bytes = [0; 4];
    // Without randomness from the operating system a constant would do harm only twice in a row.
    let _ = getrandom::fill(&mut bytes);
    format!("{:08x}", u32::from_be_bytes(bytes).max(1))
}
