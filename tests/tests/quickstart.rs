//! The example of the first page: short, and it works.

use std::{path::Path, process::Stdio};

use system_tests::{Client, PATIENCE, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const SOURCE: &str = include_str!("../../examples/quickstart/src/main.rs");

#[test]
fn it_is_short() {
    assert!(SOURCE.lines().count() < 40, "{} lines", SOURCE.lines().count());
}

#[tokio::test]
async fn it_runs() {
    let (_process, address) = start().await;
    let mut first = connect(&address).await;
    first.hello().await;
    assert_eq!(first.join("quick").await["version"], 1);
    let mut second = connect(&address).await;
    second.hello().await;
    let joined = second.join_with("quick", json!({"name": "Second"})).await;
    assert_eq!(joined["peers"][0]["peer"], first.peer.as_str());
    first.expect_welcome("quick", &second).await;

    let to = second.peer.clone();
    first.send(json!({"type": "offer", "room": "quick", "to": to, "sdp": "v=0\r\n"})).await;
    second
        .expect(json!({"type": "offer", "room": "quick", "from": first.peer, "sdp": "v=0\r\n"}))
        .await;
    second.close(None).await;
    first.expect_bye("quick", &second.peer, "disconnected").await;
}

/// Builds and starts it on a free port. The process ends when it is dropped. Returns its address.
async fn start() -> (Child, String) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // On Unix, `cargo run` becomes what it runs: ending the one ends the other.
    let mut process = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "quickstart", "--", "127.0.0.1:0"])
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("cargo runs");
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    // It may have to be built, while others build.
    let found = timeout(10 * PATIENCE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, url)) = line.split_once("ws://") {
                return Some(url.strip_suffix("/signal").expect("the endpoint").to_owned());
            }
            said.push(line);
        }
        None
    });
    let address = found.await.expect("an address in time");
    (process, address.unwrap_or_else(|| panic!("no address: {said:?}")))
}

async fn connect(address: &str) -> Client {
    let request = format!("ws://{address}/signal").into_client_request().unwrap();
    Client::connect(address.parse().unwrap(), request).await.unwrap().0
}
