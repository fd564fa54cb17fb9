//! A hub that is about to go, and what still needs it.

use std::time::Duration;

use tokio::time::timeout;

use super::Inner;

/// How often it looks whether there still is another node.
const LOOK: Duration = Duration::from_secs(1);

impl Inner {
    /// Waits until other nodes have all that this one held, as long as there are any and clients
    /// have time to come back.
    pub(super) async fn part(&self) {
        // `wait` never ends before; what begins after it is tracked as well.
        self.partings.close();
        let parted = async {
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
        };
        if self.is_alone().await {
            // Leaves are worth a moment: the next node would find those peers in their rooms.
            let _ = timeout(LOOK, self.partings.wait()).await;
            return;
        }
        if timeout(self.limits.resume, parted).await.is_err() {
            tracing::debug!(sessions = self.registry.len(), "not all sessions were fetched");
        }
    }

    async fn is_alone(&self) -> bool {
        // A cluster that does not answer has others in it, as far as is known.
        self.backplane.nodes().await == Ok(1)
    }
}
