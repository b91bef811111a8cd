//! Routing as supervisors see it, and what they may have it do.

use crate::app::App;
use sightline_call::routing::{Excess, Input, Presence, QueueId, Reason, Refusal};
use sightline_store::wall::Within;
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    ids::{AccountId, ConversationId},
};
use std::collections::HashMap;

/// What routing knows at one moment.
#[derive(Debug)]
pub struct Seen {
    /// Every queue with its title and those who work for it.
    pub queues: Vec<(QueueId, String, Vec<AccountId>)>,
    /// Everybody whose work has a limit.
    pub agents: HashMap<AccountId, SeenAgent>,
    /// Who is being asked to take which conversation.
    pub asked: HashMap<ConversationId, AccountId>,
    places: HashMap<ConversationId, QueueId>,
    /// Where conversations wait of which nothing else is known.
    usual: QueueId,
}

/// An agent as routing knows one.
#[derive(Debug, Clone, Copy)]
pub struct SeenAgent {
    pub presence: Presence,
    /// Capacity taken.
    pub units: u32,
    /// Of so many.
    pub capacity: u32,
    /// There is room for one more conversation in writing.
    pub room: bool,
    pub asked: Option<ConversationId>,
}

impl Seen {
    /// Where a conversation waits, or waited.
    pub fn queue_of(&self, conversation: ConversationId) -> QueueId {
        self.places.get(&conversation).copied().unwrap_or(self.usual)
    }
}

impl App {
    /// By which time each queue measures itself.
    pub fn goals(&self) -> Vec<Within> {
        let plan = &self.assignments.plan;
        let goals = plan.queues.iter().map(|(id, planned)| Within {
            queue: id.0,
            unplaced: *id == plan.fallback,
            within_ms: planned.goal.within_ms,
        });
        goals.collect()
    }

    /// What routing knows now.
    pub fn seen_by_routing(&self) -> Seen {
        let state = self.assignments.lock();
        let plan = &self.assignments.plan;
        let mut seen = Seen {
            queues: Vec::new(),
            agents: HashMap::new(),
            asked: HashMap::new(),
            places: HashMap::new(),
            usual: plan.unplaced().queue,
        };
        let Some(routing) = state.as_ref().map(|state| &state.routing) else {
            return seen;
        };
        seen.queues = routing
            .queues()
            .map(|queue| {
                let title = plan.title(queue).unwrap_or("All conversations").to_owned();
                (queue, title, routing.members(queue).collect())
            })
            .collect();
        let policy = routing.policy();
        for id in routing.agent_ids() {
            let (Some(row), Some(load), Some(presence)) = (routing.agent(id), routing.load(id), routing.presence(id))
            else {
                continue;
            };
            // Where agents take conversations themselves, they take as many as they like.
            if row.profile.capacity == u16::MAX {
                continue;
            }
            let agent = SeenAgent {
                presence,
                units: load.units,
                capacity: row.profile.capacity.into(),
                room: load.units + u32::from(policy.units.text) <= u32::from(row.profile.capacity)
                    && load.sessions < policy.sessions,
                asked: load.asked.map(|asked| asked.conversation),
            };
            seen.agents.insert(id, agent);
        }
        for (id, work) in routing.conversations() {
            seen.places.insert(id, work.queue);
            if let Some(agent) = work.asked() {
                seen.asked.insert(id, agent);
            }
        }
        seen
    }

    /// Whether this agent is being asked to take that conversation.
    pub fn asks(&self, id: ConversationId, agent: AccountId) -> bool {
        let state = self.assignments.lock();
        let work = state.as_ref().and_then(|state| state.routing.conversation(id));
        work.is_some_and(|work| work.asked() == Some(agent))
    }

    /// Whether a supervisor may choose this agent now, and what that exceeds; `None` where conversations are not assigned
    /// by turn, so that nobody's capacity is known.
    pub fn may_assign(&self, id: ConversationId, agent: AccountId, at: UnixMillis) -> Result<Option<Excess>, Problem> {
        // What is over is over before it is looked at.
        self.note(Input::Tick, at);
        let state = self.assignments.lock();
        let Some(routing) = state.as_ref().map(|state| &state.routing) else {
            return Ok(None);
        };
        let by_turn = routing
            .conversation(id)
            .is_some_and(|work| !routing.by_hand(work.queue));
        by_turn
            .then(|| routing.may_assign(id, agent))
            .transpose()
            .map_err(problem)
    }
}

/// A refusal in the supervisor's words.
fn problem(refusal: Refusal) -> Problem {
    let unable = |sentence: &str| Problem::new(ErrorCode::AgentCannotTake).saying(sentence);
    match refusal {
        Refusal::WithColleague => ErrorCode::AlreadyAccepted.into(),
        Refusal::Agent(Reason::Offline) => ErrorCode::DeskNotConnected.into(),
        Refusal::Agent(Reason::Lease) => unable("That agent's desk is not ready for video."),
        Refusal::Agent(Reason::VideoSlot) => unable("That agent has another conversation that wants video."),
        Refusal::Agent(Reason::BeingAsked) => {
            unable("A supervisor or a colleague is asking that agent about another one.")
                .advising("Try again in a moment, or choose somebody else.")
        }
        Refusal::UnknownAgent
        | Refusal::Agent(_)
        | Refusal::UnknownConversation
        | Refusal::UnknownQueue
        | Refusal::NotRouted
        | Refusal::NotAssigned
        | Refusal::NotOwner
        | Refusal::NotOwned
        | Refusal::HasItAlready
        | Refusal::NobodyFree
        | Refusal::CallLive => ErrorCode::AgentCannotTake.into(),
    }
}
