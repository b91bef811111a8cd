//! Links into the web chat that agents have sent, and which browser has opened them.

use crate::{
    StoreError,
    codec::{from_name, id, name},
};
use sightline_wire::{
    UnixMillis,
    ids::{AccountId, ClientMessageId, ConversationId},
    link::LinkShape,
};
use sqlx::{FromRow, SqliteConnection};

/// A link as it was made.
#[derive(Debug, Clone)]
pub struct ChatLink {
    /// The secret part; nobody is told it where the link has another shape.
    pub code: String,
    /// What the chat will continue.
    pub conversation: ConversationId,
    /// The sender's own id for it.
    pub client_id: ClientMessageId,
    /// Who has sent it.
    pub agent: AccountId,
    /// What it looks like.
    pub shape: LinkShape,
    /// All of it.
    pub url: String,
    /// The video starts by itself.
    pub video: bool,
    /// When it stops working.
    pub expires_at: UnixMillis,
}

#[derive(FromRow)]
struct Row {
    code: String,
    conversation: String,
    client_id: String,
    agent: String,
    shape: String,
    url: String,
    video: i64,
    expires_at: i64,
}

impl Row {
    fn link(self) -> Result<ChatLink, StoreError> {
        Ok(ChatLink {
            code: self.code,
            conversation: id(&self.conversation)?,
            client_id: id(&self.client_id)?,
            agent: id(&self.agent)?,
            shape: from_name(&self.shape, "link's shape")?,
            url: self.url,
            video: self.video != 0,
            expires_at: self.expires_at,
        })
    }
}

/// Keeps a link.
pub async fn insert(c: &mut SqliteConnection, link: &ChatLink) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO chat_links (code, conversation, client_id, agent, shape, url, video, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&link.code)
    .bind(link.conversation.to_string())
    .bind(link.client_id.to_string())
    .bind(link.agent.to_string())
    .bind(name(&link.shape))
    .bind(&link.url)
    .bind(i64::from(link.video))
    .bind(link.expires_at)
    .execute(c)
    .await?;
    Ok(())
}

/// The link that a code opens.
pub async fn by_code(c: &mut SqliteConnection, code: &str) -> Result<Option<ChatLink>, StoreError> {
    sqlx::query_as::<_, Row>(
        "SELECT code, conversation, client_id, agent, shape, url, video, expires_at FROM chat_links
         WHERE code = ? AND shape = ?",
    )
    .bind(code)
    .bind(name(&LinkShape::Opaque))
    .fetch_optional(c)
    .await?
    .map(Row::link)
    .transpose()
}

/// The link that was made under the sender's own id.
pub async fn by_client_id(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    client_id: ClientMessageId,
) -> Result<Option<ChatLink>, StoreError> {
    sqlx::query_as::<_, Row>(
        "SELECT code, conversation, client_id, agent, shape, url, video, expires_at FROM chat_links
         WHERE conversation = ? AND client_id = ?",
    )
    .bind(conversation.to_string())
    .bind(client_id.to_string())
    .fetch_optional(c)
    .await?
    .map(Row::link)
    .transpose()
}

/// Remembers the thread that a browser got. Both names are hashes.
pub async fn opened(c: &mut SqliteConnection, link: &str, browser: &str, thread: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO link_openings (link, browser, thread) VALUES (?, ?, ?)
         ON CONFLICT (link, browser) DO UPDATE SET thread = excluded.thread",
    )
    .bind(link)
    .bind(browser)
    .bind(thread)
    .execute(c)
    .await?;
    Ok(())
}

/// The thread that this browser got before.
pub async fn opening(c: &mut SqliteConnection, link: &str, browser: &str) -> Result<Option<String>, StoreError> {
    Ok(
        sqlx::query_scalar("SELECT thread FROM link_openings WHERE link = ? AND browser = ?")
            .bind(link)
            .bind(browser)
            .fetch_optional(c)
            .await?,
    )
}
