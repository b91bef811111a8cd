//! The routes of supervisors.

use super::{Api, Empty};
use reqwest::Method;
use sightline_wire::{
    Problem,
    conversation::Conversation,
    ids::ConversationId,
    wall::{Assign, AssignAnswer, ForceClose},
};

impl Api {
    /// Takes part in a colleague's conversation.
    pub async fn join(&self, id: ConversationId) -> Result<Conversation, Problem> {
        self.call(Method::POST, &format!("/v1/conversations/{id}/join"), Some(&Empty {}))
            .await
    }

    /// Takes part no longer.
    pub async fn leave(&self, id: ConversationId) -> Result<Conversation, Problem> {
        self.call(Method::POST, &format!("/v1/conversations/{id}/leave"), Some(&Empty {}))
            .await
    }

    /// Chooses the agent for a conversation that waits.
    pub async fn assign(&self, id: ConversationId, choice: Assign) -> Result<Conversation, Problem> {
        let path = format!("/v1/conversations/{id}/assign");
        let answer: AssignAnswer = self.call(Method::POST, &path, Some(&choice)).await?;
        Ok(answer.conversation)
    }

    /// Closes a colleague's conversation.
    pub async fn force_close(&self, id: ConversationId, close: &ForceClose) -> Result<Conversation, Problem> {
        let path = format!("/v1/conversations/{id}/force-close");
        self.call(Method::POST, &path, Some(close)).await
    }
}
