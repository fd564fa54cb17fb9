//! Who the application says a peer is.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// An identity that the application's authenticator established: 1 to 256 bytes of UTF-8.
///
/// Members see it beside a peer's id and may trust it as far as they trust the server; a client
/// cannot set it. Several peers may share one (a person on two devices).
///
/// ```
/// use noom_signal::protocol::UserId;
///
/// let user: UserId = "mina@example.com".parse()?;
/// assert_eq!(user.as_str(), "mina@example.com");
/// # Ok::<_, noom_signal::protocol::InvalidUserId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct UserId(Arc<str>);

/// The text is empty or over 256 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a user id is 1 to 256 bytes")]
pub struct InvalidUserId;

impl UserId {
    /// The longest user id, in bytes of UTF-8. It is bounded since it stands in every roster.
    pub const MAX_BYTES: usize = 256;

    /// The identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = InvalidUserId;

    fn from_str(text: &str) -> Result<Self, InvalidUserId> {
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            return Err(InvalidUserId);
        }
        Ok(Self(text.into()))
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}
