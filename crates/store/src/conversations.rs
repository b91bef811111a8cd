//! Conversations as they stand.

use crate::{
    StoreError,
    codec::{from_json, from_name, id, json, name, optional_id},
    deliveries::{self, Lost},
    escalations::{self, Escalation},
    origins::{self, Origin},
    participants,
};
use serde::{Deserialize, Serialize};
use sightline_call::routing::Routed;
use sightline_wire::{
    UnixMillis,
    account::Role,
    conversation::{Channel, Context, ConversationState, Participant},
    ids::{AccountId, ConversationId, EscalationId},
};
use sqlx::{FromRow, SqliteConnection};

/// A conversation as stored; what depends on live sockets or the server's address is missing here.
#[derive(Debug, Clone)]
pub struct StoredConversation {
    /// Identifier.
    pub id: ConversationId,
    /// How the customer reaches us.
    pub channel: Channel,
    /// The customer's page, for web chat.
    pub thread: Option<String>,
    /// Where it stands.
    pub state: ConversationState,
    /// Shown to the agent.
    pub customer_name: String,
    /// Who owns it.
    pub owner: Option<AccountId>,
    /// The owner's name.
    pub owner_name: Option<String>,
    /// Supervisors who have joined.
    pub participants: Vec<Participant>,
    /// When it began.
    pub opened_at: UnixMillis,
    /// When its state last changed.
    pub state_since: UnixMillis,
    /// The last message's number.
    pub last_seq: i64,
    /// Received by the customer's page.
    pub delivered_seq: i64,
    /// Read by the owner.
    pub read_seq: i64,
    /// The last message in one line.
    pub last_text: String,
    /// When it came.
    pub last_at: UnixMillis,
    /// Context variables.
    pub context: Context,
    /// The agent's notes.
    pub notes: String,
    /// How it ended.
    pub disposition: Option<String>,
    /// The bot's hand-off that it came by.
    pub handoff: Option<Handoff>,
    /// How far the video call has come, as the platform has been told.
    pub told_video: Option<String>,
    /// Where routing has put it; `None` before that, and where it is nobody's work.
    pub routing: Option<Routed>,
    /// The newest escalation.
    pub escalation: Option<Escalation>,
    /// Where it comes from.
    pub origin: Origin,
    /// The connector whose bot has it, or had it when it ended.
    pub bot: Option<String>,
    /// Messages that did not reach its platform.
    pub undelivered: Vec<Lost>,
}

impl StoredConversation {
    /// Whether it is nobody's work: a test, or what a bot has still to itself.
    pub fn hidden(&self) -> bool {
        self.channel.hidden() || (self.bot.is_some() && self.state == ConversationState::Open)
    }

    /// Its video call, while one runs or its link is out.
    pub fn call(&self) -> Option<&Escalation> {
        self.escalation.as_ref().filter(|call| call.state.holds_slot())
    }
}

/// How far a hand-off from a bot has come, as the bot has been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handoff {
    /// Nobody has taken it yet.
    Asked,
    /// An agent has it, and the bot is silent.
    Accepted,
    /// It is over, or it came to nothing.
    Over,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    id: String,
    channel: String,
    thread: Option<String>,
    state: String,
    customer_name: String,
    owner: Option<String>,
    owner_name: Option<String>,
    opened_at: i64,
    state_since: i64,
    last_seq: i64,
    delivered_seq: i64,
    read_seq: i64,
    last_text: String,
    last_at: i64,
    context: String,
    notes: String,
    disposition: Option<String>,
    handoff: Option<String>,
    told_video: Option<String>,
    newest_escalation: Option<String>,
    #[sqlx(flatten)]
    origin: origins::Columns,
    routing: Option<String>,
    bot: Option<String>,
}

