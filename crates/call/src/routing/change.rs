//! How the state changes: one way for conversations, one for agents, so that rows, loads, lines and deadlines cannot
//! disagree; and from there to where nobody waits in vain.

use super::{
    Agent, Asked, Because, Call, Configured, Effect, Entry, LeaseNow, MOST_KEPT, Opened, Place, Policy, Queue, QueueId,
    QueueStatus, Reason, Routing, Rule, Stage, TakenBack, Timer, Work,
    agents::{Share, Standing},
    work::{Blocked, Needs},
};
use sightline_wire::{
    UnixMillis,
    ids::{AccountId, ConversationId},
    readiness::Readiness,
};
use std::mem;

impl Routing {
    /// Changes a conversation. O(L · (s + log A)) for each agent who has or had it, O(log C) otherwise.
    pub(super) fn change(&mut self, id: ConversationId, change: impl FnOnce(&mut Work)) {
        if let Some(mut entry) = self.conversations.remove(&id) {
            self.lift(id, &entry);
            change(&mut entry.work);
            self.place(id, entry);
        }
    }

    /// Takes a conversation out of everything but the conversations themselves.
    pub(super) fn lift(&mut self, id: ConversationId, entry: &Entry) {
        let (work, place) = (&entry.work, entry.work.place(id));
        match work.stage {
            Stage::Parked => self.lines.unpark(work.queue, &place),
            Stage::Kept { agent, .. } => {
                if let Some(agent) = self.agents.get_mut(&agent) {
                    agent.kept.remove(&place);
                }
            }
            Stage::Waiting => match entry.line {
                Some(line) => {
                    self.lines.get_mut(line).waiting.remove(&place);
                }
                None => self.lines.unpark(work.queue, &place),
            },
            Stage::Assigned { .. } | Stage::With { .. } | Stage::WrapUp { .. } => {}
        }
        for timer in timers(id, work).iter().flatten() {
            self.timers.remove(timer);
        }
        for (agent, share) in shares(id, work, &self.policy).into_iter().flatten() {
            self.reload(agent, |agent| agent.load.shed(share));
        }
        self.began_to_wait.remove(&id);
        self.out.conversations.insert(id);
    }

    /// Puts a conversation where its row says.
    pub(super) fn place(&mut self, id: ConversationId, mut entry: Entry) {
        let (queue, place) = (entry.work.queue, entry.work.place(id));
        entry.line = None;
        match entry.work.stage {
            Stage::Parked => self.lines.park(queue, place),
            // Nobody is looked for, so it needs no line.
            Stage::Waiting if self.by_hand(queue) => self.lines.park(queue, place),
            Stage::Kept { agent, .. } => {
                if let Some(known) = self.agents.get_mut(&agent) {
                    known.kept.insert(place);
                    self.called.insert(agent);
                }
            }
            Stage::Waiting => {
                let needs = entry.work.needs(&self.policy);
                let line_id = self.lines.open(queue, needs, &self.agents, &self.policy);
                let line = self.lines.get_mut(line_id);
                line.waiting.insert(place);
                if line.hot() {
                    self.hot.insert(line_id);
                }
                entry.line = Some(line_id);
            }
            Stage::Assigned { .. } | Stage::With { .. } | Stage::WrapUp { .. } => {}
        }
        if entry.work.waits() {
            self.began_to_wait.insert(id);
        }
        self.timers.extend(timers(id, &entry.work).into_iter().flatten());
        for (agent, share) in shares(id, &entry.work, &self.policy).into_iter().flatten() {
            self.reload(agent, |agent| agent.load.take(share));
        }
        self.out.conversations.insert(id);
        self.conversations.insert(id, entry);
    }

    /// Changes an agent's row.
    pub(super) fn change_agent(&mut self, id: AccountId, change: impl FnOnce(&mut Agent)) {
        self.reload(id, |agent| change(&mut agent.row));
        self.out.agents.insert(id);
    }

    /// Changes anything of an agent. O(L · (s + log A)).
    pub(super) fn reload(&mut self, id: AccountId, change: impl FnOnce(&mut Standing)) {
        let Some(agent) = self.agents.get_mut(&id) else {
            return;
        };
        let was_here = agent.absent().is_none();
        self.lines.remove(id, agent, &self.policy);
        change(agent);
        self.lines.add(id, agent, &self.policy, &mut self.hot);
        if was_here != agent.absent().is_none() {
            self.stirred.extend(agent.row.profile.queues.iter().copied());
        }
        if !agent.kept.is_empty() {
            self.called.insert(id);
        }
        self.moved.insert(id);
    }

