//! The customer's side of a conversation, from the own pages and from platforms: writing, typing, leaving, being there.

use crate::{
    app::{App, Change, now},
    beginnings::{self, Said},
    bots,
    connectors::inbound,
    files::{self, MOST_FILES, Sent},
    http::refusal::Refusal,
};
use serde_json::Value;
use sightline_call::{
    conversation::{Leaving, Place, customer_leaves, customer_writes},
    text::check_message,
};
use sightline_connect::bot::variables::LiveChat;
use sightline_store::{
    SqliteConnection, StoreError, Writing, bot_talks, conversations,
    messages::{self, ClientKey, NewMessage, StoredMessage},
    origins,
    threads::{self, Origin, Thread},
};
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    agent::AgentEvent,
    conversation::{Author, Body, ConversationState},
    history::HistoryLine,
    ids::{AccountId, ConversationId},
    routing::{TARGET_CHANNEL, VIDEO_CALL},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;
use uuid::Uuid;

/// How long "is writing" is shown after the last sign of it.
const TYPING_MS: i64 = 6_000;

/// Signals that may wait for one stream. Missing some is harmless: messages are read from the database.
const QUEUE: usize = 64;

/// The line of history with which a telephone call begins.
pub const ON_THE_PHONE: &str = "The customer is on the phone";

/// Lines of history in which something that is said again is looked for.
const LOOKED_BACK: i64 = 100;

/// What an open page is told.
#[derive(Debug, Clone)]
pub enum PageSignal {
    /// Something was committed: read on.
    New,
    /// The agent is writing.
    Typing {
        /// Who.
        account: AccountId,
        /// Their name.
        name: String,
        /// When.
        at: UnixMillis,
    },
    /// The bot is writing.
    BotTyping {
        /// Its name.
        name: String,
        /// When.
        at: UnixMillis,
    },
}

struct Open {
    streams: usize,
    signals: broadcast::Sender<PageSignal>,
}

/// The customers' pages that are open now.
#[derive(Default)]
pub struct Pages {
    open: Mutex<HashMap<String, Open>>,
}

impl Pages {
    /// A stream of the thread opens; `true` beside it when it is the first.
    pub fn enter(&self, thread: &str) -> (broadcast::Receiver<PageSignal>, bool) {
        let mut open = self.lock();
        let page = open.entry(thread.to_string()).or_insert_with(|| Open {
            streams: 0,
            signals: broadcast::channel(QUEUE).0,
        });
        page.streams += 1;
        (page.signals.subscribe(), page.streams == 1)
    }

    /// A stream closes; `true` when it was the last.
    pub fn leave(&self, thread: &str) -> bool {
        let mut open = self.lock();
        let Some(page) = open.get_mut(thread) else { return false };
        page.streams -= 1;
        let last = page.streams == 0;
        if last {
            open.remove(thread);
        }
        last
    }

    /// Whether the customer has the chat open now.
    pub fn present(&self, thread: &str) -> bool {
        self.lock().contains_key(thread)
    }

