//! What the window shows of the session, of messages on their way, and of work that is offered.

use crate::{
    Problem, UnixMillis,
    account::{Account, FirstAccount},
    ids::{ClientMessageId, ConversationId},
    readiness::Narrowing,
    routing::TakenBack,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Where the session stands.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SessionView {
    /// Looking into the keyring, reaching the server.
    Starting,
    /// Nobody is signed in.
    SignedOut {
        /// The server's address.
        server: String,
        /// Why, when it was not by choice.
        problem: Option<Problem>,
        /// Accounts made at this very start, shown once.
        first_accounts: Vec<FirstAccount>,
    },
    /// Somebody is.
    SignedIn {
        /// Who.
        account: Account,
        /// On whose behalf.
        company: String,
        /// How the server is reached.
        link: LinkView,
        /// Where a customer can open the web chat.
        chat_url: String,
        /// A session that does not outlive the app, and why.
        keyring: Option<Problem>,
    },
}

/// The connection to the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LinkView {
    /// Live.
    Online,
    /// Lost; trying.
    Offline {
        /// Since when.
        since: UnixMillis,
    },
    /// The agent works on another desk.
    Displaced {
        /// Before: [`crate::ErrorCode::SecondDesk`]; after: `desk_displaced`.
        problem: Problem,
    },
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PendingMessage {
    /// Identifier.
    pub client_id: ClientMessageId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// What.
    pub text: String,
    /// The file that it is; then there are no words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub file: Option<PendingFile>,
    /// When the agent pressed Enter.
    pub at: UnixMillis,
    /// How far it is.
    pub state: PendingState,
}

/// A file on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PendingFile {
    /// As it is called; without folders.
    pub name: String,
    /// Media type.
    pub kind: String,
    /// Bytes.
    pub size: u32,
    /// So many of them have left this desk in the current attempt.
    pub sent: u32,
}

/// How far a message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PendingState {
    /// On its way.
    Sending,
    /// Kept on this disk until the server is back.
    WaitingForNetwork,
    /// The server will never take it.
    Refused {
        /// Why.
        problem: Problem,
    },
}

/// What the window shows of an assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AssignmentView {
    /// The agent is asked to take a conversation.
    Asked {
        /// Which.
        conversation: ConversationId,
        /// Who wrote.
        customer_name: String,
        /// The customer wants to be seen.
        video: bool,
        /// Until then, by this desk's clock.
        until: UnixMillis,
        /// Of so many milliseconds altogether.
        asked_ms: i64,
        /// Why this agent, in plain words.
        because: String,
        /// The colleague who hands it over, by name.
        from: Option<String>,
        /// What that colleague, or the owner before, wrote.
        note: Option<String>,
    },
    /// Not any more.
    TakenBack {
        /// Which.
        conversation: ConversationId,
        /// Who wrote.
        customer_name: String,
        /// Why.
        why: TakenBack,
        /// What speaks against this desk, where that is why.
        narrowing: Option<Narrowing>,
        /// A colleague is asked now.
        elsewhere: bool,
    },
}

/// Video that starts because the customer asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AutoVideo {
    /// It starts at this moment, unless the agent says no.
    Starting {
        /// Where.
        conversation: ConversationId,
        /// By this desk's clock.
        at: UnixMillis,
        /// So many milliseconds after it was announced.
        announced_ms: i64,
    },
    /// It could not start; the agent may start it.
    Blocked {
        /// Where.
        conversation: ConversationId,
        /// Why.
        problem: Problem,
    },
}
