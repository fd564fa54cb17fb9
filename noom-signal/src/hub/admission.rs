//! From a connection to a session.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use thiserror::Error;
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{
    Hub, Inner,
    arrivals::Brought,
    connection::{Connection, Departure},
    door::Pass,
    event::Event,
    holder::Holder,
    room::Relayed,
};
use crate::{
    policy::{ConnectRequest, Identity},
    protocol::{
        CloseCode, ErrorCode, Frame, PeerId, Request, RequestFrame, Resumed, Resumption, RoomName,
        ServerMessage, SessionSecret, server,
    },
    session::{Rewound, Session},
    transport::{Incoming, Transport, TransportError},
};

/// Why a connection is not admitted. An HTTP adapter answers 503 and `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The hub is shutting down.
    #[error("the server is going down")]
    Closing {
        /// When another try is worth it.
        retry_after: Duration,
    },
    /// [`Limits::connections`](crate::Limits::connections) is reached.
    #[error("the server is full")]
    Full {
        /// When another try is worth it.
        retry_after: Duration,
    },
    /// [`Limits::connections_per_address`](crate::Limits::connections_per_address) is reached.
    #[error("too many connections from this address")]
    TooManyFromAddress {
        /// When another try is worth it.
        retry_after: Duration,
    },
}

impl Refused {
    /// When another try is worth it.
    pub fn retry_after(&self) -> Duration {
        match *self {
            Self::Closing { retry_after }
            | Self::Full { retry_after }
            | Self::TooManyFromAddress { retry_after } => retry_after,
        }
    }
}

/// Long enough for a restart, or for a load balancer to look elsewhere.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The right to serve one connection. Dropping it unused gives it back.
#[derive(Debug)]
pub struct Admission {
    hub: Arc<Inner>,
    request: ConnectRequest,
    pass: Pass,
    token: TaskTrackerToken,
}

impl Hub {
    /// Asks to serve one more connection.
    ///
    /// An adapter calls this before it accepts the connection, so that one that cannot be served
    /// costs nothing.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why, and when to try again.
    pub fn admit(&self, request: ConnectRequest) -> Result<Admission, Refused> {
        if self.0.connections.is_closed() {
            return Err(Refused::Closing { retry_after: RETRY_AFTER });
        }
        let address = request.remote.map(|remote| remote.ip());
        let pass = self.0.door.enter(address, &self.0.limits, Instant::now())?;
        let token = self.0.connections.token();
        Ok(Admission { hub: self.0.clone(), request, pass, token })
    }
}

impl Admission {
    /// Serves a connection, from its `hello` to its end. Returns what ended it.
    ///
    /// Spawn it, or await it in the task that the transport has anyway: it is the one task of the
    /// connection. Dropping the future cuts the connection; the session then waits for its client
    /// as after any other loss.
    pub async fn serve<T: Transport>(self, mut transport: T) -> Departure {
        let Self { hub, request, pass, token: _token } = self;
        // Any runtime does: it is needed only where a connection is dropped outside of all.
        let _ = hub.runtime.set(Handle::current());
        // Boxed: what a hello needs should not weigh on the connection for the rest of its life.
        let opening =
            Box::pin(timeout(hub.limits.handshake, open(&hub, &request, &pass, &mut transport)));
        let opened = match opening.await {
            Ok(opened) => opened,
            Err(_) => Err(Failed::Close(CloseCode::TIMEOUT)),
        };
        drop(request);
        match opened {
            Ok(Opened { holder, hello, partial }) => {
                // A shutdown closes those sessions that it finds held; this one may be later.
                if hub.connections.is_closed() {
                    holder.session.close(CloseCode::GOING_AWAY);
                }
                Connection::new(holder, transport, partial).run(hello).await
            }
            Err(Failed::Gone(departure)) => {
                departure.answer(transport, hub.limits.close).await;
                departure
            }
            Err(Failed::Close(code)) => {
                let departure = Departure::ClosedByServer(code);
                departure.answer(transport, hub.limits.close).await;
                departure
            }
        }
    }
}

/// A session held, and what its client is told first.
struct Opened {
    holder: Holder,
    hello: Frame,
    /// It lost something, and has to hear of that.
    partial: bool,
}

/// Why a connection never became a session's.
enum Failed {
    Close(CloseCode),
    Gone(Departure),
}

