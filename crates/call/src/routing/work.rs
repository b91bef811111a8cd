//! A conversation as routing sees it: what it needs, where it stands, and where in its line.

use super::{Policy, reasons::Note};
use serde::{Deserialize, Serialize};
use sightline_wire::{
    UnixMillis,
    conversation::Channel,
    ids::{AccountId, ConversationId},
    readiness::Readiness,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// A queue, by the number of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QueueId(pub u32);

/// A skill, by the number of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SkillId(pub u32);

/// Skills with their levels, 1 to 10: what an agent has, or the least that a conversation asks for.
pub type Skills = BTreeMap<SkillId, u8>;

/// What an agent must have to be given a conversation. Conversations of one queue with the same needs stand in one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needs {
    /// At least these levels.
    pub skills: Skills,
    /// At least this lease, at the moment of the assignment; `None` for text.
    pub lease: Option<Readiness>,
    /// Capacity it takes, in units.
    pub units: u16,
}

impl Needs {
    /// It wants the agent's picture.
    pub fn video(&self) -> bool {
        self.lease == Some(Readiness::Video)
    }
}

/// Where a conversation stands among those that wait: the most urgent first, then the one that waits longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Higher is more urgent.
    pub priority: Reverse<u8>,
    /// When it arrived. An assignment that comes to nothing, or a transfer, does not send the customer to the end.
    pub since: UnixMillis,
    /// Last word between two that arrived together.
    pub conversation: ConversationId,
}

/// How long wrap-up takes capacity (oc-conversation-state.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// Until the conversation is closed.
    UntilClosed,
    /// Until then.
    Until(UnixMillis),
    /// No longer, or never.
    Free,
}

/// A transfer to an agent that has not been answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handing {
    /// To whom.
    pub to: AccountId,
    /// Until then.
    pub until: UnixMillis,
    /// The supervisor who asked for it; `None` when it was the owner.
    pub supervisor: Option<AccountId>,
}

/// What a conversation has of video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Nothing.
    None,
    /// The link has just gone out: the customer may be there any moment, so the owner is given nothing until then.
    Ringing(UnixMillis),
    /// The link is out and nobody has come: the owner has room for writing, and for no second video.
    Invited,
    /// The customer has joined.
    Up,
}

impl Call {
    /// It takes the owner's one video slot.
    pub fn holds_slot(self) -> bool {
        self != Call::None
    }

    /// Nothing is assigned to the owner.
    pub fn occupies(self) -> bool {
        match self {
            Call::Ringing(_) | Call::Up => true,
            Call::None | Call::Invited => false,
        }
    }
}

/// Where a conversation stands. A closed one is not here any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    /// It came outside business hours and waits for them.
    Parked,
    /// It waits a moment for the agent whom this customer knows.
    Kept {
        /// Who.
        agent: AccountId,
        /// From then on for anybody.
        until: UnixMillis,
    },
    /// It waits for anybody.
    Waiting,
    /// It is assigned: offered to one agent, who has not answered yet.
    Assigned {
        /// Who.
        agent: AccountId,
        /// Until then.
        until: UnixMillis,
        /// The supervisor who chose the agent.
        supervisor: Option<AccountId>,
    },
    /// An agent owns it.
    With {
        /// Who.
        agent: AccountId,
        /// Its video.
        call: Call,
        /// The owner keeps it until the other one has said yes: nobody's customer is left alone.
        handing: Option<Handing>,
    },
    /// The customer is gone, the owner writes down what happened.
    WrapUp {
        /// Who.
        agent: AccountId,
        /// How long that takes capacity.
        blocked: Blocked,
    },
}

/// A conversation: the row that is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Where it waits, or waited.
    pub queue: QueueId,
    /// How the customer reaches us.
    pub channel: Channel,
    /// Higher is more urgent.
    pub priority: u8,
    /// When it arrived.
    pub since: UnixMillis,
    /// What it asks for.
    pub skills: Skills,
    /// What its agent's lease must allow.
    pub lease: Option<Readiness>,
    /// Whom this customer knows; forgotten after the first assignment, which is for that agent.
    pub prefer: Option<AccountId>,
    /// What the last owner wrote for the next one.
    pub note: Option<Note>,
    /// Where it stands.
    pub stage: Stage,
}

impl Work {
    /// What an agent must have for it. One that is in a call needs a lease for video, whatever was asked before.
    pub fn needs(&self, policy: &Policy) -> Needs {
        let lease = match self.stage {
            Stage::With { call, .. } if call.holds_slot() => Some(Readiness::Video),
            Stage::Parked
            | Stage::Kept { .. }
            | Stage::Waiting
            | Stage::Assigned { .. }
            | Stage::With { .. }
            | Stage::WrapUp { .. } => self.lease,
        };
        Needs {
            skills: self.skills.clone(),
            lease,
            units: policy.units.of(self.channel, lease == Some(Readiness::Video)),
        }
    }

    /// Its place while it waits.
    pub fn place(&self, conversation: ConversationId) -> Place {
        Place {
            priority: Reverse(self.priority),
            since: self.since,
            conversation,
        }
    }

    /// Nobody has it, and nobody is asked to take it.
    pub fn waits(&self) -> bool {
        match self.stage {
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting => true,
            Stage::Assigned { .. } | Stage::With { .. } | Stage::WrapUp { .. } => false,
        }
    }

    /// Who owns it.
    pub fn owner(&self) -> Option<AccountId> {
        match self.stage {
            Stage::With { agent, .. } | Stage::WrapUp { agent, .. } => Some(agent),
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting | Stage::Assigned { .. } => None,
        }
    }

    /// Who is being asked to take it.
    pub fn asked(&self) -> Option<AccountId> {
        match self.stage {
            Stage::Assigned { agent, .. } => Some(agent),
            Stage::With { handing, .. } => handing.map(|handing| handing.to),
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting | Stage::WrapUp { .. } => None,
        }
    }
}
