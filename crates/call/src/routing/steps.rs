//! What each input does.

use super::{
    Agent, Arrival, Blocked, Call, Chosen, Connection, Effect, Entry, Input, LeaseNow, Pause, Profile, Refusal,
    Routing, Rule, Skills, Stage, TakenBack, Timer, Work,
};
use sightline_wire::{
    UnixMillis,
    ids::{AccountId, ConversationId},
    readiness::Readiness,
};

type Done = Result<(), Refusal>;

impl Routing {
    /// Checks first, changes then: a refused input has changed nothing.
    pub(super) fn step(&mut self, input: Input, now: UnixMillis) -> Done {
        match input {
            Input::Queue { queue, configured } => {
                self.configure(queue, configured, now);
                Ok(())
            }
            Input::Agent { agent, profile } => {
                self.configure_agent(agent, profile, now);
                Ok(())
            }
            Input::Connected { agent } => self.connected(agent, now),
            Input::Disconnected { agent } => self.disconnected(agent, now),
            Input::Chosen { agent, presence } => self.chosen(agent, presence, now),
            Input::Lease { agent, lease } => self.leased(agent, lease, now),
            Input::Arrived { conversation, arrival } => self.arrived(conversation, arrival, now),
            Input::Wanted {
                conversation,
                lease,
                skills,
            } => self.wanted(conversation, lease, skills),
            Input::Accepted { conversation, agent } => self.accepted(conversation, agent, now),
            Input::Declined { conversation, agent } => self.declined(conversation, agent),
            Input::Picked { conversation, agent } => self.picked(conversation, agent, now),
            Input::Assigned {
                conversation,
                agent,
                by,
            } => self.assigned(conversation, agent, by, now),
            Input::Transferred {
                conversation,
                by,
                supervisor,
                to,
                note,
            } => self.transferred(conversation, by, supervisor, to, note, now),
            Input::Invited { conversation, until } => match until > now {
                true => self.call(conversation, Call::Ringing(until)),
                false => self.call(conversation, Call::Invited),
            },
            Input::CallBegan { conversation } => self.call(conversation, Call::Up),
            Input::CallEnded { conversation } => self.call(conversation, Call::None),
            Input::WrappedUp { conversation } => self.wrapped_up(conversation, now),
            Input::Closed { conversation } => self.close(conversation, now),
            Input::Tick => Ok(()),
        }
    }

    fn configure_agent(&mut self, id: AccountId, profile: Profile, now: UnixMillis) {
        match self.agents.get(&id) {
            None => {
                self.enrol(id, Agent::new(profile, now));
                self.out.agents.insert(id);
            }
            Some(known) => {
                let queues = known.row.profile.queues.union(&profile.queues).copied();
                self.stirred.extend(queues);
                self.change_agent(id, |agent| agent.profile = profile);
            }
        }
    }

    /// Back in time, everything is as it was (oc-manage-presence-status.md). Later, the agent begins anew, but for one
    /// thing: who has missed an assignment says so again first, because a desk can come back without anybody in front
    /// of it (zammad#4970).
    fn connected(&mut self, id: AccountId, now: UnixMillis) -> Done {
        match self.agents.get(&id).ok_or(Refusal::UnknownAgent)?.row.connection {
            Connection::Here => {}
            Connection::Gone { since } => {
                let in_time = now.saturating_sub(since) <= self.policy.return_ms;
                let start = self.policy.chosen_at_start;
                self.change_agent(id, |agent| {
                    agent.connection = Connection::Here;
                    if !in_time {
                        agent.chosen = start;
                        agent.pause = agent.pause.filter(|pause| *pause == Pause::Missed);
                        agent.idle_since = now;
                    }
                });
            }
        }
        Ok(())
    }

    /// Offline at once, not after a while: nobody is asked who cannot hear it. What the agent owns stays with the agent.
    fn disconnected(&mut self, id: AccountId, now: UnixMillis) -> Done {
        match self.agents.get(&id).ok_or(Refusal::UnknownAgent)?.row.connection {
            Connection::Gone { .. } => {}
            Connection::Here => {
                self.change_agent(id, |agent| agent.connection = Connection::Gone { since: now });
                self.take_back_from(id, TakenBack::Disconnected);
            }
        }
        Ok(())
    }

    fn chosen(&mut self, id: AccountId, chosen: Chosen, now: UnixMillis) -> Done {
        let agent = self.agents.get(&id).ok_or(Refusal::UnknownAgent)?;
        let was_absent = agent.absent().is_some();
        self.change_agent(id, |agent| {
            agent.chosen = chosen;
            agent.pause = None;
            // A break is not idleness: who comes back from one stands behind those who have been here.
            if was_absent {
                agent.idle_since = now;
            }
        });
        match chosen {
            Chosen::Available => {}
            Chosen::DoNotDisturb | Chosen::Away | Chosen::Offline => self.take_back_from(id, TakenBack::Absent),
        }
        Ok(())
    }

