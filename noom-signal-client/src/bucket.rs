//! The server's rate limit, kept on this side.

use std::time::Duration;

use tokio::time::Instant;

/// What a session may send, so that a backlog (after a reconnect, say) is spread instead of refused.
///
/// It stays a tenth below what the server allows: the two clocks differ, and so does the time that
/// frames take.
#[derive(Debug)]
pub(crate) struct Bucket {
    messages: Tokens,
    bytes: Tokens,
}

/// The rates of a server. A rate of 0 is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) messages_per_second: u32,
    pub(crate) burst: u32,
    pub(crate) bytes_per_second: u32,
    pub(crate) byte_burst: u32,
}

impl Bucket {
    /// A full bucket, as a new session has it.
    pub(crate) fn full(rates: Rates, now: Instant) -> Self {
        Self {
            messages: Tokens::full(rates.messages_per_second, rates.burst, now),
            bytes: Tokens::full(rates.bytes_per_second, rates.byte_burst, now),
        }
    }

    /// Takes the right to send one frame of so many bytes.
    ///
    /// # Errors
    ///
    /// How long to wait before asking again.
    pub(crate) fn take(&mut self, bytes: usize, now: Instant) -> Result<(), Duration> {
        let bytes = bytes as f64;
        let wait = self.messages.wait(1.0, now).max(self.bytes.wait(bytes, now));
        if wait.is_zero() {
            self.messages.left -= 1.0;
            self.bytes.left -= bytes;
            return Ok(());
        }
        // Never so short that a timer fires before the token is there.
        Err(wait.max(Duration::from_millis(1)))
    }

    /// The server says that its bucket is empty.
    pub(crate) fn drain(&mut self, now: Instant) {
        self.messages.drain(now);
    }
}

#[derive(Debug)]
struct Tokens {
    per_second: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

/// How much of the server's rate is used.
const SHARE: f64 = 0.9;

impl Tokens {
    fn full(per_second: u32, burst: u32, now: Instant) -> Self {
        let burst = (SHARE * f64::from(burst)).floor().max(1.0);
        Self { per_second: SHARE * f64::from(per_second), burst, left: burst, at: now }
    }

    fn wait(&mut self, wanted: f64, now: Instant) -> Duration {
        if self.per_second == 0.0 {
            return Duration::ZERO;
        }
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + elapsed * self.per_second).min(self.burst);
        self.at = now;
        // One larger than the whole bucket goes when the bucket is full, for the server to judge.
        let missing = wanted.min(self.burst) - self.left;
        Duration::from_secs_f64(missing.max(0.0) / self.per_second)
    }

    fn drain(&mut self, now: Instant) {
        self.left = self.left.min(0.0);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates =
        Rates { messages_per_second: 100, burst: 40, bytes_per_second: 0, byte_burst: 0 };

    /// How many frames go out at once.
    fn burst(bucket: &mut Bucket, bytes: usize, now: Instant) -> usize {
        (0..10_000).take_while(|_| bucket.take(bytes, now).is_ok()).count()
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RATES, start);
        assert_eq!(burst(&mut bucket, 1, start), 36);
        let wait = bucket.take(1, start).unwrap_err();
        assert!(bucket.take(1, start + wait + Duration::from_micros(1)).is_ok());
        let later = start + Duration::from_secs(1);
        assert_eq!(burst(&mut bucket, 1, later), 36);
    }

    #[test]
    fn no_second_sees_more_than_the_server_takes() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RATES, start);
        let mut sent = 0;
        for millis in 0..10_000 {
            sent += burst(&mut bucket, 1, start + Duration::from_millis(millis));
        }
        assert!(sent <= 36 + 10 * 90, "{sent}");
        assert!(sent >= 30 + 10 * 89, "{sent}");
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Rates::default(), start);
        assert_eq!(burst(&mut bucket, 1_000_000, start), 10_000);
    }

    #[test]
    fn bytes_are_limited_too() {
        let start = Instant::now();
        let rates = Rates { bytes_per_second: 1000, byte_burst: 10_000, ..Rates::default() };
        let mut bucket = Bucket::full(rates, start);
        assert_eq!(burst(&mut bucket, 1000, start), 9);
        // One larger than the whole bucket is not held for ever.
        assert!(bucket.take(1_000_000, start + Duration::from_secs(11)).is_ok());
    }

    #[test]
    fn a_refusal_empties_it() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RATES, start);
        bucket.drain(start);
        assert!(bucket.take(1, start).is_err());
        assert!(bucket.take(1, start + Duration::from_millis(12)).is_ok());
    }
}
