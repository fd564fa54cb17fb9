//! The way to the server: a link that is made anew whenever it breaks.

use std::{sync::Arc, time::Duration};

use noom_signal::protocol::{ClientMessage, CloseCode, ServerMessage, client, server};
use tokio::{
    select,
    time::{Instant, sleep, timeout},
};

use crate::{
    ClientLimits, Closed, Ending, State,
    backoff::Backoff,
    connection::{Connection, End},
    link::{Dial, DialError, Incoming, Reader, Writer},
    shared::{Order, Shared},
    token::Token,
    wire,
};

/// A connection that held this long was a good one: the next loss starts the backoff anew.
const SETTLED: Duration = Duration::from_secs(5);
/// No wait that a server asks for is longer.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(600);

/// The client's one task: it connects, for as long as that can help, and runs each connection.
pub(crate) struct Line<D> {
    pub(crate) dial: D,
    pub(crate) token: Token,
    /// What we call ourselves.
    pub(crate) name: String,
    pub(crate) limits: ClientLimits,
    pub(crate) shared: Arc<Shared>,
    /// From 0 to 1, for the waits.
    pub(crate) random: Box<dyn Fn() -> f64 + Send + Sync>,
}

/// Why there is no open connection, or no more, and what the server wants us to wait.
struct Loss {
    ending: Ending,
    wait: Wait,
}

enum Wait {
    Backoff,
    /// At least this long, and then some.
    AtLeast(Duration),
    Exactly(Duration),
}

/// An attempt that did not come to a `hello`.
enum Failure {
    Final(Closed),
    Loss(Loss),
}

impl<D> Drop for Line<D> {
    fn drop(&mut self) {
        // Only a task that did not come to its end has not finished yet.
        self.shared.finish(Closed::Aborted);
    }
}

impl<D: Dial> Line<D> {
    /// Runs until the client is over.
    pub(crate) async fn run(mut self) {
        let why = self.live().await;
        self.shared.finish(why);
    }

    async fn live(&mut self) -> Closed {
        let mut backoff = Backoff::new(self.limits.backoff, self.limits.backoff_cap);
        let mut resume = Duration::ZERO;
        let mut attempts = 0;
        loop {
            let loss = match self.open().await {
                Ok((reader, writer, hello)) => {
                    let opened = Instant::now();
                    attempts = 0;
                    resume = Duration::from_millis(hello.resume_ms).min(MAX_WAIT);
                    let connection = Connection::new(&self.shared, &self.limits, &hello);
                    self.shared.greeted(hello);
                    let end = connection.run(reader, writer).await;
                    if opened.elapsed() >= SETTLED {
                        backoff.reset();
                    }
                    match end {
                        End::Closed => return Closed::ByClient,
                        End::Broken { ending, return_in } => {
                            self.shared.broke(&ending);
                            if let Some(why) = final_code(&ending) {
                                return why;
                            }
                            // Not later than the session lasts.
                            let wait = return_in.map(|wait| Wait::Exactly(wait.min(resume / 2)));
                            Loss { ending, wait: wait.unwrap_or(Wait::Backoff) }
                        }
                    }
                }
                Err(Failure::Final(why)) => return why,
                Err(Failure::Loss(loss)) => {
                    attempts += 1;
                    let may_give_up = !self.shared.is_begun();
                    if may_give_up && self.limits.first_attempts.is_some_and(|max| attempts >= max)
                    {
                        return Closed::Unreachable(loss.ending);
                    }
                    loss
                }
            };
            let retry_in = match loss.wait {
                Wait::Exactly(wait) => wait,
                Wait::Backoff => backoff.next((self.random)()),
                Wait::AtLeast(wait) => {
                    let wait = if resume.is_zero() { wait } else { wait.min(resume / 2) };
                    wait.min(MAX_WAIT) + backoff.next((self.random)())
                }
            };
            let cause = loss.ending;
            if self.shared.is_begun() {
                self.shared.tell(State::Reconnecting { attempt: attempts, retry_in, cause });
            } else {
                tracing::debug!(%cause, attempts, ?retry_in, "not connected yet");
            }
            if self.pause(retry_in).await == Some(Order::Close) {
                return Closed::ByClient;
            }
        }
    }

