//! Routing: where conversations are assigned, who is asked to take which.
//!
//! The rules are the state machine of `sightline_call::routing`; here it is told what happens, and what it decides is
//! told to the desks. It hears of a change once that is committed, by whoever committed it and while the write turn is
//! still held: so it never knows more than the database does, and a change that fails never happened to it. Conversations
//! it follows by their rows ([`follow`]), desks by the registry, leases by [`crate::readiness`], and time by [`keeper`].
//!
//! A conversation's row says all that a restart needs of it: nobody is being asked any more then. Of an agent there is
//! more to keep, and [`keeper`] stores it in a transaction of its own: losing the last of it asks somebody once too often,
//! and no more.
//!
//! Where agents choose for themselves ([`RoutingMode::Pull`]) there is no state, and nothing of this happens.

mod follow;
pub mod keeper;
pub mod mode;
pub mod routes;

pub use mode::{RoutingMode, routing_from_settings};

use crate::app::{App, now};
use mode::{QUEUE, profile};
use sightline_call::routing::{Decided, Effect, Input, LeaseNow, Policy, Reason, Refusal, Routing};
use sightline_store::{SqliteConnection, StoreError, accounts, conversations, readiness::StoredLease, routing};
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    agent::AgentEvent,
    conversation::Conversation,
    ids::{AccountId, ConversationId},
    routing::{Assignment, wants_video},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Who is asked to take which conversation.
#[derive(Default)]
pub struct Assignments {
    /// `None` where agents choose for themselves.
    state: Mutex<Option<State>>,
    /// Wakes the keeper: there is another deadline than before, or something to store.
    changed: Notify,
}

struct State {
    routing: Routing,
    /// What each agent is being asked, and until when: for a desk that comes back with another socket.
    asked: HashMap<AccountId, (Assignment, UnixMillis)>,
    /// Whose rows are not stored yet.
    unsaved: BTreeSet<AccountId>,
}

impl Assignments {
    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From the stored rows. The desks come back by themselves, and with each of them what it can take is assigned.
pub async fn restore(app: &App) -> Result<(), StoreError> {
    let RoutingMode::Push(queue) = &app.config.routing else {
        return Ok(());
    };
    let mut c = app.store.read().await?;
    let at = now();
    let mut agents: BTreeMap<AccountId, _> = routing::agents(&mut c).await?.into_iter().collect();
    for account in accounts::all(&mut c).await? {
        let profile = profile(account.role);
        agents
            .entry(account.id)
            .or_insert_with(|| sightline_call::routing::Agent::new(Default::default(), at))
            .profile = profile;
    }
    let unfinished = conversations::unfinished(&mut c).await?;
    let works = unfinished.iter().map(|stored| (stored.id, follow::work(stored, queue)));
    let (routing, decided) = Routing::restored(Policy::default(), [(QUEUE, queue.clone())], agents, works, at);
    let mut state = State {
        routing,
        asked: HashMap::new(),
        unsaved: BTreeSet::new(),
    };
    app.tell_decided(&mut state, decided, at);
    *app.assignments.lock() = Some(state);
    Ok(())
}

impl App {
    /// Routing hears of something, and whoever is concerned of what follows. The caller holds the write turn, so that
    /// all hear it in the order of commits.
    pub fn route(&self, input: Input, at: UnixMillis) -> Result<(), Refusal> {
        let mut routing = self.assignments.lock();
        let Some(state) = routing.as_mut() else { return Ok(()) };
        let decided = state.routing.handle(input, at);
        let refused = decided.refused;
        self.tell_decided(state, decided, at);
        self.assignments.changed.notify_one();
        refused.map_or(Ok(()), Err)
    }

    /// The same of something that has happened already, and that nobody could refuse.
    fn note(&self, input: Input, at: UnixMillis) {
        let told = input.clone();
        if let Err(refusal) = self.route(input, at) {
            tracing::error!(%refusal, ?told, "routing does not follow");
        }
    }

    fn tell_decided(&self, state: &mut State, decided: Decided, at: UnixMillis) {
        for (number, effect) in decided.effects.iter().enumerate() {
            match effect {
                Effect::Assign {
                    conversation,
                    agent,
                    until,
                    because,
                    note: _,
                } => {
                    let sentence = because.sentence();
                    tracing::info!(%conversation, %agent, waited_ms = because.waited_ms, because = sentence, "assigned");
                    let work = state.routing.conversation(*conversation);
                    let assignment = Assignment {
                        conversation: *conversation,
                        video: work.is_some_and(|work| work.lease.is_some()),
                        left_ms: until - at,
                        asked_ms: until - at,
                        because: sentence,
                    };
                    let told = AgentEvent::Assigned(assignment.clone());
                    self.desks.tell_agent(*agent, &told);
                    state.asked.insert(*agent, (assignment, *until));
                }
                Effect::TakeBack {
                    conversation,
                    agent,
                    why,
                } => {
                    let next = decided.effects[number..].iter().find_map(|later| match later {
                        Effect::Assign {
                            conversation: same,
                            agent,
                            ..
                        } if same == conversation => Some(*agent),
                        _ => None,
                    });
                    tracing::info!(%conversation, %agent, ?why, "assignment taken back");
                    state.asked.remove(agent);
                    let told = AgentEvent::TakenBack {
                        conversation: *conversation,
                        why: *why,
                        elsewhere: next.is_some_and(|next| next != *agent),
                    };
                    self.desks.tell_agent(*agent, &told);
                }
                Effect::Give { agent, .. } => drop(state.asked.remove(agent)),
                Effect::Wait { conversation, why } => tracing::info!(%conversation, ?why, "waits"),
                Effect::Presence { agent, presence } => {
                    tracing::debug!(%agent, ?presence, "presence");
                    let why = state.routing.agent(*agent).and_then(|row| row.pause);
                    self.desks.tell_agent(*agent, &AgentEvent::Paused { why });
                }
                Effect::Queue { queue, status } => tracing::info!(queue = queue.0, ?status, "queue"),
                // They come of transfers, and there is no way to ask for one yet.
                Effect::Keep { .. } | Effect::Release { .. } => {}
            }
        }
        state.unsaved.extend(decided.agents);
    }

