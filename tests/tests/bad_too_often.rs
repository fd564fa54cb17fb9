//! Bad messages are forgiven ten times a minute, over any number of connections. Virtual time.

use std::time::Duration;

use system_tests::{Client, Hub, Scene, Server, json};
use tokio::time::sleep;

async fn strike(client: &mut Client, times: usize) {
    for _ in 0..times {
        client.send_text("nonsense").await;
        client.expect_error("bad_message").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_eleventh_closes_4400() {
    let mut scene = Scene::on(Server::in_process(Hub::builder())).await;
    strike(&mut scene.villain, 10).await;
    scene.villain.nothing_came().await;
    strike(&mut scene.villain, 1).await;
    assert_eq!(scene.villain.closed().await, Some(4400));
    scene.undisturbed().await;

    // The session is open: one joined, and eleven errors, were received.
    assert_eq!(scene.villain.received, 12);
    let (mut villain, hello) = scene.server.resume(&scene.villain).await;
    assert_eq!(hello["resumed"], "full");
    // The join and ten bad messages were taken; the frame that closed the connection was not.
    assert_eq!(hello["received"], 11);
    villain.tell("scene", "*", json!("I am back")).await;
    let from = villain.peer.clone();
    for innocent in &mut scene.innocent {
        innocent.expect_data("scene", &from, json!("I am back")).await;
    }
    scene.undisturbed().await;
}

#[tokio::test]
async fn over_a_socket() {
    let mut scene = Scene::new(Hub::builder()).await;
    strike(&mut scene.villain, 11).await;
    assert_eq!(scene.villain.closed().await, Some(4400));
    scene.undisturbed().await;
    let (villain, hello) = scene.server.resume(&scene.villain).await;
    assert_eq!(hello["resumed"], "full");
    assert_eq!(villain.peer, scene.villain.peer);
    scene.undisturbed().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_forgives_nothing() {
    let server = Server::in_process(Hub::builder());
    let mut client = server.hello().await;
    strike(&mut client, 10).await;
    let old = client.cut();
    let (mut client, hello) = server.resume(&old).await;
    assert_eq!(hello["resumed"], "full");
    strike(&mut client, 1).await;
    assert_eq!(client.closed().await, Some(4400));

    // Nor does one that lost something: both counts start anew, the strikes do not.
    let (mut client, hello) = {
        let mut next = server.connect().await;
        let hello = next.resume(&client.session, 999).await;
        (next, hello)
    };
    assert_eq!(hello["resumed"], "partial");
    strike(&mut client, 1).await;
    assert_eq!(client.closed().await, Some(4400));
}

#[tokio::test(start_paused = true)]
async fn a_minute_forgives() {
    let server = Server::in_process(Hub::builder());
    let mut client = server.hello().await;
    strike(&mut client, 5).await;
    sleep(Duration::from_secs(30)).await;
    client.nothing_came().await;
    strike(&mut client, 5).await;
    sleep(Duration::from_secs(31)).await;
    client.nothing_came().await;
    // The first five are over a minute old; five more fit.
    strike(&mut client, 5).await;
    client.nothing_came().await;
    strike(&mut client, 1).await;
    assert_eq!(client.closed().await, Some(4400));
}

#[tokio::test(start_paused = true)]
async fn other_errors_are_no_strikes() {
    let server = Server::in_process(Hub::builder());
    let mut client = server.hello().await;
    for _ in 0..30 {
        client.send(json!({"type": "unheard of"})).await;
        client.expect_error("unknown_type").await;
        client.send(json!({"type": "leave", "room": "nowhere"})).await;
        client.expect_error("not_in_room").await;
        client.send(json!({"type": "join", "room": "\n"})).await;
        client.expect_error("invalid_room").await;
    }
    strike(&mut client, 10).await;
    client.nothing_came().await;
}
