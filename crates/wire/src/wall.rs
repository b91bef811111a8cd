//! The live wall: queues, agents and conversations as supervisors see them, and what supervisors may do there.

use crate::{
    UnixMillis,
    conversation::{Channel, Conversation, ConversationState},
    device::QualityMark,
    ids::{AccountId, ConversationId},
    readiness::Readiness,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who is answered within this time is served well, where a queue sets itself no other: the wall's service level is the
/// share of them.
pub const SERVED_WITHIN_MS: i64 = 20_000;

/// Most rows of one kind in one [`WallNews`], so that a frame keeps to [`crate::MAX_FRAME_BYTES`].
pub const WALL_ROWS: usize = 40;

/// Longest notice at a force close, in Unicode scalar values.
pub const MAX_NOTICE_CHARS: usize = 500;

/// How many customers were answered in time, of those of whom that can be said: answered ones, those who gave up after
/// that time, and those who wait for longer already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ServiceLevel {
    /// Within the time that the queue has set itself.
    pub in_time: u32,
    /// Of so many. Nothing can be said of none.
    pub of: u32,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WallQueue {
    /// Its number.
    pub queue: u32,
    /// As people call it.
    pub title: String,
    /// Conversations that nobody owns, those included that somebody is being asked to take.
    pub waiting: u32,
    /// When the one came that waits for longest.
    pub oldest: Option<UnixMillis>,
    /// Conversations that agents have.
    pub active: u32,
    /// Agents of the queue who are there, with their hands full or not.
    pub here: u32,
    /// Those among them who could take something now.
    pub free: u32,
    /// Who is answered within so many milliseconds is served well; [`SERVED_WITHIN_MS`] unless the deployment says more.
    pub within_ms: i64,
    /// So many of a hundred customers are to be served well; `None` where nobody has set a goal.
    pub goal: Option<u8>,
    /// Of the customers who came in the last hour.
    pub hour: ServiceLevel,
    /// Of those who came in the last 24 hours.
    pub day: ServiceLevel,
}

/// How an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WallPresence {
    /// Free.
    Available,
    /// Has work, and room for more.
    Busy,
    /// In a video call: nothing more until it ends.
    InCall,
    /// As much work as one may have.
    Full,
    /// Chosen: nothing new.
    DoNotDisturb,
    /// Has turned down the last assignment.
    Declined,
    /// Has missed the last assignment.
    Inactive,
    /// Chosen: not at the desk.
    Away,
    /// Chosen, or the desk is not connected.
    Offline,
}

/// How much of an agent's capacity is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WallLoad {
    /// Units taken; more than there are where a supervisor said so.
    pub units: u32,
    /// Of so many.
    pub capacity: u32,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WallAgent {
    /// Who.
    pub agent: AccountId,
    /// As colleagues know the agent.
    pub name: String,
    /// How the agent is.
    pub presence: WallPresence,
    /// `None` where conversations are not assigned: nobody counts there.
    pub load: Option<WallLoad>,
    /// Conversations that the agent has, those in wrap-up included.
    pub conversations: u32,
    /// Which one the agent is being asked to take.
    pub asked: Option<ConversationId>,
    /// What the desk may be offered; `None` when it was never tested.
    pub readiness: Option<Readiness>,
    /// Until when, by itself.
    pub ready_until: Option<UnixMillis>,
    /// The conversation of the call that the agent is in, or has invited to.
    pub call: Option<ConversationId>,
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WallCallState {
    /// The link is out.
    Invited,
    /// The customer has joined, media is on its way.
    Joining,
    /// Both sides see or hear each other.
    Live,
}

/// The call of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WallCall {
    /// How far it is.
    pub state: WallCallState,
    /// Since when.
    pub since: UnixMillis,
    /// The worst mark of the last 15 s that the desk has told.
    pub mark: QualityMark,
    /// Why, as the agent reads it; empty when it is good.
    pub reason: String,
}

/// A conversation that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WallConversation {
    /// Which.
    pub id: ConversationId,
    /// Where it waits, or waited.
    pub queue: u32,
    /// How the customer reaches us.
    pub channel: Channel,
    /// Where it stands.
    pub state: ConversationState,
    /// Since when.
    pub since: UnixMillis,
    /// When it began.
    pub opened_at: UnixMillis,
    /// The customer.
    pub customer_name: String,
    /// Who owns it.
    pub owner: Option<AccountId>,
    /// The owner's name.
    pub owner_name: Option<String>,
    /// Who is being asked to take it.
    pub asked_name: Option<String>,
    /// Supervisors who take part in it.
    pub helpers: Vec<String>,
    /// Its call, unless it is over.
    pub call: Option<WallCall>,
}

/// What is new on the wall. The first ones after [`crate::agent::AgentRequest::WatchWall`] bring all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WallNews {
    /// Grows with every news. What is older than the whole wall that was told last says nothing new.
    pub number: u64,
    /// The server's clock, by which all times of the wall are meant.
    pub at: UnixMillis,
    /// What was known before is forgotten: the whole wall follows.
    pub begins: bool,
    /// New or changed.
    pub queues: Vec<WallQueue>,
    /// New or changed.
    pub agents: Vec<WallAgent>,
    /// New or changed.
    pub conversations: Vec<WallConversation>,
    /// Not on the wall any more.
    pub gone_agents: Vec<AccountId>,
    /// Closed.
    pub gone: Vec<ConversationId>,
}

/// `POST /v1/conversations/{id}/assign`: a supervisor chooses the agent for a conversation that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Assign {
    /// Who is to take it.
    pub agent: AccountId,
    /// Although it is more than the agent may have; without it that is [`crate::ErrorCode::AgentFull`].
    #[serde(default)]
    pub even_if_full: bool,
}

/// The answer to [`Assign`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AssignAnswer {
    /// As it stands now. Where conversations are assigned by turn the agent is asked first, so nobody owns it yet.
    pub conversation: Conversation,
    /// By so many units it is more than the agent's capacity.
    pub over_units: u32,
    /// By so many conversations it is more than one may have.
    pub over_conversations: u32,
}

/// `POST /v1/conversations/{id}/force-close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ForceClose {
    /// What the customer and the agent read, at most [`MAX_NOTICE_CHARS`].
    pub notice: String,
    /// End a live call with it; without it a live call refuses the close.
    #[serde(default)]
    pub end_call: bool,
}

/// What a supervisor has done in an agent's conversation, for that agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Intervention {
    /// In which.
    pub conversation: ConversationId,
    /// Whose it is.
    pub customer_name: String,
    /// The supervisor's name.
    pub by: String,
    /// What.
    pub act: InterventionAct,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InterventionAct {
    /// The agent has this conversation now.
    Assigned,
    /// It is closed.
    Closed {
        /// What customer and agent are told.
        notice: String,
    },
}

/// The wall as the window shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WallView {
    /// By so much this desk's clock is ahead of the server's, in milliseconds.
    pub ahead_ms: i64,
    /// By their numbers.
    pub queues: Vec<WallQueue>,
    /// By their names.
    pub agents: Vec<WallAgent>,
    /// The oldest first.
    pub conversations: Vec<WallConversation>,
}
