//! Connectors as an admin sees them: `/v1/connectors`, and what did not reach a platform.

use crate::{
    UnixMillis,
    ids::{ConversationId, DeliveryId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// How a connector stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConnectorState {
    /// It works, as far as is known.
    Enabled,
    /// Switched off: no traffic in either direction. What is to be sent waits.
    Disabled,
    /// Its last call came to nothing.
    Failing {
        /// The platform's own code, or ours.
        code: String,
        /// What that means, in plain words.
        sentence: String,
        /// Since then.
        since: UnixMillis,
    },
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConnectorSetting {
    /// As in the file.
    pub name: String,
    /// As in the file; of a secret the place where it is kept, never itself.
    pub value: String,
    /// Whether that place is one of a secret, and has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub secret: Option<SecretFound>,
}

/// Whether there is a secret where the settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SecretFound {
    /// There is.
    Set,
    /// There is not, so that the connector cannot work.
    Missing,
}

/// A connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConnectorView {
    /// As in the file, and part of the address that the platform calls.
    pub name: String,
    /// Which platform.
    pub kind: String,
    /// How it stands.
    pub state: ConnectorState,
    /// What the platform calls; empty where there is nothing to be called.
    pub hook: String,
    /// Its settings.
    pub settings: Vec<ConnectorSetting>,
    /// So much waits to be sent.
    pub waiting: i64,
    /// So much did not arrive.
    pub dead: i64,
    /// Conversations that are not closed.
    pub conversations: i64,
    /// When the platform last called.
    pub heard_at: Option<UnixMillis>,
    /// When the platform last took something.
    pub sent_at: Option<UnixMillis>,
}

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FieldShape {
    /// A text.
    Text,
    /// Several.
    Texts,
    /// A whole number.
    Number,
    /// An address with `https://`.
    Address,
    /// Where a secret is: `env:NAME` or `keyring:NAME`.
    Secret,
    /// One place, or several while one secret replaces another: the new one first.
    Secrets,
}

/// One field of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConnectorField {
    /// As it stands in the file.
    pub name: String,
    /// What it is, in one sentence.
    pub what: String,
    /// What stands there.
    pub shape: FieldShape,
    /// Whether there is no connector without it.
    pub needed: bool,
    /// What is taken where nothing stands there. A name in braces is the field of that name.
    pub default: Option<String>,
}

/// `GET /v1/connector-kinds`: a kind of connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConnectorKind {
    /// As it stands in the file.
    pub name: String,
    /// What it is, in one sentence.
    pub what: String,
    /// The one name that it can have: it is set up once. Any name without it.
    #[serde(default)]
    pub only: Option<String>,
    /// What it has to be told, in the order in which to ask.
    pub fields: Vec<ConnectorField>,
}

/// `PUT /v1/connectors/{name}`: all of a connector's settings, by their fields. What is empty is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SaveConnector {
    /// Which kind; that of a connector which is there stays.
    pub kind: String,
    /// Several values of one field in their order. Of a secret its place, never itself.
    pub settings: BTreeMap<String, Vec<String>>,
}

/// `POST /v1/connectors/{name}/test`: what a call to the platform came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConnectorTest {
    /// The platform knows us.
    pub works: bool,
    /// In plain words.
    pub sentence: String,
    /// How long it took.
    pub took_ms: i64,
}

/// What a dead letter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// A message of an agent.
    Message,
    /// A link to a video call.
    Invite,
    /// Context variables.
    Context,
    /// What became of a bot's hand-off.
    Handoff,
    /// How far a customer's message has come.
    Receipt,
}

/// Something that did not reach a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeadLetter {
    /// Identifier.
    pub id: DeliveryId,
    /// By whom.
    pub connector: String,
    /// Because of which conversation.
    pub conversation: ConversationId,
    /// With whom.
    pub customer_name: String,
    /// What.
    pub kind: LetterKind,
    /// Its beginning.
    pub text: String,
    /// The platform's own code, or ours.
    pub error: String,
    /// Tried so often.
    pub attempts: u32,
    /// When it was decided.
    pub created_at: UnixMillis,
    /// When it was given up.
    pub given_up_at: UnixMillis,
}
