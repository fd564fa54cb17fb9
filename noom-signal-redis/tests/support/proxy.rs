//! A stretch of network that can fail.

use std::sync::Arc;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Passes,
    /// Open, and silent: bytes go in, none come out.
    Swallows,
    /// Connections break, and none is let in.
    Broken,
}

/// Connections to a local port, by way of this.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    line: Arc<watch::Sender<Line>>,
    task: AbortHandle,
}

impl Proxy {
    pub(crate) async fn start(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(watch::Sender::new(Line::Passes));
        let state = line.clone();
        let task = tokio::spawn(async move {
            loop {
                let (inner, _) = listener.accept().await.unwrap();
                if *state.borrow() == Line::Broken {
                    continue;
                }
                let mut broken = state.subscribe();
                let (up, down) = (state.subscribe(), state.subscribe());
                tokio::spawn(async move {
                    let Ok(outer) = TcpStream::connect(("127.0.0.1", target)).await else { return };
                    let (inner_read, inner_write) = inner.into_split();
                    let (outer_read, outer_write) = outer.into_split();
                    tokio::select! {
                        () = carry(inner_read, outer_write, up) => {}
                        () = carry(outer_read, inner_write, down) => {}
                        _ = broken.wait_for(|line| *line == Line::Broken) => {}
                    }
                });
            }
        });
        Self { port, line, task: task.abort_handle() }
    }

    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    line: watch::Receiver<Line>,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) if *line.borrow() == Line::Swallows => {}
            Ok(count) => {
                if to.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
