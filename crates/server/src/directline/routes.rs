use super::{activity, entry, errors, sending, stream};
use crate::{
    app::{App, now},
    files::routes as files,
    http::{
        body::{Body, Id, OptionalBody, bearer},
        origin,
        refusal::{Refusal, to_the_end},
    },
    router::wrong_method,
    secrets,
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    routing::{get, post},
};
use serde::Deserialize;
use sightline_call::text::{check_context, one_line};
use sightline_connect::bot::variables::{LiveChat, of_live_chat};
use sightline_store::{
    SqliteConnection, StoreError, messages,
    threads::{self, Origin, Thread},
};
use sightline_wire::{
    ErrorCode, Problem,
    directline::{ActivitySet, ChannelAccount, ConversationStarted, WebChatStart},
};
use std::{net::SocketAddr, ops::RangeInclusive, sync::Arc};
use uuid::Uuid;

/// A page's token; the client refreshes it every 15 minutes.
const TOKEN_SECONDS: u32 = 3_600;

/// Longest name of a customer.
const MAX_NAME_CHARS: usize = 100;

/// Lengths of a browser's key.
const BROWSER_KEY: RangeInclusive<usize> = 22..=200;

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
        .route(
            "/conversations/{id}/activities",
            get(read)
                .post(sending::send)
                .layer(DefaultBodyLimit::max(sending::LONGEST_ACTIVITY)),
        )
        .route(
            "/conversations/{id}/upload",
            post(sending::upload).layer(DefaultBodyLimit::max(sending::LONGEST_BODY)),
        )
        .route("/conversations/{id}/files/{file}", get(files::by_address))
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), origin::embedding_too))
        .layer(middleware::map_response(errors::in_their_shape))
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
    let page = of_live_chat(&body.context).map_err(|variable| {
        Problem::new(ErrorCode::BadContextVariable).saying(format!(
            "{} is neither a text nor a number nor yes or no.",
            one_line(&variable.name)
        ))
    })?;
    check_context(&page.context)?;
    if body
        .browser_key
        .as_ref()
        .is_some_and(|key| !BROWSER_KEY.contains(&key.len()))
    {
        return Err(ErrorCode::BadRequest.into());
    }
    let user = ChannelAccount {
        name: body.name,
        ..ChannelAccount::default()
    };
    to_the_end(async move {
        if let Some(entry) = &body.entry {
            let name = clean_name(user.name.clone());
            let begun = entry::start(&app, entry, body.browser_key.as_deref(), name, page.clone()).await?;
            if let Some(begun) = begun {
                return Ok(Json(begun));
            }
        }
        Ok(Json(new_thread(&app, user, page, &[]).await?))
    })
    .await
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct TokenRequest {
    #[serde(default)]
    user: Option<ChannelAccount>,
    #[serde(default)]
    trusted_origins: Vec<String>,
}

/// Most origins of one token.
const MOST_ORIGINS: usize = 20;

/// `tokens/generate`: a customer's own backend asks, with the secret.
async fn generate(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    OptionalBody(body): OptionalBody<TokenRequest>,
) -> Result<Json<ConversationStarted>, Refusal> {
    if !has_secret(&app, &headers) {
        return Err(Refusal::from(ErrorCode::NotSignedIn).with_status(403));
    }
    let TokenRequest { user, trusted_origins } = body.unwrap_or_default();
    let origins = trusted(trusted_origins)?;
    let user = user.unwrap_or_default();
    to_the_end(async move { Ok(Json(new_thread(&app, user, LiveChat::default(), &origins).await?)) }).await
}

/// Origins as browsers name them; an empty list stands for all pages.
fn trusted(origins: Vec<String>) -> Result<Vec<String>, Refusal> {
    let whole = |origin: &String| {
        let rest = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        rest.is_some_and(|host| !host.is_empty() && host.len() <= 255)
    };
    let origins: Vec<String> = origins
        .into_iter()
        .map(|origin| origin.trim_end_matches('/').to_owned())
        .collect();
    if origins.len() > MOST_ORIGINS || !origins.iter().all(whole) {
        return Err(Problem::new(ErrorCode::BadRequest)
            .saying("trustedOrigins holds at most 20 addresses such as https://shop.example.com.")
            .into());
    }
    Ok(origins)
}

