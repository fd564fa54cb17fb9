//! What becomes of one frame.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout};

use super::{
    Inner,
    event::Event,
    membership::{Arrival, Failure},
    room::Relayed,
};
use crate::{
    backplane::{Message, SendError},
    policy::JoinRequest,
    protocol::{
        ByeReason, CloseCode, ErrorCode, Frame, Json, PeerId, Refusal, Relay, Request,
        RequestFrame, RoomName, ServerMessage, Target, server,
    },
    room::NodeId,
    session::{Intake, Rate, Session},
};

/// What the connection does next.
pub(super) enum Step {
    /// Reads on.
    Next,
    /// Writes what this was answered with, then reads on.
    Answered,
    /// Finishes this first, then reads on: a session's requests take effect in order.
    Await(BoxFuture<'static, ()>),
    /// Closes, after what is waiting has been written.
    Close(CloseCode),
}

/// What an error repeats of the message it refuses.
struct Origin {
    room: Option<String>,
    to: Option<String>,
    id: Option<u64>,
}

impl Inner {
    /// Handles one frame of a session. Whoever calls has the session's turn.
    pub(super) fn handle(
        self: &Arc<Self>,
        session: &Arc<Session>,
        intake: &mut Intake,
        text: &str,
    ) -> Step {
        let frame = RequestFrame::parse(text, self.limits.depth);
        if let Ok(Request::Ping { received }) = frame.request {
            if let Some(received) = received {
                session.confirm(received);
            }
            let pong = server::Pong { received: intake.received() };
            self.tell(session, ServerMessage::from(pong).to_frame());
            return Step::Next;
        }
        let now = Instant::now();
        let over = match intake.rate(&self.limits, text.len(), now) {
            Rate::Within => None,
            Rate::Over { retry_after } => Some((retry_after, false)),
            Rate::Relentless { retry_after } => Some((retry_after, true)),
        };
        if let Some((retry_after, relentless)) = over {
            let retry_after_ms = Some(retry_after.as_millis() as u64 + 1);
            let message = "too many messages".into();
            let failure = Failure { code: ErrorCode::RateLimited, message, retry_after_ms };
            self.refuse(session, Origin::of(&frame), failure);
            if relentless {
                return Step::Close(CloseCode::RATE);
            }
            return counted(intake, &frame, Step::Next);
        }
        self.lobby.reuse(session, frame.id);
        let bad = match &frame.request {
            Ok(Request::Hello { .. }) => Some("the session is open already".into()),
            Err(Refusal::BadMessage(why)) => Some(why.clone()),
            _ => None,
        };
        if let Some(why) = bad {
            self.refuse(session, Origin::of(&frame), Failure::new(ErrorCode::BadMessage, why));
            if intake.strike(&self.limits, now) {
                return Step::Close(CloseCode::BAD_MESSAGES);
            }
            return counted(intake, &frame, Step::Next);
        }
        // Counted before it is handled: what it leads to may be answered by a count.
        if frame.counted {
            intake.count();
        }
        self.act(session, frame)
    }

    fn act(self: &Arc<Self>, session: &Arc<Session>, frame: RequestFrame<'_>) -> Step {
        match &frame.request {
            Ok(Request::Offer { sdp }) => self.relay(session, &frame, Relay::Offer, sdp),
            Ok(Request::Answer { sdp }) => self.relay(session, &frame, Relay::Answer, sdp),
            Ok(Request::Ice { candidate }) => self.relay(session, &frame, Relay::Ice, candidate),
            Ok(Request::Message { data }) => self.relay(session, &frame, Relay::Message, data),
            Ok(Request::Join { meta, token }) => {
                let meta = meta.map_or_else(Json::empty_object, Json::from);
                let token = token.as_deref().map(String::from);
                self.later(session, &frame, move |hub, session, room, id| async move {
                    let room = parse_room(&room)?;
                    hub.enter(&session, room, meta, token, id).await
                })
            }
            Ok(Request::Update { meta }) => {
                let meta = meta.map_or_else(Json::empty_object, Json::from);
                self.later(session, &frame, move |hub, session, room, id| async move {
                    hub.check_meta(&meta)?;
                    let room = known_room(&room)?;
                    hub.update(&session.peer, &room, meta, id).await
                })
            }
            Ok(Request::Leave) => {
                self.later(session, &frame, |hub, session, room, id| async move {
                    let room = known_room(&room)?;
                    hub.leave(&session.peer, &room, ByeReason::Left, id).await
                })
            }
            Ok(Request::Lobby { watch: true }) => {
                self.later(session, &frame, |hub, session, _, id| async move {
                    if !session.identity().may_watch_lobby {
                        return Err(forbidden("not allowed to watch the lobby"));
                    }
                    Ok(hub.watch_lobby(&session, id).await?)
                })
            }
            Ok(Request::Lobby { watch: false }) => {
                self.lobby.unwatch(session);
                self.ack(session, frame.id);
                Step::Next
            }
            Ok(Request::IceServers) => {
                self.later(session, &frame, |hub, session, _, id| async move {
                    let identity = session.identity();
                    let asked = hub.policy.ice_servers(&identity);
                    let late = |_| Failure::new(ErrorCode::Internal, "no answer in time");
                    let ice_servers = timeout(hub.limits.policy, asked).await.map_err(late)?;
                    hub.reply(&session, server::IceServers { ice_servers, id }.into());
                    Ok(())
                })
            }
            Ok(Request::Hello { .. } | Request::Ping { .. }) | Err(Refusal::BadMessage(_)) => {
                Step::Next
            }
            Err(refusal @ Refusal::UnknownType) => {
                let failure = Failure::new(ErrorCode::UnknownType, refusal.to_string());
                self.refuse(session, Origin::of(&frame), failure);
                Step::Next
            }
        }
    }

