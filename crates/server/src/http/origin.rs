//! Which pages may talk to us.

use crate::app::App;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sightline_wire::{ErrorCode, agent::DESK_ORIGIN};
use std::{net::SocketAddr, sync::Arc};

use super::refusal::Refusal;

/// The origins of our own pages and those that embed the chat.
#[derive(Debug, Clone)]
pub struct Origins {
    own: Vec<String>,
    extra: Vec<String>,
}

impl Origins {
    /// The public address, the bound address, and on a loopback its usual names; plus the configured ones.
    /// The list is fixed: comparing with the Host header instead would let a rebound DNS name in.
    pub fn new(public_url: &str, bound: SocketAddr, extra: &[String]) -> Self {
        let mut own = vec![origin_of(public_url)];
        if bound.ip().is_loopback() || bound.ip().is_unspecified() {
            for name in ["127.0.0.1", "localhost", "[::1]"] {
                own.push(format!("http://{name}:{}", bound.port()));
            }
        }
        if !bound.ip().is_unspecified() {
            own.push(format!("http://{bound}"));
        }
        own.sort();
        own.dedup();
        Self {
            own,
            extra: extra.iter().map(|origin| origin_of(origin)).collect(),
        }
    }

    /// Our own pages.
    pub fn own(&self) -> &[String] {
        &self.own
    }

    /// Pages that embed the chat.
    pub fn extra(&self) -> &[String] {
        &self.extra
    }

    /// No browser, or one of our own pages.
    pub fn own_or_absent(&self, headers: &HeaderMap) -> bool {
        match headers.get(header::ORIGIN) {
            None => true,
            Some(origin) => self.own.iter().any(|own| own.as_bytes() == origin.as_bytes()),
        }
    }

    /// One of our own pages, or a desk. A socket has no other defence against foreign pages, so here the
    /// header must be present.
    fn own_page_or_desk(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return false;
        };
        origin.as_bytes() == DESK_ORIGIN.as_bytes() || self.own.iter().any(|own| own.as_bytes() == origin.as_bytes())
    }

    /// No browser, one of our own pages, or one that embeds the chat.
    pub fn known_or_absent(&self, headers: &HeaderMap) -> bool {
        self.own_or_absent(headers) || self.embedding(headers).is_some()
    }

    /// The origin of a page that embeds the chat.
    fn embedding(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let known = self.own.iter().chain(&self.extra);
        known
            .into_iter()
            .any(|known| known.as_bytes() == origin.as_bytes())
            .then(|| origin.clone())
    }
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> String {
    let end = url.find("://").map_or(0, |at| at + 3);
    let host_end = url[end..].find('/').map_or(url.len(), |at| end + at);
    url[..host_end].to_string()
}

/// Refuses what comes from a page that is not ours.
pub async fn own_only(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let allowed = match headers.contains_key(header::UPGRADE) {
        true => app.origins.own_page_or_desk(headers),
        false => app.origins.own_or_absent(headers),
    };
    if allowed {
        next.run(request).await
    } else {
        Refusal::from(ErrorCode::ForeignOrigin).into_response()
    }
}

/// Direct Line may also be used by the configured pages; a browser asks first.
pub async fn embedding_too(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if !app.origins.known_or_absent(request.headers()) {
        return Refusal::from(ErrorCode::ForeignOrigin).into_response();
    }
    let origin = app.origins.embedding(request.headers());
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("origin"));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, OPTIONS"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, x-ms-bot-agent, x-requested-with"),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_origins_match() {
        let bound = SocketAddr::from(([127, 0, 0, 1], 8080));
        let origins = Origins::new(
            "https://chat.example.com/x",
            bound,
            &["https://shop.example.com/".into()],
        );
        let asks = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            (origins.own_or_absent(&headers), origins.known_or_absent(&headers))
        };
        assert_eq!(asks("https://chat.example.com"), (true, true));
        assert_eq!(asks("http://localhost:8080"), (true, true));
        assert_eq!(asks("https://shop.example.com"), (false, true));
        assert_eq!(asks("https://chat.example.com.evil.test"), (false, false));
        assert_eq!(asks("null"), (false, false));
        assert!(origins.own_or_absent(&HeaderMap::new()));

        let mut desk = HeaderMap::new();
        assert!(
            !origins.own_page_or_desk(&desk),
            "a socket must say where it comes from"
        );
        desk.insert(header::ORIGIN, HeaderValue::from_static(DESK_ORIGIN));
        assert!(origins.own_page_or_desk(&desk));
    }
}
