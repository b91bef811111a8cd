//! The desk's routes for conversations and messages.

use crate::{
    app::{App, now},
    auth::SignedIn,
    connectors::{parcels, phone},
    escalations,
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
    routing::{call_moves::call_moves, transfer::taken_over},
    supervision::{acts::takes_part, audit::note_reading},
};
use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use sightline_call::{
    conversation::{self as rules, Facts, Step, WrapUpStep},
    text::{check_message, edit_context},
};
use sightline_store::{
    SqliteConnection,
    conversations::{self, StoredConversation},
    messages::{self, ClientKey, NewMessage},
    origins,
};
use sightline_wire::{
    ErrorCode, MAX_MESSAGE_CHARS,
    account::{Account, Role},
    conversation::{
        Author, Body as MessageBody, Channel, Close, Conversation, ConversationState, EditConversation, Message,
        MessagePage, SendMessage, WrapUp,
    },
    ids::ConversationId,
};
use std::sync::Arc;

/// Longest notes.
const MAX_NOTES_CHARS: usize = 10 * MAX_MESSAGE_CHARS;

/// Most messages in one page.
const MAX_PAGE: i64 = 500;

type Answer = Result<Json<Conversation>, Refusal>;

/// `GET /v1/conversations/{id}`.
pub async fn get(State(app): State<Arc<App>>, SignedIn { account }: SignedIn, Id(id): Id<ConversationId>) -> Answer {
    Ok(Json(app.view(readable(&app, &account, id).await?)))
}

#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    after: i64,
    #[serde(default)]
    before: Option<i64>,
    #[serde(default)]
    limit: Option<i64>,
}

/// `GET /v1/conversations/{id}/messages`.
pub async fn read(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<MessagePage>, Refusal> {
    let Query(page) = page.map_err(|_| ErrorCode::BadRequest)?;
    let limit = page.limit.unwrap_or(200).clamp(1, MAX_PAGE);
    readable(&app, &account, id).await?;
    let mut c = app.store.read().await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let (messages, more) = match page.before {
        Some(before) => {
            let mut messages = messages::before(&mut c, id, before, limit + 1).await?;
            let more = messages.len() > most;
            if more {
                messages.remove(0);
            }
            (messages, more)
        }
        None => {
            let mut messages = messages::after(&mut c, id, page.after, limit + 1).await?;
            let more = messages.len() > most;
            messages.truncate(most);
            (messages, more)
        }
    };
    Ok(Json(MessagePage { messages, more }))
}

/// `POST /v1/conversations/{id}/accept`.
pub async fn accept(State(app): State<Arc<App>>, SignedIn { account }: SignedIn, Id(id): Id<ConversationId>) -> Answer {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = shown(writing.conn(), id).await?;
        let (active, at) = (ConversationState::Active, now());
        let handed = stored.state == active && app.is_handed(id, account.id, at);
        let mut lines = Vec::new();
        let mut moved = None;
        if handed {
            let line = taken_over(&stored, &account, at);
            lines.push(messages::append(writing.conn(), line).await?);
            moved = call_moves(&app, writing.conn(), &stored, &account).await?;
        } else {
            match rules::accept(facts(&stored), account.id)? {
                Step::Taken => return Ok(Json(app.view(stored))),
                Step::Take => app.may_take(id, account.id, at)?,
            }
        }
        let because = app.because(id, account.id);
        let mut routed = stored
            .routing
            .clone()
            .unwrap_or_else(|| app.assignments.plan.unplaced());
        tracing::info!(conversation = %id, account = %account.id, because, "accepted");
        routed.because = Some(because);
        let c = writing.conn();
        conversations::set_routing(c, id, &routed).await?;
        conversations::set_owner(c, id, account.id).await?;
        conversations::set_state(c, id, active, at).await?;
        let view = app.settle(writing, id, stored.state, lines).await?;
        if let Some(moved) = moved {
            moved.tell(&app, &account).await;
        }
        Ok(Json(view))
    })
    .await
}

/// `POST /v1/conversations/{id}/messages`.
pub async fn send(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    Body(body): Body<SendMessage>,
) -> Result<Json<Message>, Refusal> {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = shown(writing.conn(), id).await?;
        let key = ClientKey::Desk(body.client_id);
        // A repeated message is answered even when the conversation has moved on since.
        if let Some(before) = messages::by_client_key(writing.conn(), id, &key).await? {
            let same_author = matches!(
                &before.message.author,
                Author::Agent { account: author, .. } if *author == account.id
            );
            return if same_author && before.message.body.text() == body.text {
                Ok(Json(before.message))
            } else {
                Err(ErrorCode::MessageIdReused.into())
            };
        }
        check_message(&body.text)?;
        rules::may_write(facts(&stored), account.id, takes_part(&stored, &account))?;
        if stored.channel == Channel::Phone {
            phone::texts_reach(&app, &mut writing, &stored).await??;
        }
        let new = NewMessage {
            conversation: id,
            author: Author::Agent {
                account: account.id,
                name: account.name,
            },
            body: MessageBody::Text { text: body.text },
            client_key: Some(key),
            at: now(),
        };
        let message = messages::append(writing.conn(), new).await?;
        app.settle(writing, id, stored.state, vec![message.clone()]).await?;
        Ok(Json(message.message))
    })
    .await
}

