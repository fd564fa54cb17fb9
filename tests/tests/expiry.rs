//! A proof of identity that ends in the middle of a call.

use std::time::{Duration, SystemTime};

use system_tests::{Hub, Rules, Server, json, limits};

#[tokio::test]
async fn the_client_is_sent_back_for_a_fresh_one_and_nobody_notices() {
    let rules = Rules::new().grants(|token, identity| {
        let hour = Duration::from_secs(3600);
        identity.expires = Some(match token {
            "stale" => SystemTime::now(),
            _ => SystemTime::now() + hour,
        });
    });
    let server = Server::start(Hub::builder().policy(rules).limits(limits(|_| {}))).await;
    let mut a = server.connect().await;
    a.hello_with(json!({"type": "hello", "token": "fresh"})).await;
    a.join("room").await;
    let mut b = server.connect().await;
    let hello = b.hello_with(json!({"type": "hello", "token": "stale"})).await;
    b.expect(json!({"type": "goaway", "reason": "expired", "reconnectMs": 0})).await;
    assert_eq!(b.closed().await, Some(1001));

    let mut again = server.connect().await;
    let resume = json!({"session": hello["session"], "received": 0});
    let hello =
        again.hello_with(json!({"type": "hello", "token": "fresh", "resume": resume})).await;
    assert_eq!(hello["resumed"], "full");
    again.join("room").await;
    a.expect_welcome("room", &again).await;
}
