//! What supervisors do in others' conversations: one transaction each, with its audit entry and its line for all.

use super::audit::entry;
use crate::{
    app::{App, Change, now},
    auth::SignedIn,
    conversations::{facts, shown},
    customer::told_line,
    escalations,
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
    readiness::routes::supervises,
};
use axum::{Json, extract::State};
use sightline_call::{
    conversation::{self as rules, ForceCloseStep, Step},
    routing::{Excess, Input},
};
use sightline_store::{
    SqliteConnection, StoreError, accounts, audit,
    conversations::{self, StoredConversation},
    messages::{self, NewMessage, StoredMessage},
    participants,
};
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    account::Account,
    agent::AgentEvent,
    audit::{AuditAct, AuditDetail},
    conversation::{Author, Body as MessageBody, Conversation, ConversationState},
    history::HistoryLine,
    ids::ConversationId,
    wall::{Assign, AssignAnswer, ForceClose, Intervention, InterventionAct, MAX_NOTICE_CHARS},
};
use std::sync::Arc;

/// How a conversation ended that a supervisor has closed.
const DISPOSITION: &str = "Closed by a supervisor";

type Answer = Result<Json<Conversation>, Refusal>;

/// `POST /v1/conversations/{id}/join`: the supervisor may write, and the customer sees who does.
pub async fn join(State(app): State<Arc<App>>, SignedIn { account }: SignedIn, Id(id): Id<ConversationId>) -> Answer {
    supervises(&account)?;
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        let stored = shown(c, id).await?;
        match rules::join(facts(&stored), account.id, takes_part(&stored, &account))? {
            Step::Taken => return Ok(Json(app.view(stored))),
            Step::Take => {}
        }
        let at = now();
        participants::add(c, id, account.id, at).await?;
        audit::append(c, entry(&account, AuditAct::Joined, &stored, at)).await?;
        let line = line(
            c,
            id,
            HistoryLine::Joined {
                name: account.name.clone(),
            },
            format!("{} joined the conversation", account.name),
            at,
        )
        .await?;
        tracing::info!(conversation = %id, supervisor = %account.id, "joined");
        Ok(Json(app.settle(writing, id, stored.state, vec![line]).await?))
    })
    .await
}

/// `POST /v1/conversations/{id}/leave`. Whoever does not take part has nothing to leave.
pub async fn leave(State(app): State<Arc<App>>, SignedIn { account }: SignedIn, Id(id): Id<ConversationId>) -> Answer {
    supervises(&account)?;
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        let stored = shown(c, id).await?;
        if !participants::remove(c, id, account.id).await? {
            return Ok(Json(app.view(stored)));
        }
        let at = now();
        audit::append(c, entry(&account, AuditAct::Left, &stored, at)).await?;
        let line = line(
            c,
            id,
            HistoryLine::Left {
                name: account.name.clone(),
            },
            format!("{} left the conversation", account.name),
            at,
        )
        .await?;
        tracing::info!(conversation = %id, supervisor = %account.id, "left");
        Ok(Json(app.settle(writing, id, stored.state, vec![line]).await?))
    })
    .await
}

/// `POST /v1/conversations/{id}/assign`. Where conversations are assigned by turn the agent is asked, as by routing, only
/// by name; where agents take them unasked it is the agent's at once.
pub async fn assign(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    Body(body): Body<Assign>,
) -> Result<Json<AssignAnswer>, Refusal> {
    supervises(&account)?;
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        let stored = shown(c, id).await?;
        match rules::assign(facts(&stored), account.id, body.agent)? {
            Step::Taken => return Ok(Json(answer(app.view(stored), Excess::default()))),
            Step::Take => {}
        }
        let agent = accounts::by_id(c, body.agent).await?;
        let agent = agent.ok_or_else(|| Problem::new(ErrorCode::NotFound).saying("There is no such agent."))?;
        if app.desks.connected(agent.id).is_none() {
            return Err(ErrorCode::DeskNotConnected.into());
        }
        let at = now();
        let routed = app.may_assign(id, agent.id, at)?;
        if app.asks(id, agent.id) {
            return Ok(Json(answer(app.view(stored), Excess::default())));
        }
        let excess = routed.unwrap_or_default();
        if excess.any() && !body.even_if_full {
            return Err(Problem::new(ErrorCode::AgentFull).saying(too_much(&agent, &excess)).into());
        }
        let mut noted = entry(&account, AuditAct::Assigned, &stored, at);
        noted.agent = Some(agent.id);
        noted.detail = AuditDetail {
            over_units: (excess.over_units > 0).then_some(excess.over_units),
            over_conversations: (excess.over_sessions > 0).then_some(excess.over_sessions),
            ..noted.detail
        };
        audit::append(c, noted).await?;
        let (by, name) = (account.name.clone(), agent.name.clone());
        let (words, means) = match routed {
            Some(_) => (
                format!("{by} asked {name} to take the conversation"),
                HistoryLine::Asked { by, name },
            ),
            None => (
                format!("{by} assigned the conversation to {name}"),
                HistoryLine::Assigned { by, name },
            ),
        };
        let line = line(c, id, means, words, at).await?;
        if routed.is_none() {
            let mut placed = stored.routing.clone().unwrap_or_else(|| app.assignments.plan.unplaced());
            placed.because = Some(format!("{} chose this agent.", account.name));
            conversations::set_routing(c, id, &placed).await?;
            conversations::set_owner(c, id, agent.id).await?;
            conversations::set_state(c, id, ConversationState::Active, at).await?;
        }
        let (view, committed) = app.settle_holding(writing, id, stored.state, Change::of(vec![line])).await?;
        match routed {
            Some(_) => {
                let choice = Input::Assigned {
                    conversation: id,
                    agent: agent.id,
                    by: account.id,
                };
                // It was looked at in this same turn.
                if let Err(refusal) = app.route(choice, at) {
                    tracing::error!(%refusal, conversation = %id, "routing does not follow a supervisor");
                    return Err(ErrorCode::AgentCannotTake.into());
                }
            }
            None => app.desks.tell_agent(agent.id, &told(&view, &account, InterventionAct::Assigned)),
        }
        drop(committed);
        tracing::info!(conversation = %id, supervisor = %account.id, agent = %agent.id, over = excess.over_units, "assigned by a supervisor");
        Ok(Json(answer(view, excess)))
    })
    .await
}

