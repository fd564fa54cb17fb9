//! The route.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, ws::WebSocketUpgrade},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use noom_signal::{ConnectRequest, Hub, Refused, protocol::SUBPROTOCOL};

use crate::{Origins, forwarded, socket::Socket};

/// A route that serves `hub` over WebSockets, to pages of the same origin.
///
/// The short form of [`Endpoint`].
pub fn endpoint<S: Clone + Send + Sync + 'static>(hub: Hub) -> MethodRouter<S> {
    Endpoint::new(hub).route()
}

/// A WebSocket endpoint: a hub, and whose pages may connect to it.
///
/// Mount it with [`Endpoint::route`], or call [`Endpoint::serve`] from a handler that has something
/// to say first.
///
/// ```
/// use axum::{Router, extract::{Request, State}, response::Response, routing::any};
/// use noom_signal::Hub;
/// use noom_signal_axum::{Endpoint, Origins};
///
/// let endpoint = Endpoint::new(Hub::new()).origins(Origins::any());
/// let app: Router = Router::new()
///     .route("/signal", endpoint.clone().route())
///     .route("/tenants/{tenant}/signal", any(tenant_signal))
///     .with_state(endpoint);
///
/// async fn tenant_signal(State(endpoint): State<Endpoint>, request: Request) -> Response {
///     endpoint.serve(request).await
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Endpoint {
    hub: Hub,
    origins: Origins,
    proxies: usize,
}

/// How much larger than a client's longest message a frame may be and still be read, to be refused
/// with a proper close. Anything larger is cut off in the middle.
const TOLERANCE: usize = 4;

/// The read buffer of a connection, zero-filled at each read and kept for its whole life: most of
/// what an idle connection costs.
const READ_BUFFER: usize = 4096;

impl Endpoint {
    /// Serves `hub` to pages of the same origin.
    pub fn new(hub: Hub) -> Self {
        Self { hub, origins: Origins::same(), proxies: 0 }
    }

    /// Sets whose pages may connect.
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Sets how many proxies stand before this server and each add an address to
    /// `X-Forwarded-For`. Counted from the right over all lines of that name, so many places in is
    /// the client's address; all further left is its own claim, and not believed. Where that place
    /// holds no address, or there are not so many, the connection's own is taken: a proxy's. With
    /// 0, the default, the header is not looked at. `Forwarded` and others never are.
    #[must_use]
    pub fn behind_proxies(mut self, proxies: usize) -> Self {
        self.proxies = proxies;
        self
    }

    /// The route, for a router of any state.
    pub fn route<S: Clone + Send + Sync + 'static>(self) -> MethodRouter<S> {
        // HTTP/2 opens WebSockets with CONNECT (RFC 8441), HTTP/1.1 with GET.
        any(move |request: Request| async move { self.serve(request).await })
    }

    /// Answers one request, and serves the connection that comes of it.
    ///
    /// 403 for a page of another origin; 400 for a client that asks for other subprotocols only;
    /// 503 with `Retry-After` when the hub admits no more; axum's own answers where it is no
    /// WebSocket request. Where the router was made with `ConnectInfo<SocketAddr>`, the hub is told
    /// the client's address.
    pub async fn serve(&self, request: Request) -> Response {
        let (mut parts, _) = request.into_parts();
        let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => upgrade,
            Err(rejection) => return rejection.into_response(),
        };
        let request = connect_request(parts, self.proxies);
        if !self.origins.allow(&request) {
            return (StatusCode::FORBIDDEN, "not from this origin").into_response();
        }
        let known = upgrade.requested_protocols().any(|p| p == SUBPROTOCOL);
        if !known && upgrade.requested_protocols().next().is_some() {
            let why = format!("the subprotocol is {SUBPROTOCOL}");
            return (StatusCode::BAD_REQUEST, why).into_response();
        }
        let admission = match self.hub.admit(request) {
            Ok(admission) => admission,
            Err(refused) => return unavailable(refused),
        };
        let message_bytes = self.hub.limits().message_bytes;
        let readable = message_bytes.saturating_mul(TOLERANCE);
        upgrade
            .protocols([SUBPROTOCOL])
            .read_buffer_size(READ_BUFFER)
            .max_message_size(readable)
            .max_frame_size(readable)
            .on_failed_upgrade(|error| tracing::debug!(%error, "the upgrade failed"))
            .on_upgrade(move |socket| async move {
                admission.serve(Socket::new(socket, message_bytes)).await;
            })
    }
}

fn connect_request(parts: Parts, proxies: usize) -> ConnectRequest {
    let link = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let remote = match proxies {
        0 => link,
        // A request that did not come through all of them is the link's own.
        _ => forwarded::address(&parts.headers, proxies).or(link),
    };
    let mut request = ConnectRequest::default();
    request.uri = parts.uri;
    request.headers = parts.headers;
    request.extensions = parts.extensions;
    request.remote = remote;
    request
}

fn unavailable(refused: Refused) -> Response {
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, refused.to_string()).into_response();
    let retry_after = HeaderValue::from(refused.retry_after().as_secs().max(1));
    response.headers_mut().insert(header::RETRY_AFTER, retry_after);
    response
}
