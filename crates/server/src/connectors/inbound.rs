//! What a platform says becomes part of a conversation. Everything here may be told twice and happens once.

use super::{Line, parcels, phone};
use crate::{
    app::{App, now},
    customer::{self, PageMessage},
    files::{self, Sent},
    handover::{self, Handover},
    http::refusal::Refusal,
};
use sightline_call::{
    conversation::{Place, customer_writes},
    text::{check_context, pieces},
};
use sightline_connect::{
    self as connect, Content, Delivery, Inbound, Outcome, Speaker, bot::variables::customer_phone,
};
use sightline_store::{
    SqliteConnection, Writing, conversations, deliveries,
    messages::{self, ClientKey, NewMessage},
    threads::{self, Origin, Thread},
};
use sightline_wire::{
    ErrorCode, MAX_CONTEXT_VARIABLES, MAX_MESSAGE_CHARS, UnixMillis,
    conversation::{Author, Body, Channel, Context, ContextValue, ConversationState},
    history::HistoryLine,
    ids::ConversationId,
};
use uuid::Uuid;

/// Longest name that a platform gives somebody.
const MAX_NAME_CHARS: usize = 100;

/// One thing that a platform says.
pub async fn take(app: &App, line: &Line, event: Inbound) -> Result<(), Refusal> {
    match event {
        Inbound::Message {
            thread,
            id,
            from: Speaker::Customer { address, name },
            content,
            context,
            ..
        } => customer_wrote(app, line, &thread, &id, (address, name), &content, context).await,
        Inbound::Message {
            thread,
            id,
            from: Speaker::Other { name },
            content,
            at,
            context,
        } => other_wrote(app, line, &thread, &id, name, (&content, at), context).await,
        Inbound::Typing { thread } => match known(app, line, &thread).await? {
            Some(thread) => customer::typing(app, &thread.id).await,
            None => Ok(()),
        },
        Inbound::Receipt { id, delivery, .. } => came_so_far(app, line, &id, delivery).await,
        Inbound::Handoff {
            thread,
            id,
            context,
            transcript,
        } => handed_over(app, line, &thread, &id, context, transcript).await,
        Inbound::Context { thread, context } => {
            let mut writing = app.store.write().await?;
            let thread = thread_of(&mut writing, line, &thread, &Context::new()).await?;
            learn(app, writing, &thread, context).await
        }
        Inbound::VideoAsked { thread } => {
            let mut writing = app.store.write().await?;
            let thread = thread_of(&mut writing, line, &thread, &Context::new()).await?;
            drop(writing.commit().await?);
            customer::wants_video(app, &thread.id).await
        }
        Inbound::Fetch { thread, id } => fetch(app, line, &thread, &id).await,
        Inbound::Call {
            thread,
            id,
            from,
            agent,
            context,
        } => phone::answered(app, line, &thread, &id, (from, agent), context).await,
        Inbound::CallEnded { thread } => phone::over(app, line, &thread).await,
        Inbound::Ended { thread } => match known(app, line, &thread).await? {
            Some(thread) => customer::leave(app, &thread.id).await,
            None => Ok(()),
        },
    }
}

/// The platform has told the message's id alone. What cannot be had now the platform tells again.
async fn fetch(app: &App, line: &Line, thread: &connect::Thread, id: &str) -> Result<(), Refusal> {
    let Some(call) = line.connector.message(thread, id) else {
        return Ok(());
    };
    let client = app.connectors.client();
    let failed = |code: &str| {
        line.standing.failed(code);
        Refusal::from(ErrorCode::ConnectorFailing)
    };
    line.prepare(client).await.map_err(|error| failed(&error.to_string()))?;
    let reply = line
        .call(client, call)
        .await
        .map_err(|error| failed(&error.to_string()))?;
    match line.connector.judge(reply.status, &reply.headers, &reply.body) {
        Outcome::Taken { .. } => {}
        // It is not there any more, or none of ours.
        Outcome::Refused { code } => {
            tracing::warn!(connector = line.name, code, "a message could not be fetched");
            return Ok(());
        }
        Outcome::Again { .. } | Outcome::WindowClosed => return Err(failed(&reply.status.to_string())),
    }
    let events = line
        .connector
        .read_message(&reply.body)
        .map_err(|_| ErrorCode::ConnectorFailing)?;
    for event in events {
        Box::pin(take(app, line, event)).await?;
    }
    Ok(())
}

/// A thread that has been here before.
pub async fn known(app: &App, line: &Line, external: &connect::Thread) -> Result<Option<Thread>, Refusal> {
    let mut c = app.store.read().await?;
    Ok(threads::of_platform(&mut c, &line.name, &external.0).await?)
}

/// The thread, made where it is new; conversations of a new one start with this context.
async fn thread_of(
    writing: &mut Writing,
    line: &Line,
    external: &connect::Thread,
    context: &Context,
) -> Result<Thread, Refusal> {
    thread_on(writing, line, external, line.connector.channel(external), context).await
}

