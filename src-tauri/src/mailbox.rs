//! What the controller tells the page, until the page takes it.
//!
//! The page asks and is answered as soon as there is something. The other way, Tauri's events, runs a script of its own
//! for each, which the page's engine compiles and keeps for long (decision 7).

use sightline_wire::desk::DeskEvent;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Events on their way to the one page that listens.
#[derive(Default)]
pub struct Mailbox {
    held: Mutex<Held>,
    changed: Notify,
}

#[derive(Default)]
struct Held {
    /// The page that listens. What happens before there is one is in the answer to its `attach`.
    page: Option<u32>,
    events: Vec<DeskEvent>,
}

impl Mailbox {
    /// For the page, in the order of the calls.
    pub fn put(&self, event: DeskEvent) {
        let mut held = self.held();
        if held.page.is_some() {
            held.events.push(event);
            self.changed.notify_waiters();
        }
    }

    /// What happens from now on is for this page. `page` is a number of its own choice: one that was loaded anew has
    /// another.
    pub fn listen(&self, page: u32) {
        *self.held() = Held {
            page: Some(page),
            events: Vec::new(),
        };
        self.changed.notify_waiters();
    }

    /// All that has come for this page, at least one event; nothing once another page listens.
    pub async fn take(&self, page: u32) -> Vec<DeskEvent> {
        loop {
            let changed = self.changed.notified();
            {
                let mut held = self.held();
                if held.page != Some(page) {
                    return Vec::new();
                }
                if !held.events.is_empty() {
                    return std::mem::take(&mut held.events);
                }
            }
            changed.await;
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::ids::ConversationId;
    use std::{sync::Arc, time::Duration};
    use tokio::{task::JoinHandle, time::timeout};

    fn event(until: i64) -> DeskEvent {
        let conversation = ConversationId(uuid::Uuid::nil());
        DeskEvent::Typing { conversation, until }
    }

    fn asks(mailbox: &Arc<Mailbox>, page: u32) -> JoinHandle<Vec<DeskEvent>> {
        let mailbox = mailbox.clone();
        tokio::spawn(async move { mailbox.take(page).await })
    }

    /// The times in the events that come.
    async fn answer(asked: JoinHandle<Vec<DeskEvent>>) -> Vec<i64> {
        let events = timeout(Duration::from_secs(5), asked)
            .await
            .expect("an answer")
            .expect("no panic");
        let time = |event| match event {
            DeskEvent::Typing { until, .. } => until,
            _ => panic!("another event"),
        };
        events.into_iter().map(time).collect()
    }

    #[tokio::test]
    async fn what_comes_between_two_questions_is_in_the_next_answer() {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.listen(1);
        let asked = asks(&mailbox, 1);
        mailbox.put(event(1));
        assert_eq!(answer(asked).await, [1]);
        mailbox.put(event(2));
        mailbox.put(event(3));
        assert_eq!(answer(asks(&mailbox, 1)).await, [2, 3]);
    }

    #[tokio::test]
    async fn a_question_waits_until_there_is_something() {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.listen(1);
        let asked = asks(&mailbox, 1);
        // One thread: the question is asked now.
        tokio::task::yield_now().await;
        assert!(!asked.is_finished());
        mailbox.put(event(1));
        assert_eq!(answer(asked).await, [1]);
    }

    #[tokio::test]
    async fn a_page_that_was_loaded_anew_begins_anew_and_the_old_one_takes_nothing() {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.put(event(1));
        mailbox.listen(1);
        let old = asks(&mailbox, 1);
        mailbox.listen(2);
        assert!(answer(old).await.is_empty());
        let new = asks(&mailbox, 2);
        mailbox.put(event(2));
        assert_eq!(answer(new).await, [2]);
    }
}
