//! How a file leaves: to the page of its thread, to agents who may read its conversation, and by a link that says until when.

use crate::{
    app::{App, now},
    auth::SignedIn,
    config::Secret,
    conversations::readable,
    http::{body::Id, refusal::Refusal},
    secrets,
};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use sightline_store::files::{self, StoredFile};
use sightline_wire::{
    ErrorCode, UnixMillis,
    conversation::{FileLink, is_picture},
    ids::FileId,
};
use std::{fmt::Write, sync::Arc};

/// How long the addresses work that a customer's page gets with its messages; it gets new ones whenever it reads.
const PAGES_MS: i64 = 24 * 3_600_000;

/// How long an agent's link works: it is opened at once.
const AGENTS_MS: i64 = 10 * 60_000;

/// The address of a file for its customer's page, which has no way to show a bearer token for a picture.
pub fn address(app: &App, thread: &str, file: FileId) -> String {
    signed(app, thread, file, now() + PAGES_MS)
}

fn signed(app: &App, thread: &str, file: FileId, until: UnixMillis) -> String {
    let signature = signature(&app.link_key, thread, file, until);
    format!(
        "{}/v3/directline/conversations/{thread}/files/{file}?e={until}&t={signature}",
        app.public_url
    )
}

fn signature(key: &Secret, thread: &str, file: FileId, until: UnixMillis) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("a key of any length fits");
    mac.update(format!("file {thread} {file} {until}").as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[derive(Deserialize)]
pub struct Signed {
    e: UnixMillis,
    t: String,
}

/// `GET /v3/directline/conversations/{id}/files/{file}?e=&t=`.
pub async fn by_address(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Result<Query<Signed>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Path((thread, file)) = path.map_err(|_| ErrorCode::NotFound)?;
    let expired = || Refusal::from(ErrorCode::SessionExpired).with_status(403);
    let Query(given) = query.map_err(|_| expired())?;
    let file: FileId = file.parse().map_err(|_| ErrorCode::NotFound)?;
    let right = secrets::equal(&given.t, &signature(&app.link_key, &thread, file, given.e));
    if !right || given.e <= now() {
        return Err(expired());
    }
    let stored = stored(&app, file).await?;
    if stored.thread != thread {
        return Err(ErrorCode::NotFound.into());
    }
    Ok(answer(stored))
}

/// `GET /v1/files/{id}`: for whoever may read the conversation.
pub async fn get(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(file): Id<FileId>,
) -> Result<Response, Refusal> {
    let stored = stored(&app, file).await?;
    readable(&app, &account, stored.conversation).await?;
    Ok(answer(stored))
}

/// `POST /v1/files/{id}/link`: the same for a browser, which has no way to sign in.
pub async fn link(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(file): Id<FileId>,
) -> Result<Json<FileLink>, Refusal> {
    let stored = stored(&app, file).await?;
    readable(&app, &account, stored.conversation).await?;
    let expires_at = now() + AGENTS_MS;
    Ok(Json(FileLink {
        url: signed(&app, &stored.thread, file, expires_at),
        expires_at,
        kind: stored.kind,
    }))
}

async fn stored(app: &App, file: FileId) -> Result<StoredFile, Refusal> {
    let mut c = app.store.read().await?;
    files::get(&mut c, file).await?.ok_or(ErrorCode::NotFound.into())
}

/// Pictures are shown, everything else is to be kept; nothing of it runs, whatever a browser makes of it.
fn answer(file: StoredFile) -> Response {
    let how = if is_picture(&file.kind) { "inline" } else { "attachment" };
    let disposition = disposition(how, &file.name);
    let kind = match file.kind.as_str() {
        "text/plain" | "text/csv" => format!("{}; charset=utf-8", file.kind),
        other => other.to_owned(),
    };
    let mut response = file.content.into_response();
    let headers = response.headers_mut();
    let text =
        |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, text(kind));
    headers.insert(header::CONTENT_DISPOSITION, text(disposition));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    response
}

/// The name twice: for old readers without what is not ASCII, and whole (RFC 6266).
fn disposition(how: &str, name: &str) -> String {
    let name = if name.is_empty() { "file" } else { name };
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    let whole = name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    });
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

/// The bytes of a `data:` address (RFC 2397) with its media type; `None` for what is none.
pub fn of_data_address(address: &str) -> Option<(String, Vec<u8>)> {
    use base64::engine::general_purpose::STANDARD;
    let rest = address.strip_prefix("data:")?;
    let (head, data) = rest.split_once(',')?;
    let kind = head.strip_suffix(";base64")?;
    Some((kind.to_owned(), STANDARD.decode(data.trim()).ok()?))
}

/// What a header `content-disposition` calls the file.
pub fn name_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let (_, rest) = value.split_once("filename=")?;
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => rest.split(';').next().unwrap_or_default().trim(),
    };
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_header() {
        assert_eq!(
            disposition("inline", "a\"; b=\"c é.png"),
            "inline; filename=\"a_; b=_c _.png\"; filename*=UTF-8''a%22%3B%20b%3D%22c%20%C3%A9.png"
        );
    }

    #[test]
    fn data_addresses_are_read() {
        let read = of_data_address("data:text/plain;base64,aGVsbG8=");
        assert_eq!(read, Some(("text/plain".into(), b"hello".to_vec())));
        for other in [
            "data:,hello",
            "data:text/plain;base64,%%",
            "https://a/b",
            "data:text/plain;base64",
        ] {
            assert_eq!(of_data_address(other), None, "{other}");
        }
    }
}
