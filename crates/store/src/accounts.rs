//! The people who sign in.

use crate::{
    StoreError,
    codec::{from_name, id, name},
};
use sightline_wire::{UnixMillis, account::Account, ids::AccountId};
use sqlx::{FromRow, SqliteConnection};

/// An account together with its secret's hash.
pub struct StoredAccount {
    /// The account.
    pub account: Account,
    /// PHC string.
    pub password_hash: String,
}

#[derive(FromRow)]
struct Row {
    id: String,
    email: String,
    name: String,
    role: String,
    password_hash: String,
}

impl Row {
    fn account(self) -> Result<StoredAccount, StoreError> {
        Ok(StoredAccount {
            account: Account {
                id: id(&self.id)?,
                email: self.email,
                name: self.name,
                role: from_name(&self.role, "role")?,
            },
            password_hash: self.password_hash,
        })
    }
}

/// E-mail addresses are compared without case and outer spaces.
pub fn fold_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Whether nobody has an account yet.
pub async fn none_yet(c: &mut SqliteConnection) -> Result<bool, StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM accounts").fetch_one(c).await?;
    Ok(count == 0)
}

/// Adds an account.
pub async fn insert(c: &mut SqliteConnection, stored: &StoredAccount, now: UnixMillis) -> Result<(), StoreError> {
    let account = &stored.account;
    sqlx::query("INSERT INTO accounts (id, email, name, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(account.id.to_string())
        .bind(fold_email(&account.email))
        .bind(&account.name)
        .bind(name(&account.role))
        .bind(&stored.password_hash)
        .bind(now)
        .execute(c)
        .await?;
    Ok(())
}

/// The account with this e-mail address.
pub async fn by_email(c: &mut SqliteConnection, email: &str) -> Result<Option<StoredAccount>, StoreError> {
    sqlx::query_as::<_, Row>("SELECT id, email, name, role, password_hash FROM accounts WHERE email = ?")
        .bind(fold_email(email))
        .fetch_optional(c)
        .await?
        .map(Row::account)
        .transpose()
}

/// The account with this id.
pub async fn by_id(c: &mut SqliteConnection, account: AccountId) -> Result<Option<Account>, StoreError> {
    Ok(
        sqlx::query_as::<_, Row>("SELECT id, email, name, role, password_hash FROM accounts WHERE id = ?")
            .bind(account.to_string())
            .fetch_optional(c)
            .await?
            .map(Row::account)
            .transpose()?
            .map(|stored| stored.account),
    )
}

/// Everybody, by name.
pub async fn all(c: &mut SqliteConnection) -> Result<Vec<Account>, StoreError> {
    let rows = sqlx::query_as::<_, Row>("SELECT id, email, name, role, password_hash FROM accounts ORDER BY name, id")
        .fetch_all(c)
        .await?;
    rows.into_iter()
        .map(|row| row.account().map(|stored| stored.account))
        .collect()
}

/// Replaces the password's hash.
pub async fn set_password_hash(c: &mut SqliteConnection, account: AccountId, hash: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE accounts SET password_hash = ? WHERE id = ?")
        .bind(hash)
        .bind(account.to_string())
        .execute(c)
        .await?;
    Ok(())
}
