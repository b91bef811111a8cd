//! Files that customers and agents have sent.

use crate::{StoreError, codec::id};
use sightline_wire::{
    UnixMillis,
    ids::{ConversationId, FileId},
};
use sqlx::{FromRow, SqliteConnection};

/// A file to be kept.
pub struct NewFile<'a> {
    /// Its name here.
    pub id: FileId,
    /// Whose page may see it.
    pub thread: &'a str,
    /// Whose agents may see it.
    pub conversation: ConversationId,
    /// As it was called.
    pub name: &'a str,
    /// Media type.
    pub kind: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
}

/// A file as it is kept.
pub struct StoredFile {
    /// Whose page may see it.
    pub thread: String,
    /// Whose agents may see it.
    pub conversation: ConversationId,
    /// As it was called.
    pub name: String,
    /// Media type.
    pub kind: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

#[derive(FromRow)]
struct Row {
    thread: String,
    conversation: String,
    name: String,
    kind: String,
    content: Vec<u8>,
}

/// Keeps a file.
pub async fn add(c: &mut SqliteConnection, new: &NewFile<'_>, now: UnixMillis) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO files (id, thread, conversation, name, kind, size, content, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.to_string())
    .bind(new.thread)
    .bind(new.conversation.to_string())
    .bind(new.name)
    .bind(new.kind)
    .bind(i64::try_from(new.content.len()).unwrap_or(i64::MAX))
    .bind(new.content)
    .bind(now)
    .execute(c)
    .await?;
    Ok(())
}

/// One file with its bytes.
pub async fn get(c: &mut SqliteConnection, file: FileId) -> Result<Option<StoredFile>, StoreError> {
    let row = sqlx::query_as::<_, Row>("SELECT thread, conversation, name, kind, content FROM files WHERE id = ?")
        .bind(file.to_string())
        .fetch_optional(c)
        .await?;
    row.map(|row| {
        Ok(StoredFile {
            conversation: id(&row.conversation)?,
            thread: row.thread,
            name: row.name,
            kind: row.kind,
            content: row.content,
        })
    })
    .transpose()
}

/// The conversation that a file belongs to.
pub async fn conversation_of(c: &mut SqliteConnection, file: FileId) -> Result<Option<ConversationId>, StoreError> {
    let found: Option<String> = sqlx::query_scalar("SELECT conversation FROM files WHERE id = ?")
        .bind(file.to_string())
        .fetch_optional(c)
        .await?;
    found.map(|text| id(&text)).transpose()
}

/// How many bytes of files a thread has already.
pub async fn bytes_of_thread(c: &mut SqliteConnection, thread: &str) -> Result<i64, StoreError> {
    Ok(
        sqlx::query_scalar("SELECT COALESCE(SUM(size), 0) FROM files WHERE thread = ?")
            .bind(thread)
            .fetch_one(c)
            .await?,
    )
}
