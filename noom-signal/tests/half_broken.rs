//! A link that breaks in one direction first.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;

use noom_signal::{
    ConnectRequest, Departure, Hub,
    protocol::{CloseCode, Frame},
    transport::{Incoming, Transport, TransportError},
};

/// Writes work until the client has sent all of its frames but the last two; then nothing can be
/// written, and the rest is still to be read.
struct Half {
    incoming: VecDeque<Incoming<String>>,
    written: usize,
}

impl Transport for Half {
    type Text = String;

    async fn recv(&mut self) -> Result<Incoming<String>, TransportError> {
        self.incoming.pop_front().ok_or_else(|| TransportError::Broken("read".into()))
    }

    async fn feed(&mut self, _: Frame) -> Result<(), TransportError> {
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), TransportError> {
        self.written += 1;
        if self.written > 1 { Err(TransportError::Broken("write".into())) } else { Ok(()) }
    }

    async fn ping(&mut self) -> Result<(), TransportError> {
        Ok(())
    }

    async fn close(self, _: CloseCode) {}
}

async fn serve(rest: impl IntoIterator<Item = Incoming<String>>) -> (Hub, Departure) {
    let hub = Hub::new();
    let text = |text: &str| Incoming::Text(text.to_owned());
    let mut incoming = VecDeque::from([
        text(r#"{"type":"hello"}"#),
        // What this is answered with cannot be written.
        text(r#"{"type":"join","room":"r"}"#),
    ]);
    incoming.extend(rest);
    let transport = Half { incoming, written: 0 };
    let admission = hub.admit(ConnectRequest::default()).unwrap();
    let departure = admission.serve(transport).await;
    (hub, departure)
}

#[tokio::test]
async fn a_close_that_was_sent_before_a_write_failed_counts() {
    let (hub, departure) = serve([Incoming::Closed(Some(CloseCode::NORMAL))]).await;
    assert_eq!(departure, Departure::ClosedByClient(Some(CloseCode::NORMAL)));
    assert_eq!(hub.stats().peers, 0);
}

#[tokio::test]
async fn so_does_what_was_asked_before() {
    let leave = r#"{"type":"leave","room":"r"}"#.to_owned();
    let (hub, departure) = serve([Incoming::Text(leave)]).await;
    assert!(matches!(departure, Departure::Broken(_)), "{departure:?}");
    assert_eq!((hub.stats().peers, hub.stats().rooms), (1, 0));
}
