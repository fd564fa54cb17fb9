//! The client against a real hub, over links that break, in virtual time.

mod random;

use async_trait::async_trait;
use noom_signal::{
    Limits,
    policy::{ConnectRequest, Identity, Policy, Refused},
    protocol::{Json, RoomName, Target},
};

use super::{
    cable::{Cable, Cut, Random},
    *,
};
use crate::{Client, Event, Events, RequestError, builder::start};

fn hub(adjust: impl FnOnce(&mut Limits)) -> noom_signal::Hub {
    let mut limits = Limits::default();
    adjust(&mut limits);
    noom_signal::Hub::builder().limits(limits).build().unwrap()
}

async fn connect(cable: &Cable) -> (Client, Events) {
    connect_with(cable, Token::None, ClientLimits::default()).await.unwrap()
}

async fn connect_with(
    cable: &Cable,
    token: Token,
    limits: ClientLimits,
) -> Result<(Client, Events), Closed> {
    let (dial, name) = (cable.clone(), "test".to_owned());
    let random = Box::new(|| 1.0);
    let line = |shared| Line { dial, token, name, limits: limits.clone(), shared, random };
    start(line, &limits).await
}

fn room() -> RoomName {
    "standup".parse().unwrap()
}

fn number(n: u64) -> Json {
    Json::of(&n).unwrap()
}

/// The numbers that come with messages, until so many are there.
async fn numbers(events: &mut Events, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        match events.next().await.expect("an event") {
            Event::Message(ServerMessage::Message(message)) => {
                numbers.push(message.data.read().unwrap());
            }
            Event::Partial(_) | Event::Reset(_) | Event::Unknown(_) => panic!("something was lost"),
            _ => {}
        }
    }
    numbers
}

/// Waits until the client is open again.
async fn reopened(events: &mut Events) {
    while events.next().await.expect("an event") != Event::State(State::Open) {}
}

#[tokio::test(start_paused = true)]
async fn a_dead_link_is_noticed_and_made_good() {
    let hub = hub(|limits| limits.resume = Duration::from_secs(600));
    let cable = Cable::to(&hub);
    let (client, mut events) = connect(&cable).await;
    client.join(&room(), None, None).await.unwrap();
    let peer = client.peer();
    cable.cut(Cut::Swallow);
    let began = Instant::now();
    let waiting = client.send(&room(), Target::Everyone, number(1));
    reopened(&mut events).await;
    let noticed = began.elapsed();
    assert!(noticed <= Duration::from_secs(25 + 10), "{noticed:?}");
    waiting.await.unwrap();
    assert_eq!(client.peer(), peer);
}

