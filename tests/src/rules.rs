//! A policy made of closures.

use async_trait::async_trait;
use noom_signal::{
    policy::{ConnectRequest, Identity, JoinRequest, Policy, Refused, RoomGrant},
    protocol::IceServer,
};

type Authenticate =
    dyn Fn(&ConnectRequest, Option<&str>) -> Result<Identity, Refused> + Send + Sync;
type Authorize = dyn Fn(JoinRequest<'_>) -> Result<RoomGrant, Refused> + Send + Sync;
type IceServers = dyn Fn(&Identity) -> Vec<IceServer> + Send + Sync;

/// What an application decides. What a test does not set is as open as by default, but that a
/// token `user:NAME` makes its bearer the user of that name.
pub struct Rules {
    authenticate: Box<Authenticate>,
    authorize: Box<Authorize>,
    ice_servers: Box<IceServers>,
}

impl Default for Rules {
    fn default() -> Self {
        Self::new()
    }
}

impl Rules {
    /// The open rules.
    pub fn new() -> Self {
        Self {
            authenticate: Box::new(|_, token| match token.and_then(|t| t.strip_prefix("user:")) {
                Some(name) => Ok(Identity::of(name.parse().unwrap())),
                None => Ok(Identity::default()),
            }),
            authorize: Box::new(|_| Ok(RoomGrant::default())),
            ice_servers: Box::new(|_| Vec::new()),
        }
    }

    /// Sets who is who.
    #[must_use]
    pub fn authenticate(
        mut self,
        rule: impl Fn(&ConnectRequest, Option<&str>) -> Result<Identity, Refused>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.authenticate = Box::new(rule);
        self
    }

    /// Sets what a token allows its bearer, who stays anonymous.
    #[must_use]
    pub fn grants(self, grant: impl Fn(&str, &mut Identity) + Send + Sync + 'static) -> Self {
        self.authenticate(move |_, token| {
            let mut identity = Identity::default();
            grant(token.unwrap_or_default(), &mut identity);
            Ok(identity)
        })
    }

    /// Sets who may join what.
    #[must_use]
    pub fn authorize(
        mut self,
        rule: impl Fn(JoinRequest<'_>) -> Result<RoomGrant, Refused> + Send + Sync + 'static,
    ) -> Self {
        self.authorize = Box::new(rule);
        self
    }

    /// Sets the ICE servers.
    #[must_use]
    pub fn ice_servers(
        mut self,
        rule: impl Fn(&Identity) -> Vec<IceServer> + Send + Sync + 'static,
    ) -> Self {
        self.ice_servers = Box::new(rule);
        self
    }
}

#[async_trait]
impl Policy for Rules {
    async fn authenticate(
        &self,
        request: &ConnectRequest,
        token: Option<&str>,
    ) -> Result<Identity, Refused> {
        (self.authenticate)(request, token)
    }

    async fn authorize(&self, join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        (self.authorize)(join)
    }

    async fn ice_servers(&self, identity: &Identity) -> Vec<IceServer> {
        (self.ice_servers)(identity)
    }
}
