//! A queue: when it is open, how long an agent is asked, what wrap-up takes, and what its customers are told.

use super::{
    hours::{Hours, Opened},
    work::Blocked,
};
use serde::{Deserialize, Serialize};
use sightline_wire::UnixMillis;

/// How long wrap-up takes an agent's capacity (oc-conversation-state.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUpBlocks {
    /// Until the conversation is closed.
    Always,
    /// Not at all.
    Never,
    /// For so long, in milliseconds, or until it is closed: 30 s to 60 min in Dynamics 365.
    For(i64),
}

impl WrapUpBlocks {
    /// For a wrap-up that begins now.
    pub fn beginning(self, now: UnixMillis) -> Blocked {
        match self {
            Self::Always => Blocked::UntilClosed,
            Self::Never => Blocked::Free,
            Self::For(ms) => Blocked::Until(now.saturating_add(ms)),
        }
    }
}

/// A queue as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// For conversations that bring none of their own; higher is more urgent.
    pub priority: u8,
    /// How long one agent is asked before the next one is, in milliseconds.
    pub assignment_ms: i64,
    /// What wrap-up takes.
    pub wrap_up: WrapUpBlocks,
    /// When it is open; `None` for always.
    pub hours: Option<Hours>,
    /// Agents take its conversations themselves; none is assigned but by a person.
    #[serde(default)]
    pub by_hand: bool,
    /// Customers who wait are told that it has closed, or that nobody is here any more, once that has held for so long,
    /// in milliseconds.
    #[serde(default = "settle_ms")]
    pub settle_ms: i64,
}

fn settle_ms() -> i64 {
    20_000
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            priority: 0,
            assignment_ms: 20_000,
            wrap_up: WrapUpBlocks::Always,
            hours: None,
            by_hand: false,
            settle_ms: settle_ms(),
        }
    }
}

impl Queue {
    /// Whether it is open at this moment.
    pub fn opened(&self, now: UnixMillis) -> Opened {
        match &self.hours {
            None => Opened::Open { until: None },
            Some(hours) => hours.opened(now),
        }
    }
}

/// What customers of a queue are told when they come, and while they wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum QueueStatus {
    /// Somebody is there, even if everybody has their hands full.
    Staffed,
    /// It is open, and nobody is there who takes anything (zammad#4970).
    NobodyHere,
    /// It is closed.
    Closed {
        /// When it opens, where that is known.
        opens_at: Option<UnixMillis>,
    },
}

/// A [`QueueStatus`] without its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusKind {
    /// Somebody is there.
    Staffed,
    /// Open, and nobody is there.
    NobodyHere,
    /// Closed.
    Closed,
}

impl QueueStatus {
    /// Without its times.
    pub fn kind(self) -> StatusKind {
        match self {
            Self::Staffed => StatusKind::Staffed,
            Self::NobodyHere => StatusKind::NobodyHere,
            Self::Closed { .. } => StatusKind::Closed,
        }
    }

    /// From its hours and how many agents are there.
    pub fn of(opened: Opened, here: usize) -> Self {
        match opened {
            Opened::Closed { opens_at } => Self::Closed { opens_at },
            Opened::Open { .. } if here == 0 => Self::NobodyHere,
            Opened::Open { .. } => Self::Staffed,
        }
    }
}
