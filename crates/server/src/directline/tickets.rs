//! Single-use tickets that open a stream. A WebSocket cannot carry a bearer header, and no token stands in an
//! address, so the address carries one of these.

use crate::secrets;
use sightline_wire::UnixMillis;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// How long a ticket waits to be used.
pub const TICKET_MS: i64 = 60_000;

/// The tickets given out and not used yet.
#[derive(Default)]
pub struct Tickets {
    waiting: Mutex<HashMap<String, (String, UnixMillis)>>,
}

impl Tickets {
    /// A ticket for one stream of the thread.
    pub fn give(&self, thread: &str, now: UnixMillis) -> String {
        let ticket = secrets::token();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, (_, until)| *until > now);
        waiting.insert(secrets::hash(&ticket), (thread.to_string(), now + TICKET_MS));
        ticket
    }

    /// Takes a ticket; `true` when it was good for this thread.
    pub fn take(&self, ticket: &str, thread: &str, now: UnixMillis) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting
            .remove(&secrets::hash(ticket))
            .is_some_and(|(its_thread, until)| its_thread == thread && until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_for_a_minute() {
        let tickets = Tickets::default();
        let ticket = tickets.give("t", 0);
        assert!(tickets.take(&ticket, "t", 1));
        assert!(!tickets.take(&ticket, "t", 2));
        let late = tickets.give("t", 0);
        assert!(!tickets.take(&late, "t", TICKET_MS));
        let foreign = tickets.give("t", 0);
        assert!(!tickets.take(&foreign, "u", 1));
    }
}
