//! Peers that talk while their links break: what they say, and what each must hear of it.

mod peer;
mod plan;

pub(crate) use peer::Peer;
pub(crate) use plan::Plan;