    /// Tells the thread's open streams, if there are any.
    pub fn signal(&self, thread: &str, signal: PageSignal) {
        if let Some(page) = self.lock().get(thread) {
            let _ = page.signals.send(signal);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a page sends.
pub struct PageMessage {
    /// What was written.
    pub text: String,
    /// What was sent with it.
    pub files: Vec<Sent>,
    /// What of a bot's offer it chooses; the text is then for whoever reads the conversation.
    pub chosen: Option<Chosen>,
    /// `clientActivityID`; sending it twice stores one message.
    pub client_key: Option<String>,
    /// The page's own id for the person, and their name.
    pub user: (String, Option<String>),
}

/// What a button of a bot's offer sends.
pub struct Chosen {
    /// Words for the bot.
    pub said: Option<String>,
    /// What else it gets.
    pub value: Option<Value>,
    /// Whether the customer's own chat shows it.
    pub seen: bool,
}

/// The customer writes. After the agent has finished, the same thread goes on with a new conversation.
pub async fn write(app: &App, thread: &str, sent: PageMessage) -> Result<StoredMessage, Refusal> {
    if sent.files.is_empty() || !sent.text.trim().is_empty() {
        check_message(&sent.text)?;
    }
    if sent.files.len() > MOST_FILES {
        return Err(Problem::new(ErrorCode::FileTooLarge)
            .saying(format!("A message has at most {MOST_FILES} files."))
            .into());
    }
    let mut writing = app.store.write().await?;
    let thread = threads::get(writing.conn(), thread).await?.ok_or(ErrorCode::NotFound)?;
    write_within(app, writing, thread, sent).await
}

/// The same in a transaction that has found, or made, the thread.
pub async fn write_within(
    app: &App,
    mut writing: Writing,
    mut thread: Thread,
    sent: PageMessage,
) -> Result<StoredMessage, Refusal> {
    let now = now();
    remember_user(&mut writing, &mut thread, &sent.user).await?;
    let key = sent.client_key.map(|key| ClientKey::Page {
        thread: thread.id.clone(),
        key,
    });
    let current = match thread.conversation {
        Some(id) => conversations::get(writing.conn(), id).await?,
        None => None,
    };
    if let Some(key) = &key {
        // The conversation does not matter for a page's key: it is looked up in the whole thread.
        let anywhere = thread.conversation.unwrap_or(ConversationId(Uuid::nil()));
        if let Some(stored) = messages::by_client_key(writing.conn(), anywhere, key).await? {
            let same = match sent.files.is_empty() {
                true => stored.message.body.text() == sent.text,
                false => stored.message.body.text() == files::text(&sent.text, &sent.files),
            };
            return if same {
                Ok(stored)
            } else {
                Err(ErrorCode::MessageIdReused.into())
            };
        }
    }
    let (conversation, before) = match (customer_writes(current.as_ref().map(|c| c.state)), current) {
        (Place::Current, Some(current)) => (current.id, current.state),
        (Place::Current | Place::New, _) => {
            let begun = open(app, &mut writing, &thread, now).await?;
            if let Some(connector) = bots::in_front_of(app, &thread) {
                bot_talks::begin(writing.conn(), (begun, &thread.id), &connector, now).await?;
            }
            (begun, ConversationState::Open)
        }
    };
    let body = match (sent.chosen, sent.files.is_empty()) {
        (Some(Chosen { said, value, seen }), true) => Body::Choice {
            text: sent.text,
            said,
            value,
            seen,
        },
        (None, true) => Body::Text { text: sent.text },
        (_, false) => {
            let place = (thread.id.as_str(), conversation);
            files::keep(writing.conn(), place, &sent.text, sent.files, now).await?
        }
    };
    let new = NewMessage {
        conversation,
        author: Author::Customer,
        body,
        client_key: key,
        at: now,
    };
    let stored = messages::append(writing.conn(), new).await?;
    app.settle(writing, conversation, before, vec![stored.clone()]).await?;
    Ok(stored)
}

/// Begins the thread's next conversation, with what the thread knows.
pub async fn open(
    app: &App,
    writing: &mut Writing,
    thread: &Thread,
    now: UnixMillis,
) -> Result<ConversationId, StoreError> {
    let c = writing.conn();
    let said = Said {
        context: thread.context.clone(),
        hidden: threads::hidden(c, &thread.id).await?,
        trusted: match thread.origin {
            Origin::Page => app.config.deployment.links.unsigned_may_choose_agent,
            // Signed by the platform, which lets no customer write into it.
            Origin::Platform { .. } => true,
        },
        came_by: None,
    };
    let begun = beginnings::in_thread(c, thread, &said, now).await?;
    if let Origin::Platform {
        connector, external, ..
    } = &thread.origin
    {
        origins::add_alias(c, begun, connector, external).await?;
    }
    Ok(begun)
}

/// The customer is writing.
pub async fn typing(app: &App, thread: &str) -> Result<(), Refusal> {
    let mut c = app.store.read().await?;
    let Some(conversation) = threads::get(&mut c, thread).await?.and_then(|t| t.conversation) else {
        return Ok(());
    };
    if let Some(stored) = conversations::get(&mut c, conversation).await?
        && matches!(stored.state, ConversationState::Open | ConversationState::Active)
    {
        if stored.hidden() {
            app.bots.typing(conversation);
            return Ok(());
        }
        let view = app.view(stored);
        let event = AgentEvent::Typing {
            conversation,
            until: now() + TYPING_MS,
        };
        app.desks.tell(app.audience(&view), &event);
    }
    Ok(())
}

/// The customer ends the chat.
pub async fn leave(app: &App, thread: &str) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let Some(conversation) = threads::get(writing.conn(), thread).await?.and_then(|t| t.conversation) else {
        return Ok(());
    };
    let Some(stored) = conversations::get(writing.conn(), conversation).await? else {
        return Ok(());
    };
    match customer_leaves(stored.state) {
        Leaving::Nothing => return Ok(()),
        Leaving::Tell => {}
        Leaving::Close => {
            let closed = ConversationState::Closed;
            conversations::set_state(writing.conn(), conversation, closed, now()).await?;
        }
    }
    let said = "The customer left the chat";
    if said_already(writing.conn(), conversation, said).await? {
        return Ok(());
    }
    let line = told_line(conversation, HistoryLine::CustomerLeft, said.into(), now());
    let message = messages::append(writing.conn(), line).await?;
    app.settle(writing, conversation, stored.state, vec![message]).await?;
    Ok(())
}

/// Tells the agents that the customer's page has opened or closed.
pub async fn presence_changed(app: &App, thread: &str) -> Result<(), StoreError> {
    // Nothing is written, but it is told in turn: a conversation told out of turn could be an older one.
    let mut turn = app.store.write().await?;
    let Some(conversation) = threads::get(turn.conn(), thread).await?.and_then(|t| t.conversation) else {
        return Ok(());
    };
    if let Some(stored) = conversations::get(turn.conn(), conversation).await? {
        let with_bot = stored.bot.is_some();
        let view = app.view(stored);
        app.count_away(thread, &view);
        if !with_bot {
            app.tell_changed(view);
        }
    }
    Ok(())
}

/// Whether the history ends so, as far as the customer is concerned: platforms say without an id that something is over,
/// and say it again.
pub async fn said_already(
    c: &mut SqliteConnection,
    conversation: ConversationId,
    said: &str,
) -> Result<bool, StoreError> {
    let newest = messages::before(c, conversation, i64::MAX, LOOKED_BACK).await?;
    let last = newest
        .iter()
        .rev()
        .find_map(|message| match (&message.author, &message.body) {
            (Author::Customer, _) => Some(false),
            (_, Body::Event { text, .. }) if text == said => Some(true),
            (_, Body::Event { text, .. }) if text == ON_THE_PHONE => Some(false),
            _ => None,
        });
    Ok(last == Some(true))
}

/// The customer's page has received a conversation's messages up to this number.
pub async fn delivered(app: &App, conversation: ConversationId, seq: i64) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    if !conversations::mark_delivered(writing.conn(), conversation, seq).await? {
        return Ok(());
    }
    let Some(stored) = conversations::get(writing.conn(), conversation).await? else {
        return Ok(());
    };
    let with_bot = stored.bot.is_some();
    let view = app.view(stored);
    let committed = writing.commit().await?;
    if !with_bot {
        app.tell_changed(view);
    }
    drop(committed);
    Ok(())
}

/// What is known of the customer has changed. What a page says is not what a link of ours says, and takes nothing from it.
pub async fn learn(app: &App, thread: &str, told: LiveChat, believed: bool, of_links: &[&str]) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    let mut thread = threads::get(c, thread).await?.ok_or(ErrorCode::NotFound)?;
    let current = inbound::current(c, &thread).await?;
    let mut context = told.context;
    if !believed {
        context.retain(|name, _| !of_links.contains(&name.as_str()));
        if let Some((id, _)) = current
            && let Some(stored) = conversations::get(c, id).await?
            && stored.origin.trusted
        {
            context.retain(|name, _| !stored.context.contains_key(name));
        }
    }
    if !told.hidden.is_empty() {
        let mut hidden: BTreeSet<String> = threads::hidden(c, &thread.id).await?.into_iter().collect();
        hidden.extend(told.hidden);
        let hidden: Vec<String> = hidden.into_iter().collect();
        threads::hide(c, &thread.id, &hidden).await?;
        if let Some((id, _)) = current {
            origins::hide(c, id, &hidden).await?;
        }
    }
    inbound::keep_context(&mut writing, &mut thread, &context).await?;
    match current {
        Some((conversation, before)) => {
            app.settle(writing, conversation, before, Vec::new()).await?;
        }
        None => drop(writing.commit().await?),
    }
    Ok(())
}

