//! Real Redis servers, and nodes on them.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub(crate) mod cluster;
pub(crate) mod crowd;
pub(crate) mod peer;
pub(crate) mod proxy;
pub(crate) mod witness;

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use noom_signal::backplane::Backplane;
use noom_signal_redis::{Config, Redis};

/// How long anything is waited for before it is called missing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A redis-server of the test's own, on a free port, with nothing on disk. Dropped, it is killed.
pub(crate) struct Server {
    child: Option<Child>,
    pub(crate) port: u16,
    extra: Vec<String>,
    /// What it leaves on disk.
    pub(crate) files: Vec<std::path::PathBuf>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(extra: &[&str]) -> Self {
        for _ in 0..10 {
            let extra = extra.iter().map(|arg| (*arg).to_owned()).collect();
            let mut server = Self { child: None, port: free_port(), extra, files: Vec::new() };
            server.spawn();
            if server.answers().await {
                return server;
            }
        }
        panic!("no redis-server came up");
    }

    /// A sentinel that watches a master, alone.
    pub(crate) async fn sentinel(master: &str, of: &Self) -> Self {
        let port = of.port;
        let name = format!("noom-sentinel-{}-{port}.conf", std::process::id());
        let file = std::env::temp_dir().join(name);
        let settings = format!(
            "sentinel monitor {master} 127.0.0.1 {port} 1\n\
             sentinel down-after-milliseconds {master} 500\n\
             sentinel failover-timeout {master} 2000\n"
        );
        std::fs::write(&file, settings).unwrap();
        let mut sentinel = Self { child: None, port: 0, extra: Vec::new(), files: vec![file] };
        for _ in 0..10 {
            sentinel.port = free_port();
            let child = Command::new("redis-server")
                .arg(&sentinel.files[0])
                .args(["--sentinel", "--port", &sentinel.port.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            sentinel.child = Some(child.expect("redis-server starts"));
            if sentinel.answers().await {
                return sentinel;
            }
        }
        panic!("no sentinel came up");
    }

    fn spawn(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"])
            .args(["--dir", std::env::temp_dir().to_str().unwrap()])
            .args(&self.extra)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts; install it: apt-get install redis-server");
        self.child = Some(child);
    }

    /// Whether it is there, or fell over at its start (somebody else took the port).
    async fn answers(&mut self) -> bool {
        loop {
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                return false;
            }
            if let Ok(mut connection) = self.try_connect().await
                && redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Begins again, on the same port, knowing nothing.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        self.spawn();
        assert!(self.answers().await, "redis-server did not come up again");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    async fn try_connect(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        // A busy machine is no fault of the server's.
        let patient = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let client = redis::Client::open(self.url())?;
        client.get_multiplexed_async_connection_with_config(&patient).await
    }

    pub(crate) async fn connect(&self) -> redis::aio::MultiplexedConnection {
        self.try_connect().await.unwrap()
    }

    /// Runs one command.
    pub(crate) async fn run(&self, words: &[&str]) -> redis::Value {
        self.try_run(words).await.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    pub(crate) async fn try_run(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut self.try_connect().await?).await
    }

    /// A cluster's settings; each call another cluster.
    pub(crate) fn config(&self) -> Config {
        config(self.url())
    }

    /// The nodes of one fresh cluster.
    pub(crate) async fn nodes(&self, count: usize) -> Vec<Arc<dyn Backplane>> {
        nodes(&self.config(), count).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// A cluster's settings; each call another cluster.
pub(crate) fn config(url: String) -> Config {
    static CLUSTERS: AtomicU32 = AtomicU32::new(0);
    Config::new(url).prefix(format!("test{}", CLUSTERS.fetch_add(1, Ordering::Relaxed)))
}

/// Nodes of one fresh cluster.
pub(crate) async fn nodes(config: &Config, count: usize) -> Vec<Arc<dyn Backplane>> {
    let mut nodes: Vec<Arc<dyn Backplane>> = Vec::new();
    for _ in 0..count {
        nodes.push(Arc::new(Redis::connect(config.clone()).await.unwrap()));
    }
    nodes
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// With `NOOM_TEST_LOG` set, what the library says.
pub(crate) fn log() {
    static LOG: OnceLock<()> = OnceLock::new();
    LOG.get_or_init(|| {
        if let Ok(filter) = std::env::var("NOOM_TEST_LOG") {
            let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        }
    });
}
