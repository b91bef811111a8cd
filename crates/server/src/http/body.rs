//! Bodies and path segments, with our own errors instead of the framework's.

use super::refusal::Refusal;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::de::DeserializeOwned;
use sightline_wire::{ErrorCode, Problem};
use std::str::FromStr;

/// Largest body.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// A JSON body.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Problem::new(ErrorCode::BadRequest)
                .saying("The request needs content-type application/json.")
                .into());
        }
        let bytes = read(request, state).await?;
        serde_json::from_slice(&bytes)
            .map(Body)
            .map_err(|_| ErrorCode::BadRequest.into())
    }
}

/// A JSON body that may be missing: Direct Line's clients post nothing to some routes.
pub struct OptionalBody<T>(pub Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let json = is_json(request.headers());
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        if !json {
            return Err(ErrorCode::BadRequest.into());
        }
        serde_json::from_slice(&bytes)
            .map(|body| Self(Some(body)))
            .map_err(|_| ErrorCode::BadRequest.into())
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Refusal> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status().as_u16() == 413 {
            ErrorCode::TooLarge.into()
        } else {
            ErrorCode::BadRequest.into()
        }
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .eq_ignore_ascii_case("application/json")
        })
}

/// The identifier in a route's path. What is not an identifier does not exist.
pub struct Id<T>(pub T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Refusal::from(ErrorCode::NotFound))?;
        text.parse().map(Id).map_err(|_| ErrorCode::NotFound.into())
    }
}

/// The token of `authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
