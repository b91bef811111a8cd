use sightline_wire::ErrorCode;

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full, read-only or broken.
    #[error("the database could not be written: {0}")]
    Storage(#[source] sqlx::Error),
    /// A row that this version cannot read.
    #[error("a stored {what} cannot be read")]
    Unreadable {
        /// Which kind of value.
        what: &'static str,
    },
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Anything else: a bug.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl StoreError {
    /// The code a person is shown.
    pub fn code(&self) -> ErrorCode {
        match self {
            StoreError::Storage(_) => ErrorCode::StorageFailed,
            StoreError::Unreadable { .. } | StoreError::Migration(_) | StoreError::Database(_) => ErrorCode::Internal,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        /// SQLite's primary result codes for a disk that does not take it: READONLY, IOERR, CORRUPT, FULL,
        /// CANTOPEN.
        const DISK: [i64; 5] = [8, 10, 11, 13, 14];
        let primary = error
            .as_database_error()
            .and_then(|e| e.code())
            .and_then(|code| code.parse::<i64>().ok())
            .map(|code| code & 0xff);
        match primary {
            Some(code) if DISK.contains(&code) => StoreError::Storage(error),
            _ => StoreError::Database(error),
        }
    }
}
