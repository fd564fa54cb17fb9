//! The app as several processes that meet in a Redis: one service.

// Real Redis servers, as the crate that speaks to them has them.
#[allow(clippy::print_stdout)]
#[path = "../../noom-signal-redis/tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::Server as RedisServer;
use system_tests::{Client, PATIENCE, Value, Zoom, json};

/// Nodes of one service, with these flags.
async fn nodes(redis: &RedisServer, count: usize, flags: &[&str]) -> Vec<Zoom> {
    let url = redis.url();
    let flags = [&["--redis", &url], flags].concat();
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(Zoom::start(&flags).await);
    }
    nodes
}

/// Mina at one node and Jun at another, who know each other.
async fn pair(one: &Zoom, other: &Zoom) -> (Client, Client) {
    let mut mina = one.join("room").await;
    let jun = other.join("room").await;
    mina.expect_welcome("room", &jun).await;
    (mina, jun)
}

/// The client's session on another connection, and what that node said.
async fn resume(client: &Client, node: &Zoom) -> (Client, Value) {
    let mut next = node.connect().await;
    let hello = next.resume(&client.session, client.received).await;
    assert_eq!(next.peer, client.peer);
    if hello["resumed"] == "full" {
        next.received = client.received;
    }
    (next, hello)
}

/// A peer that came back, and of which something may be lost: the others are told that, and no more.
async fn came_back_in_part(client: &mut Client, hello: &Value, others: &mut [&mut Client]) {
    assert_eq!((&hello["resumed"], &hello["rooms"]), (&json!("partial"), &json!(["room"])));
    assert_eq!(client.recv().await["type"], "roster");
    for other in others {
        other.expect(json!({"type": "missed", "room": "room", "peer": client.peer})).await;
        other.nothing_came().await;
    }
}

async fn talk(one: &mut Client, other: &mut Client) {
    one.tell("room", &other.peer, json!("there?")).await;
    other.expect_data("room", &one.peer, json!("there?")).await;
    other.tell("room", "*", json!("here")).await;
    one.expect_data("room", &other.peer, json!("here")).await;
}

#[tokio::test]
async fn a_room_is_on_all_of_them() {
    let redis = RedisServer::start().await;
    let nodes = nodes(&redis, 3, &[]).await;
    assert!(nodes[0].said.contains(&format!("redis 127.0.0.1:{}", redis.port)), "{:?}", nodes[0]);
    let (mut a, mut b) = pair(&nodes[0], &nodes[1]).await;
    let mut c = nodes[2].join("room").await;
    for other in [&mut a, &mut b] {
        other.expect_welcome("room", &c).await;
    }
    b.tell("room", &a.peer, json!("to one")).await;
    b.tell("room", "*", json!("to all")).await;
    a.expect_data("room", &b.peer, json!("to one")).await;
    for other in [&mut a, &mut c] {
        other.expect_data("room", &b.peer, json!("to all")).await;
    }
    for node in &nodes {
        let mut visitor = node.connect().await;
        visitor.hello().await;
        visitor.send(json!({"type": "lobby", "watch": true, "id": 1})).await;
        let rooms = json!([{"room": "room", "peers": 3}]);
        visitor.expect(json!({"type": "lobby", "id": 1, "rooms": rooms})).await;
    }
    b.close(Some(1000)).await;
    for other in [&mut a, &mut c] {
        other.expect_bye("room", &b.peer, "disconnected").await;
        other.nothing_came().await;
    }
}

