//! Every route, as docs/api.md lists them.

use crate::{
    agent_socket,
    app::App,
    auth, call_stats,
    connectors::{edit, hooks, meetings, routes as connectors},
    conversations, directline, echo, escalations, files,
    http::{body::MAX_BODY_BYTES, origin, refusal::Refusal},
    invites, links, pages, probe, readiness, rooms,
    routing::{routes, transfer, why},
    supervision::{acts, audit},
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post, put},
};
use sightline_wire::{ErrorCode, MAX_FILE_BYTES};
use std::sync::Arc;

/// The whole interface.
pub fn router(app: Arc<App>) -> Router {
    let ours = Router::new()
        .route("/v1/auth/sign-in", post(auth::sign_in))
        .route("/v1/auth/refresh", post(auth::refresh))
        .route("/v1/auth/sign-out", post(auth::sign_out))
        .route("/v1/agent/socket", get(agent_socket::open))
        .route(
            "/v1/conversations/{id}",
            get(conversations::get).patch(conversations::edit),
        )
        .route("/v1/conversations/{id}/accept", post(conversations::accept))
        .route("/v1/conversations/{id}/decline", post(routes::decline))
        .route("/v1/conversations/{id}/transfer", post(transfer::transfer))
        .route("/v1/conversations/{id}/targets", get(transfer::targets))
        .route("/v1/conversations/{id}/why", get(why::why))
        .route(
            "/v1/conversations/{id}/messages",
            get(conversations::read).post(conversations::send),
        )
        .route(
            "/v1/conversations/{id}/files",
            post(files::agents::send).layer(DefaultBodyLimit::max(MAX_FILE_BYTES)),
        )
        .route("/v1/conversations/{id}/chat-link", post(links::routes::send))
        .route("/v1/conversations/{id}/meeting", post(meetings::make))
        .route("/v1/conversations/{id}/escalations", post(escalations::start))
        .route("/v1/conversations/{id}/wrap-up", post(conversations::wrap_up))
        .route("/v1/conversations/{id}/close", post(conversations::close))
        .route("/v1/conversations/{id}/join", post(acts::join))
        .route("/v1/conversations/{id}/leave", post(acts::leave))
        .route("/v1/conversations/{id}/assign", post(acts::assign))
        .route("/v1/conversations/{id}/force-close", post(acts::force_close))
        .route("/v1/audit", get(audit::page))
        .route("/v1/audit/check", get(audit::check))
        .route("/v1/escalations/{id}/rejoin", post(escalations::rejoin))
        .route("/v1/escalations/{id}/resend", post(escalations::resend))
        .route("/v1/escalations/{id}/end", post(escalations::end))
        .route("/v1/escalations/{id}/fail", post(escalations::fail))
        .route("/v1/escalations/{id}/stats", get(call_stats::get).post(call_stats::add))
        .route("/v1/readiness", get(readiness::routes::own))
        .route("/v1/readiness/reports", post(readiness::routes::report))
        .route("/v1/readiness/board", get(readiness::routes::board_rows))
        .route("/v1/readiness/board.csv", get(readiness::routes::board_csv))
        .route(
            "/v1/readiness/agents/{account}/reports",
            get(readiness::routes::reports),
        )
        .route("/v1/readiness/agents/{account}/test", post(readiness::routes::ask))
        .route("/v1/self-test/calls", post(echo::call))
        .route("/v1/self-test/calls/{escalation}/heard", get(echo::heard))
        .route("/v1/files/{id}", get(files::routes::get))
        .route("/v1/files/{id}/link", post(files::routes::link))
        .route("/v1/webchat/tokens", post(directline::start_web_chat))
        .route("/v1/invites/{code}", get(invites::look))
        .route("/v1/invites/{code}/warm", post(invites::warm))
        .route("/v1/invites/{code}/redeem", post(invites::redeem))
        .route("/v1/invites/{code}/decline", post(invites::decline))
        .route("/v1/rooms/{room}/survey", post(invites::survey))
        .route("/v1/rooms/socket", get(rooms::open))
        .route("/v1/connectors", get(connectors::list))
        .route("/v1/connector-kinds", get(edit::kinds))
        .route("/v1/connectors/{name}", put(edit::save).delete(edit::remove))
        .route("/v1/connectors/{name}/test", post(connectors::test))
        .route("/v1/connectors/{name}/enable", post(connectors::enable))
        .route("/v1/connectors/{name}/disable", post(connectors::disable))
        .route("/v1/dead-letters", get(connectors::letters))
        .route("/v1/dead-letters/{id}/resend", post(connectors::resend))
        .route("/v1/dead-letters/{id}/discard", post(connectors::discard))
        .route("/v1/probe", get(probe::who))
        .route("/v1/probe/ice", get(probe::ice))
        .route("/v1/probe/down", get(probe::down))
        .route("/v1/probe/up", post(probe::up))
        .layer(middleware::from_fn_with_state(app.clone(), origin::own_only));
    let pages = Router::new()
        .route("/", get(pages::chat))
        .route("/chat", get(pages::chat))
        .route("/c/{code}", get(pages::chat_link))
        .route("/j/{code}", get(pages::join))
        .route("/widget.js", get(pages::widget))
        .route("/assets/{*path}", get(pages::asset));
    Router::new()
        .merge(ours)
        .route(
            "/v1/hooks/{connector}",
            any(hooks::receive).layer(DefaultBodyLimit::max(hooks::LONGEST_BODY)),
        )
        .nest("/v3/directline", directline::router(&app))
        .merge(pages)
        .route("/healthz", get(|| async { "ok" }))
        .fallback(|| async { Refusal::from(ErrorCode::NotFound) })
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(common_headers))
        .with_state(app)
}

/// Set before a router's layers, so that they hold for it too: a browser's preflight is such a request.
pub async fn wrong_method() -> Refusal {
    Refusal::from(ErrorCode::NotFound).with_status(405)
}

/// What every answer carries. Answers of the interface are nobody's to keep.
async fn common_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
