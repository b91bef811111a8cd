//! Start video, and how a call begins, lives and ends in its conversation.

use crate::{
    app::{App, Change, now},
    auth::SignedIn,
    call_stats::summarise,
    connectors::phone,
    conversations::{facts, known, shown},
    customer::told_line,
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
    readiness, secrets,
};
use axum::{Json, extract::State};
use sightline_call::escalation::{Happening, StartFacts, advance, ended_by, history_line, may_start};
use sightline_store::{
    SqliteConnection,
    escalations::{self, Escalation, NewEscalation},
    messages::{self, StoredMessage},
    outbox, rooms,
};
use sightline_wire::{
    ErrorCode, Problem,
    account::Account,
    conversation::Channel,
    escalation::{EndReason, EscalationState, EscalationView, StartVideo, VideoStarted},
    history::HistoryLine,
    ids::{AccountId, CommandId, ConversationId, EscalationId, RoomId},
    room::Party,
};
use std::sync::Arc;
use uuid::Uuid;

/// `POST /v1/conversations/{id}/escalations`: one transaction checks and creates everything; the link goes
/// out after it.
pub async fn start(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(conversation): Id<ConversationId>,
    Body(body): Body<StartVideo>,
) -> Result<Json<VideoStarted>, Refusal> {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        if let Some(made) = escalations::by_command(c, body.command_id).await? {
            if made.agent != account.id || made.conversation != conversation {
                return Err(Problem::new(ErrorCode::BadRequest)
                    .saying("This command id was used for another call.")
                    .into());
            }
            let room_token = agent_token(c, made.room).await?;
            drop(writing.commit().await?);
            return Ok(Json(started(&app, &made, room_token)));
        }
        let stored = shown(c, conversation).await?;
        let (slot, given_way) = slot(c, account.id).await?;
        let readiness = readiness::may_have_video(&app, c, account.id).await?;
        let link = match stored.channel {
            Channel::Phone => phone::texts_reach(&app, &mut writing, &stored).await?,
            _ => Ok(()),
        };
        let c = writing.conn();
        may_start(&StartFacts {
            agent: account.id,
            conversation: facts(&stored),
            link,
            slot: slot.map(|e| (e.conversation, e.id)),
            readiness,
        })?;
        let (made, room_token) = create(&app, c, account.id, conversation, body.command_id).await?;
        outbox::add(c, made.id, now()).await?;
        app.settle(writing, conversation, stored.state, Vec::new()).await?;
        tracing::info!(escalation = %made.id, conversation = %conversation, "video started");
        if let Some(ended) = given_way {
            app.rooms.over(ended.room, ended.reason);
        }
        app.rooms.open(&app, &made, rooms::StoredRoom::default());
        app.outbox.notify_one();
        Ok(Json(started(&app, &made, room_token)))
    })
    .await
}

/// What occupies the agent's video slot. A self-test gives way to whatever comes: it is ended in this transaction, and
/// the caller tells its room after the commit.
pub async fn slot(c: &mut SqliteConnection, agent: AccountId) -> Result<(Option<Escalation>, Option<Ended>), Refusal> {
    let Some(held) = escalations::in_slot(c, agent).await? else {
        return Ok((None, None));
    };
    if !known(c, held.conversation).await?.channel.hidden() {
        return Ok((Some(held), None));
    }
    let ended = end_within(c, held.id, ended_by(held.state, Party::Agent)).await?;
    Ok((None, ended))
}

/// Makes an escalation with its room and invite in the caller's transaction, and the agent's token for the room.
pub async fn create(
    app: &App,
    c: &mut SqliteConnection,
    agent: AccountId,
    conversation: ConversationId,
    command: CommandId,
) -> Result<(Escalation, String), Refusal> {
    let now = now();
    let ttl = i64::try_from(app.config.invite_ttl.as_millis()).unwrap_or(i64::MAX / 2);
    let new = NewEscalation {
        id: EscalationId(Uuid::new_v4()),
        conversation,
        agent,
        command,
        room: RoomId(Uuid::new_v4()),
        code: secrets::invite_code(),
        expires_at: now + ttl,
    };
    escalations::insert(c, &new, now).await?;
    let room_token = agent_token(c, new.room).await?;
    let made = escalations::get(c, new.id).await?.ok_or(ErrorCode::Internal)?;
    Ok((made, room_token))
}

/// `POST /v1/escalations/{id}/rejoin`: a desk that restarted comes back into its call.
pub async fn rejoin(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<EscalationId>,
) -> Result<Json<VideoStarted>, Refusal> {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let call = running(writing.conn(), id, &account).await?;
        let room_token = agent_token(writing.conn(), call.room).await?;
        drop(writing.commit().await?);
        Ok(Json(started(&app, &call, room_token)))
    })
    .await
}

/// `POST /v1/escalations/{id}/resend`: the link is written into the conversation once more.
pub async fn resend(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<EscalationId>,
) -> Result<Json<EscalationView>, Refusal> {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let call = running(writing.conn(), id, &account).await?;
        if call.redeemed_at.is_none() && now() >= call.expires_at {
            return Err(ErrorCode::InviteExpired.into());
        }
        outbox::add(writing.conn(), id, now()).await?;
        drop(writing.commit().await?);
        app.outbox.notify_one();
        Ok(Json(app.escalation_view(&call)))
    })
    .await
}

