//! Somebody misbehaves, and two others are in the room.

use std::{cell::Cell, time::Duration};

use noom_signal::HubBuilder;
use serde_json::json;
use tokio::time::interval;

use crate::{Client, Server};

/// A room with two innocent members and a third, who does what the test is about.
#[derive(Debug)]
pub struct Scene {
    /// The server.
    pub server: Server,
    /// The innocent ones.
    pub innocent: [Client; 2],
    /// The other one.
    pub villain: Client,
    said: u32,
}

impl Scene {
    /// The room they are in.
    pub const ROOM: &str = "scene";

    /// All three in their room, on real sockets.
    pub async fn new(hub: HubBuilder) -> Self {
        Self::on(Server::start(hub).await).await
    }

    /// All three in their room.
    pub async fn on(server: Server) -> Self {
        let (mut first, mut second) = server.pair(Self::ROOM).await;
        let villain = server.join(Self::ROOM).await;
        first.expect_welcome(Self::ROOM, &villain).await;
        second.expect_welcome(Self::ROOM, &villain).await;
        Self { server, innocent: [first, second], villain, said: 0 }
    }

    /// One more villain, who has joined nothing.
    pub async fn stranger(&self) -> Client {
        self.server.hello().await
    }

    /// The innocent ones got nothing since they were last asked, and talk to each other as ever:
    /// what each says is the other's next frame. `expect_*` what they are to notice before.
    pub async fn undisturbed(&mut self) {
        talk(&mut self.innocent, &mut self.said).await;
    }

    /// The same over and over, at a pace within their limits, while somebody does this. Returns
    /// what comes of it.
    pub async fn undisturbed_by<T>(
        &mut self,
        attack: impl AsyncFnOnce(&Server, &mut Client) -> T,
    ) -> T {
        let Self { server, innocent, villain, said } = self;
        let over = Cell::new(false);
        let attack = async {
            let outcome = attack(server, villain).await;
            over.set(true);
            outcome
        };
        let talk = async {
            let mut pace = interval(Duration::from_millis(20));
            loop {
                // Once more when it is over: what it did may show only then.
                let last = over.get();
                talk(innocent, said).await;
                if last {
                    return;
                }
                pace.tick().await;
            }
        };
        tokio::join!(attack, talk).0
    }

    /// Both innocent ones see the villain go.
    pub async fn villain_goes(&mut self, reason: &str) {
        for innocent in &mut self.innocent {
            innocent.expect_bye(Self::ROOM, &self.villain.peer, reason).await;
        }
    }
}

/// What each says is the other's next frame.
async fn talk([first, second]: &mut [Client; 2], said: &mut u32) {
    *said += 1;
    first.tell(Scene::ROOM, &second.peer, json!(["to the second", said])).await;
    second.expect_data(Scene::ROOM, &first.peer, json!(["to the second", said])).await;
    second.tell(Scene::ROOM, &first.peer, json!(["to the first", said])).await;
    first.expect_data(Scene::ROOM, &second.peer, json!(["to the first", said])).await;
}
