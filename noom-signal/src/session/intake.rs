//! What one peer has sent, and whether it may send more.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::Limits;

/// A session's incoming side: the count, the rate and the strikes. They belong to the session, not
/// to a connection, so that reconnecting forgives nothing.
#[derive(Debug)]
pub(crate) struct Intake {
    received: u64,
    messages: Bucket,
    bytes: Bucket,
    /// When the present run of refusals began and had its last, where less than a second lies
    /// between any two.
    refusing: Option<(Instant, Instant)>,
    strikes: VecDeque<Instant>,
}

/// An intake on its way to another node. Times are ages, in milliseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PackedIntake {
    received: u64,
    messages: f64,
    bytes: f64,
    strikes: Vec<u64>,
}

/// Whether a message is within the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    Within,
    /// Refused; when it is worth trying again.
    Over {
        retry_after: Duration,
    },
    /// Refused for so long that the connection goes.
    Relentless {
        retry_after: Duration,
    },
}

/// How long refusals may go on without a second's pause.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_secs(1);
/// How long an unreadable message is remembered.
const STRIKE: Duration = Duration::from_secs(60);

impl Intake {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            received: 0,
            messages: Bucket::full(limits.burst, now),
            bytes: Bucket::full(limits.byte_burst, now),
            refusing: None,
            strikes: VecDeque::new(),
        }
    }

    /// All that another node needs to go on.
    pub(crate) fn pack(&self, now: Instant) -> PackedIntake {
        let age = |&at: &Instant| now.saturating_duration_since(at).as_millis() as u64;
        PackedIntake {
            received: self.received,
            messages: self.messages.tokens,
            bytes: self.bytes.tokens,
            strikes: self.strikes.iter().map(age).collect(),
        }
    }

    /// Goes on where another node stopped.
    pub(crate) fn unpack(packed: PackedIntake, now: Instant) -> Self {
        let bucket = |tokens| Bucket { tokens, refilled: now };
        let at = |&age: &u64| now.checked_sub(Duration::from_millis(age));
        Self {
            received: packed.received,
            messages: bucket(packed.messages),
            bytes: bucket(packed.bytes),
            refusing: None,
            strikes: packed.strikes.iter().filter_map(at).collect(),
        }
    }

    /// How many of the client's frames were taken.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// One more was.
    pub(crate) fn count(&mut self) {
        self.received += 1;
    }

    /// Counting starts again; the strikes and the rate stay.
    pub(crate) fn restart(&mut self) {
        self.received = 0;
    }

    /// Takes a message of so many bytes out of the buckets.
    pub(crate) fn rate(&mut self, limits: &Limits, bytes: usize, now: Instant) -> Rate {
        let messages = self.messages.wait(1.0, limits.messages_per_second, limits.burst, now);
        let wanted = bytes as f64;
        let bytes = self.bytes.wait(wanted, limits.bytes_per_second, limits.byte_burst, now);
        let retry_after = messages.max(bytes);
        if retry_after.is_zero() {
            self.messages.tokens -= 1.0;
            self.bytes.tokens -= wanted;
            return Rate::Within;
        }
        let began = match self.refusing {
            Some((began, last)) if now < last + PAUSE => began,
            _ => now,
        };
        self.refusing = Some((began, now));
        if now >= began + PATIENCE {
            self.refusing = None;
            return Rate::Relentless { retry_after };
        }
        Rate::Over { retry_after }
    }

    /// Notes an unreadable message. Returns whether it was one too many.
    pub(crate) fn strike(&mut self, limits: &Limits, now: Instant) -> bool {
        while self.strikes.front().is_some_and(|&at| now >= at + STRIKE) {
            self.strikes.pop_front();
        }
        self.strikes.push_back(now);
        if self.strikes.len() <= limits.bad_messages {
            return false;
        }
        self.strikes.pop_front();
        true
    }
}

/// A token bucket.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    refilled: Instant,
}

impl Bucket {
    fn full(burst: u32, now: Instant) -> Self {
        Self { tokens: f64::from(burst), refilled: now }
    }

    /// How long until it holds so much. A rate of zero never makes anyone wait.
    fn wait(&mut self, wanted: f64, per_second: u32, burst: u32, now: Instant) -> Duration {
        if per_second == 0 {
            self.tokens = f64::MAX;
            return Duration::ZERO;
        }
        let rate = f64::from(per_second);
        let elapsed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + elapsed * rate).min(f64::from(burst));
        self.refilled = now;
        Duration::from_secs_f64((wanted - self.tokens).max(0.0) / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { messages_per_second: 10, burst: 3, bad_messages: 2, ..Limits::default() }
    }

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let mut intake = Intake::new(&limits(), start);
        for _ in 0..3 {
            assert_eq!(intake.rate(&limits(), 10, start), Rate::Within);
        }
        let Rate::Over { retry_after } = intake.rate(&limits(), 10, start) else { panic!() };
        assert_eq!(retry_after, Duration::from_millis(100));
        let later = start + Duration::from_millis(101);
        assert_eq!(intake.rate(&limits(), 10, later), Rate::Within);
        assert!(matches!(intake.rate(&limits(), 10, later), Rate::Over { .. }));
    }

    #[test]
    fn bytes_have_a_bucket_of_their_own() {
        let limits = Limits {
            messages_per_second: 0,
            bytes_per_second: 1000,
            byte_burst: 5000,
            ..Limits::default()
        };
        let start = Instant::now();
        let mut intake = Intake::new(&limits, start);
        assert_eq!(intake.rate(&limits, 4000, start), Rate::Within);
        let Rate::Over { retry_after } = intake.rate(&limits, 3000, start) else { panic!() };
        assert_eq!(retry_after, Duration::from_secs(2));
        // A refused message took nothing.
        assert_eq!(intake.rate(&limits, 1000, start), Rate::Within);
    }

    #[test]
    fn ten_seconds_of_refusals_without_a_pause_are_relentless() {
        let mut intake = Intake::new(&limits(), Instant::now());
        let mut now = Instant::now();
        let mut flood = |now, want_relentless| {
            let mut last = Rate::Within;
            for _ in 0..100 {
                last = intake.rate(&limits(), 10, now);
            }
            assert_eq!(matches!(last, Rate::Relentless { .. }), want_relentless);
        };
        for _ in 0..11 {
            flood(now, false);
            now += Duration::from_millis(900);
        }
        // A full second without a refusal starts anew.
        now += Duration::from_millis(150);
        for _ in 0..11 {
            flood(now, false);
            now += Duration::from_millis(900);
        }
        flood(now, false);
        now += Duration::from_millis(200);
        let mut relentless = false;
        for _ in 0..100 {
            relentless |= matches!(intake.rate(&limits(), 10, now), Rate::Relentless { .. });
        }
        assert!(relentless);
    }

    #[test]
    fn strikes_pass_after_a_minute() {
        let start = Instant::now();
        let mut intake = Intake::new(&limits(), start);
        assert!(!intake.strike(&limits(), start));
        assert!(!intake.strike(&limits(), start + Duration::from_secs(59)));
        assert!(!intake.strike(&limits(), start + Duration::from_secs(60)));
        assert!(intake.strike(&limits(), start + Duration::from_secs(61)));
    }
}
