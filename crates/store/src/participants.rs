//! Supervisors who take part in conversations of others.

use crate::{StoreError, codec::id};
use sightline_wire::{
    UnixMillis,
    conversation::Participant,
    ids::{AccountId, ConversationId},
};
use sqlx::SqliteConnection;

/// Who takes part, in the order of their coming.
pub async fn of(c: &mut SqliteConnection, conversation: ConversationId) -> Result<Vec<Participant>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT p.account, a.name FROM participants p JOIN accounts a ON a.id = p.account
         WHERE p.conversation = ? ORDER BY p.since, p.account",
    )
    .bind(conversation.to_string())
    .fetch_all(c)
    .await?;
    rows.into_iter()
        .map(|(account, name)| {
            Ok(Participant {
                account: id(&account)?,
                name,
            })
        })
        .collect()
}

/// Somebody joins; who takes part already goes on.
pub async fn add(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    account: AccountId,
    since: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO participants (conversation, account, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(conversation.to_string())
        .bind(account.to_string())
        .bind(since)
        .execute(c)
        .await?;
    Ok(())
}

/// Somebody leaves; `false` when that one did not take part.
pub async fn remove(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    account: AccountId,
) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM participants WHERE conversation = ? AND account = ?")
        .bind(conversation.to_string())
        .bind(account.to_string())
        .execute(c)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Everybody leaves.
pub(crate) async fn clear(c: &mut SqliteConnection, conversation: ConversationId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM participants WHERE conversation = ?")
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}
