//! WebRTC signaling.

mod limits;
pub mod protocol;

pub use limits::{InvalidLimits, Limits};
