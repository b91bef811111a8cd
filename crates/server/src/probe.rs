//! What a desk's self-test asks: who is here and what time it is, which relays there are, and how much the line
//! carries.
//!
//! Transfers are for those signed in and bounded in size, number and time: nobody can fill somebody else's line with
//! the help of this server.

use crate::{
    app::{App, now},
    auth::SignedIn,
    http::refusal::Refusal,
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::IntoResponse,
};
use futures_util::StreamExt;
use sightline_wire::{
    ErrorCode,
    escalation::IceConfig,
    ids::{AccountId, RoomId},
    probe::{MAX_TRANSFER_BYTES, PRODUCT, Probed, Uploaded},
    room::Party,
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::time::timeout;
use uuid::Uuid;

/// An upload that is slower than this is cut off: 1 MiB in that time is 0.4 Mbit/s, and the desk sends less on a
/// narrow line.
const LONGEST_UPLOAD: Duration = Duration::from_secs(20);

/// `GET /v1/probe`: for anybody.
pub async fn who() -> Json<Probed> {
    Json(Probed {
        product: PRODUCT.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        at: now(),
    })
}

/// `GET /v1/probe/ice`: servers to be tried, with credentials of their own that belong to no room.
pub async fn ice(State(app): State<Arc<App>>, SignedIn { account }: SignedIn) -> Result<Json<IceConfig>, Refusal> {
    take_turn(&app, account.id)?;
    Ok(Json(app.ice_for(Party::Agent, RoomId(Uuid::new_v4()))))
}

/// What a download is asked for.
#[derive(serde::Deserialize)]
pub struct Wanted {
    bytes: usize,
}

/// `GET /v1/probe/down?bytes=`: so many random bytes, which no compression on the way makes fewer.
pub async fn down(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<impl IntoResponse, Refusal> {
    let Query(wanted) = wanted.map_err(|_| ErrorCode::BadRequest)?;
    if wanted.bytes > MAX_TRANSFER_BYTES {
        return Err(ErrorCode::TooLarge.into());
    }
    take_turn(&app, account.id)?;
    let bytes = noise().slice(..wanted.bytes);
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes))
}

/// `POST /v1/probe/up`: counts what comes and keeps none of it.
pub async fn up(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    body: Body,
) -> Result<Json<Uploaded>, Refusal> {
    take_turn(&app, account.id)?;
    let count = async move {
        let (mut stream, mut bytes) = (body.into_data_stream(), 0);
        while let Some(piece) = stream.next().await {
            bytes += piece.map_err(|_| ErrorCode::BadRequest)?.len();
            if bytes > MAX_TRANSFER_BYTES {
                return Err(ErrorCode::TooLarge);
            }
        }
        Ok(bytes)
    };
    let bytes = timeout(LONGEST_UPLOAD, count)
        .await
        .map_err(|_| ErrorCode::TooLarge)??;
    Ok(Json(Uploaded { bytes: bytes as u64 }))
}

/// Made once: random bytes are for nobody to guess, here they only must not shrink.
fn noise() -> &'static Bytes {
    static NOISE: OnceLock<Bytes> = OnceLock::new();
    NOISE.get_or_init(|| {
        let mut bytes = vec![0_u8; MAX_TRANSFER_BYTES];
        getrandom::fill(&mut bytes).expect("the system's random source answers");
        bytes.into()
    })
}

fn take_turn(app: &App, account: AccountId) -> Result<(), Refusal> {
    if app.limits.probe.exhausted(&account, now()) {
        return Err(ErrorCode::RateLimited.into());
    }
    app.limits.probe.count(account, now());
    Ok(())
}