    /// Waits before the next attempt: for the time, and for room to tell what comes of it.
    async fn pause(&mut self, retry_in: Duration) -> Option<Order> {
        let shared = &self.shared;
        let waited = async {
            sleep(retry_in).await;
            while shared.is_full() {
                shared.changed.notified().await;
            }
        };
        let ordered = async {
            loop {
                if let Some(order) = shared.take_order() {
                    return order;
                }
                shared.changed.notified().await;
            }
        };
        select! {
            biased;
            order = ordered => Some(order),
            () = waited => None,
        }
    }

    /// One attempt, up to the server's `hello`.
    async fn open(&mut self) -> Result<(D::Reader, D::Writer, server::Hello), Failure> {
        let shared = self.shared.clone();
        let closed = async {
            // To drop a link that is not there yet would be in vain.
            while shared.take_order() != Some(Order::Close) {
                shared.changed.notified().await;
            }
        };
        select! {
            biased;
            () = closed => Err(Failure::Final(Closed::ByClient)),
            opened = timeout(self.limits.connect, self.greet()) => opened.unwrap_or_else(|_| {
                let code = Some(CloseCode::TIMEOUT);
                Err(lost(Ending::closed(code, "no hello came in time")))
            }),
        }
    }

    async fn greet(&self) -> Result<(D::Reader, D::Writer, server::Hello), Failure> {
        let token = self.token.get().await;
        let token = token.map_err(|why| lost(Ending::broken(format!("no token: {why}"))))?;
        let (mut reader, mut writer) = match self.dial.dial().await {
            Ok(link) => link,
            Err(error) => return Err(self.undialled(error)),
        };
        let (resume, name) = (self.shared.resume(), self.name.clone());
        let hello = client::Hello { token, resume, client: Some(name), id: None };
        writer.ready().await.map_err(lost)?;
        writer.write(ClientMessage::from(hello).to_frame()).map_err(lost)?;
        writer.flush().await.map_err(lost)?;
        // Before its hello a server has nothing to say but why there will be none.
        let mut refusal = None;
        loop {
            match reader.recv().await {
                Incoming::Text(text) => match wire::read(&text).message {
                    Some(ServerMessage::Hello(hello)) => return Ok((reader, writer, hello)),
                    Some(ServerMessage::Error(error)) => refusal = Some(error.message),
                    _ => {}
                },
                Incoming::Alive => {}
                Incoming::Ended(ending) => return Err(refused(ending, refusal)),
            }
        }
    }

    fn undialled(&self, error: DialError) -> Failure {
        let DialError { ending, hopeless, retry_after } = error;
        // Once there was a session, even a plain no may come of a proxy that is being restarted.
        if hopeless && !self.shared.is_begun() {
            return Failure::Final(Closed::Refused(ending));
        }
        let wait = retry_after.map_or(Wait::Backoff, Wait::AtLeast);
        Failure::Loss(Loss { ending, wait })
    }
}

fn lost(ending: Ending) -> Failure {
    Failure::Loss(Loss { ending, wait: Wait::Backoff })
}

/// The server closed instead of saying `hello`.
fn refused(mut ending: Ending, refusal: Option<String>) -> Failure {
    if let Some(refusal) = refusal {
        ending.reason = refusal;
    }
    if let Some(why) = final_code(&ending) {
        return Failure::Final(why);
    }
    // The hello was refused, and would be again.
    match ending.code {
        Some(CloseCode::TOO_BIG | CloseCode::BAD_MESSAGES) => {
            Failure::Final(Closed::Refused(ending))
        }
        _ => lost(ending),
    }
}

/// Whether a client does not come back after this, `hello` or not.
fn final_code(ending: &Ending) -> Option<Closed> {
    match ending.code {
        Some(CloseCode::REPLACED) => Some(Closed::Replaced),
        Some(CloseCode::UNAUTHORIZED) => Some(Closed::Unauthorized(ending.reason.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod cable;
#[cfg(test)]
mod tests;
