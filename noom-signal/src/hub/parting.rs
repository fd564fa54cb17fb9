//! A hub that is about to go, and what still needs it.

use std::time::Duration;

use tokio::time::timeout;

use super::{Hub, Inner};

/// How often it looks whether there still is another node.
const LOOK: Duration = Duration::from_secs(1);

impl Hub {
    /// Waits until this node can go without a loss, after a [`Hub::drain`]: other nodes have fetched all
    /// sessions, for clients that have come to them, and the cluster knows of all leaves.
    ///
    /// A client that does not come back is waited for as long as ever, so this takes no longer than
    /// [`Limits::resume`](crate::Limits::resume). Put it under a timeout to wait for a shorter time. Where
    /// the cluster has no other node, nobody is waited for.
    ///
    /// Of the sessions that are left then ([`Hub::stats`]), the peers may still be resumed elsewhere, as
    /// `"partial"`, while the cluster does not know that this node is gone.
    pub async fn emptied(&self) {
        let hub = &self.0;
        // To close it is to be able to wait; what begins later is tracked as well.
        hub.partings.close();
        if hub.is_alone().await {
            // Leaves are worth a moment: the next node would find those peers in their rooms.
            let _ = timeout(LOOK, hub.partings.wait()).await;
        } else if timeout(hub.limits.resume, hub.empty_out()).await.is_err() {
            tracing::debug!(sessions = hub.registry.len(), "not all sessions were fetched");
        }
    }
}

impl Inner {
    async fn empty_out(&self) {
        loop {
            while timeout(LOOK, self.registry.emptied()).await.is_err() {
                if self.is_alone().await {
                    return;
                }
            }
            // A session that is handed over is out of the registry before its letter is sent.
            self.partings.wait().await;
            if self.registry.len() == 0 {
                return;
            }
        }
    }

    async fn is_alone(&self) -> bool {
        // A cluster that does not answer has others in it, as far as is known.
        self.backplane.nodes().await == Ok(1)
    }
}
