//! What routing is told, and what it answers.

use super::{
    agents::{LeaseNow, Profile},
    queues::{Queue, QueueStatus},
    reasons::{Because, Note, Reason, WhyWaiting},
    work::{QueueId, Skills},
};
use sightline_wire::{
    UnixMillis,
    conversation::Channel,
    ids::{AccountId, ConversationId},
    readiness::Readiness,
    routing::{AgentPresence as Presence, Chosen, TakenBack},
};
use std::collections::BTreeSet;

/// A conversation that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Where it waits.
    pub queue: QueueId,
    /// How the customer reaches us.
    pub channel: Channel,
    /// Higher is more urgent; the queue's own when absent.
    pub priority: Option<u8>,
    /// What it asks for.
    pub skills: Skills,
    /// What its agent's lease must allow; `None` for text.
    pub lease: Option<Readiness>,
    /// The agent whom this customer knows: kept for that one for a moment, if that one is there (chatwoot#4158).
    pub prefer: Option<AccountId>,
}

/// Where a conversation is handed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To a colleague, who is asked; until the answer the owner keeps it.
    Agent(AccountId),
    /// To those of a queue; the owner is free at once.
    Queue(QueueId),
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A queue is new, or configured anew.
    Queue {
        /// Which.
        queue: QueueId,
        /// How.
        configured: Queue,
    },
    /// An agent is new, or configured anew. Without queues an agent is given nothing.
    Agent {
        /// Who.
        agent: AccountId,
        /// How.
        profile: Profile,
    },
    /// The agent's desk is connected.
    Connected {
        /// Whose.
        agent: AccountId,
    },
    /// It is not any more.
    Disconnected {
        /// Whose.
        agent: AccountId,
    },
    /// The agent chose a presence; choosing the same again ends a pause.
    Chosen {
        /// Who.
        agent: AccountId,
        /// What.
        presence: Chosen,
    },
    /// The lease of the agent's desk, whenever it changes.
    Lease {
        /// Whose.
        agent: AccountId,
        /// What it allows.
        lease: LeaseNow,
    },
    /// A conversation begins.
    Arrived {
        /// Which.
        conversation: ConversationId,
        /// What it is.
        arrival: Arrival,
    },
    /// A conversation wants something else than before: the customer, or a bot, has asked for video.
    Wanted {
        /// Which.
        conversation: ConversationId,
        /// What its agent's lease must allow.
        lease: Option<Readiness>,
        /// What it asks for now.
        skills: Skills,
    },
    /// The agent takes what was assigned.
    Accepted {
        /// Which.
        conversation: ConversationId,
        /// Who.
        agent: AccountId,
    },
    /// The agent turns it down.
    Declined {
        /// Which.
        conversation: ConversationId,
        /// Who.
        agent: AccountId,
    },
    /// An agent takes a conversation that waits, unasked.
    Picked {
        /// Which.
        conversation: ConversationId,
        /// Who.
        agent: AccountId,
    },
    /// A supervisor chooses an agent for a conversation that nobody owns; the agent may have too much already.
    Assigned {
        /// Which.
        conversation: ConversationId,
        /// Who is to take it.
        agent: AccountId,
        /// The supervisor.
        by: AccountId,
    },
    /// A conversation is handed over.
    Transferred {
        /// Which.
        conversation: ConversationId,
        /// Who does it: the owner, or a supervisor.
        by: AccountId,
        /// It is a supervisor who does it, with a supervisor's rights.
        supervisor: bool,
        /// To whom.
        to: Target,
        /// For the next agent.
        note: String,
    },
    /// The link to a video call has gone out to the customer.
    Invited {
        /// Which.
        conversation: ConversationId,
        /// The owner is kept free for it until then.
        until: UnixMillis,
    },
    /// The customer has joined a video call.
    CallBegan {
        /// Which.
        conversation: ConversationId,
    },
    /// It is over, or the invite is.
    CallEnded {
        /// Which.
        conversation: ConversationId,
    },
    /// The owner wraps up.
    WrappedUp {
        /// Which.
        conversation: ConversationId,
    },
    /// The conversation is closed, by whomever and from wherever: also by a customer who did not want to wait.
    Closed {
        /// Which.
        conversation: ConversationId,
    },
    /// Time has passed.
    Tick,
}

