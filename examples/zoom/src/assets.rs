//! The page, from within the binary.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "web"]
struct Page;

#[derive(RustEmbed)]
#[folder = "../../noom-signal-js/src"]
#[include = "*.js"]
struct Library;

/// Everything from this server, nothing inline, and nobody may frame it: a page with a camera.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      media-src 'self' blob: mediastream:; connect-src 'self'; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

pub(crate) fn routes() -> Router {
    let index = |headers: HeaderMap| async move {
        respond(Page::get("index.html"), "index.html", &headers)
    };
    Router::new()
        .route("/", get(index))
        // A room's link: the page reads the name from its own address.
        .route("/r/{room}", get(index))
        .route(
            "/noom-signal/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move {
                respond(Library::get(&path), &path, &headers)
            }),
        )
        .fallback(get(|uri: axum::http::Uri, headers: HeaderMap| async move {
            let path = uri.path().trim_start_matches('/');
            respond(Page::get(path), path, &headers)
        }))
}

fn respond(file: Option<EmbeddedFile>, path: &str, request: &HeaderMap) -> Response {
    let Some(file) = file else {
        return (StatusCode::NOT_FOUND, "not found").into_response();
    };
    let hash = file.metadata.sha256_hash();
    let tag: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let known = request.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_response() };
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::ETAG, &tag);
    // Asked about each time, sent once: a new version is seen at the next load.
    set(header::CACHE_CONTROL, "no-cache");
    set(header::CONTENT_TYPE, &content_type(path, file.metadata.mimetype()));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    response
}

fn content_type(path: &str, guessed: &str) -> String {
    let text = guessed.starts_with("text/") || path.ends_with(".js") || path.ends_with(".svg");
    if text { format!("{guessed}; charset=utf-8") } else { guessed.to_owned() }
}
