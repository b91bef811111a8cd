//! The customer's pages: files built from `ui/guest`, embedded, with the headers that keep them to themselves.
//!
//! Text leaves compressed (gzip, level 9, made once at the first request; pages, which carry the brand, at each):
//! over a slow mobile line the page is the longest part of joining.

use crate::{
    app::App,
    language::{self, Language},
};
use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use include_dir::{Dir, include_dir};
use sightline_store::{StoreError, chat_links, conversations, escalations};
use sightline_wire::conversation::Context;
use std::{
    borrow::Cow,
    collections::HashMap,
    io::Write,
    path::{Component, Path as FilePath},
    sync::{Arc, LazyLock},
};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../ui/guest/dist");

/// The embedded files that compressing makes smaller, compressed.
static COMPRESSED: LazyLock<HashMap<&'static FilePath, Vec<u8>>> = LazyLock::new(|| {
    let mut compressed = HashMap::new();
    let mut folders = vec![&EMBEDDED];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        compressed.extend(
            folder
                .files()
                .filter_map(|file| Some((file.path(), gzip(file.contents())?))),
        );
    }
    compressed
});

/// `None` when it would not get smaller.
fn gzip(content: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).ok()?;
    encoder.finish().ok().filter(|gzip| gzip.len() < content.len())
}

/// A file as it leaves: its bytes, and whether they are gzip.
struct Content {
    bytes: Cow<'static, [u8]>,
    gzip: bool,
}

