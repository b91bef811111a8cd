//! Conversations and messages.

use crate::{
    UnixMillis,
    escalation::EscalationView,
    ids::{AccountId, ClientMessageId, ConversationId, EscalationId, MessageId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// Where a conversation stands. Wrap-up belongs to the agent alone: the customer is already gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    /// Waiting for an agent.
    Open,
    /// An agent owns it.
    Active,
    /// The agent writes down what happened.
    WrapUp,
    /// Over; a new message from the customer starts a new conversation.
    Closed,
}

/// The way the customer reaches us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The product's own web chat, and anything else that speaks Direct Line 3.0.
    WebChat,
    /// A telephone leg; it carries no text, so no link either.
    Phone,
    /// A desk that tests itself: the echo peer is the customer. Nobody's work, so it stands in no list.
    SelfTest,
}

impl Channel {
    /// Whether a link can be written into the conversation.
    pub fn carries_links(self) -> bool {
        match self {
            // The echo peer is handed its link.
            Channel::WebChat | Channel::SelfTest => true,
            Channel::Phone => false,
        }
    }

    /// Whether its conversations are in no inbox, history or statistics.
    pub fn hidden(self) -> bool {
        match self {
            Channel::SelfTest => true,
            Channel::WebChat | Channel::Phone => false,
        }
    }
}

/// A context variable's value: primitives only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum ContextValue {
    /// Yes or no.
    Truth(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// Context variables by their case-sensitive names.
pub type Context = BTreeMap<String, ContextValue>;

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Author {
    /// The customer.
    Customer,
    /// An agent, by name.
    Agent {
        /// Who.
        account: AccountId,
        /// Shown to the customer.
        name: String,
    },
    /// The product itself, for what happened in between.
    System,
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// Plain text.
    Text {
        /// At most [`crate::MAX_MESSAGE_CHARS`].
        text: String,
    },
    /// A link to a video call.
    Invite {
        /// Which escalation it belongs to.
        escalation: EscalationId,
        /// The sentence around the link, for channels that show only text.
        text: String,
        /// The link.
        url: String,
        /// When the link stops working.
        expires_at: UnixMillis,
    },
    /// A line of history: "Video call ended after 2:14".
    Event {
        /// The line.
        text: String,
    },
}

impl Body {
    /// The text a plain channel shows.
    pub fn text(&self) -> &str {
        match self {
            Body::Text { text } | Body::Invite { text, .. } | Body::Event { text } => text,
        }
    }
}

/// One entry of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Message {
    /// Identifier.
    pub id: MessageId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// 1, 2, 3 ... without gaps in one conversation.
    pub seq: i64,
    /// The sender's own id, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client_id: Option<ClientMessageId>,
    /// Who wrote it.
    pub author: Author,
    /// What it holds.
    pub body: Body,
    /// When it was committed.
    pub at: UnixMillis,
}

/// What a list shows of a conversation, and all the context panel needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Conversation {
    /// Identifier.
    pub id: ConversationId,
    /// How the customer reaches us.
    pub channel: Channel,
    /// Where it stands.
    pub state: ConversationState,
    /// The customer's name, or "Customer" and a short number.
    pub customer_name: String,
    /// Whether the customer has the chat open now.
    pub customer_present: bool,
    /// Who owns it.
    pub owner: Option<AccountId>,
    /// The owner's name.
    pub owner_name: Option<String>,
    /// When it began.
    pub opened_at: UnixMillis,
    /// When its state last changed.
    pub state_since: UnixMillis,
    /// The last message's sequence number, 0 for none.
    pub last_seq: i64,
    /// Up to this number the customer's page has received our messages.
    pub delivered_seq: i64,
    /// Up to this number the owner has read.
    pub read_seq: i64,
    /// The last message's text, cut to one line.
    pub last_text: String,
    /// When the last message came.
    pub last_at: UnixMillis,
    /// Context variables.
    pub context: Context,
    /// The agent's notes.
    pub notes: String,
    /// What the agent chose at the end.
    pub disposition: Option<String>,
    /// The newest escalation.
    pub escalation: Option<EscalationView>,
}

/// `POST /v1/conversations/{id}/messages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SendMessage {
    /// Sending the same id again answers with the stored message.
    pub client_id: ClientMessageId,
    /// At most [`crate::MAX_MESSAGE_CHARS`].
    pub text: String,
}

/// `GET /v1/conversations/{id}/messages?after=&limit=`, ascending by `seq`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether more follow.
    pub more: bool,
}

/// `PATCH /v1/conversations/{id}`; a field left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct EditConversation {
    /// The agent's notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub notes: Option<String>,
    /// Variables to set; `null` removes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub context: Option<BTreeMap<String, Option<ContextValue>>>,
    /// Up to this number the owner has read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub read_seq: Option<i64>,
}

/// `POST /v1/conversations/{id}/wrap-up`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WrapUp {
    /// End a live call first; without it a live call refuses the wrap-up.
    pub end_call: bool,
}

/// `POST /v1/conversations/{id}/close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Close {
    /// How it ended, in the deployment's own words.
    pub disposition: String,
}
