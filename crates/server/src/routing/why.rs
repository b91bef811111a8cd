//! `GET /v1/conversations/{id}/why`: for supervisors, why a conversation came to its agent, or why nobody gets it.

use crate::{
    app::App,
    auth::SignedIn,
    conversations::shown,
    http::{body::Id, refusal::Refusal},
    readiness::routes::supervises,
};
use axum::{Json, extract::State};
use sightline_store::conversations::StoredConversation;
use sightline_wire::{
    conversation::ConversationState,
    ids::ConversationId,
    routing::{Why, WhyNot},
};
use std::sync::Arc;

/// The route.
pub async fn why(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
) -> Result<Json<Why>, Refusal> {
    supervises(&account)?;
    let mut c = app.store.read().await?;
    let stored = shown(&mut c, id).await?;
    Ok(Json(app.why(&stored)))
}

impl App {
    fn why(&self, stored: &StoredConversation) -> Why {
        let plan = &self.assignments.plan;
        let routed = stored.routing.clone().unwrap_or_else(|| plan.unplaced());
        let mut why = Why {
            queue: plan.title(routed.queue).unwrap_or("The inbox").to_owned(),
            rule: routed.rule,
            priority: routed.priority,
            since: stored.opened_at,
            because: routed.because,
            waits: None,
            agents: Vec::new(),
        };
        let routing = self.assignments.lock();
        let Some(state) = routing.as_ref() else { return why };
        let asked = state
            .asked
            .values()
            .find(|(assignment, _)| assignment.conversation == stored.id);
        if let Some((assignment, _)) = asked {
            why.because = Some(assignment.because.clone());
        }
        if stored.state == ConversationState::Open {
            why.waits = state.routing.why_waiting(stored.id).map(|waits| waits.sentence());
            let mut agents: Vec<WhyNot> = state
                .routing
                .why_nobody(stored.id)
                .into_iter()
                .map(|(account, reason)| WhyNot {
                    account,
                    name: state.people.get(&account).map_or_else(String::new, |p| p.name.clone()),
                    reason: reason.map(|reason| reason.sentence().to_owned()),
                })
                .collect();
            agents.sort_by(|a, b| a.name.cmp(&b.name));
            why.agents = agents;
        }
        why
    }
}
