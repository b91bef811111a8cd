//! Everything that must survive: one SQLite database (WAL, `synchronous=FULL`), one writer, several readers.
//!
//! A change is a [`Writing`]: it holds the write lock from its beginning until the [`Committed`] it turns into
//! is dropped, so whoever announces a change while holding that does it in commit order. Repositories are
//! free functions over a connection, one module per subject, and serve reads and writes alike.
//!
//! The statements keep to what SQLite and PostgreSQL share.

pub mod accounts;
pub mod audit;
pub mod bot_talks;
pub mod call_stats;
pub mod chat_links;
mod codec;
pub mod connectors;
pub mod conversations;
pub mod deliveries;
mod error;
pub mod escalations;
pub mod files;
pub mod messages;
mod migrations;
pub mod origins;
pub mod outbox;
pub mod participants;
pub mod readiness;
pub mod rooms;
pub mod routing;
pub mod self_tests;
pub mod server_keys;
pub mod sessions;
pub mod threads;
pub mod wall;

pub use error::StoreError;
pub use sqlx::SqliteConnection;

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Readers that may run beside the writer.
const READERS: u32 = 4;

/// How long another process (the `passwd` command) may hold the database before a write fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The database.
#[derive(Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    turn: Arc<Mutex<()>>,
}

impl Store {
    /// Opens or creates the database and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        migrations::run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.create_if_missing(false))
            .await?;
        Ok(Self {
            writer,
            readers,
            turn: Arc::default(),
        })
    }

    /// A connection that only reads; it sees everything committed before.
    pub async fn read(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        Ok(self.readers.acquire().await?)
    }

    /// Begins a change, when it is its turn. Dropping it undoes it.
    pub async fn write(&self) -> Result<Writing, StoreError> {
        let turn = self.turn.clone().lock_owned().await;
        let tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Writing { tx, turn })
    }

    /// Closes every connection; the write-ahead log is folded in.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A change that is not committed yet.
pub struct Writing {
    tx: Transaction<'static, Sqlite>,
    turn: OwnedMutexGuard<()>,
}

impl Writing {
    /// For the repositories.
    pub fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    /// Makes it durable.
    pub async fn commit(self) -> Result<Committed, StoreError> {
        self.tx.commit().await?;
        Ok(Committed { _turn: self.turn })
    }
}

/// A durable change; the next one begins when this is dropped.
#[must_use = "announce the change while holding this, so that announcements keep the order of commits"]
pub struct Committed {
    _turn: OwnedMutexGuard<()>,
}
