//! Exactly at a limit all is well; one beyond is answered as documented. (Limits whose edge belongs
//! to a story of its own are there: messages in `bad_transport`, rooms in `bad_join`, nesting in
//! `bad_message`, the rate in `rate_limit`, heartbeats in `slow_reader`, and so on.)

use std::time::Duration;

use noom_signal::InvalidLimits;
use system_tests::{Client, Hub, Rules, Server, json, limits};
use tokio::time::{Instant, sleep};

/// A request that is exactly so long, and its id.
fn request_of(bytes: usize, id: u64) -> String {
    let request =
        |pad: &str| json!({"type": "lobby", "watch": false, "id": id, "pad": pad}).to_string();
    request(&"x".repeat(bytes - request("").len()))
}

async fn acked(client: &mut Client, bytes: usize) {
    client.send_text(request_of(bytes, 1)).await;
    client.expect(json!({"type": "ack", "id": 1})).await;
}

async fn limited(client: &mut Client, bytes: usize) -> u64 {
    client.send_text(request_of(bytes, 2)).await;
    let error = client.expect_error("rate_limited").await;
    assert_eq!(error["id"], 2);
    error["retryAfterMs"].as_u64().unwrap()
}

#[tokio::test(start_paused = true)]
async fn bytes_at_once_and_bytes_a_second() {
    let few = limits(|limits| {
        limits.message_bytes = 1000;
        limits.byte_burst = 2000;
        limits.bytes_per_second = 100;
    });
    let server = Server::in_process(Hub::builder().limits(few));
    let mut client = server.hello().await;
    acked(&mut client, 1000).await;
    acked(&mut client, 1000).await;
    // A hundred bytes are a second's.
    let wait = limited(&mut client, 100).await;
    assert!((1000..=1002).contains(&wait), "{wait}");
    sleep(Duration::from_millis(wait)).await;
    acked(&mut client, 100).await;
    // What was refused cost nothing, and never more than the burst is saved.
    sleep(Duration::from_secs(40)).await;
    acked(&mut client, 1000).await;
    acked(&mut client, 999).await;
    limited(&mut client, 100).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_without_a_limit() {
    let any = limits(|limits| (limits.bytes_per_second, limits.messages_per_second) = (0, 0));
    let server = Server::in_process(Hub::builder().limits(any));
    let mut client = server.hello().await;
    for _ in 0..200 {
        acked(&mut client, 65_000).await;
    }
}

#[test]
fn what_goes_together() {
    let check = |change: &dyn Fn(&mut system_tests::Limits)| limits(change).check();
    // A roster of a full room.
    let Err(InvalidLimits::RosterTooBig { needed, .. }) = check(&|l| l.frame_bytes = 70_000) else {
        panic!("a roster of 100 peers in 70 kB")
    };
    assert_eq!(check(&|l| l.frame_bytes = needed), Ok(()));
    assert!(check(&|l| l.frame_bytes = needed - 1).is_err());
    // The longest message, relayed.
    let small = |l: &mut system_tests::Limits, message_bytes| {
        (l.peers_per_room, l.message_bytes, l.frame_bytes) = (2, message_bytes, 66_048);
    };
    assert_eq!(check(&|l| small(l, 65_536)), Ok(()));
    let too_big = InvalidLimits::MessageTooBig { message_bytes: 65_537, frame_bytes: 66_048 };
    assert_eq!(check(&|l| small(l, 65_537)), Err(too_big));
    // The longest message, within the rate.
    assert_eq!(check(&|l| l.byte_burst = 65_536), Ok(()));
    let too_small = InvalidLimits::BurstTooSmall { byte_burst: 65_535, message_bytes: 65_536 };
    assert_eq!(check(&|l| l.byte_burst = 65_535), Err(too_small));
    // Without a rate there is no bucket that could be too small.
    assert_eq!(check(&|l| (l.byte_burst, l.bytes_per_second) = (0, 0)), Ok(()));
    assert_eq!(check(&|l| (l.burst, l.messages_per_second) = (0, 0)), Ok(()));
    assert_eq!(check(&|l| l.burst = 0), Err(InvalidLimits::Zero("burst")));
}

#[test]
fn what_is_absurd_is_refused_and_does_not_panic() {
    let most = usize::MAX;
    for change in [
        |l: &mut system_tests::Limits| (l.message_bytes, l.bytes_per_second) = (usize::MAX, 0),
        |l: &mut system_tests::Limits| l.meta_bytes = usize::MAX,
        |l: &mut system_tests::Limits| l.peers_per_room = usize::MAX,
    ] {
        assert!(limits(change).check().is_err());
    }
    let mut wide = limits(|l| (l.frame_bytes, l.outbound_bytes) = (most, most));
    (wide.resume_bytes, wide.resume_frames, wide.depth) = (most, most, most);
    (wide.connections, wide.lobby_rooms, wide.bad_messages) = (most, most, most);
    assert_eq!(wide.check(), Ok(()));
}

/// The bound that `frame_bytes` is checked with is one: what a room tells never is longer.
#[tokio::test]
async fn a_full_roster_fits() {
    let small = limits(|l| (l.peers_per_room, l.meta_bytes) = (4, 256));
    let Err(InvalidLimits::RosterTooBig { needed, .. }) =
        limits(|l| (l.peers_per_room, l.meta_bytes, l.frame_bytes) = (400, 4096, 70_000)).check()
    else {
        panic!("too big")
    };
    assert!(needed > 400 * 4096);
    let needed = 1024 + 4 * ((needed - 1024) / 400 - 4096 + 256);
    // Quotes and backslashes need two bytes each, in a user's name as in a room's.
    let rules = Rules::new().authenticate(|_, _| {
        Ok(noom_signal::policy::Identity::of("\"".repeat(128).parse().unwrap()))
    });
    let server = Server::start(Hub::builder().policy(rules).limits(small)).await;
    let room = "\\".repeat(128);
    let mut members = Vec::new();
    let meta = json!({"x": "y".repeat(256 - r#"{"x":""}"#.len())});
    for _ in 0..4 {
        let mut member = server.hello().await;
        member.join_with(&room, meta.clone()).await;
        members.push(member);
    }
    // A count that cannot be is answered with a roster.
    let mut next = server.connect().await;
    assert_eq!(next.resume(&members[0].session, 1000).await["resumed"], "partial");
    let roster = next.recv_text().await;
    assert!(roster.starts_with(r#"{"type":"roster""#), "{roster}");
    assert!(roster.len() <= needed, "{} of {needed}", roster.len());
}

#[tokio::test(start_paused = true)]
async fn bytes_kept_for_a_resume() {
    let len = relayed_bytes().await;
    let few = limits(|limits| limits.resume_bytes = 3 * len);
    let server = Server::in_process(Hub::builder().limits(few));
    for (messages, resumed) in [(3, "full"), (4, "partial")] {
        let (mut other, client) = server.pair("room").await;
        let old = client.cut();
        for n in 0..messages {
            other.tell("room", "*", json!(n)).await;
        }
        other.nothing_came().await;
        let (mut client, hello) = server.resume(&old).await;
        assert_eq!(hello["resumed"], resumed, "{messages}");
        client.close(None).await;
        other.close(None).await;
    }
}

/// How long the frame is that `tell("room", "*", DIGIT)` leads to.
async fn relayed_bytes() -> usize {
    let server = Server::in_process(Hub::builder());
    let (mut other, mut client) = server.pair("room").await;
    other.tell("room", "*", json!(0)).await;
    client.recv_text().await.len()
}

/// A member that reads nothing, on a pipe that is full and a write that waits for it; and another.
async fn stuck(server: &Server) -> (Client, Client) {
    const PIPE: usize = 8;
    let mut other = server.join("room").await;
    let mut stuck = server.connect_with_capacity(PIPE);
    stuck.hello().await;
    stuck.join("room").await;
    other.expect_welcome("room", &stuck).await;
    for n in 0..=PIPE {
        other.tell("room", "*", json!(n)).await;
        other.nothing_came().await;
    }
    (other, stuck)
}

#[tokio::test(start_paused = true)]
async fn bytes_that_wait_for_a_slow_reader() {
    let few = limits(|l| l.outbound_bytes = 1000);
    let len = relayed_bytes().await;
    let server = Server::in_process(Hub::builder().limits(few));
    let (mut other, mut stuck) = stuck(&server).await;
    let fit = 1000 / len;
    for n in 0..fit {
        other.tell("room", "*", json!(n % 10)).await;
        other.nothing_came().await;
    }
    // One byte more than fits, in a message of its own.
    assert_eq!(server.hub.stats().connections, 2);
    other.tell("room", "*", json!(0)).await;
    other.nothing_came().await;
    let (messages, code) = stuck.drain().await;
    assert_eq!((messages.len(), code), (8, Some(4410)));
    let (mut stuck, hello) = server.resume(&stuck).await;
    assert_eq!(hello["resumed"], "full");
    for _ in 0..=fit + 1 {
        assert_eq!(stuck.recv().await["type"], "message");
    }
    stuck.nothing_came().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_stalls_and_a_close_that_nobody_answers() {
    let server = Server::in_process(Hub::builder());
    let begin = Instant::now();
    let (mut other, mut stuck) = stuck(&server).await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    // Ten seconds for the write, then two for the close.
    sleep(Duration::from_millis(11_900)).await;
    assert_eq!(server.hub.stats().connections, 2);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(server.hub.stats().connections, 1);
    other.nothing_came().await;
    // Nothing fitted any more, not even the code.
    assert_eq!(stuck.drain().await.1, None);

    // Whoever reads on within the ten seconds goes on.
    let (mut other, mut late) = self::stuck(&server).await;
    sleep(Duration::from_millis(9_900)).await;
    for n in 0..=8 {
        late.expect_data("room", &other.peer, json!(n)).await;
    }
    late.nothing_came().await;
    other.nothing_came().await;
}
