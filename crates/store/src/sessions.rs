//! Sign-ins: families of rotating refresh tokens, and the access tokens they give. Only hashes are stored.

use crate::{
    StoreError,
    codec::{from_name, id},
};
use sightline_wire::{UnixMillis, account::Account, ids::AccountId};
use sqlx::{FromRow, SqliteConnection};

/// One sign-in on one desk.
pub type FamilyId = String;

/// What a refresh token is.
pub struct RefreshToken {
    /// Its sign-in.
    pub family: FamilyId,
    /// Whose.
    pub account: AccountId,
    /// When it stops working.
    pub expires_at: UnixMillis,
    /// When it was exchanged.
    pub used_at: Option<UnixMillis>,
    /// Hash of what it was exchanged for.
    pub successor: Option<String>,
    /// The whole sign-in is over.
    pub revoked: bool,
}

#[derive(FromRow)]
struct RefreshRow {
    family: String,
    account: String,
    expires_at: i64,
    used_at: Option<i64>,
    successor: Option<String>,
    revoked_at: Option<i64>,
}

/// Begins a sign-in.
pub async fn begin(
    c: &mut SqliteConnection,
    family: &str,
    account: AccountId,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO session_families (id, account, created_at) VALUES (?, ?, ?)")
        .bind(family)
        .bind(account.to_string())
        .bind(now)
        .execute(c)
        .await?;
    Ok(())
}

/// Adds a pair of tokens to a sign-in, and forgets access tokens that are over.
pub async fn add_tokens(
    c: &mut SqliteConnection,
    family: &str,
    access: (&str, UnixMillis),
    refresh: (&str, UnixMillis),
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM access_tokens WHERE expires_at < ?")
        .bind(now)
        .execute(&mut *c)
        .await?;
    sqlx::query("INSERT INTO access_tokens (hash, family, expires_at) VALUES (?, ?, ?)")
        .bind(access.0)
        .bind(family)
        .bind(access.1)
        .execute(&mut *c)
        .await?;
    sqlx::query("INSERT INTO refresh_tokens (hash, family, expires_at) VALUES (?, ?, ?)")
        .bind(refresh.0)
        .bind(family)
        .bind(refresh.1)
        .execute(&mut *c)
        .await?;
    Ok(())
}

/// Looks a refresh token up.
pub async fn refresh_token(c: &mut SqliteConnection, hash: &str) -> Result<Option<RefreshToken>, StoreError> {
    let row = sqlx::query_as::<_, RefreshRow>(
        "SELECT r.family, f.account, r.expires_at, r.used_at, r.successor, f.revoked_at
         FROM refresh_tokens r JOIN session_families f ON f.id = r.family WHERE r.hash = ?",
    )
    .bind(hash)
    .fetch_optional(c)
    .await?;
    row.map(|row| {
        Ok(RefreshToken {
            family: row.family,
            account: id(&row.account)?,
            expires_at: row.expires_at,
            used_at: row.used_at,
            successor: row.successor,
            revoked: row.revoked_at.is_some(),
        })
    })
    .transpose()
}

/// Marks a refresh token as exchanged; the first time of its use stays.
pub async fn mark_used(
    c: &mut SqliteConnection,
    hash: &str,
    successor: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE refresh_tokens SET used_at = COALESCE(used_at, ?), successor = ? WHERE hash = ?")
        .bind(now)
        .bind(successor)
        .bind(hash)
        .execute(c)
        .await?;
    Ok(())
}

/// Takes one refresh token away: a lost answer's, which was never used.
pub async fn forget_refresh_token(c: &mut SqliteConnection, hash: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM refresh_tokens WHERE hash = ?")
        .bind(hash)
        .execute(c)
        .await?;
    Ok(())
}

/// Ends a sign-in: none of its tokens works any more.
pub async fn revoke(c: &mut SqliteConnection, family: &str, now: UnixMillis) -> Result<(), StoreError> {
    sqlx::query("UPDATE session_families SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?")
        .bind(now)
        .bind(family)
        .execute(&mut *c)
        .await?;
    sqlx::query("DELETE FROM access_tokens WHERE family = ?")
        .bind(family)
        .execute(c)
        .await?;
    Ok(())
}

/// Ends every sign-in of an account.
pub async fn revoke_account(c: &mut SqliteConnection, account: AccountId, now: UnixMillis) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM access_tokens WHERE family IN (SELECT id FROM session_families WHERE account = ?)")
        .bind(account.to_string())
        .execute(&mut *c)
        .await?;
    sqlx::query("UPDATE session_families SET revoked_at = COALESCE(revoked_at, ?) WHERE account = ?")
        .bind(now)
        .bind(account.to_string())
        .execute(c)
        .await?;
    Ok(())
}

#[derive(FromRow)]
struct AccessRow {
    id: String,
    email: String,
    name: String,
    role: String,
    family: String,
}

/// Who an access token speaks for, if it is still good.
pub async fn by_access_token(
    c: &mut SqliteConnection,
    hash: &str,
    now: UnixMillis,
) -> Result<Option<(Account, FamilyId)>, StoreError> {
    let row = sqlx::query_as::<_, AccessRow>(
        "SELECT a.id, a.email, a.name, a.role, t.family
         FROM access_tokens t
         JOIN session_families f ON f.id = t.family
         JOIN accounts a ON a.id = f.account
         WHERE t.hash = ? AND t.expires_at > ? AND f.revoked_at IS NULL",
    )
    .bind(hash)
    .bind(now)
    .fetch_optional(c)
    .await?;
    row.map(|row| {
        let account = Account {
            id: id(&row.id)?,
            email: row.email,
            name: row.name,
            role: from_name(&row.role, "role")?,
        };
        Ok((account, row.family))
    })
    .transpose()
}
