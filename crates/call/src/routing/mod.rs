//! Routing: which agent is asked to take which conversation, and why. Pure: state + input + now -> effects.
//!
//! A conversation waits in a queue with what it needs: skills with levels, capacity in units, and for video a readiness
//! lease that allows it *at the moment of the assignment*. The most urgent conversation that somebody can take is
//! assigned, to the agent who has been without new work for longest; that agent is asked until a deadline. Whatever
//! comes in between (a declined or missed assignment, a desk that is gone, a lease that narrows) takes the assignment
//! back, and in the same step it goes to the next one. One agent is asked about one conversation at a time, and one
//! conversation is assigned to one agent at a time.
//!
//! After every input it holds: nobody waits whom somebody could take (but for conversations that are kept for a moment
//! for the agent whom the customer knows). [`Routing::handle`] gets there by looking only at what the input has changed.
//!
//! # Cost of a decision
//! For A agents, C conversations that wait, L lines in an agent's queues and s skills a line asks for (see `lines.rs`):
//! an arrival O(log C + log A); whatever changes an agent, which is also each assignment and each answer,
//! O(L · (s + log A)); the next conversation for an agent O(L). None of them grows with C or A but by a logarithm.
//! Only [`Routing::why_nobody`], which a person asks for, goes through the agents of a queue.
//!
//! # What is stored
//! [`Work`] for each conversation that is not closed and [`Agent`] for each agent; [`Decided`] names the rows that have
//! changed. Loads, lines and deadlines are made of them again by [`Routing::restored`].

mod agents;
mod change;
mod hours;
mod lines;
mod messages;
mod queues;
mod reasons;
mod routed;
mod steps;
mod telling;
mod transfer;
mod watch;
mod work;

pub use agents::{Agent, Asked, Connection, LeaseNow, Load, Profile};
pub use hours::{Hours, Opened, Span};
pub use messages::{Arrival, Decided, Effect, Input, Refusal, Target};
pub use queues::{Queue, QueueStatus, StatusKind, WrapUpBlocks};
pub use reasons::{Because, Note, Reason, Rule, WhyWaiting};
pub use routed::{Routed, Told};
pub use sightline_wire::routing::{AgentPresence as Presence, Chosen, Pause, TakenBack, Undisturbed};
pub use watch::Excess;
pub use work::{Blocked, Call, Handing, Needs, Place, QueueId, SkillId, Skills, Stage, Work};

use agents::Standing;
use lines::{LineId, Lines};
use sightline_wire::{
    UnixMillis,
    conversation::Channel,
    ids::{AccountId, ConversationId},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

/// No more conversations are kept for one agent: the last of so many would be served by somebody else sooner.
pub const MOST_KEPT: usize = 16;

/// What a conversation takes of an agent's capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// A conversation in writing, on whatever channel.
    pub text: u16,
    /// A telephone call.
    pub phone: u16,
    /// On top of that, while a conversation wants video or is in it.
    pub video: u16,
}

impl Units {
    /// For one conversation.
    pub fn of(&self, channel: Channel, video: bool) -> u16 {
        let text = match channel {
            Channel::Phone => self.phone,
            Channel::SelfTest => 0,
            _ => self.text,
        };
        match video {
            true => text.saturating_add(self.video),
            false => text,
        }
    }
}

/// What holds for all queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What a conversation takes.
    pub units: Units,
    /// Conversations that one agent may have at a time (Dynamics 365: 10).
    pub sessions: u32,
    /// How long a conversation is kept for the agent whom the customer knows, in milliseconds.
    pub same_agent_ms: i64,
    /// An agent who is back within this time is as before (Dynamics 365: 2.5 min), in milliseconds.
    pub return_ms: i64,
    /// What an agent is who comes back later.
    pub chosen_at_start: Chosen,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            units: Units {
                text: 30,
                phone: 100,
                video: 70,
            },
            sessions: 10,
            same_agent_ms: 30_000,
            return_ms: 150_000,
            chosen_at_start: Chosen::Available,
        }
    }
}

/// What a deadline is for. In this order where two are at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// This lease ends.
    Lease(AccountId),
    /// This queue opens or closes.
    Hours(QueueId),
    /// Wrap-up of this conversation stops taking capacity.
    WrapUp(ConversationId),
    /// The customer whom this conversation's link went out to has not come.
    Invite(ConversationId),
    /// This conversation has been kept for long enough.
    Kept(ConversationId),
    /// The agent who is asked about this conversation has not answered.
    Answer(ConversationId),
    /// This queue's status has held for long enough to be told to those who wait.
    Settled(QueueId),
}

#[derive(Debug, Clone)]
struct Configured {
    queue: Queue,
    opened: Opened,
    told: Option<QueueStatus>,
    telling: telling::Telling,
}

#[derive(Debug, Clone)]
struct Entry {
    work: Work,
    /// While it waits for anybody.
    line: Option<LineId>,
}

