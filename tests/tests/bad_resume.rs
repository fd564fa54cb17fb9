//! Sessions that somebody else wants, or that somebody wants twice.

use futures_util::future::join_all;
use system_tests::{Client, Hub, Rules, Scene, Server, Value, json, until};

/// Says hello with this for `resume`. The first frame that comes, or the end.
async fn try_resume(server: &Server, resume: Value) -> (Client, Result<Value, Option<u16>>) {
    let mut client = server.connect().await;
    client.send(json!({"type": "hello", "resume": resume})).await;
    let answer = client.recv_or_end().await;
    (client, answer)
}

/// What others know of a peer opens nothing: its id is no secret, nor is what is made of it.
#[tokio::test]
async fn a_stolen_peer_id() {
    let mut scene = Scene::new(Hub::builder()).await;
    let [first, second] = &scene.innocent;
    let (victim, secret) = (first.peer.clone(), first.session.clone());
    let mut flipped = secret.clone();
    let last = if flipped.pop() == Some('A') { 'B' } else { 'A' };
    flipped.push(last);
    let guesses = [
        victim.clone(),
        format!("{victim}{victim}"),
        flipped,
        secret.to_lowercase(),
        format!("{secret} "),
        format!("{secret}="),
        format!("{secret}\u{0}"),
        secret[..secret.len() - 1].to_owned(),
        second.peer.clone(),
    ];
    assert!(!guesses.contains(&secret));
    for guess in guesses {
        let resume = json!({"session": guess, "received": 0});
        let (mut thief, hello) =
            scene.undisturbed_by(async |server, _| try_resume(server, resume).await).await;
        let hello = hello.unwrap();
        assert_eq!(hello["resumed"], "new", "{guess}");
        assert_ne!(hello["peer"], victim.as_str());
        // Naming the peer in other places does not help either.
        thief.tell("scene", "*", json!("it is me")).await;
        thief.expect_error("not_in_room").await;
    }
    // Another member of the room, with a session of its own, that wants the victim's peer id.
    let peer = json!({"type": "hello", "peer": victim, "resume":
        {"session": scene.villain.session, "received": scene.villain.received, "peer": victim}});
    let mut villain = scene.server.connect().await;
    let hello = villain.hello_with(peer).await;
    assert_eq!((&hello["resumed"], &hello["peer"]), (&json!("full"), &json!(scene.villain.peer)));
    scene.undisturbed().await;
}

/// Guessing by the thousand finds nothing, and leaves nothing behind.
#[tokio::test]
async fn guessed() {
    let mut scene = Scene::new(Hub::builder()).await;
    scene
        .undisturbed_by(async |server, _| {
            for round in 0..20_u64 {
                let tries = (0..50).map(|n: u64| {
                    let guess = format!("{:022}", round * 50 + n);
                    try_resume(server, json!({"session": guess, "received": n}))
                });
                for (mut client, hello) in join_all(tries).await {
                    assert_eq!(hello.unwrap()["resumed"], "new");
                    client.close(None).await;
                }
            }
        })
        .await;
    let hub = scene.server.hub.clone();
    until("they have gone", || hub.stats().connections == 3).await;
    assert_eq!(hub.stats().peers, 3);
}

/// The secret of a session that has ended opens nothing any more, however often it is shown.
#[tokio::test]
async fn replayed_after_the_end() {
    let mut scene = Scene::new(Hub::builder()).await;
    let old = json!({"session": scene.villain.session, "received": scene.villain.received});
    scene.villain.close(Some(1000)).await;
    scene.villain_goes("disconnected").await;
    for _ in 0..3 {
        let old = old.clone();
        let (mut again, hello) =
            scene.undisturbed_by(async |server, _| try_resume(server, old).await).await;
        let hello = hello.unwrap();
        assert_eq!(hello["resumed"], "new");
        assert_ne!(hello["session"], scene.villain.session.as_str());
        assert_ne!(hello["peer"], scene.villain.peer.as_str());
        again.tell("scene", "*", json!(1)).await;
        again.expect_error("not_in_room").await;
    }
}

