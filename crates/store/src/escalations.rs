//! Escalations with their room and invite.

use crate::{
    StoreError,
    codec::{from_json, id, json},
    conversations,
};
use sightline_wire::{
    UnixMillis,
    escalation::EscalationState,
    ids::{AccountId, CommandId, ConversationId, EscalationId, RoomId},
    room::MediaState,
    stats::CallSummary,
    survey::Survey,
};
use sqlx::{FromRow, SqliteConnection};

/// One use of video in a conversation.
#[derive(Debug, Clone)]
pub struct Escalation {
    /// Identifier.
    pub id: EscalationId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// Who called.
    pub agent: AccountId,
    /// The agent's name.
    pub agent_name: String,
    /// Where it stands.
    pub state: EscalationState,
    /// When the agent clicked.
    pub created_at: UnixMillis,
    /// What the customer said afterwards.
    pub survey: Option<Survey>,
    /// What it was like, once it is over.
    pub quality: Option<CallSummary>,
    /// Where the parties meet.
    pub room: RoomId,
    /// The link's secret part.
    pub code: String,
    /// When the link stops working.
    pub expires_at: UnixMillis,
    /// Hash of the key of the browser that redeemed it.
    pub browser_hash: Option<String>,
    /// When that was.
    pub redeemed_at: Option<UnixMillis>,
}

/// What a new escalation starts with.
pub struct NewEscalation {
    /// Identifier.
    pub id: EscalationId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// Who called.
    pub agent: AccountId,
    /// The command that made it.
    pub command: CommandId,
    /// Where the parties meet.
    pub room: RoomId,
    /// The link's secret part.
    pub code: String,
    /// When the link stops working.
    pub expires_at: UnixMillis,
}

#[derive(FromRow)]
struct Row {
    id: String,
    conversation: String,
    agent: String,
    agent_name: String,
    state: String,
    created_at: i64,
    survey: Option<String>,
    quality: Option<String>,
    room: String,
    code: String,
    expires_at: i64,
    browser_hash: Option<String>,
    redeemed_at: Option<i64>,
}

impl Row {
    fn escalation(self) -> Result<Escalation, StoreError> {
        Ok(Escalation {
            id: id(&self.id)?,
            conversation: id(&self.conversation)?,
            agent: id(&self.agent)?,
            agent_name: self.agent_name,
            state: from_json(&self.state, "escalation state")?,
            created_at: self.created_at,
            survey: self.survey.map(|text| from_json(&text, "survey")).transpose()?,
            quality: self.quality.map(|text| from_json(&text, "call summary")).transpose()?,
            room: id(&self.room)?,
            code: self.code,
            expires_at: self.expires_at,
            browser_hash: self.browser_hash,
            redeemed_at: self.redeemed_at,
        })
    }
}

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT e.id, e.conversation, e.agent, a.name AS agent_name, e.state, e.created_at, e.survey, e.quality, ",
            "r.id AS room, i.code, i.expires_at, i.browser_hash, i.redeemed_at ",
            "FROM escalations e JOIN accounts a ON a.id = e.agent ",
            "JOIN rooms r ON r.escalation = e.id JOIN invites i ON i.escalation = e.id WHERE ",
            $condition
        )
    };
}

/// Creates escalation, room and invite, and points the conversation at them.
pub async fn insert(c: &mut SqliteConnection, new: &NewEscalation, now: UnixMillis) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO escalations (id, conversation, agent, command, state, over, created_at)
         VALUES (?, ?, ?, ?, ?, 0, ?)",
    )
    .bind(new.id.to_string())
    .bind(new.conversation.to_string())
    .bind(new.agent.to_string())
    .bind(new.command.to_string())
    .bind(json(&EscalationState::Invited))
    .bind(now)
    .execute(&mut *c)
    .await?;
    let silent = json(&MediaState::default());
    sqlx::query(
        "INSERT INTO rooms (id, escalation, agent_session, agent_media, customer_session, customer_media)
         VALUES (?, ?, 0, ?, 0, ?)",
    )
    .bind(new.room.to_string())
    .bind(new.id.to_string())
    .bind(&silent)
    .bind(&silent)
    .execute(&mut *c)
    .await?;
    sqlx::query("INSERT INTO invites (code, escalation, expires_at) VALUES (?, ?, ?)")
        .bind(&new.code)
        .bind(new.id.to_string())
        .bind(new.expires_at)
        .execute(&mut *c)
        .await?;
    conversations::set_newest_escalation(c, new.conversation, new.id).await
}

