//! A node that sends its clients elsewhere.

use std::{sync::Arc, time::Duration};

use futures_util::poll;
use noom_signal::backplane::Local;
use system_tests::{Client, Hub, Server, json, limits};
use tokio::{task::JoinHandle, time::Instant};

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

const RESUME: Duration = Duration::from_secs(30);

/// Two nodes of one cluster.
fn cluster() -> [Server; 2] {
    let first = Local::new();
    let second = first.another_node();
    [first, second].map(|node| {
        let limits = limits(|limits| limits.resume = RESUME);
        Server::in_process(Hub::builder().limits(limits).backplane(Arc::new(node)))
    })
}

/// Drains it. `clients` are told, and closed in the end.
async fn drained(server: &Server, clients: &mut [&mut Client]) -> JoinHandle<Instant> {
    let hub = server.hub.clone();
    let drain = tokio::spawn(async move {
        hub.drain(Duration::from_secs(2)).await;
        hub.emptied().await;
        Instant::now()
    });
    for client in clients {
        assert_eq!(client.recv().await["type"], "goaway");
        assert_eq!(client.closed().await, Some(1001));
    }
    drain
}

#[tokio::test(start_paused = true)]
async fn another_node_fetches_the_sessions_first() {
    let [a, b] = cluster();
    let (mut mina, mut jun) = a.pair("room").await;
    let mut other = b.join("room").await;
    mina.expect_welcome("room", &other).await;
    jun.expect_welcome("room", &other).await;
    let begin = Instant::now();
    let drain = drained(&a, &mut [&mut mina, &mut jun]).await;
    other.tell("room", "*", json!("meanwhile")).await;

    // The first is not the last.
    let (mut mina, hello) = b.resume(&mina).await;
    assert_eq!(hello["resumed"], "full");
    mina.expect_data("room", &other.peer, json!("meanwhile")).await;
    tokio::time::sleep(RESUME / 2).await;
    assert!(!drain.is_finished());
    assert_eq!(a.hub.stats().peers, 1);
    let (mut jun, hello) = b.resume(&jun).await;
    assert_eq!(hello["resumed"], "full");
    jun.expect_data("room", &other.peer, json!("meanwhile")).await;

    let time = drain.await.unwrap() - begin;
    assert!(time < RESUME, "{time:?}");
    assert_eq!((a.hub.stats().peers, a.hub.stats().rooms), (0, 0));
    drop(a);
    for client in [&mut mina, &mut jun, &mut other] {
        client.nothing_came().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_come_back_is_waited_for_no_longer_than_ever() {
    let [a, b] = cluster();
    let mut mina = a.join("room").await;
    let mut other = b.join("room").await;
    mina.expect_welcome("room", &other).await;
    let begin = Instant::now();
    let drain = drained(&a, &mut [&mut mina]).await;
    let time = drain.await.unwrap() - begin;
    assert!(time >= RESUME && time < RESUME + Duration::from_secs(10), "{time:?}");
    assert_eq!((a.hub.stats().peers, a.hub.stats().rooms), (0, 0));
    other.expect_bye("room", &mina.peer, "disconnected").await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_when_the_other_node_has_gone() {
    let [a, b] = cluster();
    let mut mina = a.join("room").await;
    let begin = Instant::now();
    let drain = drained(&a, &mut [&mut mina]).await;
    drop(b);
    let time = drain.await.unwrap() - begin;
    assert!(time < Duration::from_secs(10), "{time:?}");
    assert_eq!(a.hub.stats().peers, 1);
}

/// Clients that end their sessions are no reason to wait, and out of their rooms when it is over.
#[tokio::test(start_paused = true)]
async fn those_who_leave_are_out_by_then() {
    let [a, b] = cluster();
    let mut other = b.join("room").await;
    let mut mina = a.join("room").await;
    other.expect_welcome("room", &mina).await;
    let hub = a.hub.clone();
    let begin = Instant::now();
    let drain = tokio::spawn(async move {
        hub.drain(RESUME).await;
        hub.emptied().await;
    });
    assert_eq!(mina.recv().await["type"], "goaway");
    mina.close(Some(1000)).await;
    drain.await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1));
    assert_eq!(a.hub.stats().rooms, 0);
    other.expect_bye("room", &mina.peer, "disconnected").await;
}
