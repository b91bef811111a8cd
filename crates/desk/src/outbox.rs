//! What this desk still owes the server, in an SQLite file: messages typed, files chosen and calls hung up.

use sightline_wire::{
    ErrorCode, Problem,
    desk::{PendingFile, PendingMessage, PendingState},
    ids::{ClientMessageId, ConversationId, EscalationId},
};
use sqlx::{
    Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS message (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        owner TEXT NOT NULL,
        client_id TEXT NOT NULL UNIQUE,
        conversation TEXT NOT NULL,
        text TEXT NOT NULL,
        at INTEGER NOT NULL,
        refused TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS file (
        client_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        size INTEGER NOT NULL,
        content BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS call_over (
        owner TEXT NOT NULL,
        escalation TEXT NOT NULL,
        failed INTEGER NOT NULL,
        PRIMARY KEY (owner, escalation)
    ) STRICT;
";

/// How a call ended here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The agent hung up, or took the invite back.
    HungUp,
    /// Nothing came through, whatever was tried.
    Failed,
}

/// The file, seen by one account on one server.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    pool: SqlitePool,
    owner: String,
}

impl Outbox {
    /// Opens or creates the file. `owner` keeps two accounts of one desk apart.
    pub async fn open(data_dir: &Path, owner: String) -> Result<Self, Problem> {
        let options = SqliteConnectOptions::new()
            .filename(data_dir.join("outbox.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(2));
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await
            .map_err(failed)?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await.map_err(failed)?;
        Ok(Self { pool, owner })
    }

    /// Everything that waits, in the order typed.
    pub async fn messages(&self) -> Result<Vec<PendingMessage>, Problem> {
        let rows = sqlx::query(
            "SELECT m.client_id, conversation, text, at, refused, name, kind, size FROM message m
             LEFT JOIN file f ON f.client_id = m.client_id WHERE owner = ? ORDER BY position",
        )
        .bind(&self.owner)
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        Ok(rows.iter().filter_map(pending).collect())
    }

    /// Returns once the message is on disk, with the file that it is.
    pub async fn add(&self, message: &PendingMessage, content: Option<&[u8]>) -> Result<(), Problem> {
        let mut both = self.pool.begin().await.map_err(failed)?;
        sqlx::query("INSERT INTO message (owner, client_id, conversation, text, at) VALUES (?, ?, ?, ?, ?)")
            .bind(&self.owner)
            .bind(message.client_id.to_string())
            .bind(message.conversation.to_string())
            .bind(&message.text)
            .bind(message.at)
            .execute(&mut *both)
            .await
            .map_err(failed)?;
        if let (Some(file), Some(content)) = (&message.file, content) {
            sqlx::query("INSERT INTO file (client_id, name, kind, size, content) VALUES (?, ?, ?, ?, ?)")
                .bind(message.client_id.to_string())
                .bind(&file.name)
                .bind(&file.kind)
                .bind(file.size)
                .bind(content)
                .execute(&mut *both)
                .await
                .map_err(failed)?;
        }
        both.commit().await.map_err(failed)
    }

    /// The bytes of a file that waits.
    pub async fn content(&self, id: ClientMessageId) -> Result<Vec<u8>, Problem> {
        sqlx::query_scalar("SELECT content FROM file WHERE client_id = ?")
            .bind(id.to_string())
            .fetch_one(&self.pool)
            .await
            .map_err(failed)
    }

    /// Keeps the reason with a message that the server will never take.
    pub async fn refuse(&self, id: ClientMessageId, problem: &Problem) -> Result<(), Problem> {
        sqlx::query("UPDATE message SET refused = ? WHERE client_id = ?")
            .bind(serde_json::to_string(problem).unwrap_or_default())
            .bind(id.to_string())
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed)
    }

    /// The server has it, or the agent gave it up.
    pub async fn remove(&self, id: ClientMessageId) -> Result<(), Problem> {
        let mut both = self.pool.begin().await.map_err(failed)?;
        for statement in [
            "DELETE FROM message WHERE client_id = ?",
            "DELETE FROM file WHERE client_id = ?",
        ] {
            sqlx::query(statement)
                .bind(id.to_string())
                .execute(&mut *both)
                .await
                .map_err(failed)?;
        }
        both.commit().await.map_err(failed)
    }

    /// Calls that ended here and not yet on the server.
    pub async fn calls_over(&self) -> Result<Vec<(EscalationId, Ending)>, Problem> {
        let rows = sqlx::query("SELECT escalation, failed FROM call_over WHERE owner = ?")
            .bind(&self.owner)
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        Ok(rows.iter().filter_map(call_over).collect())
    }

    /// Remembers one; its first end counts.
    pub async fn add_call_over(&self, id: EscalationId, ending: Ending) -> Result<(), Problem> {
        sqlx::query("INSERT OR IGNORE INTO call_over (owner, escalation, failed) VALUES (?, ?, ?)")
            .bind(&self.owner)
            .bind(id.to_string())
            .bind(ending == Ending::Failed)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed)
    }

    /// The server knows.
    pub async fn remove_call_over(&self, id: EscalationId) -> Result<(), Problem> {
        sqlx::query("DELETE FROM call_over WHERE escalation = ?")
            .bind(id.to_string())
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed)
    }
}