    /// Passes a payload on to a member of one of the session's rooms.
    fn relay(
        self: &Arc<Self>,
        session: &Arc<Session>,
        frame: &RequestFrame<'_>,
        kind: Relay,
        payload: &RawValue,
    ) -> Step {
        let room = frame.room.as_deref().unwrap_or_default();
        let to = frame.to.as_deref().unwrap_or_default();
        let everyone = kind == Relay::Message && to == "*";
        let identity = session.identity();
        if !identity.may_send || everyone && !identity.may_broadcast {
            self.refuse(session, Origin::of(frame), forbidden("not allowed to send this"));
            return Step::Next;
        }
        let relayed = Frame::relayed(kind, room, &session.peer, payload);
        if self.lanes.has(&session.peer) {
            // It came from another node a moment ago, and what it sent there is still on its way.
            let to = to.to_owned();
            return self.later(session, frame, move |hub, session, room, id| async move {
                hub.sent_before(&session.peer).await;
                let relayed = hub.relay_to(&session.peer, &room, &to, everyone, &relayed);
                hub.finish_relay(&session, relayed, id).await
            });
        }
        let failure = match self.relay_to(&session.peer, room, to, everyone, &relayed) {
            Relayed::Delivered => {
                self.ack(session, frame.id);
                return Step::Next;
            }
            remote @ Relayed::Remote { .. } => {
                return self.later(session, frame, |hub, session, _, id| async move {
                    hub.finish_relay(&session, remote, id).await
                });
            }
            Relayed::NotInRoom => not_in_room(),
            Relayed::Unsure => unsure(),
            Relayed::PeerNotFound => peer_not_found(),
        };
        self.refuse(session, Origin::of(frame), failure);
        Step::Next
    }

    fn relay_to(
        &self,
        from: &PeerId,
        room: &str,
        to: &str,
        everyone: bool,
        relayed: &Frame,
    ) -> Relayed {
        self.with_room(room, |here, delivery| here.relay(from, to, everyone, relayed, delivery))
            .unwrap_or(Relayed::NotInRoom)
    }

    /// Hands a message to other nodes, and to those peers of this one that are just leaving it.
    pub(super) async fn send_on(
        &self,
        message: Message,
        nodes: Vec<NodeId>,
        departing: Vec<PeerId>,
    ) -> Result<(), SendError> {
        if let (Target::Peer(_), &[node]) = (&message.to, nodes.as_slice()) {
            return self.backplane.send(node, message).await;
        }
        for peer in departing {
            let copy = Message { to: Target::Peer(peer), ..message.clone() };
            self.backplane.send(self.node, copy).await?;
        }
        self.backplane.broadcast(nodes, message).await
    }

    /// Does what is left of a relay, and acknowledges it.
    async fn finish_relay(
        &self,
        session: &Session,
        relayed: Relayed,
        id: Option<u64>,
    ) -> Result<(), Failure> {
        let sent = match relayed {
            Relayed::Delivered => Ok(()),
            Relayed::NotInRoom => return Err(not_in_room()),
            Relayed::Unsure => return Err(unsure()),
            Relayed::PeerNotFound => return Err(peer_not_found()),
            Relayed::Remote { message, nodes, departing } => {
                self.send_on(message, nodes, departing).await
            }
        };
        match sent {
            Ok(()) => self.ack(session, id),
            Err(SendError::NodeGone) => return Err(peer_not_found()),
            Err(SendError::Unavailable(unavailable)) => return Err(unavailable.into()),
        }
        Ok(())
    }

