//! When to ask for a sign of life, and when to give a link up.

use std::time::Duration;

use tokio::time::Instant;

/// Notices a link that is dead though nobody closed it: TCP says nothing for minutes.
///
/// A ping is due once an interval. The link is dead when nothing at all has come for the pong's time
/// after a ping, or for two intervals.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    every: Duration,
    pong: Duration,
    next_ping: Instant,
    heard: Instant,
    /// When a sign of life is due, once one was asked for.
    due: Option<Instant>,
}

impl Heartbeat {
    pub(crate) fn new(every: Duration, pong: Duration, now: Instant) -> Self {
        Self { every, pong: pong.min(every), next_ping: now + every, heard: now, due: None }
    }

    /// Something came in.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.due = None;
    }

    /// Whether a ping is to be sent now; it counts as sent from here on.
    pub(crate) fn ping(&mut self, now: Instant) -> bool {
        if now < self.next_ping {
            return false;
        }
        self.next_ping = now + self.every;
        // A deadline that runs is not put off by another ping.
        self.due.get_or_insert(now + self.pong);
        true
    }

    /// When the next ping is due.
    pub(crate) fn next_ping(&self) -> Instant {
        self.next_ping
    }

    /// From when on the link counts as dead, if nothing comes.
    pub(crate) fn dead_at(&self) -> Instant {
        let silence = self.heard + 2 * self.every;
        self.due.map_or(silence, |due| due.min(silence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(25);
    const PONG: Duration = Duration::from_secs(10);

    #[test]
    fn an_overdue_pong_is_a_dead_link() {
        let start = Instant::now();
        let mut beat = Heartbeat::new(EVERY, PONG, start);
        assert!(!beat.ping(start + EVERY - Duration::from_millis(1)));
        assert_eq!(beat.dead_at(), start + 2 * EVERY);
        assert!(beat.ping(start + EVERY));
        assert!(!beat.ping(start + EVERY));
        assert_eq!(beat.dead_at(), start + EVERY + PONG);
    }

    #[test]
    fn anything_that_comes_is_a_sign_of_life() {
        let start = Instant::now();
        let mut beat = Heartbeat::new(EVERY, PONG, start);
        assert!(beat.ping(start + EVERY));
        let heard = start + EVERY + Duration::from_secs(9);
        beat.heard(heard);
        assert_eq!(beat.dead_at(), heard + 2 * EVERY);
        assert_eq!(beat.next_ping(), start + 2 * EVERY);
    }

    #[test]
    fn pings_do_not_put_the_deadline_off() {
        let start = Instant::now();
        let mut beat = Heartbeat::new(Duration::from_secs(2), PONG, start);
        // The pong's time is one interval at most.
        assert!(beat.ping(start + Duration::from_secs(2)));
        assert!(beat.ping(start + Duration::from_secs(4)));
        assert_eq!(beat.dead_at(), start + Duration::from_secs(4));
    }
}
