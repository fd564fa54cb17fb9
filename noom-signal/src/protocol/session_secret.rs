//! The secret by which a client takes its session up again.

use std::{borrow::Borrow, fmt};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::room::NodeId;

/// A session's secret: at least 128 random bits, the same for the session's life, told to its
/// client alone.
///
/// `Debug` does not show it, so that it cannot slip into a log.
///
/// ```
/// use noom_signal::protocol::SessionSecret;
///
/// let secret = SessionSecret::new("s3cr3t");
/// assert_eq!(secret.reveal(), "s3cr3t");
/// assert_eq!(format!("{secret:?}"), "SessionSecret(…)");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct SessionSecret(Box<str>);

impl SessionSecret {
    /// A secret that a server issued, or that a client claims one did.
    pub fn new(secret: impl Into<Box<str>>) -> Self {
        Self(secret.into())
    }

    /// 128 bits from the operating system, and the node at which the session begins.
    ///
    /// Panics if the operating system has no randomness to give: there is no safe way to go on.
    #[allow(clippy::expect_used)]
    pub(crate) fn random(node: NodeId) -> Self {
        let mut bits = [0; Self::BYTES];
        let (random, place) = bits.split_at_mut(Self::RANDOM);
        getrandom::fill(random).expect("the operating system gives random numbers");
        place.copy_from_slice(&node.0.to_be_bytes());
        Self(URL_SAFE_NO_PAD.encode(bits).into())
    }

    /// The node at which the session with that secret began; `None` where no node of this kind has
    /// issued it.
    pub(crate) fn birthplace(secret: &str) -> Option<NodeId> {
        let bits = URL_SAFE_NO_PAD.decode(secret).ok()?;
        let place = bits.get(Self::RANDOM..)?.try_into().ok()?;
        Some(NodeId(u64::from_be_bytes(place)))
    }

    const RANDOM: usize = 16;
    const BYTES: usize = Self::RANDOM + size_of::<NodeId>();

    /// The secret itself, to be written to its client and nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for SessionSecret {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_the_session_began() {
        let (a, b) = (SessionSecret::random(NodeId(7)), SessionSecret::random(NodeId(u64::MAX)));
        assert_eq!(SessionSecret::birthplace(a.reveal()), Some(NodeId(7)));
        assert_eq!(SessionSecret::birthplace(b.reveal()), Some(NodeId(u64::MAX)));
        assert_ne!(a.reveal()[..21], b.reveal()[..21]);
        for foreign in ["", "s3cr3t", "!", &"A".repeat(31), &"A".repeat(33), &"A".repeat(4000)] {
            assert_eq!(SessionSecret::birthplace(foreign), None, "{foreign}");
        }
    }
}
