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
    wall::ServiceLevel,
};
use sqlx::{AssertSqlSafe, FromRow, SqliteConnection};
use std::collections::HashMap;

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

/// By which time a queue measures itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// Its number.
    pub queue: u32,
    /// It also answers for conversations that were never put anywhere.
    pub unplaced: bool,
    /// Who is answered within this is served in time, in milliseconds.
    pub within_ms: i64,
}

/// How each queue's customers were served who came since then. Who gave up within the time could not have been, and who has
/// been waiting for less of it may still be: both count for nothing. A conversation counts where it waits, or waited last.
pub async fn service(
    c: &mut SqliteConnection,
    queues: &[Within],
    since: UnixMillis,
    now: UnixMillis,
) -> Result<HashMap<u32, ServiceLevel>, StoreError> {
    let Some(unplaced) = queues.iter().find(|queue| queue.unplaced).or(queues.first()) else {
        return Ok(HashMap::new());
    };
    // Numbers of our own, and nothing else.
    let goals: Vec<String> = queues
        .iter()
        .map(|queue| format!("({}, {})", queue.queue, queue.within_ms))
        .collect();
    let query = format!(
        "WITH goals(queue, within) AS (VALUES {})
         SELECT g.queue, COUNT(*),
                SUM(CASE WHEN c.answered_at IS NOT NULL AND c.answered_at - c.opened_at <= g.within THEN 1 ELSE 0 END)
         FROM conversations c JOIN goals g ON g.queue = COALESCE(c.queue, {})
         WHERE c.opened_at >= ? AND c.channel <> ? AND c.bot IS NULL
           AND (c.answered_at IS NOT NULL
                OR (c.owner IS NULL AND c.state = 'closed' AND c.state_since - c.opened_at > g.within)
                OR (c.state = 'open' AND ? - c.opened_at > g.within))
         GROUP BY g.queue",
        goals.join(", "),
        unplaced.queue,
    );
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(AssertSqlSafe(query))
        .bind(since)
        .bind(name(&Channel::SelfTest))
        .bind(now)
        .fetch_all(c)
        .await?;
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let levels = rows.into_iter().map(|(queue, of, in_time)| {
        let level = ServiceLevel {
            in_time: count(in_time),
            of: count(of),
        };
        (count(queue), level)
    });
    Ok(levels.collect())
}
