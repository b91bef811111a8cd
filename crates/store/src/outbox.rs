//! What still has to go out on a conversation's channel. A row is written by the transaction that decides to
//! send, and marked by the transaction that has sent.

use crate::{StoreError, codec::id};
use sightline_wire::{UnixMillis, ids::EscalationId};
use sqlx::SqliteConnection;

/// An invite to be written into its conversation.
#[derive(Debug, Clone, Copy)]
pub struct OutboxRow {
    /// Ascending.
    pub id: i64,
    /// Whose link.
    pub escalation: EscalationId,
}

/// Adds an invite to be sent.
pub async fn add(c: &mut SqliteConnection, escalation: EscalationId, now: UnixMillis) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO outbox (escalation, created_at) VALUES (?, ?)")
        .bind(escalation.to_string())
        .bind(now)
        .execute(c)
        .await?;
    Ok(())
}

/// The oldest unsent row.
pub async fn next_unsent(c: &mut SqliteConnection) -> Result<Option<OutboxRow>, StoreError> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT id, escalation FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT 1")
            .fetch_optional(c)
            .await?;
    row.map(|(row, escalation)| {
        Ok(OutboxRow {
            id: row,
            escalation: id(&escalation)?,
        })
    })
    .transpose()
}

/// Marks a row as sent; `false` when it was before.
pub async fn mark_sent(c: &mut SqliteConnection, row: i64, now: UnixMillis) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE outbox SET sent_at = ? WHERE id = ? AND sent_at IS NULL")
        .bind(now)
        .bind(row)
        .execute(c)
        .await?;
    Ok(done.rows_affected() == 1)
}
