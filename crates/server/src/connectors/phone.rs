//! A telephone call that stays on the phone: it becomes a conversation of the agent who answered it, whose video is a
//! picture beside the call. The phone carries the sound, so the room is silent on both sides; the link goes by SMS.

use super::{Line, inbound};
use crate::{
    app::{App, now},
    customer::{self, ON_THE_PHONE, event_line},
    http::refusal::Refusal,
};
use sightline_connect::{
    self as connect,
    number::{PhoneLine, sms_number},
};
use sightline_store::{
    Writing, accounts,
    conversations::{self, StoredConversation},
    messages::{self, ClientKey, NewMessage},
    threads::{self, Origin},
};
use sightline_wire::{
    ErrorCode, Problem,
    conversation::{Channel, Context, ContextValue, ConversationState},
    ids::ConversationId,
};
use uuid::Uuid;

/// Where the customer's number stands, for whatever else is sent there.
pub const PHONE_NUMBER: &str = "phoneNumber";

/// Where a phone system says what kind of line it is.
const LINE_TYPE: &str = "LineType";

/// An agent has answered a call in the phone system.
pub async fn answered(
    app: &App,
    line: &Line,
    external: &connect::Thread,
    id: &str,
    (from, agent): (String, Option<String>),
    mut context: Context,
) -> Result<(), Refusal> {
    if !from.is_empty() {
        context.insert(PHONE_NUMBER.to_owned(), ContextValue::Text(from.clone()));
    }
    let mut writing = app.store.write().await?;
    let mut thread = inbound::thread_on(&mut writing, line, external, Channel::Phone, &context).await?;
    let said = ClientKey::Page {
        thread: thread.id.clone(),
        key: format!("call:{id}"),
    };
    let anywhere = ConversationId(Uuid::nil());
    if messages::by_client_key(writing.conn(), anywhere, &said)
        .await?
        .is_some()
    {
        return Ok(());
    }
    inbound::keep_context(&mut writing, &mut thread, &context).await?;
    if thread.user_name.is_empty() {
        thread.user_name = match context.get("CustomerName") {
            Some(ContextValue::Text(name)) if !name.trim().is_empty() => inbound::cut(name),
            _ => inbound::cut(&from),
        };
        threads::set_user(writing.conn(), &thread.id, &inbound::cut(&from), &thread.user_name).await?;
    }
    let (conversation, before) = match inbound::current(writing.conn(), &thread).await? {
        Some(current) => current,
        None => (
            customer::open(app, &mut writing, &thread, now()).await?,
            ConversationState::Open,
        ),
    };
    let line_of_history = NewMessage {
        client_key: Some(said),
        ..event_line(conversation, ON_THE_PHONE.into(), now())
    };
    let told = messages::append(writing.conn(), line_of_history).await?;
    // Who has answered has it already; an agent who is not known here leaves it to whoever takes it.
    let owner = match agent {
        Some(email) => accounts::by_email(writing.conn(), &email).await?,
        None => None,
    };
    if let (Some(owner), ConversationState::Open) = (owner, before) {
        conversations::set_owner(writing.conn(), conversation, owner.account.id).await?;
        conversations::set_state(writing.conn(), conversation, ConversationState::Active, now()).await?;
    }
    tracing::info!(%conversation, connector = line.name, "a phone call was answered");
    let stored = conversations::get(writing.conn(), conversation)
        .await?
        .ok_or(ErrorCode::NotFound)?;
    if let Err(problem) = texts_reach(app, &mut writing, &stored).await? {
        // The agent reads it when the link is to go out, and can mend the number then.
        tracing::info!(%conversation, code = ?problem.code, "no link can be sent to this caller");
    }
    app.settle(writing, conversation, before, vec![told]).await?;
    Ok(())
}

/// Sees to it that what is written in a phone conversation reaches the caller: over the connector that the phone system's
/// own names, to the number that the conversation knows now. What the caller answers comes into the same conversation.
/// The inner error says why nothing would reach her.
pub async fn texts_reach(
    app: &App,
    writing: &mut Writing,
    stored: &StoredConversation,
) -> Result<Result<(), Problem>, Refusal> {
    let by = match threads::of_call(writing.conn(), stored.id)
        .await?
        .map(|thread| thread.origin)
    {
        Some(Origin::Platform { connector, .. }) => app.connectors.get(&connector),
        Some(Origin::Page) | None => None,
    };
    let by = by.and_then(|line| app.connectors.get(line.invites_by.as_ref()?));
    let Some(by) = by else {
        return Ok(Err(ErrorCode::ChannelCannotCarryLink.into()));
    };
    let (number, line) = number_of(stored);
    let number = match sms_number(number, line) {
        Ok(number) => number,
        Err(why) => {
            return Ok(Err(
                Problem::new(ErrorCode::CallerTakesNoSms).saying(format!("Nothing can be sent to this caller: {why}."))
            ));
        }
    };
    let Some(external) = by.connector.by_number(&number) else {
        return Ok(Err(ErrorCode::ChannelCannotCarryLink.into()));
    };
    let channel = by.connector.channel(&external);
    let thread = inbound::thread_on(writing, &by, &external, channel, &Context::new()).await?;
    let c = writing.conn();
    if thread.user_name.is_empty() {
        threads::set_user(c, &thread.id, &inbound::cut(&number), &stored.customer_name).await?;
    }
    threads::set_conversation(c, &thread.id, stored.id).await?;
    conversations::set_thread(c, stored.id, &thread.id).await?;
    Ok(Ok(()))
}

/// The caller's number as the conversation knows it now, and what kind of line it is.
pub fn number_of(stored: &StoredConversation) -> (Option<&str>, PhoneLine) {
    let said = |name: &str| match stored.context.get(name) {
        Some(ContextValue::Text(text)) => Some(text.as_str()),
        Some(ContextValue::Truth(_) | ContextValue::Number(_)) | None => None,
    };
    let line = said(LINE_TYPE).map_or(PhoneLine::Unknown, PhoneLine::of);
    (said(PHONE_NUMBER), line)
}

/// The customer is not on the phone any more.
pub async fn over(app: &App, line: &Line, external: &connect::Thread) -> Result<(), Refusal> {
    let Some(thread) = inbound::known(app, line, external).await? else {
        return Ok(());
    };
    let mut writing = app.store.write().await?;
    let Some((conversation, before)) = inbound::current(writing.conn(), &thread).await? else {
        return Ok(());
    };
    if before == ConversationState::Open {
        drop(writing);
        return customer::leave(app, &thread.id).await;
    }
    let said = "The phone call is over";
    if customer::said_already(writing.conn(), conversation, said).await? {
        return Ok(());
    }
    let line = messages::append(writing.conn(), event_line(conversation, said.into(), now())).await?;
    app.settle(writing, conversation, before, vec![line]).await?;
    Ok(())
}
