//! Credentials for a TURN server that end by themselves.
//!
//! A TURN server relays media for those who cannot reach each other, and that is worth stealing: a
//! password in a web page is a password for all. By the REST scheme
//! ([draft-uberti-behave-turn-rest-00](https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00),
//! coturn's `use-auth-secret`) the two servers share a secret, with which this one makes each client
//! a name and a password that hold for a while. Nothing is asked of the TURN server.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use async_trait::async_trait;
//! use noom_signal::{Hub, policy::{Identity, Policy}, protocol::IceServer, turn::TurnSecret};
//!
//! struct Calls { turn: TurnSecret }
//!
//! #[async_trait]
//! impl Policy for Calls {
//!     async fn ice_servers(&self, identity: &Identity) -> Vec<IceServer> {
//!         let user = identity.user.as_ref().map_or("anonymous", |user| user.as_str());
//!         vec![self.turn.credentials_for(user, SystemTime::now())]
//!     }
//! }
//!
//! // The same as coturn's `static-auth-secret`.
//! let secret = "from the environment, not from the source";
//! let urls = ["turn:turn.example.com:3478", "turns:turn.example.com:5349?transport=tcp"];
//! let turn = TurnSecret::new(secret, urls).ttl(Duration::from_secs(6 * 3600));
//! let hub = Hub::builder().policy(Calls { turn }).build()?;
//! # Ok::<_, noom_signal::InvalidLimits>(())
//! ```
//!
//! # Long calls
//!
//! The policy is asked on every `hello`, and whenever the client sends `{"type":"iceServers"}`, as
//! the browser client does before it restarts a connection that failed. A relay that is in use goes
//! on past the expiry where the TURN server looks at the password only once, as coturn does; a new
//! connection, or one that looks for a new path, needs fresh credentials. Choose a time to live
//! longer than most calls, and have clients renew before it is over: `renewIceServers()` in the
//! browser client.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::protocol::IceServer;

/// The secret shared with one or more TURN servers, and where these are.
///
/// `Debug` does not show the secret.
#[derive(Clone)]
pub struct TurnSecret {
    /// The secret is in here, and kept nowhere else.
    mac: Hmac<Sha1>,
    urls: Vec<String>,
    ttl: Duration,
}

impl TurnSecret {
    /// How long credentials hold unless told otherwise: a day, as the draft recommends.
    pub const DEFAULT_TTL: Duration = Duration::from_secs(24 * 3600);

    /// The secret, and the `turn:` and `turns:` addresses of the servers that know it.
    ///
    /// Whoever can guess the secret can use the servers: take at least 16 random bytes, as text
    /// (`openssl rand -hex 32`), for coturn reads it from a line of its configuration.
    // HMAC takes keys of any length.
    #[allow(clippy::expect_used, clippy::missing_panics_doc)]
    pub fn new<U: Into<String>>(
        secret: impl AsRef<[u8]>,
        urls: impl IntoIterator<Item = U>,
    ) -> Self {
        let mac = Hmac::new_from_slice(secret.as_ref()).expect("a key of any length");
        Self { mac, urls: urls.into_iter().map(Into::into).collect(), ttl: Self::DEFAULT_TTL }
    }

    /// Sets how long credentials hold. They end on a full second.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Credentials for one user, from now on.
    ///
    /// `user` tells users apart in the TURN server's log and quotas. It goes over the network in
    /// the clear: where names are private, give an opaque id.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use noom_signal::turn::TurnSecret;
    ///
    /// let turn = TurnSecret::new("north", ["turn:turn.example.com"]).ttl(Duration::from_secs(3600));
    /// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    /// let server = turn.credentials_for("mina", now);
    /// assert_eq!(server.username.as_deref(), Some("1767229200:mina"));
    /// assert_eq!(server.credential.as_deref(), Some("BN9GWWW5dNyGIwzOV1VLTGCe86o="));
    /// ```
    pub fn credentials_for(&self, user: &str, now: SystemTime) -> IceServer {
        // A clock before 1970 makes credentials that ended long ago, which harms nobody.
        let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let username = format!("{}:{user}", since_1970.saturating_add(self.ttl).as_secs());
        let mac = self.mac.clone().chain_update(&username);
        let credential = STANDARD.encode(mac.finalize().into_bytes());
        IceServer {
            urls: self.urls.clone(),
            username: Some(username),
            credential: Some(credential),
        }
    }
}

impl fmt::Debug for TurnSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TurnSecret");
        shown.field("urls", &self.urls).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(secs)
    }

    /// The expected values are those of Python's `hmac` and `base64`.
    #[test]
    fn credentials_are_what_another_implementation_makes_of_them() {
        let long = "k".repeat(100);
        for (secret, user, username, credential) in [
            ("north", "mina", "1767229200:mina", "BN9GWWW5dNyGIwzOV1VLTGCe86o="),
            // Longer than a block of the hash.
            (&long, "anonymous", "1767229200:anonymous", "kFcxAQb5+cZTj9UQjEw9T9P9OXw="),
            ("clé", "Jun:2 ü", "1767229200:Jun:2 ü", "uYXNOznMOOTvfgOusPVb8J8fe5k="),
        ] {
            let turn = TurnSecret::new(secret, ["turn:a"]).ttl(Duration::from_secs(3600));
            let server = turn.credentials_for(user, at(1_767_225_600));
            assert_eq!(server.urls, ["turn:a"]);
            assert_eq!(server.username.as_deref(), Some(username));
            assert_eq!(server.credential.as_deref(), Some(credential));
        }
    }

    #[test]
    fn odd_times_are_no_panic() {
        let turn = TurnSecret::new("north", ["turn:a"]);
        let early = turn.credentials_for("mina", UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(early.username.as_deref(), Some("86400:mina"));
        let never = turn.ttl(Duration::MAX).credentials_for("mina", at(1));
        assert_eq!(never.username, Some(format!("{}:mina", u64::MAX)));
    }

    #[test]
    fn the_secret_is_not_shown() {
        let turn = TurnSecret::new("north-by-northwest", ["turn:a"]);
        let shown = format!("{turn:?} {turn:#?}");
        assert!(shown.contains("turn:a") && !shown.contains("north"), "{shown}");
        assert!(!shown.contains("Hmac"), "{shown}");
    }
}
