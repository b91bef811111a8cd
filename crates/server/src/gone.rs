//! Ends the web chats of customers whose pages are gone for too long: one sleep until the next of them, woken when there is
//! a first one.
//!
//! A chat is counted while its customer's page is away and nothing holds it: no call, and no promise that somebody will come.
//! Nobody is looked up at intervals: a page that goes or comes, a request of a page without a stream, and every change of a
//! conversation say so. A restart begins to count anew for everybody, since all pages were away while the server was.

use crate::{
    app::{App, now},
    conversations::facts,
    customer::told_line,
    escalations,
    http::refusal::Refusal,
};
use sightline_call::conversation::{Gone, customer_gone};
use sightline_store::{
    SqliteConnection, StoreError,
    conversations::{self, StoredConversation},
    messages, threads,
};
use sightline_wire::{
    UnixMillis,
    conversation::{Author, Channel, Conversation, ConversationState},
    escalation::EscalationState,
    history::HistoryLine,
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};

/// The clock is read again at least this often, in case it jumped or the machine slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// After a failure it is tried again then.
const AGAIN_MS: i64 = 5_000;

/// The threads whose customers are away.
#[derive(Default)]
struct Counted {
    /// When each is over.
    ends: HashMap<String, UnixMillis>,
    /// The same, the next one first.
    order: BTreeSet<(UnixMillis, String)>,
}

impl Counted {
    fn set(&mut self, thread: &str, at: UnixMillis) {
        self.forget(thread);
        self.ends.insert(thread.to_owned(), at);
        self.order.insert((at, thread.to_owned()));
    }

    fn forget(&mut self, thread: &str) {
        if let Some(at) = self.ends.remove(thread) {
            self.order.remove(&(at, thread.to_owned()));
        }
    }
}

/// The customers who are away, and how long they may be.
pub struct Away {
    /// `None`: for as long as they like.
    patience_ms: Option<i64>,
    counted: Mutex<Counted>,
    changed: Notify,
}