impl From<TransportError> for Failed {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Broken(why) => Self::Gone(Departure::Broken(why)),
            TransportError::Violation(code) => Self::Close(code),
        }
    }
}

async fn open<T: Transport>(
    hub: &Arc<Inner>,
    request: &ConnectRequest,
    pass: &Pass,
    transport: &mut T,
) -> Result<Opened, Failed> {
    let text = loop {
        match transport.recv().await? {
            Incoming::Text(text) => break text,
            Incoming::Binary => return Err(Failed::Close(CloseCode::UNSUPPORTED)),
            Incoming::Alive => {}
            Incoming::Closed(code) => return Err(Failed::Gone(Departure::ClosedByClient(code))),
        }
    };
    if text.len() > hub.limits.message_bytes {
        return Err(Failed::Close(CloseCode::TOO_BIG));
    }
    let frame = RequestFrame::parse(&text, hub.limits.depth);
    let id = frame.id;
    let (token, resume) = match frame.request {
        Ok(Request::Hello { token, resume, client }) => {
            tracing::debug!(client = client.as_deref().map(brief), "hello");
            (token, resume)
        }
        Ok(_) => {
            let why = "the first message must be a hello".into();
            return Err(reject(hub, transport, ErrorCode::BadMessage, why, id).await);
        }
        Err(refusal) => {
            let why = refusal.to_string();
            return Err(reject(hub, transport, ErrorCode::BadMessage, why, id).await);
        }
    };
    sleep(pass.delay(&hub.limits, Instant::now())).await;
    let hook = async {
        let identity = hub.policy.authenticate(request, token.as_deref()).await?;
        let ice_servers = hub.policy.ice_servers(&identity).await;
        Ok((identity, ice_servers))
    };
    let (identity, ice_servers) = match AssertUnwindSafe(hook).catch_unwind().await {
        Ok(Ok(established)) => established,
        Ok(Err(refused)) => {
            let refused: crate::policy::Refused = refused;
            pass.fail(Instant::now());
            let why = refused.to_string();
            return Err(reject(hub, transport, ErrorCode::Unauthorized, why, id).await);
        }
        Err(_) => {
            tracing::error!("the policy panicked on a hello");
            let why = "a fault in the server".into();
            return Err(reject(hub, transport, ErrorCode::Internal, why, id).await);
        }
    };

    let resumed = match resume {
        Some(resume) => hub.resume(resume, identity.clone()).await?,
        None => None,
    };
    let (holder, how, rooms) = match resumed {
        Some(Taken { holder, rooms: None }) => (holder, Resumed::Full, None),
        Some(Taken { holder, rooms }) => (holder, Resumed::Partial, rooms),
        None => (hub.begin(identity).await, Resumed::New, None),
    };
    hub.resume_lobby(&holder.session, how).await;
    let hello = server::Hello {
        peer: holder.session.peer.clone(),
        user: holder.session.identity().user.clone(),
        session: holder.session.secret.clone(),
        resumed: how,
        received: (how == Resumed::Full).then(|| holder.received()),
        rooms,
        ice_servers,
        heartbeat_ms: hub.limits.heartbeat.as_millis() as u64,
        resume_ms: hub.limits.resume.as_millis() as u64,
        limits: hub.limits.announced(),
        id,
    };
    let partial = how == Resumed::Partial;
    Ok(Opened { holder, hello: ServerMessage::from(hello).to_frame(), partial })
}

/// A session taken up again; with its rooms, where something was lost.
struct Taken {
    holder: Holder,
    rooms: Option<Vec<RoomName>>,
}

impl Inner {
    async fn begin(self: &Arc<Self>, identity: Identity) -> Holder {
        let secret = SessionSecret::random(self.node);
        let session = Session::new(secret, identity.clone(), &self.limits, Instant::now());
        let session = Arc::new(session);
        let turn = session.turn().await;
        session.attach(session.claim(0).unwrap_or_default(), 0, identity);
        self.registry.insert(session.clone());
        Holder::new(self.clone(), session, turn)
    }

