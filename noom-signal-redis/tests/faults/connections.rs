//! What befalls the connections between nodes and Redis.

use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use crate::{
    scene::{Place, Row, Scene, measuring},
    support::{
        Server,
        proxy::{Line, Proxy},
    },
};

/// With a short lease, unless it is for publishing.
pub(crate) fn place(server: &Server) -> Place {
    let lease = (!measuring()).then_some(Duration::from_secs(3));
    Place { redis: server.url(), prefix: "faults", lease, inbox_entries: None }
}

/// Three nodes, the first of them behind a line that can fail.
async fn behind(server: &Server, lease: Option<Duration>) -> (Proxy, Scene) {
    let proxy = Proxy::start(server.port).await;
    let mut places = vec![Place { lease, ..place(server) }; 3];
    places[0].redis = proxy.url();
    let scene = Scene::set(&places, 2, 2).await;
    (proxy, scene)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_cut_for_less_than_the_lease() {
    let server = Server::start().await;
    let (proxy, mut scene) = behind(&server, None).await;
    let begun = Instant::now();
    proxy.set(Line::Broken);
    sleep(Duration::from_secs(5)).await;
    let noticed = scene.first_refusal(begun).map(|first| first - begun);
    let begun = Instant::now();
    proxy.set(Line::Passes);
    scene.newcomers(&[0, 1, 2]).await;
    let exact = scene.exact_since(begun).await;
    scene.assert_nobody_left();
    let sum = scene.end().await;
    assert_eq!(sum.told_of_present, 0, "{sum:?}");
    let fault = "a node's link to Redis cut for 5 s";
    let seen = "from and to that node `unavailable`; what was sent there comes when it is back";
    Row { fault, seen, exact, noticed, sum }.print();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_cut_for_longer_than_the_lease() {
    let server = Server::start().await;
    let (proxy, mut scene) = behind(&server, place(&server).lease).await;
    let begun = Instant::now();
    proxy.set(Line::Broken);
    scene.at(0).for_each(|talker| talker.account().away = true);
    scene.exact_since(begun).await;
    let noticed = scene.first_refusal(begun).map(|first| first - begun);
    let begun = Instant::now();
    proxy.set(Line::Passes);
    scene.at(0).for_each(|talker| talker.account().away = false);
    scene.newcomers(&[0, 1, 2]).await;
    let anew = |scene: &Scene| {
        scene.at(0).all(|talker| talker.is_new || talker.account().stays.len() == 2)
    };
    scene.until("its peers are new ones", anew).await;
    let exact = scene.exact_since(begun).await;
    let sum = scene.end().await;
    let fault = "a node's link to Redis cut for longer than its lease";
    let seen = "a `bye` (`lost`) for each of its peers, who come back as new ones";
    Row { fault, seen, exact, noticed, sum }.print();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_falls_silent() {
    let server = Server::start().await;
    let (proxy, mut scene) = behind(&server, None).await;
    let begun = Instant::now();
    proxy.set(Line::Swallows);
    scene.until("a refusal", |scene| scene.first_refusal(begun).is_some()).await;
    let first = scene.first_refusal(begun).unwrap();
    sleep_until((first + Duration::from_secs(2)).into()).await;
    let slowest = scene.slowest_answer(0, first, Instant::now());
    let begun_again = Instant::now();
    proxy.set(Line::Passes);
    scene.newcomers(&[0, 1, 2]).await;
    let exact = scene.exact_since(begun_again).await;
    scene.assert_nobody_left();
    // Two and a half seconds at most; more only where the machine is busy.
    assert!(first - begun < Duration::from_secs(10), "noticed after {:?}", first - begun);
    assert!(slowest < Duration::from_secs(1), "answered after {slowest:?}");
    let sum = scene.end().await;
    let fault = "a node's link to Redis swallows everything";
    let seen = "once it is noticed, `unavailable` at once";
    Row { fault, seen, exact, noticed: Some(first - begun), sum }.print();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_killed() {
    let server = Server::start().await;
    let mut scene = Scene::set(&vec![place(&server); 3], 2, 2).await;
    for _ in 0..10 {
        kill_connections(&server).await;
        sleep(Duration::from_millis(200)).await;
    }
    let begun = Instant::now();
    kill_connections(&server).await;
    scene.newcomers(&[0, 1, 2]).await;
    let exact = scene.exact_since(begun).await;
    scene.assert_nobody_left();
    let sum = scene.end().await;
    assert_eq!(sum.told_of_present, 0, "{sum:?}");
    let fault = "CLIENT KILL of every connection, again and again";
    let seen = "`unavailable` for a moment";
    Row { fault, seen, exact, noticed: None, sum }.print();
}

async fn kill_connections(server: &Server) {
    for kind in ["pubsub", "normal"] {
        server.run(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_pauses() {
    let server = Server::start().await;
    let mut scene = Scene::set(&vec![place(&server); 3], 2, 2).await;
    let begun = Instant::now();
    server.run(&["CLIENT", "PAUSE", "5000", "ALL"]).await;
    sleep(Duration::from_secs(5)).await;
    let noticed = scene.first_refusal(begun).map(|first| first - begun);
    let begun = Instant::now();
    scene.newcomers(&[0, 1, 2]).await;
    let exact = scene.exact_since(begun).await;
    scene.assert_nobody_left();
    let sum = scene.end().await;
    assert_eq!(sum.told_of_present, 0, "{sum:?}");
    let fault = "CLIENT PAUSE for 5 s";
    let seen = "within a node nothing; across nodes `unavailable`";
    Row { fault, seen, exact, noticed, sum }.print();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_are_forgotten() {
    let server = Server::start().await;
    let mut scene = Scene::set(&vec![place(&server); 3], 2, 2).await;
    for _ in 0..20 {
        server.run(&["SCRIPT", "FLUSH"]).await;
        sleep(Duration::from_millis(50)).await;
    }
    let begun = Instant::now();
    server.run(&["SCRIPT", "FLUSH"]).await;
    scene.newcomers(&[0, 1, 2]).await;
    let exact = scene.exact_since(begun).await;
    scene.assert_nobody_left();
    let sum = scene.end().await;
    assert_eq!((sum.refused, sum.told), (0, 0), "{sum:?}");
    let (fault, seen) = ("SCRIPT FLUSH, again and again", "nothing");
    Row { fault, seen, exact, noticed: None, sum }.print();
}
