//! Files that agents send: under the same rules as customers', and to the same page.

use super::{Sent, keep};
use crate::{
    app::{App, now},
    auth::SignedIn,
    conversations::{facts, shown},
    deployment::WebChat,
    http::{
        body::Id,
        refusal::{Refusal, to_the_end},
    },
    supervision::acts::takes_part,
};
use axum::{
    Json,
    body::Bytes,
    extract::{
        Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, header},
};
use serde::Deserialize;
use sightline_call::{conversation as rules, files::clean_name};
use sightline_store::{
    files,
    messages::{self, ClientKey, NewMessage},
};
use sightline_wire::{
    ErrorCode,
    account::Account,
    conversation::{AgentFiles, Author, Body, Channel, FilePlace, Message},
    ids::{ClientMessageId, ConversationId},
};
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Named {
    client_id: ClientMessageId,
    name: String,
}

/// Whether agents can send files over this channel. A page of ours shows them; no platform is told of them.
pub fn carried(chat: &WebChat, channel: Channel) -> AgentFiles {
    match channel {
        Channel::WebChat if chat.agent_files => AgentFiles::Carried,
        Channel::WebChat => AgentFiles::TurnedOff,
        Channel::Sms
        | Channel::WhatsApp
        | Channel::Twilio
        | Channel::Genesys
        | Channel::Azure
        | Channel::Bot
        | Channel::Webex
        | Channel::Webhook
        | Channel::Phone
        | Channel::SelfTest => AgentFiles::NotCarried,
    }
}

/// `POST /v1/conversations/{id}/files?client_id=&name=`: one file, its bytes as they are, which becomes a message. Repeating
/// it is answered with that message.
pub async fn send(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    named: Result<Query<Named>, QueryRejection>,
    headers: HeaderMap,
    content: Result<Bytes, BytesRejection>,
) -> Result<Json<Message>, Refusal> {
    let Query(named) = named.map_err(|_| ErrorCode::BadRequest)?;
    let content = content.map_err(|rejection| match rejection.status().as_u16() {
        413 => ErrorCode::FileTooLarge,
        _ => ErrorCode::BadRequest,
    })?;
    let declared = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    // Looked at and copied before the write turn: nobody else waits for megabytes.
    let file = Sent::whole(Some(&named.name), declared.unwrap_or_default(), content.to_vec())?;
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = shown(writing.conn(), id).await?;
        let key = ClientKey::Desk(named.client_id);
        // A repeated file is answered even when the conversation has moved on since.
        if let Some(before) = messages::by_client_key(writing.conn(), id, &key).await? {
            let same = is_that(writing.conn(), &before.message, &account, &named.name, &content).await?;
            return same
                .then_some(Json(before.message))
                .ok_or(ErrorCode::MessageIdReused.into());
        }
        rules::may_write(facts(&stored), account.id, takes_part(&stored, &account))?;
        let thread = match carried(&app.config.deployment.web_chat, stored.channel) {
            AgentFiles::Carried => stored.thread.as_deref().ok_or(ErrorCode::FilesNotCarried)?,
            AgentFiles::NotCarried => return Err(ErrorCode::FilesNotCarried.into()),
            AgentFiles::TurnedOff => return Err(ErrorCode::FilesTurnedOff.into()),
        };
        let body = keep(writing.conn(), (thread, id), "", vec![file], now()).await?;
        let new = NewMessage {
            conversation: id,
            author: Author::Agent {
                account: account.id,
                name: account.name,
            },
            body,
            client_key: Some(key),
            at: now(),
        };
        let message = messages::append(writing.conn(), new).await?;
        app.settle(writing, id, stored.state, vec![message.clone()]).await?;
        Ok(Json(message.message))
    })
    .await
}

/// Whether this message is this agent's, of this one file.
async fn is_that(
    c: &mut sightline_store::SqliteConnection,
    message: &Message,
    account: &Account,
    name: &str,
    content: &[u8],
) -> Result<bool, Refusal> {
    let own = matches!(&message.author, Author::Agent { account: author, .. } if *author == account.id);
    let Body::Files { files: kept, .. } = &message.body else {
        return Ok(false);
    };
    let [file] = kept.as_slice() else { return Ok(false) };
    let Some(FilePlace::Here { id }) = file.place else {
        return Ok(false);
    };
    let stored = files::get(c, id).await?;
    Ok(own && file.name == clean_name(name) && stored.is_some_and(|stored| stored.content == content))
}