impl Row {
    async fn stored(self, c: &mut SqliteConnection) -> Result<StoredConversation, StoreError> {
        let newest: Option<EscalationId> = optional_id(self.newest_escalation.as_deref())?;
        let escalation = match newest {
            Some(newest) => escalations::get(c, newest).await?,
            None => None,
        };
        let origin = self.origin.origin(c).await?;
        let undelivered = deliveries::lost(c, id(&self.id)?).await?;
        let state = from_name(&self.state, "conversation state")?;
        let participants = match state {
            ConversationState::Active => participants::of(c, id(&self.id)?).await?,
            ConversationState::Open | ConversationState::WrapUp | ConversationState::Closed => Vec::new(),
        };
        Ok(StoredConversation {
            id: id(&self.id)?,
            channel: from_name(&self.channel, "channel")?,
            thread: self.thread,
            state,
            customer_name: origins::customer_name(self.customer_name, self.number),
            owner: optional_id(self.owner.as_deref())?,
            owner_name: self.owner_name,
            participants,
            opened_at: self.opened_at,
            state_since: self.state_since,
            last_seq: self.last_seq,
            delivered_seq: self.delivered_seq,
            read_seq: self.read_seq,
            last_text: self.last_text,
            last_at: self.last_at,
            context: from_json(&self.context, "context")?,
            notes: self.notes,
            disposition: self.disposition,
            handoff: self.handoff.map(|text| from_name(&text, "hand-off")).transpose()?,
            told_video: self.told_video,
            routing: match &self.routing {
                Some(routing) => Some(from_json(routing, "routing")?),
                None => None,
            },
            escalation,
            origin,
            bot: self.bot,
            undelivered,
        })
    }
}

/// What a new conversation starts with.
pub struct NewConversation {
    /// Identifier.
    pub id: ConversationId,
    /// How the customer reaches us.
    pub channel: Channel,
    /// The customer's page, for web chat.
    pub thread: Option<String>,
    /// Empty: "Customer" and a number.
    pub customer_name: String,
    /// Context variables.
    pub context: Context,
}

/// Opens a conversation.
pub async fn open(c: &mut SqliteConnection, new: &NewConversation, now: UnixMillis) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO conversations
         (id, channel, thread, state, customer_name, opened_at, state_since, last_seq, delivered_seq,
          read_seq, last_text, last_at, context, notes)
         VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '', ?, ?, '')",
    )
    .bind(new.id.to_string())
    .bind(name(&new.channel))
    .bind(&new.thread)
    .bind(name(&ConversationState::Open))
    .bind(&new.customer_name)
    .bind(now)
    .bind(now)
    .bind(now)
    .bind(json(&new.context))
    .execute(c)
    .await?;
    Ok(())
}

/// One conversation.
pub async fn get(
    c: &mut SqliteConnection,
    conversation: ConversationId,
) -> Result<Option<StoredConversation>, StoreError> {
    let row = sqlx::query_as::<_, Row>(
        "SELECT c.*, a.name AS owner_name FROM conversations c
         LEFT JOIN accounts a ON a.id = c.owner WHERE c.id = ?",
    )
    .bind(conversation.to_string())
    .fetch_optional(&mut *c)
    .await?;
    match row {
        Some(row) => Ok(Some(row.stored(c).await?)),
        None => Ok(None),
    }
}

/// An agent's inbox: everything open, and what is theirs and not closed. Supervisors see their colleagues' too.
/// Hidden channels are nobody's.
pub async fn inbox(
    c: &mut SqliteConnection,
    account: AccountId,
    role: Role,
) -> Result<Vec<StoredConversation>, StoreError> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT c.*, a.name AS owner_name FROM conversations c
         LEFT JOIN accounts a ON a.id = c.owner
         WHERE c.channel <> ? AND c.bot IS NULL AND (c.state = 'open' OR (c.state IN ('active', 'wrap_up') AND (c.owner = ? OR ?)))
         ORDER BY c.number",
    )
    .bind(name(&Channel::SelfTest))
    .bind(account.to_string())
    .bind(role >= Role::Supervisor)
    .fetch_all(&mut *c)
    .await?;
    let mut stored = Vec::with_capacity(rows.len());
    for row in rows {
        stored.push(row.stored(c).await?);
    }
    Ok(stored)
}

/// Everybody's work: what is not closed, in the order in which it came. Hidden channels are nobody's.
pub async fn unfinished(c: &mut SqliteConnection) -> Result<Vec<StoredConversation>, StoreError> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT c.*, a.name AS owner_name FROM conversations c
         LEFT JOIN accounts a ON a.id = c.owner
         WHERE c.channel <> ? AND c.bot IS NULL AND c.state IN ('open', 'active', 'wrap_up')
         ORDER BY c.number",
    )
    .bind(name(&Channel::SelfTest))
    .fetch_all(&mut *c)
    .await?;
    let mut stored = Vec::with_capacity(rows.len());
    for row in rows {
        stored.push(row.stored(c).await?);
    }
    Ok(stored)
}

