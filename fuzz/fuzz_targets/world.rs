//! A hub, its clients, and what they do.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use noom_signal::{
    Hub, Limits,
    policy::{JoinRequest, Policy, Refused, RoomGrant},
    protocol::{CloseCode, Json, PeerId, RoomName, Target},
};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{
    actor::{self, Actor},
    input::Input,
};

const ACTORS: u8 = 4;
/// The last is no name of a room.
const ROOMS: [&str; 4] = ["one", "two", "three", ""];
/// More does not fit into a run that is to be short.
const STEPS: usize = 200;

/// Every room is listed.
struct Listed;

#[async_trait]
impl Policy for Listed {
    async fn authorize(&self, _join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        Ok(RoomGrant { listed: true, ..RoomGrant::default() })
    }
}

pub async fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let hub = Hub::builder().limits(limits(&mut input)).policy(Listed).build().expect("a hub");
    let mut actors: Vec<Actor> = (0..ACTORS).map(|_| Actor::default()).collect();
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        step(&hub, &mut actors, &mut input).await;
    }
    for actor in &mut actors {
        actor.sync().await;
    }
    // By now nobody does anything, and whoever is still connected is told the rest.
    for actor in &mut actors {
        actor.sync().await;
    }
    for (peer, view) in actors.iter().filter_map(Actor::live_view) {
        for room in ROOMS.iter().filter_map(|room| room.parse::<RoomName>().ok()) {
            let members = hub.members(&room).unwrap_or_default();
            let mut members: HashMap<PeerId, u64> =
                members.into_iter().map(|member| (member.peer, member.since)).collect();
            let expected = members.remove(peer).map(|_| members);
            assert_eq!(view.rooms.get(&room).map(|here| here.peers.clone()), expected, "{room}");
        }
    }
    drop(actors);
    let window = hub.limits().resume + hub.limits().write + hub.limits().handshake;
    sleep(2 * window).await;
    let stats = hub.stats();
    assert_eq!((stats.connections, stats.peers, stats.rooms), (0, 0, 0), "something is left");
}

fn limits(input: &mut Input<'_>) -> Limits {
    let mut limits = Limits::default();
    limits.peers_per_room = 3;
    limits.rooms_per_peer = 2;
    limits.bad_messages = 3;
    limits.resume_frames = 20;
    limits.resume_bytes = 4000;
    limits.outbound_bytes = 6000;
    limits.lobby_rooms = 2;
    if input.flag() {
        (limits.messages_per_second, limits.burst) = (2, 10);
    }
    limits
}

async fn step(hub: &Hub, actors: &mut [Actor], input: &mut Input<'_>) {
    let number = input.below(ACTORS);
    let other = actors[input.below(ACTORS)].session.as_ref().map(|session| session.peer.clone());
    let actor = &mut actors[number];
    match input.below(32) {
        0 => actor.connect(hub, None, false).await,
        1 | 2 => actor.connect(hub, Some(0), input.flag()).await,
        3 => actor.connect(hub, Some(i64::from(input.byte() as i8)), input.flag()).await,
        4 => actor.cut(),
        5 => {
            let codes = [None, Some(1000), Some(4000), Some(1011)];
            actor.close(codes[input.below(4)].map(CloseCode::from_u16)).await;
        }
        6..=8 => actor.send(input.text()).await,
        9 => actor.send_binary().await,
        10 | 11 => actor.read(input.below(20)).await,
        12..=14 => actor.sync().await,
        15 => sleep(Duration::from_millis(u64::from(input.byte()) * 200)).await,
        16 => stranger(hub, input.text()).await,
        17 => control(hub, other, input).await,
        _ => ask(actor, other, input).await,
    }
}

/// An honest request.
async fn ask(actor: &mut Actor, other: Option<PeerId>, input: &mut Input<'_>) {
    let (room, with_id) = (ROOMS[input.below(4)], input.flag());
    let to = other.as_ref().map_or("*", PeerId::as_str);
    let request = match input.below(14) {
        0..=3 => json!({"type": "join", "room": room, "meta": {"n": input.byte()}}),
        4 => json!({"type": "leave", "room": room}),
        5 => {
            json!({"type": "update", "room": room, "meta": {"n": "x".repeat(input.byte().into())}})
        }
        6 => json!({"type": "offer", "room": room, "to": to, "sdp": "x".repeat(2000)}),
        7 => json!({"type": "answer", "room": room, "to": to, "sdp": "v=0"}),
        8 => json!({"type": "ice", "room": room, "to": to, "candidate": null}),
        9 => json!({"type": "message", "room": room, "to": to}),
        10 | 11 => json!({"type": "message", "room": room, "to": "*"}),
        12 => json!({"type": "lobby", "watch": input.flag()}),
        _ => json!({"type": "iceServers"}),
    };
    actor.ask(request, with_id).await;
}

/// What the application does to its rooms.
async fn control(hub: &Hub, peer: Option<PeerId>, input: &mut Input<'_>) {
    let Ok(room) = ROOMS[input.below(3)].parse::<RoomName>() else { return };
    let _ = match (input.below(3), peer) {
        (0, Some(peer)) => hub.kick(&room, &peer).await,
        (1, _) => hub.close_room(&room).await,
        (_, peer) => {
            let to = peer.map_or(Target::Everyone, Target::Peer);
            hub.send(&room, to, &Json::empty_object()).await
        }
    };
}

/// Somebody who begins with any text, and is gone.
async fn stranger(hub: &Hub, text: String) {
    let mut link = actor::open(hub);
    let _ = link.send_text(text).await;
    while let Ok(Some(_)) = timeout(Duration::from_secs(1), link.recv_text()).await {}
}
