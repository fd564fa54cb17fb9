//! What the application does to rooms and peers, on one node and across two.

use std::sync::Arc;

use noom_signal::{
    ControlError,
    backplane::Local,
    protocol::{Json, Target},
};
use system_tests::{Hub, Server, json};

/// Two hubs in one cluster, in process.
fn two_nodes() -> (Server, Server) {
    let first = Local::new();
    let second = first.another_node();
    let server = |node| Server::in_process(Hub::builder().backplane(Arc::new(node)));
    (server(first), server(second))
}

#[tokio::test]
async fn a_kicked_peer_is_out_and_everyone_is_told() {
    let server = Server::start(Hub::builder()).await;
    let (mut a, mut b) = server.pair("room").await;
    let room = "room".parse().unwrap();
    server.hub.kick(&room, &b.peer.parse().unwrap()).await.unwrap();
    let victim = b.peer.clone();
    for client in [&mut a, &mut b] {
        client
            .expect(json!({"type": "bye", "room": "room", "version": 3, "peer": victim, "reason": "kicked"}))
            .await;
    }
    b.send(json!({"type": "message", "room": "room", "to": "*", "data": 1, "id": 9})).await;
    b.expect_error("not_in_room").await;
    // It is out of the room, not of the server.
    b.join("room").await;
    a.expect_welcome("room", &b).await;
    let stranger = "nobody".parse().unwrap();
    assert_eq!(server.hub.kick(&room, &stranger).await, Err(ControlError::NotFound));
    let nowhere = "nowhere".parse().unwrap();
    assert_eq!(server.hub.kick(&nowhere, &stranger).await, Err(ControlError::NotFound));
}

#[tokio::test]
async fn a_kick_reaches_a_peer_of_another_node() {
    let (near, far) = two_nodes();
    let mut a = near.join("room").await;
    let mut b = far.join("room").await;
    a.expect_welcome("room", &b).await;
    near.hub.kick(&"room".parse().unwrap(), &b.peer.parse().unwrap()).await.unwrap();
    let peer = b.peer.clone();
    a.expect_bye("room", &peer, "kicked").await;
    b.expect_bye("room", &peer, "kicked").await;
    assert_eq!((near.hub.stats().rooms, far.hub.stats().rooms), (1, 0));
}

#[tokio::test]
async fn a_closed_room_is_empty() {
    let (near, far) = two_nodes();
    let mut a = near.join("room").await;
    let mut b = far.join("room").await;
    a.expect_welcome("room", &b).await;
    let rooms = near.hub.rooms();
    assert_eq!((rooms.len(), rooms[0].room.as_str(), rooms[0].peers), (1, "room", 2));
    near.hub.close_room(&"room".parse().unwrap()).await.unwrap();
    for client in [&mut a, &mut b] {
        loop {
            let bye = client.recv().await;
            assert_eq!((&bye["type"], &bye["reason"]), (&json!("bye"), &json!("closed")));
            if bye["peer"] == client.peer.as_str() {
                break;
            }
        }
    }
    assert_eq!((near.hub.stats().rooms, far.hub.stats().rooms), (0, 0));
    assert!(near.hub.rooms().is_empty());
    let gone = near.hub.close_room(&"room".parse().unwrap()).await;
    assert_eq!(gone, Err(ControlError::NotFound));
}

#[tokio::test]
async fn the_server_speaks_into_a_room() {
    let (near, far) = two_nodes();
    let mut a = near.join("room").await;
    let mut b = far.join("room").await;
    a.expect_welcome("room", &b).await;
    let room = "room".parse().unwrap();
    let data = Json::of(&json!({"notice": "closing at six"})).unwrap();
    near.hub.send(&room, Target::Everyone, &data).await.unwrap();
    let peer = |name: &str| Target::Peer(name.parse().unwrap());
    near.hub.send(&room, peer(&b.peer), &data).await.unwrap();
    near.hub.send(&room, peer(&a.peer), &data).await.unwrap();
    for client in [&mut a, &mut b] {
        for _ in 0..2 {
            client.expect_data("room", "server", json!({"notice": "closing at six"})).await;
        }
    }
    let sent = near.hub.send(&room, peer("nobody"), &data).await;
    assert_eq!(sent, Err(ControlError::NotFound));
}
