//! The sum of all accounts: what was said, and what became of it.

use std::{ops::AddAssign, time::Instant};

use noom_signal::protocol::{ErrorCode, PeerId};
use noom_signal_client::RequestError;

use super::account::{Account, Said, Stay};

#[derive(Debug, Default, Clone)]
pub(crate) struct Sum {
    /// Messages said, each once whether it was for one or for all.
    pub(crate) said: usize,
    /// Of those, the ones whose sender got an error, other than that nobody of that name is there.
    pub(crate) refused: usize,
    /// Deliveries.
    pub(crate) heard: usize,
    /// Deliveries that did not come, of which the target was told.
    pub(crate) told: usize,
    /// Of those, the ones from peers that are there still.
    pub(crate) told_of_present: usize,
    /// Deliveries that did not come, and nobody was told.
    pub(crate) silent: usize,
    /// What must never come to pass.
    pub(crate) violations: Vec<String>,
}

impl Sum {
    pub(crate) fn of(accounts: &[&Account]) -> Self {
        let mut sum = Self::default();
        for sender in accounts {
            sum.violations.extend(sender.violations.iter().cloned());
            for stay in &sender.stays {
                sum.count(sender, stay);
                for target in accounts.iter().filter(|target| target.room == sender.room) {
                    for heard_by in target.stays.iter().filter(|other| other.peer != stay.peer) {
                        let mut between = between(stay, heard_by, (sender, target));
                        // Who comes and goes may have gone before what it said could be read.
                        let present = !sender.churning && !sender.away && !stay.ended;
                        between.told_of_present = if present { between.told } else { 0 };
                        sum += between;
                    }
                }
            }
        }
        sum
    }

    pub(crate) fn assert_sound(&self) {
        let (silent, violations) = (self.silent, &self.violations);
        assert!(violations.is_empty(), "{silent} lost silently: {violations:#?}");
    }

    /// What the sender was answered.
    fn count(&mut self, sender: &Account, stay: &Stay) {
        self.said += stay.said.len();
        for said in &stay.said {
            use ErrorCode as Code;
            let broken = stay.ended || stay.partials > 0;
            let fine = match &said.answer {
                None => stay.ended,
                Some((_, Ok(()))) => continue,
                Some((_, Err(RequestError::Lost | RequestError::Closed(_)))) => broken,
                Some((_, Err(error))) => match error.code() {
                    Some(Code::Unavailable) => true,
                    Some(Code::PeerNotFound) => said.to.is_some(),
                    Some(Code::NotInRoom) => broken || sender.churning || stay.told.len() > 1,
                    _ => false,
                },
            };
            let gone = matches!(&said.answer, Some((_, Err(error)))
                if matches!(error.code(), Some(Code::PeerNotFound | Code::NotInRoom)));
            self.refused += usize::from(!gone);
            if !fine {
                let Said { n, to, answer, .. } = said;
                let (to, who) = (to.as_ref().map(PeerId::as_str), &stay.peer);
                self.violations.push(format!("{who} says {n} to {to:?}, and gets {answer:?}"));
            }
        }
    }
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.said += other.said;
        self.refused += other.refused;
        self.heard += other.heard;
        self.told += other.told;
        self.told_of_present += other.told_of_present;
        self.silent += other.silent;
        self.violations.extend(other.violations);
    }
}

/// What one session said and another heard: each once, in order; and what is missing in between two
/// was told of between the two, after it had been said.
///
/// What a session said on a node that the cluster had given up, and that ended with it, may be lost
/// without a word to its target, who is on another node by then. It is counted as lost silently.
fn between(sender: &Stay, target: &Stay, (from, account): (&Account, &Account)) -> Sum {
    let excused = from.fenced && sender.ended;
    let mut sum = Sum::default();
    let mut heard = target.heard.get(&sender.peer).map_or(&[][..], Vec::as_slice).iter().peekable();
    let mut missing: Vec<(u64, Instant)> = Vec::new();
    let mut last = 0;
    let settle = |sum: &mut Sum, missing: &mut Vec<(u64, Instant)>, from, to| {
        for (n, at) in missing.drain(..) {
            let told = |&(place, when): &(usize, Instant)| from < place && place < to && when >= at;
            if target.told.iter().any(told) || to == usize::MAX && target.ended {
                sum.told += 1;
            } else if excused {
                sum.silent += 1;
            } else {
                sum.silent += 1;
                let (who, of) = (&target.peer, &sender.peer);
                let (bye, partials) = (target.byes.get(of), (sender.partials, target.partials));
                sum.violations.push(format!(
                    "{who} misses {n} of {of}, said {:?} ago, and was not told (bye: {bye:?}, \
                     partials: {partials:?}, sender ended: {}, told {:?}, heard last at {from})",
                    at.elapsed(),
                    sender.ended,
                    target.told.iter().map(|(at, when)| (at, when.elapsed())).collect::<Vec<_>>(),
                ));
            }
        }
    };
    for said in &sender.said {
        if said.to.as_ref().is_some_and(|to| *to != target.peer) {
            continue;
        }
        if let Some(next) = heard.next_if(|next| next.n == said.n) {
            settle(&mut sum, &mut missing, last, next.place);
            last = next.place;
            sum.heard += 1;
            let no_such_peer = matches!(&said.answer, Some((_, Err(error)))
                if error.code() == Some(ErrorCode::PeerNotFound));
            if no_such_peer {
                sum.violations.push(format!("{} hears what was refused: {}", target.peer, said.n));
            }
        } else if matches!(said.answer, Some((_, Ok(()))))
            && said.owed.contains(&target.peer)
            && !account.churning
        {
            missing.push((said.n, said.at));
        }
    }
    // Who is gone for good has lost nothing.
    if !account.away {
        settle(&mut sum, &mut missing, last, usize::MAX);
    }
    let rest: Vec<u64> = heard.map(|heard| heard.n).collect();
    if !rest.is_empty() {
        let (who, of) = (&target.peer, &sender.peer);
        sum.violations.push(format!("{who} hears of {of}, twice or out of order: {rest:?}"));
    }
    sum
}