    async fn enter(
        self: &Arc<Self>,
        session: &Arc<Session>,
        room: RoomName,
        meta: Json,
        token: Option<String>,
        id: Option<u64>,
    ) -> Result<(), Failure> {
        let identity = session.identity();
        let request = JoinRequest {
            peer: &session.peer,
            identity: &identity,
            room: &room,
            meta: &meta,
            token: token.as_deref(),
        };
        let grant = match timeout(self.limits.policy, self.policy.authorize(request)).await {
            Ok(Ok(grant)) => grant,
            Ok(Err(refused)) => return Err(forbidden(&refused.to_string())),
            Err(_) => return Err(Failure::new(ErrorCode::Internal, "no decision in time")),
        };
        self.check_meta(&meta)?;
        self.join(session, Arrival { room, meta, grant, id }).await
    }

    fn check_meta(&self, meta: &Json) -> Result<(), Failure> {
        let (length, most) = (meta.as_str().len(), self.limits.meta_bytes);
        if length > most {
            let why = format!("meta of {length} bytes; {most} is the most");
            return Err(Failure::new(ErrorCode::InvalidMeta, why));
        }
        Ok(())
    }

    /// A request that may have to wait. However it fails, a panic of the application's hooks
    /// included, its client gets an answer.
    fn later<F>(
        self: &Arc<Self>,
        session: &Arc<Session>,
        frame: &RequestFrame<'_>,
        act: impl FnOnce(Arc<Self>, Arc<Session>, String, Option<u64>) -> F,
    ) -> Step
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let origin = Origin::of(frame);
        let room = origin.room.clone().unwrap_or_default();
        let acting = act(self.clone(), session.clone(), room, origin.id);
        let (hub, session) = (self.clone(), session.clone());
        let answered = async move {
            let failure = match AssertUnwindSafe(acting).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(failure)) => failure,
                Err(_) => {
                    tracing::error!(peer = %session.peer, "a request panicked");
                    Failure::new(ErrorCode::Internal, "a fault in the server")
                }
            };
            hub.refuse(&session, origin, failure);
        };
        let mut answered = answered.boxed();
        // Most need not wait at all.
        match (&mut answered).now_or_never() {
            Some(()) => Step::Answered,
            None => Step::Await(answered),
        }
    }

    fn ack(&self, session: &Session, id: Option<u64>) {
        if let Some(id) = id {
            self.reply(session, server::Ack { id }.into());
        }
    }

    fn refuse(&self, session: &Session, origin: Origin, failure: Failure) {
        let Failure { code, message, retry_after_ms } = failure;
        let Origin { room, to, id } = origin;
        Event::Refused { peer: Some(session.peer.clone()), code }.send(&self.events);
        let error = server::Error { code, message, room, to, retry_after_ms, id };
        self.reply(session, error.into());
    }

    fn reply(&self, session: &Session, message: ServerMessage) {
        if let Some(waker) = session.push(message.to_frame(), &self.limits) {
            waker.wake();
        }
    }
}

impl Origin {
    fn of(frame: &RequestFrame<'_>) -> Self {
        Self {
            room: frame.room.as_deref().map(String::from),
            to: frame.to.as_deref().map(String::from),
            id: frame.id,
        }
    }
}

fn counted(intake: &mut Intake, frame: &RequestFrame<'_>, step: Step) -> Step {
    if frame.counted {
        intake.count();
    }
    step
}

fn parse_room(room: &str) -> Result<RoomName, Failure> {
    let invalid = |e: crate::protocol::InvalidRoomName| e.to_string();
    room.parse().map_err(invalid).map_err(|why| Failure::new(ErrorCode::InvalidRoom, why))
}

/// A name that cannot be a room's is not that of a room anyone is in.
fn known_room(room: &str) -> Result<RoomName, Failure> {
    room.parse().map_err(|_| not_in_room())
}

fn not_in_room() -> Failure {
    Failure::new(ErrorCode::NotInRoom, "not in this room")
}

fn unsure() -> Failure {
    let message = "whether it is still in this room is being asked".into();
    Failure { code: ErrorCode::Unavailable, message, retry_after_ms: Some(100) }
}

fn forbidden(why: &str) -> Failure {
    Failure::new(ErrorCode::Forbidden, why)
}

fn peer_not_found() -> Failure {
    Failure::new(ErrorCode::PeerNotFound, "no such peer in this room")
}
