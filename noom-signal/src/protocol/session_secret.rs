//! The secret by which a client takes its session up again.

use std::{borrow::Borrow, fmt};

use serde::{Deserialize, Serialize};

use super::peer_id::random_text;

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

    pub(crate) fn random() -> Self {
        Self(random_text().into())
    }

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
