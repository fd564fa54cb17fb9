//! The example of signed tokens.

use std::{path::Path, process::Stdio};

use system_tests::{Client, PATIENCE, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

#[tokio::test]
async fn who_you_are_and_where_you_may_go() {
    let (_process, address) = start().await;

    let mut nobody = connect(&address).await;
    nobody.send(json!({"type": "hello"})).await;
    nobody.expect_error("unauthorized").await;
    assert_eq!(nobody.closed().await, Some(4401));

    let mina = token(&address, "user=mina&rooms=standup,lunch&grants=send,broadcast").await;
    let jun = token(&address, "user=jun&rooms=standup").await;

    // What one token says, under the signature of another.
    let (says, _) = mina.rsplit_once('.').unwrap();
    let (_, signature) = jun.rsplit_once('.').unwrap();
    let mut forger = connect(&address).await;
    forger.send(json!({"type": "hello", "token": format!("{says}.{signature}")})).await;
    forger.expect_error("unauthorized").await;
    assert_eq!(forger.closed().await, Some(4401));

    let mut a = connect(&address).await;
    let hello = a.hello_with(json!({"type": "hello", "token": mina})).await;
    assert_eq!(hello["user"], "mina");
    a.send(json!({"type": "join", "room": "standup", "token": mina})).await;
    assert_eq!(a.recv().await["type"], "joined");

    let mut b = connect(&address).await;
    b.hello_with(json!({"type": "hello", "token": jun})).await;
    for (room, shown) in [("lunch", &jun), ("lunch", &mina), ("standup", &mina)] {
        b.send(json!({"type": "join", "room": room, "token": shown})).await;
        b.expect_error("forbidden").await;
    }
    b.send(json!({"type": "join", "room": "standup"})).await;
    b.expect_error("forbidden").await;
    a.nothing_came().await;

    b.send(json!({"type": "join", "room": "standup", "token": jun})).await;
    assert_eq!(b.recv().await["peers"][0]["user"], "mina");
    assert_eq!(a.expect_welcome("standup", &b).await["user"], "jun");

    // Jun's token grants nothing but to listen.
    b.tell("standup", &a.peer, json!("psst")).await;
    b.expect_error("forbidden").await;
    a.tell("standup", "*", json!("good morning")).await;
    b.expect_data("standup", &a.peer, json!("good morning")).await;
}

#[tokio::test]
async fn a_fresh_token_in_the_middle_of_a_call() {
    let (_process, address) = start().await;
    let lasting = token(&address, "user=mina&rooms=standup").await;
    let mut a = connect(&address).await;
    a.hello_with(json!({"type": "hello", "token": lasting})).await;
    a.send(json!({"type": "join", "room": "standup", "token": lasting})).await;
    assert_eq!(a.recv().await["type"], "joined");

    // Long enough for the join on a machine that is busy.
    let short = token(&address, "user=jun&rooms=standup&seconds=8").await;
    let mut b = connect(&address).await;
    b.hello_with(json!({"type": "hello", "token": short})).await;
    b.send(json!({"type": "join", "room": "standup", "token": short})).await;
    assert_eq!(b.recv().await["type"], "joined");
    a.expect_welcome("standup", &b).await;
    b.expect(json!({"type": "goaway", "reason": "expired", "reconnectMs": 0})).await;
    assert_eq!(b.closed().await, Some(1001));

    // The old one will not do any more.
    let resume = json!({"session": b.session, "received": b.received});
    let mut late = connect(&address).await;
    late.send(json!({"type": "hello", "token": short, "resume": resume})).await;
    late.expect_error("unauthorized").await;
    assert_eq!(late.closed().await, Some(4401));

    let fresh = token(&address, "user=jun&rooms=standup").await;
    let mut again = connect(&address).await;
    let hello = again.hello_with(json!({"type": "hello", "token": fresh, "resume": resume})).await;
    assert_eq!((&hello["resumed"], &hello["peer"]), (&json!("full"), &json!(b.peer)));
    a.nothing_came().await;
}

/// Builds and starts it on a free port. The process ends when it is dropped. Returns its address.
async fn start() -> (Child, String) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // On Unix, `cargo run` becomes what it runs: ending the one ends the other.
    let mut process = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "tokens", "--", "127.0.0.1:0"])
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("cargo runs");
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    // It may have to be built, while others build.
    let found = timeout(10 * PATIENCE, async {
        let mut said = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, url)) = line.split_once("ws://") {
                return url.strip_suffix("/signal").expect("the endpoint").to_owned();
            }
            said.push(line);
        }
        panic!("no address: {said:?}")
    });
    let address = found.await.expect("an address in time");
    (process, address)
}

async fn connect(address: &str) -> Client {
    let request = format!("ws://{address}/signal").into_client_request().unwrap();
    Client::connect(address.parse().unwrap(), request).await.unwrap().0
}

/// What `/token` answers.
async fn token(address: &str, query: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET /token?{query} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an answer").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}
