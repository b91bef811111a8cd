use super::{activity, stream};
use crate::{
    app::{App, now},
    customer::{self, PageMessage},
    http::{
        body::{Body, OptionalBody, bearer},
        origin,
        refusal::{Refusal, to_the_end},
    },
    router::wrong_method,
    secrets,
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, Query, State},
    http::{HeaderMap, StatusCode},
    middleware,
    routing::{get, post},
};
use serde::Deserialize;
use sightline_call::text::check_context;
use sightline_store::{
    StoreError, Writing, messages,
    threads::{self, Thread},
};
use sightline_wire::{
    ErrorCode, Problem,
    conversation::Context,
    directline::{Activity, ActivitySet, ChannelAccount, ConversationStarted, ResourceResponse, WebChatStart},
};
use std::{net::SocketAddr, sync::Arc};
use uuid::Uuid;

/// A page's token; the client refreshes it every 15 minutes.
const TOKEN_SECONDS: u32 = 3_600;

/// Longest name of a customer.
const MAX_NAME_CHARS: usize = 100;

/// Most activities in one answer.
pub const PAGE: i64 = 200;

/// Everything under `/v3/directline`.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/tokens/generate", post(generate))
        .route("/tokens/refresh", post(refresh))
        .route("/conversations", post(start))
        .route("/conversations/{id}", get(reconnect))
        .route("/conversations/{id}/stream", get(stream::open))
        .route("/conversations/{id}/activities", get(read).post(send))
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), origin::embedding_too))
}

/// `POST /v1/webchat/tokens`: a token for a customer's own page.
pub async fn start_web_chat(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(body): Body<WebChatStart>,
) -> Result<Json<ConversationStarted>, Refusal> {
    if app.limits.new_page.exhausted(&peer.ip(), now()) {
        return Err(ErrorCode::RateLimited.into());
    }
    app.limits.new_page.count(peer.ip(), now());
    check_context(&body.context)?;
    let user = ChannelAccount {
        name: body.name,
        ..ChannelAccount::default()
    };
    to_the_end(async move { Ok(Json(new_thread(&app, user, body.context).await?)) }).await
}

#[derive(Deserialize, Default)]
struct TokenRequest {
    #[serde(default)]
    user: Option<ChannelAccount>,
}

/// `tokens/generate`: a customer's own backend asks, with the secret.
async fn generate(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    OptionalBody(body): OptionalBody<TokenRequest>,
) -> Result<Json<ConversationStarted>, Refusal> {
    if !has_secret(&app, &headers) {
        return Err(Refusal::from(ErrorCode::NotSignedIn).with_status(403));
    }
    let user = body.and_then(|body| body.user).unwrap_or_default();
    to_the_end(async move { Ok(Json(new_thread(&app, user, Context::new()).await?)) }).await
}

