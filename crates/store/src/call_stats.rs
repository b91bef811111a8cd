//! What each call was like.

use crate::{
    StoreError,
    codec::{from_json, json},
};
use sightline_wire::{ids::EscalationId, stats::CallMoment};
use sqlx::SqliteConnection;

/// Keeps moments; those that are kept already change nothing.
pub async fn add(c: &mut SqliteConnection, escalation: EscalationId, moments: &[CallMoment]) -> Result<(), StoreError> {
    for moment in moments {
        sqlx::query("INSERT INTO call_moments (escalation, at, moment) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(escalation.to_string())
            .bind(moment.at)
            .bind(json(moment))
            .execute(&mut *c)
            .await?;
    }
    Ok(())
}

/// How many moments of a call are kept.
pub async fn count(c: &mut SqliteConnection, escalation: EscalationId) -> Result<u32, StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM call_moments WHERE escalation = ?")
        .bind(escalation.to_string())
        .fetch_one(c)
        .await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// All moments of a call, oldest first.
pub async fn of(c: &mut SqliteConnection, escalation: EscalationId) -> Result<Vec<CallMoment>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar("SELECT moment FROM call_moments WHERE escalation = ? ORDER BY at")
        .bind(escalation.to_string())
        .fetch_all(c)
        .await?;
    rows.iter().map(|row| from_json(row, "call moment")).collect()
}
