//! What this app decides.

use std::time::SystemTime;

use async_trait::async_trait;
use noom_signal::{
    policy::{Identity, JoinRequest, Policy, Refused, RoomGrant},
    protocol::IceServer,
    turn::TurnSecret,
};

/// Anyone may come into any room; the lobby lists all of them.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) stun: Vec<IceServer>,
    pub(crate) turn: Option<TurnSecret>,
}

#[async_trait]
impl Policy for Calls {
    async fn authorize(&self, _join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        Ok(RoomGrant { listed: true, ..RoomGrant::default() })
    }

    async fn ice_servers(&self, identity: &Identity) -> Vec<IceServer> {
        let user = identity.user.as_ref().map_or("anonymous", |user| user.as_str());
        let turn = self.turn.as_ref().map(|turn| turn.credentials_for(user, SystemTime::now()));
        self.stun.iter().cloned().chain(turn).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_hello_gets_credentials_of_its_own_time() {
        let stun = IceServer::stun("stun:a");
        let turn = Some(TurnSecret::new("north", ["turn:b"]));
        let calls = Calls { stun: vec![stun.clone()], turn };
        let servers = calls.ice_servers(&Identity::default()).await;
        assert_eq!(servers[0], stun);
        let (expiry, user) = servers[1].username.as_ref().unwrap().split_once(':').unwrap();
        let expiry =
            SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(expiry.parse().unwrap());
        let left = expiry.duration_since(SystemTime::now()).unwrap();
        assert!(left + std::time::Duration::from_secs(60) > TurnSecret::DEFAULT_TTL, "{left:?}");
        assert_eq!(user, "anonymous");
        assert!(servers[1].credential.is_some());
    }
}
