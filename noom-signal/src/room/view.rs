//! A node's picture of one room, put together from steps that arrive in any order.

use std::collections::{BTreeMap, HashMap};

use super::{Change, ChangeKind, Roster, Snapshot};
use crate::protocol::{ByeReason, PeerId};

/// A roster with the steps that came ahead of their turn.
///
/// A node learns of a room in two ways: from the replies to its own requests, and from the events
/// of other nodes. Nothing orders one against the other. Since each step says where it leads from,
/// the view does: it applies what fits, holds what is early, ignores what is old.
///
/// A view that met a step of another history, or missed one for too long, is in *doubt*: it only
/// holds, until a snapshot says where to go on from.
#[derive(Debug, Default)]
pub(crate) struct View {
    roster: Option<Roster>,
    held: BTreeMap<u64, Change>,
    doubt: bool,
    /// Steps were forgotten while a snapshot was on its way; it may be older than they were.
    overrun: bool,
}

impl View {
    /// Takes in a step, to be applied by [`View::advance`] in its turn. At most `limit` are held.
    pub(crate) fn receive(&mut self, change: Change, limit: usize) {
        if !self.doubt && change.after.step <= self.step() {
            return;
        }
        self.held.insert(change.after.step, change);
        if self.held.len() > limit {
            // Nothing is lost by forgetting: a snapshot will hold it all.
            self.held.clear();
            self.overrun = self.roster.is_none() || self.doubt;
            self.doubt = true;
        }
    }

    /// Applies the next step, if it is at hand, and returns it.
    pub(crate) fn advance(&mut self) -> Option<Change> {
        let roster = self.roster.as_mut().filter(|_| !self.doubt)?;
        let next = self.held.first_entry()?;
        if *next.key() > roster.stamp().step + 1 {
            return None;
        }
        let change = next.remove();
        if change.before != roster.stamp() {
            // Another history under the same number. This step may be dropped: whatever is
            // fetched from now on is newer.
            self.doubt = true;
            return None;
        }
        roster.apply(&change);
        Some(change)
    }

    /// The step that [`View::advance`] would apply next.
    pub(crate) fn next(&self) -> Option<&Change> {
        let roster = self.roster.as_ref().filter(|_| !self.doubt)?;
        let (step, change) = self.held.first_key_value()?;
        (*step <= roster.stamp().step + 1).then_some(change)
    }

    /// Starts from a snapshot, if this is the first or the view is in doubt. Returns whether that
    /// gave it another roster.
    pub(crate) fn adopt(&mut self, snapshot: Snapshot) -> bool {
        if self.roster.is_some() && !self.doubt {
            return false;
        }
        let replaced = self.roster.as_ref().is_none_or(|roster| roster.stamp() != snapshot.stamp);
        if replaced {
            self.roster = Some(snapshot.into());
        }
        self.doubt = std::mem::take(&mut self.overrun);
        let step = self.step();
        self.held.retain(|&held, _| held > step);
        replaced
    }

    /// Applies nothing more until a snapshot is adopted. One that is `fetching` already may be too
    /// old: it takes another.
    pub(crate) fn doubt(&mut self, fetching: bool) {
        self.overrun |= fetching;
        self.doubt = true;
    }

    /// Whom the steps at hand take out, and why.
    pub(crate) fn held_leaves(&self) -> HashMap<PeerId, ByeReason> {
        let left = |change: &Change| match &change.kind {
            ChangeKind::Left { peer, reason } => Some((peer.clone(), *reason)),
            _ => None,
        };
        self.held.values().filter_map(left).collect()
    }

    /// Whether a step is missing before those that are held.
    pub(crate) fn is_waiting(&self) -> bool {
        self.roster.is_some() && !self.held.is_empty()
    }

    /// Whether a snapshot is needed to go on.
    pub(crate) fn in_doubt(&self) -> bool {
        self.doubt
    }

    pub(crate) fn roster(&self) -> Option<&Roster> {
        self.roster.as_ref()
    }

    /// How many changes it has seen.
    pub(crate) fn step(&self) -> u64 {
        self.roster.as_ref().map_or(0, |roster| roster.stamp().step)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        protocol::{ByeReason, Json, PeerId, RoomName},
        room::{ChangeKind, Member, NodeId},
    };

    fn room() -> RoomName {
        "r".parse().unwrap()
    }

