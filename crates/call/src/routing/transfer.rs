//! Handing a conversation over: to a colleague, who is asked while the owner stays with the customer, or to a queue.

use super::{Call, Effect, Handing, Note, Refusal, Routing, Rule, Stage, TakenBack, Target, work::QueueId};
use sightline_wire::{
    UnixMillis,
    ids::{AccountId, ConversationId},
};

type Done = Result<(), Refusal>;

impl Routing {
    pub(super) fn transferred(
        &mut self,
        id: ConversationId,
        by: AccountId,
        supervisor: bool,
        to: Target,
        note: String,
        now: UnixMillis,
    ) -> Done {
        let (owner, call, handing) = self.handed(id, by, supervisor, to)?;
        let note = (!note.is_empty()).then_some(Note { by, text: note });
        match to {
            Target::Agent(to) if handing.is_some_and(|handing| handing.to == to) => {}
            Target::Agent(to) => {
                self.hand_to_agent(id, (owner, call), to, hands(by, supervisor, owner), note, now);
            }
            Target::Queue(queue) => self.hand_to_queue(id, owner, queue, note, now),
        }
        Ok(())
    }

    /// What is handed over, if it may be: its owner, its call, and who is being asked already.
    pub(super) fn handed(
        &self,
        id: ConversationId,
        by: AccountId,
        supervisor: bool,
        to: Target,
    ) -> Result<(AccountId, Call, Option<Handing>), Refusal> {
        let (owner, call, handing) = match self.stage(id)? {
            Stage::With { agent, call, handing } => (agent, call, handing),
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting | Stage::Assigned { .. } | Stage::WrapUp { .. } => {
                return Err(Refusal::NotOwned);
            }
        };
        if owner != by && !supervisor {
            return Err(Refusal::NotOwner);
        }
        match to {
            Target::Agent(to) if to == owner => return Err(Refusal::HasItAlready),
            Target::Agent(to) if handing.is_some_and(|handing| handing.to == to) => {}
            Target::Agent(to) => self.can_be_handed(id, to, hands(by, supervisor, owner))?,
            Target::Queue(_) if call.holds_slot() => return Err(Refusal::CallLive),
            Target::Queue(queue) if !self.queues.contains_key(&queue) => return Err(Refusal::UnknownQueue),
            Target::Queue(_) => {}
        }
        Ok((owner, call, handing))
    }

    fn can_be_handed(&self, id: ConversationId, to: AccountId, rule: Rule) -> Done {
        let work = &self.conversations.get(&id).ok_or(Refusal::UnknownConversation)?.work;
        let target = self.agents.get(&to).ok_or(Refusal::UnknownAgent)?;
        let needs = work.needs(&self.policy);
        let reason = match rule {
            Rule::Supervisor { .. } => target.why_not_by_supervisor(&needs),
            Rule::Transfer { .. } | Rule::SameAgent | Rule::LongestIdle { .. } => {
                target.why_not_by_name(&needs, &self.policy)
            }
        };
        reason.map_or(Ok(()), |reason| Err(Refusal::Agent(reason)))
    }

    fn hand_to_agent(
        &mut self,
        id: ConversationId,
        (owner, call): (AccountId, Call),
        to: AccountId,
        rule: Rule,
        note: Option<Note>,
        now: UnixMillis,
    ) {
        let supervisor = match rule {
            Rule::Supervisor { by } => Some(by),
            Rule::Transfer { .. } | Rule::SameAgent | Rule::LongestIdle { .. } => None,
        };
        self.take_back(id, TakenBack::Withdrawn);
        self.take_back_from(to, TakenBack::GivesWay);
        self.change(id, |work| work.note = note);
        self.ask(id, to, rule, now, |until| Stage::With {
            agent: owner,
            call,
            handing: Some(Handing { to, until, supervisor }),
        });
    }

    /// The owner is free at once, the customer keeps the place of the arrival.
    fn hand_to_queue(
        &mut self,
        id: ConversationId,
        owner: AccountId,
        queue: QueueId,
        note: Option<Note>,
        now: UnixMillis,
    ) {
        self.take_back(id, TakenBack::Withdrawn);
        self.out.effects.push(Effect::Release {
            conversation: id,
            agent: owner,
        });
        let stage = match self.closed(queue) {
            true => Stage::Parked,
            false => Stage::Waiting,
        };
        self.change(id, |work| {
            work.queue = queue;
            work.note = note;
            work.prefer = None;
            work.stage = stage;
        });
        self.finished(owner, true, now);
    }
}

/// On an own conversation a supervisor is an agent like any other (as in Dynamics 365).
fn hands(by: AccountId, supervisor: bool, owner: AccountId) -> Rule {
    match supervisor && owner != by {
        true => Rule::Supervisor { by },
        false => Rule::Transfer { by },
    }
}
