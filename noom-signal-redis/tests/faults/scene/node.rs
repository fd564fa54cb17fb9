//! A node in a process of its own, which can be killed and stopped.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::support::PATIENCE;

/// What the nodes of a cluster have in common.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) redis: String,
    pub(crate) prefix: &'static str,
    /// `None`: the default.
    pub(crate) lease: Option<Duration>,
    pub(crate) inbox_entries: Option<usize>,
}

/// The example `node`. Dropped, it is killed.
pub(crate) struct Node {
    child: Child,
    pub(crate) port: u16,
}

impl Node {
    pub(crate) async fn start(place: &Place) -> Self {
        let mut command = Command::new(executable());
        command.arg(&place.redis).args(["--listen", "127.0.0.1:0", "--prefix", place.prefix]);
        if let Some(lease) = place.lease {
            command.args(["--lease-ms", &lease.as_millis().to_string()]);
        }
        if let Some(entries) = place.inbox_entries {
            command.args(["--inbox-entries", &entries.to_string()]);
        }
        if let Ok(filter) = std::env::var("NOOM_TEST_LOG") {
            command.env("RUST_LOG", filter);
        }
        let child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn();
        let mut child = child.expect("the example node starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("a node within time");
        let url = line.unwrap().expect("a node says where it listens");
        let port = url.trim_end_matches("/signal").rsplit(':').next().unwrap();
        Self { port: port.parse().unwrap(), child }
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to end in good order, and waits until it has.
    pub(crate) async fn drain(&mut self) {
        self.signal("-INT").await;
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        assert!(ended.success(), "{ended}");
    }

    pub(crate) async fn stop(&self) {
        self.signal("-STOP").await;
    }

    pub(crate) async fn go_on(&self) {
        self.signal("-CONT").await;
    }

    /// How many bytes of memory it has.
    pub(crate) fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id().unwrap());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kilobytes * 1024
    }

    async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([signal, &id]).status().await.unwrap();
        assert!(sent.success());
    }
}

/// Beside the tests; `cargo test` builds it, unless it is told to build some tests alone.
fn executable() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples/node");
    let hint = "cargo build -p noom-signal-redis --example node";
    assert!(path.exists(), "{} is missing; to build it: {hint}", path.display());
    path
}
