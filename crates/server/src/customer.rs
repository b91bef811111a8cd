//! The customer's side of a conversation: writing, typing, leaving, being there.

use crate::{
    app::{App, now},
    desks::Audience,
    http::refusal::Refusal,
};
use sightline_call::{
    conversation::{Leaving, Place, customer_leaves, customer_writes},
    text::check_message,
};
use sightline_store::{
    StoreError, Writing,
    conversations::{self, NewConversation},
    messages::{self, ClientKey, NewMessage, StoredMessage},
    threads::{self, Thread},
};
use sightline_wire::{
    ErrorCode, UnixMillis,
    agent::AgentEvent,
    conversation::{Author, Body, Channel, ConversationState},
    ids::{AccountId, ConversationId},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;
use uuid::Uuid;

/// How long "is writing" is shown after the last sign of it.
const TYPING_MS: i64 = 6_000;

/// Signals that may wait for one stream. Missing some is harmless: messages are read from the database.
const QUEUE: usize = 64;

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
    /// `clientActivityID`; sending it twice stores one message.
    pub client_key: Option<String>,
    /// The page's own id for the person, and their name.
    pub user: (String, Option<String>),
}

/// The customer writes. After the agent has finished, the same thread goes on with a new conversation.
pub async fn write(app: &App, thread: &str, sent: PageMessage) -> Result<StoredMessage, Refusal> {
    check_message(&sent.text)?;
    let now = now();
    let mut writing = app.store.write().await?;
    let mut thread = threads::get(writing.conn(), thread).await?.ok_or(ErrorCode::NotFound)?;
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
            return if stored.message.body.text() == sent.text {
                Ok(stored)
            } else {
                Err(ErrorCode::MessageIdReused.into())
            };
        }
    }
    let (conversation, before) = match (customer_writes(current.as_ref().map(|c| c.state)), current) {
        (Place::Current, Some(current)) => (current.id, current.state),
        (Place::Current | Place::New, _) => (open(&mut writing, &thread, now).await?, ConversationState::Open),
    };
    let new = NewMessage {
        conversation,
        author: Author::Customer,
        body: Body::Text { text: sent.text },
        client_key: key,
        at: now,
    };
    let stored = messages::append(writing.conn(), new).await?;
    app.settle(writing, conversation, before, vec![stored.clone()]).await?;
    Ok(stored)
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
        let view = app.view(stored);
        let event = AgentEvent::Typing {
            conversation,
            until: now() + TYPING_MS,
        };
        app.desks.tell(Audience::of(&view), &event);
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
    let line = event_line(conversation, "The customer left the chat".into(), now());
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
        let view = app.view(stored);
        app.desks.tell(Audience::of(&view), &AgentEvent::Conversation(view));
    }
    Ok(())
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
    let view = app.view(stored);
    let committed = writing.commit().await?;
    app.desks.tell(Audience::of(&view), &AgentEvent::Conversation(view));
    drop(committed);
    Ok(())
}

/// A line of history.
pub fn event_line(conversation: ConversationId, text: String, at: UnixMillis) -> NewMessage {
    NewMessage {
        conversation,
        author: Author::System,
        body: Body::Event { text },
        client_key: None,
        at,
    }
}

async fn open(writing: &mut Writing, thread: &Thread, now: UnixMillis) -> Result<ConversationId, StoreError> {
    let new = NewConversation {
        id: ConversationId(Uuid::new_v4()),
        channel: Channel::WebChat,
        thread: Some(thread.id.clone()),
        customer_name: thread.user_name.clone(),
        context: thread.context.clone(),
    };
    conversations::open(writing.conn(), &new, now).await?;
    threads::set_conversation(writing.conn(), &thread.id, new.id).await?;
    Ok(new.id)
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
