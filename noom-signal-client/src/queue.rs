//! The events that wait for the application.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use crate::Event;

/// A bounded queue that never drops: whoever fills it asks first whether it is full.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: VecDeque<(Event, usize)>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
    reader: Option<Waker>,
    /// Nobody will take events any more.
    abandoned: bool,
    /// No event will come any more.
    ended: bool,
}

impl Queue {
    pub(crate) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            max_events: max_events.max(1),
            max_bytes: max_bytes.max(1),
            reader: None,
            abandoned: false,
            ended: false,
        }
    }

    /// Whether nothing more should be read for now.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= self.max_events || self.bytes >= self.max_bytes
    }

    /// Adds an event that came of a frame of so many bytes. A state takes the place of the state
    /// just before it: that one is out of date.
    pub(crate) fn push(&mut self, event: Event, bytes: usize) {
        if self.abandoned || self.ended {
            return;
        }
        if matches!(event, Event::State(_))
            && let Some((last @ Event::State(_), _)) = self.waiting.back_mut()
        {
            *last = event;
        } else {
            self.bytes += bytes;
            self.waiting.push_back((event, bytes));
        }
        self.wake();
    }

    /// Takes an event out. With it goes whether the queue was full until now.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<(Option<Event>, bool)> {
        let was_full = self.is_full();
        if let Some((event, bytes)) = self.waiting.pop_front() {
            self.bytes -= bytes;
            return Poll::Ready((Some(event), was_full && !self.is_full()));
        }
        if self.ended {
            return Poll::Ready((None, false));
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The application takes no more events.
    pub(crate) fn abandon(&mut self) {
        self.abandoned = true;
        self.waiting.clear();
        (self.bytes, self.reader) = (0, None);
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;

    fn text() -> Event {
        Event::Unknown("x".into())
    }

    #[test]
    fn it_is_full_by_events_or_by_bytes() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut queue = Queue::new(2, 1000);
        queue.push(text(), 1);
        assert!(!queue.is_full());
        queue.push(text(), 1);
        assert!(queue.is_full());
        assert_eq!(queue.poll_next(&mut cx), Poll::Ready((Some(text()), true)));
        assert_eq!(queue.poll_next(&mut cx), Poll::Ready((Some(text()), false)));
        assert!(queue.poll_next(&mut cx).is_pending());
        queue.push(text(), 1000);
        assert!(queue.is_full());
        queue.abandon();
        queue.push(text(), 1000);
        assert!(!queue.is_full());
    }

    #[test]
    fn only_the_latest_of_several_states_is_kept() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut queue = Queue::new(10, 1000);
        queue.push(Event::State(State::Connecting), 0);
        queue.push(Event::State(State::Open), 0);
        queue.push(text(), 1);
        queue.end();
        let state = Event::State(State::Open);
        assert_eq!(queue.poll_next(&mut cx), Poll::Ready((Some(state), false)));
        assert_eq!(queue.poll_next(&mut cx), Poll::Ready((Some(text()), false)));
        assert_eq!(queue.poll_next(&mut cx), Poll::Ready((None, false)));
    }
}
