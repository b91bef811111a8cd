//! Direct Line 3.0, as far as the web chat uses it (Bot Framework Activity schema).

use crate::{cards::SuggestedActions, history::HistoryLine, link::ChatEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// `POST /v3/directline/conversations` and `tokens/*`.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConversationStarted {
    /// The conversation, in the client's eyes.
    pub conversation_id: String,
    /// Bearer token for everything that follows.
    pub token: String,
    /// Seconds.
    #[serde(rename = "expires_in")]
    pub expires_in: u32,
    /// WebSocket address with a single-use ticket; absent for `tokens/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stream_url: Option<String>,
}

/// Who an activity is from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChannelAccount {
    /// The client's own id for the person.
    #[serde(default)]
    pub id: String,
    /// Shown to the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// `user` or `bot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub role: Option<String>,
}

/// A conversation reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConversationAccount {
    /// Identifier.
    pub id: String,
}

/// The unit of the protocol. Fields we do not use are ignored on the way in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// `message`, `typing`, `event`, `endOfConversation`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `conversation|0000007`, set by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<String>,
    /// ISO 8601, set by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub timestamp: Option<String>,
    /// `directline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub channel_id: Option<String>,
    /// Who.
    #[serde(default)]
    pub from: ChannelAccount,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub conversation: Option<ConversationAccount>,
    /// What was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
    /// Files, and what is shown like one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Attachment>>")]
    pub attachments: Vec<Attachment>,
    /// Answers to choose from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub suggested_actions: Option<SuggestedActions>,
    /// BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub locale: Option<String>,
    /// Name of an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// Value of an event, or of a button that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub value: Option<Value>,
    /// `clientActivityID` from Web Chat; `sightline` ([`SightlineData`]) from us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub channel_data: Option<Value>,
}

/// A file of an activity, or a card.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Attachment {
    /// Media type.
    pub content_type: String,
    /// Where the file is: an address, or `data:` with the file itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub content_url: Option<String>,
    /// What a card says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub content: Option<Value>,
    /// The file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
}

/// `channelData.sightline` of an activity that carries an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SightlineData {
    /// Show a card with Join.
    Invite {
        /// The link.
        url: String,
        /// The last path segment of the link.
        code: String,
        /// Who invites.
        agent_name: String,
        /// When the link stops working.
        expires_at: i64,
    },
    /// A line of history.
    Event {
        /// What it says; nothing for one that is shown as it is written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        line: Option<HistoryLine>,
    },
}

/// What a stream carries, and `GET .../activities`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ActivitySet {
    /// In order.
    pub activities: Vec<Activity>,
    /// Ask for what follows with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub watermark: Option<String>,
}

/// The answer to a posted activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ResourceResponse {
    /// `conversation|0000007`.
    pub id: String,
}

/// `POST /v1/webchat/tokens`: a customer's page asks for a token of its own. Same-origin only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct WebChatStart {
    /// The customer's name, if they gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// Context variables of the page that embeds the widget: primitives, or Dynamics 365's
    /// `{ "value": ..., "isDisplayable": ... }` around one.
    #[serde(default)]
    #[ts(type = "Record<string, ContextValue | { value: ContextValue, isDisplayable?: boolean }>")]
    pub context: serde_json::Map<String, Value>,
    /// What the page's address says, where it is a link into the chat: the conversation begins at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub entry: Option<ChatEntry>,
    /// At least 128 random bits that this browser keeps: the same link opened again goes on with the same chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub browser_key: Option<String>,
}
