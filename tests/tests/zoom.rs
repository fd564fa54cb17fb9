//! The app as a process: what its command line says, and how it stops.

use std::{
    path::Path,
    process::{Output, Stdio},
};

use system_tests::{Client, PATIENCE, RawSocket, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// The app, built where it has to be.
fn zoom(args: &[&str]) -> Command {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // On Unix, `cargo run` becomes what it runs: ending the one ends the other.
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["run", "--quiet", "--package", "zoom", "--"])
        .args(args)
        .current_dir(workspace)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// How it ends where it does not start. It may have to be built, while others build.
async fn refused(mut command: Command) -> Output {
    timeout(10 * PATIENCE, command.output()).await.expect("an end in time").expect("cargo runs")
}

/// Starts it on a free port. Returns its address.
async fn start(args: &[&str]) -> (Child, String) {
    let args = [&["--listen", "127.0.0.1:0"], args].concat();
    let mut process =
        zoom(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("cargo runs");
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = timeout(10 * PATIENCE, lines.next_line()).await.expect("an address in time");
    let line = line.unwrap().expect("a line");
    let (_, address) = line.split_once("http://").expect("an address");
    (process, address.to_owned())
}

async fn join(address: &str) -> Client {
    let request = format!("ws://{address}/signal").into_client_request().unwrap();
    let (mut client, _) = Client::connect(address.parse().unwrap(), request).await.unwrap();
    client.hello().await;
    client.join("room").await;
    client
}

async fn signal(process: &Child, name: &str) {
    let id = process.id().expect("it runs").to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).status().await.expect("kill runs");
    assert!(sent.success());
}

#[tokio::test]
async fn what_makes_no_sense_is_one_line_and_code_2() {
    for (args, line) in [
        (&["--heartbeat-ms", "0"][..], "error: heartbeat must not be 0"),
        (
            &["--peers-per-room", "1000", "--frame-bytes", "100000"],
            "error: a room of 1000 peers with meta of 4096 bytes needs frames of 5793024 bytes, \
             but frame-bytes is 100000",
        ),
        (
            &["--byte-burst", "1"],
            "error: byte-burst of 1 never lets a message of 65536 bytes through",
        ),
    ] {
        let output = refused(zoom(args)).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((said.trim_end(), output.status.code()), (line, Some(2)));
        assert!(output.stdout.is_empty());
    }
    // From the environment as from the command line.
    let mut command = zoom(&[]);
    command.env("NOOM_BURST", "0");
    let output = refused(command).await;
    assert_eq!(String::from_utf8(output.stderr).unwrap().trim_end(), "error: burst must not be 0");
    assert_eq!(output.status.code(), Some(2));
    // What is no number, or no flag, is clap's to say, with the same code.
    for args in [&["--depth", "deep"][..], &["--policy-ms", "0"], &["--no-such-flag"]] {
        let output = refused(zoom(args)).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("error: ") && said.contains(args[0]), "{said}");
        assert_eq!(output.status.code(), Some(2), "{said}");
    }
}

#[tokio::test]
async fn an_address_in_use() {
    let (_process, address) = start(&[]).await;
    let output = refused(zoom(&["--listen", &address])).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn flags_take_effect() {
    let (_process, address) =
        start(&["--depth", "5", "--lobby-rooms", "1", "--header-ms", "300", "--max-waiting", "9"])
            .await;
    let request = format!("ws://{address}/signal").into_client_request().unwrap();
    let (mut client, _) = Client::connect(address.parse().unwrap(), request).await.unwrap();
    let hello = client.hello().await;
    let limits = &hello["limits"];
    assert_eq!((&limits["depth"], &limits["lobbyRooms"]), (&json!(5), &json!(1)));
    let mut slow = RawSocket::open(address.parse().unwrap()).await;
    slow.write(b"GET / HTTP/1.1\r\nHost: ").await;
    slow.end().await;
    client.nothing_came().await;
}

/// A stop sends everybody away first, listens no more, and is no error.
#[tokio::test]
async fn it_drains() {
    for name in ["TERM", "INT"] {
        let (mut process, address) = start(&["--drain-ms", "600000"]).await;
        let (mut a, mut b) = (join(&address).await, join(&address).await);
        a.expect_welcome("room", &b).await;
        // One that asks for nothing, and one that never will have asked, hold up nothing.
        let silent = RawSocket::open(address.parse().unwrap()).await;
        let mut half = RawSocket::open(address.parse().unwrap()).await;
        half.write(b"GET / HTTP/1.1\r\nHost: ").await;
        signal(&process, name).await;
        for client in [&mut a, &mut b] {
            let goaway = client.recv().await;
            assert_eq!(
                (&goaway["type"], &goaway["reason"]),
                (&json!("goaway"), &json!("draining"))
            );
        }
        assert!(TcpStream::connect(&address).await.is_err(), "it still listens");
        // They are still served, and gone when they go.
        a.tell("room", "*", json!("going")).await;
        b.expect_data("room", &a.peer, json!("going")).await;
        for client in [&mut a, &mut b] {
            client.close(Some(4000)).await;
        }
        let status = timeout(PATIENCE, process.wait()).await.expect("it ends").unwrap();
        assert!(status.success(), "{name}: {status}");
        drop((silent, half));
    }
}

/// Whoever asks twice does not wait for the drain.
#[tokio::test]
async fn a_second_signal() {
    let (mut process, address) = start(&["--drain-ms", "600000"]).await;
    let mut client = join(&address).await;
    signal(&process, "INT").await;
    assert_eq!(client.recv().await["type"], "goaway");
    signal(&process, "INT").await;
    assert_eq!(client.closed().await, Some(1001));
    let status = timeout(PATIENCE, process.wait()).await.expect("it ends").unwrap();
    assert!(status.success(), "{status}");
}