/// `POST /v1/conversations/{id}/force-close`: customer and agent read the notice, and it is over for both.
pub async fn force_close(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<ConversationId>,
    Body(body): Body<ForceClose>,
) -> Answer {
    supervises(&account)?;
    let notice = checked(&body.notice)?;
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        let stored = shown(c, id).await?;
        let call = stored.escalation.as_ref().map(|call| (call.id, call.state));
        let ended = match rules::force_close(facts(&stored), account.id, call, body.end_call)? {
            ForceCloseStep::Taken => return Ok(Json(app.view(stored))),
            ForceCloseStep::Close => None,
            ForceCloseStep::EndAndClose(call, reason) => {
                let ended = escalations::end_within(c, call, reason).await?;
                ended.map(|ended| (call, ended))
            }
        };
        let at = now();
        let mut noted = entry(&account, AuditAct::ForceClosed, &stored, at);
        noted.escalation = ended.as_ref().map(|(call, _)| *call);
        noted.detail.ended_call = Some(ended.is_some());
        audit::append(c, noted).await?;
        let mut lines: Vec<StoredMessage> = ended.iter().map(|(_, ended)| ended.line.clone()).collect();
        lines.push(messages::append(c, said(id, &account, &notice, at)).await?);
        lines.push(
            line(
                c,
                id,
                HistoryLine::ClosedBy {
                    name: account.name.clone(),
                },
                format!("{} closed the conversation", account.name),
                at,
            )
            .await?,
        );
        conversations::set_disposition(c, id, DISPOSITION).await?;
        conversations::set_state(c, id, ConversationState::Closed, at).await?;
        let (view, committed) = app.settle_holding(writing, id, stored.state, Change::of(lines)).await?;
        if let Some(owner) = stored.owner {
            let act = InterventionAct::Closed { notice };
            app.desks.tell_agent(owner, &told(&view, &account, act));
        }
        drop(committed);
        if let Some((_, ended)) = ended {
            app.rooms.over(ended.room, ended.reason);
        }
        tracing::info!(conversation = %id, supervisor = %account.id, "closed by a supervisor");
        Ok(Json(view))
    })
    .await
}

/// Whether this account has joined the conversation.
pub fn takes_part(stored: &StoredConversation, account: &Account) -> bool {
    stored.participants.iter().any(|one| one.account == account.id)
}

fn checked(notice: &str) -> Result<String, Problem> {
    let notice = notice.trim();
    if notice.is_empty() {
        return Err(Problem::new(ErrorCode::EmptyMessage)
            .saying("The notice is empty.")
            .advising("Say in a sentence why the conversation is closed."));
    }
    if notice.chars().count() > MAX_NOTICE_CHARS {
        return Err(Problem::new(ErrorCode::MessageTooLong)
            .saying(format!("The notice is longer than {MAX_NOTICE_CHARS} characters."))
            .advising("Shorten it."));
    }
    Ok(notice.to_owned())
}

fn too_much(agent: &Account, excess: &Excess) -> String {
    let Excess {
        units,
        capacity,
        over_units,
        over_sessions,
    } = excess;
    let mut words = Vec::new();
    if *over_units > 0 {
        words.push(format!(
            "{} would have {units} of {capacity} units: {over_units} too many.",
            agent.name
        ));
    }
    if *over_sessions > 0 {
        words.push(format!(
            "{} would have {over_sessions} more than one may have at a time.",
            agent.name
        ));
    }
    words.join(" ")
}

fn answer(conversation: Conversation, excess: Excess) -> AssignAnswer {
    AssignAnswer {
        conversation,
        over_units: excess.over_units,
        over_conversations: excess.over_sessions,
    }
}

fn told(conversation: &Conversation, by: &Account, act: InterventionAct) -> AgentEvent {
    AgentEvent::Intervened(Intervention {
        conversation: conversation.id,
        customer_name: conversation.customer_name.clone(),
        by: by.name.clone(),
        act,
    })
}

fn said(conversation: ConversationId, account: &Account, text: &str, at: UnixMillis) -> NewMessage {
    NewMessage {
        conversation,
        author: Author::Agent {
            account: account.id,
            name: account.name.clone(),
        },
        body: MessageBody::Text { text: text.to_owned() },
        client_key: None,
        at,
    }
}

async fn line(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    means: HistoryLine,
    text: String,
    at: UnixMillis,
) -> Result<StoredMessage, StoreError> {
    messages::append(c, told_line(conversation, means, text, at)).await
}
