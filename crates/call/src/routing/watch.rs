//! Routing as supervisors look at it: for a person who asks, not for decisions.

use super::{QueueId, Refusal, Routing, Stage, Work};
use sightline_wire::ids::{AccountId, ConversationId};

/// By how much a conversation is more than an agent may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Excess {
    /// What the agent would have to do with it, in units.
    pub units: u32,
    /// Of so many.
    pub capacity: u16,
    /// By how many units that is too much.
    pub over_units: u32,
    /// By how many conversations it is too many.
    pub over_sessions: u32,
}

impl Excess {
    /// It is too much.
    pub fn any(&self) -> bool {
        self.over_units > 0 || self.over_sessions > 0
    }
}

impl Routing {
    /// Every queue, by its number.
    pub fn queues(&self) -> impl Iterator<Item = QueueId> {
        self.queues.keys().copied()
    }

    /// Everybody that routing knows.
    pub fn agent_ids(&self) -> impl Iterator<Item = AccountId> {
        self.agents.keys().copied()
    }

    /// Every conversation that is not closed.
    pub fn conversations(&self) -> impl Iterator<Item = (ConversationId, &Work)> {
        self.conversations.iter().map(|(id, entry)| (*id, &entry.work))
    }

    /// Who works for a queue, there or not.
    pub fn members(&self, queue: QueueId) -> impl Iterator<Item = AccountId> {
        self.lines.members(queue)
    }

    /// Whether a supervisor may choose this agent now, and what that exceeds: what [`super::Input::Assigned`] would say.
    /// What routing itself is asking the agent about gives way and counts no more.
    pub fn may_assign(&self, id: ConversationId, agent: AccountId) -> Result<Excess, Refusal> {
        let work = self.conversation(id).ok_or(Refusal::UnknownConversation)?;
        match work.stage {
            Stage::With { .. } | Stage::WrapUp { .. } => return Err(Refusal::WithColleague),
            Stage::Assigned { agent: asked, .. } if asked == agent => return Ok(Excess::default()),
            Stage::Assigned { .. } | Stage::Parked | Stage::Kept { .. } | Stage::Waiting => {}
        }
        let known = self.agents.get(&agent).ok_or(Refusal::UnknownAgent)?;
        let needs = work.needs(&self.policy);
        if let Some(reason) = known.why_not_by_supervisor(&needs) {
            return Err(Refusal::Agent(reason));
        }
        let gives_way = known.load.asked.and_then(|asked| self.conversation(asked.conversation));
        let given_way = gives_way.map_or(0, |work| u32::from(work.needs(&self.policy).units));
        let units = known.load.units - given_way + u32::from(needs.units);
        let sessions = known.load.sessions - u32::from(gives_way.is_some()) + 1;
        let capacity = known.row.profile.capacity;
        Ok(Excess {
            units,
            capacity,
            over_units: units.saturating_sub(u32::from(capacity)),
            over_sessions: sessions.saturating_sub(self.policy.sessions),
        })
    }
}
