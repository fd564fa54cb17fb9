//! What was said and heard in one session, and the sum of all of them.

use std::collections::{BTreeMap, BTreeSet};

use noom_signal_client::{
    RequestError,
    protocol::{ErrorCode, PeerId},
};

/// A peer's session, from its peer's side.
#[derive(Debug)]
pub(crate) struct Stay {
    pub(crate) peer: PeerId,
    /// In order.
    pub(crate) said: Vec<Said>,
    /// The numbers heard of each peer, in order, each with how many losses it was told of before.
    pub(crate) heard: BTreeMap<PeerId, Vec<(u64, usize)>>,
    /// How often it was told that it lost something, and kept its id.
    pub(crate) partials: usize,
    /// It was told that it is somebody else from now on.
    pub(crate) ended: bool,
    /// Whom it knew to be in the room at some time.
    pub(crate) known: BTreeSet<PeerId>,
    /// Whose `bye` it was told, how often.
    pub(crate) byes: BTreeMap<PeerId, usize>,
    /// Of whom it was told that it may have lost something, how often.
    pub(crate) missed: BTreeMap<PeerId, usize>,
}

/// Something said, with a number that its sender uses once.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) n: u64,
    /// `None`: to all others.
    pub(crate) to: Option<PeerId>,
    /// To whom it must come, or who is told: whom it is for, as far as its sender knows.
    pub(crate) owed: BTreeSet<PeerId>,
    pub(crate) outcome: Option<Result<(), RequestError>>,
}

impl Stay {
    pub(crate) fn new(peer: PeerId) -> Self {
        Self {
            peer,
            said: Vec::new(),
            heard: BTreeMap::new(),
            partials: 0,
            ended: false,
            known: BTreeSet::new(),
            byes: BTreeMap::new(),
            missed: BTreeMap::new(),
        }
    }

    /// Each request had its reply, and none that it should not have had.
    fn check_replies(&self) {
        for said in &self.said {
            let fine = match said.outcome.as_ref().expect("a reply") {
                Ok(()) => true,
                Err(RequestError::Lost) => self.ended || self.partials > 0,
                // Not written before the session ended, and sent in the next.
                Err(error) if error.code() == Some(ErrorCode::NotInRoom) => self.ended,
                Err(error) if error.code() == Some(ErrorCode::PeerNotFound) => said.to.is_some(),
                Err(_) => false,
            };
            assert!(fine, "{said:?} of {}", self.peer);
        }
    }

    /// How much of what that one said did not come here. All of it was lost where this peer was
    /// told so: nothing else is missing, and nothing came twice or out of order.
    fn lost_of(&self, sender: &Stay) -> usize {
        let heard = self.heard.get(&sender.peer).map_or(&[][..], Vec::as_slice);
        let mut heard = heard.iter().peekable();
        let (mut told, mut missing, mut lost) = (0, Vec::new(), 0);
        for said in &sender.said {
            if said.to.as_ref().is_some_and(|to| *to != self.peer) {
                continue;
            }
            if let Some(&(_, now_told)) = heard.next_if(|(n, _)| *n == said.n) {
                assert!(
                    missing.is_empty() || now_told > told,
                    "{} misses {missing:?} of {}, and was not told",
                    self.peer,
                    sender.peer
                );
                let refused = matches!(said.outcome, Some(Err(RequestError::Refused { .. })));
                assert!(!refused, "{} hears what was refused: {said:?}", self.peer);
                lost += missing.len();
                (told, missing) = (now_told, Vec::new());
            } else if said.outcome == Some(Ok(())) && said.owed.contains(&self.peer) {
                missing.push(said.n);
            }
        }
        let rest: Vec<_> = heard.collect();
        assert!(rest.is_empty(), "{} hears of {}, twice or late: {rest:?}", self.peer, sender.peer);
        assert!(
            missing.is_empty() || self.ended || self.partials > told,
            "{} misses the last, {missing:?}, of {}, and was not told",
            self.peer,
            sender.peer
        );
        lost + missing.len()
    }

    /// It heard exactly one `bye` of each that it knew and that has gone, and none of the others.
    fn check_byes(&self, other: &Stay) {
        let byes = self.byes.get(&other.peer).copied().unwrap_or(0);
        if self.ended && other.ended {
            // One of them went first, which the other heard or not.
            assert!(byes <= 1, "{byes} byes of {} at {}", other.peer, self.peer);
            return;
        }
        let expected = usize::from(other.ended && self.known.contains(&other.peer));
        assert_eq!(byes, expected, "byes of {} at {}", other.peer, self.peer);
    }

    /// Whoever has lost something, the others are told.
    fn check_missed(&self, other: &Stay) {
        let missed = self.missed.get(&other.peer).copied().unwrap_or(0);
        // A hello that did not come through is told again, and so is the loss.
        assert!(missed == 0 || other.partials > 0, "{} lost nothing that it knows of", other.peer);
        assert!(
            missed >= other.partials || self.partials > 0,
            "{missed} losses of {} told to {}, not {}",
            other.peer,
            self.peer,
            other.partials
        );
    }
}

/// How much was lost, each piece by a peer that was told; there is no other fault in these stays,
/// which are all there were in a room.
pub(crate) fn lost(stays: &[Stay]) -> usize {
    let mut lost = 0;
    for stay in stays {
        stay.check_replies();
        for other in stays.iter().filter(|other| other.peer != stay.peer) {
            lost += stay.lost_of(other);
            stay.check_byes(other);
            stay.check_missed(other);
        }
    }
    lost
}
