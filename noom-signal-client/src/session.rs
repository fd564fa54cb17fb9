//! Our stay at the server, across connections.

use std::time::Duration;

use noom_signal::protocol::{
    AnnouncedLimits, ClientMessage, CloseCode, ErrorCode, Frame, Resumed, ServerMessage,
    SessionSecret, client, server,
};
use tokio::{sync::oneshot, time::Instant};

use crate::{
    ClientLimits, Closed, RequestError,
    bucket::{Bucket, Rates},
    outbox::{Entry, Outbox},
    requests::{Answer, Expected, Requests},
    wire,
};

/// What each side has taken of the other, and the requests that wait for their reply. Pure: the time
/// is an argument, frames go in and come out.
#[derive(Debug)]
pub(crate) struct Session {
    outbox: Outbox,
    requests: Requests,
    bucket: Bucket,
    /// The secret to come back with.
    secret: Option<SessionSecret>,
    /// How many of the server's frames we have taken.
    received: u64,
    /// What we have taken since the server last heard how much.
    unreported: Volume,
    /// What the server keeps for a resume.
    kept: Volume,
    message_bytes: usize,
    /// A ping of our own asking is on its way.
    asked: bool,
    /// The next frame is to be a ping.
    ping: bool,
    /// The last connection was closed because of a frame of ours.
    poisoned: Option<CloseCode>,
    /// How many attempts to resume there were. One that was given up may reach the server late: by its
    /// number it does not pass for the newest.
    attempts: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Volume {
    frames: usize,
    bytes: usize,
}

/// The next frame to write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Frame(Frame),
    /// There is one, but the server's rate allows it only after this long.
    Wait(Duration),
    Nothing,
}

/// What a `hello` means for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    First,
    Full,
    Partial,
    Reset,
}

impl Session {
    pub(crate) fn new(limits: &ClientLimits, now: Instant) -> Self {
        let (frames, bytes) = (limits.outbound_frames.max(1), limits.outbound_bytes.max(1));
        Self {
            outbox: Outbox::new(frames, bytes),
            requests: Requests::new(limits.requests),
            bucket: Bucket::full(Rates::default(), now),
            secret: None,
            received: 0,
            unreported: Volume::default(),
            kept: Volume { frames: usize::MAX, bytes: usize::MAX },
            message_bytes: usize::MAX,
            asked: false,
            ping: false,
            poisoned: None,
            attempts: 0,
        }
    }

    /// What the hello of one more attempt says about us.
    pub(crate) fn resume(&mut self) -> Option<client::Resume> {
        let session = self.secret.clone()?;
        self.attempts += 1;
        let attempt = Some(self.attempts);
        Some(client::Resume { session, received: self.received, attempt })
    }

    /// Whether there has been a `hello`.
    pub(crate) fn is_begun(&self) -> bool {
        self.secret.is_some()
    }

    /// Puts a request into the outbox.
    ///
    /// # Errors
    ///
    /// Where it is too long, or too much waits already. Nothing is sent then.
    pub(crate) fn request(
        &mut self,
        expected: Expected,
        message: impl FnOnce(u64) -> ClientMessage,
    ) -> Result<oneshot::Receiver<Answer>, RequestError> {
        if self.requests.is_full() {
            return Err(RequestError::Backlog);
        }
        let id = self.requests.next_id();
        let frame = message(id).to_frame();
        if frame.len() > self.message_bytes {
            let (length, limit) = (frame.len(), self.message_bytes);
            return Err(RequestError::TooLarge { length, limit });
        }
        self.outbox.push(Entry { id, frame }).map_err(|_| RequestError::Backlog)?;
        Ok(self.requests.open(id, expected))
    }

    /// The next frame is to ask for a sign of life.
    pub(crate) fn want_ping(&mut self) {
        self.ping = true;
    }

