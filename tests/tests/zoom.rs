//! The app as a process: what its command line says, and how it stops.

use system_tests::{RawSocket, Zoom, json};
use tokio::net::TcpStream;

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
        let output = Zoom::refused(Zoom::command(args)).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((said.trim_end(), output.status.code()), (line, Some(2)));
        assert!(output.stdout.is_empty());
    }
    // From the environment as from the command line.
    let mut command = Zoom::command(&[]);
    command.env("NOOM_BURST", "0");
    let output = Zoom::refused(command).await;
    assert_eq!(String::from_utf8(output.stderr).unwrap().trim_end(), "error: burst must not be 0");
    assert_eq!(output.status.code(), Some(2));
    // What is no number, or no flag, is clap's to say, with the same code.
    for args in [&["--depth", "deep"][..], &["--policy-ms", "0"], &["--no-such-flag"]] {
        let output = Zoom::refused(Zoom::command(args)).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("error: ") && said.contains(args[0]), "{said}");
        assert_eq!(output.status.code(), Some(2), "{said}");
    }
}

#[tokio::test]
async fn an_address_in_use() {
    let zoom = Zoom::start(&[]).await;
    let address = &zoom.address;
    let output = Zoom::refused(Zoom::command(&["--listen", address])).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

/// In one line, and without the password.
#[tokio::test]
async fn a_redis_that_is_not_there() {
    for (url, line) in [
        ("redis://:hush@127.0.0.1:1", "error: redis at 127.0.0.1:1: "),
        ("hush", "error: redis url: there is no scheme"),
    ] {
        let mut command = Zoom::command(&["--listen", "127.0.0.1:0"]);
        command.env("NOOM_REDIS", url);
        let output = Zoom::refused(command).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with(line) && said.lines().count() == 1, "{said}");
        assert!(!said.contains("hush"), "{said}");
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
    }
    let help = Zoom::refused({
        let mut command = Zoom::command(&["--help"]);
        command.env("NOOM_REDIS", "redis://:hush@127.0.0.1:1");
        command
    });
    let help = String::from_utf8(help.await.stdout).unwrap();
    assert!(help.contains("NOOM_REDIS") && !help.contains("hush"), "{help}");
}

#[tokio::test]
async fn flags_take_effect() {
    let flags = ["--depth", "5", "--lobby-rooms", "1", "--header-ms", "300", "--max-waiting", "9"];
    let zoom = Zoom::start(&flags).await;
    let mut client = zoom.connect().await;
    let hello = client.hello().await;
    let limits = &hello["limits"];
    assert_eq!((&limits["depth"], &limits["lobbyRooms"]), (&json!(5), &json!(1)));
    let mut slow = RawSocket::open(zoom.address.parse().unwrap()).await;
    slow.write(b"GET / HTTP/1.1\r\nHost: ").await;
    slow.end().await;
    client.nothing_came().await;
}

/// A stop sends everybody away first, listens no more, and is no error.
#[tokio::test]
async fn it_drains() {
    for name in ["TERM", "INT"] {
        let mut zoom = Zoom::start(&["--drain-ms", "600000"]).await;
        let (mut a, mut b) = (zoom.join("room").await, zoom.join("room").await);
        a.expect_welcome("room", &b).await;
        // One that asks for nothing, and one that never will have asked, hold up nothing.
        let silent = RawSocket::open(zoom.address.parse().unwrap()).await;
        let mut half = RawSocket::open(zoom.address.parse().unwrap()).await;
        half.write(b"GET / HTTP/1.1\r\nHost: ").await;
        zoom.signal(name).await;
        for client in [&mut a, &mut b] {
            let goaway = client.recv().await;
            assert_eq!(
                (&goaway["type"], &goaway["reason"]),
                (&json!("goaway"), &json!("draining"))
            );
        }
        assert!(TcpStream::connect(&zoom.address).await.is_err(), "it still listens");
        // They are still served, and gone when they go.
        a.tell("room", "*", json!("going")).await;
        b.expect_data("room", &a.peer, json!("going")).await;
        for client in [&mut a, &mut b] {
            client.close(Some(4000)).await;
        }
        let status = zoom.ended().await;
        assert!(status.success(), "{name}: {status}");
        drop((silent, half));
    }
}

/// Whoever asks twice does not wait for the drain.
#[tokio::test]
async fn a_second_signal() {
    let mut zoom = Zoom::start(&["--drain-ms", "600000"]).await;
    let mut client = zoom.join("room").await;
    zoom.signal("INT").await;
    assert_eq!(client.recv().await["type"], "goaway");
    zoom.signal("INT").await;
    assert_eq!(client.closed().await, Some(1001));
    let status = zoom.ended().await;
    assert!(status.success(), "{status}");
}
