//! The routes of supervisors.

use super::{Api, Empty};
use reqwest::Method;
use sightline_wire::{
    Problem,
    audit::{AuditCheck, AuditPage},
    conversation::Conversation,
    desk::AuditEnd,
    ids::ConversationId,
    routing::Why,
    wall::{Assign, AssignAnswer, ForceClose},
};

/// Entries of the audit log in one page.
const AUDIT_PAGE: u32 = 50;

impl Api {
    /// Why a conversation came to its agent, or why nobody gets it.
    pub async fn why(&self, id: ConversationId) -> Result<Why, Problem> {
        self.call(Method::GET, &format!("/v1/conversations/{id}/why"), None::<&()>)
            .await
    }

    /// The newest entries of the audit log, or those before a number.
    pub async fn audit(&self, before: Option<i64>) -> Result<AuditPage, Problem> {
        let before = before.map_or_else(String::new, |before| format!("&before={before}"));
        self.call(
            Method::GET,
            &format!("/v1/audit?limit={AUDIT_PAGE}{before}"),
            None::<&()>,
        )
        .await
    }

    /// The audit log's chain, computed anew.
    pub async fn check_audit(&self, known: Option<&AuditEnd>) -> Result<AuditCheck, Problem> {
        // A hash is part of an address, so what is none never becomes one.
        let known = known.filter(|end| end.hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let known = known.map_or_else(String::new, |end| format!("?seq={}&hash={}", end.seq, end.hash));
        self.call(Method::GET, &format!("/v1/audit/check{known}"), None::<&()>)
            .await
    }

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
