//! A node that sends its clients elsewhere.

use std::time::Duration;

use futures_util::poll;
use system_tests::{Hub, Server, json};

#[tokio::test(start_paused = true)]
async fn each_client_has_its_own_moment_and_then_is_closed() {
    let server = Server::in_process(Hub::builder());
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(server.hello().await);
    }
    let mut drain = Box::pin(server.hub.drain(Duration::from_secs(8)));
    assert!(poll!(&mut drain).is_pending());
    let mut moments = Vec::new();
    for client in &mut clients {
        let goaway = client.recv().await;
        assert_eq!((&goaway["type"], &goaway["reason"]), (&json!("goaway"), &json!("draining")));
        moments.push(goaway["reconnectMs"].as_u64().unwrap());
    }
    moments.sort_unstable();
    assert_eq!(moments, [0, 2000, 4000, 6000]);
    // Nobody goes by itself: all are closed in the end, and their sessions stay.
    drain.await;
    for client in &mut clients {
        assert_eq!(client.closed().await, Some(1001));
    }
    assert_eq!((server.hub.stats().connections, server.hub.stats().peers), (0, 4));
}

#[tokio::test]
async fn it_is_over_as_soon_as_all_have_gone() {
    let server = Server::start(Hub::builder()).await;
    let mut a = server.hello().await;
    let hub = server.hub.clone();
    // Were it to wait for its time, this test would not end.
    let drain = tokio::spawn(async move { hub.drain(Duration::from_secs(1_000_000)).await });
    assert_eq!(a.recv().await["type"], "goaway");
    let (status, _) = server.upgrade(server.request()).await.expect_err("a refusal");
    assert_eq!(status.as_u16(), 503);
    a.close(Some(4000)).await;
    drain.await.unwrap();
    assert_eq!(server.hub.stats().peers, 1);
}