impl IntoResponse for Content {
    fn into_response(self) -> Response {
        let mut response = self.bytes.into_owned().into_response();
        let headers = response.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if self.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sightline</title>\
<h1>The customer's pages are not built yet</h1>\
<p>Run <code>make run</code>, or <code>npm ci &amp;&amp; npm run build</code> in <code>ui/guest</code>, \
then build the server again.</p></html>";

/// `GET /chat` and `GET /`. Other sites may embed it: all of them, or the configured ones. Such a site may know the
/// language better than the browser, and says `?lang=`.
pub async fn chat(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let ancestors = if app.config.extra_origins.is_empty() {
        "*".to_string()
    } else {
        format!("'self' {}", app.origins.extra().join(" "))
    };
    let mut said = query.as_deref().unwrap_or_default().split('&');
    let language = language::of(said.find_map(|part| part.strip_prefix("lang=")), &headers);
    page(&app, &headers, ("chat", language), &ancestors)
}

/// `GET /c/{code}`: the chat, inert until its script has run. No site embeds it: a link is opened by a person.
pub async fn chat_link(
    State(app): State<Arc<App>>,
    code: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let known = of_chat_link(&app, &text(code)).await;
    page(&app, &headers, ("chat", spoken(known, &headers)), "'none'")
}

/// `GET /j/{code}`: inert, whoever fetches it.
pub async fn join(
    State(app): State<Arc<App>>,
    code: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let known = of_invite(&app, &text(code)).await;
    page(&app, &headers, ("join", spoken(known, &headers)), "'none'")
}

/// Nothing for what is no text: the page itself says that there is no such link.
fn text(code: Result<Path<String>, PathRejection>) -> String {
    code.map(|Path(code)| code).unwrap_or_default()
}

/// The language of the conversation behind a link, or the browser's. Codes are too long to be guessed by looking at
/// what language a page has; and a page without its conversation is better than none.
fn spoken(known: Result<Option<Context>, StoreError>, headers: &HeaderMap) -> Language {
    let locale = known.ok().flatten().and_then(|context| language::locale(&context));
    language::of(locale.as_deref(), headers)
}

async fn of_invite(app: &App, code: &str) -> Result<Option<Context>, StoreError> {
    let mut c = app.store.read().await?;
    let Some(call) = escalations::by_code(&mut c, code).await? else {
        return Ok(None);
    };
    let stored = conversations::get(&mut c, call.conversation).await?;
    Ok(stored.map(|stored| stored.context))
}

async fn of_chat_link(app: &App, code: &str) -> Result<Option<Context>, StoreError> {
    let mut c = app.store.read().await?;
    let Some(link) = chat_links::by_code(&mut c, code).await? else {
        return Ok(None);
    };
    let stored = conversations::get(&mut c, link.conversation).await?;
    Ok(stored.map(|stored| stored.context))
}

/// `GET /widget.js`.
pub async fn widget(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut response = file(&app, &headers, "widget.js", "public, max-age=300");
    // Other sites load this one file.
    response.headers_mut().insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

/// `GET /assets/{path}`: their names change with their content.
pub async fn asset(State(app): State<Arc<App>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    file(
        &app,
        &headers,
        &format!("assets/{path}"),
        "public, max-age=31536000, immutable",
    )
}

/// A page in a language: `chat.html` in English, `chat.de.html` beside it.
fn page(app: &App, asked: &HeaderMap, (name, language): (&str, Language), ancestors: &str) -> Response {
    let english = format!("{name}.html");
    let translated = format!("{name}.{}.html", language.tag());
    let html = original(app, FilePath::new(&translated)).or_else(|| original(app, FilePath::new(&english)));
    let mut response = match html {
        Some(html) => branded(app, html, takes_gzip(asked)).into_response(),
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
        header::VARY,
        HeaderValue::from_static("accept-encoding, accept-language"),
    );
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

fn file(app: &App, asked: &HeaderMap, path: &str, cache: &'static str) -> Response {
    let Some(content) = read(app, asked, path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn read(app: &App, asked: &HeaderMap, path: &str) -> Option<Content> {
    let path = FilePath::new(path);
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    if app.config.pages.is_none()
        && takes_gzip(asked)
        && let Some(gzip) = COMPRESSED.get(path)
    {
        return Some(Content {
            bytes: Cow::Borrowed(gzip),
            gzip: true,
        });
    }
    original(app, path).map(|bytes| Content { bytes, gzip: false })
}

fn original(app: &App, path: &FilePath) -> Option<Cow<'static, [u8]>> {
    match &app.config.pages {
        Some(folder) => std::fs::read(folder.join(path)).ok().map(Cow::Owned),
        None => EMBEDDED.get_file(path).map(|file| Cow::Borrowed(file.contents())),
    }
}

/// A page with the deployment's name and colour in its `meta` elements: it shows them from its first picture on,
/// and need not ask.
fn branded(app: &App, html: Cow<'static, [u8]>, takes_gzip: bool) -> Content {
    let mut html = String::from_utf8_lossy(&html).into_owned();
    let colour = app.config.brand_colour.as_deref().unwrap_or_default();
    for (name, value) in [("company", app.config.company.as_str()), ("accent", colour)] {
        let empty = format!("name=\"sightline-{name}\" content=\"\"");
        let filled = format!("name=\"sightline-{name}\" content=\"{}\"", escaped(value));
        html = html.replacen(&empty, &filled, 1);
    }
    let smaller = if takes_gzip { gzip(html.as_bytes()) } else { None };
    match smaller {
        Some(bytes) => Content {
            bytes: bytes.into(),
            gzip: true,
        },
        None => Content {
            bytes: html.into_bytes().into(),
            gzip: false,
        },
    }
}

/// For an attribute's value in double quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// RFC 9110, 12.5.3, as far as browsers use it: `gzip` is named and not refused by a weight of zero.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let lines = asked.get_all(header::ACCEPT_ENCODING).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(|coding| coding.split_once(';').unwrap_or((coding, "")))
        .filter(|(name, _)| name.trim() == "gzip")
        .any(|(_, weight)| !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_attribute() {
        assert_eq!(escaped("\"><b>A&B"), "&quot;>&lt;b>A&amp;B");
    }

    #[test]
    fn gzip_is_taken_only_when_it_is_asked_for() {
        let asked = |line: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
            takes_gzip(&headers)
        };
        assert!(asked("gzip, deflate, br"));
        assert!(asked("br;q=1.0, gzip;q=0.8"));
        assert!(!asked("br, deflate"));
        assert!(!asked("gzip;q=0"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
