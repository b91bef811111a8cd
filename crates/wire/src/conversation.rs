//! Conversations and messages.

use crate::{
    UnixMillis,
    cards::{Card, CardAction},
    escalation::EscalationView,
    history::HistoryLine,
    ids::{AccountId, ClientMessageId, ConversationId, DeliveryId, EscalationId, FileId, MessageId},
    link::{CameBy, PreviousConversation},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    /// Text messages.
    Sms,
    /// WhatsApp, from Meta or through Twilio.
    WhatsApp,
    /// A chat of Twilio Conversations or Flex.
    Twilio,
    /// Genesys Cloud Open Messaging.
    Genesys,
    /// A chat of Azure Communication Services.
    Azure,
    /// A channel of the Bot Framework, or of a bot behind Direct Line.
    Bot,
    /// Webex messaging, or a channel of Webex Connect.
    Webex,
    /// Whatever is connected by the signed webhook.
    Webhook,
    /// A telephone leg; it carries no text, so a link to its caller goes by SMS.
    Phone,
    /// A desk that tests itself: the echo peer is the customer. Nobody's work, so it stands in no list.
    SelfTest,
}

impl Channel {
    /// What carries the sound of its video calls.
    pub fn sound(self) -> Sound {
        if self == Channel::Phone {
            Sound::Phone
        } else {
            Sound::Call
        }
    }

    /// Whether its conversations are in no inbox, history or statistics.
    pub fn hidden(self) -> bool {
        self == Channel::SelfTest
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

/// The one owner of a video call's sound. Two at once echo.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// The call itself.
    #[default]
    Call,
    /// A telephone call beside it: both sides are silent in the video call.
    Phone,
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
    /// A bot, or somebody on the platform's own side, by the name that the platform gives.
    Bot {
        /// As in the platform's transcript.
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
    /// Files, with or without words.
    Files {
        /// The words and the files' names, for lists and channels that show only text.
        text: String,
        /// What was written beside them; may be empty.
        words: String,
        /// In the order in which they were chosen.
        files: Vec<File>,
    },
    /// What a bot offers: cards, and answers to choose from.
    Offer {
        /// All of it in words, for agents, lists and channels that show only text.
        text: String,
        /// What was said beside them; may be empty.
        words: String,
        /// In order.
        cards: Vec<Card>,
        /// Answers to choose from, as long as nobody has answered.
        actions: Vec<CardAction>,
    },
    /// What the customer chose of an offer, where that is more than words.
    Choice {
        /// What stood on the button, for whoever reads the conversation.
        text: String,
        /// The words that the bot gets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        said: Option<String>,
        /// What else it gets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional, type = "unknown")]
        value: Option<Value>,
        /// Whether the customer's own chat shows it.
        seen: bool,
    },
    /// A line of history: "Video call ended after 2:14".
    Event {
        /// The line.
        text: String,
        /// What it says, where a customer may read it in another language.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        line: Option<HistoryLine>,
    },
    /// From colleague to colleague: it never leaves for the customer, on no channel.
    Note {
        /// What the next one should know.
        text: String,
    },
}

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct File {
    /// As it was called where it comes from; without folders.
    pub name: String,
    /// Media type.
    pub kind: String,
    /// Bytes, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub size: Option<u32>,
    /// Where it is. Nowhere: the platform keeps it, and shows it to nobody without its own sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub place: Option<FilePlace>,
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FilePlace {
    /// Kept by this server.
    Here {
        /// Under this name.
        id: FileId,
    },
    /// With somebody else, open to whoever has the address.
    There {
        /// `https://…`
        url: String,
    },
}

/// Whether browsers show a file of this kind as a picture. Drawings that can run (SVG) are none.
pub fn is_picture(kind: &str) -> bool {
    matches!(kind, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// `POST /v1/files/{id}/link`: an address that opens the file without any sign-in, for a short time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FileLink {
    /// The address.
    pub url: String,
    /// It opens nothing after this.
    pub expires_at: UnixMillis,
    /// Media type.
    pub kind: String,
}

/// A file as the desk's page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FileShown {
    /// Which.
    pub file: FileId,
    /// Opens it in a browser.
    pub link: FileLink,
    /// A picture's bytes in base64: the page itself speaks to no server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub picture: Option<String>,
}

impl Body {
    /// The text a plain channel shows.
    pub fn text(&self) -> &str {
        match self {
            Body::Text { text }
            | Body::Invite { text, .. }
            | Body::Files { text, .. }
            | Body::Offer { text, .. }
            | Body::Choice { text, .. }
            | Body::Event { text, .. }
            | Body::Note { text } => text,
        }
    }
}

impl Body {
    /// Whether only colleagues read it.
    pub fn internal(&self) -> bool {
        matches!(self, Body::Note { .. })
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

/// Somebody who writes in a conversation without owning it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Participant {
    /// Who.
    pub account: AccountId,
    /// Shown to the customer.
    pub name: String,
}

/// A message of ours that the customer's platform refused, or did not take for a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Undelivered {
    /// The message's number.
    pub seq: i64,
    /// Why, in plain words.
    pub why: String,
    /// Under this name it can be sent again; `None` when somebody has given it up for good.
    pub letter: Option<DeliveryId>,
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
    /// Supervisors who have joined, in that order.
    #[serde(default)]
    pub participants: Vec<Participant>,
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
    /// The queue's title, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub queue: Option<String>,
    /// Why its owner was chosen, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub because: Option<String>,
    /// Our messages that did not reach the customer's platform.
    #[serde(default)]
    pub undelivered: Vec<Undelivered>,
    /// What its calls may use at most where that is less than the deployment allows, bits a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub max_bitrate: Option<u32>,
    /// The customer wants to be seen, and no call has been started since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub video_request: Option<VideoRequest>,
    /// What it continues.
    #[serde(default)]
    pub previous: Option<PreviousConversation>,
    /// The link that brought the customer.
    #[serde(default)]
    pub came_by: Option<CameBy>,
    /// The context is from somebody whom we believe: a link of ours, or what the deployment allows.
    #[serde(default)]
    pub trusted: bool,
    /// The agent for whom it asks. Others may take it all the same.
    #[serde(default)]
    pub asked_for: Option<AccountId>,
    /// Whether agents can send files.
    #[serde(default)]
    pub agent_files: AgentFiles,
    /// Whether a room elsewhere can be made for it.
    #[serde(default)]
    pub meetings: bool,
    /// Variables that are for rules; the agent is shown them only on demand.
    #[serde(default)]
    pub hidden_variables: Vec<String>,
}

/// Whether agents can send files in a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AgentFiles {
    /// The customer gets them.
    Carried,
    /// Its channel has no place for them.
    #[default]
    NotCarried,
    /// The deployment does not want it.
    TurnedOff,
}

/// A wish for video that one click fulfils.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct VideoRequest {
    /// Since when.
    pub at: UnixMillis,
    /// Where it comes from, in plain words.
    pub why: String,
}

/// `POST /v1/conversations/{id}/messages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SendMessage {
    /// Sending the same id again answers with the stored message.
    pub client_id: ClientMessageId,
    /// At most [`crate::MAX_MESSAGE_CHARS`].
    pub text: String,
}

/// `GET /v1/conversations/{id}/messages?after=&limit=`, ascending by `seq`; with `before=` the last ones before that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether more follow; with `before`, whether there are earlier ones.
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
