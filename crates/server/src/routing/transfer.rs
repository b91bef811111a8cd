//! Handing a conversation over: `POST /v1/conversations/{id}/transfer`, and whom it can be handed to.

use crate::{
    app::{App, Change, now},
    auth::SignedIn,
    conversations::shown,
    customer::{event_line, told_line},
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
    supervision::audit::entry,
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use sightline_call::routing::{self as pure, Input, Note, QueueId, QueueStatus, Reason, Target};
use sightline_store::{
    audit,
    conversations::{self, StoredConversation},
    messages::{self, NewMessage},
};
use sightline_wire::{
    ErrorCode, MAX_MESSAGE_CHARS, Problem, UnixMillis,
    account::{Account, Role},
    audit::AuditAct,
    conversation::{Author, Body as MessageBody, Conversation, ConversationState},
    history::HistoryLine,
    ids::{AccountId, ConversationId},
    routing::{AgentPresence, AgentTarget, QueueTarget, Transfer, TransferTargets, TransferTo},
};
use std::sync::Arc;

/// Most colleagues in one answer; whoever looks for another one writes a part of the name.
const MOST: usize = 100;

fn target(to: TransferTo) -> Target {
    match to {
        TransferTo::Agent { account } => Target::Agent(account),
        TransferTo::Queue { queue } => Target::Queue(QueueId(queue)),
    }
}

/// `POST /v1/conversations/{id}/transfer`.
///
/// A call goes along: whoever says yes joins its room, and until then the owner talks on. To a queue it is handed by asking
/// the one of its agents who has been idle for longest, because nobody may be left alone in a call.
pub async fn transfer(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    Body(body): Body<Transfer>,
) -> Result<Json<Conversation>, Refusal> {
    let note = body.note.trim().to_owned();
    if note.chars().count() > MAX_MESSAGE_CHARS {
        return Err(ErrorCode::MessageTooLong.into());
    }
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = shown(writing.conn(), id).await?;
        let to = match body.to {
            TransferTo::Queue { queue } if stored.call().is_some() => TransferTo::Agent {
                account: app.free_in(QueueId(queue), id)?,
            },
            to => to,
        };
        if let TransferTo::Agent { account: to } = to
            && app.is_handed(id, to, now())
        {
            return Ok(Json(app.view(stored)));
        }
        app.may_transfer(id, &account, target(to))?;
        let c = writing.conn();
        let at = now();
        let mut change = Change::default();
        if !note.is_empty() {
            let written = NewMessage {
                author: author(&account),
                body: MessageBody::Note { text: note.clone() },
                ..event_line(id, String::new(), at)
            };
            change.messages.push(messages::append(c, written).await?);
        }
        let mut routed = stored
            .routing
            .clone()
            .unwrap_or_else(|| app.assignments.plan.unplaced());
        routed.note = Some(Note {
            by: account.id,
            text: note.clone(),
        });
        routed.prefer = None;
        match to {
            TransferTo::Agent { account: to } => {
                change.input = Some(Input::Transferred {
                    conversation: id,
                    by: account.id,
                    supervisor: account.role >= Role::Supervisor,
                    to: Target::Agent(to),
                    note,
                });
            }
            TransferTo::Queue { queue } => {
                routed.queue = QueueId(queue);
                routed.because = None;
                conversations::disown(c, id).await?;
                conversations::set_state(c, id, ConversationState::Open, at).await?;
                let queue = app.assignments.plan.title(routed.queue).map(str::to_owned);
                let text = match &queue {
                    Some(title) => format!("Handed over to {title}"),
                    None => "Handed back to the inbox".into(),
                };
                let line = told_line(id, HistoryLine::HandedOver { queue }, text, at);
                change.messages.push(messages::append(c, line).await?);
            }
        }
        conversations::set_routing(c, id, &routed).await?;
        if stored.owner != Some(account.id) {
            audit::append(c, entry(&account, AuditAct::Transferred, &stored, at)).await?;
        }
        tracing::info!(conversation = %id, account = %account.id, ?to, "transfer asked");
        Ok(Json(app.settle_with(writing, id, stored.state, change).await?))
    })
    .await
}

/// The line in the history of who took over from whom.
pub fn taken_over(stored: &StoredConversation, by: &Account, at: UnixMillis) -> NewMessage {
    let (name, before) = (by.name.clone(), stored.owner_name.clone());
    let text = match &before {
        Some(before) => format!("{name} took over from {before}"),
        None => format!("{name} took over"),
    };
    told_line(stored.id, HistoryLine::TookOver { name, before }, text, at)
}

fn author(account: &Account) -> Author {
    Author::Agent {
        account: account.id,
        name: account.name.clone(),
    }
}

#[derive(Deserialize)]
pub struct Search {
    #[serde(default)]
    q: String,
}

/// `GET /v1/conversations/{id}/targets?q=`: colleagues and queues, those who can have it first.
pub async fn targets(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    search: Result<Query<Search>, QueryRejection>,
) -> Result<Json<TransferTargets>, Refusal> {
    let Query(Search { q }) = search.map_err(|_| ErrorCode::BadRequest)?;
    let mut c = app.store.read().await?;
    let stored = shown(&mut c, id).await?;
    if stored.owner != Some(account.id) && account.role < Role::Supervisor {
        return Err(ErrorCode::NotYourConversation.into());
    }
    Ok(Json(app.targets(&stored, &account, q.trim())))
}

