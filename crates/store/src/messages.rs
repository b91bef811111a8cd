//! Messages: numbered 1, 2, 3 ... in their conversation, stored once per client id.

use crate::{
    StoreError,
    codec::{from_json, id, json},
};
use sightline_call::text::one_line;
use sightline_wire::{
    UnixMillis,
    conversation::{Author, Body, Message},
    ids::{ClientMessageId, ConversationId, MessageId},
};
use sqlx::{FromRow, SqliteConnection};
use uuid::Uuid;

/// The sender's own name for a message.
#[derive(Debug, Clone)]
pub enum ClientKey {
    /// From a desk; unique in the conversation.
    Desk(ClientMessageId),
    /// From a customer's page; unique in the thread, so that a retry after the conversation was closed is
    /// still the same message.
    Page {
        /// Where.
        thread: String,
        /// `clientActivityID`.
        key: String,
    },
}

/// A message to be stored.
pub struct NewMessage {
    /// Where.
    pub conversation: ConversationId,
    /// Who wrote it.
    pub author: Author,
    /// What it holds.
    pub body: Body,
    /// The sender's own name for it.
    pub client_key: Option<ClientKey>,
    /// When.
    pub at: UnixMillis,
}

/// A stored message together with its place in the customer's thread.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    /// The message.
    pub message: Message,
    /// 1, 2, 3 ... in the thread, for web chat.
    pub thread_seq: Option<i64>,
    /// `clientActivityID`, for a customer's message.
    pub page_key: Option<String>,
}

#[derive(FromRow)]
struct Row {
    conversation: String,
    seq: i64,
    id: String,
    thread_seq: Option<i64>,
    client_scope: Option<String>,
    client_key: Option<String>,
    author: String,
    body: String,
    at: i64,
}

impl Row {
    fn stored(self) -> Result<StoredMessage, StoreError> {
        let from_desk = self.client_scope.as_deref().is_some_and(|s| s.starts_with("desk:"));
        let (client_id, page_key) = match self.client_key {
            Some(key) if from_desk => (Some(id::<ClientMessageId>(&key)?), None),
            other => (None, other),
        };
        Ok(StoredMessage {
            message: Message {
                id: id(&self.id)?,
                conversation: id(&self.conversation)?,
                seq: self.seq,
                client_id,
                author: from_json(&self.author, "author")?,
                body: from_json(&self.body, "body")?,
                at: self.at,
            },
            thread_seq: self.thread_seq,
            page_key,
        })
    }
}

impl ClientKey {
    fn columns(&self, conversation: ConversationId) -> (String, String) {
        match self {
            ClientKey::Desk(key) => (format!("desk:{conversation}"), key.to_string()),
            ClientKey::Page { thread, key } => (format!("page:{thread}"), key.clone()),
        }
    }
}

/// The message stored under a client's own name.
pub async fn by_client_key(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    key: &ClientKey,
) -> Result<Option<StoredMessage>, StoreError> {
    let (scope, key) = key.columns(conversation);
    sqlx::query_as::<_, Row>(
        "SELECT conversation, seq, id, thread_seq, client_scope, client_key, author, body, at
         FROM messages WHERE client_scope = ? AND client_key = ?",
    )
    .bind(scope)
    .bind(key)
    .fetch_optional(c)
    .await?
    .map(Row::stored)
    .transpose()
}

/// Stores a message with the next number. The caller has looked its client key up in the same transaction.
pub async fn append(c: &mut SqliteConnection, new: NewMessage) -> Result<StoredMessage, StoreError> {
    let (seq, thread): (i64, Option<String>) = sqlx::query_as(
        "UPDATE conversations SET last_seq = last_seq + 1, last_text = ?, last_at = ?
         WHERE id = ? RETURNING last_seq, thread",
    )
    .bind(one_line(new.body.text()))
    .bind(new.at)
    .bind(new.conversation.to_string())
    .fetch_one(&mut *c)
    .await?;
    // The customer's page numbers what it is shown.
    let thread = thread.filter(|_| !new.body.internal());
    let thread_seq: Option<i64> = match &thread {
        Some(thread) => {
            sqlx::query_scalar("UPDATE threads SET last_seq = last_seq + 1 WHERE id = ? RETURNING last_seq")
                .bind(thread)
                .fetch_optional(&mut *c)
                .await?
        }
        None => None,
    };
    let columns = new.client_key.as_ref().map(|key| key.columns(new.conversation));
    let message_id = MessageId(Uuid::new_v4());
    sqlx::query(
        "INSERT INTO messages
         (conversation, seq, id, thread, thread_seq, client_scope, client_key, author, body, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.conversation.to_string())
    .bind(seq)
    .bind(message_id.to_string())
    .bind(&thread)
    .bind(thread_seq)
    .bind(columns.as_ref().map(|c| c.0.as_str()))
    .bind(columns.as_ref().map(|c| c.1.as_str()))
    .bind(json(&new.author))
    .bind(json(&new.body))
    .bind(new.at)
    .execute(c)
    .await?;
    let (client_id, page_key) = match new.client_key {
        Some(ClientKey::Desk(id)) => (Some(id), None),
        Some(ClientKey::Page { key, .. }) => (None, Some(key)),
        None => (None, None),
    };
    let message = Message {
        id: message_id,
        conversation: new.conversation,
        seq,
        client_id,
        author: new.author,
        body: new.body,
        at: new.at,
    };
    Ok(StoredMessage {
        message,
        thread_seq,
        page_key,
    })
}

/// Messages of a conversation after a number, ascending.
pub async fn after(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    after: i64,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    sqlx::query_as::<_, Row>(
        "SELECT conversation, seq, id, thread_seq, client_scope, client_key, author, body, at
         FROM messages WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?",
    )
    .bind(conversation.to_string())
    .bind(after)
    .bind(limit)
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|row| Ok(row.stored()?.message))
    .collect()
}

/// Messages of a conversation after a number and up to another, with the senders' own names for them.
pub async fn stored_between(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    after: i64,
    up_to: i64,
) -> Result<Vec<StoredMessage>, StoreError> {
    sqlx::query_as::<_, Row>(
        "SELECT conversation, seq, id, thread_seq, client_scope, client_key, author, body, at
         FROM messages WHERE conversation = ? AND seq > ? AND seq <= ? ORDER BY seq",
    )
    .bind(conversation.to_string())
    .bind(after)
    .bind(up_to)
    .fetch_all(c)
    .await?
    .into_iter()
    .map(Row::stored)
    .collect()
}

/// The last messages of a conversation before a number, ascending.
pub async fn before(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    before: i64,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT conversation, seq, id, thread_seq, client_scope, client_key, author, body, at
         FROM messages WHERE conversation = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
    )
    .bind(conversation.to_string())
    .bind(before)
    .bind(limit)
    .fetch_all(c)
    .await?;
    rows.into_iter().rev().map(|row| Ok(row.stored()?.message)).collect()
}

/// Messages of a thread after a number, ascending.
pub async fn of_thread_after(
    c: &mut SqliteConnection,
    thread: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredMessage>, StoreError> {
    sqlx::query_as::<_, Row>(
        "SELECT conversation, seq, id, thread_seq, client_scope, client_key, author, body, at
         FROM messages WHERE thread = ? AND thread_seq > ? ORDER BY thread_seq LIMIT ?",
    )
    .bind(thread)
    .bind(after)
    .bind(limit)
    .fetch_all(c)
    .await?
    .into_iter()
    .map(Row::stored)
    .collect()
}
