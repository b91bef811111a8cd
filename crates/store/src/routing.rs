//! What routing knows of the agents. Where a conversation stands is in its own row.

use crate::{
    StoreError,
    codec::{from_json, id, json},
};
use sightline_call::routing::Agent;
use sightline_wire::ids::AccountId;
use sqlx::SqliteConnection;

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