impl App {
    fn free_in(&self, queue: QueueId, id: ConversationId) -> Result<AccountId, Problem> {
        let routing = self.assignments.lock();
        let state = routing.as_ref().ok_or(ErrorCode::Internal)?;
        state
            .routing
            .free_in(queue, id)
            .map_err(|refusal| problem(refusal, None))
    }

    fn may_transfer(&self, id: ConversationId, by: &Account, to: Target) -> Result<(), Problem> {
        let routing = self.assignments.lock();
        let Some(state) = routing.as_ref() else {
            return Err(ErrorCode::Internal.into());
        };
        let allowed = state.routing.may_transfer(id, by.id, by.role >= Role::Supervisor, to);
        allowed.map_err(|refusal| {
            let name = match to {
                Target::Agent(agent) => state.people.get(&agent).map(|person| person.name.as_str()),
                Target::Queue(_) => None,
            };
            problem(refusal, name)
        })
    }

    fn targets(&self, stored: &StoredConversation, by: &Account, q: &str) -> TransferTargets {
        let plan = &self.assignments.plan;
        let routing = self.assignments.lock();
        let Some(state) = routing.as_ref() else {
            return TransferTargets {
                agents: Vec::new(),
                queues: Vec::new(),
            };
        };
        let supervisor = by.role >= Role::Supervisor;
        let fits = |text: &str| text.to_lowercase().contains(&q.to_lowercase());
        let why_not = |agent: AccountId| {
            let to = Target::Agent(agent);
            let refused = state.routing.may_transfer(stored.id, by.id, supervisor, to).err()?;
            Some(match refused {
                pure::Refusal::Agent(reason) => why_not(reason).to_owned(),
                other => problem(other, None).message,
            })
        };
        let mut agents: Vec<AgentTarget> = state
            .people
            .values()
            .filter(|person| Some(person.id) != stored.owner && fits(&person.name))
            .map(|person| AgentTarget {
                account: person.id,
                name: person.name.clone(),
                presence: state.routing.presence(person.id).unwrap_or(AgentPresence::Offline),
                why_not: why_not(person.id),
            })
            .collect();
        agents.sort_by(|a, b| (a.why_not.is_some(), &a.name).cmp(&(b.why_not.is_some(), &b.name)));
        agents.truncate(MOST);
        let own = stored.routing.as_ref().map(|routed| routed.queue);
        let mut queues: Vec<QueueTarget> = plan
            .queues
            .iter()
            .map(|(id, planned)| {
                let status = state.routing.status(*id).unwrap_or(QueueStatus::NobodyHere);
                QueueTarget {
                    queue: id.0,
                    title: match (&planned.title, Some(*id) == own) {
                        (Some(title), _) => title.clone(),
                        (None, _) => "The inbox".into(),
                    },
                    staffed: status == QueueStatus::Staffed,
                    open: !matches!(status, QueueStatus::Closed { .. }),
                    waiting: u32::try_from(state.routing.waiting(*id)).unwrap_or(u32::MAX),
                }
            })
            .filter(|queue| fits(&queue.title))
            .collect();
        queues.sort_by(|a, b| a.title.cmp(&b.title));
        TransferTargets { agents, queues }
    }
}

/// Why a colleague cannot have it, as the one who hands over reads it beside the name.
fn why_not(reason: Reason) -> &'static str {
    match reason {
        Reason::Lease => "The desk is not ready for video.",
        Reason::Inactive => "Did not answer the last time.",
        Reason::Declined => "Has declined and not come back since.",
        _ => reason.sentence(),
    }
}

fn problem(refusal: pure::Refusal, name: Option<&str>) -> Problem {
    let name = name.unwrap_or("That colleague");
    match refusal {
        pure::Refusal::UnknownAgent | pure::Refusal::UnknownQueue => ErrorCode::UnknownTarget.into(),
        pure::Refusal::NotOwner => ErrorCode::NotYourConversation.into(),
        pure::Refusal::NotOwned | pure::Refusal::UnknownConversation => ErrorCode::ConversationNotActive.into(),
        pure::Refusal::CallLive => ErrorCode::CallLive.into(),
        pure::Refusal::NobodyFree => Problem::new(ErrorCode::CannotTransfer)
            .saying("Nobody of this queue can take a video call over now.")
            .advising("Choose a colleague, or end the call and hand the chat over."),
        pure::Refusal::HasItAlready => {
            Problem::new(ErrorCode::CannotTransfer).saying(format!("{name} has this conversation already."))
        }
        pure::Refusal::Agent(reason) => {
            Problem::new(ErrorCode::CannotTransfer).saying(format!("{name} cannot take it now. {}", why_not(reason)))
        }
        pure::Refusal::NotRouted | pure::Refusal::NotAssigned | pure::Refusal::WithColleague => {
            ErrorCode::CannotTransfer.into()
        }
    }
}
