//! Links that break in the middle of traffic, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::Duration;

use noom_signal::{Hub, Limits, protocol::ServerMessage};
use noom_signal_client::{
    Client, ClientLimits, Closed, Event, Events, RequestError, State,
    protocol::{Json, RoomName, Target, client},
};
use support::{Cut, Server, Wire, connect, reopened};

fn room() -> RoomName {
    "standup".parse().unwrap()
}

fn number(n: u64) -> Json {
    Json::of(&n).unwrap()
}

/// How many numbers go each way.
const COUNT: u64 = 300;

/// Takes the numbers, once each and in order; at some of them, does something.
async fn take_all(events: &mut Events, mut at: impl FnMut(u64)) {
    let mut next = 0;
    while next < COUNT {
        match events.next().await.expect("an event") {
            Event::Message(ServerMessage::Message(message)) => {
                assert_eq!(message.data.read::<u64>().unwrap(), next);
                at(next);
                next += 1;
            }
            event @ (Event::Partial(_) | Event::Reset(_) | Event::Unknown(_)) => {
                panic!("lost: {event:?}")
            }
            _ => {}
        }
    }
}

async fn send_all(client: Client) {
    for batch in (0..COUNT).step_by(20) {
        let ask = |n| client.send(&room(), Target::Everyone, number(n));
        let replies: Vec<_> = (batch..batch + 20).map(ask).collect();
        for reply in replies {
            reply.await.unwrap();
        }
    }
}

/// Numbers both ways while the wire of one of the two is cut every so often.
async fn once_and_in_order(cut: impl Fn(&Wire, u64)) {
    let mut limits = Limits::default();
    // All that can be missed in one cut, acknowledgements included.
    limits.resume_frames = 4096;
    let server = Server::start(Hub::builder().limits(limits)).await;
    let (wire, straight) = (Wire::to(&server).await, Wire::to(&server).await);
    let (one, mut told) = connect(&wire).await;
    let (two, mut heard) = connect(&straight).await;
    one.join(&room(), None, None).await.unwrap();
    two.join(&room(), None, None).await.unwrap();
    let (down, up) = (tokio::spawn(send_all(two.clone())), tokio::spawn(send_all(one.clone())));
    let (peer, every) = (one.peer(), 40);
    tokio::join!(
        take_all(&mut told, |n| {
            if n % every == 7 {
                cut(&wire, n);
            }
        }),
        take_all(&mut heard, |n| {
            if n % every == 27 {
                cut(&wire, n);
            }
        }),
    );
    down.await.unwrap();
    up.await.unwrap();
    assert_eq!(one.peer(), peer);
    assert!(*wire.connections.borrow() > 1, "no link was cut");
    assert_eq!(*straight.connections.borrow(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_end() {
    once_and_in_order(|wire, _| wire.cut(Cut::End)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_are_reset() {
    once_and_in_order(|wire, _| wire.cut(Cut::Reset)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_end_in_the_middle_of_a_frame() {
    once_and_in_order(|wire, n| wire.cut_after(31 + n as usize)).await;
}

#[tokio::test]
async fn a_half_open_link_is_noticed() {
    let mut limits = Limits::default();
    limits.heartbeat = Duration::from_secs(1);
    let server = Server::start(Hub::builder().limits(limits)).await;
    let wire = Wire::to(&server).await;
    let mut limits = ClientLimits::default();
    limits.pong = Duration::from_millis(200);
    let builder = Client::builder(&wire.url()).unwrap().limits(limits);
    let (client, mut events) = builder.connect().await.unwrap();
    client.join(&room(), None, None).await.unwrap();
    let peer = client.peer();
    wire.cut(Cut::Swallow);
    let sent = client.send(&room(), Target::Everyone, number(1));
    reopened(&mut events).await;
    sent.await.unwrap();
    assert_eq!(client.peer(), peer);
}

#[tokio::test]
async fn a_restarted_server_is_a_reset() {
    let old = Server::start(Hub::builder()).await;
    let wire = Wire::to(&old).await;
    let (client, mut events) = connect(&wire).await;
    client.join(&room(), None, None).await.unwrap();
    let peer = client.peer();
    let new = Server::start(Hub::builder()).await;
    wire.lead_to(&new);
    // With 1001, as a server that goes down in good order.
    old.hub.shutdown().await;
    reopened(&mut events).await;
    let Some(Event::Reset(hello)) = events.next().await else { panic!("no reset") };
    assert_ne!(hello.peer, peer);
    client.join(&room(), None, None).await.unwrap();
    assert_eq!(new.hub.stats().peers, 1);
}

#[tokio::test]
async fn a_draining_server_hands_its_clients_over() {
    let old = Server::start(Hub::builder()).await;
    let wire = Wire::to(&old).await;
    let (client, mut events) = connect(&wire).await;
    let new = Server::start(Hub::builder()).await;
    wire.lead_to(&new);
    old.hub.drain(Duration::from_millis(100)).await;
    reopened(&mut events).await;
    assert!(matches!(events.next().await, Some(Event::Reset(_))));
    assert_eq!(client.state(), State::Open);
}

#[tokio::test]
async fn what_the_server_could_not_keep_is_told() {
    let mut limits = Limits::default();
    limits.resume_frames = 4;
    let server = Server::start(Hub::builder().limits(limits)).await;
    let (wire, straight) = (Wire::to(&server).await, Wire::to(&server).await);
    let (away, mut events) = connect(&wire).await;
    let (there, _others) = connect(&straight).await;
    away.join(&room(), None, None).await.unwrap();
    there.join(&room(), None, None).await.unwrap();
    wire.cut(Cut::Swallow);
    for n in 0..50 {
        there.send(&room(), Target::Everyone, number(n)).await.unwrap();
    }
    let unheard = away.send(&room(), Target::Everyone, number(1));
    away.disconnect();
    reopened(&mut events).await;
    let Some(Event::Partial(hello)) = events.next().await else { panic!("not partial") };
    assert_eq!(hello.rooms, Some(vec![room()]));
    assert!(matches!(events.next().await, Some(Event::Message(ServerMessage::Roster(_)))));
    // Lost where it was written, sent where it was not.
    assert!(matches!(unheard.await, Err(RequestError::Lost) | Ok(())));
}

#[tokio::test]
async fn a_session_taken_over_stays_there() {
    let server = Server::start(Hub::builder()).await;
    let wire = Wire::to(&server).await;
    let (client, _events) = connect(&wire).await;
    let (server_end, mut thief) = noom_signal::transport::pipe(16);
    let admission = server.hub.admit(noom_signal::ConnectRequest::default()).unwrap();
    tokio::spawn(admission.serve(server_end));
    let resume =
        client::Resume { session: client.hello().session.clone(), received: 0, attempt: None };
    thief.send(client::Hello { resume: Some(resume), ..Default::default() }).await.unwrap();
    assert_eq!(client.closed().await, Closed::Replaced);
    assert_eq!(*wire.connections.borrow(), 1);
    assert!(matches!(thief.recv().await, Some(ServerMessage::Hello(_))));
}
