//! Who is let in, by how many there are and where they come from.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::{admission::Refused, lock};
use crate::Limits;

/// Counts connections, in all and by address, and remembers addresses that guess at tokens.
#[derive(Debug, Default)]
pub(super) struct Door {
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    open: usize,
    addresses: HashMap<IpAddr, Visitor>,
    /// How many of `addresses` have no connection, and are there for their failures only.
    remembered: usize,
}

#[derive(Debug)]
struct Visitor {
    open: usize,
    failures: u32,
    last_failure: Instant,
}

/// How many addresses are remembered for nothing but their failures.
const REMEMBERED: usize = 16 * 1024;
/// How long a failure is remembered.
const MEMORY: Duration = Duration::from_secs(600);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(3);
/// When it is worth knocking again at a full house.
const FULL_RETRY: Duration = Duration::from_secs(5);

/// One connection's place. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Pass {
    door: Arc<Door>,
    address: Option<IpAddr>,
}

impl Door {
    pub(super) fn enter(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        limits: &Limits,
        now: Instant,
    ) -> Result<Pass, Refused> {
        let address = address.map(network);
        let mut inside = lock(&self.inside);
        let full = |open: usize, most: usize| most > 0 && open >= most;
        if full(inside.open, limits.connections) {
            return Err(Refused::Full { retry_after: FULL_RETRY });
        }
        if let Some(address) = address {
            let visitor = inside.addresses.entry(address).or_insert_with(|| Visitor::new(now));
            if full(visitor.open, limits.connections_per_address) {
                return Err(Refused::TooManyFromAddress { retry_after: FULL_RETRY });
            }
            visitor.open += 1;
            if visitor.open == 1 && visitor.failures > 0 {
                inside.remembered -= 1;
            }
        }
        inside.open += 1;
        drop(inside);
        Ok(Pass { door: self.clone(), address })
    }
}

impl Pass {
    /// How long a `hello` from here must wait to be looked at. Honest clients of an address from
    /// which somebody guesses are slowed down too, but never locked out.
    pub(super) fn delay(&self, limits: &Limits, now: Instant) -> Duration {
        let Some(address) = self.address else { return Duration::ZERO };
        let inside = lock(&self.door.inside);
        let failures = inside.addresses.get(&address).map_or(0, |v| v.remembered(now));
        match failures.checked_sub(limits.failed_hellos) {
            None => Duration::ZERO,
            Some(over) => (FIRST_DELAY * 2_u32.pow(over.min(10))).min(LONGEST_DELAY),
        }
    }

    /// A `hello` from here was refused.
    pub(super) fn fail(&self, now: Instant) {
        let Some(address) = self.address else { return };
        if let Some(visitor) = lock(&self.door.inside).addresses.get_mut(&address) {
            visitor.failures = visitor.remembered(now).saturating_add(1);
            visitor.last_failure = now;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = lock(&self.door.inside);
        inside.open -= 1;
        let Some(address) = self.address else { return };
        let Some(visitor) = inside.addresses.get_mut(&address) else { return };
        visitor.open -= 1;
        if visitor.open > 0 {
            return;
        }
        if visitor.failures == 0 {
            inside.addresses.remove(&address);
            return;
        }
        inside.remembered += 1;
        if inside.remembered > REMEMBERED {
            // Seldom, since it takes so many failures: all are forgiven, the oldest and the newest.
            inside.addresses.retain(|_, visitor| visitor.open > 0);
            inside.remembered = 0;
        }
    }
}

impl Visitor {
    fn new(now: Instant) -> Self {
        Self { open: 0, failures: 0, last_failure: now }
    }

    fn remembered(&self, now: Instant) -> u32 {
        if now < self.last_failure + MEMORY { self.failures } else { 0 }
    }
}

/// An IPv6 client owns the lower half of its address, and would else be as many clients as it
/// likes.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { connections: 3, connections_per_address: 2, failed_hellos: 2, ..Limits::default() }
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let (door, now) = (Arc::new(Door::default()), Instant::now());
        let enter = |from| door.enter(address(from), &limits(), now);
        let first = enter("192.0.2.1").unwrap();
        let _second = enter("192.0.2.1").unwrap();
        assert!(matches!(enter("192.0.2.1"), Err(Refused::TooManyFromAddress { .. })));
        let _third = enter("192.0.2.2").unwrap();
        assert!(matches!(enter("192.0.2.3"), Err(Refused::Full { .. })));
        drop(first);
        assert!(enter("192.0.2.1").is_ok());
        assert_eq!(lock(&door.inside).addresses.len(), 2);
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let (door, now) = (Arc::new(Door::default()), Instant::now());
        let enter = |from| door.enter(address(from), &limits(), now);
        let _a = enter("2001:db8::1").unwrap();
        let _b = enter("2001:db8::2").unwrap();
        assert!(enter("2001:db8::3").is_err());
        assert!(enter("2001:db8:0:1::3").is_ok());
    }

    #[test]
    fn guessing_gets_slower_and_is_forgiven_in_time() {
        let (door, now) = (Arc::new(Door::default()), Instant::now());
        let pass = door.enter(address("192.0.2.1"), &limits(), now).unwrap();
        let mut delays = Vec::new();
        for _ in 0..10 {
            delays.push(pass.delay(&limits(), now).as_millis());
            pass.fail(now);
        }
        assert_eq!(delays, [0, 0, 100, 200, 400, 800, 1600, 3000, 3000, 3000]);
        // A new connection of the same address is no fresh start.
        drop(pass);
        let pass = door.enter(address("192.0.2.1"), &limits(), now).unwrap();
        assert_eq!(pass.delay(&limits(), now), LONGEST_DELAY);
        assert_eq!(pass.delay(&limits(), now + MEMORY), Duration::ZERO);
        let other = door.enter(address("192.0.2.2"), &limits(), now).unwrap();
        assert_eq!(other.delay(&limits(), now), Duration::ZERO);
    }
}
