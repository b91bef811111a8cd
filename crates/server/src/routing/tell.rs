//! What routing has decided, as those concerned hear it.

use super::{State, waiting::Telling};
use crate::app::App;
use sightline_call::routing::{Decided, Effect};
use sightline_wire::{
    UnixMillis,
    account::Role,
    agent::AgentEvent,
    conversation::{Conversation, ConversationState},
    ids::{AccountId, ConversationId},
    routing::{Assignment, Handed, MyPresence, TakenBack},
};

impl State {
    pub(super) fn name(&self, id: AccountId) -> String {
        self.people
            .get(&id)
            .map_or_else(|| "A colleague".into(), |person| person.name.clone())
    }

    fn view(&self, id: ConversationId) -> Option<&Conversation> {
        self.views.get(&id)
    }

    /// Whose it is and who waits for whom is not for this agent's eyes any more.
    fn unseen(&self, id: ConversationId, agent: AccountId) -> bool {
        let supervises = self.people.get(&agent).is_some_and(|p| p.role >= Role::Supervisor);
        let Some(work) = self.routing.conversation(id) else {
            return false;
        };
        let open_to_all = work.owner().is_none() && self.routing.by_hand(work.queue);
        !supervises && !open_to_all && work.owner() != Some(agent) && work.asked() != Some(agent)
    }

    /// An agent's own presence.
    pub fn my_presence(&self, agent: AccountId) -> Option<MyPresence> {
        let row = self.routing.agent(agent)?;
        let mut queues = row.profile.queues.iter();
        Some(MyPresence {
            chosen: row.chosen,
            presence: self.routing.presence(agent)?,
            by_turn: queues.any(|queue| !self.routing.by_hand(*queue)),
        })
    }
}

impl App {
    pub(super) fn tell_decided(&self, state: &mut State, decided: Decided, at: UnixMillis) {
        for (number, effect) in decided.effects.iter().enumerate() {
            match effect {
                Effect::Assign {
                    conversation,
                    agent,
                    until,
                    because,
                    note,
                } => {
                    let by = because.by().map(|by| state.name(by));
                    let sentence = because.sentence(by.as_deref());
                    tracing::info!(%conversation, %agent, waited_ms = because.waited_ms, because = sentence, "assigned");
                    let work = state.routing.conversation(*conversation);
                    let view = state.view(*conversation);
                    let assignment = Assignment {
                        conversation: *conversation,
                        video: work.is_some_and(|work| work.needs(state.routing.policy()).video()),
                        left_ms: until - at,
                        asked_ms: until - at,
                        because: sentence,
                        customer_name: view.map_or_else(String::new, |view| view.customer_name.clone()),
                        from: work
                            .and_then(|work| work.owner())
                            .or(note.as_ref().map(|note| note.by))
                            .map(|from| state.name(from)),
                        note: note.as_ref().map(|note| note.text.clone()),
                    };
                    self.desks.tell_agent(*agent, &AgentEvent::Assigned(assignment.clone()));
                    if let Some(view) = view {
                        self.desks.tell_agent(*agent, &AgentEvent::Conversation(view.clone()));
                    }
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
                    if next != Some(*agent) && state.unseen(*conversation, *agent) {
                        self.tell_gone(*conversation, *agent);
                    }
                }
                Effect::Give {
                    conversation,
                    agent,
                    from,
                } => {
                    state.asked.remove(agent);
                    if let Some(from) = from {
                        self.tell_handed(state, *conversation, *from, *agent, None);
                        if state.unseen(*conversation, *from) {
                            self.tell_gone(*conversation, *from);
                        }
                    }
                }
                Effect::Keep {
                    conversation,
                    agent,
                    why,
                } => {
                    let to = decided.effects[..number].iter().rev().find_map(|before| match before {
                        Effect::TakeBack {
                            conversation: same,
                            agent,
                            ..
                        } if same == conversation => Some(*agent),
                        _ => None,
                    });
                    if let Some(to) = to {
                        self.tell_handed(state, *conversation, *agent, to, Some(*why));
                    }
                }
                Effect::Release { conversation, agent } => {
                    tracing::info!(%conversation, %agent, "handed to a queue");
                    if state.unseen(*conversation, *agent) {
                        self.tell_gone(*conversation, *agent);
                    }
                }
                Effect::Wait { conversation, why } => {
                    tracing::info!(%conversation, ?why, "waits");
                }
                Effect::Presence { agent, presence } => {
                    tracing::debug!(%agent, ?presence, "presence");
                    let why = state.routing.agent(*agent).and_then(|row| row.pause);
                    self.desks.tell_agent(*agent, &AgentEvent::Paused { why });
                    if let Some(mine) = state.my_presence(*agent) {
                        self.desks.tell_agent(*agent, &AgentEvent::Presence(mine));
                    }
                }
                Effect::Queue { queue, status } => tracing::info!(queue = queue.0, ?status, "queue"),
                Effect::Tell { queue, status, since } => {
                    tracing::info!(queue = queue.0, ?status, "those who wait are told");
                    state.tellings.push(Telling {
                        queue: *queue,
                        status: *status,
                        since: *since,
                    });
                    self.assignments.to_tell.notify_one();
                }
            }
        }
        state.unsaved.extend(decided.agents);
    }

    fn tell_gone(&self, conversation: ConversationId, agent: AccountId) {
        self.desks.tell_agent(agent, &AgentEvent::Gone { conversation });
    }

    fn tell_handed(
        &self,
        state: &State,
        conversation: ConversationId,
        owner: AccountId,
        to: AccountId,
        why_not: Option<TakenBack>,
    ) {
        tracing::info!(%conversation, %owner, %to, ?why_not, "transfer answered");
        // A supervisor's desk may have closed it meanwhile; then there is nothing to say.
        let Some(view) = state.view(conversation) else { return };
        if view.state == ConversationState::Closed {
            return;
        }
        let handed = Handed {
            conversation,
            customer_name: view.customer_name.clone(),
            to: state.name(to),
            why_not,
        };
        self.desks.tell_agent(owner, &AgentEvent::Handed(handed));
    }
}