/// The customer, or a bot that speaks for them, asks for video. Asking again while the wish is open says nothing new.
pub async fn wants_video(app: &App, thread: &str) -> Result<(), Refusal> {
    let now = now();
    let mut writing = app.store.write().await?;
    let mut thread = threads::get(writing.conn(), thread).await?.ok_or(ErrorCode::NotFound)?;
    let current = match thread.conversation {
        Some(id) => conversations::get(writing.conn(), id).await?,
        None => None,
    };
    let (id, before) = match (customer_writes(current.as_ref().map(|c| c.state)), current) {
        (Place::Current, Some(current)) => {
            if app.video_request(&current).is_some() || current.escalation.is_some_and(|call| call.state.holds_slot()) {
                return Ok(());
            }
            // A bot cannot be seen: this is for people.
            bot_talks::release(writing.conn(), current.id, now).await?;
            (current.id, current.state)
        }
        (Place::Current | Place::New, _) => {
            // What was wished for before is not wished for again in the next conversation of the page.
            for wish in [VIDEO_CALL, TARGET_CHANNEL] {
                thread.context.remove(wish);
            }
            (open(app, &mut writing, &thread, now).await?, ConversationState::Open)
        }
    };
    let line = told_line(id, HistoryLine::VideoAsked, "Video call asked for".into(), now);
    let line = messages::append(writing.conn(), line).await?;
    app.settle_with(
        writing,
        id,
        before,
        Change {
            messages: vec![line],
            video_asked_at: Some(now),
            ..Change::default()
        },
    )
    .await?;
    app.bots.stir(id);
    Ok(())
}

/// A line of history.
pub fn event_line(conversation: ConversationId, text: String, at: UnixMillis) -> NewMessage {
    NewMessage {
        conversation,
        author: Author::System,
        body: Body::Event { text, line: None },
        client_key: None,
        at,
    }
}

/// A line of history that the customer may read in another language.
pub fn told_line(conversation: ConversationId, line: HistoryLine, text: String, at: UnixMillis) -> NewMessage {
    NewMessage {
        body: Body::Event { text, line: Some(line) },
        ..event_line(conversation, String::new(), at)
    }
}

async fn remember_user(
    writing: &mut Writing,
    thread: &mut Thread,
    (id, name): &(String, Option<String>),
) -> Result<(), StoreError> {
    let new_id = thread.user_id.is_empty() && !id.is_empty();
    let new_name = thread.user_name.is_empty() && name.is_some();
    if new_id {
        thread.user_id = id.clone();
    }
    if let (true, Some(name)) = (new_name, name) {
        thread.user_name = name.clone();
    }
    if new_id || new_name {
        let (id, name) = (thread.user_id.clone(), thread.user_name.clone());
        threads::set_user(writing.conn(), &thread.id, &id, &name).await?;
    }
    Ok(())
}
