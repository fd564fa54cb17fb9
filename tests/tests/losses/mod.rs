//! Peers that talk while some of what they say is lost, and an account of who was told of that.

mod peer;
mod stay;

pub(crate) use peer::Peer;
pub(crate) use stay::{Stay, lost};
