//! An agent's answers, besides accepting: that one is the conversation's own (`conversations::accept`).

use crate::{
    app::{App, now},
    auth::SignedIn,
    http::{
        body::Id,
        refusal::{Refusal, to_the_end},
    },
};
use axum::{extract::State, http::StatusCode};
use sightline_call::routing::{Chosen, Input};
use sightline_store::StoreError;
use sightline_wire::ids::{AccountId, ConversationId};
use std::sync::Arc;

/// `POST /v1/conversations/{id}/decline`: not for this agent. Whoever is not asked, or not any more, has said nothing
/// new.
pub async fn decline(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(conversation): Id<ConversationId>,
) -> Result<StatusCode, Refusal> {
    to_the_end(async move {
        let turn = app.store.write().await?;
        let agent = account.id;
        if let Err(refusal) = app.route(Input::Declined { conversation, agent }, now()) {
            tracing::debug!(%conversation, %agent, %refusal, "nothing to decline");
        }
        drop(turn);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The agent chooses a presence; *available* also says that the agent is there again, after an assignment that came to
/// nothing.
pub async fn choose(app: &App, agent: AccountId, presence: Chosen) -> Result<(), StoreError> {
    let turn = app.store.write().await?;
    app.note(Input::Chosen { agent, presence }, now());
    drop(turn);
    Ok(())
}
