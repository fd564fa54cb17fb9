//! WebRTC signaling: rooms, sessions and typed messages over any transport, on one node or many.
//!
//! This crate holds what all servers share and no server's particulars: it opens no socket, knows no
//! HTTP server and no Redis. Meet [`Hub`] first: it is what an application holds. A connection comes
//! in through a [`Transport`](transport::Transport), hubs are joined into a cluster by a
//! [`Backplane`](backplane::Backplane), and what the application decides is its
//! [`Policy`](policy::Policy). The messages themselves are in [`protocol`].
//!
//! ```
//! use noom_signal::{ConnectRequest, Hub, protocol::{ServerMessage, client}, transport::pipe};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hub = Hub::new();
//! let (server_end, mut peer) = pipe(16);
//! tokio::spawn(hub.admit(ConnectRequest::default())?.serve(server_end));
//!
//! peer.send(client::Hello::default()).await?;
//! peer.send(client::Join { room: "standup".parse()?, meta: None, token: None, id: Some(1) }).await?;
//! let Some(ServerMessage::Hello(_)) = peer.recv().await else { panic!("no hello") };
//! let Some(ServerMessage::Joined(joined)) = peer.recv().await else { panic!("not joined") };
//! assert_eq!((joined.version, joined.id), (1, Some(1)));
//! # Ok(())
//! # }
//! ```

#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod backplane;
#[cfg(feature = "conformance")]
pub mod conformance;
mod hub;
mod limits;
pub mod policy;
pub mod protocol;
pub mod room;
mod session;
pub mod transport;
#[cfg(feature = "turn")]
pub mod turn;

pub use hub::{
    Admission, ControlError, Departure, Event, EventStream, Hub, HubBuilder, Observed, Refused,
    Stats,
};
pub use limits::{InvalidLimits, Limits};
pub use policy::ConnectRequest;
