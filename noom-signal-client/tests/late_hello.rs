//! An attempt that the client has given up reaches the server after the one that went well: it takes
//! nothing from it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use noom_signal::{
    ConnectRequest, Hub,
    policy::{Identity, Policy, Refused},
    transport::pipe,
};
use noom_signal_client::{
    Closed,
    protocol::{RoomName, ServerMessage, client},
};
use support::{Cut, Server, Wire, connect, reopened};
use tokio::sync::Notify;

/// An application that may take its time over a hello.
struct Doorman(Arc<Hooks>);

#[derive(Default)]
struct Hooks {
    slow: AtomicBool,
    busy: Notify,
    done: Notify,
}

#[async_trait]
impl Policy for Doorman {
    async fn authenticate(&self, _: &ConnectRequest, _: Option<&str>) -> Result<Identity, Refused> {
        if self.0.slow.swap(false, Ordering::Relaxed) {
            self.0.busy.notify_one();
            self.0.done.notified().await;
        }
        Ok(Identity::default())
    }
}

#[tokio::test]
async fn an_attempt_given_up_takes_nothing_away() {
    let hooks = Arc::new(Hooks::default());
    let server = Server::start(Hub::builder().policy(Doorman(hooks.clone()))).await;
    let wire = Wire::to(&server).await;
    let (client, mut events) = connect(&wire).await;
    let room: RoomName = "standup".parse().unwrap();
    client.join(&room, None, None).await.unwrap();
    let peer = client.peer();

    hooks.slow.store(true, Ordering::Relaxed);
    client.disconnect();
    hooks.busy.notified().await;
    // This attempt's link breaks, which the server does not see, and the next one goes well.
    wire.cut(Cut::End);
    reopened(&mut events).await;
    let before = server.hub.stats().connections;
    hooks.done.notify_one();
    while server.hub.stats().connections == before {
        tokio::task::yield_now().await;
    }
    client.renew_ice_servers().await.unwrap();
    assert_eq!(client.peer(), peer);
    assert_eq!(server.hub.members(&room).unwrap().len(), 1);

    // Whoever takes it over now is somebody else.
    let (server_end, mut thief) = pipe(16);
    tokio::spawn(server.hub.admit(ConnectRequest::default()).unwrap().serve(server_end));
    let resume =
        client::Resume { session: client.hello().session.clone(), received: 0, attempt: None };
    thief.send(client::Hello { resume: Some(resume), ..Default::default() }).await.unwrap();
    assert!(matches!(thief.recv().await, Some(ServerMessage::Hello(_))));
    assert_eq!(client.closed().await, Closed::Replaced);
}
