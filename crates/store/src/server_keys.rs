//! The server's own keys: made once, the same at every start.

use crate::StoreError;
use sqlx::SqliteConnection;

/// The key of this name, or this one from now on.
pub async fn get_or_keep(c: &mut SqliteConnection, name: &str, fresh: &str) -> Result<String, StoreError> {
    sqlx::query("INSERT INTO server_keys (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(fresh)
        .execute(&mut *c)
        .await?;
    Ok(sqlx::query_scalar("SELECT value FROM server_keys WHERE name = ?")
        .bind(name)
        .fetch_one(c)
        .await?)
}
