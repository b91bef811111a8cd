//! The customer's pages: files built from `ui/guest`, embedded, with the headers that keep them to themselves.

use crate::app::App;
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use include_dir::{Dir, include_dir};
use serde::Serialize;
use std::{
    borrow::Cow,
    path::{Component, Path as FilePath},
    sync::Arc,
};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../ui/guest/dist");

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sightline</title>\
<h1>The customer's pages are not built yet</h1>\
<p>Run <code>make run</code>, or <code>npm ci &amp;&amp; npm run build</code> in <code>ui/guest</code>, \
then build the server again.</p></html>";

/// What the pages show of the deployment.
#[derive(Serialize)]
pub struct Brand {
    company: String,
    colour: Option<String>,
}

/// `GET /v1/brand`.
pub async fn brand(State(app): State<Arc<App>>) -> Json<Brand> {
    Json(Brand {
        company: app.config.company.clone(),
        colour: app.config.brand_colour.clone(),
    })
}

/// `GET /chat` and `GET /`. Other sites may embed it: all of them, or the configured ones.
pub async fn chat(State(app): State<Arc<App>>) -> Response {
    let ancestors = if app.config.extra_origins.is_empty() {
        "*".to_string()
    } else {
        format!("'self' {}", app.origins.extra().join(" "))
    };
    page(&app, "chat.html", &ancestors)
}

/// `GET /j/{code}`: inert, whoever fetches it.
pub async fn join(State(app): State<Arc<App>>) -> Response {
    page(&app, "join.html", "'none'")
}

/// `GET /widget.js`.
pub async fn widget(State(app): State<Arc<App>>) -> Response {
    let mut response = file(&app, "widget.js", "public, max-age=300");
    // Other sites load this one file.
    response.headers_mut().insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

/// `GET /assets/{path}`: their names change with their content.
pub async fn asset(State(app): State<Arc<App>>, Path(path): Path<String>) -> Response {
    file(&app, &format!("assets/{path}"), "public, max-age=31536000, immutable")
}

fn page(app: &App, name: &str, ancestors: &str) -> Response {
    let mut response = match read(app, name) {
        Some(html) => html.into_owned().into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response(),
    };
    let sockets: Vec<String> = app
        .origins
        .own()
        .iter()
        .map(|origin| origin.replacen("http", "ws", 1))
        .collect();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob:; font-src 'self'; connect-src 'self' {}; worker-src 'self' blob:; \
         form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}",
        sockets.join(" ")
    );
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), geolocation=()",
        ),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn file(app: &App, path: &str, cache: &'static str) -> Response {
    let Some(content) = read(app, path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = content.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn read(app: &App, path: &str) -> Option<Cow<'static, [u8]>> {
    let path = FilePath::new(path);
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    match &app.config.pages {
        Some(folder) => std::fs::read(folder.join(path)).ok().map(Cow::Owned),
        None => EMBEDDED.get_file(path).map(|file| Cow::Borrowed(file.contents())),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
