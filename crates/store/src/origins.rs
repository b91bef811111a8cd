//! Where conversations come from: what they continue, by which link, and for whom they ask.

use crate::{
    StoreError,
    codec::{from_json, from_name, id, json, name, optional_id},
};
use sightline_wire::{
    conversation::{Channel, ConversationState},
    ids::{AccountId, ConversationId},
    link::{CameBy, PreviousConversation},
};
use sqlx::{FromRow, SqliteConnection};

/// Longest name of another system's conversation, in Unicode scalar values; what is longer is cut.
const MAX_NAME_CHARS: usize = 200;

/// What a conversation continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Previous {
    /// One of ours.
    Ours {
        /// Which.
        id: ConversationId,
        /// Somebody whom we believe has said so.
        verified: bool,
    },
    /// A name that nobody here knows.
    Unknown {
        /// As it was given.
        name: String,
    },
}

/// Where a new conversation comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewOrigin {
    /// What it continues.
    pub previous: Option<Previous>,
    /// The link that brought the customer.
    pub came_by: Option<CameBy>,
    /// The context is from somebody whom we believe.
    pub trusted: bool,
    /// The agent for whom it asks.
    pub asked_for: Option<AccountId>,
    /// Variables that are for rules, not for the agent's eyes.
    pub hidden: Vec<String>,
}

/// The same as stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// What it continues, as it stands now.
    pub previous: Option<PreviousConversation>,
    /// The link that brought the customer.
    pub came_by: Option<CameBy>,
    /// The context is from somebody whom we believe.
    pub trusted: bool,
    /// The agent for whom it asks.
    pub asked_for: Option<AccountId>,
    /// Variables that are for rules, not for the agent's eyes.
    pub hidden: Vec<String>,
}

/// The columns of a conversation's row.
#[derive(FromRow)]
pub(crate) struct Columns {
    previous: Option<String>,
    previous_unknown: Option<String>,
    previous_verified: i64,
    came_by: Option<String>,
    trusted: i64,
    asked_for: Option<String>,
    hidden_variables: String,
}

#[derive(FromRow)]
struct PreviousRow {
    number: i64,
    channel: String,
    state: String,
    state_since: i64,
    opened_at: i64,
    customer_name: String,
}

impl Columns {
    pub(crate) async fn origin(self, c: &mut SqliteConnection) -> Result<Origin, StoreError> {
        let previous = match (optional_id(self.previous.as_deref())?, self.previous_unknown) {
            (Some(previous), _) => known(c, previous, self.previous_verified != 0).await?,
            (None, Some(name)) => Some(PreviousConversation::Unknown { name }),
            (None, None) => None,
        };
        Ok(Origin {
            previous,
            came_by: self
                .came_by
                .as_deref()
                .map(|text| from_name(text, "link"))
                .transpose()?,
            trusted: self.trusted != 0,
            asked_for: optional_id(self.asked_for.as_deref())?,
            hidden: from_json(&self.hidden_variables, "hidden variables")?,
        })
    }
}

async fn known(
    c: &mut SqliteConnection,
    previous: ConversationId,
    verified: bool,
) -> Result<Option<PreviousConversation>, StoreError> {
    let row = sqlx::query_as::<_, PreviousRow>(
        "SELECT number, channel, state, state_since, opened_at, customer_name FROM conversations WHERE id = ?",
    )
    .bind(previous.to_string())
    .fetch_optional(c)
    .await?;
    row.map(|row| {
        let closed = from_name::<ConversationState>(&row.state, "conversation state")? == ConversationState::Closed;
        Ok(PreviousConversation::Known {
            id: previous,
            channel: from_name(&row.channel, "channel")?,
            opened_at: row.opened_at,
            closed_at: closed.then_some(row.state_since),
            customer_name: customer_name(row.customer_name, row.number),
            verified,
        })
    })
    .transpose()
}

/// A customer without a name is one of a number.
pub(crate) fn customer_name(given: String, number: i64) -> String {
    if given.is_empty() {
        format!("Customer {number}")
    } else {
        given
    }
}