/// What follows. The conversation is *assigned* while one agent is asked; then somebody owns it, or it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask this agent.
    Assign {
        /// Which.
        conversation: ConversationId,
        /// Whom.
        agent: AccountId,
        /// Until then.
        until: UnixMillis,
        /// Why this agent.
        because: Because,
        /// From the owner before.
        note: Option<Note>,
    },
    /// Stop asking.
    TakeBack {
        /// Which.
        conversation: ConversationId,
        /// Whom.
        agent: AccountId,
        /// Why.
        why: TakenBack,
    },
    /// It is this agent's now.
    Give {
        /// Which.
        conversation: ConversationId,
        /// Whose.
        agent: AccountId,
        /// Who owned it until now; a call goes along.
        from: Option<AccountId>,
    },
    /// A transfer came to nothing: the owner stays the owner.
    Keep {
        /// Which.
        conversation: ConversationId,
        /// The owner.
        agent: AccountId,
        /// Why.
        why: TakenBack,
    },
    /// It is not this agent's any more: it was handed to a queue.
    Release {
        /// Which.
        conversation: ConversationId,
        /// Whose it was.
        agent: AccountId,
    },
    /// It begins to wait.
    Wait {
        /// Which.
        conversation: ConversationId,
        /// Why nobody has it.
        why: WhyWaiting,
    },
    /// An agent's presence is another one.
    Presence {
        /// Whose.
        agent: AccountId,
        /// As colleagues see it.
        presence: Presence,
    },
    /// Customers who come to a queue are told something else from now on.
    Queue {
        /// Which.
        queue: QueueId,
        /// What.
        status: QueueStatus,
    },
    /// Customers who wait in a queue already are to be told this, but for those who have been told the same since then.
    Tell {
        /// Which.
        queue: QueueId,
        /// What.
        status: QueueStatus,
        /// It has been so since then; the least number where nothing is known of before.
        since: UnixMillis,
    },
}

/// Why a command is refused. Nothing has changed then but what time alone has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such conversation, or it is closed.
    #[error("no such conversation waits or is worked on")]
    UnknownConversation,
    /// No such agent.
    #[error("no such agent")]
    UnknownAgent,
    /// No such queue.
    #[error("no such queue")]
    UnknownQueue,
    /// A desk that tests itself is nobody's work.
    #[error("this channel is not routed")]
    NotRouted,
    /// The agent is not, or no longer, asked about it.
    #[error("the conversation is not assigned to this agent any more")]
    NotAssigned,
    /// A colleague has it, or is being asked.
    #[error("a colleague has it or is being asked")]
    WithColleague,
    /// Only its owner, or a supervisor, may do that.
    #[error("the conversation belongs to somebody else")]
    NotOwner,
    /// Nobody owns it, so there is nothing to hand over, call about or wrap up.
    #[error("nobody owns the conversation")]
    NotOwned,
    /// It cannot be handed to the one who has it.
    #[error("the agent has it already")]
    HasItAlready,
    /// A customer in a call is handed to a person, never to a queue.
    #[error("the video call is still running")]
    CallLive,
    /// None of a queue's agents could take a call over now.
    #[error("nobody of the queue can take it")]
    NobodyFree,
    /// That agent cannot have it.
    #[error("the agent cannot take it")]
    Agent(Reason),
}

/// The answer to an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// In the order in which they happen.
    pub effects: Vec<Effect>,
    /// The input asked for something that cannot be.
    pub refused: Option<Refusal>,
    /// Whose rows are to be stored, or deleted where they are gone.
    pub conversations: BTreeSet<ConversationId>,
    /// Whose rows are to be stored.
    pub agents: BTreeSet<AccountId>,
}