/// `POST /v1/escalations/{id}/end`: takes the invite back before the customer joined, hangs up after.
pub async fn end(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<EscalationId>,
) -> Result<Json<EscalationView>, Refusal> {
    check_own(&app, id, &account).await?;
    to_the_end(async move {
        let ended = over_by(&app, id, Party::Agent).await?;
        Ok(Json(app.escalation_view(&ended)))
    })
    .await
}

/// `POST /v1/escalations/{id}/fail`: no media came through, whatever the desk has tried.
pub async fn fail(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<EscalationId>,
) -> Result<Json<EscalationView>, Refusal> {
    check_own(&app, id, &account).await?;
    to_the_end(async move {
        let ended = over(&app, id, EndReason::MediaFailed).await?;
        Ok(Json(app.escalation_view(&ended)))
    })
    .await
}

async fn check_own(app: &App, id: EscalationId, account: &Account) -> Result<(), Refusal> {
    let mut c = app.store.read().await?;
    own(&mut c, id, account).await?;
    Ok(())
}

/// One side ends it: what that means depends on where the call stands at that moment.
pub async fn over_by(app: &App, id: EscalationId, party: Party) -> Result<Escalation, Refusal> {
    happened(app, id, |state| Happening::Over(ended_by(state, party))).await
}

/// It ends for a reason of its own.
pub async fn over(app: &App, id: EscalationId, reason: EndReason) -> Result<Escalation, Refusal> {
    happened(app, id, |_| Happening::Over(reason)).await
}

/// Media flows.
pub async fn media_flows(app: &App, id: EscalationId) -> Result<Escalation, Refusal> {
    happened(app, id, |_| Happening::MediaFlowing).await
}

async fn happened(
    app: &App,
    id: EscalationId,
    what: impl FnOnce(EscalationState) -> Happening + Send,
) -> Result<Escalation, Refusal> {
    let mut writing = app.store.write().await?;
    let call = escalations::get(writing.conn(), id).await?.ok_or(ErrorCode::NotFound)?;
    let conversation = known(writing.conn(), call.conversation).await?;
    let mut lines = Vec::new();
    let mut ended = None;
    match what(call.state) {
        Happening::Over(reason) => match end_within(writing.conn(), id, reason).await? {
            Some(end) => {
                lines.push(end.line.clone());
                ended = Some(end);
            }
            None => return Ok(call),
        },
        happening @ (Happening::Redeemed | Happening::MediaFlowing) => match advance(call.state, happening, now()) {
            Some(state) => escalations::set_state(writing.conn(), id, state).await?,
            None => return Ok(call),
        },
    }
    let call = escalations::get(writing.conn(), id).await?.ok_or(ErrorCode::NotFound)?;
    let news = readiness::handshake(app, writing.conn(), &call, conversation.channel).await?;
    let change = Change {
        messages: lines,
        readiness: news,
        ..Change::default()
    };
    app.settle_with(writing, call.conversation, conversation.state, change)
        .await?;
    tracing::info!(escalation = %id, state = ?call.state, "call changed");
    if let Some(ended) = ended {
        app.rooms.over(ended.room, ended.reason);
    }
    Ok(call)
}

/// A call that a transaction has ended.
pub struct Ended {
    pub room: RoomId,
    pub reason: EndReason,
    /// The line in the conversation's history.
    pub line: StoredMessage,
}

/// Ends a call inside a transaction; `None` when it is over already. The caller tells the room after commit.
pub async fn end_within(
    c: &mut SqliteConnection,
    id: EscalationId,
    reason: EndReason,
) -> Result<Option<Ended>, Refusal> {
    let call = escalations::get(c, id).await?.ok_or(ErrorCode::NotFound)?;
    let now = now();
    let Some(state) = advance(call.state, Happening::Over(reason), now) else {
        return Ok(None);
    };
    escalations::set_state(c, id, state).await?;
    summarise(c, id).await?;
    let live_ms = match state {
        EscalationState::Ended { live_ms, .. } => live_ms,
        EscalationState::Invited | EscalationState::Joining { .. } | EscalationState::Live { .. } => 0,
    };
    let line = told_line(
        call.conversation,
        HistoryLine::CallOver { reason, live_ms },
        history_line(reason, live_ms),
        now,
    );
    let line = messages::append(c, line).await?;
    Ok(Some(Ended {
        room: call.room,
        reason,
        line,
    }))
}

/// An escalation that this agent started.
pub async fn own(c: &mut SqliteConnection, id: EscalationId, account: &Account) -> Result<Escalation, Refusal> {
    let call = escalations::get(c, id).await?.ok_or(ErrorCode::NotFound)?;
    if call.agent != account.id {
        return Err(ErrorCode::NotYourConversation.into());
    }
    Ok(call)
}

/// One that is not over.
async fn running(c: &mut SqliteConnection, id: EscalationId, account: &Account) -> Result<Escalation, Refusal> {
    let call = own(c, id, account).await?;
    if !call.state.holds_slot() {
        return Err(Problem::new(ErrorCode::EscalationEnded).in_escalation(id).into());
    }
    Ok(call)
}

async fn agent_token(c: &mut SqliteConnection, room: RoomId) -> Result<String, Refusal> {
    let token = secrets::token();
    rooms::add_token(c, &secrets::hash(&token), room, Party::Agent).await?;
    Ok(token)
}

/// What the desk needs to open its side.
pub fn started(app: &App, call: &Escalation, room_token: String) -> VideoStarted {
    let ice = app.ice_for(Party::Agent, call.room);
    VideoStarted {
        escalation: app.escalation_view(call),
        room_token,
        ice_servers: ice.servers,
        ice_policy: ice.policy,
        max_bitrate: app.max_bitrate(call.conversation),
    }
}
