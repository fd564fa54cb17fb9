//! Connections in all, connections of one address, and addresses that guess.

use futures_util::future::join_all;
use noom_signal::{
    ConnectRequest,
    policy::Refused,
    protocol::{ErrorCode, ServerMessage, client},
    transport::pipe,
};
use system_tests::{Hub, Rules, Server, limits};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::http::HeaderValue;

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

/// A client that writes the header itself, in whatever way, has the address that the proxy saw.
#[tokio::test]
async fn what_a_client_claims_gives_it_no_second_share() {
    let hub = Hub::builder().limits(limits(|limits| limits.connections_per_address = 1));
    let server = Server::with_endpoint(hub, |endpoint| endpoint.behind_proxies(1)).await;
    let through_proxy = |claims: &[&[u8]], appends: bool| {
        let mut request = server.request();
        let headers = request.headers_mut();
        let mut lines: Vec<Vec<u8>> = claims.iter().map(|line| line.to_vec()).collect();
        // A proxy adds to the last line, or a line of its own.
        match lines.last_mut().filter(|_| appends) {
            Some(last) => last.extend(b", 192.0.2.1"),
            None => lines.push(b"192.0.2.1".to_vec()),
        }
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(&line).unwrap());
        }
        // Nobody looks at these.
        headers.insert("forwarded", "for=198.51.100.7".parse().unwrap());
        headers.insert("x-real-ip", "198.51.100.7".parse().unwrap());
        request
    };
    let _own = server.upgrade(through_proxy(&[], false)).await.expect("a place");
    let claims: [&[&[u8]]; 5] = [
        &[b"6.6.6.6"],
        &[b"6.6.6.6", b"\xff\xfe"],
        &[b"6.6.6.6", b""],
        &[b"\xc3\xa9, 6.6.6.6,"],
        &[b"6.6.6.6", b"unknown", b"[::1]:9"],
    ];
    for claim in claims {
        for appends in [true, false] {
            let refused = server.upgrade(through_proxy(claim, appends)).await;
            assert_eq!(refused.expect_err("no second place").0.as_u16(), 503, "{claim:?}");
        }
    }
}

/// Where the place that counts holds no address, the connection's own is taken: all such clients
/// share one.
#[tokio::test]
async fn no_address_where_one_should_be() {
    let hub = Hub::builder().limits(limits(|limits| limits.connections_per_address = 1));
    let server = Server::with_endpoint(hub, |endpoint| endpoint.behind_proxies(2)).await;
    let from = |line: &[u8]| {
        let mut request = server.request();
        let line = HeaderValue::from_bytes(line).unwrap();
        request.headers_mut().insert("x-forwarded-for", line);
        request
    };
    // One of the two proxies was gone around.
    let _one = server.upgrade(from(b"192.0.2.1")).await.expect("a place");
    for line in [&b"unknown, 192.0.2.2"[..], b"\xff, 192.0.2.3", b"6.6.6.6, , 192.0.2.4", b""] {
        let refused = server.upgrade(from(line)).await.expect_err("no second place");
        assert_eq!(refused.0.as_u16(), 503, "{line:?}");
    }
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

/// A crowd that guesses from one address all at once slows that address down, and no other.
#[tokio::test(start_paused = true)]
async fn a_crowd_that_guesses_locks_nobody_out() {
    let rules = Rules::new().authenticate(|_, token| match token {
        Some("right") => Ok(Default::default()),
        _ => Err(Refused::because("wrong")),
    });
    let server = Server::in_process(Hub::builder().policy(rules));
    let hello = async |address: &str, token: String| {
        let mut request = ConnectRequest::default();
        request.remote = Some(address.parse().unwrap());
        let (server_end, mut client) = pipe(16);
        tokio::spawn(server.hub.admit(request).unwrap().serve(server_end));
        let began = Instant::now();
        client.send(client::Hello { token: Some(token), ..Default::default() }).await.unwrap();
        (client.recv().await, began.elapsed().as_secs())
    };
    for _ in 0..5 {
        let crowd = (0..200).map(|n| hello("192.0.2.1:4711", format!("guess {n}")));
        for (answer, _) in join_all(crowd).await {
            let Some(ServerMessage::Error(error)) = answer else { panic!("{answer:?}") };
            assert_eq!(error.code, ErrorCode::Unauthorized);
        }
    }
    // An honest one of the same address waits, but comes in well before its hello is too late.
    let (answer, seconds) = hello("192.0.2.1:4712", "right".into()).await;
    assert!(matches!(answer, Some(ServerMessage::Hello(_))), "{answer:?}");
    assert!(seconds <= 3, "{seconds}");
    let (answer, seconds) = hello("192.0.2.2:4711", "right".into()).await;
    assert!(matches!(answer, Some(ServerMessage::Hello(_))), "{answer:?}");
    assert_eq!(seconds, 0);
}