    /// Takes a session up again; `None` where there is none to take up.
    async fn resume(
        self: &Arc<Self>,
        resume: Resumption<'_>,
        identity: Identity,
    ) -> Result<Option<Taken>, Failed> {
        let Resumption { session: secret, received, attempt } = resume;
        let secret = &*secret;
        for _ in 0..TRIES {
            let session = match self.registry.get(&PeerId::of(secret)) {
                Some(session) => session,
                None => match self.bring(secret, attempt, &identity).await {
                    Brought::Here(session) => session,
                    Brought::Nowhere => return Ok(None),
                    Brought::Superseded => return Err(Failed::Close(CloseCode::REPLACED)),
                    // Its client tries again, here or elsewhere; the session waits for it.
                    Brought::Unavailable => return Err(Failed::Close(CloseCode::GOING_AWAY)),
                },
            };
            if session.secret.reveal() != secret || session.identity().user != identity.user {
                return Ok(None);
            }
            let superseded = Failed::Close(CloseCode::REPLACED);
            let claim = session.claim(attempt).ok_or(superseded)?;
            let turn = session.turn().await;
            match self.retake(&session, claim, received, identity.clone()) {
                Ok(rooms) => {
                    let mut holder = Holder::new(self.clone(), session, turn);
                    if rooms.is_some() {
                        holder.restart();
                    }
                    return Ok(Some(Taken { holder, rooms }));
                }
                // Another node may just have got it, for a client that goes to and fro.
                Err(NotRetaken::Ended) => self.registry.remove(&session),
                Err(NotRetaken::Superseded) => return Err(Failed::Close(CloseCode::REPLACED)),
            }
        }
        Ok(None)
    }

    /// Attaches the connection that has the turn. Where something was lost, the rosters are the
    /// first that its client gets, and its rooms are returned.
    fn retake(
        &self,
        session: &Session,
        claim: u64,
        received: u64,
        identity: Identity,
    ) -> Result<Option<Vec<RoomName>>, NotRetaken> {
        let entered = session.rooms();
        let mut members = Vec::new();
        {
            // With all its rooms locked, nothing comes between the rosters and what follows them.
            let rooms = self.rooms.of_all(entered.iter());
            match session.attach(claim, received, identity) {
                Some(Rewound::Full) => return Ok(None),
                Some(Rewound::Partial) => {}
                None if session.is_claimed_after(claim) => return Err(NotRetaken::Superseded),
                None => return Err(NotRetaken::Ended),
            }
            for room in entered {
                let here = rooms.get(&room);
                if let Some(roster) = here.and_then(|here| here.roster_for(&session.peer)) {
                    // Nobody waits for it yet: the connection that will write it is this one.
                    session.push_roster(roster, &self.limits);
                    members.push(room);
                }
            }
        }
        for room in &members {
            let relayed = self.with_room(room.as_str(), |here, delivery| {
                here.tell_missed(&session.peer, delivery)
            });
            if let Some(Relayed::Remote { message, nodes, departing }) = relayed
                && let Some(hub) = self.this.upgrade()
            {
                self.spawn(async move {
                    if let Err(error) = hub.send_on(message, nodes, departing).await {
                        tracing::warn!(%error, "other nodes were not told of a loss");
                    }
                });
            }
        }
        Ok(Some(members))
    }
}

/// How often a session is looked for that ends just when it is found.
const TRIES: usize = 3;

/// Why a session could not be taken up.
enum NotRetaken {
    Ended,
    /// A newer connection asked for it too.
    Superseded,
}

/// Tells a client why it cannot stay. What it is told is written before the close.
async fn reject<T: Transport>(
    hub: &Inner,
    transport: &mut T,
    code: ErrorCode,
    message: String,
    id: Option<u64>,
) -> Failed {
    Event::Refused { peer: None, code }.send(&hub.events);
    let error = server::Error { code, message, room: None, to: None, retry_after_ms: None, id };
    let told = async {
        transport.feed(ServerMessage::from(error).to_frame()).await?;
        transport.flush().await
    };
    if let Err(error) = told.await {
        return error.into();
    }
    Failed::Close(match code {
        ErrorCode::Unauthorized => CloseCode::UNAUTHORIZED,
        ErrorCode::Internal => CloseCode::INTERNAL,
        _ => CloseCode::BAD_MESSAGES,
    })
}

/// As much of a client's own words as a log should hold.
fn brief(client: &str) -> String {
    client.chars().filter(|c| !c.is_control()).take(64).collect()
}