/// `tokens/refresh`: the old token stays good until its own end. The secret is no token, so it cannot be refreshed.
async fn refresh(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<ConversationStarted>, Refusal> {
    let Authorised { thread, origins, .. } = authorised(&app, &headers, None).await?;
    to_the_end(async move { Ok(Json(token_for(&app, &thread, &origins).await?)) }).await
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
        to_the_end(async move {
            let begun = new_thread(&app, user, LiveChat::default(), &[]).await?;
            Ok(begun.conversation_id)
        })
        .await?
    } else {
        let Authorised { thread, .. } = authorised(&app, &headers, None).await?;
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
    Id(id): Id<String>,
    Query(since): Query<Since>,
) -> Result<Json<ConversationStarted>, Refusal> {
    let Authorised { thread, .. } = authorised(&app, &headers, Some(&id)).await?;
    Ok(Json(
        with_stream(&app, &headers, &thread, since.watermark.as_deref()).await?,
    ))
}

/// `GET conversations/{id}/activities`: what a client without a stream polls.
async fn read(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Id(id): Id<String>,
    Query(since): Query<Since>,
) -> Result<Json<ActivitySet>, Refusal> {
    let Authorised { thread: id, .. } = authorised(&app, &headers, Some(&id)).await?;
    let after = activity::watermark(since.watermark.as_deref());
    let mut c = app.store.read().await?;
    let thread = threads::get(&mut c, &id).await?.ok_or(ErrorCode::NotFound)?;
    let stored = messages::of_thread_after(&mut c, &id, after, PAGE).await?;
    let last = stored.last().and_then(|m| m.thread_seq).unwrap_or(after);
    let company = &app.config.company;
    let address = |file| files::address(&app, &id, file);
    let activities = stored
        .iter()
        .map(|m| activity::from_message(&thread, company, m, &address))
        .collect();
    Ok(Json(ActivitySet {
        activities,
        watermark: Some(last.to_string()),
    }))
}

/// Who may what: with a token its own thread, with the secret every one.
pub struct Authorised {
    /// The thread.
    pub thread: String,
    /// Somebody's own backend, which is believed.
    pub backend: bool,
    /// The pages that may use the token; empty for all.
    origins: Vec<String>,
}

/// The thread that the token opens; `of` must be that one. An old token is answered with 403, which the
/// client takes as the sign to get a new one.
pub async fn authorised(app: &App, headers: &HeaderMap, of: Option<&str>) -> Result<Authorised, Refusal> {
    let refused = || Refusal::from(ErrorCode::SessionExpired).with_status(403);
    if let (Some(of), true) = (of, has_secret(app, headers)) {
        let mut c = app.store.read().await?;
        let known = threads::get(&mut c, of).await?.ok_or(ErrorCode::NotFound)?;
        app.away.seen(&known.id);
        return Ok(Authorised {
            thread: known.id,
            backend: true,
            origins: Vec::new(),
        });
    }
    let token = bearer(headers).ok_or_else(refused)?;
    let mut c = app.store.read().await?;
    let known = threads::by_token(&mut c, &secrets::hash(token), now()).await?;
    let (thread, origins) = known.ok_or_else(refused)?;
    let page = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    if let Some(page) = page
        && !origins.is_empty()
        && !origins.iter().any(|origin| origin.as_bytes() == page)
    {
        return Err(ErrorCode::ForeignOrigin.into());
    }
    match of {
        Some(of) if of != thread => Err(ErrorCode::NotFound.into()),
        Some(_) | None => {
            app.away.seen(&thread);
            Ok(Authorised {
                thread,
                backend: false,
                origins,
            })
        }
    }
}

fn has_secret(app: &App, headers: &HeaderMap) -> bool {
    match (&app.config.direct_line_secret, bearer(headers)) {
        (Some(secret), Some(given)) => secrets::equal(secret.expose(), given),
        (None, _) | (_, None) => false,
    }
}

async fn new_thread(
    app: &App,
    user: ChannelAccount,
    page: LiveChat,
    origins: &[String],
) -> Result<ConversationStarted, Refusal> {
    let thread = Thread {
        id: Uuid::new_v4().simple().to_string(),
        origin: Origin::Page,
        user_id: user.id.chars().take(MAX_NAME_CHARS).collect(),
        user_name: clean_name(user.name).unwrap_or_default(),
        context: page.context,
        conversation: None,
        last_seq: 0,
    };
    let mut writing = app.store.write().await?;
    threads::insert(writing.conn(), &thread, now()).await?;
    threads::hide(writing.conn(), &thread.id, &page.hidden.into_iter().collect::<Vec<_>>()).await?;
    let token = add_token(writing.conn(), &thread.id, origins).await?;
    drop(writing.commit().await?);
    Ok(started(thread.id, token))
}

async fn token_for(app: &App, thread: &str, origins: &[String]) -> Result<ConversationStarted, Refusal> {
    let mut writing = app.store.write().await?;
    let token = add_token(writing.conn(), thread, origins).await?;
    drop(writing.commit().await?);
    Ok(started(thread.to_string(), token))
}

/// Another bearer token of the thread.
pub async fn add_token(c: &mut SqliteConnection, thread: &str, origins: &[String]) -> Result<String, StoreError> {
    let token = secrets::token();
    let expires_at = now() + i64::from(TOKEN_SECONDS) * 1_000;
    threads::add_token(c, &secrets::hash(&token), (thread, origins), expires_at, now()).await?;
    Ok(token)
}

/// The answer to whoever has got one.
pub fn started(conversation_id: String, token: String) -> ConversationStarted {
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
        to_the_end(async move { Ok(token_for(&app, &thread, &[]).await?.token) }).await?
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
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let own = host.and_then(|host| {
        app.origins
            .own()
            .iter()
            .find(|own| own.split("://").nth(1) == Some(host))
    });
    let base = own.map_or(app.public_url.as_str(), String::as_str);
    base.replacen("http", "ws", 1)
}

/// A name as it is shown, if there is one.
pub fn clean_name(name: Option<String>) -> Option<String> {
    let name: String = name?.trim().chars().take(MAX_NAME_CHARS).collect();
    (!name.is_empty()).then_some(name)
}
