//! An application's hook that panics, or never answers, harms whom it was asked about, and nobody
//! else.

use std::time::Duration;

use noom_signal::{
    policy::{ConnectRequest, Identity, JoinRequest, Policy, Refused, RoomGrant},
    protocol::IceServer,
};
use system_tests::{Hub, Rules, Scene, Server, json, until};
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn authenticate() {
    let rules = Rules::new().authenticate(|_, token| match token {
        Some("bomb") => panic!("a bug of the application's"),
        _ => Ok(Identity::default()),
    });
    let mut scene = Scene::new(Hub::builder().policy(rules)).await;
    let mut client = scene.server.connect().await;
    client.send(json!({"type": "hello", "token": "bomb", "id": 1})).await;
    assert_eq!(client.expect_error("internal").await["id"], 1);
    assert_eq!(client.closed().await, Some(1011));
    scene.undisturbed().await;

    // Trying to resume with it leaves the session with whom it is.
    let resume = json!({"session": scene.villain.session, "received": 0});
    let mut client = scene.server.connect().await;
    client.send(json!({"type": "hello", "token": "bomb", "resume": resume})).await;
    client.expect_error("internal").await;
    assert_eq!(client.closed().await, Some(1011));
    scene.villain.nothing_came().await;
    let hub = scene.server.hub.clone();
    until("the others are left", || hub.stats().connections == 3).await;
    assert_eq!(hub.stats().peers, 3);
    scene.undisturbed().await;
}

