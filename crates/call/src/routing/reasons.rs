//! Why a decision is what it is, in words that a supervisor and the log can show.

use super::work::QueueId;
use serde::{Deserialize, Serialize};
use sightline_wire::{UnixMillis, ids::AccountId};

macro_rules! reasons {
    ($($name:ident $sentence:literal;)+) => {
        /// Why an agent is not given a conversation: the first that applies, in this order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $(#[doc = $sentence] $name,)+ }

        impl Reason {
            /// Every one, for documentation and exhaustive tests.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)+];

            /// In plain words.
            pub fn sentence(self) -> &'static str { match self { $(Reason::$name => $sentence,)+ } }
        }
    };
}

reasons! {
    NotInQueue "Does not work for this queue.";
    Offline "Is not connected.";
    Away "Is away.";
    DoNotDisturb "Does not want to be disturbed.";
    Inactive "Has missed an assignment and not come back since.";
    Declined "Has declined an assignment and not come back since.";
    Skill "Lacks a skill, or its level.";
    Lease "The desk is not ready for it: run the self-test.";
    InCall "Is in a video call.";
    BeingAsked "Is being asked about another conversation.";
    VideoSlot "Has another conversation that wants video.";
    Sessions "Has as many conversations open as one may have.";
    Full "Has too little capacity left.";
}

/// By which rule an agent was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Rule {
    /// Of all who could, this one has been without new work for longest.
    LongestIdle {
        /// Since then.
        since: UnixMillis,
        /// So many others could have taken it.
        others: usize,
    },
    /// The customer spoke with this agent before (Dynamics 365's sample).
    SameAgent,
    /// A supervisor chose.
    Supervisor {
        /// Who.
        by: AccountId,
    },
    /// The owner hands it over.
    Transfer {
        /// Who.
        by: AccountId,
    },
}

/// Why this agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// By which rule.
    pub rule: Rule,
    /// Out of this queue.
    pub queue: QueueId,
    /// How long the customer has waited since the conversation arrived, in milliseconds.
    pub waited_ms: i64,
    /// What the agent has to do with it, in units.
    pub units: u32,
    /// Of so many.
    pub capacity: u16,
    /// By how many units that is too much; never above 0 but by a supervisor.
    pub over_units: u32,
    /// By how many conversations it is too many; never above 0 but by a supervisor.
    pub over_sessions: u32,
}

impl Because {
    /// The person who chose, where one did.
    pub fn by(&self) -> Option<AccountId> {
        match self.rule {
            Rule::Supervisor { by } | Rule::Transfer { by } => Some(by),
            Rule::LongestIdle { .. } | Rule::SameAgent => None,
        }
    }

    /// In plain words; `by` is the name of the person who chose.
    pub fn sentence(&self, by: Option<&str>) -> String {
        let mut sentence = match self.rule {
            Rule::LongestIdle { others: 0, .. } => "Nobody else could take it.".to_owned(),
            Rule::LongestIdle { others, .. } => {
                format!("Without new work for longer than {others} others who could take it.")
            }
            Rule::SameAgent => "The customer spoke with this agent before.".to_owned(),
            Rule::Supervisor { .. } => format!("{} chose this agent.", by.unwrap_or("A supervisor")),
            Rule::Transfer { .. } => format!("{} handed it over.", by.unwrap_or("The agent before")),
        };
        if self.over_units > 0 {
            sentence += &format!(" {} units over the capacity of {}.", self.over_units, self.capacity);
        }
        if self.over_sessions > 0 {
            sentence += &format!(" {} conversations more than one may have.", self.over_sessions);
        }
        sentence
    }
}

/// Why a conversation waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WhyWaiting {
    /// It came outside business hours.
    Closed {
        /// When they begin, where that is known.
        opens_at: Option<UnixMillis>,
    },
    /// The agent whom the customer knows is busy for a moment.
    KeptFor {
        /// Who.
        agent: AccountId,
        /// From then on it is for anybody.
        until: UnixMillis,
        /// What keeps that agent.
        reason: Option<Reason>,
    },
    /// Agents take the conversations of its queue themselves.
    ByHand,
    /// Nobody can take it: so many agents of the queue for each reason, none of them twice. Who they are says
    /// [`super::Routing::why_nobody`].
    Nobody {
        /// In the order of [`Reason`]; empty when nobody works for the queue.
        agents: Vec<(Reason, u32)>,
    },
}

impl WhyWaiting {
    /// In plain words; names of agents and times are for whoever knows them.
    pub fn sentence(&self) -> String {
        match self {
            Self::Closed { .. } => "It came outside business hours and waits for them.".to_owned(),
            Self::KeptFor { .. } => "It waits a moment for the agent whom the customer knows.".to_owned(),
            Self::ByHand => "Agents take the conversations of this queue themselves.".to_owned(),
            Self::Nobody { agents } if agents.is_empty() => "Nobody works for this queue.".to_owned(),
            Self::Nobody { agents } => {
                let counted: Vec<String> = agents
                    .iter()
                    .map(|(reason, count)| format!("{count}: {}", reason.sentence()))
                    .collect();
                format!("Nobody can take it. {}", counted.join(" "))
            }
        }
    }
}

/// What one agent writes for the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Who wrote it.
    pub by: AccountId,
    /// The note; its length is for the caller to check.
    pub text: String,
}
