//! Sends what transactions have decided to send, exactly once: a row is marked by the same transaction that
//! puts the link into the conversation. Whatever a killed server left unsent goes out at the next start.

use crate::{
    app::{App, now},
    conversations::known,
    http::refusal::Refusal,
};
use sightline_store::{
    escalations::{self, Escalation},
    messages::{self, NewMessage},
    outbox,
};
use sightline_wire::{
    ErrorCode,
    conversation::{Author, Body, ConversationState},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// After a failure it is tried again at the latest then.
const AGAIN: Duration = Duration::from_secs(5);

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    loop {
        loop {
            match send_next(&app).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(refusal) => {
                    let code = refusal.into_problem().code;
                    tracing::error!(?code, "an invite could not be sent yet");
                    break;
                }
            }
        }
        tokio::select! {
            _ = timeout(AGAIN, app.outbox.notified()) => {}
            () = stopping.stopped() => return,
        }
    }
}

/// Sends the oldest unsent row; `false` when there is none.
async fn send_next(app: &App) -> Result<bool, Refusal> {
    {
        // Looked for without taking the write turn: mostly there is nothing.
        let mut c = app.store.read().await?;
        if outbox::next_unsent(&mut c).await?.is_none() {
            return Ok(false);
        }
    }
    let mut writing = app.store.write().await?;
    let Some(row) = outbox::next_unsent(writing.conn()).await? else {
        return Ok(false);
    };
    let call = escalations::get(writing.conn(), row.escalation)
        .await?
        .ok_or(ErrorCode::Internal)?;
    let conversation = known(writing.conn(), call.conversation).await?;
    outbox::mark_sent(writing.conn(), row.id, now()).await?;
    let gone = conversation.state == ConversationState::Closed;
    let readable = !conversation.channel.hidden();
    if !call.state.holds_slot() || gone || !readable {
        // Taken back before it went out, or nobody is there to read it.
        drop(writing.commit().await?);
        return Ok(true);
    }
    let message = messages::append(writing.conn(), invitation(app, &call)).await?;
    app.settle(writing, call.conversation, conversation.state, vec![message])
        .await?;
    tracing::info!(escalation = %call.id, "invite sent");
    Ok(true)
}

fn invitation(app: &App, call: &Escalation) -> NewMessage {
    let url = app.link(&call.code);
    NewMessage {
        conversation: call.conversation,
        author: Author::Agent {
            account: call.agent,
            name: call.agent_name.clone(),
        },
        body: Body::Invite {
            escalation: call.id,
            text: format!("{} invites you to a video call: {url}", call.agent_name),
            url,
            expires_at: call.expires_at,
        },
        client_key: None,
        at: now(),
    }
}
