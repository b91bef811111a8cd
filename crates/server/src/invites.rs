//! The customer's link: looking at it changes nothing, joining redeems it, "Not now" declines it.

use crate::{
    app::{App, now},
    conversations::known,
    escalations::over,
    http::{
        body::{Body, Id, bearer},
        refusal::{Refusal, to_the_end},
    },
    language::locale,
    rooms::{Happened, Warm},
    secrets,
};
use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
};
use sightline_call::{
    escalation::{Happening, advance},
    invite::{InviteFacts, refusal, verdict},
};
use sightline_store::{
    SqliteConnection, Writing,
    escalations::{self, Escalation},
    rooms::{self, Pass, StoredRoom},
};
use sightline_wire::{
    ErrorCode, Problem,
    conversation::{Context, ContextValue},
    escalation::{EndReason, InviteState, InviteView, Redeem, Redeemed, Warmed},
    ids::{EscalationId, RoomId},
    room::{Offer, Party},
    survey::Survey,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// 128 bits in base64.
const MIN_BROWSER_KEY: usize = 22;
const MAX_BROWSER_KEY: usize = 200;
const MAX_COMMENT_CHARS: usize = 1_000;

/// The header that names the browser without joining.
const BROWSER: &str = "x-sightline-browser";

/// `GET /v1/invites/{code}`.
pub async fn look(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Id(code): Id<String>,
    headers: HeaderMap,
) -> Result<Json<InviteView>, Refusal> {
    let browser = headers
        .get(BROWSER)
        .and_then(|key| key.to_str().ok())
        .map(secrets::hash);
    let mut c = app.store.read().await?;
    let call = by_code(&app, &mut c, &code, peer.ip()).await?;
    let conversation = known(&mut c, call.conversation).await?;
    Ok(Json(InviteView {
        survey: may_be_asked(&conversation.context),
        sound: conversation.channel.sound(),
        locale: locale(&conversation.context),
        state: state_for(&call, browser.as_deref()),
        agent_name: call.agent_name,
        company: app.config.company.clone(),
        expires_at: call.expires_at,
    }))
}

/// `POST /v1/invites/{code}/redeem`.
pub async fn redeem(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Id(code): Id<String>,
    Body(body): Body<Redeem>,
) -> Result<Json<Redeemed>, Refusal> {
    let browser = browser_hash(&body)?;
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let call = by_code(&app, writing.conn(), &code, peer.ip()).await?;
        let room_token = secrets::token();
        let room = seat(&app, writing, &call, &browser, &secrets::hash(&room_token)).await?;
        app.rooms.happened(call.room, Happened::Redeemed).await;
        let ice = app.ice_for(Party::Customer, call.room);
        Ok(Json(Redeemed {
            room: call.room,
            room_token,
            agent_name: call.agent_name,
            company: app.config.company.clone(),
            offer: waiting_offer(room),
            ice_servers: ice.servers,
            ice_policy: ice.policy,
        }))
    })
    .await
}

/// `POST /v1/invites/{code}/warm`: a token to connect with ahead of the tap. It spends nothing and seats nobody;
/// the newest one of an invite counts.
pub async fn warm(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Id(code): Id<String>,
    Body(body): Body<Redeem>,
) -> Result<Json<Warmed>, Refusal> {
    let browser = browser_hash(&body)?;
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        let call = by_code(&app, c, &code, peer.ip()).await?;
        if let Some(code) = refusal(state_for(&call, Some(&browser))) {
            return Err(Problem::new(code).in_escalation(call.id).into());
        }
        if call.redeemed_at.is_some() {
            return Err(Problem::new(ErrorCode::InviteInUse).in_escalation(call.id).into());
        }
        if app.limits.warm.exhausted(&call.room, now()) {
            return Err(ErrorCode::RateLimited.into());
        }
        app.limits.warm.count(call.room, now());
        let room_token = secrets::token();
        rooms::set_warm(c, call.room, &secrets::hash(&room_token), &browser).await?;
        let room = rooms::get(c, call.room).await?.ok_or(ErrorCode::Internal)?;
        drop(writing.commit().await?);
        tracing::info!(escalation = %call.id, "link opened");
        let ice = app.ice_before_join(call.room);
        Ok(Json(Warmed {
            room_token,
            offer: waiting_offer(room),
            ice_servers: ice.servers,
            ice_policy: ice.policy,
        }))
    })
    .await
}

/// The tap over a warm socket: its token becomes a full one.
pub async fn join(app: &App, id: EscalationId, warm: &Warm) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let call = escalations::get(writing.conn(), id).await?.ok_or(ErrorCode::NotFound)?;
    seat(app, writing, &call, &warm.browser_hash, &warm.token_hash).await?;
    Ok(())
}

