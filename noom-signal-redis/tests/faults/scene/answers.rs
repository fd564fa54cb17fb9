//! How requests were answered in a certain time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use noom_signal::protocol::{ErrorCode, PeerId};

use super::{Said, Scene, Talker, account::Answer};

fn is_refused((_, answer): &Answer) -> bool {
    answer.as_ref().is_err_and(|error| error.code() == Some(ErrorCode::Unavailable))
}

impl Scene {
    /// When the first message since then was refused because the cluster is out of reach.
    pub(crate) fn first_refusal(&self, since: Instant) -> Option<Instant> {
        let refused = |said: &Said| {
            let answer = said.answer.as_ref().filter(|answer| is_refused(answer))?;
            (answer.0 >= since).then_some(answer.0)
        };
        let first = |talker: &Talker| {
            let account = talker.account();
            account.stays.iter().flat_map(|stay| &stay.said).filter_map(refused).min()
        };
        self.talkers.iter().filter_map(first).min()
    }

    /// How long the slowest answer took that a node's peers had to a message or a join.
    pub(crate) fn slowest_answer(&self, node: usize, from: Instant, to: Instant) -> Duration {
        let mut slowest = Duration::ZERO;
        for talker in self.talkers.iter().filter(|it| it.node == node) {
            let account = talker.account();
            let said = account.stays.iter().flat_map(|stay| &stay.said);
            let said = said.map(|said| (said.at, said.answer.as_ref().map(|answer| answer.0)));
            let joins = account.joins.iter().map(|(at, answer)| (*at, Some(answer.0)));
            for (at, answered) in said.chain(joins).filter(|(at, _)| (from..to).contains(at)) {
                slowest = slowest.max(answered.unwrap_or(to) - at);
            }
        }
        slowest
    }

    /// How many joins were refused because the cluster is out of reach.
    pub(crate) fn joins_refused(&self, from: Instant, to: Instant) -> usize {
        let refused = |talker: &Talker| {
            let account = talker.account();
            let asked = account.joins.iter().filter(|(at, _)| (from..to).contains(at));
            asked.filter(|(_, answer)| is_refused(answer)).count()
        };
        self.talkers.iter().map(refused).sum()
    }

    /// What a node's peers said to each other was taken over.
    pub(crate) fn assert_unharmed_within(&self, node: usize, from: Instant, to: Instant) {
        let homes: BTreeMap<PeerId, usize> = self.steady().map(|it| (it.id(), it.node)).collect();
        let mut count = 0;
        for talker in self.at(node) {
            let account = talker.account();
            let within = |said: &&Said| {
                let there = said.to.as_ref().and_then(|to| homes.get(to));
                (from..to).contains(&said.at) && there == Some(&node)
            };
            for said in account.stays[0].said.iter().filter(within) {
                let Some((when, answer)) = &said.answer else { continue };
                assert_eq!(*answer, Ok(()), "to the same node, after {:?}", *when - said.at);
                count += 1;
            }
        }
        assert!(count > 0, "nothing was said within node {node}");
    }
}