impl Away {
    /// With the deployment's patience.
    pub fn new(patience: Option<Duration>) -> Self {
        Self {
            patience_ms: patience.map(|patience| i64::try_from(patience.as_millis()).unwrap_or(i64::MAX)),
            counted: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// The customer's page is there.
    pub fn here(&self, thread: &str) {
        self.lock().forget(thread);
    }

    /// A page without a stream has asked for something: it was there just now.
    pub fn seen(&self, thread: &str) {
        let mut counted = self.lock();
        if let (Some(patience), true) = (self.patience_ms, counted.ends.contains_key(thread)) {
            counted.set(thread, now().saturating_add(patience));
        }
    }

    /// The customer's page is away, from now on if it was not before.
    fn away(&self, thread: &str) {
        let Some(patience) = self.patience_ms else { return };
        let mut counted = self.lock();
        if counted.ends.contains_key(thread) {
            return;
        }
        let first = counted.order.is_empty();
        counted.set(thread, now().saturating_add(patience));
        drop(counted);
        if first {
            self.changed.notify_one();
        }
    }

    fn again_later(&self, thread: &str) {
        self.lock().set(thread, now().saturating_add(AGAIN_MS));
    }

    /// Whether this one's time is over, still.
    fn is_over(&self, thread: &str) -> bool {
        self.lock().ends.get(thread).is_some_and(|at| *at <= now())
    }

    fn next(&self) -> Option<(UnixMillis, String)> {
        self.lock().order.first().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Counts, or does not any more, after a change of the conversation or of its customer's page.
    pub fn count_away(&self, thread: &str, conversation: &Conversation) {
        let in_call = conversation.escalation.as_ref().is_some_and(|call| {
            matches!(
                call.state,
                EscalationState::Joining { .. } | EscalationState::Live { .. }
            )
        });
        let counts = conversation.channel == Channel::WebChat
            && matches!(conversation.state, ConversationState::Open | ConversationState::Active)
            && !conversation.customer_present
            && !in_call;
        match counts {
            true => self.away.away(thread),
            false => self.away.here(thread),
        }
    }
}

/// Everybody is away when the server starts.
pub async fn restore(app: &App) -> Result<(), StoreError> {
    let mut c = app.store.read().await?;
    for stored in conversations::unfinished(&mut c).await? {
        if let Some(thread) = stored.thread.clone() {
            app.count_away(&thread, &app.view(stored));
        }
    }
    Ok(())
}

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    loop {
        let wait = match app.away.next() {
            Some((at, thread)) if at <= now() => {
                if let Err(refusal) = end(&app, &thread).await {
                    let code = refusal.into_problem().code;
                    tracing::error!(?code, "the chat of a customer who is gone could not be ended yet");
                    app.away.again_later(&thread);
                }
                continue;
            }
            Some((at, _)) => Duration::from_millis(u64::try_from(at - now()).unwrap_or(0)).min(LONGEST_SLEEP),
            None => LONGEST_SLEEP,
        };
        tokio::select! {
            () = stopping.stopped() => return,
            () = app.away.changed.notified() => {}
            () = sleep(wait) => {}
        }
    }
}

/// This customer's time is over.
async fn end(app: &App, thread: &str) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    // The page may have come back while the turn was waited for.
    if !app.away.is_over(thread) {
        return Ok(());
    }
    app.away.here(thread);
    let Some(id) = threads::get(c, thread).await?.and_then(|thread| thread.conversation) else {
        return Ok(());
    };
    let Some(stored) = conversations::get(c, id).await? else {
        return Ok(());
    };
    if app.pages.present(thread) || promised(c, &stored).await? {
        return Ok(());
    }
    let call = stored.escalation.as_ref().map(|call| (call.id, call.state));
    let (state, invite) = match customer_gone(facts(&stored).state, call) {
        Gone::Stays => return Ok(()),
        Gone::Close(invite) => (ConversationState::Closed, invite),
        Gone::WrapUp(invite) => (ConversationState::WrapUp, invite),
    };
    let mut lines = Vec::new();
    let mut ended = None;
    if let Some((invite, reason)) = invite {
        ended = escalations::end_within(c, invite, reason).await?;
        lines.extend(ended.as_ref().map(|ended| ended.line.clone()));
    }
    conversations::set_state(c, id, state, now()).await?;
    let patience = app.away.patience_ms.unwrap_or_default();
    let text = format!("The customer was gone for {}, so the chat has ended", words(patience));
    lines.push(messages::append(c, told_line(id, HistoryLine::CustomerGone, text, now())).await?);
    tracing::info!(conversation = %id, ?state, "ended: the customer is gone");
    app.settle(writing, id, stored.state, lines).await?;
    if let Some(ended) = ended {
        app.rooms.over(ended.room, ended.reason);
    }
    Ok(())
}

/// Who was told that the message waits for somebody need not wait at the page. That holds until the page has got an answer.
async fn promised(c: &mut SqliteConnection, stored: &StoredConversation) -> Result<bool, StoreError> {
    if !stored.routing.as_ref().is_some_and(|routed| routed.promised) {
        return Ok(false);
    }
    let received = messages::after(c, stored.id, 0, i64::MAX).await?;
    let answered = received
        .iter()
        .any(|message| matches!(message.author, Author::Agent { .. }) && message.seq <= stored.delivered_seq);
    Ok(!answered)
}

fn words(ms: i64) -> String {
    let seconds = ms / 1_000;
    let (count, unit) = match seconds % 60 {
        0 => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_is_the_one_who_is_away_for_longest() {
        let away = Away::new(Some(Duration::from_secs(60)));
        assert_eq!(away.next(), None);
        away.away("a");
        let first = away.next().unwrap();
        assert_eq!(first.1, "a");
        away.lock().set("b", first.0 + 1);
        away.away("a");
        assert_eq!(away.next(), Some(first.clone()), "who is away already goes on being so");
        assert!(!away.is_over("a"));
        away.lock().set("a", first.0 + 2);
        assert_eq!(away.next().unwrap().1, "b");
        away.here("b");
        away.seen("b");
        assert_eq!(
            away.next().unwrap().1,
            "a",
            "who is not away is not counted by a request"
        );
        away.here("a");
        assert_eq!(away.next(), None);
    }

    #[test]
    fn nobody_is_counted_where_nobody_leaves_by_being_away() {
        let away = Away::new(None);
        away.away("a");
        away.seen("a");
        assert_eq!(away.next(), None);
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!(words(180_000), "3 minutes");
        assert_eq!(words(60_000), "1 minute");
        assert_eq!(words(1_000), "1 second");
        assert_eq!(words(90_000), "90 seconds");
    }
}
