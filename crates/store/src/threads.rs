//! The customer's side: one thread per customer's page or per conversation of a platform, whatever conversations of ours
//! follow one another in it.

use crate::{
    StoreError,
    codec::{from_json, from_name, json, name, optional_id},
};
use sightline_wire::{
    UnixMillis,
    conversation::{Channel, Context},
    ids::ConversationId,
};
use sqlx::{AssertSqlSafe, FromRow, SqliteConnection};

/// Where a thread comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A customer's page, for as long as it keeps its token.
    Page,
    /// A platform.
    Platform {
        /// The connector's name.
        connector: String,
        /// The platform's own name for it.
        external: String,
        /// As the agent sees it.
        channel: Channel,
    },
}

impl Origin {
    /// The channel of the thread's conversations.
    pub fn channel(&self) -> Channel {
        match self {
            Origin::Page => Channel::WebChat,
            Origin::Platform { channel, .. } => *channel,
        }
    }
}

/// What follows one another with one customer.
#[derive(Debug, Clone)]
pub struct Thread {
    /// Direct Line's conversation id.
    pub id: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The client's own id for the person.
    pub user_id: String,
    /// The person's name, or nothing.
    pub user_name: String,
    /// What a new conversation starts with.
    pub context: Context,
    /// The newest conversation.
    pub conversation: Option<ConversationId>,
    /// Number of the last activity.
    pub last_seq: i64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    connector: Option<String>,
    external: Option<String>,
    channel: Option<String>,
    user_id: String,
    user_name: String,
    context: String,
    conversation: Option<String>,
    last_seq: i64,
}

/// Adds a thread.
pub async fn insert(c: &mut SqliteConnection, thread: &Thread, now: UnixMillis) -> Result<(), StoreError> {
    let (connector, external, channel) = match &thread.origin {
        Origin::Page => (None, None, None),
        Origin::Platform {
            connector,
            external,
            channel,
        } => (Some(connector), Some(external), Some(name(channel))),
    };
    sqlx::query(
        "INSERT INTO threads
         (id, connector, external, channel, user_id, user_name, context, conversation, last_seq, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 0, ?)",
    )
    .bind(&thread.id)
    .bind(connector)
    .bind(external)
    .bind(channel)
    .bind(&thread.user_id)
    .bind(&thread.user_name)
    .bind(json(&thread.context))
    .bind(now)
    .execute(c)
    .await?;
    Ok(())
}

const COLUMNS: &str = "id, connector, external, channel, user_id, user_name, context, conversation, last_seq";

impl Row {
    fn thread(self) -> Result<Thread, StoreError> {
        let origin = match (self.connector, self.external, self.channel) {
            (Some(connector), Some(external), Some(channel)) => Origin::Platform {
                connector,
                external,
                channel: from_name(&channel, "channel")?,
            },
            _ => Origin::Page,
        };
        Ok(Thread {
            id: self.id,
            origin,
            user_id: self.user_id,
            user_name: self.user_name,
            context: from_json(&self.context, "context")?,
            conversation: optional_id(self.conversation.as_deref())?,
            last_seq: self.last_seq,
        })
    }
}

/// The thread with this id.
pub async fn get(c: &mut SqliteConnection, id: &str) -> Result<Option<Thread>, StoreError> {
    let row = sqlx::query_as::<_, Row>(AssertSqlSafe(format!("SELECT {COLUMNS} FROM threads WHERE id = ?")))
        .bind(id)
        .fetch_optional(c)
        .await?;
    row.map(Row::thread).transpose()
}

/// The thread that a platform names so.
pub async fn of_platform(
    c: &mut SqliteConnection,
    connector: &str,
    external: &str,
) -> Result<Option<Thread>, StoreError> {
    let query = format!("SELECT {COLUMNS} FROM threads WHERE connector = ? AND external = ?");
    let row = sqlx::query_as::<_, Row>(AssertSqlSafe(query))
        .bind(connector)
        .bind(external)
        .fetch_optional(c)
        .await?;
    row.map(Row::thread).transpose()
}

/// The telephone line that a conversation began on.
pub async fn of_call(c: &mut SqliteConnection, conversation: ConversationId) -> Result<Option<Thread>, StoreError> {
    let query = format!("SELECT {COLUMNS} FROM threads WHERE conversation = ? AND channel = ?");
    let row = sqlx::query_as::<_, Row>(AssertSqlSafe(query))
        .bind(conversation.to_string())
        .bind(name(&Channel::Phone))
        .fetch_optional(c)
        .await?;
    row.map(Row::thread).transpose()
}

/// Keeps what a thread's next conversation starts with.
pub async fn set_context(c: &mut SqliteConnection, thread: &str, context: &Context) -> Result<(), StoreError> {
    sqlx::query("UPDATE threads SET context = ? WHERE id = ?")
        .bind(json(context))
        .bind(thread)
        .execute(c)
        .await?;
    Ok(())
}

/// Remembers who writes there.
pub async fn set_user(
    c: &mut SqliteConnection,
    thread: &str,
    user_id: &str,
    user_name: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE threads SET user_id = ?, user_name = ? WHERE id = ?")
        .bind(user_id)
        .bind(user_name)
        .bind(thread)
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps which variables of the thread's context the agent is not shown.
pub async fn hide(c: &mut SqliteConnection, thread: &str, variables: &[String]) -> Result<(), StoreError> {
    sqlx::query("UPDATE threads SET hidden_variables = ? WHERE id = ?")
        .bind(json(&variables))
        .bind(thread)
        .execute(c)
        .await?;
    Ok(())
}

/// The variables of the thread's context that the agent is not shown.
pub async fn hidden(c: &mut SqliteConnection, thread: &str) -> Result<Vec<String>, StoreError> {
    let text: Option<String> = sqlx::query_scalar("SELECT hidden_variables FROM threads WHERE id = ?")
        .bind(thread)
        .fetch_optional(c)
        .await?;
    text.map_or(Ok(Vec::new()), |text| from_json(&text, "hidden variables"))
}

/// Makes a conversation the thread's newest.
pub async fn set_conversation(
    c: &mut SqliteConnection,
    thread: &str,
    conversation: ConversationId,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE threads SET conversation = ? WHERE id = ?")
        .bind(conversation.to_string())
        .bind(thread)
        .execute(c)
        .await?;
    Ok(())
}

/// Adds a bearer token of the thread, and forgets those that are over. Where origins are named, only their pages may use
/// it.
pub async fn add_token(
    c: &mut SqliteConnection,
    hash: &str,
    (thread, origins): (&str, &[String]),
    expires_at: UnixMillis,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM thread_tokens WHERE expires_at < ?")
        .bind(now)
        .execute(&mut *c)
        .await?;
    sqlx::query("INSERT INTO thread_tokens (hash, thread, trusted_origins, expires_at) VALUES (?, ?, ?, ?)")
        .bind(hash)
        .bind(thread)
        .bind(json(&origins))
        .bind(expires_at)
        .execute(c)
        .await?;
    Ok(())
}

/// The thread that a bearer token opens, if it is still good, and the origins of the pages that may use it; empty for all.
pub async fn by_token(
    c: &mut SqliteConnection,
    hash: &str,
    now: UnixMillis,
) -> Result<Option<(String, Vec<String>)>, StoreError> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT thread, trusted_origins FROM thread_tokens WHERE hash = ? AND expires_at > ?")
            .bind(hash)
            .bind(now)
            .fetch_optional(c)
            .await?;
    row.map(|(thread, origins)| Ok((thread, from_json(&origins, "trusted origins")?)))
        .transpose()
}
