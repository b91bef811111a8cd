//! What a call was like: sent by its desk, kept with its conversation.

use crate::{
    app::App,
    auth::SignedIn,
    conversations::known,
    escalations::own,
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
};
use axum::{Json, extract::State};
use sightline_store::{SqliteConnection, StoreError, call_stats, escalations};
use sightline_wire::{
    ErrorCode,
    account::Role,
    ids::EscalationId,
    stats::{CallMoments, CallStats, MAX_KEPT_MOMENTS, MAX_MOMENTS},
};
use std::sync::Arc;

/// `POST /v1/escalations/{id}/stats`: from the agent of that call, also after its end, when its summary changes with
/// it. What was sent before changes nothing; what is over the limit is not kept.
pub async fn add(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<EscalationId>,
    Body(body): Body<CallMoments>,
) -> Result<Json<()>, Refusal> {
    if body.moments.len() > MAX_MOMENTS {
        return Err(ErrorCode::TooLarge.into());
    }
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let call = own(writing.conn(), id, &account).await?;
        let room = MAX_KEPT_MOMENTS.saturating_sub(call_stats::count(writing.conn(), call.id).await?);
        let kept = body.moments.len().min(room as usize);
        call_stats::add(writing.conn(), call.id, &body.moments[..kept]).await?;
        if call.state.holds_slot() {
            drop(writing.commit().await?);
            app.stir_wall();
        } else {
            summarise(writing.conn(), call.id).await?;
            let before = known(writing.conn(), call.conversation).await?.state;
            app.settle(writing, call.conversation, before, Vec::new()).await?;
        }
        Ok(Json(()))
    })
    .await
}

/// Keeps a call that is over in one line with its conversation, as far as anything is known of it.
pub async fn summarise(c: &mut SqliteConnection, id: EscalationId) -> Result<(), StoreError> {
    match CallStats::of(call_stats::of(c, id).await?).summary {
        Some(summary) => escalations::set_quality(c, id, &summary).await,
        None => Ok(()),
    }
}

/// `GET /v1/escalations/{id}/stats`: for the agent of the call, the owner of its conversation, and supervisors.
pub async fn get(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<EscalationId>,
) -> Result<Json<CallStats>, Refusal> {
    let mut c = app.store.read().await?;
    let call = escalations::get(&mut c, id).await?.ok_or(ErrorCode::NotFound)?;
    let owner = known(&mut c, call.conversation).await?.owner;
    if call.agent != account.id && owner != Some(account.id) && account.role < Role::Supervisor {
        return Err(ErrorCode::NotYourConversation.into());
    }
    Ok(Json(CallStats::of(call_stats::of(&mut c, id).await?)))
}
