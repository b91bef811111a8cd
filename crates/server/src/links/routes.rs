//! An agent sends a link into the web chat.

use super::query;
use crate::{
    app::{App, now},
    auth::SignedIn,
    connectors::phone,
    conversations::{facts, shown},
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
    secrets,
};
use axum::{Json, extract::State};
use sightline_call::conversation::owns_active;
use sightline_store::{
    chat_links::{self, ChatLink},
    messages::{self, ClientKey, NewMessage},
};
use sightline_wire::{
    ErrorCode, UnixMillis,
    account::Account,
    conversation::{Author, Body as MessageBody, Channel},
    ids::ConversationId,
    link::{ChatLinkSent, LinkShape, MakeChatLink},
};
use std::sync::Arc;

/// `POST /v1/conversations/{id}/chat-link`: the link and the message with it are made in one transaction.
pub async fn send(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(conversation): Id<ConversationId>,
    Body(body): Body<MakeChatLink>,
) -> Result<Json<ChatLinkSent>, Refusal> {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = shown(writing.conn(), conversation).await?;
        let key = ClientKey::Desk(body.client_id);
        let before = messages::by_client_key(writing.conn(), conversation, &key).await?;
        let made = chat_links::by_client_id(writing.conn(), conversation, body.client_id).await?;
        match (before, made) {
            (Some(message), Some(link)) if link.agent == account.id => {
                return Ok(Json(ChatLinkSent {
                    url: link.url,
                    expires_at: link.expires_at,
                    message: message.message,
                }));
            }
            (None, None) => {}
            (Some(_), _) | (None, Some(_)) => return Err(ErrorCode::MessageIdReused.into()),
        }
        owns_active(facts(&stored), account.id)?;
        if stored.channel == Channel::Phone {
            phone::texts_reach(&app, &mut writing, &stored).await??;
        }
        let now = now();
        let link = new_link(&app, &account, conversation, &body, now);
        let new = NewMessage {
            conversation,
            author: Author::Agent {
                account: account.id,
                name: account.name,
            },
            body: MessageBody::Text {
                text: invitation(&link),
            },
            client_key: Some(key),
            at: now,
        };
        let message = messages::append(writing.conn(), new).await?;
        chat_links::insert(writing.conn(), &link).await?;
        app.settle(writing, conversation, stored.state, vec![message.clone()])
            .await?;
        tracing::info!(%conversation, account = %account.id, shape = ?link.shape, "chat link sent");
        Ok(Json(ChatLinkSent {
            url: link.url,
            expires_at: link.expires_at,
            message: message.message,
        }))
    })
    .await
}

fn new_link(
    app: &App,
    account: &Account,
    conversation: ConversationId,
    wanted: &MakeChatLink,
    now: UnixMillis,
) -> ChatLink {
    let valid = app.config.deployment.links.valid().as_millis();
    // Whole seconds, as the signed shape counts them.
    let until_s = (now + i64::try_from(valid).unwrap_or(i64::MAX / 2)) / 1_000;
    let code = secrets::invite_code();
    let url = match wanted.shape {
        LinkShape::Opaque => format!("{}/c/{code}", app.public_url),
        LinkShape::Dynamics => {
            let agent = (account.id, account.email.as_str());
            let query = query::made(conversation, agent, wanted.video, until_s, &app.link_key);
            format!("{}/chat?{query}", app.public_url)
        }
    };
    ChatLink {
        code,
        conversation,
        client_id: wanted.client_id,
        agent: account.id,
        shape: wanted.shape,
        url,
        video: wanted.video,
        expires_at: until_s * 1_000,
    }
}

fn invitation(link: &ChatLink) -> String {
    let url = &link.url;
    if link.video {
        format!("Please open this link, then we can see each other: {url}")
    } else {
        format!("We can go on in our chat here: {url}")
    }
}
