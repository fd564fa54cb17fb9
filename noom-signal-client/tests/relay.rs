//! Requests and events over a real server.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use noom_signal::Hub;
use noom_signal_client::{
    Client, ClientLimits, Closed, Event, HeaderValue, RequestError, header,
    protocol::{ErrorCode, Json, RoomName, ServerMessage, Target},
};
use support::Server;

fn url(server: &Server) -> String {
    format!("ws://{}/signal", server.address)
}

#[tokio::test]
async fn two_peers_agree_on_a_call() {
    let server = Server::start(Hub::builder()).await;
    let room: RoomName = "standup".parse().unwrap();
    let connect = || async { Client::builder(&url(&server)).unwrap().connect().await.unwrap() };
    let (mina, mut heard) = connect().await;
    let (jun, mut told) = connect().await;
    let meta = Json::from_text(r#"{"name":"Mina"}"#.into()).unwrap();
    let joined = mina.join(&room, Some(meta.clone()), None).await.unwrap();
    assert!(joined.peers.is_empty());
    let joined = jun.join(&room, None, None).await.unwrap();
    assert_eq!((joined.peers[0].peer.clone(), joined.peers[0].meta.clone()), (mina.peer(), meta));

    mina.offer(&room, &jun.peer(), "v=0 offer").await.unwrap();
    jun.answer(&room, &mina.peer(), "v=0 answer").await.unwrap();
    let null = Json::of(&()).unwrap();
    mina.ice(&room, &jun.peer(), null.clone()).await.unwrap();
    let data = Json::of(&[1, 2, 3]).unwrap();
    mina.send(&room, Target::Everyone, data.clone()).await.unwrap();
    jun.update(&room, Json::empty_object()).await.unwrap();
    let bye = jun.leave(&room).await.unwrap();
    assert_eq!(bye.peer, jun.peer());

    let mut kinds = Vec::new();
    while kinds.last() != Some(&"bye") {
        kinds.push(match told.next().await.unwrap() {
            Event::Message(ServerMessage::Joined(_)) => "joined",
            Event::Message(ServerMessage::Offer(offer)) => {
                assert_eq!((offer.from, offer.sdp.as_str()), (mina.peer(), "v=0 offer"));
                "offer"
            }
            Event::Message(ServerMessage::Ice(ice)) => {
                assert!(ice.candidate.is_null());
                "ice"
            }
            Event::Message(ServerMessage::Message(message)) => {
                assert_eq!(message.data, data);
                "message"
            }
            Event::Message(ServerMessage::Updated(_)) => "updated",
            Event::Message(ServerMessage::Bye(_)) => "bye",
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(kinds, ["joined", "offer", "ice", "message", "updated", "bye"]);

    let refused = mina.offer(&room, &jun.peer(), "v=0").await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::PeerNotFound));
    assert_eq!(mina.close().await, Closed::ByClient);
    while heard.next().await.is_some() {}
    let closed = mina.leave(&room).await.unwrap_err();
    assert_eq!(closed, RequestError::Closed(Closed::ByClient));
}

#[tokio::test]
async fn a_refusal_that_nobody_awaits_is_an_event() {
    let server = Server::start(Hub::builder()).await;
    let (client, mut events) = Client::builder(&url(&server)).unwrap().connect().await.unwrap();
    drop(client.leave(&"elsewhere".parse().unwrap()));
    let event = events.next().await;
    let Some(Event::Message(ServerMessage::Error(error))) = event else { panic!("{event:?}") };
    assert_eq!(error.code, ErrorCode::NotInRoom);
}

#[tokio::test]
async fn the_lobby_and_the_ice_servers() {
    let server = Server::start(Hub::builder()).await;
    let (client, _events) = Client::builder(&url(&server)).unwrap().connect().await.unwrap();
    assert!(client.watch_lobby().await.unwrap().rooms.is_empty());
    client.unwatch_lobby().await.unwrap();
    assert!(client.renew_ice_servers().await.unwrap().is_empty());
}

#[tokio::test]
async fn headers_reach_the_server_and_its_no_is_final() {
    let server = Server::start(Hub::builder()).await;
    // The endpoint serves pages of its own origin only.
    let origin = HeaderValue::from_static("https://elsewhere.example");
    let foreign = Client::builder(&url(&server)).unwrap().header(header::ORIGIN, origin);
    let Err(Closed::Refused(why)) = foreign.connect().await else { panic!("it was let in") };
    assert!(why.reason.starts_with("HTTP 403"), "{why}");

    let nowhere = url(&server).replace("/signal", "/nowhere");
    let nowhere = Client::builder(&nowhere).unwrap().connect().await;
    let Err(Closed::Refused(why)) = nowhere else { panic!("there is something") };
    assert!(why.reason.starts_with("HTTP 404"), "{why}");
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let server = Server::start(Hub::builder()).await;
    let url = url(&server);
    server.hub.shutdown().await;
    let mut limits = ClientLimits::default();
    limits.first_attempts = Some(1);
    let refused = Client::builder(&url).unwrap().limits(limits).connect().await;
    let Err(Closed::Unreachable(why)) = refused else { panic!("it is there") };
    assert!(why.reason.starts_with("HTTP 503"), "{why}");
}
