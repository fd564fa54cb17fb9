//! What this app decides.

use async_trait::async_trait;
use noom_signal::{
    policy::{Identity, JoinRequest, Policy, Refused, RoomGrant},
    protocol::IceServer,
};

/// Anyone may come into any room; the lobby lists all of them.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) ice_servers: Vec<IceServer>,
}

#[async_trait]
impl Policy for Calls {
    async fn authorize(&self, _join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        Ok(RoomGrant { listed: true, ..RoomGrant::default() })
    }

    async fn ice_servers(&self, _identity: &Identity) -> Vec<IceServer> {
        self.ice_servers.clone()
    }
}