/// Redeems the invite for a browser and makes the token a customer's, in one transaction.
async fn seat(
    app: &App,
    mut writing: Writing,
    call: &Escalation,
    browser_hash: &str,
    token_hash: &str,
) -> Result<StoredRoom, Refusal> {
    if let Some(code) = refusal(state_for(call, Some(browser_hash))) {
        return Err(Problem::new(code).in_escalation(call.id).into());
    }
    let c = writing.conn();
    escalations::bind_browser(c, call.id, browser_hash, now()).await?;
    if let Some(state) = advance(call.state, Happening::Redeemed, now()) {
        escalations::set_state(c, call.id, state).await?;
    }
    rooms::clear_warm(c, call.room).await?;
    rooms::add_token(c, token_hash, call.room, Party::Customer).await?;
    let room = rooms::get(c, call.room).await?.ok_or(ErrorCode::Internal)?;
    let before = known(c, call.conversation).await?.state;
    app.settle(writing, call.conversation, before, Vec::new()).await?;
    tracing::info!(escalation = %call.id, "invite redeemed");
    Ok(room)
}

/// An answered offer belongs to a peer connection that a new page does not have.
fn waiting_offer(room: StoredRoom) -> Option<Offer> {
    room.offer.filter(|_| room.answer.is_none())
}

/// `POST /v1/invites/{code}/decline`.
pub async fn decline(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Id(code): Id<String>,
    Body(body): Body<Redeem>,
) -> Result<StatusCode, Refusal> {
    let browser = browser_hash(&body)?;
    to_the_end(async move {
        let call = {
            let mut c = app.store.read().await?;
            by_code(&app, &mut c, &code, peer.ip()).await?
        };
        if let Some(code) = refusal(state_for(&call, Some(&browser))) {
            return Err(Problem::new(code).in_escalation(call.id).into());
        }
        over(&app, call.id, EndReason::CustomerDeclined).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `POST /v1/rooms/{room}/survey`: with the customer's room token, in the call or after it.
pub async fn survey(
    State(app): State<Arc<App>>,
    Id(room): Id<RoomId>,
    headers: HeaderMap,
    Body(mut survey): Body<Survey>,
) -> Result<StatusCode, Refusal> {
    let token = secrets::hash(bearer(&headers).ok_or(ErrorCode::RoomRefused)?);
    if survey.comment.chars().count() > MAX_COMMENT_CHARS {
        return Err(Problem::new(ErrorCode::TooLarge)
            .saying("The comment is longer than 1,000 characters.")
            .into());
    }
    survey.issues.sort_unstable();
    survey.issues.dedup();
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        if rooms::by_token(c, &token).await? != Some((room, Pass::Seat(Party::Customer))) {
            return Err(ErrorCode::RoomRefused.into());
        }
        let call = escalations::by_room(c, room).await?.ok_or(ErrorCode::RoomRefused)?;
        escalations::set_survey(c, call.id, &survey).await?;
        let before = known(c, call.conversation).await?.state;
        app.settle(writing, call.conversation, before, Vec::new()).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The call behind a code. Guessing is stopped after some misses; real codes go on working for everybody
/// behind the same address.
async fn by_code(app: &App, c: &mut SqliteConnection, code: &str, from: IpAddr) -> Result<Escalation, Refusal> {
    if let Some(call) = escalations::by_code(c, code).await? {
        return Ok(call);
    }
    if app.limits.unknown_code.exhausted(&from, now()) {
        return Err(ErrorCode::RateLimited.into());
    }
    app.limits.unknown_code.count(from, now());
    Err(ErrorCode::InviteUnknown.into())
}

/// A bot may have asked before whether the customer wants to be; one that has not declared the variable sends text.
fn may_be_asked(context: &Context) -> bool {
    match context.get("surveyConsent") {
        Some(ContextValue::Truth(consent)) => *consent,
        Some(ContextValue::Text(text)) => !["false", "no"].iter().any(|no| text.trim().eq_ignore_ascii_case(no)),
        Some(ContextValue::Number(number)) => *number != 0.0,
        None => true,
    }
}

fn state_for(call: &Escalation, browser: Option<&str>) -> InviteState {
    let facts = InviteFacts {
        escalation: call.state,
        expires_at: call.expires_at,
        bound_to: call.browser_hash.as_deref().map(str::as_bytes),
        browser: browser.map(str::as_bytes),
    };
    verdict(facts, now())
}

fn browser_hash(body: &Redeem) -> Result<String, Refusal> {
    if !(MIN_BROWSER_KEY..=MAX_BROWSER_KEY).contains(&body.browser_key.len()) {
        return Err(Problem::new(ErrorCode::BadRequest)
            .saying("The browser's key needs at least 128 bits.")
            .into());
    }
    Ok(secrets::hash(&body.browser_key))
}
