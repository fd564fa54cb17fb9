//! The name of a room.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// A room's name: 1 to 128 bytes of UTF-8 without control characters (Unicode category Cc),
/// compared byte for byte.
///
/// There is no normalisation: two spellings of the same accented letter name two rooms. Cloning
/// shares one allocation.
///
/// ```
/// use noom_signal::protocol::RoomName;
///
/// let room: RoomName = "weekly standup ☕".parse()?;
/// assert_eq!(room.as_str(), "weekly standup ☕");
/// assert!("line\nbreak".parse::<RoomName>().is_err());
/// # Ok::<_, noom_signal::protocol::InvalidRoomName>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct RoomName(Arc<str>);

/// The text is not a room name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a room name is 1 to 128 bytes without control characters")]
pub struct InvalidRoomName;

impl RoomName {
    /// The longest room name, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 128;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomName {
    type Err = InvalidRoomName;

    fn from_str(text: &str) -> Result<Self, InvalidRoomName> {
        // `char::is_control` is exactly category Cc.
        if text.is_empty() || text.len() > Self::MAX_BYTES || text.chars().any(char::is_control) {
            return Err(InvalidRoomName);
        }
        Ok(Self(text.into()))
    }
}

impl<'de> Deserialize<'de> for RoomName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Borrow<str> for RoomName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert!("".parse::<RoomName>().is_err());
        assert!("a".repeat(128).parse::<RoomName>().is_ok());
        assert!("a".repeat(129).parse::<RoomName>().is_err());
        // Bytes, not characters.
        assert!("é".repeat(64).parse::<RoomName>().is_ok());
        assert!("é".repeat(65).parse::<RoomName>().is_err());
        for control in ['\0', '\n', '\u{1f}', '\u{7f}', '\u{80}', '\u{9f}'] {
            assert!(format!("a{control}").parse::<RoomName>().is_err(), "{control:?}");
        }
        // Format characters (Cf) and separators are odd, but not controls.
        assert!("a\u{202e}b \u{2028}".parse::<RoomName>().is_ok());
    }
}
