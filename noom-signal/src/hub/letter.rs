//! What hubs write to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Inner, handover::Refusal};
use crate::{
    backplane::{Letter, SendError},
    protocol::{Frame, PeerId, RoomName, UserId},
    room::{NodeId, Snapshot},
    session::Packed,
};

/// One letter's content. Nodes of different versions write to each other during a deploy: what one
/// does not know it ignores.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Word {
    /// The peer's client is here, and has proved to be the peer: hand its session over.
    Claim(Claim),
    /// Here it is.
    Handover(Box<Handover>),
    /// It is not to be had.
    Refused { peer: PeerId, generation: u64, why: Refusal },
    /// Something for that peer came too late to where it was before.
    Lost { peer: PeerId },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) peer: PeerId,
    /// Who the client is. Only the user that opened a session may have it.
    pub(super) user: Option<UserId>,
    /// What the peer's stays are to be named from now on.
    pub(super) generation: u64,
    /// Which of the client's attempts to resume it is; 0 where it does not count them.
    pub(super) attempt: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Handover {
    pub(super) peer: PeerId,
    pub(super) generation: u64,
    pub(super) session: Packed,
    pub(super) stays: Vec<Stay>,
    /// Its watch of the lobby, if it has one.
    pub(super) watches: Option<Watch>,
}

/// A watch of the lobby.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Watch {
    /// The request that it was asked for by, while the client may not have the answer.
    pub(super) id: Option<u64>,
}

/// A room that the peer is in.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stay {
    pub(super) room: RoomName,
    /// The room right after the step that moved the peer: all before it the peer has been told.
    /// `None` where the node did not come to know it.
    pub(super) snapshot: Option<Snapshot>,
}

impl Inner {
    pub(super) async fn write(&self, to: NodeId, word: &Word) -> Result<(), SendError> {
        let letter = Letter { from: self.node, text: Frame::encode(word) };
        self.backplane.write(to, letter).await
    }

    pub(super) fn read(self: &Arc<Self>, letter: Letter) {
        let word = match serde_json::from_str(letter.text.as_str()) {
            Ok(word) => word,
            Err(error) => {
                tracing::warn!(from = %letter.from, %error, "a letter that cannot be read");
                return;
            }
        };
        match word {
            Word::Claim(claim) => {
                let hub = self.clone();
                let answering = async move { hub.answer_claim(letter.from, claim).await };
                self.spawn(self.partings.track_future(answering));
            }
            Word::Handover(handover) => {
                let (peer, generation) = (handover.peer.clone(), handover.generation);
                self.arrivals.answer(&peer, generation, Ok(handover));
            }
            Word::Refused { peer, generation, why } => {
                self.arrivals.answer(&peer, generation, Err(why));
            }
            Word::Lost { peer } => {
                let session = self.registry.get(&peer).or_else(|| self.arrivals.session(&peer));
                if let Some(session) = session {
                    session.lose();
                }
            }
        }
    }

    /// Tells the node that a peer went to that something for it was lost here.
    pub(super) fn tell_lost(self: &Arc<Self>, node: NodeId, peer: PeerId) {
        let hub = self.clone();
        self.spawn(async move {
            // Where that node is gone, the peer has lost more than this.
            if let Err(error) = hub.write(node, &Word::Lost { peer }).await {
                tracing::warn!(%node, %error, "a peer was not told of a loss");
            }
        });
    }
}
