//! The list of those rooms that the application lists. Virtual time.

use std::time::Duration;

use noom_signal::policy::RoomGrant;
use system_tests::{Client, Hub, HubBuilder, Rules, Server, Value, json, limits};
use tokio::time::{Instant, sleep, timeout};

/// Rooms whose name begins with a hash are listed.
fn hub() -> HubBuilder {
    let rules = Rules::new().authorize(|join| {
        Ok(RoomGrant { listed: join.room.as_str().starts_with('#'), ..RoomGrant::default() })
    });
    Hub::builder().policy(rules).limits(limits(|limits| limits.lobby_rooms = 3))
}

fn lobby(rooms: &[(&str, u32)], id: Option<u64>) -> Value {
    let rooms: Vec<_> =
        rooms.iter().map(|(room, peers)| json!({"room": room, "peers": peers})).collect();
    let mut lobby = json!({"type": "lobby", "rooms": rooms});
    if let Some(id) = id {
        lobby["id"] = json!(id);
    }
    lobby
}

async fn watch(client: &mut Client, id: u64) -> Value {
    client.send(json!({"type": "lobby", "watch": true, "id": id})).await;
    client.recv().await
}

#[tokio::test(start_paused = true)]
async fn the_list_and_its_changes() {
    let server = Server::in_process(hub());
    let mut watcher = server.hello().await;
    assert_eq!(watch(&mut watcher, 4).await, lobby(&[], Some(4)));

    let _private = server.join("private").await;
    let mut a = server.join("#a").await;
    watcher.expect(lobby(&[("#a", 1)], None)).await;

    // Largest first; those of the same size in some order that stays.
    let _b = (server.join("#b").await, server.join("#b").await);
    let _c = server.join("#c").await;
    watcher.expect(lobby(&[("#b", 2), ("#a", 1), ("#c", 1)], None)).await;

    // At most lobbyRooms.
    let _d = (server.join("#d").await, server.join("#d").await, server.join("#d").await);
    watcher.expect(lobby(&[("#d", 3), ("#b", 2), ("#a", 1)], None)).await;

    a.send(json!({"type": "leave", "room": "#a"})).await;
    watcher.expect(lobby(&[("#d", 3), ("#b", 2), ("#c", 1)], None)).await;

    watcher.send(json!({"type": "lobby", "watch": false, "id": 5})).await;
    watcher.expect(json!({"type": "ack", "id": 5})).await;
    drop(server.join("#a").await);
    sleep(Duration::from_secs(10)).await;
    watcher.nothing_came().await;
    // Whoever asks again gets the list of now, at once.
    let begin = Instant::now();
    let list = watch(&mut watcher, 6).await;
    assert_eq!((list["id"].as_u64(), begin.elapsed()), (Some(6), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn at_most_once_a_second() {
    let server = Server::in_process(hub());
    let mut watcher = server.hello().await;
    watch(&mut watcher, 1).await;
    let mut times = vec![Instant::now()];
    // A change every 100 ms for ten seconds.
    let mut rooms = Vec::new();
    for n in 0..100 {
        rooms.push(server.join("#busy").await);
        sleep(Duration::from_millis(100)).await;
        while let Ok(list) = timeout(Duration::ZERO, watcher.recv()).await {
            assert_eq!(list["type"], "lobby", "{n}");
            times.push(Instant::now());
        }
    }
    assert!((9..=12).contains(&times.len()), "{}", times.len());
    let least = times.windows(2).map(|two| two[1] - two[0]).min().unwrap();
    assert!(least >= Duration::from_millis(900), "{least:?}");
    watcher.expect(lobby(&[("#busy", 100)], None)).await;
    // Unchanged, it is not told again.
    let more = timeout(Duration::from_secs(20), watcher.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(start_paused = true)]
async fn asking_again_is_answered_again() {
    let server = Server::in_process(hub());
    let mut watcher = server.hello().await;
    for id in 0..3 {
        assert_eq!(watch(&mut watcher, id).await, lobby(&[], Some(id)));
    }
    watcher.send(json!({"type": "lobby", "watch": true})).await;
    watcher.expect(lobby(&[], None)).await;
    // However often it asked, it is told of a change once.
    let _room = server.join("#a").await;
    watcher.expect(lobby(&[("#a", 1)], None)).await;
    watcher.nothing_came().await;
}

/// The watch belongs to the session, and what a lobby says is not counted.
#[tokio::test(start_paused = true)]
async fn a_watcher_that_resumes() {
    let server = Server::in_process(hub());
    let mut watcher = server.join("own").await;
    assert_eq!(watch(&mut watcher, 4).await, lobby(&[], Some(4)));
    assert_eq!(watcher.received, 1);
    let watcher = watcher.cut();
    let mut other = server.join("own").await;
    other.join("#a").await;
    let (mut watcher, hello) = server.resume(&watcher).await;
    assert_eq!(hello["resumed"], "full");
    // What it missed, then the list of now.
    watcher.expect_welcome("own", &other).await;
    let list = watcher.recv().await;
    assert_eq!(list["rooms"], json!([{"room": "#a", "peers": 1}]), "{list}");
    other.join("#b").await;
    watcher.expect(lobby(&[("#a", 1), ("#b", 1)], None)).await;
}

/// An answer that was lost with its connection comes on the next, under the id that waits for it.
#[tokio::test(start_paused = true)]
async fn an_answer_that_was_missed() {
    let server = Server::in_process(hub());
    let mut watcher = server.hello().await;
    watcher.send(json!({"type": "lobby", "watch": true, "id": 4})).await;
    // Taken, and not read.
    sleep(Duration::from_millis(10)).await;
    let (mut watcher, hello) = server.resume(&watcher.cut()).await;
    assert_eq!((&hello["resumed"], &hello["received"]), (&json!("full"), &json!(1)));
    watcher.expect(lobby(&[], Some(4))).await;
    watcher.nothing_came().await;
}

#[tokio::test(start_paused = true)]
async fn no_room_is_listed_by_default() {
    let server = Server::in_process(Hub::builder());
    let mut watcher = server.join("room").await;
    assert_eq!(watch(&mut watcher, 1).await, lobby(&[], Some(1)));
    let _other = server.join("other").await;
    sleep(Duration::from_secs(5)).await;
    watcher.nothing_came().await;
}

#[tokio::test]
async fn over_a_socket() {
    let server = Server::start(hub()).await;
    let mut watcher = server.hello().await;
    assert_eq!(watch(&mut watcher, 4).await, lobby(&[], Some(4)));
    let _a = server.join("#a").await;
    watcher.expect(lobby(&[("#a", 1)], None)).await;
    watcher.send(json!({"type": "lobby", "watch": false, "id": 5})).await;
    watcher.expect(json!({"type": "ack", "id": 5})).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_watcher_gets_no_list_twice() {
    let server =
        Server::in_process(Hub::builder().policy(Rules::new().authorize(|_| {
            Ok(noom_signal::policy::RoomGrant { listed: true, ..Default::default() })
        })));
    let mut a = server.hello().await;
    a.send(json!({"type": "lobby", "watch": true, "id": 1})).await;
    a.expect(json!({"type": "lobby", "id": 1, "rooms": []})).await;
    let _member = server.join("red").await;
    let mut b = server.hello().await;
    b.send(json!({"type": "lobby", "watch": true, "id": 1})).await;
    let red = json!([{"room": "red", "peers": 1}]);
    b.expect(json!({"type": "lobby", "id": 1, "rooms": red})).await;
    a.expect(json!({"type": "lobby", "rooms": red})).await;
    // The look that told the first has nothing new for the second.
    b.nothing_came().await;
}
