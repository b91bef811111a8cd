//! What has to reach a platform, from the transaction that decides to send until the platform has it or never will.

use crate::{
    StoreError,
    codec::{from_json, id, json},
};
use serde::{Serialize, de::DeserializeOwned};
use sightline_wire::{
    UnixMillis,
    ids::{ConversationId, DeliveryId},
};
use sqlx::{AssertSqlSafe, FromRow, SqliteConnection};
use uuid::Uuid;

/// What is to be sent, of the caller's own type.
pub struct NewDelivery<'a, P> {
    /// By whom.
    pub connector: &'a str,
    /// In which thread.
    pub thread: &'a str,
    /// Because of which conversation.
    pub conversation: ConversationId,
    /// The message's number in it, for a message.
    pub seq: Option<i64>,
    /// What.
    pub parcel: &'a P,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Delivery<P> {
    /// Ascending in the order of sending.
    pub number: i64,
    /// The same at every attempt: the key for platforms that know such keys.
    pub id: DeliveryId,
    /// By whom.
    pub connector: String,
    /// In which thread of ours.
    pub thread: String,
    /// Because of which conversation.
    pub conversation: ConversationId,
    /// The message's number in it, for a message.
    pub seq: Option<i64>,
    /// What.
    pub parcel: P,
    /// Failed so often until now.
    pub attempts: u32,
    /// Not before then.
    pub due_at: UnixMillis,
    /// What the last attempt came to.
    pub error: Option<String>,
    /// When it was decided.
    pub created_at: UnixMillis,
    /// When it was sent or given up.
    pub settled_at: Option<UnixMillis>,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    id: String,
    connector: String,
    thread: String,
    conversation: String,
    seq: Option<i64>,
    parcel: String,
    attempts: i64,
    due_at: i64,
    error: Option<String>,
    created_at: i64,
    settled_at: Option<i64>,
}

impl Row {
    fn delivery<P: DeserializeOwned>(self) -> Result<Delivery<P>, StoreError> {
        Ok(Delivery {
            number: self.number,
            id: id(&self.id)?,
            connector: self.connector,
            thread: self.thread,
            conversation: id(&self.conversation)?,
            seq: self.seq,
            parcel: from_json(&self.parcel, "parcel")?,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            due_at: self.due_at,
            error: self.error,
            created_at: self.created_at,
            settled_at: self.settled_at,
        })
    }
}

const COLUMNS: &str = "number, id, connector, thread, conversation, seq, parcel, attempts, due_at, error, created_at, \
                       settled_at";

/// Adds one, behind everything else of its thread: it is not due before what waits there already.
pub async fn add<P: Serialize>(
    c: &mut SqliteConnection,
    new: &NewDelivery<'_, P>,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO deliveries
         (id, connector, thread, conversation, seq, parcel, state, attempts, due_at, created_at)
         VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0,
         COALESCE((SELECT MAX(d.due_at) FROM deliveries d WHERE d.thread = ? AND d.state = 'waiting' AND d.due_at > ?), ?),
         ?)",
    )
    .bind(Uuid::new_v4().to_string())
    .bind(new.connector)
    .bind(new.thread)
    .bind(new.conversation.to_string())
    .bind(new.seq)
    .bind(json(new.parcel))
    .bind(new.thread)
    .bind(now)
    .bind(now)
    .bind(now)
    .execute(c)
    .await?;
    Ok(())
}

/// Before it nothing waits in its thread: those of one thread keep their order.
const FIRST: &str = "NOT EXISTS (SELECT 1 FROM deliveries e
                     WHERE e.thread = d.thread AND e.state = 'waiting' AND e.number < d.number)";

/// What a connector can send now: the first that waits in each thread and is due, the longest due first.
pub async fn due<P: DeserializeOwned>(
    c: &mut SqliteConnection,
    connector: &str,
    now: UnixMillis,
    limit: usize,
) -> Result<Vec<Delivery<P>>, StoreError> {
    let query = format!(
        "SELECT {COLUMNS} FROM deliveries d WHERE d.connector = ? AND d.state = 'waiting' AND d.due_at <= ? AND {FIRST}
         ORDER BY d.due_at, d.number LIMIT ?"
    );
    let rows = sqlx::query_as::<_, Row>(AssertSqlSafe(query))
        .bind(connector)
        .bind(now)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(c)
        .await?;
    rows.into_iter().map(Row::delivery).collect()
}

/// When a connector has something to send that is not due yet; `None` when there is nothing.
pub async fn next_due(
    c: &mut SqliteConnection,
    connector: &str,
    now: UnixMillis,
) -> Result<Option<UnixMillis>, StoreError> {
    let query = format!(
        "SELECT d.due_at FROM deliveries d WHERE d.connector = ? AND d.state = 'waiting' AND d.due_at > ? AND {FIRST}
         ORDER BY d.due_at LIMIT 1"
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(query))
        .bind(connector)
        .bind(now)
        .fetch_optional(c)
        .await?)
}

/// The platform has it, under this name where it gives one.
pub async fn sent(
    c: &mut SqliteConnection,
    number: i64,
    vendor_id: Option<&str>,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE deliveries SET state = 'sent', vendor_id = ?, error = NULL, settled_at = ? WHERE number = ?")
        .bind(vendor_id)
        .bind(now)
        .bind(number)
        .execute(c)
        .await?;
    Ok(())
}

