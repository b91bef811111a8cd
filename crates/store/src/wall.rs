//! What the live wall shows, read in one go: it is asked for often.

use crate::{
    StoreError,
    codec::{from_json, from_name, id, name, optional_id},
};
use sightline_wire::{
    UnixMillis,
    conversation::{Channel, ConversationState},
    escalation::EscalationState,
    ids::{AccountId, ConversationId},
    stats::CallMoment,
    wall::{SERVED_WITHIN_MS, ServiceLevel},
};
use sqlx::{FromRow, SqliteConnection};

/// A conversation that is not closed.
#[derive(Debug, Clone)]
pub struct WallRow {
    /// Which.
    pub id: ConversationId,
    /// How the customer reaches us.
    pub channel: Channel,
    /// Where it stands.
    pub state: ConversationState,
    /// Shown to the agent.
    pub customer_name: String,
    /// Who owns it, with the name.
    pub owner: Option<(AccountId, String)>,
    /// When it began.
    pub opened_at: UnixMillis,
    /// When its state last changed.
    pub state_since: UnixMillis,
    /// The names of the supervisors who have joined.
    pub helpers: Vec<String>,
    /// Its call, unless that is over.
    pub call: Option<RunningCall>,
}

/// A call that is not over.
#[derive(Debug, Clone)]
pub struct RunningCall {
    /// Whose.
    pub agent: AccountId,
    /// How far it is.
    pub state: EscalationState,
    /// When the agent clicked.
    pub created_at: UnixMillis,
    /// What the desk has told last.
    pub moment: Option<CallMoment>,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    id: String,
    channel: String,
    state: String,
    customer_name: String,
    owner: Option<String>,
    owner_name: Option<String>,
    opened_at: i64,
    state_since: i64,
    call_agent: Option<String>,
    call_state: Option<String>,
    call_created_at: Option<i64>,
    moment: Option<String>,
}

impl Row {
    fn row(self, helpers: Vec<String>) -> Result<WallRow, StoreError> {
        let owner: Option<AccountId> = optional_id(self.owner.as_deref())?;
        let call = match (self.call_agent, self.call_state, self.call_created_at) {
            (Some(agent), Some(state), Some(created_at)) => Some(RunningCall {
                agent: id(&agent)?,
                state: from_json(&state, "escalation state")?,
                created_at,
                moment: self.moment.map(|text| from_json(&text, "call moment")).transpose()?,
            }),
            _ => None,
        };
        Ok(WallRow {
            id: id(&self.id)?,
            channel: from_name(&self.channel, "channel")?,
            state: from_name(&self.state, "conversation state")?,
            customer_name: match self.customer_name.is_empty() {
                true => format!("Customer {}", self.number),
                false => self.customer_name,
            },
            owner: owner.zip(self.owner_name),
            opened_at: self.opened_at,
            state_since: self.state_since,
            helpers,
            call,
        })
    }
}

/// Everything that is not closed, in the order in which it came. Hidden channels are nobody's.
pub async fn conversations(c: &mut SqliteConnection) -> Result<Vec<WallRow>, StoreError> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT c.number, c.id, c.channel, c.state, c.customer_name, c.owner, a.name AS owner_name,
                c.opened_at, c.state_since, e.agent AS call_agent, e.state AS call_state,
                e.created_at AS call_created_at,
                (SELECT m.moment FROM call_moments m WHERE m.escalation = e.id ORDER BY m.at DESC LIMIT 1) AS moment
         FROM conversations c
         LEFT JOIN accounts a ON a.id = c.owner
         LEFT JOIN escalations e ON e.id = c.newest_escalation AND e.over = 0
         WHERE c.channel <> ? AND c.bot IS NULL AND c.state IN ('open', 'active', 'wrap_up')
         ORDER BY c.number",
    )
    .bind(name(&Channel::SelfTest))
    .fetch_all(&mut *c)
    .await?;
    let mut helpers: Vec<(String, String)> = sqlx::query_as(
        "SELECT p.conversation, a.name FROM participants p JOIN accounts a ON a.id = p.account
         ORDER BY p.since, p.account",
    )
    .fetch_all(c)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let (here, others) = helpers
            .into_iter()
            .partition(|(conversation, _)| *conversation == row.id);
        helpers = others;
        let names = here.into_iter().map(|(_, name): (String, String)| name).collect();
        found.push(row.row(names)?);
    }
    Ok(found)
}

/// How the customers were served who came since then. Who gave up within the time could not have been, and who has been
/// waiting for less of it may still be: both count for nothing.
pub async fn service(c: &mut SqliteConnection, since: UnixMillis, now: UnixMillis) -> Result<ServiceLevel, StoreError> {
    let (of, in_time): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(SUM(answered), 0) FROM (
             SELECT CASE WHEN answered_at IS NOT NULL AND answered_at - opened_at <= ? THEN 1 ELSE 0 END AS answered
             FROM conversations
             WHERE opened_at >= ? AND channel <> ? AND bot IS NULL
               AND (answered_at IS NOT NULL
                    OR (owner IS NULL AND state = 'closed' AND state_since - opened_at > ?)
                    OR (state = 'open' AND ? - opened_at > ?))
         ) AS counted",
    )
    .bind(SERVED_WITHIN_MS)
    .bind(since)
    .bind(name(&Channel::SelfTest))
    .bind(SERVED_WITHIN_MS)
    .bind(now)
    .bind(SERVED_WITHIN_MS)
    .fetch_one(c)
    .await?;
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(ServiceLevel {
        in_time: count(in_time),
        of: count(of),
    })
}