#[tokio::test]
async fn a_node_is_killed() {
    let redis = RedisServer::start().await;
    let nodes = nodes(&redis, 3, &[]).await;
    let (mut mina, mut jun) = pair(&nodes[0], &nodes[1]).await;
    let left_behind = nodes[0].join("room").await;
    for client in [&mut mina, &mut jun] {
        client.expect_welcome("room", &left_behind).await;
    }
    let killed = Instant::now();
    nodes[0].signal("KILL").await;
    assert_eq!(mina.closed().await, None);
    let (mut mina, hello) = resume(&mina, &nodes[2]).await;
    let back = killed.elapsed();
    came_back_in_part(&mut mina, &hello, &mut [&mut jun]).await;
    talk(&mut mina, &mut jun).await;
    // Only who did not come back is gone when the lease ends, each once.
    for client in [&mut mina, &mut jun] {
        client.expect_bye("room", &left_behind.peer, "lost").await;
        client.nothing_came().await;
    }
    let gone = killed.elapsed();
    talk(&mut mina, &mut jun).await;
    assert!(back < Duration::from_secs(10) && gone < Duration::from_secs(30), "{back:?} {gone:?}");
}

#[tokio::test]
async fn a_node_is_asked_to_go() {
    let redis = RedisServer::start().await;
    let mut nodes = nodes(&redis, 2, &["--drain-ms", "1", "--handover-ms", "20000"]).await;
    let (mut mina, mut jun) = pair(&nodes[0], &nodes[1]).await;
    let asked = Instant::now();
    nodes[0].signal("TERM").await;
    for n in 0..10 {
        jun.tell("room", &mina.peer, json!(n)).await;
    }
    assert_eq!(mina.recv().await["type"], "goaway");
    // Some of it was written to her, and she has not read it.
    mina.lose_link();
    for n in 10..20 {
        jun.tell("room", &mina.peer, json!(n)).await;
    }
    jun.nothing_came().await;
    let (mut mina, hello) = resume(&mina, &nodes[1]).await;
    assert_eq!(hello["resumed"], "full");
    for n in 0..20 {
        mina.expect_data("room", &jun.peer, json!(n)).await;
    }
    mina.nothing_came().await;
    let status = nodes[0].ended().await;
    let took = asked.elapsed();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    talk(&mut mina, &mut jun).await;
    jun.nothing_came().await;
}

/// Who has not come back when a node stops waiting keeps its place until the lease ends.
#[tokio::test]
async fn one_does_not_come_back_in_time() {
    let redis = RedisServer::start().await;
    let mut nodes = nodes(&redis, 2, &["--drain-ms", "1", "--handover-ms", "1"]).await;
    let (mut mina, mut jun) = pair(&nodes[0], &nodes[1]).await;
    nodes[0].signal("TERM").await;
    assert_eq!(mina.recv().await["type"], "goaway");
    assert_eq!(mina.closed().await, Some(1001));
    assert!(nodes[0].ended().await.success());
    jun.nothing_came().await;
    let (mut mina, hello) = resume(&mina, &nodes[1]).await;
    came_back_in_part(&mut mina, &hello, &mut [&mut jun]).await;
    talk(&mut mina, &mut jun).await;
}

#[tokio::test]
async fn the_only_one_waits_for_nobody() {
    let redis = RedisServer::start().await;
    let flags = ["--drain-ms", "1", "--handover-ms", "600000", "--resume-ms", "600000"];
    let mut nodes = nodes(&redis, 2, &flags).await;
    // The first goes with nobody, and says so: it is no reason to wait for the second.
    nodes[0].signal("TERM").await;
    assert!(nodes[0].ended().await.success());
    let mut mina = nodes[1].join("room").await;
    let asked = Instant::now();
    nodes[1].signal("TERM").await;
    assert_eq!(mina.recv().await["type"], "goaway");
    assert_eq!(mina.closed().await, Some(1001));
    assert!(nodes[1].ended().await.success());
    assert!(asked.elapsed() < PATIENCE / 2);
}

#[tokio::test]
async fn a_redis_that_would_lose_rooms() {
    let redis =
        RedisServer::start_with(&["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"])
            .await;
    let output =
        Zoom::refused(Zoom::command(&["--listen", "127.0.0.1:0", "--redis", &redis.url()])).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: redis at ") && said.contains("noeviction"), "{said}");
    assert_eq!((said.lines().count(), output.status.code()), (1, Some(1)));
}
