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
//! Where agents choose for themselves ([`RoutingMode::Pull`]) the same state knows who has what, so that colleagues can
//! hand something over; it assigns nothing by itself.

pub mod call_moves;
mod follow;
pub mod keeper;
pub mod mode;
mod place;
pub mod plan;
pub mod routes;
pub mod rules;
pub mod same_agent;
mod tell;
pub mod transfer;
pub mod waiting;
mod watch;
pub mod why;

pub use mode::{RoutingMode, routing_from_settings};
pub use place::place;
pub use plan::Goal;
pub use watch::Seen;

use crate::app::{App, now};
use crate::{config::ServerConfig, desks::Audience};
use plan::{Numbers, Plan};
use sightline_call::routing::{Input, LeaseNow, QueueId, QueueStatus, Reason, Refusal, Routed, Routing};
use sightline_store::{
    SqliteConnection, Store, StoreError, accounts,
    conversations::{self, StoredConversation},
    readiness::StoredLease,
    routing::{self, Named},
};
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    account::Account,
    agent::AgentEvent,
    conversation::{Conversation, ConversationState},
    ids::{AccountId, ConversationId},
    routing::{Assignment, asks_for_video},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use waiting::Telling;

/// Who is asked to take which conversation.
pub struct Assignments {
    /// What the deployment has configured.
    pub plan: Plan,
    /// `None` before it is restored.
    state: Mutex<Option<State>>,
    /// Wakes the keeper: there is another deadline than before, or something to store.
    changed: Notify,
    /// Wakes whoever tells the customers who wait.
    to_tell: Notify,
}

struct State {
    routing: Routing,
    /// What each agent is being asked, and until when: for a desk that comes back with another socket.
    asked: HashMap<AccountId, (Assignment, UnixMillis)>,
    /// Whose rows are not stored yet.
    unsaved: BTreeSet<AccountId>,
    /// What customers who wait are to be told.
    tellings: Vec<Telling>,
    /// Everybody, for their names and roles.
    people: HashMap<AccountId, Account>,
    /// What is not closed, as it was told last: for desks that are asked about it.
    views: HashMap<ConversationId, Conversation>,
}

impl Assignments {
    /// Nothing is known yet but the plan.
    pub fn new(plan: Plan) -> Self {
        Self {
            plan,
            state: Mutex::default(),
            changed: Notify::default(),
            to_tell: Notify::default(),
        }
    }

    /// What customers who wait are to be told now.
    fn take_tellings(&self) -> Vec<Telling> {
        let mut state = self.lock();
        state
            .as_mut()
            .map(|state| std::mem::take(&mut state.tellings))
            .unwrap_or_default()
    }

    /// Who waits in a queue, and whom nobody is asked to take.
    fn waiting_in(&self, queue: QueueId) -> Vec<ConversationId> {
        let state = self.lock();
        let Some(state) = state.as_ref() else { return Vec::new() };
        let works = state.routing.conversations();
        let those = works.filter(|(_, work)| work.queue == queue && work.waits());
        those.map(|(id, _)| id).collect()
    }