#[tokio::test]
async fn authorize() {
    let rules = Rules::new().authorize(|join| match join.token {
        Some("bomb") => panic!("a bug of the application's"),
        _ => Ok(RoomGrant::default()),
    });
    let mut scene = Scene::new(Hub::builder().policy(rules)).await;
    let mut stranger = scene.stranger().await;
    for _ in 0..3 {
        let join = json!({"type": "join", "room": "scene", "token": "bomb", "id": 2});
        stranger.send(join).await;
        let error = stranger.expect_error("internal").await;
        assert_eq!((&error["room"], &error["id"]), (&json!("scene"), &json!(2)));
        scene.undisturbed().await;
    }
    // The connection stays, and so does the way into the room.
    assert_eq!(stranger.join("scene").await["version"], 4);
    for innocent in &mut scene.innocent {
        innocent.expect_welcome("scene", &stranger).await;
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn ice_servers() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static ARMED: AtomicBool = AtomicBool::new(false);
    let rules = Rules::new().ice_servers(|_| match ARMED.load(Ordering::Relaxed) {
        true => panic!("a bug of the application's"),
        false => Vec::new(),
    });
    let mut scene = Scene::new(Hub::builder().policy(rules)).await;
    ARMED.store(true, Ordering::Relaxed);
    scene.villain.send(json!({"type": "iceServers", "id": 3})).await;
    assert_eq!(scene.villain.expect_error("internal").await["id"], 3);
    scene.undisturbed().await;

    let mut client = scene.server.connect().await;
    client.send(json!({"type": "hello"})).await;
    client.expect_error("internal").await;
    assert_eq!(client.closed().await, Some(1011));
    scene.undisturbed().await;

    ARMED.store(false, Ordering::Relaxed);
    scene.villain.send(json!({"type": "iceServers", "id": 4})).await;
    scene.villain.expect(json!({"type": "iceServers", "id": 4, "iceServers": []})).await;
    scene.undisturbed().await;
}

/// Takes its time: `hello` with a number for token, or a room with one for a name, waits for so many
/// milliseconds, and ICE servers for its bearer.
struct Slow;

async fn wait(text: &str) {
    if let Ok(millis) = text.parse() {
        sleep(Duration::from_millis(millis)).await;
    }
}

#[async_trait::async_trait]
impl Policy for Slow {
    async fn authenticate(
        &self,
        _request: &ConnectRequest,
        token: Option<&str>,
    ) -> Result<Identity, Refused> {
        match token.and_then(|token| token.strip_prefix("ice:")) {
            Some(millis) => Ok(Identity::of(format!("ice {millis}").parse().unwrap())),
            None => {
                wait(token.unwrap_or_default()).await;
                Ok(Identity::default())
            }
        }
    }

    async fn authorize(&self, join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        wait(join.room.as_str()).await;
        Ok(RoomGrant::default())
    }

    async fn ice_servers(&self, identity: &Identity) -> Vec<IceServer> {
        let user = identity.user.as_ref().map(|user| user.as_str()).unwrap_or_default();
        wait(user.strip_prefix("ice ").unwrap_or_default()).await;
        Vec::new()
    }
}

/// A `hello` has what the handshake has: 5 s, for who it is and for ICE servers together.
#[tokio::test(start_paused = true)]
async fn a_hello_that_waits() {
    let mut scene = Scene::on(Server::in_process(Hub::builder().policy(Slow))).await;
    for (token, answer) in [
        ("4900", Ok("hello")),
        ("5100", Err(4408)),
        ("1000000000", Err(4408)),
        ("ice:5100", Err(4408)),
    ] {
        let begin = Instant::now();
        let mut client = scene.server.connect().await;
        client.send(json!({"type": "hello", "token": token})).await;
        scene.undisturbed().await;
        match (client.recv_or_end().await, answer) {
            (Ok(hello), Ok(kind)) => assert_eq!(hello["type"], kind),
            (Err(code), Err(expected)) => assert_eq!(code, Some(expected)),
            (came, _) => panic!("{token}: {came:?}"),
        }
        assert!(begin.elapsed() <= Duration::from_millis(5100), "{token}");
        scene.undisturbed().await;
    }
}

/// A join has 10 s; its session is served again after it, and everybody else all the while.
#[tokio::test(start_paused = true)]
async fn a_join_that_waits() {
    let mut scene = Scene::on(Server::in_process(Hub::builder().policy(Slow))).await;
    for (room, in_time) in [("9900", true), ("10100", false), ("1000000000", false)] {
        let begin = Instant::now();
        scene.villain.send(json!({"type": "join", "room": room, "id": 1})).await;
        scene.undisturbed().await;
        let answer = scene.villain.recv().await;
        assert_eq!((&answer["id"], &answer["room"]), (&json!(1), &json!(room)));
        match in_time {
            true => assert_eq!(answer["type"], "joined"),
            false => assert_eq!(
                (&answer["type"], &answer["code"]),
                (&json!("error"), &json!("internal"))
            ),
        }
        assert!(begin.elapsed() <= Duration::from_millis(10_100), "{room}");
        scene.villain.nothing_came().await;
        scene.undisturbed().await;
    }
    // The room that nobody got into is not there.
    assert_eq!(scene.server.hub.stats().rooms, 2);
}

/// So has a request for ICE servers, whose hook was quick enough for the `hello`.
#[tokio::test(start_paused = true)]
async fn ice_servers_that_wait() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static MILLIS: AtomicU64 = AtomicU64::new(0);
    struct Later;
    #[async_trait::async_trait]
    impl Policy for Later {
        async fn ice_servers(&self, _identity: &Identity) -> Vec<IceServer> {
            sleep(Duration::from_millis(MILLIS.load(Ordering::Relaxed))).await;
            Vec::new()
        }
    }
    let mut scene = Scene::on(Server::in_process(Hub::builder().policy(Later))).await;
    for (millis, in_time) in [(9_900, true), (10_100, false), (u64::from(u32::MAX), false)] {
        MILLIS.store(millis, Ordering::Relaxed);
        scene.villain.send(json!({"type": "iceServers", "id": 7})).await;
        scene.undisturbed().await;
        match in_time {
            true => {
                scene
                    .villain
                    .expect(json!({"type": "iceServers", "id": 7, "iceServers": []}))
                    .await;
            }
            false => assert_eq!(scene.villain.expect_error("internal").await["id"], 7),
        }
        scene.villain.nothing_came().await;
        scene.undisturbed().await;
    }
}
