//! Bots in front of the web chat, over Direct Line: a new web chat begins with the bot and goes to people when the bot
//! hands it over, ends, or does not answer.
//!
//! A talk stands in the database with how far it has been told and heard, so that a restart goes on with it. Each has one
//! task ([`talk`]), which [`run`] starts; what it hears comes over a stream, or by asking where there is none ([`ear`]).

mod ear;
mod say;
mod talk;

use crate::app::App;
use sightline_store::{
    StoreError, bot_talks,
    threads::{Origin, Thread},
};
use sightline_wire::{conversation::ContextValue, ids::ConversationId, routing::wants_video};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, task::JoinSet, time::sleep};

/// After a failure of the database it is looked again then.
const AGAIN: Duration = Duration::from_secs(5);

/// The context variable by which a page says which of several entries it is.
const ENTRY: &str = "entry";

/// The talks that have a task.
#[derive(Default)]
pub struct Bots {
    running: Mutex<HashMap<ConversationId, Arc<Stir>>>,
    begun: Notify,
}

/// What a talk's task is woken by.
#[derive(Default)]
pub struct Stir {
    changed: Notify,
    typing: AtomicBool,
}

impl Bots {
    /// Something has happened in a conversation that a bot has.
    pub fn stir(&self, conversation: ConversationId) {
        match self.lock().get(&conversation) {
            Some(stir) => stir.changed.notify_one(),
            None => self.begun.notify_one(),
        }
    }

    /// The customer is writing to the bot.
    pub fn typing(&self, conversation: ConversationId) {
        if let Some(stir) = self.lock().get(&conversation) {
            stir.typing.store(true, Ordering::Relaxed);
            stir.changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConversationId, Arc<Stir>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connector whose bot a new conversation of this thread begins with. Whoever comes to see somebody sees somebody.
pub fn in_front_of(app: &App, thread: &Thread) -> Option<String> {
    if thread.origin != Origin::Page || wants_video(&thread.context) {
        return None;
    }
    let entry = match thread.context.get(ENTRY) {
        Some(ContextValue::Text(entry)) => Some(entry.as_str()),
        Some(ContextValue::Truth(_) | ContextValue::Number(_)) | None => None,
    };
    let lines = app.connectors.all();
    let bots = || {
        let on = lines.iter().filter(|line| line.standing.is_on());
        on.filter_map(|line| Some((line, line.connector.direct_line()?)))
    };
    let named = bots().find(|(_, bot)| bot.entry.is_some() && bot.entry.as_deref() == entry);
    let any = || bots().find(|(_, bot)| bot.entry.is_none());
    named.or_else(any).map(|(line, _)| line.name.clone())
}

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    let mut talks: JoinSet<ConversationId> = JoinSet::new();
    loop {
        if let Err(error) = start(&app, &mut talks).await {
            tracing::error!(%error, "the bots' conversations cannot be read");
            tokio::select! {
                () = stopping.stopped() => break,
                () = sleep(AGAIN) => continue,
            }
        }
        tokio::select! {
            () = stopping.stopped() => break,
            () = app.bots.begun.notified() => {}
            Some(done) = talks.join_next() => match done {
                Ok(conversation) => drop(app.bots.lock().remove(&conversation)),
                Err(error) => {
                    // Which one it was is not told: all of them begin again where they stand in the database.
                    tracing::error!(%error, "a bot's task did not finish");
                    talks.shutdown().await;
                    app.bots.lock().clear();
                }
            },
        }
    }
    talks.shutdown().await;
}

/// A task for every talk that has none.
async fn start(app: &Arc<App>, talks: &mut JoinSet<ConversationId>) -> Result<(), StoreError> {
    let mut c = app.store.read().await?;
    let running = bot_talks::running(&mut c).await?;
    drop(c);
    for talk in running {
        let mut tasks = app.bots.lock();
        if tasks.contains_key(&talk.conversation) {
            continue;
        }
        let stir = Arc::new(Stir::default());
        tasks.insert(talk.conversation, stir.clone());
        let app = app.clone();
        talks.spawn(async move {
            let conversation = talk.conversation;
            talk::run(&app, talk, &stir).await;
            conversation
        });
    }
    Ok(())
}
