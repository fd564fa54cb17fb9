//! A link to a hub within the process, which a test can cut.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use noom_signal::{
    ConnectRequest, Hub,
    protocol::{CloseCode, Frame},
    transport::{ClientEnd, pipe},
};
use tokio::{
    select,
    sync::{broadcast, mpsc},
    time::Instant,
};

use crate::{
    Ending,
    link::{Dial, DialError, Incoming, Reader, Writer},
};

/// What the client dials: the way to a hub.
#[derive(Clone)]
pub(super) struct Cable(Arc<Inner>);

struct Inner {
    hub: Mutex<Option<Hub>>,
    cuts: broadcast::Sender<Cut>,
    dialled: Mutex<Vec<Instant>>,
    random: Random,
}

/// What a test does to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// It breaks, wherever it is.
    Break,
    /// It stays, and carries nothing more.
    Swallow,
}

/// What goes from the client into the cable.
enum Packet {
    Text(String),
    Close(CloseCode),
}

impl Cable {
    pub(super) fn to(hub: &Hub) -> Self {
        Self::with_random(hub, Random::seeded(1))
    }

    pub(super) fn with_random(hub: &Hub, random: Random) -> Self {
        let (hub, dialled) = (Mutex::new(Some(hub.clone())), Mutex::default());
        Self(Arc::new(Inner { hub, cuts: broadcast::Sender::new(16), dialled, random }))
    }

    /// Does this to the link that is open now, if one is.
    pub(super) fn cut(&self, cut: Cut) {
        let _ = self.0.cuts.send(cut);
    }

    /// Where the next attempt leads; `None`: nowhere.
    pub(super) fn lead_to(&self, hub: Option<&Hub>) {
        *self.0.hub.lock().unwrap_or_else(PoisonError::into_inner) = hub.cloned();
    }

    /// When it was dialled.
    pub(super) fn dialled(&self) -> Vec<Instant> {
        self.0.dialled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Dial for Cable {
    type Reader = CableReader;
    type Writer = CableWriter;

    async fn dial(&self) -> Result<(CableReader, CableWriter), DialError> {
        self.0.dialled.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        let hub = self.0.hub.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let admission = hub.and_then(|hub| hub.admit(ConnectRequest::default()).ok());
        let admission = admission.ok_or_else(|| DialError::broken("nobody is there"))?;
        let (server_end, client_end) = pipe(1024);
        tokio::spawn(admission.serve(server_end));
        let (to_server, from_client) = mpsc::channel(8);
        // As roomy as the buffers of two kernels.
        let (to_client, from_server) = mpsc::unbounded_channel();
        let (cuts, random) = (self.0.cuts.subscribe(), self.0.random.clone());
        tokio::spawn(carry(client_end, from_client, to_client, cuts, random));
        Ok((CableReader(from_server), CableWriter(to_server)))
    }
}

async fn carry(
    mut end: ClientEnd,
    mut from_client: mpsc::Receiver<Packet>,
    to_client: mpsc::UnboundedSender<Incoming<String>>,
    mut cuts: broadcast::Receiver<Cut>,
    random: Random,
) {
    loop {
        select! {
            biased;
            cut = cuts.recv() => {
                if cut == Ok(Cut::Swallow) {
                    while from_client.recv().await.is_some() {}
                    return;
                }
                // Some of what was on its way arrives, the rest does not.
                for _ in 0..random.below(8) {
                    let Ok(Packet::Text(text)) = from_client.try_recv() else { return };
                    let _ = end.send_text(text).await;
                }
                return;
            }
            packet = from_client.recv() => match packet {
                Some(Packet::Text(text)) => drop(end.send_text(text).await),
                Some(Packet::Close(code)) => end.close(Some(code)).await,
                None => return,
            },
            text = end.recv_text() => match text {
                Some(text) => drop(to_client.send(Incoming::Text(text))),
                None => {
                    let ending = Ending::closed(end.close_code(), "");
                    let _ = to_client.send(Incoming::Ended(ending));
                    return;
                }
            },
        }
    }
}

pub(super) struct CableReader(mpsc::UnboundedReceiver<Incoming<String>>);

impl Reader for CableReader {
    type Text = String;

    async fn recv(&mut self) -> Incoming<String> {
        self.0.recv().await.unwrap_or_else(|| Incoming::Ended(Ending::broken("cut")))
    }
}

pub(super) struct CableWriter(mpsc::Sender<Packet>);

impl Writer for CableWriter {
    async fn ready(&mut self) -> Result<(), Ending> {
        self.0.reserve().await.map(drop).map_err(|_| Ending::broken("cut"))
    }

    fn write(&mut self, frame: Frame) -> Result<(), Ending> {
        let packet = Packet::Text(frame.as_str().to_owned());
        self.0.try_send(packet).map_err(|_| Ending::broken("cut"))
    }

    async fn flush(&mut self) -> Result<(), Ending> {
        Ok(())
    }

    async fn close(&mut self, code: CloseCode) -> Result<(), Ending> {
        self.0.send(Packet::Close(code)).await.map_err(|_| Ending::broken("cut"))
    }
}

/// Numbers that look random and are the same for the same seed (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Random(Arc<AtomicU64>);

impl Random {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    pub(super) fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&self, bound: u64) -> u64 {
        self.next() % bound
    }
}