    /// An agent who was not known.
    pub(super) fn enrol(&mut self, id: AccountId, row: Agent) {
        let agent = Standing::new(row);
        self.lines.add(id, &agent, &self.policy, &mut self.hot);
        self.stirred.extend(agent.row.profile.queues.iter().copied());
        self.agents.insert(id, agent);
        self.moved.insert(id);
    }

    /// A queue is new, is configured anew, or opens or closes. Who waits in it already goes on waiting when it closes.
    pub(super) fn configure(&mut self, id: QueueId, queue: Queue, now: UnixMillis) {
        let told = match self.queues.get(&id) {
            None => None,
            Some(before) => {
                if let Some(at) = turns(before.opened) {
                    self.timers.remove(&(at, Timer::Hours(id)));
                }
                before.told
            }
        };
        let otherwise = self
            .queues
            .get(&id)
            .is_some_and(|before| before.queue.by_hand != queue.by_hand);
        let opened = queue.opened(now);
        self.timers.extend(turns(opened).map(|at| (at, Timer::Hours(id))));
        let telling = self.queues.get(&id).map(|before| before.telling).unwrap_or_default();
        let configured = Configured {
            queue,
            opened,
            told,
            telling,
        };
        self.queues.insert(id, configured);
        self.stirred.insert(id);
        if otherwise {
            let waiting = [self.lines.in_line(id), self.lines.parked(id)].concat();
            for place in waiting {
                self.change(place.conversation, |_| {});
            }
        }
        if !self.closed(id) {
            for place in self.lines.parked(id) {
                let stage = self
                    .conversations
                    .get(&place.conversation)
                    .map_or(Stage::Waiting, |entry| self.first_stage(&entry.work, now));
                self.change(place.conversation, |work| work.stage = stage);
            }
        }
    }

    pub(super) fn closed(&self, queue: QueueId) -> bool {
        self.queues
            .get(&queue)
            .is_some_and(|configured| matches!(configured.opened, Opened::Closed { .. }))
    }

    /// Where a conversation begins: for a moment with the agent whom the customer knows, if that one is there and able
    /// (Dynamics 365's sample). Otherwise it is for anybody at once: nobody waits for somebody who is away
    /// (chatwoot#4158).
    pub(super) fn first_stage(&self, work: &Work, now: UnixMillis) -> Stage {
        if self.closed(work.queue) {
            return Stage::Parked;
        }
        let known = work.prefer.and_then(|id| Some((id, self.agents.get(&id)?)));
        match known {
            Some((id, agent))
                if agent.kept.len() < MOST_KEPT && out_of_reach(agent, &work.needs(&self.policy)).is_none() =>
            {
                Stage::Kept {
                    agent: id,
                    until: now.saturating_add(self.policy.same_agent_ms),
                }
            }
            Some(_) | None => Stage::Waiting,
        }
    }

    /// Ends what was being asked, if anything was: the conversation waits again, or stays with its owner.
    pub(super) fn take_back(&mut self, id: ConversationId, why: TakenBack) {
        let Some(stage) = self.conversations.get(&id).map(|entry| entry.work.stage) else {
            return;
        };
        match stage {
            Stage::Assigned { agent, .. } => {
                self.out.effects.push(Effect::TakeBack {
                    conversation: id,
                    agent,
                    why,
                });
                self.change(id, |work| work.stage = Stage::Waiting);
            }
            Stage::With {
                agent: owner,
                call,
                handing: Some(handing),
            } => {
                self.out.effects.extend([
                    Effect::TakeBack {
                        conversation: id,
                        agent: handing.to,
                        why,
                    },
                    Effect::Keep {
                        conversation: id,
                        agent: owner,
                        why,
                    },
                ]);
                self.change(id, |work| {
                    work.stage = Stage::With {
                        agent: owner,
                        call,
                        handing: None,
                    };
                });
            }
            Stage::Parked
            | Stage::Kept { .. }
            | Stage::Waiting
            | Stage::With { handing: None, .. }
            | Stage::WrapUp { .. } => {}
        }
    }

    /// What the agent is being asked about, if anything.
    pub(super) fn asked(&self, agent: AccountId) -> Option<Asked> {
        self.agents.get(&agent)?.load.asked
    }

    /// Ends what the agent is being asked about.
    pub(super) fn take_back_from(&mut self, agent: AccountId, why: TakenBack) {
        if let Some(asked) = self.asked(agent) {
            self.take_back(asked.conversation, why);
        }
    }

