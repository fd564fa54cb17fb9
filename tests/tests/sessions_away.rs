//! So many sessions wait for their clients; one more, and the one that has waited longest ends.

use system_tests::{Hub, Limits, Server, until};

#[tokio::test]
async fn the_longest_away_makes_room() {
    let mut limits = Limits::default();
    limits.sessions_away = 2;
    let server = Server::in_process(Hub::builder().limits(limits));
    let mut witness = server.join("room").await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let client = server.join("room").await;
        witness.expect_welcome("room", &client).await;
        clients.push(client);
    }
    // As many as that wait, and nobody notices.
    for (index, client) in clients[..2].iter_mut().enumerate() {
        client.lose_link();
        until("the cut", || server.hub.stats().connections == 3 - index).await;
    }
    witness.nothing_came().await;
    clients[2].lose_link();
    let [first, second, third] = clients.try_into().ok().unwrap();
    witness.expect_bye("room", &first.peer, "disconnected").await;
    let mut back = Vec::new();
    for (client, how) in [(first, "new"), (second, "full"), (third, "full")] {
        let (client, hello) = server.resume(&client).await;
        assert_eq!(hello["resumed"], how);
        back.push(client);
    }
    witness.nothing_came().await;
}