/// The conversations that go over a connector and are not closed.
pub async fn over(c: &mut SqliteConnection, connector: &str) -> Result<Vec<ConversationId>, StoreError> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT c.id FROM conversations c JOIN threads t ON t.id = c.thread
         WHERE (t.connector = ? OR c.bot = ?) AND c.state IN ('open', 'active', 'wrap_up') ORDER BY c.number",
    )
    .bind(connector)
    .bind(connector)
    .fetch_all(c)
    .await?;
    ids.iter().map(|text| id(text)).collect()
}

/// Moves a conversation to another state. The first agent who has it has answered the customer; nobody takes part any
/// more in one that the customer has left.
pub async fn set_state(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    state: ConversationState,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let answered_at = (state == ConversationState::Active).then_some(now);
    sqlx::query(
        "UPDATE conversations SET state = ?, state_since = ?, answered_at = COALESCE(answered_at, ?) WHERE id = ?",
    )
    .bind(name(&state))
    .bind(now)
    .bind(answered_at)
    .bind(conversation.to_string())
    .execute(&mut *c)
    .await?;
    match state {
        ConversationState::Open | ConversationState::Active => Ok(()),
        ConversationState::WrapUp | ConversationState::Closed => participants::clear(c, conversation).await,
    }
}

/// What is said in it goes over another thread from now on.
pub async fn set_thread(c: &mut SqliteConnection, id: ConversationId, thread: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET thread = ? WHERE id = ?")
        .bind(thread)
        .bind(id.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Gives a conversation its owner.
pub async fn set_owner(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    owner: AccountId,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET owner = ? WHERE id = ?")
        .bind(owner.to_string())
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Takes it from its owner: it waits again.
pub async fn disown(c: &mut SqliteConnection, conversation: ConversationId) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET owner = NULL WHERE id = ?")
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps what the bot has been told.
pub async fn set_handoff(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    handoff: Handoff,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET handoff = ? WHERE id = ?")
        .bind(name(&handoff))
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps what the platform has been told of the video call.
pub async fn set_told_video(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    told: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET told_video = ? WHERE id = ?")
        .bind(told)
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Names the customer of a conversation that does not know the name yet.
pub async fn name_customer(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    customer_name: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET customer_name = ? WHERE id = ? AND customer_name = ''")
        .bind(customer_name)
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps the context alone.
pub async fn set_context(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    context: &Context,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET context = ? WHERE id = ?")
        .bind(json(context))
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps where routing has put it.
pub async fn set_routing(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    routed: &Routed,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET routing = ? WHERE id = ?")
        .bind(json(routed))
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps how it ended.
pub async fn set_disposition(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    disposition: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET disposition = ? WHERE id = ?")
        .bind(disposition)
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}

/// Keeps notes, context and the read mark. The read mark only grows, and never past the last message.
pub async fn edit(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    notes: &str,
    context: &Context,
    read_seq: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE conversations SET notes = ?, context = ?,
         read_seq = CASE WHEN ? > last_seq THEN last_seq WHEN ? > read_seq THEN ? ELSE read_seq END
         WHERE id = ?",
    )
    .bind(notes)
    .bind(json(context))
    .bind(read_seq)
    .bind(read_seq)
    .bind(read_seq)
    .bind(conversation.to_string())
    .execute(c)
    .await?;
    Ok(())
}

/// Keeps what the customer's page has received; `false` when that was known.
pub async fn mark_delivered(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    seq: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE conversations SET delivered_seq = ? WHERE id = ? AND delivered_seq < ?")
        .bind(seq)
        .bind(conversation.to_string())
        .bind(seq)
        .execute(c)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Points a conversation at its newest escalation.
pub async fn set_newest_escalation(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    escalation: EscalationId,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET newest_escalation = ? WHERE id = ?")
        .bind(escalation.to_string())
        .bind(conversation.to_string())
        .execute(c)
        .await?;
    Ok(())
}
