//! A load balancer for one client: it leads to this node or that, or nowhere.

use std::sync::Arc;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

pub(crate) struct Door {
    pub(crate) port: u16,
    /// A port; another number with it breaks what connections there are.
    to: Arc<watch::Sender<(Option<u16>, u32)>>,
    task: AbortHandle,
}

impl Door {
    pub(crate) async fn to(port: u16) -> Self {
        let to = Arc::new(watch::Sender::new((Some(port), 0)));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let leads = to.subscribe();
        let task = tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut leads = leads.clone();
                let (Some(port), number) = *leads.borrow_and_update() else { continue };
                tokio::spawn(async move {
                    let through = async {
                        let mut node = TcpStream::connect(("127.0.0.1", port)).await?;
                        copy_bidirectional(&mut client, &mut node).await
                    };
                    tokio::select! {
                        _ = through => {}
                        _ = leads.wait_for(|leads| leads.1 != number) => {}
                    }
                });
            }
        });
        Self { port, to, task: task.abort_handle() }
    }

    /// Leads elsewhere from now on, or nowhere; the connection there is breaks.
    pub(crate) fn lead_to(&self, port: Option<u16>) {
        self.to.send_modify(|to| *to = (port, to.1 + 1));
    }

    /// Leads elsewhere whoever comes from now on.
    pub(crate) fn lead_next_to(&self, port: u16) {
        self.to.send_modify(|to| to.0 = Some(port));
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}
