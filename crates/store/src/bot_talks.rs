//! What bots in front of the web chat have been told and have said.

use crate::{StoreError, codec::id};
use sightline_wire::{UnixMillis, ids::ConversationId};
use sqlx::{FromRow, SqliteConnection};

/// One bot's part of one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// Ours.
    pub conversation: ConversationId,
    /// Where it is shown.
    pub thread: String,
    /// Over which connector.
    pub connector: String,
    /// The service's own name for it, once there is one.
    pub external: Option<String>,
    /// Up to here it has been heard.
    pub watermark: Option<String>,
    /// Up to this number it has the customer's messages.
    pub told_seq: i64,
    /// Whether it has ended.
    pub over: bool,
}

#[derive(FromRow)]
struct Row {
    conversation: String,
    thread: String,
    connector: String,
    external: Option<String>,
    watermark: Option<String>,
    told_seq: i64,
    over: i64,
}

impl Row {
    fn talk(self) -> Result<Talk, StoreError> {
        Ok(Talk {
            conversation: id(&self.conversation)?,
            thread: self.thread,
            connector: self.connector,
            external: self.external,
            watermark: self.watermark,
            told_seq: self.told_seq,
            over: self.over != 0,
        })
    }
}

/// A bot is to have a conversation, from its first message on.
pub async fn begin(
    c: &mut SqliteConnection,
    (conversation, thread): (ConversationId, &str),
    connector: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO bot_talks (conversation, thread, connector, told_seq, over, begun_at) VALUES (?, ?, ?, 0, 0, ?)",
    )
    .bind(conversation.to_string())
    .bind(thread)
    .bind(connector)
    .bind(now)
    .execute(&mut *c)
    .await?;
    sqlx::query("UPDATE conversations SET bot = ? WHERE id = ?")
        .bind(connector)
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// The conversation is people's from now on, and waits from now on; whether a bot had it.
pub async fn release(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let freed = sqlx::query(
        "UPDATE conversations SET bot = NULL, opened_at = ?, state_since = ? WHERE id = ? AND bot IS NOT NULL",
    )
    .bind(now)
    .bind(now)
    .bind(conversation.to_string())
    .execute(&mut *c)
    .await?;
    end(c, conversation).await?;
    Ok(freed.rows_affected() == 1)
}

/// The talk has ended.
pub async fn end(c: &mut SqliteConnection, conversation: ConversationId) -> Result<(), StoreError> {
    sqlx::query("UPDATE bot_talks SET over = 1 WHERE conversation = ?")
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// The talk of a conversation.
pub async fn get(c: &mut SqliteConnection, conversation: ConversationId) -> Result<Option<Talk>, StoreError> {
    let row = sqlx::query_as::<_, Row>(
        "SELECT conversation, thread, connector, external, watermark, told_seq, over FROM bot_talks
         WHERE conversation = ?",
    )
    .bind(conversation.to_string())
    .fetch_optional(c)
    .await?;
    row.map(Row::talk).transpose()
}

/// Every talk that has not ended, the oldest first.
pub async fn running(c: &mut SqliteConnection) -> Result<Vec<Talk>, StoreError> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT conversation, thread, connector, external, watermark, told_seq, over FROM bot_talks
         WHERE over = 0 ORDER BY begun_at",
    )
    .fetch_all(c)
    .await?;
    rows.into_iter().map(Row::talk).collect()
}

/// Keeps the service's own name for it.
pub async fn set_external(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    external: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE bot_talks SET external = ? WHERE conversation = ?")
        .bind(external)
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps how far it has been heard.
pub async fn set_watermark(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    watermark: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE bot_talks SET watermark = ? WHERE conversation = ?")
        .bind(watermark)
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps up to which number it has the customer's messages.
pub async fn set_told(c: &mut SqliteConnection, conversation: ConversationId, seq: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE bot_talks SET told_seq = ? WHERE conversation = ? AND told_seq < ?")
        .bind(seq)
        .bind(conversation.to_string())
        .bind(seq)
        .execute(c)
        .await?;
    Ok(())
}
