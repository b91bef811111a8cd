//! The hidden conversations of desks that test themselves: what they leave is kept for a while, then forgotten.

use crate::{StoreError, codec::name};
use sightline_wire::{UnixMillis, conversation::Channel};
use sqlx::SqliteConnection;

/// Of the calls that are over, in the order in which they refer to each other.
const FORGET: [&str; 9] = [
    "DELETE FROM call_moments WHERE escalation IN (SELECT id FROM escalations WHERE conversation IN (
     SELECT id FROM conversations WHERE channel = ? AND state = 'closed' AND opened_at < ?))",
    "DELETE FROM outbox WHERE escalation IN (SELECT id FROM escalations WHERE conversation IN (
     SELECT id FROM conversations WHERE channel = ? AND state = 'closed' AND opened_at < ?))",
    "DELETE FROM warm_tokens WHERE room IN (SELECT r.id FROM rooms r JOIN escalations e ON e.id = r.escalation
     WHERE e.conversation IN (SELECT id FROM conversations WHERE channel = ? AND state = 'closed' AND opened_at < ?))",
    "DELETE FROM room_tokens WHERE room IN (SELECT r.id FROM rooms r JOIN escalations e ON e.id = r.escalation
     WHERE e.conversation IN (SELECT id FROM conversations WHERE channel = ? AND state = 'closed' AND opened_at < ?))",
    "DELETE FROM rooms WHERE escalation IN (SELECT id FROM escalations WHERE conversation IN (
     SELECT id FROM conversations WHERE channel = ? AND state = 'closed' AND opened_at < ?))",
    "DELETE FROM invites WHERE escalation IN (SELECT id FROM escalations WHERE conversation IN (
     SELECT id FROM conversations WHERE channel = ? AND state = 'closed' AND opened_at < ?))",
    "DELETE FROM escalations WHERE conversation IN (
     SELECT id FROM conversations WHERE channel = ? AND state = 'closed' AND opened_at < ?)",
    "DELETE FROM messages WHERE conversation IN (
     SELECT id FROM conversations WHERE channel = ? AND state = 'closed' AND opened_at < ?)",
    "DELETE FROM conversations WHERE channel = ? AND state = 'closed' AND opened_at < ?",
];

/// Forgets the self-tests that are over and began before this moment.
pub async fn forget(c: &mut SqliteConnection, before: UnixMillis) -> Result<(), StoreError> {
    for statement in FORGET {
        sqlx::query(statement)
            .bind(name(&Channel::SelfTest))
            .bind(before)
            .execute(&mut *c)
            .await?;
    }
    Ok(())
}
