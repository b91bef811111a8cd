//! What has to be remembered of connectors: who is switched off, and which signed requests were carried out.

use crate::{
    StoreError,
    codec::{from_name, name},
};
use serde::{Deserialize, Serialize};
use sightline_wire::UnixMillis;
use sqlx::SqliteConnection;

/// Whether a connector may have traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// As configured.
    On,
    /// No traffic, until it is switched on again.
    Off,
}

/// Every connector that was ever switched.
pub async fn switches(c: &mut SqliteConnection) -> Result<Vec<(String, Switch)>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT name, state FROM connector_switches")
        .fetch_all(c)
        .await?;
    rows.into_iter()
        .map(|(connector, state)| Ok((connector, from_name(&state, "switch")?)))
        .collect()
}

/// Switches one.
pub async fn switch(
    c: &mut SqliteConnection,
    connector: &str,
    state: Switch,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO connector_switches (name, state, at) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET state = excluded.state, at = excluded.at",
    )
    .bind(connector)
    .bind(name(&state))
    .bind(now)
    .execute(c)
    .await?;
    Ok(())
}

/// Whether a request was carried out before.
pub async fn carried_out(c: &mut SqliteConnection, digest: &str) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT at FROM hook_requests WHERE digest = ?")
        .bind(digest)
        .fetch_optional(c)
        .await?;
    Ok(found.is_some())
}

/// Remembers a request, and forgets those from before `since`.
pub async fn carry_out(
    c: &mut SqliteConnection,
    digest: &str,
    now: UnixMillis,
    since: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM hook_requests WHERE at < ?")
        .bind(since)
        .execute(&mut *c)
        .await?;
    sqlx::query("INSERT INTO hook_requests (digest, at) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING")
        .bind(digest)
        .bind(now)
        .execute(c)
        .await?;
    Ok(())
}