/// One escalation.
pub async fn get(c: &mut SqliteConnection, escalation: EscalationId) -> Result<Option<Escalation>, StoreError> {
    one(sqlx::query_as(select!("e.id = ?")).bind(escalation.to_string()), c).await
}

/// The escalation that a command made.
pub async fn by_command(c: &mut SqliteConnection, command: CommandId) -> Result<Option<Escalation>, StoreError> {
    one(sqlx::query_as(select!("e.command = ?")).bind(command.to_string()), c).await
}

/// The escalation behind a link.
pub async fn by_code(c: &mut SqliteConnection, code: &str) -> Result<Option<Escalation>, StoreError> {
    one(sqlx::query_as(select!("i.code = ?")).bind(code.to_string()), c).await
}

/// The escalation of a room.
pub async fn by_room(c: &mut SqliteConnection, room: RoomId) -> Result<Option<Escalation>, StoreError> {
    one(sqlx::query_as(select!("r.id = ?")).bind(room.to_string()), c).await
}

/// What occupies an agent's video slot.
pub async fn in_slot(c: &mut SqliteConnection, agent: AccountId) -> Result<Option<Escalation>, StoreError> {
    one(
        sqlx::query_as(select!("e.agent = ? AND e.over = 0")).bind(agent.to_string()),
        c,
    )
    .await
}

/// Every escalation that is not over, for a server that has restarted.
pub async fn all_running(c: &mut SqliteConnection) -> Result<Vec<Escalation>, StoreError> {
    sqlx::query_as::<_, Row>(select!("e.over = 0 ORDER BY e.created_at"))
        .fetch_all(c)
        .await?
        .into_iter()
        .map(Row::escalation)
        .collect()
}

/// Keeps where it stands.
pub async fn set_state(
    c: &mut SqliteConnection,
    escalation: EscalationId,
    state: EscalationState,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE escalations SET state = ?, over = ? WHERE id = ?")
        .bind(json(&state))
        .bind(i64::from(!state.holds_slot()))
        .bind(escalation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Gives it to another agent, whose video slot must be free.
pub async fn set_agent(c: &mut SqliteConnection, escalation: EscalationId, agent: AccountId) -> Result<(), StoreError> {
    sqlx::query("UPDATE escalations SET agent = ? WHERE id = ?")
        .bind(agent.to_string())
        .bind(escalation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Binds the invite to the browser that redeems it.
pub async fn bind_browser(
    c: &mut SqliteConnection,
    escalation: EscalationId,
    browser_hash: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE invites SET browser_hash = ?, redeemed_at = ? WHERE escalation = ? AND browser_hash IS NULL")
        .bind(browser_hash)
        .bind(now)
        .bind(escalation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps the customer's rating; a second one replaces the first.
pub async fn set_survey(c: &mut SqliteConnection, escalation: EscalationId, survey: &Survey) -> Result<(), StoreError> {
    sqlx::query("UPDATE escalations SET survey = ? WHERE id = ?")
        .bind(json(survey))
        .bind(escalation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps what it was like; a later one, which knows more, replaces the first.
pub async fn set_quality(
    c: &mut SqliteConnection,
    escalation: EscalationId,
    summary: &CallSummary,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE escalations SET quality = ? WHERE id = ?")
        .bind(json(summary))
        .bind(escalation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

type Query<'q> = sqlx::query::QueryAs<'q, sqlx::Sqlite, Row, sqlx::sqlite::SqliteArguments>;

async fn one(query: Query<'_>, c: &mut SqliteConnection) -> Result<Option<Escalation>, StoreError> {
    query.fetch_optional(c).await?.map(Row::escalation).transpose()
}
