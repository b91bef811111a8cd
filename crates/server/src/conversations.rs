//! The desk's routes for conversations and messages.

use crate::{
    app::{App, now},
    auth::SignedIn,
    escalations,
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
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
};
use sightline_wire::{
    ErrorCode, MAX_MESSAGE_CHARS,
    account::{Account, Role},
    conversation::{
        Author, Body as MessageBody, Close, Conversation, ConversationState, EditConversation, Message, MessagePage,
        SendMessage, WrapUp,
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
    let mut c = app.store.read().await?;
    let stored = readable(&mut c, &account, id).await?;
    Ok(Json(app.view(stored)))
}

#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    after: i64,
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
    let mut c = app.store.read().await?;
    readable(&mut c, &account, id).await?;
    let mut messages = messages::after(&mut c, id, page.after, limit + 1).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = messages.len() > limit;
    messages.truncate(limit);
    Ok(Json(MessagePage { messages, more }))
}

/// `POST /v1/conversations/{id}/accept`.
pub async fn accept(State(app): State<Arc<App>>, SignedIn { account }: SignedIn, Id(id): Id<ConversationId>) -> Answer {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = shown(writing.conn(), id).await?;
        match rules::accept(facts(&stored), account.id)? {
            Step::Taken => return Ok(Json(app.view(stored))),
            Step::Take => {
                let (active, at) = (ConversationState::Active, now());
                app.may_take(id, account.id, at)?;
                conversations::set_owner(writing.conn(), id, account.id).await?;
                conversations::set_state(writing.conn(), id, active, at).await?;
            }
        }
        tracing::info!(conversation = %id, account = %account.id, "accepted");
        Ok(Json(app.settle(writing, id, stored.state, Vec::new()).await?))
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
        rules::owns_active(facts(&stored), account.id)?;
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
        let notes = edit.notes.unwrap_or(stored.notes);
        if notes.chars().count() > MAX_NOTES_CHARS {
            return Err(ErrorCode::TooLarge.into());
        }
        let context = match &edit.context {
            Some(changes) => edit_context(&stored.context, changes)?,
            None => stored.context,
        };
        let read_seq = edit.read_seq.unwrap_or(stored.read_seq);
        conversations::edit(writing.conn(), id, &notes, &context, read_seq).await?;
        Ok(Json(app.settle(writing, id, stored.state, Vec::new()).await?))
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
    if stored.channel.hidden() {
        return Err(ErrorCode::NotFound.into());
    }
    Ok(stored)
}

/// Agents read what waits and what is their own; supervisors read everything.
async fn readable(
    c: &mut SqliteConnection,
    account: &Account,
    id: ConversationId,
) -> Result<StoredConversation, Refusal> {
    let stored = shown(c, id).await?;
    let own = stored.owner == Some(account.id);
    if own || stored.state == ConversationState::Open || account.role >= Role::Supervisor {
        Ok(stored)
    } else {
        Err(ErrorCode::NotYourConversation.into())
    }
}
