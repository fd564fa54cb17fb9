//! What keeps messages in order across rooms.
//!
//! Messages of one partition are in one inbox, and so in order. In a Redis Cluster two rooms may be
//! in two partitions, and their inboxes on two servers: nothing orders one against the other. So a
//! message names what its node has sent before to the same node in other partitions, and the one
//! who reads it first reads those. They are there: only what was accepted is named. And it never
//! turns in a circle: what is named was accepted before what names it was sent.

use std::{collections::HashMap, fmt::Write};

use noom_signal::room::NodeId;

/// By node, the number that the last message in each partition got in its inbox.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    nodes: HashMap<NodeId, HashMap<usize, Accepted>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Accepted {
    epoch: String,
    seq: u64,
}

/// An entry that is to be handled first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) partition: usize,
    pub(crate) epoch: String,
    pub(crate) seq: u64,
}

/// How many nodes are kept in mind. Of more, all are forgotten at once: order across rooms is then
/// not kept for what is on its way in that moment.
const NODES: usize = 4096;

impl Sent {
    pub(crate) fn note(&mut self, node: NodeId, partition: usize, epoch: &str, seq: u64) {
        if self.nodes.len() >= NODES && !self.nodes.contains_key(&node) {
            self.nodes.clear();
        }
        let partitions = self.nodes.entry(node).or_default();
        let accepted = partitions.entry(partition);
        let accepted = accepted.or_insert_with(|| Accepted { epoch: epoch.to_owned(), seq });
        if accepted.epoch != epoch {
            *accepted = Accepted { epoch: epoch.to_owned(), seq };
        }
        // Two calls at the same time: their replies may come in the other order.
        accepted.seq = accepted.seq.max(seq);
    }

    /// What a message to that node in that partition comes after, as it is written into it.
    pub(crate) fn write_after(&self, node: NodeId, partition: usize) -> String {
        let partitions = self.nodes.get(&node).into_iter().flatten();
        let mut others = partitions.filter(|(other, _)| **other != partition).peekable();
        if others.peek().is_none() {
            return "-".into();
        }
        write_node(node, others)
    }

    /// The same, and after it what was sent to all other nodes.
    pub(crate) fn write_all_after(&self, node: NodeId, partition: usize) -> String {
        let mut text = self.write_after(node, partition);
        for (other, partitions) in self.nodes.iter().filter(|(other, _)| **other != node) {
            text.push(';');
            text.push_str(&write_node(*other, partitions.iter()));
        }
        text
    }

    /// Takes note of what the writer of a letter has sent to others.
    pub(crate) fn adopt(&mut self, text: &str) {
        for part in text.split(';').skip(1) {
            let node = part.split(',').next().and_then(|node| u64::from_str_radix(node, 16).ok());
            let Some(node) = node.map(NodeId) else { continue };
            for After { partition, epoch, seq } in read_node(part).unwrap_or_default() {
                self.note(node, partition, &epoch, seq);
            }
        }
    }
}

/// What [`Sent::write_after`] wrote, as far as it is about that node: a message that was sent
/// after a peer that moved names what is in the inbox of another.
pub(crate) fn read_after(text: &str, node: &str) -> Option<Vec<After>> {
    let text = text.split(';').next()?;
    if text.split(',').next()? != node {
        return Some(Vec::new());
    }
    read_node(text)
}

fn write_node<'a>(
    node: NodeId,
    partitions: impl Iterator<Item = (&'a usize, &'a Accepted)>,
) -> String {
    let mut text = node.to_string();
    for (partition, Accepted { epoch, seq }) in partitions {
        // Writing to a string does not fail.
        let _ = write!(text, ",{partition}.{epoch}.{seq}");
    }
    text
}

fn read_node(text: &str) -> Option<Vec<After>> {
    let read = |part: &str| {
        let mut words = part.split('.');
        let partition = words.next()?.parse().ok()?;
        let (epoch, seq) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        Some(After { partition, epoch, seq })
    };
    text.split(',').skip(1).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_elsewhere_is_named() {
        let (node, mut sent) = (NodeId(7), Sent::default());
        let name = node.to_string();
        assert_eq!(sent.write_after(node, 0), "-");
        sent.note(node, 0, "e", 5);
        assert_eq!(sent.write_after(node, 0), "-");
        sent.note(node, 0, "e", 4);
        let after = After { partition: 0, epoch: "e".into(), seq: 5 };
        let text = sent.write_after(node, 3);
        assert_eq!(read_after(&text, &name), Some(vec![after]));
        assert_eq!(read_after(&text, "another"), Some(Vec::new()));
        assert_eq!(read_after("-", &name), Some(Vec::new()));
        let mut other = Sent::default();
        other.adopt(&sent.write_all_after(NodeId(9), 1));
        assert_eq!(other.write_after(node, 3), text);
        sent.note(node, 0, "f", 1);
        let after = After { partition: 0, epoch: "f".into(), seq: 1 };
        assert_eq!(read_after(&sent.write_after(node, 3), &name), Some(vec![after]));
    }
}
