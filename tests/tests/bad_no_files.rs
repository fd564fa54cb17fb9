//! Connections that ask for nothing take all the files that the process may open, and still keep
//! nobody out.
//!
//! One test, alone in its process: it lowers the limit.

#![cfg(target_os = "linux")]

use std::{io::Write, time::Duration};

use axum::Router;
use rlimit::Resource;
use system_tests::{Hub, PATIENCE, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const SLOW: usize = 60;

#[tokio::test]
async fn nobody_is_kept_out() {
    let hub = Hub::new();
    let app = Router::new().route("/signal", noom_signal_axum::endpoint(hub.clone()));
    let http = Server::http().header_timeout(Duration::from_secs(1000));
    let server = Server::over(http, hub, app);
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count();
    // For this end of all of them, and for the server's end of half.
    let (_, hard) = rlimit::getrlimit(Resource::NOFILE).unwrap();
    rlimit::setrlimit(Resource::NOFILE, (open + SLOW + 1 + SLOW / 2) as u64, hard).unwrap();

    // Nothing is awaited, so that none is accepted before all are there.
    let connect = || std::net::TcpStream::connect(server.address()).unwrap();
    let mut slow: Vec<_> = (0..SLOW).map(|_| connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /signal HTTP/1.1\r\nHost: ").unwrap();
    }
    let honest = connect();
    honest.set_nonblocking(true).unwrap();
    let mut honest = TcpStream::from_std(honest).unwrap();
    honest.write_all(b"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    timeout(PATIENCE, honest.read_exact(&mut answer)).await.expect("an answer").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 404");
}
