//! What a line of history says, for those who read it in another language than the desk's: the customer's page.

use crate::{UnixMillis, escalation::EndReason};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The meaning of a line that a web chat shows; its English words stand beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HistoryLine {
    /// A video call is over.
    CallOver {
        /// Why.
        reason: EndReason,
        /// How long the two saw each other; 0 for not at all.
        live_ms: i64,
    },
    /// The customer, or a bot for them, asked for video.
    VideoAsked,
    /// The queue has nobody now.
    NobodyHere,
    /// The last one of the queue went while the customer waited.
    EverybodyLeft,
    /// The queue closed while the customer waited.
    QueueHasClosed {
        /// When it opens again, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        opens_at: Option<UnixMillis>,
    },
    /// The queue is closed now.
    QueueClosed {
        /// When it opens again, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        opens_at: Option<UnixMillis>,
    },
    /// Somebody takes part from now on.
    Joined {
        /// Who.
        name: String,
    },
    /// Somebody does not take part any more.
    Left {
        /// Who.
        name: String,
    },
    /// A supervisor ended it.
    ClosedBy {
        /// Who.
        name: String,
    },
    /// It is somebody else's work now.
    TookOver {
        /// Whose.
        name: String,
        /// Whose it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        before: Option<String>,
    },
    /// A supervisor gave it to an agent.
    Assigned {
        /// The supervisor.
        by: String,
        /// The agent.
        name: String,
    },
    /// A supervisor asked an agent to take it.
    Asked {
        /// The supervisor.
        by: String,
        /// The agent.
        name: String,
    },
    /// It waits in another queue.
    HandedOver {
        /// Its title; the inbox has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        queue: Option<String>,
    },
    /// A bot asked for a person.
    BotHandsOver {
        /// Its name, where it told it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        bot: Option<String>,
    },
    /// A bot ended its part.
    BotFinished {
        /// Its name.
        bot: String,
    },
    /// A bot does not answer.
    BotGone,
    /// The customer ended the chat.
    CustomerLeft,
    /// The customer's page was closed for too long.
    CustomerGone,
    /// Nobody wrote for long.
    Asleep,
}