    /// A conversation as it has just been committed.
    pub fn follow(&self, conversation: &Conversation) {
        let inputs = {
            let routing = self.assignments.lock();
            let Some(state) = routing.as_ref() else { return };
            follow::inputs(conversation, state.routing.conversation(conversation.id))
        };
        for input in inputs {
            // What an agent has taken counts from the moment of the row: a deadline that passed during the commit is none.
            let at = match input {
                Input::Picked { .. } => conversation.state_since,
                _ => now(),
            };
            self.note(input, at);
        }
    }

    /// A desk came or went, and this is what it may be given.
    pub fn follow_desk(&self, lease: &StoredLease) {
        let (agent, at) = (lease.account, now());
        if self.desks.connected(agent).is_none() {
            return self.note(Input::Disconnected { agent }, at);
        }
        self.follow_lease(lease);
        self.note(Input::Connected { agent }, at);
    }

    /// A desk may be given something else than before. Of an agent's desks the connected one counts.
    pub fn follow_lease(&self, lease: &StoredLease) {
        if self.desks.connected(lease.account) == Some(lease.desk) {
            let at = now();
            let allows = LeaseNow::of(Some(&lease.state), at, &self.config.readiness);
            let agent = lease.account;
            self.note(Input::Lease { agent, lease: allows }, at);
        }
    }

    /// Whether routing lets this agent take a conversation now, asked or unasked.
    pub fn may_take(&self, id: ConversationId, agent: AccountId, at: UnixMillis) -> Result<(), Problem> {
        // What is over is over before it is looked at.
        self.note(Input::Tick, at);
        let routing = self.assignments.lock();
        match routing.as_ref() {
            None => Ok(()),
            Some(state) => state.routing.may_pick(id, agent).map_err(problem),
        }
    }

    /// What a desk that has just been welcomed needs to know.
    pub fn standing(&self, agent: AccountId) -> Vec<AgentEvent> {
        let routing = self.assignments.lock();
        let Some(state) = routing.as_ref() else {
            return Vec::new();
        };
        let why = state.routing.agent(agent).and_then(|row| row.pause);
        let asked = state.asked.get(&agent).map(|(assignment, until)| {
            AgentEvent::Assigned(Assignment {
                left_ms: until.saturating_sub(now()).max(0),
                ..assignment.clone()
            })
        });
        [AgentEvent::Paused { why }].into_iter().chain(asked).collect()
    }

    /// Stores what is known of agents and not stored yet; what could not be stored stays to be.
    async fn save_agents(&self, c: &mut SqliteConnection) -> Result<(), StoreError> {
        let rows: Vec<_> = {
            let routing = self.assignments.lock();
            let Some(state) = routing.as_ref() else { return Ok(()) };
            let row = |id: &AccountId| Some((*id, state.routing.agent(*id)?.clone()));
            state.unsaved.iter().filter_map(row).collect()
        };
        for (id, row) in &rows {
            routing::save_agent(c, *id, row).await?;
        }
        Ok(())
    }
}

/// A refusal in the agent's words.
fn problem(refusal: Refusal) -> Problem {
    let unable = |sentence: &str| Problem::new(ErrorCode::CannotTakeNow).saying(sentence);
    match refusal {
        Refusal::WithColleague => ErrorCode::ColleagueAsked.into(),
        Refusal::Agent(Reason::Lease) => ErrorCode::NotReadyForVideo.into(),
        Refusal::Agent(Reason::VideoSlot) => unable("You have another conversation that wants video."),
        Refusal::Agent(Reason::Full | Reason::Sessions) => unable("You have as many conversations as you may have."),
        Refusal::Agent(Reason::NotInQueue) => unable("Conversations are assigned to agents here.")
            .advising("The next agent who is free is asked to take it."),
        Refusal::Agent(Reason::Offline) => unable("This desk is not connected.").advising("It reconnects by itself."),
        Refusal::Agent(_)
        | Refusal::UnknownConversation
        | Refusal::UnknownAgent
        | Refusal::UnknownQueue
        | Refusal::NotRouted
        | Refusal::NotAssigned
        | Refusal::NotOwner
        | Refusal::NotOwned
        | Refusal::HasItAlready
        | Refusal::CallLive => ErrorCode::CannotTakeNow.into(),
    }
}