/// It did not work, and is tried again then; whatever waits behind it waits as long.
pub async fn again(c: &mut SqliteConnection, number: i64, due_at: UnixMillis, error: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE deliveries SET attempts = attempts + 1, due_at = ?, error = ? WHERE number = ?")
        .bind(due_at)
        .bind(error)
        .bind(number)
        .execute(&mut *c)
        .await?;
    sqlx::query(
        "UPDATE deliveries SET due_at = ?
         WHERE thread = (SELECT thread FROM deliveries WHERE number = ?) AND state = 'waiting' AND number > ? AND due_at < ?",
    )
    .bind(due_at)
    .bind(number)
    .bind(number)
    .bind(due_at)
    .execute(c)
    .await?;
    Ok(())
}

/// It will never arrive, unless somebody sends it again.
pub async fn dead(c: &mut SqliteConnection, number: i64, error: &str, now: UnixMillis) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = 'dead', attempts = attempts + 1, error = ?, settled_at = ? WHERE number = ?",
    )
    .bind(error)
    .bind(now)
    .bind(number)
    .execute(c)
    .await?;
    Ok(())
}

/// Somebody sends a dead one again; `false` when it is not dead.
pub async fn revive(c: &mut SqliteConnection, delivery: DeliveryId, now: UnixMillis) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'waiting', attempts = 0, due_at = ?, settled_at = NULL
         WHERE id = ? AND state = 'dead'",
    )
    .bind(now)
    .bind(delivery.to_string())
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The conversation because of which a dead one was to be sent; `None` when it is not dead.
pub async fn of_dead(c: &mut SqliteConnection, delivery: DeliveryId) -> Result<Option<ConversationId>, StoreError> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT conversation FROM deliveries WHERE id = ? AND state = 'dead'")
            .bind(delivery.to_string())
            .fetch_optional(c)
            .await?;
    found.map(|text| id(&text)).transpose()
}

/// A message that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its number in the conversation.
    pub seq: i64,
    /// What the last attempt came to.
    pub error: String,
    /// It can be sent again under this name; `None` when it was given up for good.
    pub letter: Option<DeliveryId>,
}

/// A conversation's messages that did not arrive, in their order.
pub async fn lost(c: &mut SqliteConnection, conversation: ConversationId) -> Result<Vec<Lost>, StoreError> {
    let rows: Vec<(i64, Option<String>, String, String)> = sqlx::query_as(
        "SELECT seq, error, id, state FROM deliveries
         WHERE conversation = ? AND state IN ('dead', 'discarded') AND seq IS NOT NULL ORDER BY seq",
    )
    .bind(conversation.to_string())
    .fetch_all(c)
    .await?;
    let lost = |(seq, error, name, state): (i64, Option<String>, String, String)| {
        let letter = if state == "dead" { Some(id(&name)?) } else { None };
        Ok(Lost {
            seq,
            error: error.unwrap_or_default(),
            letter,
        })
    };
    rows.into_iter().map(lost).collect()
}

/// Somebody gives a dead one up for good, so that its message stays undelivered; `false` when it is not dead.
pub async fn discard(c: &mut SqliteConnection, delivery: DeliveryId) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE deliveries SET state = 'discarded' WHERE id = ? AND state = 'dead'")
        .bind(delivery.to_string())
        .execute(c)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The dead ones, newest first.
pub async fn all_dead<P: DeserializeOwned>(
    c: &mut SqliteConnection,
    limit: i64,
) -> Result<Vec<Delivery<P>>, StoreError> {
    let query = format!("SELECT {COLUMNS} FROM deliveries WHERE state = 'dead' ORDER BY number DESC LIMIT ?");
    let rows = sqlx::query_as::<_, Row>(AssertSqlSafe(query))
        .bind(limit)
        .fetch_all(c)
        .await?;
    rows.into_iter().map(Row::delivery).collect()
}

/// What the platform calls so.
pub async fn by_vendor_id<P: DeserializeOwned>(
    c: &mut SqliteConnection,
    connector: &str,
    vendor_id: &str,
) -> Result<Option<Delivery<P>>, StoreError> {
    let query =
        format!("SELECT {COLUMNS} FROM deliveries WHERE connector = ? AND vendor_id = ? ORDER BY number DESC LIMIT 1");
    let row = sqlx::query_as::<_, Row>(AssertSqlSafe(query))
        .bind(connector)
        .bind(vendor_id)
        .fetch_optional(c)
        .await?;
    row.map(Row::delivery).transpose()
}

/// How many of each connector wait, and how many are dead.
pub async fn counts(c: &mut SqliteConnection) -> Result<Vec<(String, i64, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT connector, SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END),
         SUM(CASE WHEN state = 'dead' THEN 1 ELSE 0 END)
         FROM deliveries WHERE state IN ('waiting', 'dead') GROUP BY connector",
    )
    .fetch_all(c)
    .await?)
}

/// Sends something else in its place, as if it had not been tried.
pub async fn instead<P: Serialize>(
    c: &mut SqliteConnection,
    number: i64,
    parcel: &P,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET parcel = ?, state = 'waiting', attempts = 0, due_at = ?, settled_at = NULL
         WHERE number = ?",
    )
    .bind(json(parcel))
    .bind(now)
    .bind(number)
    .execute(c)
    .await?;
    Ok(())
}
