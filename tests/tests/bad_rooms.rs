//! Rooms by the thousand, under the oddest names.

use futures_util::future::join_all;
use system_tests::{Client, Hub, HubBuilder, Scene, json, limits, until};

/// As fast as they like: it is rooms that this is about.
fn hub() -> HubBuilder {
    Hub::builder().limits(limits(|limits| limits.messages_per_second = 0))
}

/// The nth of many names, each as long as a name may be, and none an honest one.
fn odd_name(n: usize) -> String {
    const ODD: [&str; 12] = [
        "\u{202e}",          // writes from right to left from here on
        "\u{200b}",          // has no width
        "\u{0301}",          // goes on top of what was before
        "\u{feff}",          // a byte order mark
        "\u{2028}",          // a line separator
        "\u{10ffff}",        // the last of all, belonging to nobody
        "\u{1f468}\u{200d}", // half a family
        "\"",
        "\\",
        "%00",
        "../",
        "{room}",
    ];
    let mut name = format!("{n}");
    let odd = ODD[n % ODD.len()];
    while name.len() + odd.len() <= 128 {
        name.push_str(odd);
    }
    name
}

async fn leave(client: &mut Client, room: &str) {
    client.send(json!({"type": "leave", "room": room})).await;
    let peer = client.peer.clone();
    client.expect_bye(room, &peer, "left").await;
}

/// One peer goes through thousands of rooms: what it has left is gone.
#[tokio::test]
async fn one_after_the_other() {
    let mut scene = Scene::new(hub()).await;
    scene
        .undisturbed_by(async |server, villain| {
            for n in 0..3000 {
                let name = odd_name(n);
                let joined = villain.join(&name).await;
                assert_eq!((&joined["room"], &joined["version"]), (&json!(name), &json!(1)));
                assert!(server.hub.stats().rooms <= 2);
                leave(villain, &name).await;
            }
        })
        .await;
    assert_eq!(scene.server.hub.stats().rooms, 1);
}

/// Many peers hold as many rooms as each may; those of one that goes go with it.
#[tokio::test]
async fn as_many_as_they_may() {
    let mut scene = Scene::new(hub()).await;
    let crowd = scene
        .undisturbed_by(async |server, _| {
            let mut crowd = join_all((0..200).map(|_| server.hello())).await;
            let fill = crowd.iter_mut().enumerate().map(async |(n, client)| {
                for room in 0..8 {
                    client.join(&odd_name(n * 8 + room)).await;
                }
                for room in 0..8 {
                    let name = odd_name(10_000 + n * 8 + room);
                    client.send(json!({"type": "join", "room": name})).await;
                    client.expect_error("too_many_rooms").await;
                }
            });
            join_all(fill).await;
            assert_eq!(server.hub.stats().rooms, 1601);
            crowd
        })
        .await;
    scene
        .undisturbed_by(async |server, _| {
            join_all(crowd.into_iter().map(async |mut client| client.close(None).await)).await;
            until("their rooms are gone", || server.hub.stats().rooms == 1).await;
        })
        .await;
}

/// Names that look the same are not: nobody gets into a room by one that reads like its own.
#[tokio::test]
async fn names_that_look_alike() {
    let mut scene = Scene::new(hub()).await;
    for name in ["\u{455}cene", "scene\u{200b}", "\u{202a}scene", "\u{ff53}cene", "SCENE", "scene "]
    {
        let joined = scene.villain.join(name).await;
        assert_eq!((&joined["peers"], &joined["version"]), (&json!([]), &json!(1)), "{name}");
        leave(&mut scene.villain, name).await;
        scene.undisturbed().await;
    }
}

/// Everybody wants into one room, and out of it again, at the same time.
#[tokio::test]
async fn a_run_on_one_room() {
    let mut scene = Scene::new(Hub::builder().limits(limits(|limits| {
        limits.messages_per_second = 0;
        limits.peers_per_room = 10;
    })))
    .await;
    scene
        .undisturbed_by(async |server, _| {
            let mut crowd = join_all((0..50).map(|_| server.hello())).await;
            let run = crowd.iter_mut().map(async |client| {
                let mut been_in = 0;
                for _ in 0..40 {
                    client.send(json!({"type": "join", "room": "run", "id": 1})).await;
                    let answer = answer(client, 1).await;
                    if answer["type"] == "joined" {
                        assert!(answer["peers"].as_array().unwrap().len() < 10, "{answer}");
                        been_in += 1;
                        client.send(json!({"type": "leave", "room": "run", "id": 2})).await;
                        self::answer(client, 2).await;
                    } else {
                        assert_eq!(answer["code"], "room_full", "{answer}");
                    }
                }
                been_in
            });
            let been_in: usize = join_all(run).await.into_iter().sum();
            assert!(been_in >= 10, "{been_in}");
            assert_eq!(server.hub.stats().rooms, 1);
        })
        .await;
}

/// The reply to this id, past what others do meanwhile.
async fn answer(client: &mut Client, id: u64) -> system_tests::Value {
    loop {
        let message = client.recv().await;
        if message["id"] == id {
            return message;
        }
    }
}
