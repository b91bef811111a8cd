//! The audit log: a chain of entries in which each one's hash covers the hash before.
//!
//! An entry is written in the transaction of the act itself, so there is no act without an entry and no entry without
//! its act. [`check`] computes the chain anew from the rows as they stand. A row that was changed, removed, added or
//! moved breaks it at that place; rows that were cut off at the end are missed by whoever kept an older [`Head`].

use crate::{
    StoreError,
    codec::{from_json, from_name, id, json, name, optional_id},
    origins::customer_name,
};
use sha2::{Digest, Sha256};
use sightline_wire::{
    UnixMillis,
    audit::{AuditAct, AuditDetail, AuditEntry},
    ids::{AccountId, AuditId, ConversationId, EscalationId},
};
use sqlx::{FromRow, SqliteConnection};
use std::fmt::Write;
use uuid::Uuid;

/// What the first entry follows.
const BEGINNING: &str = "sightline audit 1";

/// Rows that [`check`] reads at a time.
const STEP: i64 = 1_000;

/// An entry that is to be written.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Who.
    pub actor: AccountId,
    /// What.
    pub act: AuditAct,
    /// In which conversation.
    pub conversation: Option<ConversationId>,
    /// Which agent it concerns.
    pub agent: Option<AccountId>,
    /// Which call it concerns.
    pub escalation: Option<EscalationId>,
    /// What belongs to it.
    pub detail: AuditDetail,
    /// When.
    pub at: UnixMillis,
}

/// The end of the chain: that many entries, the last of them with this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last number; 0 for none.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

impl Head {
    fn beginning() -> Self {
        Self {
            seq: 0,
            hash: BEGINNING.into(),
        }
    }
}

/// What [`check`] has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The end of what is intact.
    pub head: Head,
    /// The first number that is not what it was, or is missing.
    pub broken_at: Option<i64>,
}

#[derive(FromRow)]
struct Row {
    seq: i64,
    id: String,
    at: i64,
    actor: String,
    act: String,
    conversation: Option<String>,
    agent: Option<String>,
    escalation: Option<String>,
    detail: String,
    hash: String,
}

impl Row {
    /// The hash that this row must have after `before`. Every value stands there with its length, so that none of them
    /// can reach into the next.
    fn hash_after(&self, before: &str) -> String {
        let (seq, at) = (self.seq.to_string(), self.at.to_string());
        let values = [
            Some(before),
            Some(&seq),
            Some(&self.id),
            Some(&at),
            Some(&self.actor),
            Some(&self.act),
            self.conversation.as_deref(),
            self.agent.as_deref(),
            self.escalation.as_deref(),
            Some(&self.detail),
        ];
        let mut sha = Sha256::new();
        for value in values {
            match value {
                Some(value) => {
                    sha.update(format!("{}:", value.len()));
                    sha.update(value);
                }
                None => sha.update("-:"),
            }
        }
        sha.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

#[derive(FromRow)]
struct NamedRow {
    #[sqlx(flatten)]
    row: Row,
    actor_name: String,
    agent_name: Option<String>,
    customer: Option<String>,
    customer_number: Option<i64>,
}

impl NamedRow {
    fn entry(self) -> Result<AuditEntry, StoreError> {
        let Self {
            row,
            actor_name,
            agent_name,
            customer,
            customer_number,
        } = self;
        Ok(AuditEntry {
            seq: row.seq,
            id: id(&row.id)?,
            at: row.at,
            actor: id(&row.actor)?,
            actor_name,
            act: from_name(&row.act, "audit act")?,
            conversation: optional_id(row.conversation.as_deref())?,
            customer_name: customer
                .zip(customer_number)
                .map(|(name, number)| customer_name(name, number)),
            agent: optional_id(row.agent.as_deref())?,
            agent_name,
            escalation: optional_id(row.escalation.as_deref())?,
            detail: from_json(&row.detail, "audit detail")?,
            hash: row.hash,
        })
    }
}

/// Writes an entry behind the last one. The caller holds the write turn, so two never follow the same one.
pub async fn append(c: &mut SqliteConnection, new: NewEntry) -> Result<(), StoreError> {
    let last: Option<(i64, String)> = sqlx::query_as("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *c)
        .await?;
    let before = last.map_or_else(Head::beginning, |(seq, hash)| Head { seq, hash });
    let mut row = Row {
        seq: before.seq + 1,
        id: AuditId(Uuid::new_v4()).to_string(),
        at: new.at,
        actor: new.actor.to_string(),
        act: name(&new.act),
        conversation: new.conversation.map(|id| id.to_string()),
        agent: new.agent.map(|id| id.to_string()),
        escalation: new.escalation.map(|id| id.to_string()),
        detail: json(&new.detail),
        hash: String::new(),
    };
    row.hash = row.hash_after(&before.hash);
    sqlx::query(
        "INSERT INTO audit (seq, id, at, actor, act, conversation, agent, escalation, detail, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(row.seq)
    .bind(&row.id)
    .bind(row.at)
    .bind(&row.actor)
    .bind(&row.act)
    .bind(&row.conversation)
    .bind(&row.agent)
    .bind(&row.escalation)
    .bind(&row.detail)
    .bind(&row.hash)
    .execute(c)
    .await?;
    Ok(())
}

/// Entries before a number, the newest first; all of them without one.
pub async fn before(c: &mut SqliteConnection, before: Option<i64>, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
    sqlx::query_as::<_, NamedRow>(
        "SELECT e.*, COALESCE(a.name, '') AS actor_name, b.name AS agent_name,
                c.customer_name AS customer, c.number AS customer_number
         FROM audit e
         LEFT JOIN accounts a ON a.id = e.actor
         LEFT JOIN accounts b ON b.id = e.agent
         LEFT JOIN conversations c ON c.id = e.conversation
         WHERE e.seq < ? ORDER BY e.seq DESC LIMIT ?",
    )
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(c)
    .await?
    .into_iter()
    .map(NamedRow::entry)
    .collect()
}

/// Whether this person did this in that conversation since then.
pub async fn done_since(
    c: &mut SqliteConnection,
    actor: AccountId,
    act: AuditAct,
    conversation: ConversationId,
    since: UnixMillis,
) -> Result<bool, StoreError> {
    let found: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE conversation = ? AND actor = ? AND act = ? AND at >= ?")
            .bind(conversation.to_string())
            .bind(actor.to_string())
            .bind(name(&act))
            .bind(since)
            .fetch_one(c)
            .await?;
    Ok(found > 0)
}

/// Computes the whole chain anew. `known` is an end of it that was kept elsewhere: it must still be there.
pub async fn check(c: &mut SqliteConnection, known: Option<&Head>) -> Result<Checked, StoreError> {
    let mut head = Head::beginning();
    loop {
        let rows = sqlx::query_as::<_, Row>("SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?")
            .bind(head.seq)
            .bind(STEP)
            .fetch_all(&mut *c)
            .await?;
        if rows.is_empty() {
            let cut_off = known.is_some_and(|known| known.seq > head.seq);
            let broken_at = cut_off.then_some(head.seq + 1);
            return Ok(Checked { head, broken_at });
        }
        for row in rows {
            let expected = head.seq + 1;
            let strange = known.is_some_and(|known| known.seq == row.seq && known.hash != row.hash);
            if row.seq != expected || row.hash != row.hash_after(&head.hash) || strange {
                return Ok(Checked {
                    head,
                    broken_at: Some(expected),
                });
            }
            head = Head {
                seq: row.seq,
                hash: row.hash,
            };
        }
    }
}