    fn leased(&mut self, id: AccountId, lease: LeaseNow, now: UnixMillis) -> Done {
        let agent = self.agents.get(&id).ok_or(Refusal::UnknownAgent)?;
        if let Some(until) = agent.lease.until {
            self.timers.remove(&(until, Timer::Lease(id)));
        }
        let lease = match lease.until {
            Some(until) if until <= now => LeaseNow::NONE,
            Some(_) | None => lease,
        };
        self.timers.extend(lease.until.map(|until| (until, Timer::Lease(id))));
        self.reload(id, |agent| agent.lease = lease);
        self.narrowed(id);
        Ok(())
    }

    /// The same conversation twice is one.
    fn arrived(&mut self, id: ConversationId, arrival: Arrival, now: UnixMillis) -> Done {
        if self.conversations.contains_key(&id) {
            return Ok(());
        }
        if arrival.channel.hidden() {
            return Err(Refusal::NotRouted);
        }
        let queue = self.queues.get(&arrival.queue).ok_or(Refusal::UnknownQueue)?;
        let mut work = Work {
            queue: arrival.queue,
            channel: arrival.channel,
            priority: arrival.priority.unwrap_or(queue.queue.priority),
            since: now,
            skills: arrival.skills,
            lease: arrival.lease,
            prefer: arrival.prefer,
            note: None,
            stage: Stage::Waiting,
        };
        work.stage = self.first_stage(&work, now);
        self.place(id, Entry { work, line: None });
        Ok(())
    }

    fn wanted(&mut self, id: ConversationId, lease: Option<Readiness>, skills: Skills) -> Done {
        let entry = self.conversations.get(&id).ok_or(Refusal::UnknownConversation)?;
        if entry.work.lease != lease || entry.work.skills != skills {
            self.take_back(id, TakenBack::WantsOther);
            self.change(id, |work| {
                work.lease = lease;
                work.skills = skills;
            });
        }
        Ok(())
    }

    fn accepted(&mut self, id: ConversationId, agent: AccountId, now: UnixMillis) -> Done {
        let stage = self.stage(id)?;
        match stage {
            Stage::Assigned { agent: asked, .. } if asked == agent => {
                self.give(id, agent, now);
                Ok(())
            }
            // Repeating a command is not an error.
            Stage::With { agent: owner, .. } if owner == agent => Ok(()),
            Stage::With {
                agent: owner,
                call,
                handing: Some(handing),
            } if handing.to == agent => {
                self.change(id, |work| {
                    work.stage = Stage::With {
                        agent,
                        call,
                        handing: None,
                    };
                });
                self.out.effects.push(Effect::Give {
                    conversation: id,
                    agent,
                    from: Some(owner),
                });
                self.took(agent, now);
                self.change_agent(owner, |owner| owner.idle_since = now);
                Ok(())
            }
            Stage::Assigned { .. } | Stage::With { .. } | Stage::WrapUp { .. } => Err(Refusal::WithColleague),
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting => Err(Refusal::NotAssigned),
        }
    }

    fn declined(&mut self, id: ConversationId, agent: AccountId) -> Done {
        let entry = self.conversations.get(&id).ok_or(Refusal::UnknownConversation)?;
        if entry.work.asked() != Some(agent) {
            return Err(Refusal::NotAssigned);
        }
        self.change_agent(agent, |agent| agent.pause = Some(Pause::Declined));
        self.take_back(id, TakenBack::Declined);
        Ok(())
    }

    /// The deadline of an assignment or a transfer is over.
    pub(super) fn missed(&mut self, id: ConversationId) {
        let asked = self.conversations.get(&id).and_then(|entry| entry.work.asked());
        if let Some(agent) = asked {
            self.change_agent(agent, |agent| agent.pause = Some(Pause::Missed));
            self.take_back(id, TakenBack::Missed);
        }
    }

    fn picked(&mut self, id: ConversationId, agent: AccountId, now: UnixMillis) -> Done {
        self.may_pick(id, agent)?;
        match self.stage(id)? {
            Stage::Assigned { .. } => self.accepted(id, agent, now),
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting => {
                self.give(id, agent, now);
                Ok(())
            }
            Stage::With { .. } | Stage::WrapUp { .. } => Ok(()),
        }
    }

    /// A supervisor may choose an agent who has too much already, is away or in a call; the reason says by how much it
    /// is too much (as in Dynamics 365). The agent is asked like anybody else, so a chair that is empty keeps no customer.
    fn assigned(&mut self, id: ConversationId, agent: AccountId, by: AccountId, now: UnixMillis) -> Done {
        let stage = self.stage(id)?;
        match stage {
            Stage::With { .. } | Stage::WrapUp { .. } => return Err(Refusal::WithColleague),
            Stage::Assigned { agent: asked, .. } if asked == agent => return Ok(()),
            Stage::Assigned { .. } | Stage::Parked | Stage::Kept { .. } | Stage::Waiting => {}
        }
        let work = &self.conversations.get(&id).ok_or(Refusal::UnknownConversation)?.work;
        let known = self.agents.get(&agent).ok_or(Refusal::UnknownAgent)?;
        if let Some(reason) = known.why_not_by_supervisor(&work.needs(&self.policy)) {
            return Err(Refusal::Agent(reason));
        }
        self.take_back(id, TakenBack::Withdrawn);
        self.take_back_from(agent, TakenBack::GivesWay);
        self.ask(id, agent, Rule::Supervisor { by }, now, |until| Stage::Assigned {
            agent,
            until,
            supervisor: Some(by),
        });
        Ok(())
    }

