//! What `docs/scaling.md` tells an operator to type is enough.

use std::time::Instant;

use crate::{
    connections::place,
    scene::{Place, Scene, Talker},
    support::Server,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rights_in_the_manual_are_enough() {
    let server = Server::start().await;
    let manual = include_str!("../../../docs/scaling.md");
    let line = manual.lines().find_map(|line| line.trim().strip_prefix("redis-cli ACL SETUSER"));
    let line = line.expect("a user in the manual").replace('\'', "");
    let words: Vec<&str> = ["ACL", "SETUSER"].into_iter().chain(line.split_whitespace()).collect();
    server.run(&words).await;
    let redis = format!("redis://noom:secret@127.0.0.1:{}/", server.port);
    let mut scene =
        Scene::set(&vec![Place { redis, prefix: "noom", ..place(&server) }; 3], 1, 2).await;
    // What is seldom asked for: moves of both kinds, a sweep, and a new epoch.
    scene.talkers[0].lead_to(&scene.nodes[1]);
    scene.nodes[2].kill().await;
    for (n, talker) in scene.talkers.iter().filter(|it| it.node == 2).enumerate() {
        if n == 0 { talker.lead_to(&scene.nodes[1]) } else { talker.vanish() }
    }
    let begun = Instant::now();
    let back = |talker: &Talker| talker.account().away || talker.account().stays[0].partials > 0;
    scene.until("those who come back are back", |scene| scene.at(2).all(back)).await;
    scene.exact_since(begun).await;
    server.run(&["FLUSHALL"]).await;
    scene.newcomers(&[0, 1]).await;
    scene.exact_since(begun).await;
    scene.end().await;
    let refused = server.run(&["ACL", "LOG"]).await;
    assert_eq!(refused, redis::Value::Array(Vec::new()));
}
