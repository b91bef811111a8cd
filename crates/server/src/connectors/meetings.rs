//! Rooms of Webex Instant Connect, for contact centres that meet there: the agent gets the host's link, the customer the
//! guest's. What the broker does not do is a failed step that both the answer and the conversation's history name.

use super::{broker::Broker, phone};
use crate::{
    app::{App, now},
    auth::SignedIn,
    conversations::{facts, shown},
    customer::event_line,
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
};
use axum::{Json, extract::State};
use sightline_call::conversation::owns_active;
use sightline_connect::webex_instant::{
    BrokerError, INVITE_DEADLINE, MEETING_DEADLINE, Meeting, NoInvite, Wanted, invited, meeting,
};
use sightline_store::{
    conversations::StoredConversation,
    messages::{self, ClientKey, NewMessage},
};
use sightline_wire::{
    ErrorCode, Problem,
    account::Account,
    conversation::{Author, Body as MessageBody, Channel},
    ids::{ClientMessageId, ConversationId},
    meeting::{MakeMeeting, MeetingMade},
};
use std::sync::Arc;

/// `POST /v1/conversations/{id}/meeting`.
pub async fn make(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(conversation): Id<ConversationId>,
    Body(body): Body<MakeMeeting>,
) -> Result<Json<MeetingMade>, Refusal> {
    to_the_end(async move {
        let broker = app.connectors.meetings().ok_or(ErrorCode::NoMeetings)?;
        let stored = {
            let mut c = app.store.read().await?;
            shown(&mut c, conversation).await?
        };
        owns_active(facts(&stored), account.id)?;
        let made = match ask(&app, &broker, conversation).await {
            Ok(made) => made,
            Err(why) => {
                note(&app, conversation, &format!("The Webex room could not be made: {why}")).await?;
                tracing::warn!(%conversation, %why, "no meeting");
                let problem = Problem::new(ErrorCode::MeetingFailed);
                return Err(problem
                    .saying(format!("The Webex room could not be made: {why}."))
                    .into());
            }
        };
        let not_invited = match invite(&app, &broker, &stored, &account, body.client_id, &made.guest_url).await? {
            Ok(()) => None,
            Err(problem) => {
                note(&app, conversation, problem.message.trim_end_matches('.')).await?;
                tracing::warn!(%conversation, code = ?problem.code, "nobody was invited to the meeting");
                Some(problem)
            }
        };
        tracing::info!(%conversation, invited = not_invited.is_none(), "a meeting was made");
        Ok(Json(MeetingMade {
            host_url: made.host_url,
            not_invited,
        }))
    })
    .await
}

/// Once more after a failure that may pass.
async fn ask(app: &App, broker: &Broker, conversation: ConversationId) -> Result<Meeting, BrokerError> {
    let subject = conversation.to_string();
    let wanted = Wanted::for_two(&subject);
    let once = || {
        let call = (broker.instant.create(wanted), MEETING_DEADLINE);
        broker.ask(app.connectors.client(), call, |status, body| {
            meeting(wanted, status, body)
        })
    };
    match once().await {
        Err(error) if error.may_pass() => once().await,
        made => made,
    }
}

/// The guest's link goes to the customer: into the conversation where it carries text, else by SMS; the inner error says
/// why it has not.
async fn invite(
    app: &App,
    broker: &Broker,
    stored: &StoredConversation,
    account: &Account,
    client_id: ClientMessageId,
    link: &str,
) -> Result<Result<(), Problem>, Refusal> {
    if stored.channel == Channel::Phone && broker.instant.org_id.is_some() {
        return text_by_broker(app, broker, stored).await;
    }
    let mut writing = app.store.write().await?;
    let key = ClientKey::Desk(client_id);
    if messages::by_client_key(writing.conn(), stored.id, &key)
        .await?
        .is_some()
    {
        return Ok(Ok(()));
    }
    if stored.channel == Channel::Phone
        && let Err(problem) = phone::texts_reach(app, &mut writing, stored).await?
    {
        return Ok(Err(problem));
    }
    let new = NewMessage {
        conversation: stored.id,
        author: Author::Agent {
            account: account.id,
            name: account.name.clone(),
        },
        body: MessageBody::Text {
            text: format!("{} invites you to a Webex meeting: {link}", account.name),
        },
        client_key: Some(key),
        at: now(),
    };
    let message = messages::append(writing.conn(), new).await?;
    app.settle(writing, stored.id, stored.state, vec![message]).await?;
    Ok(Ok(()))
}

/// The broker writes the SMS itself, to the number that the conversation knows.
async fn text_by_broker(
    app: &App,
    broker: &Broker,
    stored: &StoredConversation,
) -> Result<Result<(), Problem>, Refusal> {
    let failed = |code, why: &dyn std::fmt::Display| {
        Ok(Err(
            Problem::new(code).saying(format!("The customer's link did not go out: {why}."))
        ))
    };
    let (number, line) = phone::number_of(stored);
    let call = match broker.instant.invite(&stored.id.to_string(), number, line) {
        Ok(call) => call,
        Err(NoInvite::Number(why)) => return failed(ErrorCode::CallerTakesNoSms, &why),
        Err(why @ NoInvite::NoOrganisation) => return failed(ErrorCode::InviteNotSent, &why),
    };
    match broker
        .ask(app.connectors.client(), (call, INVITE_DEADLINE), invited)
        .await
    {
        Ok(()) => {
            note(app, stored.id, "The link to the Webex room went out by SMS").await?;
            Ok(Ok(()))
        }
        Err(why) => failed(ErrorCode::InviteNotSent, &why),
    }
}

/// A line of the conversation's history.
async fn note(app: &App, conversation: ConversationId, text: &str) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let before = shown(writing.conn(), conversation).await?.state;
    let line = messages::append(writing.conn(), event_line(conversation, text.into(), now())).await?;
    app.settle(writing, conversation, before, vec![line]).await?;
    Ok(())
}
