//! Where there is nothing to take up again, a resume begins anew.

use std::time::Duration;

use noom_signal::policy::{Identity, Refused};
use system_tests::{Client, Hub, HubBuilder, Rules, Server, json};
use tokio::time::sleep;

async fn servers(hub: impl Fn() -> HubBuilder) -> [Server; 2] {
    [Server::start(hub()).await, Server::in_process(hub())]
}

/// A new session has nothing of the old one.
async fn is_new(server: &Server, old: &Client, hello: serde_json::Value, mut client: Client) {
    assert_eq!(hello["resumed"], "new", "{hello}");
    assert!(hello.get("received").is_none() && hello.get("rooms").is_none(), "{hello}");
    assert_ne!(client.peer, old.peer);
    assert_ne!(client.session, old.session);
    client.nothing_came().await;
    client.tell("room", "*", json!(1)).await;
    client.expect_error("not_in_room").await;
    assert_eq!(server.resume(&client).await.1["resumed"], "full");
}

#[tokio::test]
async fn a_session_that_never_was() {
    for server in servers(Hub::builder).await {
        let mut member = server.join("room").await;
        for session in
            ["", "x", &member.peer.clone(), &"x".repeat(10_000), "\u{0}", &member.session[1..]]
        {
            let mut client = server.connect().await;
            let hello = client.resume(session, 0).await;
            is_new(&server, &member, hello, client).await;
        }
        member.nothing_came().await;
    }
}

#[tokio::test]
async fn a_session_that_its_client_ended() {
    for server in servers(Hub::builder).await {
        for code in [Some(1000), Some(1001), None] {
            let (mut witness, mut client) = server.pair("room").await;
            client.close(code).await;
            witness.expect_bye("room", &client.peer, "disconnected").await;
            let (next, hello) = server.resume(&client).await;
            is_new(&server, &client, hello, next).await;
            witness.nothing_came().await;
            witness.close(None).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_expired() {
    let server = Server::in_process(Hub::builder());
    let (mut witness, client) = server.pair("room").await;
    let client = client.cut();
    sleep(Duration::from_millis(30_100)).await;
    let (next, hello) = server.resume(&client).await;
    is_new(&server, &client, hello, next).await;
    witness.expect_bye("room", &client.peer, "disconnected").await;
    witness.nothing_came().await;
}

/// Somebody else's session is left alone, with or without a connection of its own.
#[tokio::test]
async fn a_session_of_another_user() {
    for server in servers(|| Hub::builder().policy(Rules::new())).await {
        for owner in [Some("user:mina"), None] {
            let mut mina = server.connect().await;
            let mut hello = json!({"type": "hello"});
            if let Some(owner) = owner {
                hello["token"] = json!(owner);
            }
            mina.hello_with(hello.clone()).await;
            mina.join("room").await;
            for away in [false, true] {
                if away {
                    mina = mina.cut();
                }
                let resume = json!({"session": mina.session, "received": 0});
                let mut thief = server.connect().await;
                let thefts = json!({"type": "hello", "token": "user:thief", "resume": resume});
                let stolen = thief.hello_with(thefts).await;
                assert_eq!((&stolen["resumed"], &stolen["user"]), (&json!("new"), &json!("thief")));
                assert_ne!(stolen["peer"], mina.peer.as_str());
                thief.tell("room", "*", json!(1)).await;
                thief.expect_error("not_in_room").await;
                if !away {
                    mina.nothing_came().await;
                }
            }
            // Its owner has it back.
            hello["resume"] = json!({"session": mina.session, "received": mina.received});
            let mut back = server.connect().await;
            assert_eq!(back.hello_with(hello).await["resumed"], "full");
            assert_eq!(back.peer, mina.peer);
            back.close(None).await;
        }
    }
}

/// A refused resume is no end: the session's client may still come.
#[tokio::test]
async fn after_a_refused_resume() {
    let rules = || {
        Rules::new().authenticate(|_, token| match token {
            Some("stale") => Err(Refused::because("stale")),
            _ => Ok(Identity::default()),
        })
    };
    for server in servers(|| Hub::builder().policy(rules())).await {
        let (mut witness, client) = server.pair("room").await;
        let client = client.cut();
        let mut refused = server.connect().await;
        let resume = json!({"session": client.session, "received": client.received});
        refused.send(json!({"type": "hello", "token": "stale", "resume": resume})).await;
        refused.expect_error("unauthorized").await;
        assert_eq!(refused.closed().await, Some(4401));
        let (mut client, hello) = server.resume(&client).await;
        assert_eq!(hello["resumed"], "full");
        client.nothing_came().await;
        witness.nothing_came().await;
    }
}
