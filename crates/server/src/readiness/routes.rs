//! Reports come in, leases, reports and the board go out.

use super::{board, mine, policy, step, stored};
use crate::{
    app::{App, now},
    auth,
    auth::SignedIn,
    http::{
        body::{Body, Id, bearer},
        refusal::{Refusal, to_the_end},
    },
};
use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use sightline_call::readiness::{lease::LeaseInput, path_in_words};
use sightline_store::{accounts, readiness};
use sightline_wire::{
    ErrorCode, Problem,
    account::{Account, Role},
    ids::{AccountId, DeskId},
    readiness::{BoardRow, Extent, MyReadiness, Report},
};
use std::sync::Arc;

/// Says which desk speaks, as in a socket's `hello`; the desk whose socket belongs to the same sign-in needs no word.
const DESK: &str = "x-sightline-desk";

/// Who speaks, and from which desk, as far as that is known.
pub struct AtDesk {
    account: Account,
    desk: Option<DeskId>,
}

impl FromRequestParts<Arc<App>> for AtDesk {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let token = bearer(&parts.headers).ok_or(ErrorCode::NotSignedIn)?;
        let (account, family) = auth::who(app, token).await?;
        let desk = match parts.headers.get(DESK) {
            Some(named) => {
                let named = named.to_str().ok().and_then(|text| text.parse().ok());
                Some(named.ok_or(ErrorCode::BadRequest)?)
            }
            None => app.desks.signed_in(account.id, &family),
        };
        Ok(Self { account, desk })
    }
}

/// `POST /v1/readiness/reports`: a self-test becomes a lease, or takes one away. The same one twice counts once.
pub async fn report(
    State(app): State<Arc<App>>,
    AtDesk { account, desk }: AtDesk,
    Body(report): Body<Report>,
) -> Result<Json<MyReadiness>, Refusal> {
    let desk = desk
        .ok_or_else(|| Problem::new(ErrorCode::BadRequest).saying("The report does not say which desk it is about."))?;
    policy::check_shape(&report)?;
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        if let Some(sender) = readiness::sender(c, report.id).await? {
            if sender != account.id {
                return Err(ErrorCode::BadRequest.into());
            }
            let mine = mine(&app, c, account.id, Some(desk)).await?;
            drop(writing.commit().await?);
            return Ok(Json(mine));
        }
        let report = policy::weighed(report, &app.config.readiness);
        let at = now();
        readiness::add_report(c, account.id, desk, &report, at).await?;
        let mut lease = stored(&app, c, account.id, desk).await?;
        lease.seen_at = at;
        if report.extent == Extent::Full {
            lease.path = path_in_words(&report.checks);
            app.readiness.asked.end(account.id);
        }
        let news = step(&app, c, lease, LeaseInput::Report(&report)).await?;
        let mine = mine(&app, c, account.id, Some(desk)).await?;
        let committed = writing.commit().await?;
        tracing::info!(account = %account.id, %desk, extent = ?report.extent, readiness = ?report.readiness, "self-test");
        if let Some(news) = news {
            app.tell_readiness(news);
        }
        drop(committed);
        Ok(Json(mine))
    })
    .await
}

/// `GET /v1/readiness`: what this desk may be offered.
pub async fn own(State(app): State<Arc<App>>, AtDesk { account, desk }: AtDesk) -> Result<Json<MyReadiness>, Refusal> {
    let mut c = app.store.read().await?;
    Ok(Json(mine(&app, &mut c, account.id, desk).await?))
}

/// `GET /v1/readiness/agents/{account}/reports`: an agent's own, and everybody's for supervisors; newest first.
pub async fn reports(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(agent): Id<AccountId>,
) -> Result<Json<Vec<Report>>, Refusal> {
    if account.id != agent {
        supervises(&account)?;
    }
    let mut c = app.store.read().await?;
    accounts::by_id(&mut c, agent).await?.ok_or(ErrorCode::NotFound)?;
    Ok(Json(readiness::reports(&mut c, agent).await?))
}

/// `GET /v1/readiness/board`.
pub async fn board_rows(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
) -> Result<Json<Vec<BoardRow>>, Refusal> {
    supervises(&account)?;
    let mut c = app.store.read().await?;
    Ok(Json(board::rows(&app, &mut c).await?))
}

/// `GET /v1/readiness/board.csv`.
pub async fn board_csv(State(app): State<Arc<App>>, SignedIn { account }: SignedIn) -> Result<Response, Refusal> {
    supervises(&account)?;
    let mut c = app.store.read().await?;
    let rows = board::rows(&app, &mut c).await?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"readiness.csv\""),
        ),
    ];
    Ok((headers, board::csv(&rows)).into_response())
}

/// `POST /v1/readiness/agents/{account}/test`: the agent's desk is asked to test itself.
pub async fn ask(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(agent): Id<AccountId>,
) -> Result<StatusCode, Refusal> {
    supervises(&account)?;
    {
        let mut c = app.store.read().await?;
        accounts::by_id(&mut c, agent).await?.ok_or(ErrorCode::NotFound)?;
    }
    to_the_end(async move {
        super::ask_for_test(&app, agent).await?;
        tracing::info!(supervisor = %account.id, %agent, "a self-test was asked for");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Only supervisors and admins.
pub fn supervises(account: &Account) -> Result<(), Refusal> {
    if account.role < Role::Supervisor {
        return Err(ErrorCode::NotAllowed.into());
    }
    Ok(())
}
