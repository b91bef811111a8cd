//! What routing knows of the agents, and the numbers of the deployment's queues and skills. Where a conversation stands
//! is in its own row.

use crate::{
    StoreError,
    codec::{from_json, id, json},
};
use sightline_call::routing::Agent;
use sightline_wire::ids::AccountId;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Everybody that routing has known.
pub async fn agents(c: &mut SqliteConnection) -> Result<Vec<(AccountId, Agent)>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT account, state FROM routing_agents ORDER BY account")
        .fetch_all(c)
        .await?;
    rows.iter()
        .map(|(account, state)| Ok((id(account)?, from_json(state, "routing's agent")?)))
        .collect()
}

/// Keeps an agent's row.
pub async fn save_agent(c: &mut SqliteConnection, account: AccountId, agent: &Agent) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO routing_agents (account, state) VALUES (?, ?)
         ON CONFLICT (account) DO UPDATE SET state = excluded.state",
    )
    .bind(account.to_string())
    .bind(json(agent))
    .execute(c)
    .await?;
    Ok(())
}

/// Names that keep their numbers.
#[derive(Debug, Clone, Copy)]
pub enum Named {
    /// Queues.
    Queues,
    /// Skills.
    Skills,
}

/// The numbers of these names; those that have none yet get the next ones.
pub async fn numbers(
    c: &mut SqliteConnection,
    named: Named,
    names: impl IntoIterator<Item = &str>,
) -> Result<BTreeMap<String, u32>, StoreError> {
    let (all, add) = match named {
        Named::Queues => (
            "SELECT name, number FROM queues",
            "INSERT INTO queues (name, number) VALUES (?, ?)",
        ),
        Named::Skills => (
            "SELECT name, number FROM skills",
            "INSERT INTO skills (name, number) VALUES (?, ?)",
        ),
    };
    let rows: Vec<(String, i64)> = sqlx::query_as(all).fetch_all(&mut *c).await?;
    let unreadable = StoreError::Unreadable { what: "number" };
    let mut known = rows
        .into_iter()
        .map(|(name, number)| Some((name, u32::try_from(number).ok()?)))
        .collect::<Option<BTreeMap<_, _>>>()
        .ok_or(unreadable)?;
    let mut last = known.values().copied().max().unwrap_or(0);
    for name in names {
        if !known.contains_key(name) {
            last += 1;
            sqlx::query(add)
                .bind(name)
                .bind(i64::from(last))
                .execute(&mut *c)
                .await?;
            known.insert(name.to_owned(), last);
        }
    }
    Ok(known)
}
