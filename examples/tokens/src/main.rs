//! Clients that show signed tokens: `cargo run -p tokens [ADDRESS]`.
//!
//! A token says who its bearer is, what that user may do, which rooms are open to it, and until
//! when. Ask for one, as the application would for a user who has logged in:
//!
//!     curl 'http://127.0.0.1:3000/token?user=mina&rooms=standup,lunch&grants=send,broadcast'
//!
//! and show it twice: in the `hello`, where it says who you are, and in each `join`, where it says
//! that the room is open to you. (That may be another token of the same user, say one that an
//! invitation brought.) The server keeps nothing of it, so any node can check any token.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    routing::get,
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, crypto, decode, encode,
};
use noom_signal::{
    Hub,
    policy::{ConnectRequest, Identity, JoinRequest, Policy, Refused, RoomGrant},
    protocol::UserId,
};
use noom_signal_axum::{Endpoint, Origins, Server};
use serde::{Deserialize, Serialize};

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    /// In seconds since 1970.
    exp: u64,
    rooms: Vec<String>,
    /// `send`, to single peers, and `broadcast`, to all in a room. Who has neither may listen.
    grants: Vec<String>,
}

struct Tokens {
    key: DecodingKey,
}

impl Tokens {
    fn claims(&self, token: Option<&str>) -> Result<Claims, Refused> {
        let token = token.ok_or_else(|| Refused::because("a token is needed"))?;
        // Only what was signed with this algorithm: a token does not choose its own.
        let mut rules = Validation::new(Algorithm::HS256);
        // The hub ends a connection when its token does: were that token good for a little longer,
        // the client could come back with it, only to be sent away again.
        rules.leeway = 0;
        rules.reject_tokens_expiring_in_less_than = 1;
        let decoded = decode::<Claims>(token, &self.key, &rules);
        decoded.map(|token| token.claims).map_err(|error| Refused::because(error.to_string()))
    }
}

#[async_trait]
impl Policy for Tokens {
    async fn authenticate(
        &self,
        _request: &ConnectRequest,
        token: Option<&str>,
    ) -> Result<Identity, Refused> {
        let claims = self.claims(token)?;
        let granted = |name| claims.grants.iter().any(|grant| grant == name);
        let (may_send, may_broadcast) = (granted("send"), granted("broadcast"));
        let mut identity = Identity::of(claims.sub);
        identity.may_send = may_send;
        identity.may_broadcast = may_broadcast;
        // The connection ends then, and its client resumes with a fresh token.
        identity.expires = UNIX_EPOCH.checked_add(Duration::from_secs(claims.exp));
        Ok(identity)
    }

    async fn authorize(&self, join: JoinRequest<'_>) -> Result<RoomGrant, Refused> {
        let claims = self.claims(join.token)?;
        if join.identity.user.as_ref() != Some(&claims.sub) {
            return Err(Refused::because("this is another user's token"));
        }
        if !claims.rooms.iter().any(|room| room == join.room.as_str()) {
            return Err(Refused::because("this token does not open this room"));
        }
        Ok(RoomGrant::default())
    }
}

/// What `/token` is asked.
#[derive(Deserialize)]
struct Order {
    user: UserId,
    rooms: String,
    #[serde(default)]
    grants: String,
    #[serde(default = "an_hour")]
    seconds: u64,
}

fn an_hour() -> u64 {
    3600
}

/// Hands anybody any token, for the demonstration. A real application does this behind its login,
/// for the user who is logged in.
async fn token(
    State(key): State<EncodingKey>,
    Query(order): Query<Order>,
) -> Result<String, StatusCode> {
    let list = |text: &str| text.split(',').map(str::to_owned).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = Claims {
        sub: order.user,
        exp: now.saturating_add(order.seconds),
        rooms: list(&order.rooms),
        grants: list(&order.grants),
    };
    encode(&Header::new(Algorithm::HS256), &claims, &key)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Were some other crate of the program to switch on the other provider too, jsonwebtoken could
    // not choose by itself, and would panic at the first token.
    let _ = crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
    // A real one comes from the configuration, the same for every node.
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;

    let hub = Hub::builder().policy(Tokens { key: DecodingKey::from_secret(&secret) }).build()?;
    // Pages of any origin: a token proves the user, and no page has it that was not given it.
    let signal = Endpoint::new(hub).origins(Origins::any());
    let app = Router::new()
        .route("/signal", signal.route())
        .route("/token", get(token))
        .with_state(EncodingKey::from_secret(&secret));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let server = Server::bind(address.parse()?)?;
    eprintln!("signaling at ws://{}/signal", server.local_addr()?);
    server.serve(app).await;
    Ok(())
}
