//! How long to wait before the next attempt.

use std::time::Duration;

/// Nothing before the first attempt, then a random part of a bound that doubles.
///
/// The whole range is random ("full jitter"), so that the clients of a server that died do not come
/// back in waves.
#[derive(Debug)]
pub(crate) struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, failures: 0 }
    }

    /// The wait before the next attempt. `random` is from 0 to 1.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        if failures == 0 {
            return Duration::ZERO;
        }
        let factor = 1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap).mul_f64(random.clamp(0.0, 1.0))
    }

    /// The connection held: the next attempt is a first one again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(Duration::from_millis(500), Duration::from_secs(20))
    }

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let mut backoff = backoff();
        let bounds: Vec<_> = (0..9).map(|_| backoff.next(1.0).as_millis()).collect();
        assert_eq!(bounds, [0, 500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
        backoff.reset();
        assert_eq!(backoff.next(1.0), Duration::ZERO);
        assert_eq!(backoff.next(0.5), Duration::from_millis(250));
    }

    proptest! {
        #[test]
        fn no_wait_is_over_the_cap(randoms in prop::collection::vec(0.0..=1.0, 1..100)) {
            let mut backoff = backoff();
            for random in randoms {
                prop_assert!(backoff.next(random) <= Duration::from_secs(20));
            }
        }
    }
}