/// Keeps where a conversation comes from.
pub async fn set(c: &mut SqliteConnection, conversation: ConversationId, origin: &NewOrigin) -> Result<(), StoreError> {
    let (ours, unknown, verified) = match &origin.previous {
        Some(Previous::Ours { id, verified }) => (Some(id.to_string()), None, *verified),
        Some(Previous::Unknown { name }) => (None, Some(name.chars().take(MAX_NAME_CHARS).collect::<String>()), false),
        None => (None, None, false),
    };
    sqlx::query(
        "UPDATE conversations SET previous = ?, previous_unknown = ?, previous_verified = ?, came_by = ?,
         trusted = ?, asked_for = ?, hidden_variables = ? WHERE id = ?",
    )
    .bind(ours)
    .bind(unknown)
    .bind(i64::from(verified))
    .bind(origin.came_by.as_ref().map(name))
    .bind(i64::from(origin.trusted))
    .bind(origin.asked_for.map(|id| id.to_string()))
    .bind(json(&origin.hidden))
    .bind(conversation.to_string())
    .execute(c)
    .await?;
    Ok(())
}

/// Keeps which variables of a conversation the agent is not shown.
pub async fn hide(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    variables: &[String],
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET hidden_variables = ? WHERE id = ?")
        .bind(json(&variables))
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Gives a conversation the name under which another system knows it: `kind` says which system.
pub async fn add_alias(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    kind: &str,
    value: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO aliases (kind, value, conversation) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(kind)
        .bind(value)
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// The conversation of this name: its own id, or what any other system calls it. Of several the newest; hidden ones are
/// nobody's.
pub async fn by_name(c: &mut SqliteConnection, named: &str) -> Result<Option<ConversationId>, StoreError> {
    let own = named
        .parse::<ConversationId>()
        .map_or_else(|_| named.to_owned(), |id| id.to_string());
    let found: Option<String> = sqlx::query_scalar(
        "SELECT c.id FROM conversations c
         WHERE c.channel <> ? AND (c.id = ? OR c.id IN (SELECT conversation FROM aliases WHERE value = ?))
         ORDER BY c.number DESC LIMIT 1",
    )
    .bind(name(&Channel::SelfTest))
    .bind(own)
    .bind(named)
    .fetch_optional(c)
    .await?;
    found.as_deref().map(id).transpose()
}

/// The conversations that continue this one, near and far, with their owners. Only where somebody whom we believe has
/// said that they do: whoever names a conversation must not get to read it by that.
pub async fn later(c: &mut SqliteConnection, conversation: ConversationId) -> Result<Vec<Later>, StoreError> {
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "WITH RECURSIVE later (id) AS (
             SELECT id FROM conversations WHERE previous = ? AND previous_verified = 1
             UNION
             SELECT c.id FROM conversations c JOIN later ON c.previous = later.id WHERE c.previous_verified = 1
         )
         SELECT c.id, c.state, c.owner FROM conversations c JOIN later ON later.id = c.id",
    )
    .bind(conversation.to_string())
    .fetch_all(c)
    .await?;
    rows.into_iter()
        .map(|(conversation, state, owner)| {
            Ok(Later {
                conversation: id(&conversation)?,
                state: from_name(&state, "conversation state")?,
                owner: optional_id(owner.as_deref())?,
            })
        })
        .collect()
}

/// A conversation that continues another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Later {
    /// Which.
    pub conversation: ConversationId,
    /// Where it stands.
    pub state: ConversationState,
    /// Who owns it.
    pub owner: Option<AccountId>,
}

/// The name that a conversation's customer has given.
pub async fn given_name(c: &mut SqliteConnection, conversation: ConversationId) -> Result<Option<String>, StoreError> {
    let name: Option<String> = sqlx::query_scalar("SELECT customer_name FROM conversations WHERE id = ?")
        .bind(conversation.to_string())
        .fetch_optional(c)
        .await?;
    Ok(name.filter(|name| !name.is_empty()))
}