/// The same on a channel that the connector does not tell by itself.
pub async fn thread_on(
    writing: &mut Writing,
    line: &Line,
    external: &connect::Thread,
    channel: Channel,
    context: &Context,
) -> Result<Thread, Refusal> {
    if let Some(thread) = threads::of_platform(writing.conn(), &line.name, &external.0).await? {
        return Ok(thread);
    }
    let thread = Thread {
        id: Uuid::new_v4().simple().to_string(),
        origin: Origin::Platform {
            connector: line.name.clone(),
            external: external.0.clone(),
            channel,
        },
        user_id: String::new(),
        user_name: String::new(),
        context: fitting(context.clone()),
        conversation: None,
        last_seq: 0,
    };
    threads::insert(writing.conn(), &thread, now()).await?;
    Ok(thread)
}

async fn customer_wrote(
    app: &App,
    line: &Line,
    external: &connect::Thread,
    id: &str,
    (address, name): (String, Option<String>),
    content: &Content,
    context: Context,
) -> Result<(), Refusal> {
    let (text, mut files) = words(content);
    let parts = match files.is_empty() {
        true => pieces(&text, MAX_MESSAGE_CHARS),
        false => vec![text],
    };
    for (part, text) in parts.into_iter().enumerate() {
        let mut writing = app.store.write().await?;
        let mut thread = thread_of(&mut writing, line, external, &context).await?;
        if part == 0 {
            keep_context(&mut writing, &mut thread, &context).await?;
        }
        let name = name.clone().unwrap_or_else(|| address.clone());
        let sent = PageMessage {
            text,
            files: std::mem::take(&mut files),
            chosen: None,
            client_key: Some(key(id, part)),
            user: (cut(&address), Some(cut(&name))),
        };
        match customer::write_within(app, writing, thread, sent).await {
            Ok(_) => {}
            Err(refusal) => match refusal.problem().code {
                // Edited there since; what was said first stands.
                ErrorCode::MessageIdReused => return Ok(()),
                _ => return Err(refusal),
            },
        }
    }
    Ok(())
}

/// Somebody who is not the customer writes on the platform's side. Before there is a conversation here it is none of ours.
async fn other_wrote(
    app: &App,
    line: &Line,
    external: &connect::Thread,
    id: &str,
    name: Option<String>,
    (content, at): (&Content, Option<UnixMillis>),
    context: Context,
) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let thread = thread_of(&mut writing, line, external, &context).await?;
    let Some(current) = current(writing.conn(), &thread).await? else {
        // Kept all the same is what is known of the customer.
        return learn(app, writing, &thread, context).await;
    };
    let mut stored = Vec::new();
    for (part, text) in pieces(&plain(content), MAX_MESSAGE_CHARS).into_iter().enumerate() {
        let key = ClientKey::Page {
            thread: thread.id.clone(),
            key: key(id, part),
        };
        if messages::by_client_key(writing.conn(), current.0, &key)
            .await?
            .is_some()
        {
            continue;
        }
        let new = NewMessage {
            conversation: current.0,
            author: bot(name.clone()),
            body: Body::Text { text },
            client_key: Some(key),
            at: at.unwrap_or_else(now).min(now()),
        };
        stored.push(messages::append(writing.conn(), new).await?);
    }
    app.settle(writing, current.0, current.1, stored).await?;
    Ok(())
}

/// A bot gives a conversation over, with everything that was said and that it knows.
async fn handed_over(
    app: &App,
    line: &Line,
    external: &connect::Thread,
    id: &str,
    mut context: Context,
    transcript: Vec<connect::Line>,
) -> Result<(), Refusal> {
    let number = customer_phone(&context);
    // The sound of a bot that is on the telephone stays there, as that of any call.
    let channel = match &number {
        Some(number) => {
            context.insert(phone::PHONE_NUMBER.to_owned(), ContextValue::Text(number.clone()));
            Channel::Phone
        }
        None => line.connector.channel(external),
    };
    let mut writing = app.store.write().await?;
    let thread = thread_on(&mut writing, line, external, channel, &context).await?;
    let handover = Handover {
        id: id.to_owned(),
        name: number,
        context,
        transcript,
        line: "The bot handed the conversation over".into(),
        means: HistoryLine::BotHandsOver { bot: None },
        told: true,
    };
    handover::take(app, writing, thread, handover).await
}

/// What is known of the conversation has changed.
async fn learn(app: &App, mut writing: Writing, thread: &Thread, context: Context) -> Result<(), Refusal> {
    let mut thread = thread.clone();
    keep_context(&mut writing, &mut thread, &context).await?;
    match current(writing.conn(), &thread).await? {
        Some((conversation, before)) => {
            app.settle(writing, conversation, before, Vec::new()).await?;
        }
        None => drop(writing.commit().await?),
    }
    Ok(())
}

