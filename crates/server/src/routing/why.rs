//! `GET /v1/conversations/{id}/why`: for supervisors, why a conversation came to its agent, or why nobody gets it.

use super::State;
use crate::{
    app::App,
    auth::SignedIn,
    conversations::shown,
    http::{body::Id, refusal::Refusal},
    readiness::routes::supervises,
};
use axum::{Json, extract};
use sightline_call::routing::WhyWaiting;
use sightline_store::conversations::StoredConversation;
use sightline_wire::{
    conversation::ConversationState,
    ids::ConversationId,
    routing::{Why, WhyNot},
};
use std::sync::Arc;

/// The route.
pub async fn why(
    extract::State(app): extract::State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
) -> Result<Json<Why>, Refusal> {
    supervises(&account)?;
    let mut c = app.store.read().await?;
    let stored = shown(&mut c, id).await?;
    Ok(Json(app.why(&stored)))
}

/// Why it waits, with the name of whom it waits for.
fn waiting(state: &State, waits: &WhyWaiting) -> String {
    let WhyWaiting::KeptFor { agent, reason, .. } = waits else {
        return waits.sentence();
    };
    let waits = format!("It waits a moment for {}, whom the customer knows.", state.name(*agent));
    match reason {
        Some(reason) => format!("{waits} {}", reason.sentence()),
        None => waits,
    }
}

impl App {
    fn why(&self, stored: &StoredConversation) -> Why {
        let plan = &self.assignments.plan;
        let routed = stored.routing.clone().unwrap_or_else(|| plan.unplaced());
        let mut why = Why {
            owner: stored.owner_name.clone(),
            asked: None,
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
        why.asked = state
            .routing
            .conversation(stored.id)
            .and_then(|work| work.asked())
            .map(|agent| state.name(agent));
        if stored.state == ConversationState::Open {
            why.waits = state.routing.why_waiting(stored.id).map(|waits| waiting(state, &waits));
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
            agents.sort_by(|a, b| (a.reason.is_some(), &a.name).cmp(&(b.reason.is_some(), &b.name)));
            why.agents = agents;
        }
        why
    }
}
