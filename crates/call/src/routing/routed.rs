//! What is stored of a conversation for routing, beside its state, owner and context: what was decided once.

use super::{
    queues::StatusKind,
    reasons::Note,
    work::{QueueId, Skills},
};
use serde::{Deserialize, Serialize};
use sightline_wire::{UnixMillis, ids::AccountId};

/// Decided when a conversation began, and again when it is handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// Where it waits, or waited.
    pub queue: QueueId,
    /// Higher is more urgent.
    pub priority: u8,
    /// What it asks for; a wish for video may add to that.
    #[serde(default)]
    pub skills: Skills,
    /// Whom this customer knows.
    #[serde(default)]
    pub prefer: Option<AccountId>,
    /// By which rule, in the operator's words.
    #[serde(default)]
    pub rule: Option<String>,
    /// What the last owner wrote for the next one.
    #[serde(default)]
    pub note: Option<Note>,
    /// Why its owner was chosen, in plain words.
    #[serde(default)]
    pub because: Option<String>,
    /// When the customer last asked for video.
    #[serde(default)]
    pub video_asked_at: Option<UnixMillis>,
    /// The customer was told that the message waits for somebody.
    #[serde(default)]
    pub promised: bool,
    /// What the customer was told last of how the queue stands.
    #[serde(default)]
    pub told: Option<Told>,
}

/// What a customer was told of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Which.
    pub queue: QueueId,
    /// How it stood.
    pub kind: StatusKind,
    /// When.
    pub at: UnixMillis,
}

impl Told {
    /// Whether this says already that the queue has stood so since then.
    pub fn covers(&self, queue: QueueId, kind: StatusKind, since: UnixMillis) -> bool {
        self.queue == queue && self.kind == kind && self.at >= since
    }
}

impl Routed {
    /// In a queue, with nothing said about it.
    pub fn in_queue(queue: QueueId, priority: u8) -> Self {
        Self {
            queue,
            priority,
            skills: Skills::new(),
            prefer: None,
            rule: None,
            note: None,
            because: None,
            video_asked_at: None,
            promised: false,
            told: None,
        }
    }
}
