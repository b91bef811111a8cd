//! Handing a conversation over: to a colleague, who is asked while the owner stays with the customer, or to a queue.

use super::{Effect, Handing, Note, Refusal, Routing, Rule, Stage, TakenBack, Target, work::QueueId};
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
        let (owner, call, handing) = match self.stage(id)? {
            Stage::With { agent, call, handing } => (agent, call, handing),
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting | Stage::Assigned { .. } | Stage::WrapUp { .. } => {
                return Err(Refusal::NotOwned);
            }
        };
        if owner != by && !supervisor {
            return Err(Refusal::NotOwner);
        }
        let note = (!note.is_empty()).then_some(Note { by, text: note });
        match to {
            Target::Agent(to) if to == owner => Err(Refusal::HasItAlready),
            Target::Agent(to) if handing.is_some_and(|handing| handing.to == to) => Ok(()),
            Target::Agent(to) => {
                // On an own conversation a supervisor is an agent like any other (as in Dynamics 365).
                let rule = match supervisor && owner != by {
                    true => Rule::Supervisor { by },
                    false => Rule::Transfer { by },
                };
                self.hand_to_agent(id, (owner, call), to, rule, note, now)
            }
            Target::Queue(_) if call => Err(Refusal::CallLive),
            Target::Queue(queue) => self.hand_to_queue(id, owner, queue, note, now),
        }
    }

    fn hand_to_agent(
        &mut self,
        id: ConversationId,
        (owner, call): (AccountId, bool),
        to: AccountId,
        rule: Rule,
        note: Option<Note>,
        now: UnixMillis,
    ) -> Done {
        let work = &self.conversations.get(&id).ok_or(Refusal::UnknownConversation)?.work;
        let target = self.agents.get(&to).ok_or(Refusal::UnknownAgent)?;
        let needs = work.needs(&self.policy);
        let (supervisor, reason) = match rule {
            Rule::Supervisor { by } => (Some(by), target.why_not_by_supervisor(&needs)),
            Rule::Transfer { .. } | Rule::SameAgent | Rule::LongestIdle { .. } => {
                (None, target.why_not_by_name(&needs, &self.policy))
            }
        };
        if let Some(reason) = reason {
            return Err(Refusal::Agent(reason));
        }
        self.take_back(id, TakenBack::Withdrawn);
        self.take_back_from(to, TakenBack::GivesWay);
        self.change(id, |work| work.note = note);
        self.ask(id, to, rule, now, |until| Stage::With {
            agent: owner,
            call,
            handing: Some(Handing { to, until, supervisor }),
        });
        Ok(())
    }

    /// The owner is free at once, the customer keeps the place of the arrival.
    fn hand_to_queue(
        &mut self,
        id: ConversationId,
        owner: AccountId,
        queue: QueueId,
        note: Option<Note>,
        now: UnixMillis,
    ) -> Done {
        if !self.queues.contains_key(&queue) {
            return Err(Refusal::UnknownQueue);
        }
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
        Ok(())
    }
}