#[tokio::test(start_paused = true)]
async fn an_idle_link_stays() {
    let hub = hub(|_| {});
    let cable = Cable::to(&hub);
    let (client, _events) = connect(&cable).await;
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(client.state(), State::Open);
    assert_eq!(cable.dialled().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn attempts_come_at_once_and_then_ever_later() {
    let hub = hub(|limits| limits.resume = Duration::from_secs(600));
    let cable = Cable::to(&hub);
    let (client, mut events) = connect(&cable).await;
    cable.lead_to(None);
    let lost = Instant::now();
    cable.cut(Cut::Break);
    while !matches!(events.next().await, Some(Event::State(State::Reconnecting { attempt: 7, .. })))
    {
    }
    let gaps: Vec<u128> = cable.dialled()[1..].iter().map(|at| (*at - lost).as_millis()).collect();
    assert_eq!(gaps, [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    // Whoever knows better does not wait.
    cable.lead_to(Some(&hub));
    client.disconnect();
    let before = Instant::now();
    reopened(&mut events).await;
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_draining_server_says_when_to_come_back() {
    let (old, new) = (hub(|_| {}), hub(|_| {}));
    let cables = [Cable::to(&old), Cable::to(&old)];
    let mut clients = Vec::new();
    for cable in &cables {
        clients.push(connect(cable).await);
        cable.lead_to(Some(&new));
    }
    let began = Instant::now();
    let draining = tokio::spawn(async move { old.drain(Duration::from_secs(10)).await });
    for (_, events) in &mut clients {
        reopened(events).await;
        assert!(matches!(events.next().await, Some(Event::Reset(_))));
    }
    let mut waits: Vec<_> = cables.iter().map(|c| (c.dialled()[1] - began).as_millis()).collect();
    waits.sort_unstable();
    assert_eq!(waits, [0, 5000]);
    draining.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_does_not_take_events_is_not_read_for_and_loses_nothing() {
    let hub = hub(|_| {});
    let (slow, fast) = (Cable::to(&hub), Cable::to(&hub));
    let limits = ClientLimits { events: 4, ..ClientLimits::default() };
    let (slow_client, mut events) = connect_with(&slow, Token::None, limits).await.unwrap();
    let (client, _others) = connect(&fast).await;
    slow_client.join(&room(), None, None).await.unwrap();
    client.join(&room(), None, None).await.unwrap();
    for n in 0..200 {
        client.send(&room(), Target::Everyone, number(n)).await.unwrap();
    }
    // Long enough for either side to take the link for dead.
    sleep(Duration::from_secs(200)).await;
    assert_eq!(slow_client.state(), State::Open);
    assert_eq!(numbers(&mut events, 200).await, (0..200).collect::<Vec<_>>());
    assert_eq!(slow.dialled().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_drops_the_events_gets_its_replies() {
    let hub = hub(|_| {});
    let cable = Cable::to(&hub);
    let limits = ClientLimits { events: 2, ..ClientLimits::default() };
    let (client, events) = connect_with(&cable, Token::None, limits).await.unwrap();
    drop(events);
    for _ in 0..10 {
        client.join(&room(), None, None).await.unwrap();
        client.leave(&room()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_taken_over_is_over() {
    let hub = hub(|_| {});
    let cable = Cable::to(&hub);
    let (client, mut events) = connect(&cable).await;
    let (server_end, mut thief) = noom_signal::transport::pipe(16);
    tokio::spawn(hub.admit(ConnectRequest::default()).unwrap().serve(server_end));
    let resume =
        client::Resume { session: client.hello().session.clone(), received: 0, attempt: None };
    thief.send(client::Hello { resume: Some(resume), ..Default::default() }).await.unwrap();
    assert_eq!(client.closed().await, Closed::Replaced);
    let asked = client.join(&room(), None, None).await;
    assert_eq!(asked, Err(RequestError::Closed(Closed::Replaced)));
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event);
    }
    assert_eq!(last, Some(Event::State(State::Closed(Closed::Replaced))));
    assert_eq!(cable.dialled().len(), 1);
    assert!(matches!(thief.recv().await, Some(ServerMessage::Hello(_))));
}

struct Gate;

#[async_trait]
impl Policy for Gate {
    async fn authenticate(
        &self,
        _: &ConnectRequest,
        token: Option<&str>,
    ) -> Result<Identity, Refused> {
        match token {
            Some("good") => Ok(Identity::default()),
            _ => Err(Refused::because("no entry")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_connection_asks_for_a_token() {
    let hub = noom_signal::Hub::builder().policy(Gate).build().unwrap();
    let cable = Cable::to(&hub);
    let tokens = Arc::new(std::sync::Mutex::new(vec![Ok("bad"), Ok("good"), Err("later")]));
    let token = Token::provider(move || {
        let token = tokens.lock().unwrap().pop().expect("no further attempt");
        async move { token.map(str::to_owned) }
    });
    let limits = ClientLimits::default();
    let (client, _events) = connect_with(&cable, token, limits).await.unwrap();
    assert_eq!(cable.dialled().len(), 1, "without a token there is nothing to dial for");
    client.disconnect();
    assert_eq!(client.closed().await, Closed::Unauthorized("no entry".into()));
}

#[tokio::test(start_paused = true)]
async fn a_refused_hello_is_an_error() {
    let hub = noom_signal::Hub::builder().policy(Gate).build().unwrap();
    let token = Token::Fixed("bad".into());
    let refused = connect_with(&Cable::to(&hub), token, ClientLimits::default()).await;
    assert_eq!(refused.err(), Some(Closed::Unauthorized("no entry".into())));
}

#[tokio::test(start_paused = true)]
async fn the_first_attempts_may_be_limited() {
    let hub = hub(|_| {});
    let cable = Cable::to(&hub);
    cable.lead_to(None);
    let limits = ClientLimits { first_attempts: Some(3), ..ClientLimits::default() };
    let refused = connect_with(&cable, Token::None, limits).await;
    assert_eq!(refused.err(), Some(Closed::Unreachable(Ending::broken("nobody is there"))));
    assert_eq!(cable.dialled().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_new_session_is_told() {
    let (old, new) = (hub(|_| {}), hub(|_| {}));
    let cable = Cable::to(&old);
    let (client, mut events) = connect(&cable).await;
    client.join(&room(), None, None).await.unwrap();
    let peer = client.peer();
    cable.lead_to(Some(&new));
    cable.cut(Cut::Swallow);
    let lost = client.send(&room(), Target::Everyone, number(1));
    reopened(&mut events).await;
    let Some(Event::Reset(hello)) = events.next().await else { panic!("no reset") };
    assert_ne!(hello.peer, peer);
    assert_eq!(client.peer(), hello.peer);
    assert_eq!(lost.await, Err(RequestError::Lost));
    client.join(&room(), None, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_partial_resume_is_told() {
    let hub = hub(|limits| limits.resume_frames = 4);
    let (away, there) = (Cable::to(&hub), Cable::to(&hub));
    let (client, mut events) = connect(&away).await;
    let (other, _others) = connect(&there).await;
    client.join(&room(), None, None).await.unwrap();
    other.join(&room(), None, None).await.unwrap();
    away.lead_to(None);
    away.cut(Cut::Break);
    for n in 0..20 {
        other.send(&room(), Target::Everyone, number(n)).await.unwrap();
    }
    away.lead_to(Some(&hub));
    reopened(&mut events).await;
    let Some(Event::Partial(hello)) = events.next().await else { panic!("not partial") };
    assert_eq!(hello.rooms, Some(vec![room()]));
    let next = events.next().await;
    let Some(Event::Message(ServerMessage::Roster(roster))) = next else { panic!("{next:?}") };
    assert_eq!(roster.peers[0].peer, other.peer());
    client.send(&room(), Target::Everyone, number(1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn close_ends_the_session_after_what_was_asked() {
    let hub = hub(|_| {});
    let (one, two) = (Cable::to(&hub), Cable::to(&hub));
    let (client, mut events) = connect(&one).await;
    let (other, mut others) = connect(&two).await;
    other.join(&room(), None, None).await.unwrap();
    client.join(&room(), None, None).await.unwrap();
    let last = client.send(&room(), Target::Everyone, number(7));
    assert_eq!(client.close().await, Closed::ByClient);
    drop(last);
    assert_eq!(numbers(&mut others, 1).await, [7]);
    let bye = others.next().await;
    assert!(matches!(bye, Some(Event::Message(ServerMessage::Bye(_)))), "{bye:?}");
    while events.next().await.is_some() {}
    assert_eq!(hub.stats().peers, 1);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_the_session() {
    let hub = hub(|_| {});
    let (one, two) = (Cable::to(&hub), Cable::to(&hub));
    let (client, mut events) = connect(&one).await;
    let (other, mut others) = connect(&two).await;
    other.join(&room(), None, None).await.unwrap();
    client.join(&room(), None, None).await.unwrap();
    let clone = client.clone();
    drop(client);
    clone.send(&room(), Target::Everyone, number(1)).await.unwrap();
    drop(clone);
    assert_eq!(numbers(&mut others, 1).await, [1]);
    let bye = others.next().await;
    assert!(matches!(bye, Some(Event::Message(ServerMessage::Bye(_)))), "{bye:?}");
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event);
    }
    assert_eq!(last, Some(Event::State(State::Closed(Closed::ByClient))));
}

#[tokio::test(start_paused = true)]
async fn a_backlog_is_spread_so_that_the_server_takes_it() {
    let hub = hub(|limits| {
        limits.messages_per_second = 50;
        limits.burst = 60;
    });
    let (one, two) = (Cable::to(&hub), Cable::to(&hub));
    let (client, _events) = connect(&one).await;
    let (other, mut others) = connect(&two).await;
    client.join(&room(), None, None).await.unwrap();
    other.join(&room(), None, None).await.unwrap();
    let replies: Vec<_> =
        (0..300).map(|n| client.send(&room(), Target::Everyone, number(n))).collect();
    for reply in replies {
        reply.await.unwrap();
    }
    assert_eq!(numbers(&mut others, 300).await, (0..300).collect::<Vec<_>>());
}
