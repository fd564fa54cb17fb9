//! A lobby that somebody fills, shakes, or asks for all the time.

use std::time::Duration;

use futures_util::future::join_all;
use noom_signal::policy::RoomGrant;
use system_tests::{Client, Hub, HubBuilder, Rules, Scene, Server, Value, json, limits};
use tokio::time::{Instant, interval, timeout};

/// Every room is listed.
fn hub(change: impl FnOnce(&mut system_tests::Limits)) -> HubBuilder {
    let rules = Rules::new().authorize(|_| Ok(RoomGrant { listed: true, ..Default::default() }));
    Hub::builder().policy(rules).limits(limits(change))
}

async fn list(client: &mut Client) -> (Value, usize) {
    client.send(json!({"type": "lobby", "watch": true, "id": 1})).await;
    let text = client.recv_text().await;
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&list["type"], &list["id"]), (&json!("lobby"), &json!(1)));
    (list, text.len())
}

/// However many rooms there are, and whatever their names, a list is bounded; the largest rooms,
/// which cost somebody most, are on it.
#[tokio::test]
async fn more_rooms_than_are_listed() {
    let mut scene = Scene::new(hub(|_| ())).await;
    let crowd = scene
        .undisturbed_by(async |server, villain| {
            // Each byte needs two when it is told.
            let fill = (0..100).map(async |n| {
                let mut client = server.hello().await;
                for room in 0..8 {
                    let name = format!("{:\"<128}", n * 8 + room);
                    client.join(&name).await;
                }
                client
            });
            let crowd = join_all(fill).await;
            let (list, bytes) = list(villain).await;
            let rooms = list["rooms"].as_array().unwrap();
            assert_eq!(rooms.len(), 100);
            assert_eq!(rooms[0], json!({"room": "scene", "peers": 3}));
            assert!(bytes < 100 * (2 * 128 + 32), "{bytes}");
            crowd
        })
        .await;
    drop(crowd);
    scene.undisturbed().await;
}

/// Who asks again and again is within the rate or refused, like with anything else.
#[tokio::test]
async fn asked_for_all_the_time() {
    let mut scene = Scene::new(hub(|_| ())).await;
    let (lists, refused) = scene
        .undisturbed_by(async |_, villain| {
            let (mut lists, mut refused) = (0, 0);
            for n in 0..50 {
                let watch = |i| json!({"type": "lobby", "watch": (n + i) % 2 == 0, "id": i});
                villain.send_all((0..100).map(watch)).await;
                for _ in 0..100 {
                    match villain.recv().await {
                        answer if answer["code"] == "rate_limited" => refused += 1,
                        _ => lists += 1,
                    }
                }
            }
            (lists, refused)
        })
        .await;
    assert!(lists >= 399 && refused > 0, "{lists} {refused}");
}

/// Rooms that come and go hundreds of times a second are told once a second.
#[tokio::test(start_paused = true)]
async fn shaken() {
    let server = Server::in_process(hub(|limits| limits.messages_per_second = 0));
    let mut scene = Scene::on(server).await;
    let mut watcher = scene.stranger().await;
    list(&mut watcher).await;
    let begin = Instant::now();
    scene
        .undisturbed_by(async |_, villain| {
            let mut pace = interval(Duration::from_millis(2));
            for n in 0..5000 {
                let room = format!("shaken {n}");
                villain.join(&room).await;
                pace.tick().await;
                villain.send(json!({"type": "leave", "room": room})).await;
                villain.recv().await;
            }
        })
        .await;
    let seconds = begin.elapsed().as_secs() as usize;
    let mut told = 0;
    while let Ok(list) = timeout(Duration::from_secs(5), watcher.recv()).await {
        assert_eq!(list["type"], "lobby");
        assert!(list["rooms"].as_array().unwrap().len() <= 2, "{list}");
        told += 1;
    }
    assert!((2..=seconds + 2).contains(&told), "{told} lists in {seconds} s");
}

/// Watchers that do not read cost their lists to nobody else.
#[tokio::test]
async fn watched_by_many_who_do_not_read() {
    let mut scene = Scene::new(hub(|limits| limits.messages_per_second = 0)).await;
    let watchers = join_all((0..200).map(async |_| {
        let mut raw = scene.server.raw().await;
        raw.upgrade().await;
        raw.frame(1, br#"{"type":"hello"}"#).await;
        raw.frame(1, br#"{"type":"lobby","watch":true}"#).await;
        raw
    }));
    let watchers = watchers.await;
    scene
        .undisturbed_by(async |_, villain| {
            for n in 0..500 {
                let room = format!("{n}");
                villain.join(&room).await;
                villain.send(json!({"type": "leave", "room": room})).await;
                villain.recv().await;
            }
        })
        .await;
    drop(watchers);
    scene.undisturbed().await;
}
