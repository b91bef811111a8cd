//! The web chat's side: one thread per customer's page, whatever conversations follow one another in it.

use crate::{
    StoreError,
    codec::{from_json, json, optional_id},
};
use sightline_wire::{UnixMillis, conversation::Context, ids::ConversationId};
use sqlx::{FromRow, SqliteConnection};

/// A customer's page, for as long as it keeps its token.
#[derive(Debug, Clone)]
pub struct Thread {
    /// Direct Line's conversation id.
    pub id: String,
    /// The client's own id for the person.
    pub user_id: String,
    /// The person's name, or nothing.
    pub user_name: String,
    /// What a new conversation starts with.
    pub context: Context,
    /// The newest conversation.
    pub conversation: Option<ConversationId>,
    /// Number of the last activity.
    pub last_seq: i64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    user_id: String,
    user_name: String,
    context: String,
    conversation: Option<String>,
    last_seq: i64,
}

/// Adds a thread.
pub async fn insert(c: &mut SqliteConnection, thread: &Thread, now: UnixMillis) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO threads (id, user_id, user_name, context, conversation, last_seq, created_at)
         VALUES (?, ?, ?, ?, NULL, 0, ?)",
    )
    .bind(&thread.id)
    .bind(&thread.user_id)
    .bind(&thread.user_name)
    .bind(json(&thread.context))
    .bind(now)
    .execute(c)
    .await?;
    Ok(())
}

/// The thread with this id.
pub async fn get(c: &mut SqliteConnection, id: &str) -> Result<Option<Thread>, StoreError> {
    let row = sqlx::query_as::<_, Row>(
        "SELECT id, user_id, user_name, context, conversation, last_seq FROM threads WHERE id = ?",
    )
    .bind(id)
    .fetch_optional(c)
    .await?;
    row.map(|row| {
        Ok(Thread {
            id: row.id,
            user_id: row.user_id,
            user_name: row.user_name,
            context: from_json(&row.context, "context")?,
            conversation: optional_id(row.conversation.as_deref())?,
            last_seq: row.last_seq,
        })
    })
    .transpose()
}

/// Remembers who writes there.
pub async fn set_user(
    c: &mut SqliteConnection,
    thread: &str,
    user_id: &str,
    user_name: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE threads SET user_id = ?, user_name = ? WHERE id = ?")
        .bind(user_id)
        .bind(user_name)
        .bind(thread)
        .execute(c)
        .await?;
    Ok(())
}

/// Makes a conversation the thread's newest.
pub async fn set_conversation(
    c: &mut SqliteConnection,
    thread: &str,
    conversation: ConversationId,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE threads SET conversation = ? WHERE id = ?")
        .bind(conversation.to_string())
        .bind(thread)
        .execute(c)
        .await?;
    Ok(())
}

/// Adds a bearer token of the thread, and forgets those that are over.
pub async fn add_token(
    c: &mut SqliteConnection,
    hash: &str,
    thread: &str,
    expires_at: UnixMillis,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM thread_tokens WHERE expires_at < ?")
        .bind(now)
        .execute(&mut *c)
        .await?;
    sqlx::query("INSERT INTO thread_tokens (hash, thread, expires_at) VALUES (?, ?, ?)")
        .bind(hash)
        .bind(thread)
        .bind(expires_at)
        .execute(c)
        .await?;
    Ok(())
}

/// The thread that a bearer token opens, if it is still good.
pub async fn by_token(c: &mut SqliteConnection, hash: &str, now: UnixMillis) -> Result<Option<String>, StoreError> {
    Ok(
        sqlx::query_scalar("SELECT thread FROM thread_tokens WHERE hash = ? AND expires_at > ?")
            .bind(hash)
            .bind(now)
            .fetch_optional(c)
            .await?,
    )
}
