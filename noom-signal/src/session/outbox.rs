//! What waits for one peer, and what it may yet ask for again.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{Limits, protocol::Frame};

/// A session's frames, in order: those sent but not confirmed, then those not sent yet.
///
/// Every counted frame has a number, its position in the session from 1 on. It stays here until the
/// client says that it was taken, so that a client that comes back gets all it has missed. Two
/// bounds hold at all times:
///
/// - What waits to be sent on a live connection is at most `outbound_bytes`; one frame more and
///   the connection is *overrun*, to be closed.
/// - What is kept beyond that is at most `resume_frames` and `resume_bytes`. The oldest goes
///   first, and whoever still needed it is told (`"partial"`).
///
/// Frames that are not counted (`pong`, `goaway`, `lobby`) belong to a connection and go with it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    /// Counted frames from number `first + 1` on.
    frames: VecDeque<Frame>,
    /// How many counted frames came before those kept here.
    first: u64,
    /// How many of `frames` the current connection was given.
    sent: usize,
    bytes: usize,
    /// Bytes not sent yet, of both kinds.
    waiting: usize,
    /// Uncounted frames, each with the number of counted ones that go before it.
    #[serde(skip)]
    loose: VecDeque<(u64, Frame)>,
    /// How much of `waiting` is no fault of the client's: what a resume sends again, and rosters.
    allowance: usize,
    connected: bool,
    /// After a `"partial"`: the count that the client named then. Until it has shown that it heard of
    /// that, it may name the same again, and mean the old count.
    stale: Option<u64>,
    /// Something was lost that the count cannot tell; a resume is `"partial"`.
    broken: bool,
}

/// How a push went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Fine,
    /// The connection reads too slowly and is given up.
    Overrun,
}

/// How a resume goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rewound {
    /// All that was missed will be sent again.
    Full,
    /// Something was lost; the count starts at zero.
    Partial,
}

impl Outbox {
    /// Adds a counted frame.
    pub(crate) fn push(&mut self, frame: Frame, limits: &Limits) -> Pushed {
        self.bytes += frame.len();
        self.waiting += frame.len();
        self.frames.push_back(frame);
        self.settle(limits)
    }

    /// Adds a frame that goes with this connection; without one it is dropped.
    pub(crate) fn push_loose(&mut self, frame: Frame, limits: &Limits) -> Pushed {
        if !self.connected {
            return Pushed::Fine;
        }
        self.waiting += frame.len();
        self.loose.push_back((self.first + self.frames.len() as u64, frame));
        self.settle(limits)
    }

    /// The next frame for the current connection.
    pub(crate) fn pop(&mut self, limits: &Limits) -> Option<Frame> {
        if !self.connected {
            return None;
        }
        let next = self.first + self.sent as u64;
        if self.loose.front().is_some_and(|&(after, _)| after <= next) {
            let (_, frame) = self.loose.pop_front()?;
            self.written(frame.len());
            return Some(frame);
        }
        let frame = self.frames.get(self.sent)?.clone();
        self.sent += 1;
        self.written(frame.len());
        self.trim(limits);
        Some(frame)
    }

    /// Forgets what the client has taken: all up to number `received`. A number that was never
    /// sent is ignored.
    pub(crate) fn confirm(&mut self, received: u64) {
        if received > self.first + self.sent as u64 {
            return;
        }
        while self.first < received {
            self.forget_oldest();
        }
    }

    /// The client has heard how its resume went.
    pub(crate) fn heard(&mut self) {
        self.stale = None;
    }

    /// Lets so many bytes wait beyond what a slow client may have waiting.
    pub(crate) fn allow(&mut self, bytes: usize) {
        self.allowance += bytes;
    }

    /// The connection is gone; what follows waits for the next.
    pub(crate) fn disconnect(&mut self, limits: &Limits) {
        self.connected = false;
        self.loose.clear();
        self.trim(limits);
    }

    /// A new connection, of a client that has taken `received` frames; the first has taken none.
    pub(crate) fn reconnect(&mut self, received: u64) -> Rewound {
        let possible = self.first..=self.first + self.sent as u64;
        let doubtful = self.broken || self.stale == Some(received);
        let rewound = if doubtful || !possible.contains(&received) {
            *self = Self { stale: Some(received), ..Self::default() };
            Rewound::Partial
        } else {
            self.confirm(received);
            self.sent = 0;
            self.loose.clear();
            self.waiting = self.bytes;
            self.allowance = self.bytes;
            Rewound::Full
        };
        self.connected = true;
        rewound
    }

