//! Several servers that are one service, to look at: a Redis, nodes, and a load balancer.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use xshell::Shell;

use crate::{build, prerequisites};

/// The load balancer's settings, which have other addresses in them.
const BALANCER: &str = "examples/cluster/haproxy.cfg";
const FOLDER: &str = "target/cluster";

/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(30);
/// A node that ends so soon would do so again.
const SOON: Duration = Duration::from_secs(5);

/// Runs it until it is interrupted.
pub(crate) fn run(sh: &Shell, nodes: u16, port: u16) -> anyhow::Result<()> {
    prerequisites::meet_for_cluster(sh)?;
    ensure!(is_free(port), "port {port} is taken: choose another by --port");
    let zoom = build::zoom(sh)?;
    let template = sh.read_file(BALANCER)?;
    let config = sh.create_dir(FOLDER)?.join(format!("haproxy-{port}.cfg"));
    // Whatever was started is killed when the runtime goes, on whatever path.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        tokio::select! {
            result = serve(zoom, nodes, port, &template, &config) => result,
            () = interrupted() => {
                println!("\nall of it is stopped");
                Ok(())
            }
        }
    })
}

async fn serve(
    zoom: PathBuf,
    count: u16,
    port: u16,
    template: &str,
    config: &Path,
) -> anyhow::Result<()> {
    let redis_port = free_port()?;
    let mut redis = Command::new("redis-server");
    redis.args(["--port", &redis_port.to_string(), "--bind", "127.0.0.1", "--loglevel", "warning"]);
    redis.args(["--save", "", "--appendonly", "no"]).stdout(Stdio::null());
    let mut redis = spawn("redis-server", &mut redis)?;
    listens("redis-server", &mut redis, redis_port).await?;

    let start = Start { zoom, redis: format!("redis://127.0.0.1:{redis_port}") };
    let (mut nodes, mut addresses) = (JoinSet::new(), Vec::new());
    for number in 1..=count {
        let node = start.node(number, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        addresses.push(node.address);
        println!("{node}");
        nodes.spawn(node.ended());
    }

    std::fs::write(config, balancing(template, port, &addresses)?)?;
    let mut haproxy = Command::new(prerequisites::haproxy());
    haproxy.arg("-db").arg("-f").arg(config);
    let mut haproxy = spawn("haproxy", &mut haproxy)?;
    listens("haproxy", &mut haproxy, port).await?;
    println!("redis: {}", start.redis);
    println!("\nopen http://127.0.0.1:{port}, which is any of them. Ctrl-C ends it all.");
    println!("To see what they are worth, end one: kill -TERM, or -KILL, its process.\n");

    loop {
        tokio::select! {
            status = redis.wait() => bail!("redis-server ended: {}", status?),
            status = haproxy.wait() => bail!("haproxy ended: {}", status?),
            Some(ended) = nodes.join_next() => {
                let (number, address, lived, status) = ended?;
                let status = status?;
                println!("node {number} ended: {status}");
                ensure!(lived > SOON, "node {number} ended soon after its start");
                let node = start.node(number, address).await?;
                println!("started anew: {node}");
                nodes.spawn(node.ended());
            }
        }
    }
}

/// How a node is started.
struct Start {
    zoom: PathBuf,
    redis: String,
}

/// A node that runs.
struct Node {
    number: u16,
    address: SocketAddr,
    begun: Instant,
    child: Child,
}

impl Start {
    async fn node(&self, number: u16, address: SocketAddr) -> anyhow::Result<Node> {
        let name = format!("node {number}");
        let mut zoom = Command::new(&self.zoom);
        zoom.args(["--listen", &address.to_string(), "--redis", &self.redis, "--proxies", "1"]);
        let mut child = spawn(&name, zoom.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let said = child.stderr.take().context("a child has no stderr")?;
        tokio::spawn(async move {
            let mut said = BufReader::new(said).lines();
            while let Ok(Some(line)) = said.next_line().await {
                eprintln!("{name}: {line}");
            }
        });
        let mut lines =
            BufReader::new(child.stdout.take().context("a child has no stdout")?).lines();
        let line = timeout(START, lines.next_line()).await;
        let line = line.with_context(|| format!("node {number} names no address"))??;
        let Some(line) = line else { bail!("node {number} ended: {}", child.wait().await?) };
        let address = line.split(['/', ' ']).find_map(|word| word.parse().ok());
        let address = address.with_context(|| format!("node {number} says {line:?}"))?;
        Ok(Node { number, address, begun: Instant::now(), child })
    }
}

impl Node {
    async fn ended(mut self) -> (u16, SocketAddr, Duration, std::io::Result<ExitStatus>) {
        let status = self.child.wait().await;
        (self.number, self.address, self.begun.elapsed(), status)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}: http://{}", self.number, self.address)?;
        self.child.id().map_or(Ok(()), |id| write!(f, ", process {id}"))
    }
}

/// Starts a program that ends with this one, and not by the terminal's Ctrl-C: that is for this one
/// to handle.
fn spawn(name: &str, command: &mut Command) -> anyhow::Result<Child> {
    #[cfg(unix)]
    command.process_group(0);
    let child = command.stdin(Stdio::null()).kill_on_drop(true).spawn();
    child.with_context(|| format!("{name} does not start"))
}

async fn listens(name: &str, child: &mut Child, port: u16) -> anyhow::Result<()> {
    let listening = async {
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        listening = timeout(START, listening) => {
            listening.with_context(|| format!("{name} does not listen on port {port}"))
        }
        status = child.wait() => bail!("{name} ended: {}", status?),
    }
}

/// The load balancer's settings, with these addresses in the place of the example's.
fn balancing(template: &str, port: u16, nodes: &[SocketAddr]) -> anyhow::Result<String> {
    let (mut lines, mut binds, mut nodes) = (Vec::new(), 0, Some(nodes));
    for line in template.lines() {
        if line.trim_start().starts_with("bind ") {
            lines.push(format!("    bind 127.0.0.1:{port}"));
            binds += 1;
        } else if !line.trim_start().starts_with("server ") {
            lines.push(line.into());
        } else if let Some(nodes) = nodes.take() {
            let server = |(n, node)| format!("    server node{} {node}", n + 1);
            lines.extend(nodes.iter().enumerate().map(server));
        }
    }
    ensure!(binds == 1 && nodes.is_none(), "{BALANCER} has no place for addresses");
    lines.push(String::new());
    Ok(lines.join("\n"))
}

async fn interrupted() {
    #[cfg(unix)]
    let asked = async {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hangup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    };
    #[cfg(not(unix))]
    let asked = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = asked => {}
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_settings_with_other_addresses() {
        let template = include_str!("../../examples/cluster/haproxy.cfg");
        let nodes = ["127.0.0.1:5001", "127.0.0.1:5002"].map(|node| node.parse().unwrap());
        let config = balancing(template, 4000, &nodes).unwrap();
        let lines: Vec<_> = config.lines().map(str::trim).collect();
        for line in ["bind 127.0.0.1:4000", "server node1 127.0.0.1:5001", "balance leastconn"] {
            assert!(lines.contains(&line), "{config}");
        }
        assert_eq!(lines.iter().filter(|line| line.starts_with("server ")).count(), 2);
        assert_eq!(lines.iter().filter(|line| line.starts_with("bind ")).count(), 1);
        assert!(balancing("defaults\n", 4000, &nodes).is_err());
    }
}
