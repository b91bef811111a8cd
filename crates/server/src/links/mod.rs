//! Links into the web chat: making them, and judging those that come back.
//!
//! A link of ours is a code of 160 random bits. The shape of Dynamics 365's sample (`conversationId`, `agentId`,
//! `email` in the query) is made on demand, with an end and a signature ([`query`]), and taken from senders that know
//! nothing of signatures: then it may open a chat, and that is all, unless the deployment says more.

pub mod query;
pub mod routes;

use crate::{config::Secret, secrets};
use sightline_store::{Store, StoreError, server_keys};

/// The key that signs queries, the same at every start.
pub async fn key(store: &Store) -> Result<Secret, StoreError> {
    let mut writing = store.write().await?;
    let key = server_keys::get_or_keep(writing.conn(), "links", &secrets::token()).await?;
    drop(writing.commit().await?);
    Ok(Secret::new(key))
}