    /// Whether it is still so, and this conversation has still nobody.
    fn still(&self, telling: Telling, id: ConversationId) -> bool {
        let state = self.lock();
        state.as_ref().is_some_and(|state| {
            let status = state.routing.status(telling.queue);
            let waits = state.routing.conversation(id).is_some_and(|work| work.waits());
            waits && status.map(QueueStatus::kind) == Some(telling.status.kind())
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The plan with its stored numbers; the error is a sentence for the operator.
pub async fn plan(config: &ServerConfig, store: &Store) -> Result<Result<Plan, String>, StoreError> {
    let (queues, skills) = Plan::names(&config.deployment);
    let mut writing = store.write().await?;
    let numbers = Numbers {
        queues: routing::numbers(writing.conn(), Named::Queues, queues).await?,
        skills: routing::numbers(writing.conn(), Named::Skills, skills).await?,
    };
    drop(writing.commit().await?);
    Ok(Plan::read(&config.deployment, &config.routing, &numbers))
}

/// From the stored rows. The desks come back by themselves, and with each of them what it can take is assigned.
pub async fn restore(app: &App) -> Result<(), StoreError> {
    let plan = &app.assignments.plan;
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    let at = now();
    let mut agents: BTreeMap<AccountId, _> = routing::agents(c).await?.into_iter().collect();
    let accounts = accounts::all(c).await?;
    for account in &accounts {
        agents
            .entry(account.id)
            .or_insert_with(|| sightline_call::routing::Agent::new(Default::default(), at))
            .profile = plan.profile(account);
    }
    let strangers = plan.without_account(&accounts);
    if strangers > 0 {
        tracing::warn!(strangers, "agents in the deployment's file have no account");
    }
    let (mut works, mut views) = (Vec::new(), HashMap::new());
    for stored in conversations::unfinished(c).await? {
        let routed = standing_in(plan, c, &stored).await?;
        works.push((stored.id, follow::work(&stored, &routed, plan)));
        views.insert(stored.id, app.view(stored));
    }
    let committed = writing.commit().await?;
    let queues = plan.queues.iter().map(|(id, planned)| (*id, planned.queue.clone()));
    let (routing, decided) = Routing::restored(plan.policy, queues, agents, works, at);
    let mut state = State {
        routing,
        asked: HashMap::new(),
        unsaved: BTreeSet::new(),
        tellings: Vec::new(),
        people: accounts.into_iter().map(|account| (account.id, account)).collect(),
        views,
    };
    app.tell_decided(&mut state, decided, at);
    *app.assignments.lock() = Some(state);
    drop(committed);
    Ok(())
}

/// Where a conversation of an earlier run stands: not in a queue that is configured no more, and somewhere at least.
async fn standing_in(plan: &Plan, c: &mut SqliteConnection, stored: &StoredConversation) -> Result<Routed, StoreError> {
    let routed = match (&stored.routing, stored.state) {
        (Some(routed), _) if plan.queues.contains_key(&routed.queue) => return Ok(routed.clone()),
        (Some(routed), _) => {
            tracing::warn!(conversation = %stored.id, queue = routed.queue.0, "its queue is configured no more");
            Routed {
                queue: plan.fallback,
                ..routed.clone()
            }
        }
        (None, ConversationState::Open) => place::decide(plan, c, stored).await?.0,
        (None, _) => plan.unplaced(),
    };
    conversations::set_routing(c, stored.id, &routed).await?;
    Ok(routed)
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
        self.stir_wall();
        refused.map_or(Ok(()), Err)
    }

    /// The same of something that has happened already, and that nobody could refuse.
    pub fn note(&self, input: Input, at: UnixMillis) {
        let told = input.clone();
        if let Err(refusal) = self.route(input, at) {
            tracing::error!(%refusal, ?told, "routing does not follow");
        }
    }

    /// A conversation as it has just been committed.
    pub fn follow(&self, conversation: &Conversation, routed: Option<&Routed>) {
        let plan = &self.assignments.plan;
        let routed = routed.cloned().unwrap_or_else(|| plan.unplaced());
        let inputs = {
            let mut routing = self.assignments.lock();
            let Some(state) = routing.as_mut() else { return };
            state.remember(conversation);
            let known = state.routing.conversation(conversation.id);
            follow::inputs(conversation, &routed, known, plan)
        };
        for input in inputs {
            // What an agent has taken counts from the moment of the row: a deadline that passed during the commit is none.
            let at = match input {
                Input::Picked { .. } | Input::Accepted { .. } => conversation.state_since,
                _ => now(),
            };
            self.note(input, at);
        }
    }

    /// Tells those whose conversation it is that it has changed in something that does not matter to routing.
    pub fn tell_changed(&self, view: Conversation) {
        let audience = self.audience(&view);
        if let Some(state) = self.assignments.lock().as_mut() {
            state.remember(&view);
        }
        self.desks.tell(audience, &AgentEvent::Conversation(view));
    }

    /// Who sees a conversation that routing knows: what waits to be taken, everybody; what is assigned, whoever is asked;
    /// and supervisors all of it.
    pub fn audience(&self, view: &Conversation) -> Audience {
        let routing = self.assignments.lock();
        let work = routing.as_ref().and_then(|state| state.routing.conversation(view.id));
        let asked = work.and_then(|work| work.asked());
        match view.state {
            ConversationState::Open => match work {
                Some(work) if !self.assignments.plan.by_hand(work.queue) => Audience::These([asked, None]),
                Some(_) => Audience::Everybody,
                None => Audience::These([None, None]),
            },
            ConversationState::Active | ConversationState::WrapUp | ConversationState::Closed => {
                Audience::These([view.owner, asked])
            }
        }
    }

    /// Whether an agent who does not own a conversation may see it: it waits to be taken, or the agent is being asked.
    pub fn may_see(&self, id: ConversationId, agent: AccountId) -> bool {
        let routing = self.assignments.lock();
        let work = routing.as_ref().and_then(|state| state.routing.conversation(id));
        work.is_some_and(|work| {
            work.asked() == Some(agent) || (work.owner().is_none() && self.assignments.plan.by_hand(work.queue))
        })
    }

    /// Whether the agent is asked to take a conversation over from its owner, as the question stands now.
    pub fn is_handed(&self, id: ConversationId, agent: AccountId, at: UnixMillis) -> bool {
        self.note(Input::Tick, at);
        let routing = self.assignments.lock();
        let work = routing.as_ref().and_then(|state| state.routing.conversation(id));
        work.is_some_and(|work| work.owner().is_some() && work.asked() == Some(agent))
    }

    /// What an agent is being asked about.
    pub fn asked_about(&self, agent: AccountId) -> Option<ConversationId> {
        let routing = self.assignments.lock();
        let (assignment, _) = routing.as_ref()?.asked.get(&agent)?;
        Some(assignment.conversation)
    }

    /// Why this agent is taking a conversation, in plain words.
    pub fn because(&self, id: ConversationId, agent: AccountId) -> String {
        let routing = self.assignments.lock();
        let asked = routing.as_ref().and_then(|state| state.asked.get(&agent));
        asked
            .filter(|(assignment, _)| assignment.conversation == id)
            .map_or_else(
                || "Taken by hand, unasked.".into(),
                |(assignment, _)| assignment.because.clone(),
            )
    }

    /// What a call of this conversation may use at most, picture and sound together, bits a second.
    pub fn max_bitrate(&self, id: ConversationId) -> u32 {
        let queue = {
            let routing = self.assignments.lock();
            let work = routing.as_ref().and_then(|state| state.routing.conversation(id));
            work.map(|work| work.queue)
        };
        let cap = queue.and_then(|queue| self.assignments.plan.queue(queue).max_bitrate);
        cap.map_or(self.config.max_bitrate, |cap| cap.min(self.config.max_bitrate))
    }

    /// A queue's title, where there are several.
    pub fn queue_title(&self, queue: Option<QueueId>) -> Option<String> {
        queue
            .and_then(|queue| self.assignments.plan.title(queue))
            .map(String::from)
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
            Some(state) => match state.routing.may_pick(id, agent) {
                // Where agents choose, a row that routing has not heard of is theirs to choose as well.
                Err(Refusal::UnknownConversation) if self.assignments.plan.by_hand(self.assignments.plan.fallback) => {
                    Ok(())
                }
                allowed => allowed.map_err(problem),
            },
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
        let mine = state.my_presence(agent).map(AgentEvent::Presence);
        [AgentEvent::Paused { why }]
            .into_iter()
            .chain(mine)
            .chain(asked)
            .collect()
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

impl State {
    /// As it was told last, for whoever is asked about it.
    fn remember(&mut self, conversation: &Conversation) {
        match conversation.state {
            ConversationState::Closed => drop(self.views.remove(&conversation.id)),
            _ => drop(self.views.insert(conversation.id, conversation.clone())),
        }
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
        | Refusal::NobodyFree
        | Refusal::CallLive => ErrorCode::CannotTakeNow.into(),
    }
}
