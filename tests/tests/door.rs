//! Connections in all, connections of one address, and addresses that guess.

use noom_signal::{
    ConnectRequest,
    policy::Refused,
    protocol::{ErrorCode, ServerMessage, client},
    transport::pipe,
};
use system_tests::{Hub, Rules, Server, limits};
use tokio::time::Instant;

#[tokio::test]
async fn a_full_server_answers_503_until_one_goes() {
    let hub = Hub::builder().limits(limits(|limits| limits.connections = 2));
    let server = Server::start(hub).await;
    let mut a = server.hello().await;
    let _b = server.hello().await;
    let (status, response) = server.upgrade(server.request()).await.expect_err("a refusal");
    assert_eq!(status.as_u16(), 503);
    assert!(response.headers().contains_key("retry-after"));
    a.close(Some(1000)).await;
    system_tests::until("the place is free", || server.hub.stats().connections == 1).await;
    server.hello().await;
}

#[tokio::test]
async fn one_address_has_its_share_as_the_trusted_proxy_tells_it() {
    let hub = Hub::builder().limits(limits(|limits| limits.connections_per_address = 1));
    let server = Server::with_endpoint(hub, |endpoint| endpoint.behind_proxies(1)).await;
    let from = |addresses: &str| {
        let mut request = server.request();
        request.headers_mut().insert("x-forwarded-for", addresses.parse().unwrap());
        request
    };
    let _a = server.upgrade(from("192.0.2.1")).await.expect("a place");
    // What stands further left is the client's own claim.
    let (status, _) = server.upgrade(from("192.0.2.9, 192.0.2.1")).await.expect_err("a refusal");
    assert_eq!(status.as_u16(), 503);
    let _b = server.upgrade(from("192.0.2.1, 192.0.2.2")).await.expect("a place");
}

#[tokio::test(start_paused = true)]
async fn guessing_tokens_gets_slower_and_honest_ones_still_get_in() {
    let rules = Rules::new().authenticate(|_, token| match token {
        Some("right") => Ok(Default::default()),
        _ => Err(Refused::because("wrong")),
    });
    let hub = Hub::builder().policy(rules).limits(limits(|limits| limits.failed_hellos = 2));
    let server = Server::in_process(hub);
    let knock = || {
        let mut request = ConnectRequest::default();
        request.remote = Some("192.0.2.1:4711".parse().unwrap());
        let (server_end, client_end) = pipe(16);
        tokio::spawn(server.hub.admit(request).unwrap().serve(server_end));
        client_end
    };
    let hello = |token: &str| client::Hello { token: Some(token.into()), ..Default::default() };
    let mut waits = Vec::new();
    for _ in 0..6 {
        let began = Instant::now();
        let mut client = knock();
        client.send(hello("guess")).await.unwrap();
        let Some(ServerMessage::Error(error)) = client.recv().await else { panic!("no error") };
        assert_eq!(error.code, ErrorCode::Unauthorized);
        waits.push(began.elapsed().as_millis());
    }
    assert_eq!(waits, [0, 0, 100, 200, 400, 800]);
    let mut honest = knock();
    honest.send(hello("right")).await.unwrap();
    assert!(matches!(honest.recv().await, Some(ServerMessage::Hello(_))));
}