    /// A frame for this peer was lost elsewhere: it must be told, so the connection is given up
    /// and the next resume is `"partial"`.
    pub(crate) fn lose(&mut self) {
        self.broken = true;
        self.connected = false;
        self.frames.clear();
        self.loose.clear();
        (self.bytes, self.sent) = (0, 0);
    }

    /// Puts what another node had for the client before what has come here since. Neither has a
    /// connection.
    pub(crate) fn continue_from(&mut self, earlier: Self, limits: &Limits) {
        let since = std::mem::replace(self, earlier);
        // What was dropped there was younger than all that comes before it here.
        self.broken |= since.broken || since.first > 0;
        for frame in since.frames {
            self.push(frame, limits);
        }
    }

    fn settle(&mut self, limits: &Limits) -> Pushed {
        let most = limits.outbound_bytes.saturating_add(self.allowance);
        let overrun = self.connected && self.waiting > most;
        if overrun {
            self.disconnect(limits);
            return Pushed::Overrun;
        }
        self.trim(limits);
        Pushed::Fine
    }

    fn written(&mut self, bytes: usize) {
        self.waiting -= bytes;
        self.allowance = self.allowance.saturating_sub(bytes);
    }

    /// Keeps what is only kept within its bounds.
    fn trim(&mut self, limits: &Limits) {
        while self.frames.len() > limits.resume_frames || self.bytes > limits.resume_bytes {
            if self.sent == 0 && self.connected {
                // All of it is on its way to a connection that keeps up.
                return;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.first += 1;
            self.bytes -= frame.len();
            match self.sent.checked_sub(1) {
                Some(sent) => self.sent = sent,
                None => self.waiting = self.waiting.saturating_sub(frame.len()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { resume_frames: 4, resume_bytes: 40, outbound_bytes: 100, ..Limits::default() }
    }

    fn frame(n: u64) -> Frame {
        Frame::from_text(format!("\"{n:08}\""))
    }

    fn drain(outbox: &mut Outbox) -> Vec<u64> {
        let frames = std::iter::from_fn(|| outbox.pop(&limits()));
        frames.map(|frame| frame.as_str().trim_matches('"').parse().unwrap()).collect()
    }

    #[test]
    fn what_was_not_confirmed_is_sent_again() {
        let mut outbox = Outbox::default();
        outbox.reconnect(0);
        for n in 1..=3 {
            outbox.push(frame(n), &limits());
        }
        assert_eq!(drain(&mut outbox), [1, 2, 3]);
        outbox.confirm(1);
        outbox.disconnect(&limits());
        outbox.push(frame(4), &limits());
        assert_eq!(outbox.reconnect(2), Rewound::Full);
        assert_eq!(drain(&mut outbox), [3, 4]);
    }

    #[test]
    fn a_full_buffer_drops_its_oldest_and_says_so() {
        let mut outbox = Outbox::default();
        outbox.reconnect(0);
        outbox.push(frame(1), &limits());
        assert_eq!(drain(&mut outbox), [1]);
        outbox.disconnect(&limits());
        for n in 2..=5 {
            outbox.push(frame(n), &limits());
        }
        // Frame 1 went; a client that has it misses nothing.
        assert_eq!(outbox.reconnect(1), Rewound::Full);
        assert_eq!(drain(&mut outbox), [2, 3, 4, 5]);
        outbox.disconnect(&limits());
        outbox.push(frame(6), &limits());
        assert_eq!(outbox.reconnect(1), Rewound::Partial);
        assert!(drain(&mut outbox).is_empty());
        outbox.push(frame(7), &limits());
        outbox.disconnect(&limits());
        assert_eq!(outbox.reconnect(0), Rewound::Full);
        assert_eq!(drain(&mut outbox), [7]);
    }

    #[test]
    fn a_partial_that_was_never_heard_of_is_partial_again() {
        let mut outbox = Outbox::default();
        outbox.reconnect(0);
        outbox.disconnect(&limits());
        for n in 1..=5 {
            outbox.push(frame(n), &limits());
        }
        assert_eq!(outbox.reconnect(0), Rewound::Partial);
        // The hello is lost with its connection; the client still names the old count.
        outbox.push(frame(6), &limits());
        outbox.disconnect(&limits());
        assert_eq!(outbox.reconnect(0), Rewound::Partial);
        outbox.push(frame(7), &limits());
        assert_eq!(drain(&mut outbox), [7]);
        // This time it was heard: the client counts anew.
        outbox.heard();
        outbox.disconnect(&limits());
        assert_eq!(outbox.reconnect(0), Rewound::Full);
    }

    #[test]
    fn what_is_sent_again_is_not_held_against_the_client() {
        let wide = Limits { resume_bytes: 1000, resume_frames: 100, ..limits() };
        let mut outbox = Outbox::default();
        outbox.reconnect(0);
        outbox.disconnect(&wide);
        for n in 1..=15 {
            outbox.push(frame(n), &wide);
        }
        assert_eq!(outbox.reconnect(0), Rewound::Full);
        assert_eq!(outbox.push(frame(16), &wide), Pushed::Fine);
        outbox.allow(200);
        for n in 17..=45 {
            assert_eq!(outbox.push(frame(n), &wide), Pushed::Fine, "{n}");
        }
        assert_eq!(outbox.push(frame(46), &wide), Pushed::Overrun);
    }

    #[test]
    fn what_another_node_had_comes_first() {
        let mut there = Outbox::default();
        there.reconnect(0);
        for n in 1..=3 {
            there.push(frame(n), &limits());
        }
        drain(&mut there);
        there.confirm(1);
        there.disconnect(&limits());
        let text = serde_json::to_string(&there).unwrap();
        let mut here = Outbox::default();
        here.push(frame(4), &limits());
        here.continue_from(serde_json::from_str(&text).unwrap(), &limits());
        assert_eq!(here.reconnect(2), Rewound::Full);
        assert_eq!(drain(&mut here), [3, 4]);
        // Where the buffer was too small for what came meanwhile, the client is told.
        let (mut there, mut here) = (Outbox::default(), Outbox::default());
        there.reconnect(0);
        there.disconnect(&limits());
        for n in 1..=5 {
            here.push(frame(n), &limits());
        }
        here.continue_from(there, &limits());
        assert_eq!(here.reconnect(0), Rewound::Partial);
        // What was lost here is lost, however much came along.
        let mut here = Outbox::default();
        here.lose();
        here.continue_from(Outbox::default(), &limits());
        assert_eq!(here.reconnect(0), Rewound::Partial);
    }

    #[test]
    fn an_impossible_count_is_partial_or_ignored() {
        let mut outbox = Outbox::default();
        outbox.reconnect(0);
        outbox.push(frame(1), &limits());
        outbox.push(frame(2), &limits());
        assert!(outbox.pop(&limits()).is_some());
        outbox.confirm(2);
        assert_eq!(drain(&mut outbox), [2]);
        outbox.disconnect(&limits());
        assert_eq!(outbox.reconnect(3), Rewound::Partial);
    }

    #[test]
    fn a_connection_that_does_not_read_is_overrun() {
        let mut outbox = Outbox::default();
        outbox.reconnect(0);
        for n in 1..=10 {
            assert_eq!(outbox.push(frame(n), &limits()), Pushed::Fine, "{n}");
        }
        assert_eq!(outbox.push(frame(11), &limits()), Pushed::Overrun);
        assert!(outbox.pop(&limits()).is_none());
        // From here on it is a session without a connection.
        assert_eq!(outbox.push(frame(12), &limits()), Pushed::Fine);
        assert!(outbox.frames.len() <= 4 && outbox.bytes <= 40);
        assert_eq!(outbox.reconnect(0), Rewound::Partial);
    }

    #[test]
    fn a_live_connection_gets_all_that_fits_its_outbound_limit() {
        let mut outbox = Outbox::default();
        outbox.reconnect(0);
        for n in 1..=9 {
            outbox.push(frame(n), &limits());
        }
        // More than resume_frames wait, and none is dropped.
        assert_eq!(drain(&mut outbox), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(outbox.frames.len(), 4);
    }

    #[test]
    fn uncounted_frames_keep_their_place_and_go_with_the_connection() {
        let mut outbox = Outbox::default();
        outbox.reconnect(0);
        outbox.push(frame(1), &limits());
        outbox.push_loose(frame(100), &limits());
        outbox.push(frame(2), &limits());
        assert_eq!(drain(&mut outbox), [1, 100, 2]);
        outbox.push_loose(frame(101), &limits());
        outbox.disconnect(&limits());
        outbox.push_loose(frame(102), &limits());
        assert_eq!(outbox.reconnect(0), Rewound::Full);
        assert_eq!(drain(&mut outbox), [1, 2]);
        assert_eq!(outbox.waiting, 0);
    }
}
