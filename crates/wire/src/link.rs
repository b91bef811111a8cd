//! Links into the web chat, and what a conversation continues.

use crate::{
    UnixMillis,
    conversation::{Channel, Message},
    ids::{ClientMessageId, ConversationId},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The context variable that names what a chat continues (Dynamics 365's, on the customer's page).
pub const PREVIOUS_CONVERSATION: &str = "PreviousConversationId";

/// The same at the agent's step.
pub const PREVIOUS_CONVERSATION_TOO: &str = "ConversationId";

/// The context variable with the e-mail address of the agent for whom a chat asks.
pub const AGENT_EMAIL: &str = "EmailAddressContextVariable";

/// The context variable with the id of that agent.
pub const AGENT_ID: &str = "AgentId";

/// How a customer came into the chat, where it was by a link to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CameBy {
    /// A link of ours, in its time.
    Link,
    /// A link in the shape of Dynamics 365's sample that nobody has signed.
    UnsignedLink,
    /// A link of ours whose time is over; nothing in it counted.
    ExpiredLink,
    /// A link that says it is ours and is not; nothing in it counted.
    ForeignLink,
}

/// What a conversation continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PreviousConversation {
    /// One of ours.
    Known {
        /// Which.
        id: ConversationId,
        /// How the customer reached us then.
        channel: Channel,
        /// When it began.
        opened_at: UnixMillis,
        /// When it was closed; `None` while it goes on beside this one.
        closed_at: Option<UnixMillis>,
        /// The customer's name then.
        customer_name: String,
        /// Somebody whom we believe has said so: then whoever owns the later one may read it.
        verified: bool,
    },
    /// A name that nobody here knows.
    Unknown {
        /// As it was given.
        name: String,
    },
}

/// What a link looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LinkShape {
    /// `/c/CODE`: says nothing to whoever reads it.
    #[default]
    Opaque,
    /// `/chat?conversationId=&agentId=&email=` of Dynamics 365's sample, with `exp` and `sig`: for senders that need
    /// that shape.
    Dynamics,
}

/// `POST /v1/conversations/{id}/chat-link`: a link into the web chat is written into the conversation. Repeating a
/// `client_id` answers the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MakeChatLink {
    /// Chosen by the desk; also that of the message.
    pub client_id: ClientMessageId,
    /// The video starts by itself when the agent takes the chat.
    #[serde(default)]
    pub video: bool,
    /// What it looks like.
    #[serde(default)]
    pub shape: LinkShape,
}

/// The answer to [`MakeChatLink`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChatLinkSent {
    /// The link.
    pub url: String,
    /// When it stops working.
    pub expires_at: UnixMillis,
    /// The message with it.
    pub message: Message,
}

/// What the address of a customer's page says. The page hands it over as it is; the server judges it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ChatEntry {
    /// `/c/CODE`.
    Code {
        /// The last segment of the path.
        code: String,
    },
    /// `/chat?...`.
    Query {
        /// Everything behind the question mark, byte for byte: a signature is over exactly that.
        query: String,
    },
}

/// A part of what a conversation continues, for the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EarlierConversation {
    /// Which.
    pub id: ConversationId,
    /// The last messages before the place that was asked for, ascending.
    pub messages: Vec<Message>,
    /// Whether it has earlier ones.
    pub more: bool,
    /// Who owned it.
    pub owner_name: Option<String>,
    /// What it continued in turn.
    pub previous: Option<PreviousConversation>,
}
