//! The audit log: what is written into it, and how it is read.

use crate::{
    app::{App, now},
    auth::SignedIn,
    http::refusal::Refusal,
    readiness::routes::supervises,
    supervision::acts::takes_part,
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use sightline_store::{
    audit::{self, Head, NewEntry},
    conversations::StoredConversation,
};
use sightline_wire::{
    ErrorCode, UnixMillis,
    account::Account,
    audit::{AuditAct, AuditCheck, AuditDetail, AuditPage},
    conversation::ConversationState,
};
use std::sync::Arc;

/// Reading the same conversation again within this time is the same reading.
const SAME_READING_MS: i64 = 3_600_000;

/// Most entries in one page.
const MAX_PAGE: i64 = 200;

/// An entry about a conversation as it stands before the act.
pub fn entry(actor: &Account, act: AuditAct, stored: &StoredConversation, at: UnixMillis) -> NewEntry {
    NewEntry {
        actor: actor.id,
        act,
        conversation: Some(stored.id),
        agent: stored.owner,
        escalation: None,
        detail: AuditDetail {
            state: Some(stored.state),
            ..AuditDetail::default()
        },
        at,
    }
}

/// Somebody reads a conversation. Where it is a colleague's that is written down first: what cannot be written down is
/// not read.
pub async fn note_reading(app: &App, account: &Account, stored: &StoredConversation) -> Result<(), Refusal> {
    let own = stored.owner == Some(account.id) || takes_part(stored, account);
    if own || stored.state == ConversationState::Open {
        return Ok(());
    }
    let at = now();
    let since = at - SAME_READING_MS;
    let (who, act, what) = (account.id, AuditAct::Read, stored.id);
    {
        let mut c = app.store.read().await?;
        if audit::done_since(&mut c, who, act, what, since).await? {
            return Ok(());
        }
    }
    let mut writing = app.store.write().await?;
    if !audit::done_since(writing.conn(), who, act, what, since).await? {
        audit::append(writing.conn(), entry(account, act, stored, at)).await?;
        drop(writing.commit().await?);
    }
    Ok(())
}

#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    before: Option<i64>,
    #[serde(default)]
    limit: Option<i64>,
}

/// `GET /v1/audit?before=&limit=`.
pub async fn page(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<AuditPage>, Refusal> {
    supervises(&account)?;
    let Query(page) = page.map_err(|_| ErrorCode::BadRequest)?;
    let limit = page.limit.unwrap_or(50).clamp(1, MAX_PAGE);
    let mut c = app.store.read().await?;
    let mut entries = audit::before(&mut c, page.before, limit + 1).await?;
    let more = i64::try_from(entries.len()).is_ok_and(|found| found > limit);
    entries.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(Json(AuditPage { entries, more }))
}

#[derive(Deserialize)]
pub struct Known {
    #[serde(default)]
    seq: Option<i64>,
    #[serde(default)]
    hash: Option<String>,
}

/// `GET /v1/audit/check?seq=&hash=`: with the end of an earlier check, it also finds what was cut off since.
pub async fn check(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    known: Result<Query<Known>, QueryRejection>,
) -> Result<Json<AuditCheck>, Refusal> {
    supervises(&account)?;
    let Query(known) = known.map_err(|_| ErrorCode::BadRequest)?;
    let known = known.seq.zip(known.hash).map(|(seq, hash)| Head { seq, hash });
    let mut c = app.store.read().await?;
    let checked = audit::check(&mut c, known.as_ref()).await?;
    if let Some(seq) = checked.broken_at {
        tracing::error!(seq, "the audit log is not what it was");
    }
    Ok(Json(AuditCheck {
        intact: checked.head.seq,
        head: checked.head.hash,
        broken_at: checked.broken_at,
    }))
}