    /// The next frame to write on an open connection; it counts as written from here on.
    pub(crate) fn next(&mut self, now: Instant) -> Next {
        if self.ping || self.is_ping_due() {
            self.ping = false;
            self.asked = true;
            self.unreported = Volume::default();
            let ping = client::Ping { received: Some(self.received) };
            return Next::Frame(ClientMessage::from(ping).to_frame());
        }
        let Some(length) = self.outbox.next_len() else { return Next::Nothing };
        if let Err(wait) = self.bucket.take(length, now) {
            return Next::Wait(wait);
        }
        self.outbox.next().map_or(Next::Nothing, Next::Frame)
    }

    /// Takes a frame of the server. Returns its message, if there is any sense in it: a second
    /// `hello` has none.
    pub(crate) fn take(&mut self, text: &str, now: Instant) -> Option<ServerMessage> {
        let received = wire::read(text);
        if received.counted {
            self.received += 1;
            self.unreported.frames += 1;
            self.unreported.bytes += text.len();
        }
        match &received.message {
            Some(ServerMessage::Hello(_)) => return None,
            Some(ServerMessage::Pong(pong)) => {
                self.asked = false;
                self.outbox.confirm(pong.received);
            }
            Some(ServerMessage::Error(error)) if error.code == ErrorCode::RateLimited => {
                self.bucket.drain(now);
            }
            _ => {}
        }
        received.message
    }

    /// Gives a reply to who waits for it. Returns what the application is to be told as well.
    pub(crate) fn settle(&mut self, message: ServerMessage) -> Option<ServerMessage> {
        self.requests.settle(message)
    }

    /// An open connection ended; the code with which the server blamed the last frame.
    pub(crate) fn broke(&mut self, blame: Option<CloseCode>) {
        self.poisoned = blame;
    }

    /// The server answered our hello.
    pub(crate) fn greeted(&mut self, hello: &server::Hello, now: Instant) -> Outcome {
        let first = self.secret.replace(hello.session.clone()).is_none();
        self.adopt(&hello.limits);
        self.asked = false;
        self.ping = false;
        self.unreported = Volume::default();
        let poisoned = self.poisoned.take();
        if !first && hello.resumed == Resumed::Full {
            let received = hello.received.unwrap_or_default();
            let culprit = self.outbox.rewind(received, poisoned.is_some());
            if let (Some(culprit), Some(code)) = (culprit, poisoned) {
                self.requests.fail(culprit.id, RequestError::Blamed(code));
            }
            return Outcome::Full;
        }
        if first || hello.resumed == Resumed::New {
            // The server's bucket belongs to the session.
            self.bucket = Bucket::full(rates(&hello.limits), now);
        }
        self.received = 0;
        let unwritten = self.outbox.restart();
        self.requests.fail_all(&RequestError::Lost, |id| unwritten.contains(&id));
        match hello.resumed {
            _ if first => Outcome::First,
            Resumed::Partial => Outcome::Partial,
            _ => Outcome::Reset,
        }
    }

    /// There will be no other connection.
    pub(crate) fn finished(&mut self, why: &Closed) {
        self.secret = None;
        self.outbox.clear();
        self.requests.fail_all(&why.clone().into(), |_| false);
    }

    fn adopt(&mut self, limits: &AnnouncedLimits) {
        let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX).max(1);
        self.message_bytes = size(limits.message_bytes);
        self.kept = Volume { frames: size(limits.resume_frames), bytes: size(limits.resume_bytes) };
    }

    /// Whether the other side should hear now what we have taken, or tell what it has: early enough
    /// that neither a busy sender nor a busy receiver runs into a bound while the link is fine.
    fn is_ping_due(&self) -> bool {
        let Volume { frames, bytes } = self.unreported;
        frames > self.kept.frames / 4
            || bytes > self.kept.bytes / 4
            || (!self.asked && self.outbox.unconfirmed() > 0.25)
    }
}

fn rates(limits: &AnnouncedLimits) -> Rates {
    Rates {
        messages_per_second: limits.messages_per_second,
        burst: limits.burst,
        bytes_per_second: limits.bytes_per_second.unwrap_or_default(),
        byte_burst: limits.byte_burst.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