/// A message of ours has come so far, or no further.
async fn came_so_far(app: &App, line: &Line, id: &str, delivery: Delivery) -> Result<(), Refusal> {
    let sent = {
        let mut c = app.store.read().await?;
        deliveries::by_vendor_id::<parcels::Parcel>(&mut c, &line.name, id).await?
    };
    let Some(sent) = sent else {
        // Of something that somebody else sent, or of a receipt that was faster than the answer to our call.
        tracing::debug!(connector = line.name, "a receipt of something unknown");
        return Ok(());
    };
    match delivery {
        Delivery::Sent => Ok(()),
        Delivery::Delivered | Delivery::Read => match sent.seq {
            Some(seq) => customer::delivered(app, sent.conversation, seq).await,
            None => Ok(()),
        },
        Delivery::Failed { code } => super::outbox::given_up(app, line, &sent, &code).await,
        Delivery::WindowClosed => super::outbox::window_closed(app, line, &sent).await,
    }
}

/// The conversation that the thread is in now.
pub async fn current(
    c: &mut SqliteConnection,
    thread: &Thread,
) -> Result<Option<(ConversationId, ConversationState)>, Refusal> {
    let Some(id) = thread.conversation else { return Ok(None) };
    let stored = conversations::get(c, id).await?.ok_or(ErrorCode::NotFound)?;
    Ok(match customer_writes(Some(stored.state)) {
        Place::Current => Some((id, stored.state)),
        Place::New => None,
    })
}

/// Adds what is new to what the thread and its conversation know.
pub async fn keep_context(writing: &mut Writing, thread: &mut Thread, new: &Context) -> Result<(), Refusal> {
    if new.is_empty() {
        return Ok(());
    }
    let merged = merge(&thread.context, new);
    if merged != thread.context {
        threads::set_context(writing.conn(), &thread.id, &merged).await?;
        thread.context = merged;
    }
    if let Some((conversation, _)) = current(writing.conn(), thread).await? {
        let stored = conversations::get(writing.conn(), conversation)
            .await?
            .ok_or(ErrorCode::NotFound)?;
        let merged = merge(&stored.context, new);
        if merged != stored.context {
            conversations::set_context(writing.conn(), conversation, &merged).await?;
        }
    }
    Ok(())
}

/// New values in the place of old ones; what there is no room for is left out.
fn merge(old: &Context, new: &Context) -> Context {
    let mut merged = old.clone();
    for (name, value) in new {
        if merged.contains_key(name) || merged.len() < MAX_CONTEXT_VARIABLES {
            merged.insert(name.clone(), value.clone());
        }
    }
    fitting(merged)
}

/// Without variables that break the rules of this product; a platform's own rules are wider.
fn fitting(context: Context) -> Context {
    let alone = |name: &String, value: &_| check_context(&Context::from([(name.clone(), Clone::clone(value))])).is_ok();
    context
        .into_iter()
        .filter(|(name, value)| alone(name, value))
        .take(MAX_CONTEXT_VARIABLES)
        .collect()
}

/// The words of a message, and its file. The platform keeps that, and shows it only to whoever signs in there.
fn words(content: &Content) -> (String, Vec<Sent>) {
    match content {
        Content::Text(text) => (text.clone(), Vec::new()),
        Content::Offer(offer) => (offer.text(), Vec::new()),
        Content::File { kind, caption, .. } => {
            let kind = kind.as_deref().unwrap_or("file");
            let caption = caption.as_deref().unwrap_or_default().trim();
            // What is too long for a name is what was written beside the file.
            let (words, name) = match caption.chars().count() > MAX_NAME_CHARS || caption.contains('\n') {
                true => (caption.chars().take(MAX_MESSAGE_CHARS).collect(), ""),
                false => (String::new(), caption),
            };
            (words, vec![Sent::elsewhere(name, kind, None)])
        }
    }
}

/// The same in one text.
fn plain(content: &Content) -> String {
    let (words, files) = words(content);
    match files.is_empty() {
        true => words,
        false => files::text(&words, &files),
    }
}

/// The parts of one message are told apart.
fn key(id: &str, part: usize) -> String {
    if part == 0 {
        id.to_owned()
    } else {
        format!("{id}#{part}")
    }
}

/// A bot by its name, or by none.
pub fn bot(name: Option<String>) -> Author {
    let name = name.filter(|name| !name.trim().is_empty());
    Author::Bot {
        name: cut(name.as_deref().unwrap_or("Bot")),
    }
}

/// A name as long as names may be.
pub fn cut(name: &str) -> String {
    name.chars().take(MAX_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_may_know_more_than_there_is_room_for() {
        let many = |range: std::ops::Range<usize>, value: bool| -> Context {
            range
                .map(|n| (format!("v{n:03}"), ContextValue::Truth(value)))
                .collect()
        };
        let merged = merge(&many(0..60, false), &many(50..150, true));
        assert_eq!(merged.len(), MAX_CONTEXT_VARIABLES);
        assert_eq!(merged["v050"], ContextValue::Truth(true), "newer values count");
        assert_eq!(merged["v000"], ContextValue::Truth(false), "what was known stays known");
        let odd = Context::from([
            (" ".to_owned(), ContextValue::Truth(true)),
            ("n".to_owned(), ContextValue::Number(f64::NAN)),
        ]);
        assert_eq!(merge(&Context::new(), &odd), Context::new());
    }
}