fn pending(row: &SqliteRow) -> Option<PendingMessage> {
    let refused: Option<String> = row.try_get("refused").ok()?;
    let name: Option<String> = row.try_get("name").ok()?;
    let file = match name {
        Some(name) => Some(PendingFile {
            name,
            kind: row.try_get("kind").ok()?,
            size: row.try_get("size").ok()?,
            sent: 0,
        }),
        None => None,
    };
    Some(PendingMessage {
        client_id: row.try_get::<String, _>("client_id").ok()?.parse().ok()?,
        conversation: row
            .try_get::<String, _>("conversation")
            .ok()?
            .parse::<ConversationId>()
            .ok()?,
        text: row.try_get("text").ok()?,
        file,
        at: row.try_get("at").ok()?,
        state: match refused.and_then(|problem| serde_json::from_str(&problem).ok()) {
            Some(problem) => PendingState::Refused { problem },
            None => PendingState::WaitingForNetwork,
        },
    })
}

fn call_over(row: &SqliteRow) -> Option<(EscalationId, Ending)> {
    let escalation = row.try_get::<String, _>("escalation").ok()?.parse().ok()?;
    let failed: bool = row.try_get("failed").ok()?;
    Some((escalation, if failed { Ending::Failed } else { Ending::HungUp }))
}

fn failed(error: sqlx::Error) -> Problem {
    tracing::error!(%error, "the outbox file cannot be used");
    Problem::new(ErrorCode::StorageFailed).saying("The message could not be kept on this disk, so it was not sent.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn message(text: &str) -> PendingMessage {
        PendingMessage {
            client_id: ClientMessageId(Uuid::new_v4()),
            conversation: ConversationId(Uuid::new_v4()),
            text: text.into(),
            file: None,
            at: 1,
            state: PendingState::WaitingForNetwork,
        }
    }

    #[tokio::test]
    async fn order_reasons_and_ends_survive() {
        let dir = std::env::temp_dir().join(format!("sightline-outbox-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&dir).unwrap();
        let (first, second, third) = (message("one"), message("two"), message("three"));
        let problem = Problem::new(ErrorCode::ConversationClosed);
        let call = EscalationId(Uuid::new_v4());
        {
            let outbox = Outbox::open(&dir, "me".into()).await.unwrap();
            for message in [&first, &second, &third] {
                outbox.add(message, None).await.unwrap();
            }
            outbox.refuse(second.client_id, &problem).await.unwrap();
            outbox.remove(first.client_id).await.unwrap();
            outbox.add_call_over(call, Ending::Failed).await.unwrap();
            outbox.add_call_over(call, Ending::HungUp).await.unwrap();
        }
        let outbox = Outbox::open(&dir, "me".into()).await.unwrap();
        let refused = PendingMessage {
            state: PendingState::Refused { problem },
            ..second
        };
        assert_eq!(outbox.messages().await.unwrap(), [refused, third]);
        assert_eq!(outbox.calls_over().await.unwrap(), [(call, Ending::Failed)]);
        let colleague = Outbox::open(&dir, "colleague".into()).await.unwrap();
        assert!(colleague.messages().await.unwrap().is_empty());
        assert!(colleague.calls_over().await.unwrap().is_empty());
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[tokio::test]
    async fn a_file_waits_with_its_bytes_and_goes_with_its_message() {
        let dir = std::env::temp_dir().join(format!("sightline-outbox-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&dir).unwrap();
        let (words, content) = (message("one"), vec![7; 100_000]);
        let file = PendingMessage {
            file: Some(PendingFile {
                name: "bill.pdf".into(),
                kind: "application/pdf".into(),
                size: 100_000,
                sent: 0,
            }),
            ..message("")
        };
        {
            let outbox = Outbox::open(&dir, "me".into()).await.unwrap();
            outbox.add(&words, None).await.unwrap();
            outbox.add(&file, Some(&content)).await.unwrap();
        }
        let outbox = Outbox::open(&dir, "me".into()).await.unwrap();
        assert_eq!(outbox.messages().await.unwrap(), [words, file.clone()]);
        assert_eq!(outbox.content(file.client_id).await.unwrap(), content);
        outbox.remove(file.client_id).await.unwrap();
        assert!(outbox.content(file.client_id).await.is_err());
        assert_eq!(outbox.messages().await.unwrap().len(), 1);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[tokio::test]
    async fn a_disk_that_cannot_be_written_says_so() {
        let missing = std::env::temp_dir().join(format!("sightline-none-{}", Uuid::new_v4()));
        let problem = Outbox::open(&missing, "me".into()).await.unwrap_err();
        assert_eq!(problem.code, ErrorCode::StorageFailed);
    }
}
