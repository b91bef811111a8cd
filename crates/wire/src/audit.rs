//! The audit log: what those who may act in others' work have done there. It names people by their accounts only, and
//! holds nothing that a customer has said; whoever reads it is told their names of today beside it.

use crate::{
    UnixMillis,
    conversation::ConversationState,
    ids::{AccountId, AuditId, ConversationId, EscalationId},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AuditAct {
    /// Read a colleague's conversation; once per person, conversation and hour.
    Read,
    /// Joined it, so that the customer sees one more name.
    Joined,
    /// Left it again.
    Left,
    /// Chose the agent for a conversation that waited.
    Assigned,
    /// Handed it to somebody else.
    Transferred,
    /// Closed it with a notice.
    ForceClosed,
}

/// What belongs to the act. Primitives only, and no words of anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditDetail {
    /// Where the conversation stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub state: Option<ConversationState>,
    /// Capacity units that the agent now has too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub over_units: Option<u32>,
    /// Conversations that the agent now has too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub over_conversations: Option<u32>,
    /// A video call was ended with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ended_call: Option<bool>,
}

/// One entry. Entries are never changed and never removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditEntry {
    /// 1, 2, 3 … without gaps.
    pub seq: i64,
    /// Identifier.
    pub id: AuditId,
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: AccountId,
    /// The name of that account today.
    pub actor_name: String,
    /// What.
    pub act: AuditAct,
    /// In which conversation.
    pub conversation: Option<ConversationId>,
    /// Its customer, by the name of today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub customer_name: Option<String>,
    /// Which agent it concerned.
    pub agent: Option<AccountId>,
    /// The name of that account today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub agent_name: Option<String>,
    /// Which call it concerned.
    pub escalation: Option<EscalationId>,
    /// What belongs to it.
    pub detail: AuditDetail,
    /// SHA-256 over the hash before and this entry, in hexadecimal.
    pub hash: String,
}

/// `GET /v1/audit?before=&limit=`, descending by `seq`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditPage {
    /// The newest first.
    pub entries: Vec<AuditEntry>,
    /// Whether older ones follow.
    pub more: bool,
}

/// `GET /v1/audit/check`: the whole chain, computed anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AuditCheck {
    /// How many entries are intact, from the first one on.
    pub intact: i64,
    /// The hash of the last intact one. Kept elsewhere, it shows later that nothing was cut off at the end.
    pub head: String,
    /// The first entry that is changed, missing or out of its place; `None` when all are intact.
    pub broken_at: Option<i64>,
}
