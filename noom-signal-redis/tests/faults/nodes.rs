//! What befalls nodes.

use std::time::{Duration, Instant};

use noom_signal::protocol::{ByeReason, PeerId};
use tokio::time::sleep_until;

use crate::{
    connections::place,
    scene::{Row, Scene, Talker, measuring},
    support::Server,
};

/// Whether everybody who was in its room on another node has seen it go once, and as lost.
fn is_lost(scene: &Scene, from: &Talker, who: &PeerId) -> bool {
    let others = scene.steady().filter(|it| it.node != from.node && !it.account().away);
    others.filter(|it| it.account().room == from.account().room).all(|other| {
        let account = other.account();
        // A newcomer may have come too late to see it.
        let byes = account.stays[0].byes.get(who);
        other.is_new || byes.is_some_and(|byes| *byes == [ByeReason::Lost])
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_killed_and_its_peers_are_gone() {
    let server = Server::start().await;
    let mut scene = Scene::set(&vec![place(&server); 3], 2, 2).await;
    let begun = Instant::now();
    scene.nodes[0].kill().await;
    scene.talkers.iter().filter(|it| it.node == 0).for_each(Talker::vanish);
    scene.newcomers(&[1, 2]).await;
    let exact = scene.exact_since(begun).await;
    for gone in scene.at(0) {
        assert!(is_lost(&scene, gone, &gone.id()));
    }
    let sum = scene.end().await;
    let seen = "one `bye` (`lost`) for each of its peers, once its lease has ended";
    Row { fault: "SIGKILL of a node", seen, exact, noticed: None, sum }.print();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_killed_and_its_peers_come_back_elsewhere() {
    let server = Server::start().await;
    let mut scene = Scene::set(&vec![place(&server); 3], 2, 2).await;
    let begun = Instant::now();
    scene.nodes[0].kill().await;
    for (n, talker) in scene.talkers.iter().filter(|it| it.node == 0).enumerate() {
        talker.lead_to(&scene.nodes[1 + n % 2]);
    }
    scene.newcomers(&[1, 2]).await;
    let resumed = |talker: &Talker| talker.account().stays[0].partials > 0;
    scene.until("all are back", |scene| scene.at(0).all(resumed)).await;
    let exact = scene.exact_since(begun).await;
    scene.assert_nobody_left();
    for back in scene.at(0) {
        let other = |it: &&Talker| it.node != 0 && it.account().room == back.account().room;
        for other in scene.steady().filter(other).filter(|it| !it.is_new) {
            let account = other.account();
            assert!(account.stays[0].missed.contains(&back.id()));
            assert_eq!(account.stays[0].told.len(), 1, "told more than that");
        }
    }
    let sum = scene.end().await;
    let fault = "SIGKILL of a node, its peers come back on others";
    let seen = "they keep their ids and rooms (`\"partial\"`); the others see `missed`";
    Row { fault, seen, exact, noticed: None, sum }.print();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_stopped_for_longer_than_its_lease() {
    let server = Server::start().await;
    let mut scene = Scene::set(&vec![place(&server); 3], 2, 2).await;
    let begun = Instant::now();
    let over = begun + Duration::from_secs(if measuring() { 20 } else { 7 });
    scene.nodes[0].stop().await;
    // Of each room's two, one is led to another node, as a load balancer would that takes notice.
    let (led, left): (Vec<_>, Vec<_>) = scene.at(0).enumerate().partition(|(n, _)| n % 2 == 0);
    for (_, talker) in &led {
        talker.lead_to(&scene.nodes[1]);
    }
    left.iter().for_each(|(_, talker)| {
        let mut account = talker.account();
        (account.away, account.fenced) = (true, true);
    });
    let lost: Vec<PeerId> = left.iter().map(|(_, talker)| talker.id()).collect();
    let all_lost = |scene: &Scene| {
        let left = scene.at(0).enumerate().filter(|(n, _)| n % 2 == 1);
        left.zip(&lost).all(|((_, talker), who)| is_lost(scene, talker, who))
    };
    scene.until("those left are lost", all_lost).await;
    scene.exact_since(begun).await;
    sleep_until(over.into()).await;

    let begun = Instant::now();
    scene.nodes[0].go_on().await;
    scene.at(0).for_each(|talker| talker.account().away = false);
    scene.newcomers(&[0, 1, 2]).await;
    let exact = scene.exact_since(begun).await;
    assert!(all_lost(&scene));
    for (n, talker) in scene.at(0).filter(|it| !it.is_new).enumerate() {
        // No ghost: who was lost is somebody else now, and who was taken over is not.
        assert_eq!(talker.account().stays.len(), 1 + n % 2, "{}", talker.id());
    }
    let sum = scene.end().await;
    let fault = "SIGSTOP of a node for 20 s, then SIGCONT";
    let seen = "as SIGKILL; on SIGCONT those that had waited for it come back as new peers";
    Row { fault, seen, exact, noticed: None, sum }.print();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_drained_for_a_deploy() {
    let server = Server::start().await;
    let mut scene = Scene::set(&vec![place(&server); 3], 2, 3).await;
    for (n, talker) in scene.talkers.iter().filter(|it| it.node == 0).enumerate() {
        talker.lead_next_to(&scene.nodes[1 + n % 2]);
    }
    scene.nodes[0].drain().await;
    let begun = Instant::now();
    scene.newcomers(&[1, 2]).await;
    let exact = scene.exact_since(begun).await;
    scene.assert_nobody_left();
    let partial = scene.talkers.iter().find(|it| it.account().stays[0].partials > 0);
    assert_eq!(partial.map(Talker::id), None, "resumed in part");
    let sum = scene.end().await;
    let fault = "a node drained for a deploy";
    Row { fault, seen: "nothing (`\"full\"`)", exact, noticed: None, sum: sum.clone() }.print();
    assert_eq!((sum.refused, sum.told_of_present), (0, 0), "{sum:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_overruns_a_nodes_inbox() {
    let server = Server::start().await;
    let mut place = place(&server);
    (place.lease, place.inbox_entries) = (None, Some(100));
    let mut scene = Scene::set(&vec![place; 3], 3, 3).await;
    let begun = Instant::now();
    // It stands still for less than its lease, and the others do not.
    scene.nodes[0].stop().await;
    let refused = |scene: &Scene| scene.first_refusal(begun).is_some();
    scene.until("the inbox is full", refused).await;
    let noticed = scene.first_refusal(begun).map(|first| first - begun);
    sleep_until((begun + Duration::from_secs(3)).into()).await;
    let begun = Instant::now();
    scene.nodes[0].go_on().await;
    scene.newcomers(&[0, 1, 2]).await;
    let exact = scene.exact_since(begun).await;
    scene.assert_nobody_left();
    // It was told that steps are left out, and peers a roster; what was taken over has come.
    let told = |talker: &Talker| talker.is_new || talker.account().stays[0].told.len() > 1;
    assert!(scene.at(0).all(told));
    let sum = scene.end().await;
    let fault = "a flood that overruns one node's inbox";
    let seen = "senders to that node get `unavailable`; its peers get a `roster`";
    Row { fault, seen, exact, noticed, sum: sum.clone() }.print();
    assert_eq!(sum.told_of_present, 0, "{sum:?}");
}