    fn call(&mut self, id: ConversationId, next: Call) -> Done {
        match self.stage(id)? {
            Stage::With { call, .. } if call == next => Ok(()),
            Stage::With { agent, call, .. } => {
                if !call.holds_slot() {
                    // Nobody has looked whether the next agent's desk is ready for a call.
                    self.take_back(id, TakenBack::WantsOther);
                }
                if next == Call::Up {
                    self.gives_way_to_call(agent);
                }
                self.change(id, |work| {
                    if let Stage::With { call, .. } = &mut work.stage {
                        *call = next;
                    }
                });
                Ok(())
            }
            // A call ends by wrapping up, too.
            Stage::WrapUp { .. } if next == Call::None => Ok(()),
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting | Stage::Assigned { .. } | Stage::WrapUp { .. } => {
                Err(Refusal::NotOwned)
            }
        }
    }

    /// The customer comes while routing asks the owner about another one, who must not wait for an answer that cannot
    /// come. What a colleague or a supervisor asks stays: it is about this agent.
    fn gives_way_to_call(&mut self, agent: AccountId) {
        if let Some(asked) = self.asked(agent).filter(|asked| !asked.by_person) {
            self.take_back(asked.conversation, TakenBack::CallBegan);
        }
    }

    /// The link is out for long enough: the owner may be given something in writing meanwhile.
    pub(super) fn nobody_came(&mut self, id: ConversationId) {
        self.change(id, |work| {
            if let Stage::With { call, .. } = &mut work.stage {
                *call = Call::Invited;
            }
        });
    }

    fn wrapped_up(&mut self, id: ConversationId, now: UnixMillis) -> Done {
        match self.stage(id)? {
            Stage::WrapUp { .. } => Ok(()),
            Stage::With { agent, .. } => {
                self.take_back(id, TakenBack::Withdrawn);
                let queue = self.conversations.get(&id).map(|entry| entry.work.queue);
                let blocked = queue
                    .and_then(|queue| self.queues.get(&queue))
                    .map_or(Blocked::UntilClosed, |configured| {
                        configured.queue.wrap_up.beginning(now)
                    });
                self.change(id, |work| work.stage = Stage::WrapUp { agent, blocked });
                self.finished(agent, blocked == Blocked::Free, now);
                Ok(())
            }
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting | Stage::Assigned { .. } => Err(Refusal::NotOwned),
        }
    }

    /// The time that wrap-up may take capacity is over; the agent may go on writing.
    pub(super) fn free_of_wrap_up(&mut self, id: ConversationId, now: UnixMillis) {
        if let Ok(Stage::WrapUp { agent, .. }) = self.stage(id) {
            let blocked = Blocked::Free;
            self.change(id, |work| work.stage = Stage::WrapUp { agent, blocked });
            self.finished(agent, true, now);
        }
    }

    fn close(&mut self, id: ConversationId, now: UnixMillis) -> Done {
        let stage = self.stage(id)?;
        self.take_back(id, TakenBack::Withdrawn);
        if let Some(entry) = self.conversations.remove(&id) {
            self.lift(id, &entry);
        }
        match stage {
            Stage::With { agent, .. } => self.finished(agent, true, now),
            Stage::WrapUp { agent, blocked } => self.finished(agent, blocked != Blocked::Free, now),
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting | Stage::Assigned { .. } => {}
        }
        Ok(())
    }

    pub(super) fn stage(&self, id: ConversationId) -> Result<Stage, Refusal> {
        let entry = self.conversations.get(&id).ok_or(Refusal::UnknownConversation)?;
        Ok(entry.work.stage)
    }

    /// A conversation that nobody owned is this agent's.
    fn give(&mut self, id: ConversationId, agent: AccountId, now: UnixMillis) {
        self.change(id, |work| {
            work.stage = Stage::With {
                agent,
                call: Call::None,
                handing: None,
            };
            work.prefer = None;
        });
        self.out.effects.push(Effect::Give {
            conversation: id,
            agent,
            from: None,
        });
        self.took(agent, now);
    }

    /// Whoever takes something is there, and has something new.
    fn took(&mut self, agent: AccountId, now: UnixMillis) {
        self.change_agent(agent, |agent| {
            agent.pause = None;
            agent.idle_since = now;
        });
    }

    pub(super) fn finished(&mut self, agent: AccountId, has_capacity_back: bool, now: UnixMillis) {
        if has_capacity_back {
            self.change_agent(agent, |agent| agent.idle_since = now);
        }
    }
}
