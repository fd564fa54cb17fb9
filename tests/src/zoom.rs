//! The example app as a process.

use std::{
    path::Path,
    process::{ExitStatus, Output, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::{Client, PATIENCE};

/// A process of the app. Dropped, it is killed.
#[derive(Debug)]
pub struct Zoom {
    process: Child,
    /// The line by which it says that it is up.
    pub said: String,
    /// Where it listens.
    pub address: String,
}

impl Zoom {
    /// The app, built where it has to be.
    pub fn command(args: &[&str]) -> Command {
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

    /// Starts it on a free port.
    pub async fn start(args: &[&str]) -> Self {
        let args = [&["--listen", "127.0.0.1:0"], args].concat();
        let mut command = Self::command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("cargo runs");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(10 * PATIENCE, lines.next_line()).await.expect("an address in time");
        let said = line.unwrap().expect("a line");
        let (_, rest) = said.split_once("http://").expect("an address");
        let address = rest.split(' ').next().unwrap().to_owned();
        Self { process, said, address }
    }

    /// How it ends where it does not start. It may have to be built, while others build.
    pub async fn refused(mut command: Command) -> Output {
        timeout(10 * PATIENCE, command.output()).await.expect("an end in time").expect("cargo runs")
    }

    /// A connection that has said nothing yet.
    pub async fn connect(&self) -> Client {
        let request = format!("ws://{}/signal", self.address).into_client_request().unwrap();
        Client::connect(self.address.parse().unwrap(), request).await.unwrap().0
    }

    /// A client in a room.
    pub async fn join(&self, room: &str) -> Client {
        let mut client = self.connect().await;
        client.hello().await;
        client.join(room).await;
        client
    }

    /// Sends it a signal.
    pub async fn signal(&self, name: &str) {
        let id = self.process.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await.expect("kill runs");
        assert!(sent.success());
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.process.wait()).await.expect("it ends").unwrap()
    }
}
