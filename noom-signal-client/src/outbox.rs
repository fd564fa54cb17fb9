//! The frames of a session that the server is not known to have taken.

use std::collections::{HashSet, VecDeque};

use noom_signal::protocol::Frame;

/// A counted frame, and the request it is.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) frame: Frame,
}

/// Those written to a connection come first, then those still to be written.
///
/// It counts frames as the protocol does, so that after a resume exactly those are written again, in
/// order, that the server has not taken.
#[derive(Debug)]
pub(crate) struct Outbox {
    entries: VecDeque<Entry>,
    /// How many of `entries`, from the front, were written to a connection.
    written: usize,
    /// How many frames of this session the server has confirmed: the number of the first entry.
    confirmed: u64,
    bytes: usize,
    max_frames: usize,
    max_bytes: usize,
}

impl Outbox {
    pub(crate) fn new(max_frames: usize, max_bytes: usize) -> Self {
        Self { entries: VecDeque::new(), written: 0, confirmed: 0, bytes: 0, max_frames, max_bytes }
    }

    /// Takes a frame, where there is room. An empty box has room for any.
    pub(crate) fn push(&mut self, entry: Entry) -> Result<(), Entry> {
        let length = entry.frame.len();
        let fits = self.entries.len() < self.max_frames && self.bytes + length <= self.max_bytes;
        if !fits && !self.entries.is_empty() {
            return Err(entry);
        }
        self.bytes += length;
        self.entries.push_back(entry);
        Ok(())
    }

    /// The length of the next frame to write.
    pub(crate) fn next_len(&self) -> Option<usize> {
        self.entries.get(self.written).map(|entry| entry.frame.len())
    }

    /// The next frame to write; it counts as written from here on.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let frame = self.entries.get(self.written)?.frame.clone();
        self.written += 1;
        Some(frame)
    }

    /// How full the box is with frames written but not confirmed, from 0 to 1.
    pub(crate) fn unconfirmed(&self) -> f64 {
        if self.written == 0 {
            return 0.0;
        }
        let frames = self.written as f64 / self.max_frames as f64;
        frames.max(self.bytes as f64 / self.max_bytes as f64)
    }

    /// The server has taken `received` frames of this session. A number that cannot be is ignored.
    pub(crate) fn confirm(&mut self, received: u64) {
        let Some(taken) = received.checked_sub(self.confirmed) else { return };
        let Ok(taken) = usize::try_from(taken) else { return };
        if taken > self.written {
            return;
        }
        self.forget(taken);
        self.confirmed = received;
    }

    /// A new connection carries the session on after `received` frames: what was written beyond
    /// them is to be written again. Where the first of those closed the old connection
    /// (`poisoned`), it must not go out again, and is returned.
    pub(crate) fn rewind(&mut self, received: u64, poisoned: bool) -> Option<Entry> {
        self.confirm(received);
        let culprit = (poisoned && self.written > 0).then(|| self.entries.pop_front()).flatten();
        self.bytes -= culprit.as_ref().map_or(0, |entry| entry.frame.len());
        self.written = 0;
        culprit
    }

    /// Both counts start again: what was written is gone for good. Returns the requests whose
    /// frames are still to be written.
    pub(crate) fn restart(&mut self) -> HashSet<u64> {
        self.forget(self.written);
        self.confirmed = 0;
        self.entries.iter().map(|entry| entry.id).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        (self.written, self.bytes) = (0, 0);
    }

    fn forget(&mut self, count: usize) {
        for entry in self.entries.drain(..count) {
            self.bytes -= entry.frame.len();
        }
        self.written -= count;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(id: u64) -> Entry {
        Entry { id, frame: Frame::from_text(format!("{{\"id\":{id}}}")) }
    }

    fn written(outbox: &mut Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.next()).map(|frame| frame.as_str().to_owned()).collect()
    }

    #[test]
    fn it_is_bounded_by_frames_and_by_bytes() {
        let mut outbox = Outbox::new(2, 1000);
        assert!(outbox.push(entry(1)).is_ok());
        assert!(outbox.push(entry(2)).is_ok());
        assert_eq!(outbox.push(entry(3)).unwrap_err().id, 3);
        let mut outbox = Outbox::new(100, 10);
        assert!(outbox.push(entry(123_456_789)).is_ok(), "an empty box has room for any");
        assert!(outbox.push(entry(1)).is_err());
    }

    #[test]
    fn a_culprit_is_taken_out() {
        let mut outbox = Outbox::new(10, 1000);
        for id in 1..=3 {
            outbox.push(entry(id)).unwrap();
        }
        written(&mut outbox);
        assert_eq!(outbox.rewind(1, true).unwrap().id, 2);
        assert_eq!(written(&mut outbox), [r#"{"id":3}"#]);
    }

    #[test]
    fn a_restart_keeps_what_was_never_written() {
        let mut outbox = Outbox::new(10, 1000);
        for id in 1..=3 {
            outbox.push(entry(id)).unwrap();
        }
        outbox.next().unwrap();
        assert_eq!(outbox.restart(), HashSet::from([2, 3]));
        assert_eq!(written(&mut outbox).len(), 2);
    }

    #[test]
    fn impossible_counts_are_ignored() {
        let mut outbox = Outbox::new(10, 1000);
        outbox.push(entry(1)).unwrap();
        outbox.push(entry(2)).unwrap();
        outbox.next().unwrap();
        outbox.confirm(2);
        outbox.confirm(u64::MAX);
        assert_eq!(outbox.rewind(0, false).map(|entry| entry.id), None);
        assert_eq!(written(&mut outbox).len(), 2);
    }

    proptest! {
        /// Whatever is cut where: the server takes each frame once and in order.
        #[test]
        fn cut_anywhere(steps in prop::collection::vec((0_u8..4, 0_usize..6), 1..200)) {
            let mut outbox = Outbox::new(64, 100_000);
            let (mut pushed, mut taken, mut on_the_way) = (0_u64, Vec::new(), VecDeque::new());
            for (step, count) in steps {
                match step {
                    0 => for _ in 0..count {
                        if outbox.push(entry(pushed)).is_ok() {
                            pushed += 1;
                        }
                    },
                    1 => on_the_way.extend((0..count).map_while(|_| outbox.next())),
                    2 => taken.extend((0..count).map_while(|_| on_the_way.pop_front())),
                    _ => {
                        if count > 2 {
                            on_the_way.clear();
                            outbox.rewind(taken.len() as u64, false);
                        } else {
                            outbox.confirm(taken.len() as u64);
                        }
                    }
                }
            }
            on_the_way.extend(std::iter::from_fn(|| outbox.next()));
            taken.extend(on_the_way);
            let wanted: Vec<_> = (0..pushed).map(|id| entry(id).frame).collect();
            prop_assert_eq!(taken, wanted);
        }
    }
}