    fn member(peer: &PeerId, since: u64) -> Arc<Member> {
        Arc::new(Member {
            peer: peer.clone(),
            generation: since,
            node: NodeId(1),
            seat: since,
            user: None,
            meta: Json::empty_object(),
            since,
        })
    }

    /// A history of joins, updates, moves and leaves of few peers.
    fn history(steps: &[u8]) -> Vec<(Change, Snapshot)> {
        let mut roster = Roster::default();
        steps
            .iter()
            .map(|step| {
                let peer: PeerId = format!("p{}", step % 4).parse().unwrap();
                let before = roster.stamp();
                let kind = match roster.get(peer.as_str()) {
                    None => ChangeKind::Joined(member(&peer, before.version + 1)),
                    Some(member) if step % 5 == 0 => {
                        let (generation, node) = (member.generation + 1, NodeId(2));
                        ChangeKind::Moved { peer, generation, node }
                    }
                    Some(_) if step % 3 == 0 => {
                        ChangeKind::Updated { peer, meta: Json::of(&step).unwrap() }
                    }
                    Some(_) => ChangeKind::Left { peer, reason: ByeReason::Left },
                };
                let after = before.next(&kind, 1000 + before.step);
                let change = Change { room: room(), before, after, kind };
                roster.apply(&change);
                (change, roster.snapshot())
            })
            .collect()
    }

    fn advance_all(view: &mut View) -> Vec<Change> {
        std::iter::from_fn(|| view.advance()).collect()
    }

    proptest! {
        /// Steps in any order, some twice, around a snapshot from anywhere in the history: the
        /// view ends where the history ends, having told every later step once and in order.
        #[test]
        fn any_order_ends_in_the_same_roster(
            steps in prop::collection::vec(0_u8..16, 1..40),
            start in 0_usize..40,
            order in prop::collection::vec(0_usize..1000, 80),
        ) {
            let history = history(&steps);
            let start = start % history.len();
            let mut events: Vec<usize> =
                (0..history.len()).chain(start + 1..history.len()).collect();
            let count = events.len();
            for (at, other) in order.iter().enumerate().take(count) {
                events.swap(at, other % count);
            }
            let snapshot_at = order[0] % (events.len() + 1);
            let mut view = View::default();
            let mut applied = Vec::new();
            for at in 0..=events.len() {
                if at == snapshot_at {
                    prop_assert!(view.adopt(history[start].1.clone()));
                }
                if let Some(&event) = events.get(at) {
                    view.receive(history[event].0.clone(), 1000);
                }
                applied.extend(advance_all(&mut view));
                prop_assert!(!view.in_doubt());
            }
            let expected: Vec<_> = history[start + 1..].iter().map(|h| h.0.clone()).collect();
            prop_assert_eq!(applied, expected);
            let last = Roster::from(history[history.len() - 1].1.clone());
            prop_assert_eq!(view.roster(), Some(&last));
        }
    }

    #[test]
    fn another_history_asks_for_a_snapshot() {
        let history = history(&[0, 1, 2]);
        let mut view = View::default();
        view.adopt(history[0].1.clone());
        let mut foreign = history[1].0.clone();
        foreign.before.token = 7;
        view.receive(foreign, 10);
        assert_eq!(view.advance(), None);
        assert!(view.in_doubt());
        assert!(view.adopt(history[2].1.clone()));
        assert_eq!((view.step(), view.in_doubt()), (3, false));
    }

    #[test]
    fn a_step_that_never_comes_ends_in_a_snapshot() {
        let history = history(&[0, 1, 2, 3, 4, 5]);
        let mut view = View::default();
        view.adopt(history[0].1.clone());
        // Version 2 is lost.
        for late in [2, 3] {
            view.receive(history[late].0.clone(), 2);
            assert_eq!((view.advance(), view.in_doubt()), (None, false));
        }
        view.receive(history[4].0.clone(), 2);
        assert!(view.in_doubt());
        assert!(view.adopt(history[5].1.clone()));
        assert_eq!((view.advance(), view.in_doubt()), (None, false));
    }

    #[test]
    fn what_was_forgotten_while_fetching_is_fetched_again() {
        let history = history(&[0, 1, 2, 3, 4, 5]);
        let mut view = View::default();
        for early in [2, 3, 4] {
            view.receive(history[early].0.clone(), 2);
        }
        // The snapshot is older than what was forgotten.
        assert!(view.adopt(history[1].1.clone()));
        assert!(view.in_doubt());
        assert!(view.adopt(history[5].1.clone()));
        assert!(!view.in_doubt());
    }
}
