//! How a platform stands: switched on or off, working or not, and what patience it asks for.

use super::exchange;
use crate::app::now;
use sightline_store::connectors::Switch;
use sightline_wire::{UnixMillis, connectors::ConnectorState};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Of one platform, under the name that its table has.
pub struct Standing {
    name: String,
    /// Between two calls.
    gap: Duration,
    state: Mutex<State>,
}

struct State {
    switch: Switch,
    failing: Option<Failing>,
    /// The platform asked for patience until then.
    held_until: UnixMillis,
    /// The next call leaves then at the earliest.
    next_call: UnixMillis,
    heard_at: Option<UnixMillis>,
    sent_at: Option<UnixMillis>,
}

#[derive(Clone)]
struct Failing {
    code: String,
    since: UnixMillis,
}

impl Standing {
    /// Of a platform that nothing is known of yet.
    pub fn new(name: &str, gap: Duration) -> Self {
        Self {
            name: name.to_owned(),
            gap,
            state: Mutex::new(State {
                switch: Switch::On,
                failing: None,
                held_until: 0,
                next_call: 0,
                heard_at: None,
                sent_at: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it may have traffic.
    pub fn is_on(&self) -> bool {
        self.lock().switch == Switch::On
    }

    /// Switches it.
    pub fn set_switch(&self, switch: Switch) {
        let mut state = self.lock();
        state.switch = switch;
        state.failing = None;
    }

    /// As an admin reads it.
    pub fn state(&self) -> ConnectorState {
        let state = self.lock();
        match (state.switch, state.failing.clone()) {
            (Switch::Off, _) => ConnectorState::Disabled,
            (Switch::On, Some(Failing { code, since })) => ConnectorState::Failing {
                sentence: exchange::sentence(&code),
                code,
                since,
            },
            (Switch::On, None) => ConnectorState::Enabled,
        }
    }

    /// When the platform last called, and when it last took something.
    pub fn seen(&self) -> (Option<UnixMillis>, Option<UnixMillis>) {
        let state = self.lock();
        (state.heard_at, state.sent_at)
    }

    /// The platform has called.
    pub fn heard(&self) {
        self.lock().heard_at = Some(now());
    }

    /// A call came to something. A platform that asked for patience meanwhile still wants it: the call was older.
    pub fn worked(&self) {
        let mut state = self.lock();
        state.sent_at = Some(now());
        if state.failing.take().is_some() {
            tracing::info!(connector = self.name, "the platform takes calls again");
        }
    }

    /// A call came to nothing.
    pub fn failed(&self, code: &str) {
        let mut state = self.lock();
        let since = state.failing.as_ref().map_or_else(now, |failing| failing.since);
        if state.failing.as_ref().is_none_or(|failing| failing.code != code) {
            tracing::warn!(connector = self.name, code, "the platform does not take calls");
        }
        state.failing = Some(Failing {
            code: code.to_owned(),
            since,
        });
    }

    /// The platform asks for patience.
    pub fn hold(&self, after: Duration) {
        let mut state = self.lock();
        let until = now().saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
        state.held_until = state.held_until.max(until);
    }

    /// The platform was asked and has patience itself.
    pub fn release(&self) {
        self.lock().held_until = 0;
    }

    /// Until when the platform wants no calls; in the past where it takes them.
    pub fn held_until(&self) -> UnixMillis {
        self.lock().held_until
    }

    /// Takes the next place in the row of calls: how long it is until then.
    pub fn place_in_row(&self) -> Duration {
        let at = now();
        let mut state = self.lock();
        let mine = state.next_call.max(at);
        state.next_call = mine + i64::try_from(self.gap.as_millis()).unwrap_or(0);
        Duration::from_millis(u64::try_from(mine - at).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_older_does_not_end_the_patience_that_was_asked_for() {
        let standing = Standing::new("shop", Duration::ZERO);
        standing.hold(Duration::from_secs(60));
        let until = standing.held_until();
        standing.worked();
        assert!(until > now() && standing.held_until() == until);
        standing.release();
        assert_eq!(standing.held_until(), 0);
    }

    #[test]
    fn it_fails_since_the_first_failure_and_until_something_works() {
        let standing = Standing::new("shop", Duration::ZERO);
        standing.failed("503");
        let ConnectorState::Failing { since, .. } = standing.state() else {
            panic!("it fails");
        };
        standing.failed("no_answer");
        let failing = ConnectorState::Failing {
            code: "no_answer".to_owned(),
            sentence: "The platform does not answer.".to_owned(),
            since,
        };
        assert_eq!(standing.state(), failing);
        standing.worked();
        assert_eq!(standing.state(), ConnectorState::Enabled);
        standing.set_switch(Switch::Off);
        standing.failed("503");
        assert_eq!(standing.state(), ConnectorState::Disabled);
    }
}
