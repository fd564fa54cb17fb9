//! Where the numbers of a random test begin.

use std::{
    env,
    time::{SystemTime, UNIX_EPOCH},
};

/// The seed for a [`Random`](crate::Random): that of the variable `NOOM_SEED`, or another one each
/// time. Whoever uses it prints it, so that a run which failed can be had again.
pub fn seed() -> u64 {
    match env::var("NOOM_SEED") {
        Ok(seed) => seed.parse().unwrap_or_else(|_| panic!("NOOM_SEED is no number: {seed}")),
        // Few digits, to be typed.
        Err(_) => {
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64 % 1_000_000
        }
    }
}
