//! Tells customers who wait already that the last agent has left, or that their queue has closed: each in a transaction of
//! its own, over whatever channel they wait.

use super::place::to_customer;
use crate::{
    app::{App, now},
    http::refusal::Refusal,
};
use sightline_call::routing::{QueueId, QueueStatus, Told};
use sightline_store::{conversations, messages};
use sightline_wire::{UnixMillis, conversation::ConversationState, ids::ConversationId};
use std::sync::Arc;

/// What a queue's customers are to be told.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    pub queue: QueueId,
    pub status: QueueStatus,
    /// Who has been told the same since then knows it.
    pub since: UnixMillis,
}

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    loop {
        for telling in app.assignments.take_tellings() {
            for id in app.assignments.waiting_in(telling.queue) {
                if let Err(refusal) = tell(&app, telling, id).await {
                    let code = refusal.into_problem().code;
                    tracing::error!(conversation = %id, ?code, "a customer who waits could not be told");
                }
            }
        }
        tokio::select! {
            () = stopping.stopped() => return,
            () = app.assignments.to_tell.notified() => {}
        }
    }
}

async fn tell(app: &App, telling: Telling, id: ConversationId) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let Some(stored) = conversations::get(writing.conn(), id).await? else {
        return Ok(());
    };
    let Some(mut routed) = stored.routing.clone() else {
        return Ok(());
    };
    let (at, kind) = (now(), telling.status.kind());
    let waits = stored.state == ConversationState::Open && !stored.hidden() && routed.queue == telling.queue;
    let known = routed
        .told
        .is_some_and(|told| told.covers(telling.queue, kind, telling.since));
    if !waits || known || !app.assignments.still(telling, id) {
        return Ok(());
    }
    let Some(line) = app.assignments.customer_line(telling.queue, telling.status, true, at) else {
        return Ok(());
    };
    routed.promised = true;
    routed.told = Some(Told {
        queue: telling.queue,
        kind,
        at,
    });
    conversations::set_routing(writing.conn(), id, &routed).await?;
    let message = messages::append(writing.conn(), to_customer(&stored, line, at)).await?;
    app.settle(writing, id, stored.state, vec![message]).await?;
    Ok(())
}
