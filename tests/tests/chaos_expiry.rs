//! Links that stay broken for too long, and more for a peer than is kept for it. What is lost is
//! lost to those alone who are told so; everything else arrives once and in order.

mod losses;

use std::time::Duration;

use futures_util::future::join_all;
use losses::{Peer, Stay, lost};
use noom_signal_client::{
    State,
    protocol::{ErrorCode, Json, PeerId, RoomName, Target},
};
use system_tests::{Fault, Hub, Limits, Random, Server, Way, limits, seed};
use tokio::task::JoinSet;

/// Some peers stay away for longer than the window: each other member hears one `bye`, and they come
/// back as somebody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_that_pass() {
    let server = server(|limits| {
        limits.resume = Duration::from_secs(5);
        limits.resume_frames = 4096;
    });
    let seed = seed();
    println!("NOOM_SEED={seed}");
    let (stays, lost) = in_rooms(&server.await, 20, 6, too_long, seed).await;
    println!("lost, and told: {lost}");
    assert!(lost > 0, "nothing was said to those who were away");
    let ended = stays.iter().filter(|stay| stay.ended).count();
    assert_eq!((ended, stays.len()), (20 * AWAY, 20 * (6 + AWAY)));
    assert!(stays.iter().all(|stay| stay.partials == 0), "nothing was too much");
}

/// Links break in all ways while the server keeps no more than a few frames.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_is_kept() {
    let server = server(|limits| {
        limits.resume = Duration::from_secs(300);
        limits.resume_frames = 16;
    });
    let seed = seed();
    println!("NOOM_SEED={seed}");
    let (stays, lost) = in_rooms(&server.await, 20, 5, too_much, seed).await;
    let partials: usize = stays.iter().map(|stay| stay.partials).sum();
    println!("lost, and told: {lost}; resumed in part: {partials}");
    assert!(lost > 0, "nothing was lost");
    assert!(partials >= 20, "those that were swallowed at least, not {partials}");
    assert!(stays.iter().all(|stay| !stay.ended), "nobody was away for long");
}

/// How many of each room stay away.
const AWAY: usize = 2;

async fn server(change: impl FnOnce(&mut Limits)) -> Server {
    Server::start(Hub::builder().limits(limits(|limits| {
        limits.messages_per_second = 0;
        limits.heartbeat = Duration::from_millis(700);
        change(limits);
    })))
    .await
}

/// Runs rooms side by side, and checks the account of each. Returns all stays, and how much was lost.
async fn in_rooms<F>(
    server: &Server,
    rooms: usize,
    peers: usize,
    story: fn(Vec<Peer>) -> F,
    seed: u64,
) -> (Vec<Stay>, usize)
where
    F: Future<Output = Vec<Peer>> + Send + 'static,
{
    let needed = 10 * (rooms * peers) as u64 + 100;
    let allowed = rlimit::increase_nofile_limit(needed).unwrap();
    assert!(allowed >= needed, "this test needs {needed} open files: ulimit -Hn {needed}");
    let mut random = Random::new(seed);
    let mut running = JoinSet::new();
    for room in 0..rooms {
        let name: RoomName = format!("room {room}").parse().unwrap();
        let mut members =
            join_all((0..peers).map(|_| Peer::join(server, name.clone(), random.seed()))).await;
        running.spawn(async move {
            meet(&mut members).await;
            let mut members = story(members).await;
            join_all(members.iter_mut().map(Peer::hear_all)).await;
            (name, members)
        });
    }
    let (mut all, mut count) = (Vec::new(), 0);
    while let Some(done) = running.join_next().await {
        let (name, members) = done.unwrap();
        check_roster(server, &name, &members);
        let stays: Vec<Stay> = members.into_iter().flat_map(|peer| peer.stays).collect();
        count += lost(&stays);
        all.extend(stays);
    }
    (all, count)
}

/// All know each other.
async fn meet(members: &mut [Peer]) {
    let others = members.len() - 1;
    join_all(
        members
            .iter_mut()
            .map(|peer| peer.until("everybody is there", move |peer| peer.members.len() == others)),
    )
    .await;
}

fn check_roster(server: &Server, room: &RoomName, members: &[Peer]) {
    let roster: Vec<_> = server.hub.members(room).unwrap();
    assert_eq!(roster.len(), members.len());
    for peer in members {
        let others = roster.iter().filter(|member| member.peer != *peer.id());
        let others = others.map(|member| (member.peer.clone(), member.since)).collect();
        assert_eq!(peer.members, others, "{room} at {}", peer.id());
    }
}

/// Two of a room are away until the others have heard that they are gone.
async fn too_long(mut members: Vec<Peer>) -> Vec<Peer> {
    let (away, here) = members.split_at_mut(AWAY);
    let gone: Vec<PeerId> = away.iter().map(|peer| peer.id().clone()).collect();
    let leave = join_all(away.iter_mut().map(async |peer| {
        peer.talk(10).await;
        peer.proxy.shut();
        peer.proxy.strike(Fault::Swallow(None));
        // Some of it swallowed, some not even sent.
        (0..20).for_each(|_| peer.say());
        peer.client.disconnect();
    }));
    let stay = join_all(here.iter_mut().map(async |peer| {
        peer.talk_and_break(40, 5, brief).await;
        let alone = |peer: &Peer| gone.iter().all(|gone| !peer.members.contains_key(gone));
        peer.until("the byes", alone).await;
        for gone in &gone {
            let data = Json::of("too late").unwrap();
            let room = RoomName::clone(peer.room());
            let reply = peer.client.send(&room, Target::Peer(gone.clone()), data).await;
            assert_eq!(reply.unwrap_err().code(), Some(ErrorCode::PeerNotFound));
        }
    }));
    tokio::join!(leave, stay);
    for peer in away.iter() {
        assert!(matches!(peer.client.state(), State::Reconnecting { .. }));
        peer.proxy.open();
    }
    join_all(away.iter_mut().map(|peer| {
        peer.until("it is back", |peer| peer.stays.len() == 2 && !peer.members.is_empty())
    }))
    .await;
    meet(&mut members).await;
    join_all(members.iter_mut().map(|peer| peer.talk(20))).await;
    members
}

/// Links that break so that their client knows at once.
fn brief(random: &mut Random) -> Fault {
    let way = random.pick(&[Way::Up, Way::Down]);
    match random.below(4) {
        0 => Fault::End,
        1 => Fault::Reset,
        2 => Fault::Tear(way, random.below(500)),
        _ => Fault::Close(way, 1012),
    }
}

/// Everybody's link breaks now and then, and one's for long.
async fn too_much(mut members: Vec<Peer>) -> Vec<Peer> {
    members[0].proxy.strike(Fault::Swallow(None));
    join_all(members.iter_mut().map(|peer| peer.talk_and_break(60, 5, any))).await;
    members
}

fn any(random: &mut Random) -> Fault {
    match random.below(6) {
        0 => Fault::Swallow(None),
        1 => Fault::Late,
        _ => brief(random),
    }
}
