//! Self-tests of the desks, and the leases that came of them.

use crate::{
    StoreError,
    codec::{from_json, id, json, optional_id},
};
use sightline_call::readiness::lease::LeaseState;
use sightline_wire::{
    UnixMillis,
    ids::{AccountId, DeskId, ReportId},
    readiness::Report,
};
use sqlx::{FromRow, SqliteConnection};

/// Reports of one agent that are kept.
pub const KEPT_REPORTS: i64 = 30;

/// Desks of one agent whose leases are kept: those that were there last.
const KEPT_DESKS: i64 = 10;

/// What one desk of an agent may be offered.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredLease {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub desk: DeskId,
    /// As the rules know it.
    pub state: LeaseState,
    /// When it changes by itself.
    pub due_at: Option<UnixMillis>,
    /// When that desk last came or reported.
    pub seen_at: UnixMillis,
    /// How media leaves it, in words.
    pub path: String,
}

#[derive(FromRow)]
struct Row {
    account: String,
    desk: String,
    state: String,
    due_at: Option<i64>,
    seen_at: i64,
    path: String,
}

impl Row {
    fn lease(self) -> Result<StoredLease, StoreError> {
        Ok(StoredLease {
            account: id(&self.account)?,
            desk: id(&self.desk)?,
            state: from_json(&self.state, "readiness lease")?,
            due_at: self.due_at,
            seen_at: self.seen_at,
            path: self.path,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account, desk, state, due_at, seen_at, path FROM readiness_leases ",
            $rest
        )
    };
}

/// Keeps a report, and of the agent's older ones as many as are kept.
pub async fn add_report(
    c: &mut SqliteConnection,
    account: AccountId,
    desk: DeskId,
    report: &Report,
    received_at: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO readiness_reports (id, account, desk, received_at, report) VALUES (?, ?, ?, ?, ?)")
        .bind(report.id.to_string())
        .bind(account.to_string())
        .bind(desk.to_string())
        .bind(received_at)
        .bind(json(report))
        .execute(&mut *c)
        .await?;
    sqlx::query(
        "DELETE FROM readiness_reports WHERE account = ? AND number <=
         (SELECT number FROM readiness_reports WHERE account = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
    )
    .bind(account.to_string())
    .bind(account.to_string())
    .bind(KEPT_REPORTS)
    .execute(c)
    .await?;
    Ok(())
}

/// Who sent a report that is kept.
pub async fn sender(c: &mut SqliteConnection, report: ReportId) -> Result<Option<AccountId>, StoreError> {
    let account: Option<String> = sqlx::query_scalar("SELECT account FROM readiness_reports WHERE id = ?")
        .bind(report.to_string())
        .fetch_optional(c)
        .await?;
    optional_id(account.as_deref())
}

/// An agent's reports, the newest first.
pub async fn reports(c: &mut SqliteConnection, account: AccountId) -> Result<Vec<Report>, StoreError> {
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT report FROM readiness_reports WHERE account = ? ORDER BY number DESC")
            .bind(account.to_string())
            .fetch_all(c)
            .await?;
    rows.iter().map(|row| from_json(row, "readiness report")).collect()
}

/// The lease of one desk of an agent.
pub async fn lease(
    c: &mut SqliteConnection,
    account: AccountId,
    desk: DeskId,
) -> Result<Option<StoredLease>, StoreError> {
    sqlx::query_as::<_, Row>(select!("WHERE account = ? AND desk = ?"))
        .bind(account.to_string())
        .bind(desk.to_string())
        .fetch_optional(c)
        .await?
        .map(Row::lease)
        .transpose()
}

/// The lease of the desk where an agent was last.
pub async fn newest_lease(c: &mut SqliteConnection, account: AccountId) -> Result<Option<StoredLease>, StoreError> {
    sqlx::query_as::<_, Row>(select!("WHERE account = ? ORDER BY seen_at DESC, desk LIMIT 1"))
        .bind(account.to_string())
        .fetch_optional(c)
        .await?
        .map(Row::lease)
        .transpose()
}

/// Every lease; of each agent's, the desk's where he or she was last comes first.
pub async fn all_leases(c: &mut SqliteConnection) -> Result<Vec<StoredLease>, StoreError> {
    sqlx::query_as::<_, Row>(select!("ORDER BY account, seen_at DESC, desk"))
        .fetch_all(c)
        .await?
        .into_iter()
        .map(Row::lease)
        .collect()
}

/// Keeps a lease, and forgets the agent's at desks that were left long ago.
pub async fn save_lease(c: &mut SqliteConnection, lease: &StoredLease) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO readiness_leases (account, desk, state, due_at, seen_at, path)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (account, desk) DO UPDATE SET state = excluded.state, due_at = excluded.due_at,
         seen_at = excluded.seen_at, path = excluded.path",
    )
    .bind(lease.account.to_string())
    .bind(lease.desk.to_string())
    .bind(json(&lease.state))
    .bind(lease.due_at)
    .bind(lease.seen_at)
    .bind(&lease.path)
    .execute(&mut *c)
    .await?;
    sqlx::query(
        "DELETE FROM readiness_leases WHERE account = ? AND desk NOT IN
         (SELECT desk FROM readiness_leases WHERE account = ? ORDER BY seen_at DESC, desk LIMIT ?)",
    )
    .bind(lease.account.to_string())
    .bind(lease.account.to_string())
    .bind(KEPT_DESKS)
    .execute(c)
    .await?;
    Ok(())
}

/// When the next lease changes by itself.
pub async fn next_due(c: &mut SqliteConnection) -> Result<Option<UnixMillis>, StoreError> {
    Ok(
        sqlx::query_scalar("SELECT MIN(due_at) FROM readiness_leases WHERE due_at IS NOT NULL")
            .fetch_one(c)
            .await?,
    )
}

/// Leases whose time has come, at most so many.
pub async fn due(c: &mut SqliteConnection, now: UnixMillis, most: i64) -> Result<Vec<StoredLease>, StoreError> {
    sqlx::query_as::<_, Row>(select!("WHERE due_at <= ? ORDER BY due_at LIMIT ?"))
        .bind(now)
        .bind(most)
        .fetch_all(c)
        .await?
        .into_iter()
        .map(Row::lease)
        .collect()
}
