//! Rooms: a roster, its version, and the steps that lead from one to the next.
//!
//! Everything here is pure: no clock, no lock, no socket, no task. A [`Roster`] is what a
//! [`backplane`](crate::backplane) keeps for the whole cluster and what each hub keeps a picture
//! of; a [`Change`] is how one becomes the next.

mod roster;
mod view;

pub use roster::{Change, ChangeKind, Member, NodeId, Roster, Snapshot, Stamp};
pub(crate) use view::View;