/// `tokens/refresh`: the old token stays good until its own end.
async fn refresh(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<ConversationStarted>, Refusal> {
    let thread = authorised(&app, &headers, None).await?;
    to_the_end(async move { Ok(Json(token_for(&app, &thread).await?)) }).await
}

/// `POST conversations`: with a token its own thread, with the secret a new one.
async fn start(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    OptionalBody(body): OptionalBody<TokenRequest>,
) -> Result<(StatusCode, Json<ConversationStarted>), Refusal> {
    let user = body.and_then(|body| body.user).unwrap_or_default();
    let thread = if has_secret(&app, &headers) {
        let app = app.clone();
        to_the_end(async move { Ok(new_thread(&app, user, Context::new()).await?.conversation_id) }).await?
    } else {
        let thread = authorised(&app, &headers, None).await?;
        if !user.id.is_empty() {
            let (app, thread) = (app.clone(), thread.clone());
            to_the_end(async move { claim_user(&app, &thread, &user).await }).await?;
        }
        thread
    };
    let started = with_stream(&app, &headers, &thread, None).await?;
    Ok((StatusCode::CREATED, Json(started)))
}

#[derive(Deserialize)]
pub struct Since {
    #[serde(default)]
    pub watermark: Option<String>,
}

/// `GET conversations/{id}`: a fresh stream after a dropped one.
async fn reconnect(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(since): Query<Since>,
) -> Result<Json<ConversationStarted>, Refusal> {
    let thread = authorised(&app, &headers, Some(&id)).await?;
    Ok(Json(
        with_stream(&app, &headers, &thread, since.watermark.as_deref()).await?,
    ))
}

/// `GET conversations/{id}/activities`: what a client without a stream polls.
async fn read(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(since): Query<Since>,
) -> Result<Json<ActivitySet>, Refusal> {
    let id = authorised(&app, &headers, Some(&id)).await?;
    let after = activity::watermark(since.watermark.as_deref());
    let mut c = app.store.read().await?;
    let thread = threads::get(&mut c, &id).await?.ok_or(ErrorCode::NotFound)?;
    let stored = messages::of_thread_after(&mut c, &id, after, PAGE).await?;
    let last = stored.last().and_then(|m| m.thread_seq).unwrap_or(after);
    let company = &app.config.company;
    let activities = stored
        .iter()
        .map(|m| activity::from_message(&thread, company, m))
        .collect();
    Ok(Json(ActivitySet {
        activities,
        watermark: Some(last.to_string()),
    }))
}

/// `POST conversations/{id}/activities`.
async fn send(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(sent): Body<Activity>,
) -> Result<Json<ResourceResponse>, Refusal> {
    let thread = authorised(&app, &headers, Some(&id)).await?;
    to_the_end(async move {
        let seq = match sent.kind.as_str() {
            "message" => {
                let message = PageMessage {
                    client_key: activity::client_key(&sent),
                    text: sent.text.unwrap_or_default(),
                    user: (sent.from.id, clean_name(sent.from.name)),
                };
                let stored = customer::write(&app, &thread, message).await?;
                stored.thread_seq.unwrap_or(0)
            }
            "typing" => {
                customer::typing(&app, &thread).await?;
                last_seq(&app, &thread).await?
            }
            "endOfConversation" => {
                customer::leave(&app, &thread).await?;
                last_seq(&app, &thread).await?
            }
            // Web Chat announces itself with events; there is nobody here to hear them.
            "event" | "conversationUpdate" | "invoke" | "messageReaction" => last_seq(&app, &thread).await?,
            _ => {
                return Err(Problem::new(ErrorCode::BadRequest)
                    .saying("This kind of activity is not known here.")
                    .into());
            }
        };
        Ok(Json(ResourceResponse {
            id: activity::activity_id(&thread, seq),
        }))
    })
    .await
}

/// The thread that the token opens; `of` must be that one. An old token is answered with 403, which the
/// client takes as the sign to get a new one.
async fn authorised(app: &App, headers: &HeaderMap, of: Option<&str>) -> Result<String, Refusal> {
    let refused = || Refusal::from(ErrorCode::SessionExpired).with_status(403);
    if let (Some(of), true) = (of, has_secret(app, headers)) {
        let mut c = app.store.read().await?;
        let known = threads::get(&mut c, of).await?;
        return known.map(|thread| thread.id).ok_or(ErrorCode::NotFound.into());
    }
    let token = bearer(headers).ok_or_else(refused)?;
    let mut c = app.store.read().await?;
    let thread = threads::by_token(&mut c, &secrets::hash(token), now()).await?;
    let thread = thread.ok_or_else(refused)?;
    match of {
        Some(of) if of != thread => Err(ErrorCode::NotFound.into()),
        Some(_) | None => Ok(thread),
    }
}

fn has_secret(app: &App, headers: &HeaderMap) -> bool {
    match (&app.config.direct_line_secret, bearer(headers)) {
        (Some(secret), Some(given)) => secrets::equal(secret.expose(), given),
        (None, _) | (_, None) => false,
    }
}

async fn new_thread(app: &App, user: ChannelAccount, context: Context) -> Result<ConversationStarted, Refusal> {
    let thread = Thread {
        id: Uuid::new_v4().simple().to_string(),
        user_id: user.id.chars().take(MAX_NAME_CHARS).collect(),
        user_name: clean_name(user.name).unwrap_or_default(),
        context,
        conversation: None,
        last_seq: 0,
    };
    let mut writing = app.store.write().await?;
    threads::insert(writing.conn(), &thread, now()).await?;
    let token = add_token(&mut writing, &thread.id).await?;
    drop(writing.commit().await?);
    Ok(started(thread.id, token))
}

async fn token_for(app: &App, thread: &str) -> Result<ConversationStarted, Refusal> {
    let mut writing = app.store.write().await?;
    let token = add_token(&mut writing, thread).await?;
    drop(writing.commit().await?);
    Ok(started(thread.to_string(), token))
}

async fn add_token(writing: &mut Writing, thread: &str) -> Result<String, StoreError> {
    let token = secrets::token();
    let expires_at = now() + i64::from(TOKEN_SECONDS) * 1_000;
    threads::add_token(writing.conn(), &secrets::hash(&token), thread, expires_at, now()).await?;
    Ok(token)
}

fn started(conversation_id: String, token: String) -> ConversationStarted {
    ConversationStarted {
        conversation_id,
        token,
        expires_in: TOKEN_SECONDS,
        stream_url: None,
    }
}

async fn claim_user(app: &App, thread: &str, user: &ChannelAccount) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let known = threads::get(writing.conn(), thread).await?.ok_or(ErrorCode::NotFound)?;
    if known.user_id.is_empty() {
        let id: String = user.id.chars().take(MAX_NAME_CHARS).collect();
        threads::set_user(writing.conn(), thread, &id, &known.user_name).await?;
        drop(writing.commit().await?);
    }
    Ok(())
}

/// The answer that a client opens its stream with. It keeps the token it asked with.
async fn with_stream(
    app: &Arc<App>,
    headers: &HeaderMap,
    thread: &str,
    watermark: Option<&str>,
) -> Result<ConversationStarted, Refusal> {
    let ticket = app.tickets.give(thread, now());
    let after = activity::watermark(watermark);
    let base = websocket_base(app, headers);
    let url = format!("{base}/v3/directline/conversations/{thread}/stream?watermark={after}&t={ticket}");
    let token = if has_secret(app, headers) {
        let (app, thread) = (app.clone(), thread.to_string());
        to_the_end(async move { Ok(token_for(&app, &thread).await?.token) }).await?
    } else {
        bearer(headers).unwrap_or_default().to_string()
    };
    Ok(ConversationStarted {
        stream_url: Some(url),
        ..started(thread.to_string(), token)
    })
}

/// The stream's address is at the name the client used for this request, when that is one of ours.
fn websocket_base(app: &App, headers: &HeaderMap) -> String {
    let host = headers
        .get(axum::http::header::HOST)
        .and_then(|host| host.to_str().ok());
    let own = host.and_then(|host| {
        app.origins
            .own()
            .iter()
            .find(|own| own.split("://").nth(1) == Some(host))
    });
    let base = own.map_or(app.public_url.as_str(), String::as_str);
    base.replacen("http", "ws", 1)
}

async fn last_seq(app: &App, thread: &str) -> Result<i64, Refusal> {
    let mut c = app.store.read().await?;
    Ok(threads::get(&mut c, thread).await?.map_or(0, |thread| thread.last_seq))
}

fn clean_name(name: Option<String>) -> Option<String> {
    let name: String = name?.trim().chars().take(MAX_NAME_CHARS).collect();
    (!name.is_empty()).then_some(name)
}