    /// Everything whose time is over.
    pub(super) fn pass(&mut self, now: UnixMillis) {
        while let Some((at, timer)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, timer));
            match timer {
                Timer::Lease(agent) => {
                    self.reload(agent, |agent| agent.lease = LeaseNow::NONE);
                    self.narrowed(agent);
                }
                Timer::Hours(queue) => {
                    if let Some(same) = self.queues.get(&queue).map(|configured| configured.queue.clone()) {
                        self.configure(queue, same, now);
                    }
                }
                Timer::WrapUp(conversation) => self.free_of_wrap_up(conversation, now),
                Timer::Invite(conversation) => self.nobody_came(conversation),
                Timer::Kept(conversation) => self.change(conversation, |work| work.stage = Stage::Waiting),
                Timer::Answer(conversation) => self.missed(conversation),
                Timer::Settled(queue) => self.settled(queue),
            }
        }
    }

    /// The lease of an agent may not be enough any more for what is being asked.
    pub(super) fn narrowed(&mut self, agent: AccountId) {
        let Some((standing, asked)) = self.agents.get(&agent).and_then(|a| Some((a, a.load.asked?))) else {
            return;
        };
        let Some(entry) = self.conversations.get(&asked.conversation) else {
            return;
        };
        if standing.not_ready(&entry.work.needs(&self.policy)).is_some() {
            self.take_back(asked.conversation, TakenBack::LeaseNarrowed);
        }
    }

    /// Assigns until nobody waits whom somebody could take. Each round looks at the lines that the input has touched,
    /// and is over when there is none.
    pub(super) fn settle(&mut self, now: UnixMillis) {
        loop {
            let kept = self.next_kept().map(|(place, agent)| (place, agent, Rule::SameAgent));
            let next = self.next_waiting().into_iter().chain(kept).min_by_key(|next| next.0);
            let Some((place, agent, rule)) = next else {
                break;
            };
            let id = place.conversation;
            self.ask(id, agent, rule, now, |until| Stage::Assigned {
                agent,
                until,
                supervisor: None,
            });
        }
    }

    /// Assigns a conversation: the row, and the effect with its reason.
    pub(super) fn ask(
        &mut self,
        id: ConversationId,
        agent: AccountId,
        rule: Rule,
        now: UnixMillis,
        stage: impl FnOnce(UnixMillis) -> Stage,
    ) {
        let Some(entry) = self.conversations.get(&id) else {
            return;
        };
        let (queue, since, note) = (entry.work.queue, entry.work.since, entry.work.note.clone());
        let ms = self
            .queues
            .get(&queue)
            .map_or(0, |configured| configured.queue.assignment_ms);
        let until = now.saturating_add(ms);
        self.change(id, |work| {
            work.stage = stage(until);
            work.prefer = None;
        });
        let Some(standing) = self.agents.get(&agent) else {
            return;
        };
        let capacity = standing.row.profile.capacity;
        self.out.effects.push(Effect::Assign {
            conversation: id,
            agent,
            until,
            because: Because {
                rule,
                queue,
                waited_ms: now.saturating_sub(since).max(0),
                units: standing.load.units,
                capacity,
                over_units: standing.load.units.saturating_sub(u32::from(capacity)),
                over_sessions: standing.load.sessions.saturating_sub(self.policy.sessions),
            },
            note,
        });
    }

    /// The first conversation of the touched lines that somebody can take, and who.
    fn next_waiting(&mut self) -> Option<(Place, AccountId, Rule)> {
        let lines = &self.lines;
        self.hot.retain(|id| lines.get(*id).hot());
        self.hot
            .iter()
            .filter_map(|id| {
                let line = lines.get(*id);
                let (place, (since, agent)) = (line.waiting.first()?, line.ready.first()?);
                let rule = Rule::LongestIdle {
                    since: *since,
                    others: line.ready.len() - 1,
                };
                Some((*place, *agent, rule))
            })
            .min_by_key(|(place, ..)| *place)
    }

    /// The first conversation that is kept for a touched agent who is free for it now. What is kept for somebody who
    /// went away, or is not ready for it any more, is let go.
    fn next_kept(&mut self) -> Option<(Place, AccountId)> {
        let mut next: Option<(Place, AccountId)> = None;
        for id in mem::take(&mut self.called) {
            let Some(agent) = self.agents.get(&id) else {
                continue;
            };
            let (mut free, mut let_go) = (None, Vec::new());
            for place in &agent.kept {
                let Some(entry) = self.conversations.get(&place.conversation) else {
                    continue;
                };
                let needs = entry.work.needs(&self.policy);
                if out_of_reach(agent, &needs).is_some() {
                    let_go.push(place.conversation);
                } else if free.is_none() && agent.occupied(&needs, &self.policy).is_none() {
                    free = Some(*place);
                }
            }
            for conversation in let_go {
                self.change(conversation, |work| work.stage = Stage::Waiting);
            }
            if let Some(place) = free {
                // Looked at again in the next round: only one of these is taken in this one.
                self.called.insert(id);
                next = next.into_iter().chain([(place, id)]).min();
            }
        }
        next
    }

    /// Says what has become different: presences, queues, and what now waits for which reason.
    pub(super) fn announce(&mut self, now: UnixMillis) {
        for id in mem::take(&mut self.moved) {
            if let Some(agent) = self.agents.get_mut(&id) {
                let presence = agent.presence(&self.policy);
                if presence != agent.told {
                    agent.told = presence;
                    self.out.effects.push(Effect::Presence { agent: id, presence });
                }
            }
        }
        for id in mem::take(&mut self.stirred) {
            let Some(configured) = self.queues.get_mut(&id) else {
                continue;
            };
            let status = QueueStatus::of(configured.opened, self.lines.here(id));
            if configured.told != Some(status) {
                configured.told = Some(status);
                self.out.effects.push(Effect::Queue { queue: id, status });
                self.turned(id, status, now);
            }
        }
        for id in mem::take(&mut self.began_to_wait) {
            if let Some(why) = self.why_waiting(id) {
                self.out.effects.push(Effect::Wait { conversation: id, why });
            }
        }
        self.hot.clear();
        self.called.clear();
    }
}

