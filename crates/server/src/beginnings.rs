//! How a conversation begins: with what is said of it, what it continues, and for whom it asks.

use crate::routing::same_agent::same_agent;
use sightline_store::{
    SqliteConnection, StoreError, accounts,
    conversations::{self, NewConversation},
    origins::{self, NewOrigin, Previous},
    threads::{self, Thread},
};
use sightline_wire::{
    UnixMillis,
    conversation::{Context, ContextValue},
    ids::ConversationId,
    link::{CameBy, PREVIOUS_CONVERSATION, PREVIOUS_CONVERSATION_TOO},
};
use uuid::Uuid;

/// What is said of a conversation when it begins.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Its variables.
    pub context: Context,
    /// Those of them that the agent is not shown.
    pub hidden: Vec<String>,
    /// By a platform, by a link of ours, or by whomever the deployment believes: only then it may choose the agent and
    /// open an earlier conversation to its owner.
    pub trusted: bool,
    /// The link that brought the customer.
    pub came_by: Option<CameBy>,
}

/// Where such a conversation comes from. `before` is the customer's own last one in the same place; it counts for more
/// than what a context names.
pub async fn origin(
    c: &mut SqliteConnection,
    said: &Said,
    before: Option<ConversationId>,
) -> Result<NewOrigin, StoreError> {
    let named = [PREVIOUS_CONVERSATION, PREVIOUS_CONVERSATION_TOO]
        .iter()
        .find_map(|name| match said.context.get(*name) {
            Some(ContextValue::Text(text)) => Some(text.trim()).filter(|text| !text.is_empty()),
            Some(ContextValue::Truth(_) | ContextValue::Number(_)) | None => None,
        });
    let previous = match (before, named) {
        (Some(id), _) => Some(Previous::Ours { id, verified: true }),
        (None, Some(name)) => Some(match origins::by_name(c, name).await? {
            Some(id) => Previous::Ours {
                id,
                verified: said.trusted,
            },
            None => Previous::Unknown { name: name.into() },
        }),
        (None, None) => None,
    };
    let asked_for = if said.trusted {
        same_agent(&said.context, &accounts::all(c).await?)
    } else {
        None
    };
    Ok(NewOrigin {
        previous,
        came_by: said.came_by,
        trusted: said.trusted,
        asked_for,
        hidden: said.hidden.clone(),
    })
}

/// A conversation begins in its thread.
pub async fn in_thread(
    c: &mut SqliteConnection,
    thread: &Thread,
    said: &Said,
    now: UnixMillis,
) -> Result<ConversationId, StoreError> {
    let origin = origin(c, said, thread.conversation).await?;
    let new = NewConversation {
        id: ConversationId(Uuid::new_v4()),
        channel: thread.origin.channel(),
        thread: Some(thread.id.clone()),
        customer_name: thread.user_name.clone(),
        context: said.context.clone(),
    };
    conversations::open(c, &new, now).await?;
    origins::set(c, new.id, &origin).await?;
    threads::set_conversation(c, &thread.id, new.id).await?;
    Ok(new.id)
}
