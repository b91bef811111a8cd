//! A bot gives its conversation to people, or cannot go on with it: on a platform, before our own web chat, or behind it.

use crate::{
    app::{App, now},
    connectors::{
        inbound::{bot, current, cut, keep_context},
        parcels::HandoffTold,
    },
    customer::{self, event_line, told_line},
    http::refusal::Refusal,
};
use sightline_call::text::pieces;
use sightline_connect::{Line, Speaker};
use sightline_store::{
    SqliteConnection, StoreError, Writing,
    conversations::{self, Handoff, StoredConversation},
    messages::{self, ClientKey, NewMessage, StoredMessage},
    threads::{self, Origin, Thread},
};
use sightline_wire::{
    MAX_MESSAGE_CHARS,
    conversation::{Author, Body, Channel, Context, ConversationState, Message},
    history::HistoryLine,
    ids::ConversationId,
};
use uuid::Uuid;

/// Before the state, in the key of the line that tells a Direct Line client what became of its hand-off.
const TOLD: &str = "handoff.status ";

/// What a bot hands over.
pub struct Handover {
    /// Taken twice it is the same one.
    pub id: String,
    /// What to call the customer where the transcript names nobody.
    pub name: Option<String>,
    /// Everything that the bot knows.
    pub context: Context,
    /// Everything that was said, as the bot tells it.
    pub transcript: Vec<Line>,
    /// For the history.
    pub line: String,
    /// The same for the customer.
    pub means: HistoryLine,
    /// Whether somebody waits to hear what becomes of it.
    pub told: bool,
}

/// The conversation becomes people's work, in a transaction that has found its thread.
pub async fn take(app: &App, mut writing: Writing, mut thread: Thread, over: Handover) -> Result<(), Refusal> {
    let said = ClientKey::Page {
        thread: thread.id.clone(),
        key: format!("handoff:{}", over.id),
    };
    let anywhere = ConversationId(Uuid::nil());
    if messages::by_client_key(writing.conn(), anywhere, &said)
        .await?
        .is_some()
    {
        return Ok(());
    }
    keep_context(&mut writing, &mut thread, &over.context).await?;
    if let Some(name) = over.transcript.iter().find_map(customers_name).or(over.name)
        && thread.user_name.is_empty()
    {
        threads::set_user(writing.conn(), &thread.id, &thread.user_id, &cut(&name)).await?;
        thread.user_name = cut(&name);
    }
    let (conversation, before) = match current(writing.conn(), &thread).await? {
        Some(current) => {
            conversations::name_customer(writing.conn(), current.0, &thread.user_name).await?;
            current
        }
        None => (
            customer::open(app, &mut writing, &thread, now()).await?,
            ConversationState::Open,
        ),
    };
    let mut stored = match thread.origin {
        Origin::Platform { .. } => lines(writing.conn(), conversation, over.transcript).await?,
        Origin::Page => noted(writing.conn(), conversation, over.transcript).await?,
    };
    let line = NewMessage {
        client_key: Some(said),
        ..told_line(conversation, over.means, over.line, now())
    };
    stored.push(messages::append(writing.conn(), line).await?);
    let handoff = if over.told { Handoff::Asked } else { Handoff::Over };
    conversations::set_handoff(writing.conn(), conversation, handoff).await?;
    tracing::info!(%conversation, "handed over by a bot");
    app.settle(writing, conversation, before, stored).await?;
    Ok(())
}

/// What the transcript has and the conversation has not.
async fn missing(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    transcript: Vec<Line>,
) -> Result<Vec<(Author, String, Option<i64>)>, StoreError> {
    let here = messages::after(c, conversation, 0, i64::MAX).await?;
    let mut missing = Vec::new();
    for said in transcript {
        let author = match said.speaker {
            Speaker::Customer { .. } => Author::Customer,
            Speaker::Other { name } => bot(name),
        };
        for text in pieces(&said.text, MAX_MESSAGE_CHARS) {
            let known = |m: &Message| {
                m.body.text().trim() == text.trim() && (m.author == Author::Customer) == (author == Author::Customer)
            };
            // A bot whose lines have come one by one repeats them in the transcript.
            if !here.iter().any(known) {
                missing.push((author.clone(), text, said.at));
            }
        }
    }
    Ok(missing)
}

async fn lines(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    transcript: Vec<Line>,
) -> Result<Vec<StoredMessage>, StoreError> {
    let mut stored = Vec::new();
    for (author, text, at) in missing(c, conversation, transcript).await? {
        let new = NewMessage {
            conversation,
            author,
            body: Body::Text { text },
            client_key: None,
            at: at.unwrap_or_else(now).min(now()),
        };
        stored.push(messages::append(c, new).await?);
    }
    Ok(stored)
}

/// A customer's page shows what is said there: what a bot tells of it besides is for the agent alone.
async fn noted(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    transcript: Vec<Line>,
) -> Result<Vec<StoredMessage>, StoreError> {
    let told: Vec<String> = missing(c, conversation, transcript)
        .await?
        .into_iter()
        .map(|(author, text, _)| match author {
            Author::Bot { name } => format!("{name}: {text}"),
            Author::Customer | Author::Agent { .. } | Author::System => format!("Customer: {text}"),
        })
        .collect();
    let mut stored = Vec::new();
    if told.is_empty() {
        return Ok(stored);
    }
    let whole = format!("What the bot tells of before:\n{}", told.join("\n"));
    for text in pieces(&whole, MAX_MESSAGE_CHARS) {
        let note = NewMessage {
            body: Body::Note { text },
            ..event_line(conversation, String::new(), now())
        };
        stored.push(messages::append(c, note).await?);
    }
    Ok(stored)
}

fn customers_name(line: &Line) -> Option<String> {
    match &line.speaker {
        Speaker::Customer { name, .. } => name.clone().filter(|name| !name.trim().is_empty()),
        Speaker::Other { .. } => None,
    }
}

/// What a hand-off has become with this change, if it is anything new.
pub fn news(stored: &StoredConversation) -> Option<(Handoff, HandoffTold)> {
    match (stored.handoff?, stored.state) {
        (Handoff::Asked, ConversationState::Active) => Some((Handoff::Accepted, HandoffTold::Accepted)),
        (Handoff::Asked, ConversationState::Closed) => Some((Handoff::Over, HandoffTold::Failed)),
        (Handoff::Accepted, ConversationState::WrapUp | ConversationState::Closed) => {
            Some((Handoff::Over, HandoffTold::Completed))
        }
        (Handoff::Asked | Handoff::Accepted | Handoff::Over, _) => None,
    }
}

/// Tells a Direct Line client what became of its hand-off: an activity among the others, so that it misses none.
pub async fn tell(c: &mut SqliteConnection, stored: &StoredConversation) -> Result<Option<StoredMessage>, StoreError> {
    let (Channel::WebChat, Some((_, state)), Some(thread)) = (stored.channel, news(stored), &stored.thread) else {
        return Ok(None);
    };
    let state = state.word();
    let key = ClientKey::Page {
        thread: thread.clone(),
        key: format!("{TOLD}{state} {}", stored.id),
    };
    if messages::by_client_key(c, stored.id, &key).await?.is_some() {
        return Ok(None);
    }
    let line = NewMessage {
        client_key: Some(key),
        ..event_line(stored.id, format!("The bot was told: {state}"), now())
    };
    messages::append(c, line).await.map(Some)
}

/// The state that such a line tells, by its key.
pub fn told(key: &str) -> Option<&str> {
    key.strip_prefix(TOLD)?.split(' ').next()
}
