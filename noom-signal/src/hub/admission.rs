//! From a connection to a session.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use thiserror::Error;
use tokio::{
    runtime::Handle,
    sync::OwnedMutexGuard,
    time::{Instant, timeout},
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{
    Hub, Inner,
    connection::{Connection, Departure},
    event::Event,
};
use crate::{
    policy::{ConnectRequest, Identity},
    protocol::{
        CloseCode, ErrorCode, Frame, Request, RequestFrame, Resumed, ServerMessage, server,
    },
    session::{Intake, Rewound, Session},
    transport::{Incoming, Transport, TransportError},
};

/// Why a connection is not admitted. An HTTP adapter answers 503 and `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The hub is shutting down.
    #[error("the server is going down")]
    Closing {
        /// When another try is worth it, in seconds.
        retry_after_secs: u64,
    },
}

/// The right to serve one connection. Dropping it unused gives it back.
#[derive(Debug)]
pub struct Admission {
    hub: Arc<Inner>,
    request: ConnectRequest,
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
            return Err(Refused::Closing { retry_after_secs: 5 });
        }
        let token = self.0.connections.token();
        Ok(Admission { hub: self.0.clone(), request, token })
    }
}

impl Admission {
    /// Serves a connection, from its `hello` to its end. Returns what ended it.
    ///
    /// Spawn it, or await it in the task that the transport has anyway: it is the one task of the
    /// connection. Dropping the future cuts the connection; the session then waits for its client
    /// as after any other loss.
    pub async fn serve<T: Transport>(self, mut transport: T) -> Departure {
        let Self { hub, request, token: _token } = self;
        // Any runtime does: it is needed only where a connection is dropped outside of all.
        let _ = hub.runtime.set(Handle::current());
        // Boxed: what a hello needs should not weigh on the connection for the rest of its life.
        let opening = Box::pin(timeout(hub.limits.handshake, open(&hub, &request, &mut transport)));
        let opened = match opening.await {
            Ok(opened) => opened,
            Err(_) => Err(Failed::Close(CloseCode::TIMEOUT)),
        };
        drop(request);
        match opened {
            Ok(Opened { session, turn, hello }) => {
                Connection::new(hub, session, turn, transport).run(hello).await
            }
            Err(Failed::Gone(departure)) => departure,
            Err(Failed::Close(code)) => {
                // A client that does not take part in the close is cut off.
                let _ = timeout(hub.limits.close, transport.close(code)).await;
                Departure::ClosedByServer(code)
            }
        }
    }
}

/// A session, and the right to handle its frames.
struct Opened {
    session: Arc<Session>,
    turn: OwnedMutexGuard<Intake>,
    hello: Frame,
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
    let hook = async {
        let identity = hub.policy.authenticate(request, token.as_deref()).await?;
        let ice_servers = hub.policy.ice_servers(&identity).await;
        Ok((identity, ice_servers))
    };
    let (identity, ice_servers) = match AssertUnwindSafe(hook).catch_unwind().await {
        Ok(Ok(established)) => established,
        Ok(Err(refused)) => {
            let refused: crate::policy::Refused = refused;
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
        Some((secret, received)) => hub.resume(&secret, received, identity.clone()).await?,
        None => None,
    };
    let (session, turn, how, rooms) = match resumed {
        Some(resumed) => resumed,
        None => {
            let (session, turn) = hub.begin(identity).await;
            (session, turn, Resumed::New, None)
        }
    };
    let hello = server::Hello {
        peer: session.peer.clone(),
        user: session.identity().user.clone(),
        session: session.secret.clone(),
        resumed: how,
        received: (how == Resumed::Full).then(|| turn.received()),
        rooms,
        ice_servers,
        heartbeat_ms: hub.limits.heartbeat.as_millis() as u64,
        resume_ms: hub.limits.resume.as_millis() as u64,
        limits: hub.limits.announced(),
        id,
    };
    Ok(Opened { session, turn, hello: ServerMessage::from(hello).to_frame() })
}

type ResumedSession =
    (Arc<Session>, OwnedMutexGuard<Intake>, Resumed, Option<Vec<crate::protocol::RoomName>>);

impl Inner {
    async fn begin(&self, identity: Identity) -> (Arc<Session>, OwnedMutexGuard<Intake>) {
        let session = Arc::new(Session::new(identity.clone(), &self.limits, Instant::now()));
        let turn = session.turn().await;
        session.attach(session.claim(), 0, identity);
        self.registry.insert(session.clone());
        (session, turn)
    }

    /// Takes a session up again; `None` where there is none to take up.
    async fn resume(
        self: &Arc<Self>,
        secret: &str,
        received: u64,
        identity: Identity,
    ) -> Result<Option<ResumedSession>, Failed> {
        let Some(session) = self.registry.find(secret) else { return Ok(None) };
        if session.identity().user != identity.user {
            return Ok(None);
        }
        let claim = session.claim();
        let mut turn = session.turn().await;
        // A resume that lost something starts again from the rosters as they are now. With its
        // rooms locked, nothing comes between those and what follows.
        let entered = session.rooms();
        let rooms = self.rooms.of_all(entered.iter());
        let Some(rewound) = session.attach(claim, received, identity) else {
            if session.is_claimed_after(claim) {
                return Err(Failed::Close(CloseCode::REPLACED));
            }
            return Ok(None);
        };
        if rewound == Rewound::Full {
            drop(rooms);
            self.resume_lobby(&session).await;
            return Ok(Some((session, turn, Resumed::Full, None)));
        }
        turn.restart();
        let mut members = Vec::new();
        for room in entered {
            if let Some(roster) = rooms.get(&room).and_then(|here| here.roster_for(&session.peer)) {
                // Nobody waits for it: the connection that is to be woken is this one.
                drop(session.push(roster, &self.limits));
                members.push(room);
            }
        }
        drop(rooms);
        for room in &members {
            self.with_room(room.as_str(), |here, delivery| {
                here.tell_missed(&session.peer, delivery);
            });
        }
        self.resume_lobby(&session).await;
        Ok(Some((session, turn, Resumed::Partial, Some(members))))
    }
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
