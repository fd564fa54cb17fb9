//! What a hostile connection can make the server hold is bounded, whatever it does, and given back.
//!
//! One test, alone in its process: it counts every byte that the process allocates, the clients'
//! own included.

use std::{alloc::System, time::Duration};

use axum::Router;
use futures_util::future::join_all;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use system_tests::{Hub, Scene, Server, json, limits, until};
use tokio::{io::AsyncWriteExt, net::TcpStream};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CROWD: usize = 50;
const TEXT: u8 = 1;

/// What the test's own end of a connection takes, and hash tables that grow.
const OWN: usize = 4 * 1024;

fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// The head of a request for a WebSocket, as long as it may be but for its last line.
fn long_head() -> Vec<u8> {
    let mut head = b"GET /signal HTTP/1.1\r\nHost: localhost\r\nX-Long: ".to_vec();
    head.resize(31 * 1024, b'x');
    head
}

/// A masked frame of spaces without FIN.
fn fragment(opcode: u8, length: u16) -> Vec<u8> {
    let mut frame = vec![opcode, 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.resize(frame.len() + usize::from(length), b' ');
    frame
}

/// A masked message, as a frame.
fn text(text: &str) -> Vec<u8> {
    let mut frame = vec![0x80 | TEXT, 0x80 | 126];
    frame.extend((text.len() as u16).to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// One way to make the server hold something, and how much that may be for each connection.
struct Way {
    name: &'static str,
    most: usize,
    upgrade: bool,
    hello: bool,
    say: Vec<Vec<u8>>,
}

fn ways() -> Vec<Way> {
    let join = json!({"type": "join", "room": "crowd"}).to_string();
    let announced = [&[0x80 | TEXT, 0x80 | 127][..], &262_144_u64.to_be_bytes(), &[0; 4]].concat();
    let nonsense = text(&json!({"type": "x".repeat(1000), "room": "y".repeat(1000)}).to_string());
    let way =
        |name, kib: usize, upgrade, hello, say| Way { name, most: kib * 1024, upgrade, hello, say };
    vec![
        way("silence", 16, false, false, vec![]),
        // Read as far as a head may go; the parser has a table of its own.
        way("half a head", 96, false, false, vec![long_head()]),
        way("no hello", 48, true, false, vec![]),
        // Four times the longest message, all of it announced or nearly all of it sent.
        way("a frame announced", 320, true, false, vec![announced.clone()]),
        way("a frame announced after a hello", 320, true, true, vec![announced]),
        way("fragments without end", 640, true, true, {
            let rest = (0..15).map(|_| fragment(0, 16_384));
            std::iter::once(fragment(TEXT, 16_384)).chain(rest).collect()
        }),
        // What members are told of each other, and what is answered, is kept for a resume: at
        // most `resume_bytes`, then `outbound_bytes`, and as much again while it is written.
        way(
            "rooms",
            400,
            true,
            true,
            (0..20)
                .map(|n| text(&json!({"type": "join", "room": format!("{n:0<120}")}).to_string()))
                .collect(),
        ),
        way("errors", 400, true, true, vec![nonsense; 399]),
        way("one room", 400, true, true, vec![text(&join)]),
    ]
}

#[tokio::test]
async fn whatever_it_does() {
    let small = limits(|limits| {
        limits.resume_bytes = 128 * 1024;
        limits.outbound_bytes = 128 * 1024;
        limits.handshake = Duration::from_secs(1000);
        limits.heartbeat = Duration::from_secs(1000);
        limits.messages_per_second = 0;
        limits.resume = Duration::from_millis(1);
        limits.close = Duration::from_millis(1);
    });
    let hub = Hub::builder().limits(small).build().unwrap();
    let app = Router::new().route("/signal", noom_signal_axum::endpoint(hub.clone()));
    let http = Server::http().header_timeout(Duration::from_secs(1000));
    let mut scene = Scene::on(Server::over(http, hub.clone(), app)).await;
    let mut level = 0;
    for round in 0..2 {
        for way in ways() {
            let before = allocated();
            let crowd = join_all((0..CROWD).map(|_| harm(&scene, &way))).await;
            if way.upgrade {
                until("all are there", || hub.stats().connections == CROWD + 3).await;
            }
            // All that was sent has arrived when those who came later are answered, many times.
            for _ in 0..50 {
                scene.undisturbed().await;
                tokio::task::yield_now().await;
            }
            let each = allocated().saturating_sub(before) / CROWD;
            println!("{}: {each} bytes a connection", way.name);
            assert!(each <= way.most + OWN, "{}: {each} bytes a connection", way.name);
            drop(crowd);
            until("all have gone", || (hub.stats().connections, hub.stats().peers) == (3, 3)).await;
            for _ in 0..50 {
                scene.undisturbed().await;
            }
        }
        if round == 0 {
            level = allocated();
        }
    }
    // The second time adds nothing to what the first has left.
    let left = allocated().saturating_sub(level);
    assert!(left < 256 * 1024, "{left} bytes more are left");
}

/// Nothing is read at this end, so that nothing is kept here.
async fn harm(scene: &Scene, way: &Way) -> TcpStream {
    const UPGRADE: &[u8] = b"GET /signal HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut stream = TcpStream::connect(scene.server.address()).await.unwrap();
    if way.upgrade {
        stream.write_all(UPGRADE).await.unwrap();
    }
    if way.hello {
        stream.write_all(&text(r#"{"type":"hello"}"#)).await.unwrap();
    }
    for bytes in &way.say {
        stream.write_all(bytes).await.unwrap();
    }
    stream
}