/// `PATCH /v1/conversations/{id}`.
pub async fn edit(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    Body(edit): Body<EditConversation>,
) -> Answer {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = shown(writing.conn(), id).await?;
        rules::may_edit(facts(&stored), account.id)?;
        let notes = edit.notes.unwrap_or_else(|| stored.notes.clone());
        if notes.chars().count() > MAX_NOTES_CHARS {
            return Err(ErrorCode::TooLarge.into());
        }
        let context = match &edit.context {
            Some(changes) => edit_context(&stored.context, changes)?,
            None => stored.context.clone(),
        };
        let read_seq = edit.read_seq.unwrap_or(stored.read_seq);
        conversations::edit(writing.conn(), id, &notes, &context, read_seq).await?;
        let told = tell_read(&app, writing.conn(), &stored, read_seq).await?;
        let view = app.settle(writing, id, stored.state, Vec::new()).await?;
        if told {
            app.connectors.wake.notify_one();
        }
        Ok(Json(view))
    })
    .await
}

/// `POST /v1/conversations/{id}/wrap-up`.
pub async fn wrap_up(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    Body(body): Body<WrapUp>,
) -> Answer {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = shown(writing.conn(), id).await?;
        let call = stored.escalation.as_ref().map(|e| (e.id, e.state));
        let mut messages = Vec::new();
        let mut ended = None;
        match rules::wrap_up(facts(&stored), account.id, call, body.end_call)? {
            WrapUpStep::Taken => return Ok(Json(app.view(stored))),
            WrapUpStep::Move => {}
            WrapUpStep::EndAndMove(escalation, reason) => {
                ended = escalations::end_within(writing.conn(), escalation, reason).await?;
                messages.extend(ended.as_ref().map(|ended| ended.line.clone()));
            }
        }
        let state = ConversationState::WrapUp;
        conversations::set_state(writing.conn(), id, state, now()).await?;
        let view = app.settle(writing, id, stored.state, messages).await?;
        if let Some(ended) = ended {
            app.rooms.over(ended.room, ended.reason);
        }
        Ok(Json(view))
    })
    .await
}

/// `POST /v1/conversations/{id}/close`.
pub async fn close(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    Body(body): Body<Close>,
) -> Answer {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = shown(writing.conn(), id).await?;
        match rules::close(facts(&stored), account.id)? {
            Step::Taken => return Ok(Json(app.view(stored))),
            Step::Take => {
                let disposition: String = body.disposition.trim().chars().take(200).collect();
                let closed = ConversationState::Closed;
                conversations::set_disposition(writing.conn(), id, &disposition).await?;
                conversations::set_state(writing.conn(), id, closed, now()).await?;
            }
        }
        tracing::info!(conversation = %id, account = %account.id, "closed");
        Ok(Json(app.settle(writing, id, stored.state, Vec::new()).await?))
    })
    .await
}

/// The platform hears which of the customer's messages the agent has read, if it wants to know.
async fn tell_read(
    app: &App,
    c: &mut SqliteConnection,
    stored: &StoredConversation,
    read_seq: i64,
) -> Result<bool, Refusal> {
    if read_seq <= stored.read_seq {
        return Ok(false);
    }
    let newest = messages::stored_between(c, stored.id, stored.read_seq, read_seq).await?;
    Ok(parcels::plan_read(app, c, stored, &newest).await?)
}

/// A conversation as the rules see it.
pub fn facts(stored: &StoredConversation) -> Facts {
    Facts {
        state: stored.state,
        owner: stored.owner,
    }
}

/// A conversation that exists.
pub async fn known(c: &mut SqliteConnection, id: ConversationId) -> Result<StoredConversation, Refusal> {
    conversations::get(c, id)
        .await?
        .ok_or_else(|| ErrorCode::NotFound.into())
}

/// A conversation that exists and is somebody's work.
pub async fn shown(c: &mut SqliteConnection, id: ConversationId) -> Result<StoredConversation, Refusal> {
    let stored = known(c, id).await?;
    if stored.hidden() {
        return Err(ErrorCode::NotFound.into());
    }
    Ok(stored)
}

/// Agents read what waits for them, what they are asked about, what is their own, and whatever these continue;
/// supervisors read everything, and it is written down.
pub async fn readable(app: &App, account: &Account, id: ConversationId) -> Result<StoredConversation, Refusal> {
    let mut c = app.store.read().await?;
    let stored = shown(&mut c, id).await?;
    let own = stored.owner == Some(account.id);
    if own || app.may_see(id, account.id) {
        return Ok(stored);
    }
    if account.role >= Role::Supervisor {
        drop(c);
        note_reading(app, account, &stored).await?;
        return Ok(stored);
    }
    let continued = origins::later(&mut c, id).await?.into_iter().any(|later| {
        let asked = later.state == ConversationState::Open && app.may_see(later.conversation, account.id);
        later.owner == Some(account.id) || asked
    });
    if continued {
        Ok(stored)
    } else {
        Err(ErrorCode::NotYourConversation.into())
    }
}
