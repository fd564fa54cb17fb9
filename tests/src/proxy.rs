//! A way to the server that breaks as networks do.

mod frames;
mod pump;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{Mutex as AsyncMutex, mpsc, watch},
    task::JoinHandle,
    try_join,
};

use pump::{Mode, Pump};

/// What becomes of a connection through a [`Proxy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Both ends see the end of the stream, wherever in a frame that is.
    End,
    /// Both ends see a reset.
    Reset,
    /// The next text this way ends in the middle of its frame, and the connection with it. The
    /// number decides after which byte.
    Tear(Way, usize),
    /// One end gets a close with this code, which the other never sent.
    Close(Way, u16),
    /// Half-open: nothing arrives any more this way, or (`None`) either way, and nobody is told.
    Swallow(Option<Way>),
    /// Nothing arrives any more, and nobody is told. What the client sent meanwhile arrives when
    /// it has given the connection up: while it comes back by another, or after.
    Late,
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// A TCP proxy for one client.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    faults: mpsc::UnboundedSender<Fault>,
    open: watch::Sender<bool>,
    struck: Struck,
    task: JoinHandle<()>,
}

/// The faults that have come to pass.
type Struck = Arc<Mutex<Vec<Fault>>>;
/// The faults to come. The oldest connection that has had none gets the next.
type Faults = Arc<AsyncMutex<mpsc::UnboundedReceiver<Fault>>>;

impl Proxy {
    /// A way to this address, by a free port of this machine.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (faults, coming) = mpsc::unbounded_channel();
        let coming: Faults = Arc::new(AsyncMutex::new(coming));
        let (open, mut may_pass) = watch::channel(true);
        let struck = Struck::default();
        let noted = struck.clone();
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                // This one waits, and those after it where the system keeps them.
                if may_pass.wait_for(|open| *open).await.is_err() {
                    return;
                }
                tokio::spawn(carry(client, server, coming.clone(), noted.clone()));
            }
        });
        Self { address, faults, open, struck, task }
    }

    /// What a client calls the server.
    pub fn url(&self) -> String {
        format!("ws://{}/signal", self.address)
    }

    /// Does this to the connection there is now; where there is none, or where it had its fault
    /// already, to the next one.
    pub fn strike(&self, fault: Fault) {
        self.faults.send(fault).unwrap();
    }

    /// Lets no new connection pass, until [`Proxy::open`].
    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    /// Lets new connections pass.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// The faults that have come to pass so far.
    pub fn struck(&self) -> Vec<Fault> {
        self.struck.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fault {
    /// What kind of fault it is, for counting.
    pub fn kind(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Reset => "reset",
            Self::Tear(Way::Up, _) => "tear up",
            Self::Tear(Way::Down, _) => "tear down",
            Self::Close(Way::Up, _) => "close up",
            Self::Close(Way::Down, _) => "close down",
            Self::Swallow(None) => "swallow",
            Self::Swallow(Some(Way::Up)) => "swallow up",
            Self::Swallow(Some(Way::Down)) => "swallow down",
            Self::Late => "late",
        }
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, faults: Faults, struck: Struck) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let reset = {
        let (up, down) = (watch::Sender::new(Mode::Carry), watch::Sender::new(Mode::Carry));
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let upward = Pump::new(from_client, to_server, up.subscribe());
        let downward = Pump::new(from_server, to_client, down.subscribe());
        let carried = async { try_join!(upward.run(Way::Up), downward.run(Way::Down)) };
        tokio::pin!(carried);
        let fault = select! {
            biased;
            fault = async { faults.lock().await.recv().await } => fault,
            ended = &mut carried => {
                drop(ended);
                return;
            }
        };
        // The test is over, or so is the connection.
        let Some(fault) = fault else { return };
        let note = || struck.lock().unwrap().push(fault);
        match fault {
            Fault::End | Fault::Reset => {}
            Fault::Tear(Way::Up, at) => drop(up.send_replace(Mode::Tear(at))),
            Fault::Tear(Way::Down, at) => drop(down.send_replace(Mode::Tear(at))),
            Fault::Close(Way::Up, code) => drop(up.send_replace(Mode::Close(code))),
            Fault::Close(Way::Down, code) => drop(down.send_replace(Mode::Close(code))),
            Fault::Swallow(way) => {
                if way != Some(Way::Down) {
                    up.send_replace(Mode::Swallow);
                }
                if way != Some(Way::Up) {
                    down.send_replace(Mode::Swallow);
                }
            }
            Fault::Late => {
                up.send_replace(Mode::Hold);
                down.send_replace(Mode::Swallow);
            }
        }
        match fault {
            Fault::End | Fault::Reset => note(),
            Fault::Tear(..) => {
                if carried.await.is_err() {
                    note();
                }
            }
            _ => {
                note();
                let _ = carried.await;
            }
        }
        fault == Fault::Reset
    };
    if reset {
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}
