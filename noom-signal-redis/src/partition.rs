//! Which part of the store a room or a node belongs to.
//!
//! All keys of a partition carry the same hash tag, so that a script finds them on one server of a
//! Redis Cluster. A single server needs no more than one.

/// How many partitions a Redis Cluster's rooms are spread over.
pub(crate) const IN_CLUSTER: usize = 16;

/// The names of one partition's keys and channels.
#[derive(Debug, Clone)]
pub(crate) struct Partition {
    /// What all of them begin with.
    base: String,
    /// The key that every script is given first.
    pub(crate) epoch: String,
    /// Where this node is told of entries in its inbox.
    pub(crate) channel: String,
    /// Where all nodes are told of a new epoch.
    pub(crate) all: String,
}

impl Partition {
    pub(crate) fn new(prefix: &str, number: usize, node: &str) -> Self {
        let base = format!("{prefix}:{{{number}}}:");
        Self {
            epoch: format!("{base}epoch"),
            channel: format!("{base}to:{node}"),
            all: format!("{base}all"),
            base,
        }
    }

    /// The keys that a room's scripts name beside the epoch.
    pub(crate) fn of_room(&self, epoch: &str, room: &str) -> [String; 2] {
        let base = &self.base;
        [format!("{base}{epoch}:room:{room}"), format!("{base}{epoch}:seats:{room}")]
    }

    pub(crate) fn inbox(&self, epoch: &str, node: &str) -> String {
        format!("{}{epoch}:inbox:{node}", self.base)
    }

    /// The slot of a Redis Cluster that holds all of it.
    pub(crate) fn slot(number: usize) -> u16 {
        // Between braces stands nothing but the number.
        crc16(number.to_string().as_bytes()) % 16_384
    }
}

/// The partition of a room's name, or of a node's id, among so many (FNV-1a).
pub(crate) fn partition_of(name: &str, partitions: usize) -> usize {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    // The low bits alone would see little of the last letters.
    ((hash ^ (hash >> 32)) % partitions as u64) as usize
}

/// CRC-16/XMODEM, by which Redis Cluster finds a key's slot.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |mut crc, &byte| {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        // As `CLUSTER KEYSLOT '{0}'` says.
        assert_eq!(Partition::slot(0), 13907);
    }

    #[test]
    fn rooms_spread() {
        let mut counts = [0; IN_CLUSTER];
        for n in 0..1600 {
            counts[partition_of(&format!("room {n}"), IN_CLUSTER)] += 1;
        }
        assert!(counts.iter().all(|&count| (50..200).contains(&count)), "{counts:?}");
        assert_eq!(partition_of("anything", 1), 0);
    }
}