/// Why a conversation is not kept for this agent, or not any longer.
fn out_of_reach(agent: &Standing, needs: &Needs) -> Option<Reason> {
    agent.absent().or_else(|| agent.not_ready(needs))
}

fn turns(opened: Opened) -> Option<UnixMillis> {
    match opened {
        Opened::Open { until } => until,
        Opened::Closed { opens_at } => opens_at,
    }
}

/// A conversation's own deadlines.
fn timers(id: ConversationId, work: &Work) -> [Option<(UnixMillis, Timer)>; 2] {
    match work.stage {
        Stage::Kept { until, .. } => [Some((until, Timer::Kept(id))), None],
        Stage::Assigned { until, .. } => [Some((until, Timer::Answer(id))), None],
        Stage::With { call, handing, .. } => {
            let rings = match call {
                Call::Ringing(until) => Some((until, Timer::Invite(id))),
                Call::None | Call::Invited | Call::Up => None,
            };
            [handing.map(|handing| (handing.until, Timer::Answer(id))), rings]
        }
        Stage::WrapUp {
            blocked: Blocked::Until(at),
            ..
        } => [Some((at, Timer::WrapUp(id))), None],
        Stage::Parked
        | Stage::Waiting
        | Stage::WrapUp {
            blocked: Blocked::UntilClosed | Blocked::Free,
            ..
        } => [None, None],
    }
}

/// What a conversation adds to whose load: its owner's, and that of the agent who is being asked.
fn shares(id: ConversationId, work: &Work, policy: &Policy) -> [Option<(AccountId, Share)>; 2] {
    let share = |video: bool, call: Call, asked: Option<bool>| Share {
        // A link that nobody follows keeps the slot, and takes no attention.
        units: policy.units.of(work.channel, video && call != Call::Invited),
        video,
        call: call.occupies() && asked.is_none(),
        asked: asked.map(|by_person| Asked {
            conversation: id,
            by_person,
            video,
        }),
    };
    let wanted = work.lease == Some(Readiness::Video);
    match work.stage {
        Stage::Parked | Stage::Kept { .. } | Stage::Waiting => [None, None],
        Stage::Assigned { agent, supervisor, .. } => [
            Some((agent, share(wanted, Call::None, Some(supervisor.is_some())))),
            None,
        ],
        Stage::With { agent, call, handing } => [
            Some((agent, share(wanted || call.holds_slot(), call, None))),
            handing.map(|handing| (handing.to, share(wanted || call.holds_slot(), call, Some(true)))),
        ],
        Stage::WrapUp { agent, blocked } => match blocked {
            Blocked::UntilClosed | Blocked::Until(_) => [Some((agent, share(false, Call::None, None))), None],
            Blocked::Free => [None, None],
        },
    }
}
