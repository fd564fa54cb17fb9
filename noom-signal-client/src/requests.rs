//! The requests that wait for their reply.

use std::collections::HashMap;

use noom_signal::protocol::ServerMessage;
use tokio::sync::oneshot;

use crate::RequestError;

/// What becomes of a request.
pub(crate) type Answer = Result<ServerMessage, RequestError>;

/// The kind of message that answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Ack,
    Joined,
    Updated,
    Bye,
    Lobby,
    IceServers,
}

impl Expected {
    fn is(self, message: &ServerMessage) -> bool {
        matches!(
            (self, message),
            (Self::Ack, ServerMessage::Ack(_))
                | (Self::Joined, ServerMessage::Joined(_))
                | (Self::Updated, ServerMessage::Updated(_))
                | (Self::Bye, ServerMessage::Bye(_))
                | (Self::Lobby, ServerMessage::Lobby(_))
                | (Self::IceServers, ServerMessage::IceServers(_))
        )
    }
}

/// The open requests by id.
#[derive(Debug)]
pub(crate) struct Requests {
    open: HashMap<u64, Open>,
    last: u64,
    max: usize,
}

#[derive(Debug)]
struct Open {
    expected: Expected,
    answer: oneshot::Sender<Answer>,
}

/// The largest id: 2^53 − 1.
const MAX_ID: u64 = (1 << 53) - 1;

impl Requests {
    pub(crate) fn new(max: usize) -> Self {
        Self { open: HashMap::new(), last: 0, max }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.open.len() >= self.max
    }

    /// An id that no open request has.
    pub(crate) fn next_id(&mut self) -> u64 {
        loop {
            self.last = (self.last + 1) % MAX_ID;
            if !self.open.contains_key(&self.last) {
                return self.last;
            }
        }
    }

    pub(crate) fn open(&mut self, id: u64, expected: Expected) -> oneshot::Receiver<Answer> {
        let (answer, reply) = oneshot::channel();
        self.open.insert(id, Open { expected, answer });
        reply
    }

    /// Hands a reply to its request. Returns what the application is to be told as well: all that
    /// says something of rooms, so that events are the whole story; and an error that nobody waits
    /// for any more.
    pub(crate) fn settle(&mut self, message: ServerMessage) -> Option<ServerMessage> {
        let Some(id) = id_of(&message) else { return Some(message) };
        let fits =
            |open: &Open| open.expected.is(&message) || matches!(message, ServerMessage::Error(_));
        if !self.open.get(&id).is_some_and(fits) {
            return Some(message);
        }
        let Open { answer, .. } = self.open.remove(&id)?;
        match message {
            ServerMessage::Error(error) => match answer.send(Err(error.clone().into())) {
                Ok(()) => None,
                Err(_) => Some(error.into()),
            },
            ServerMessage::Ack(ack) => {
                let _ = answer.send(Ok(ack.into()));
                None
            }
            message => {
                // Whoever dropped the reply did not want it.
                let _ = answer.send(Ok(message.clone()));
                Some(message)
            }
        }
    }

    pub(crate) fn fail(&mut self, id: u64, error: RequestError) {
        if let Some(Open { answer, .. }) = self.open.remove(&id) {
            let _ = answer.send(Err(error));
        }
    }

    /// Fails all but those that `keep` says.
    pub(crate) fn fail_all(&mut self, error: &RequestError, keep: impl Fn(u64) -> bool) {
        let failed: Vec<u64> = self.open.keys().copied().filter(|&id| !keep(id)).collect();
        for id in failed {
            self.fail(id, error.clone());
        }
    }
}

fn id_of(message: &ServerMessage) -> Option<u64> {
    match message {
        ServerMessage::Ack(ack) => Some(ack.id),
        ServerMessage::Error(error) => error.id,
        ServerMessage::Joined(joined) => joined.id,
        ServerMessage::Updated(updated) => updated.id,
        ServerMessage::Bye(bye) => bye.id,
        ServerMessage::Lobby(lobby) => lobby.id,
        ServerMessage::IceServers(servers) => servers.id,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use noom_signal::protocol::{ErrorCode, server};

    use super::*;

    fn refusal(id: u64) -> ServerMessage {
        let (code, message) = (ErrorCode::NotInRoom, "no".to_owned());
        let id = Some(id);
        server::Error { code, message, room: None, to: None, retry_after_ms: None, id }.into()
    }

    #[test]
    fn a_reply_finds_its_request() {
        let mut requests = Requests::new(10);
        let (first, second) = (requests.next_id(), requests.next_id());
        let mut one = requests.open(first, Expected::Ack);
        let mut two = requests.open(second, Expected::Ack);
        assert_eq!(requests.settle(server::Ack { id: second }.into()), None);
        assert!(one.try_recv().is_err());
        assert!(two.try_recv().unwrap().is_ok());
        assert_eq!(requests.settle(refusal(first)), None);
        let error = one.try_recv().unwrap().unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::NotInRoom));
    }

    #[test]
    fn what_answers_nothing_is_an_event() {
        let mut requests = Requests::new(10);
        let id = requests.next_id();
        let _reply = requests.open(id, Expected::Joined);
        let stray: ServerMessage = server::Ack { id: 99 }.into();
        assert_eq!(requests.settle(stray.clone()), Some(stray));
        let of_another_kind: ServerMessage = server::Ack { id }.into();
        assert!(requests.settle(of_another_kind).is_some());
    }

    #[test]
    fn an_error_that_nobody_awaits_is_told() {
        let mut requests = Requests::new(10);
        let id = requests.next_id();
        drop(requests.open(id, Expected::Ack));
        assert_eq!(requests.settle(refusal(id)), Some(refusal(id)));
    }

    #[test]
    fn ids_wrap_around_those_in_use() {
        let mut requests = Requests::new(10);
        let first = requests.next_id();
        let _reply = requests.open(first, Expected::Ack);
        requests.last = MAX_ID - 1;
        assert_eq!((requests.next_id(), requests.next_id()), (0, 2));
    }
}