/// The same resume many times over at the same time: one has the session, once, and the others in
/// the room notice nothing.
#[tokio::test]
async fn replayed_at_the_same_time() {
    let mut scene = Scene::new(Hub::builder()).await;
    for _ in 0..5 {
        let resume = json!({"session": scene.villain.session, "received": scene.villain.received});
        let peer = scene.villain.peer.clone();
        let holder = scene
            .undisturbed_by(async |server, _| {
                let all = join_all((0..20).map(|_| try_resume(server, resume.clone()))).await;
                let mut holders = Vec::new();
                for (mut client, answer) in all {
                    let code = match answer {
                        Err(code) => Some(code),
                        Ok(hello) => {
                            assert_eq!(
                                (&hello["resumed"], &hello["peer"]),
                                (&json!("full"), &json!(peer))
                            );
                            client.try_send_text(r#"{"type":"ping"}"#).await.ok();
                            match client.recv_or_end().await {
                                Ok(pong) => {
                                    assert_eq!(pong["type"], "pong");
                                    holders.push(client);
                                    None
                                }
                                Err(code) => Some(code),
                            }
                        }
                    };
                    assert!(code.is_none_or(|code| matches!(code, Some(4409))), "{code:?}");
                }
                // All but the last to ask were told that they were replaced.
                let holder = holders.pop().expect("somebody has it");
                for mut other in holders {
                    assert_eq!(other.closed().await, Some(4409));
                }
                holder
            })
            .await;
        assert_eq!(scene.server.hub.stats().peers, 3);
        let (session, received) = (scene.villain.session.clone(), scene.villain.received);
        scene.villain = holder;
        (scene.villain.peer, scene.villain.session) = (peer, session);
        scene.villain.received = received;
        scene.villain.nothing_came().await;
    }
}

/// Counts that cannot be, of every kind that JSON can write.
#[tokio::test]
async fn with_a_count_that_cannot_be() {
    let mut scene = Scene::new(Hub::builder()).await;
    for count in ["9007199254740991", "4294967296", "1000"] {
        let session = &scene.villain.session;
        let text =
            format!(r#"{{"type":"hello","resume":{{"session":"{session}","received":{count}}}}}"#);
        let mut next = scene.server.connect().await;
        next.send_text(text).await;
        let hello = next.recv().await;
        assert_eq!((&hello["resumed"], &hello["rooms"]), (&json!("partial"), &json!(["scene"])));
        assert_eq!(next.recv().await["type"], "roster");
        (next.peer, next.session) = (scene.villain.peer.clone(), scene.villain.session.clone());
        scene.villain = next;
        // Its fault, and no secret: the others may have to negotiate anew with it.
        let missed = json!({"type": "missed", "room": "scene", "peer": scene.villain.peer});
        for innocent in &mut scene.innocent {
            innocent.expect(missed.clone()).await;
        }
        scene.undisturbed().await;
    }
    for count in
        ["18446744073709551615", "18446744073709551616", "1e400", "-1", "0.5", "1e3", "\"7\""]
    {
        let session = &scene.villain.session;
        let text =
            format!(r#"{{"type":"hello","resume":{{"session":"{session}","received":{count}}}}}"#);
        let mut next = scene.server.connect().await;
        next.send_text(text).await;
        let error = next.recv_or_end().await.unwrap();
        assert_eq!(error["code"], "bad_message", "{count}: {error}");
        assert_eq!(next.closed().await, Some(4400), "{count}");
        scene.villain.nothing_came().await;
        scene.undisturbed().await;
    }
}

/// A user's session, wanted by another user again and again while its owner uses it.
#[tokio::test]
async fn of_another_user() {
    let mut scene = Scene::new(Hub::builder().policy(Rules::new())).await;
    let mut mina = scene.server.connect().await;
    mina.hello_with(json!({"type": "hello", "token": "user:mina"})).await;
    mina.join("hers").await;
    for _ in 0..20 {
        let resume = json!({"session": mina.session, "received": mina.received});
        let mut thief = scene.server.connect().await;
        let hello = json!({"type": "hello", "token": "user:thief", "resume": resume});
        assert_eq!(thief.hello_with(hello).await["resumed"], "new");
        mina.nothing_came().await;
        thief.close(None).await;
    }
    scene.undisturbed().await;
}
