//! The upgrade: subprotocols, origins, and requests that are none.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use noom_signal::policy::{Identity, Refused};
use noom_signal_axum::{Endpoint, Origins};
use system_tests::{Client, Hub, Rules, Server, json};
use tokio_tungstenite::tungstenite::http;

type Upgraded = Result<(Client, http::Response<()>), (http::StatusCode, http::Response<String>)>;

/// Asks with these headers, in place of those of the same names.
async fn ask(server: &Server, headers: &[(&'static str, &str)]) -> Upgraded {
    let mut request = server.request();
    request.headers_mut().remove("sec-websocket-protocol");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    server.upgrade(request).await
}

#[track_caller]
fn refused(upgraded: Upgraded, status: u16) {
    let (refused, response) = upgraded.expect_err("a refusal");
    assert_eq!(refused.as_u16(), status, "{response:?}");
}

#[tokio::test]
async fn a_client_that_asks_for_no_subprotocol() {
    let server = Server::start(Hub::builder()).await;
    let (mut client, response) = ask(&server, &[]).await.unwrap();
    assert!(response.headers().get("sec-websocket-protocol").is_none(), "{response:?}");
    client.hello().await;
}

#[tokio::test]
async fn a_client_that_knows_the_subprotocol() {
    let server = Server::start(Hub::builder()).await;
    for asked in ["noom.v1", "noom.v9, noom.v1", "noom.v1,other"] {
        let upgraded = ask(&server, &[("sec-websocket-protocol", asked)]).await;
        // A response that names one that was not asked for is refused by the client.
        let (mut client, response) = upgraded.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "noom.v1");
        client.hello().await;
    }
}

#[tokio::test]
async fn a_client_that_knows_only_others() {
    let server = Server::start(Hub::builder()).await;
    for asked in ["noom.v2", "chat", "noom.v1x, noom", "NOOM.V1"] {
        refused(ask(&server, &[("sec-websocket-protocol", asked)]).await, 400);
    }
    assert_eq!(server.hub.stats().connections, 0);
}

#[tokio::test]
async fn no_compression() {
    let server = Server::start(Hub::builder()).await;
    let offer = [("sec-websocket-extensions", "permessage-deflate; client_max_window_bits")];
    let (mut client, response) = ask(&server, &offer).await.unwrap();
    assert!(response.headers().get("sec-websocket-extensions").is_none(), "{response:?}");
    client.hello().await;
}

#[tokio::test]
async fn origins_by_default() {
    let server = Server::start(Hub::builder()).await;
    let own = format!("http://{}", server.address());
    let secure = format!("https://{}", server.address());
    for allowed in [&own, &secure] {
        ask(&server, &[("origin", allowed)]).await.unwrap().0.hello().await;
    }
    // No browser, no origin.
    ask(&server, &[]).await.unwrap().0.hello().await;
    let other_port = "http://127.0.0.1:1";
    let longer = format!("{own}.evil.example");
    for foreign in ["https://evil.example", "null", "", other_port, "http://127.0.0.1", &longer] {
        refused(ask(&server, &[("origin", foreign)]).await, 403);
    }
}

#[tokio::test]
async fn origins_of_a_list() {
    let list = Origins::list(["https://app.example", "http://localhost:8080"]).unwrap();
    let server = Server::with_endpoint(Hub::builder(), |endpoint| endpoint.origins(list)).await;
    for allowed in ["https://app.example", "http://localhost:8080"] {
        ask(&server, &[("origin", allowed)]).await.unwrap().0.hello().await;
    }
    ask(&server, &[]).await.unwrap().0.hello().await;
    let own = format!("http://{}", server.address());
    for foreign in ["http://app.example", "https://app.example:8443", "null", &own] {
        refused(ask(&server, &[("origin", foreign)]).await, 403);
    }
}

#[tokio::test]
async fn any_origin() {
    let any = |endpoint: Endpoint| endpoint.origins(Origins::any());
    let server = Server::with_endpoint(Hub::builder(), any).await;
    for origin in ["https://evil.example", "null"] {
        ask(&server, &[("origin", origin)]).await.unwrap().0.hello().await;
    }
}

#[tokio::test]
async fn requests_that_are_no_upgrade() {
    let server = Server::start(Hub::builder()).await;
    let requests = [
        "GET /signal HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "POST /signal HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        // Half of what an upgrade needs.
        "GET /signal HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n",
        "GET /signal HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ];
    for request in requests {
        let mut raw = server.raw().await;
        raw.write(request.as_bytes()).await;
        let response = String::from_utf8(raw.end().await).unwrap();
        assert!(response.starts_with("HTTP/1.1 4"), "{request}\n{response}");
    }
    assert_eq!(server.hub.stats().connections, 0);
}

/// A hub within an application that has a state, other routes, and a login of its own.
#[tokio::test]
async fn in_an_application() {
    #[derive(Clone)]
    struct App {
        greeting: &'static str,
    }

    /// What the login leaves in the request.
    #[derive(Clone)]
    struct Account(String);

    async fn login(mut request: Request, next: Next) -> Response {
        let cookie = request.headers().get("cookie").and_then(|c| c.to_str().ok());
        if let Some(name) = cookie.and_then(|cookie| cookie.strip_prefix("account=")) {
            let account = Account(name.to_owned());
            request.extensions_mut().insert(account);
        }
        next.run(request).await
    }

    let rules = Rules::new().authenticate(|request, _| {
        let account = request.extensions.get::<Account>();
        let account = account.ok_or_else(|| Refused::because("log in first"))?;
        Ok(Identity::of(account.0.parse().unwrap()))
    });
    let hub = Hub::builder().policy(rules).build().unwrap();
    let app = Router::new()
        .route("/", get(|State(app): State<App>| async move { app.greeting }))
        .route("/signal", noom_signal_axum::endpoint(hub.clone()))
        .layer(middleware::from_fn(login))
        .with_state(App { greeting: "good morning" });
    let server = Server::serving(hub, app).await;

    let mut raw = server.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let page = String::from_utf8(raw.end().await).unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("good morning"), "{page}");

    let (mut mina, _) = ask(&server, &[("cookie", "account=mina")]).await.unwrap();
    assert_eq!(mina.hello().await["user"], "mina");
    mina.join("room").await;
    let (mut jo, _) = ask(&server, &[("cookie", "account=jo")]).await.unwrap();
    jo.hello().await;
    assert_eq!(jo.join("room").await["peers"][0]["user"], "mina");
    assert_eq!(mina.expect_welcome("room", &jo).await["user"], "jo");

    let (mut nobody, _) = ask(&server, &[]).await.unwrap();
    nobody.send(json!({"type": "hello"})).await;
    assert_eq!(nobody.expect_error("unauthorized").await["message"], "log in first");
    assert_eq!(nobody.closed().await, Some(4401));
}

/// The application may speak first, and hand the request on.
#[tokio::test]
async fn from_a_handler() {
    async fn tenant(State(endpoint): State<Endpoint>, request: Request) -> Response {
        endpoint.serve(request).await
    }
    let hub = Hub::new();
    let app = Router::new()
        .route("/signal", axum::routing::any(tenant))
        .with_state(Endpoint::new(hub.clone()));
    let server = Server::serving(hub, app).await;
    server.pair("room").await;
}