/// All queues, agents and conversations that are not closed.
#[derive(Debug, Clone)]
pub struct Routing {
    policy: Policy,
    queues: BTreeMap<QueueId, Configured>,
    agents: BTreeMap<AccountId, Standing>,
    conversations: BTreeMap<ConversationId, Entry>,
    lines: Lines,
    timers: BTreeSet<(UnixMillis, Timer)>,
    // What the current input has touched; all empty between two inputs.
    /// Lines where somebody may wait whom somebody could take.
    hot: BTreeSet<LineId>,
    /// Agents who have changed and have conversations kept for them.
    called: BTreeSet<AccountId>,
    moved: BTreeSet<AccountId>,
    stirred: BTreeSet<QueueId>,
    began_to_wait: BTreeSet<ConversationId>,
    out: Decided,
}

impl Routing {
    /// Nobody and nothing yet.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            conversations: BTreeMap::new(),
            lines: Lines::default(),
            timers: BTreeSet::new(),
            hot: BTreeSet::new(),
            called: BTreeSet::new(),
            moved: BTreeSet::new(),
            stirred: BTreeSet::new(),
            began_to_wait: BTreeSet::new(),
            out: Decided::default(),
        }
    }

    /// From stored rows, after a restart. No desk is connected yet; an agent who was has the whole time to come back.
    /// Nobody is being asked any more, so assignments wait again, in their old places, and transfers stay with their
    /// owners.
    pub fn restored(
        policy: Policy,
        queues: impl IntoIterator<Item = (QueueId, Queue)>,
        agents: impl IntoIterator<Item = (AccountId, Agent)>,
        conversations: impl IntoIterator<Item = (ConversationId, Work)>,
        now: UnixMillis,
    ) -> (Self, Decided) {
        let mut routing = Self::new(policy);
        for (id, queue) in queues {
            routing.configure(id, queue, now);
        }
        for (id, mut row) in agents {
            if row.connection == Connection::Here {
                row.connection = Connection::Gone { since: now };
                routing.out.agents.insert(id);
            }
            routing.enrol(id, row);
        }
        for (id, mut work) in conversations {
            let stored = work.stage;
            // A row may outlive the configuration of its queue or agent, and is not lost because of that.
            if !routing.queues.contains_key(&work.queue) {
                routing.configure(work.queue, Queue::default(), now);
            }
            if let Some(owner) = work.owner()
                && !routing.agents.contains_key(&owner)
            {
                routing.enrol(owner, Agent::new(Profile::default(), now));
            }
            work.stage = match stored {
                Stage::Parked if routing.closed(work.queue) => Stage::Parked,
                Stage::Parked | Stage::Kept { .. } | Stage::Waiting | Stage::Assigned { .. } => Stage::Waiting,
                Stage::With { agent, call, .. } => Stage::With {
                    agent,
                    call,
                    handing: None,
                },
                Stage::WrapUp { agent, blocked } => Stage::WrapUp { agent, blocked },
            };
            let changed = work.stage != stored;
            routing.place(id, Entry { work, line: None });
            if !changed {
                routing.out.conversations.remove(&id);
                routing.began_to_wait.remove(&id);
            }
        }
        routing.pass(now);
        routing.settle(now);
        routing.announce(now);
        let decided = mem::take(&mut routing.out);
        (routing, decided)
    }

    /// Takes an input in, and answers what follows. Deadlines that are over come first, so a late call is as good as one
    /// in time.
    pub fn handle(&mut self, input: Input, now: UnixMillis) -> Decided {
        self.pass(now);
        if let Err(refusal) = self.step(input, now) {
            self.out.refused = Some(refusal);
        }
        self.settle(now);
        self.announce(now);
        mem::take(&mut self.out)
    }

    /// When to call [`Self::handle`] with [`Input::Tick`] at the latest, and why.
    pub fn deadline(&self) -> Option<(UnixMillis, Timer)> {
        self.timers.first().copied()
    }

    /// What holds for all queues.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A conversation's row; `None` when it is closed.
    pub fn conversation(&self, id: ConversationId) -> Option<&Work> {
        self.conversations.get(&id).map(|entry| &entry.work)
    }

    /// An agent's row.
    pub fn agent(&self, id: AccountId) -> Option<&Agent> {
        self.agents.get(&id).map(|agent| &agent.row)
    }

    /// What an agent has to do.
    pub fn load(&self, id: AccountId) -> Option<Load> {
        self.agents.get(&id).map(|agent| agent.load)
    }

    /// How an agent looks to colleagues.
    pub fn presence(&self, id: AccountId) -> Option<Presence> {
        self.agents.get(&id).map(|agent| agent.presence(&self.policy))
    }

    /// What customers of a queue are told, also one who comes now.
    pub fn status(&self, queue: QueueId) -> Option<QueueStatus> {
        let configured = self.queues.get(&queue)?;
        Some(QueueStatus::of(configured.opened, self.lines.here(queue)))
    }

    /// Why a conversation waits; `None` when it does not.
    pub fn why_waiting(&self, id: ConversationId) -> Option<WhyWaiting> {
        let entry = self.conversations.get(&id)?;
        match entry.work.stage {
            Stage::Parked => Some(WhyWaiting::Closed {
                opens_at: match self.queues.get(&entry.work.queue)?.opened {
                    Opened::Closed { opens_at } => opens_at,
                    Opened::Open { .. } => None,
                },
            }),
            Stage::Kept { agent, until } => Some(WhyWaiting::KeptFor {
                agent,
                until,
                reason: self
                    .agents
                    .get(&agent)
                    .and_then(|known| known.why_not_by_name(&entry.work.needs(&self.policy), &self.policy)),
            }),
            Stage::Waiting if self.by_hand(entry.work.queue) => Some(WhyWaiting::ByHand),
            Stage::Waiting => {
                let line = self.lines.get(entry.line?);
                Some(WhyWaiting::Nobody {
                    agents: line.reasons.iter().map(|(reason, count)| (*reason, *count)).collect(),
                })
            }
            Stage::Assigned { .. } | Stage::With { .. } | Stage::WrapUp { .. } => None,
        }
    }

    /// Whether an agent may take a conversation by an own click, asked or unasked: what [`Input::Picked`] would say.
    pub fn may_pick(&self, id: ConversationId, agent: AccountId) -> Result<(), Refusal> {
        let work = self.conversation(id).ok_or(Refusal::UnknownConversation)?;
        match work.stage {
            Stage::Assigned { agent: asked, .. } if asked == agent => Ok(()),
            Stage::With { agent: owner, .. } if owner == agent => Ok(()),
            Stage::Assigned { .. } | Stage::With { .. } | Stage::WrapUp { .. } => Err(Refusal::WithColleague),
            Stage::Parked | Stage::Kept { .. } | Stage::Waiting => {
                let known = self.agents.get(&agent).ok_or(Refusal::UnknownAgent)?;
                if self.by_hand(work.queue) {
                    return Ok(());
                }
                match known.why_not_picked(work.queue, &work.needs(&self.policy), &self.policy) {
                    Some(reason) => Err(Refusal::Agent(reason)),
                    None => Ok(()),
                }
            }
        }
    }

    /// Whether agents take the conversations of this queue themselves.
    pub fn by_hand(&self, queue: QueueId) -> bool {
        self.queues
            .get(&queue)
            .is_some_and(|configured| configured.queue.by_hand)
    }

    /// Why a conversation cannot be handed over like that: what [`Input::Transferred`] would say.
    pub fn may_transfer(&self, id: ConversationId, by: AccountId, supervisor: bool, to: Target) -> Result<(), Refusal> {
        self.handed(id, by, supervisor, to).map(drop)
    }

    /// Who of a queue could take a conversation over at this moment, its call with it: whoever has been idle for longest.
    /// A call is not left waiting in a queue, so there it is one of its agents who is asked. O(members of the queue).
    ///
    /// # Errors
    /// [`Refusal::NobodyFree`] when none of them can.
    pub fn free_in(&self, queue: QueueId, id: ConversationId) -> Result<AccountId, Refusal> {
        let work = self.conversation(id).ok_or(Refusal::UnknownConversation)?;
        if !self.queues.contains_key(&queue) {
            return Err(Refusal::UnknownQueue);
        }
        let needs = work.needs(&self.policy);
        self.lines
            .members(queue)
            .filter(|member| work.owner() != Some(*member))
            .filter_map(|member| Some((member, self.agents.get(&member)?)))
            .filter(|(_, agent)| agent.why_not(queue, &needs, &self.policy).is_none())
            .min_by_key(|(member, agent)| (agent.row.idle_since, *member))
            .map(|(member, _)| member)
            .ok_or(Refusal::NobodyFree)
    }

    /// How many wait in a queue for anybody, or for it to open.
    pub fn waiting(&self, queue: QueueId) -> usize {
        self.lines.waiting(queue)
    }

    /// Every agent of the conversation's queue with the one reason why it is not given to that agent; `None` for one
    /// who could take it, where it is kept for another or waits for the queue to open. O(members of the queue): for a
    /// person who asks, not for decisions.
    pub fn why_nobody(&self, id: ConversationId) -> Vec<(AccountId, Option<Reason>)> {
        let Some(entry) = self.conversations.get(&id) else {
            return Vec::new();
        };
        let (queue, needs) = (entry.work.queue, entry.work.needs(&self.policy));
        self.lines
            .members(queue)
            .filter_map(|member| {
                let agent = self.agents.get(&member)?;
                Some((member, agent.why_not(queue, &needs, &self.policy)))
            })
            .collect()
    }
}
