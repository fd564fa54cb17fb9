//! The name the server gives a peer.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A peer's public name: 1 to 64 characters of `A-Z a-z 0-9 _ -`, issued by the server, unique in
/// the whole cluster, never reused.
///
/// It says who sent a message; it proves nothing. The secret that lets a client take its session
/// up again is another value, told to that client alone.
///
/// Cloning shares one allocation.
///
/// ```
/// use noom_signal::protocol::PeerId;
///
/// let peer: PeerId = "Zm9v-peer_1".parse()?;
/// assert_eq!(peer.as_str(), "Zm9v-peer_1");
/// assert!("no spaces".parse::<PeerId>().is_err());
/// # Ok::<_, noom_signal::protocol::InvalidPeerId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct PeerId(Arc<str>);

/// The text is not a peer id: empty, over 64 characters, or with a character outside
/// `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a peer id is 1 to 64 characters of A-Z a-z 0-9 _ -")]
pub struct InvalidPeerId;

impl PeerId {
    /// The longest peer id, in characters.
    pub const MAX_LEN: usize = 64;

    /// The id of the session that has this secret: a hash of it, 128 bits in 22 characters.
    ///
    /// So the secret proves who a peer is on any node, and no node has to be told of it.
    pub(crate) fn of(secret: &str) -> Self {
        let hash = Sha256::digest(secret);
        Self(URL_SAFE_NO_PAD.encode(&hash[..16]).into())
    }

    /// The id under which the server itself sends into a room. No peer has it.
    pub fn server() -> Self {
        Self("server".into())
    }

    /// Whether this is the server itself.
    pub fn is_server(&self) -> bool {
        &*self.0 == "server"
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PeerId {
    type Err = InvalidPeerId;

    fn from_str(text: &str) -> Result<Self, InvalidPeerId> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if text.is_empty() || text.len() > Self::MAX_LEN || !text.bytes().all(allowed) {
            return Err(InvalidPeerId);
        }
        Ok(Self(text.into()))
    }
}

impl<'de> Deserialize<'de> for PeerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Borrow<str> for PeerId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert!("".parse::<PeerId>().is_err());
        assert!("a".repeat(64).parse::<PeerId>().is_ok());
        assert!("a".repeat(65).parse::<PeerId>().is_err());
        for bad in ["*", "a b", "é", "a\u{0}", "a/b"] {
            assert!(bad.parse::<PeerId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn random_ids_are_valid_and_differ() {
        let (a, b) = (PeerId::of("a"), PeerId::of("b"));
        assert_ne!(a, b);
        assert_eq!(a.as_str().len(), 22);
        assert_eq!(a.as_str().parse(), Ok(a.clone()));
    }
}
