//! Tokens and keys that platforms give for a time.
#![expect(
    clippy::disallowed_types,
    reason = "a connector is shared and what it was given changes: the only lock here, never held across a call"
)]

use crate::{HttpCall, Outcome, Reject, Secret, http};
use serde::Deserialize;
use sightline_wire::UnixMillis;
use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

/// Nobody else is told of a fetch for so long: it is being made. One that failed is repeated then.
const PAUSE: Duration = Duration::from_secs(10);

/// Something that is fetched, used and fetched again before it expires.
pub(crate) struct Renewed<T> {
    state: RwLock<State<T>>,
    patience: Duration,
}

struct State<T> {
    held: Option<Held<T>>,
    /// When somebody was told to fetch it.
    asked: Option<UnixMillis>,
    /// The address of the second half, where the first one only says where the thing is.
    then: Option<String>,
    /// It did not fit, though it should have lasted longer.
    unfit: bool,
}

struct Held<T> {
    value: T,
    since: UnixMillis,
    renew_at: UnixMillis,
}

/// Which half of a fetch comes now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The first one, mostly the only one.
    Begin,
    /// The second one, at the address that the first one told.
    Then(String),
}

impl<T: Clone> Renewed<T> {
    /// With nothing in it. What does not fit ([`Self::unfit`]) is fetched anew no more often than every `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        let state = State {
            held: None,
            asked: None,
            then: None,
            unfit: false,
        };
        Self {
            state: RwLock::new(state),
            patience,
        }
    }

    /// What is there now; an old one is better than none while a new one cannot be fetched.
    pub(crate) fn value(&self) -> Option<T> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.held.as_ref().map(|held| held.value.clone())
    }

    /// Whether it has to be fetched now. Who hears yes does it.
    pub(crate) fn due(&self, now: UnixMillis) -> Option<Step> {
        self.change(|state| {
            if let Some(address) = state.then.take() {
                return Some(Step::Then(address));
            }
            let wanted = match &state.held {
                None => true,
                // A clock that was set back does not make things last longer.
                Some(held) if now < held.since || now >= held.renew_at => true,
                Some(held) => state.unfit && !within(self.patience, held.since, now),
            };
            if !wanted || state.asked.is_some_and(|asked| within(PAUSE, asked, now)) {
                return None;
            }
            state.asked = Some(now);
            Some(Step::Begin)
        })
    }

    /// The first half has told where the second one is.
    pub(crate) fn found(&self, address: String) {
        self.change(|state| state.then = Some(address));
    }

    /// It is here.
    pub(crate) fn fetched(&self, value: T, renew_at: UnixMillis, now: UnixMillis) {
        self.change(|state| {
            *state = State {
                held: Some(Held {
                    value,
                    since: now,
                    renew_at,
                }),
                asked: None,
                then: None,
                unfit: false,
            };
        });
    }

    /// It was refused, or something else was asked for.
    pub(crate) fn unfit(&self) {
        self.change(|state| state.unfit = true);
    }

    fn change<R>(&self, change: impl FnOnce(&mut State<T>) -> R) -> R {
        // Nothing panics in the middle of a change, so what another thread left is whole.
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn within(span: Duration, since: UnixMillis, now: UnixMillis) -> bool {
    let passed = now.checked_sub(since).and_then(|passed| u128::try_from(passed).ok());
    passed.is_some_and(|passed| passed < span.as_millis())
}

/// Whether an answer to a fetch is one: every other status is a refusal.
pub(crate) fn granted(status: u16) -> Result<(), Reject> {
    match status {
        200..=299 => Ok(()),
        _ => Err(Reject::Malformed("the platform refuses what was asked for")),
    }
}

/// Halfway, so that one failure leaves time for a second attempt.
pub(crate) fn halfway(now: UnixMillis, expires_at: UnixMillis) -> UnixMillis {
    now.saturating_add(expires_at.saturating_sub(now).max(0) / 2)
}

/// The token of a bearer.
pub(crate) type Token = Renewed<Secret>;

impl Token {
    /// A token that is refused within a minute is not made better by another one.
    pub(crate) fn of_a_minute() -> Self {
        Self::new(Duration::from_secs(60))
    }

    /// Empty before the first one is here: the platform refuses the call, and it is made again later.
    pub(crate) fn bearer(&self) -> Secret {
        self.value().unwrap_or_else(|| Secret::new(""))
    }

    /// The answer to a sign-in (RFC 6749, section 5.1).
    pub(crate) fn signed_in(&self, status: u16, body: &[u8], now: UnixMillis) -> Result<(), Reject> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: Secret,
            expires_in: u32,
        }
        granted(status)?;
        let answer: Answer = http::parse(body)?;
        if answer.access_token.is_empty() {
            return Err(Reject::Malformed("an empty token"));
        }
        let expires_at = now.saturating_add(i64::from(answer.expires_in) * 1000);
        self.fetched(answer.access_token, halfway(now, expires_at), now);
        Ok(())
    }

    /// What an answer means when the token may have been the reason: then it is fetched again, and so is the call made.
    /// (RFC 6750, section 3.1.)
    pub(crate) fn judge(&self, status: u16, outcome: Outcome) -> Outcome {
        if status != 401 {
            return outcome;
        }
        self.unfit();
        Outcome::Again { after: None }
    }

    /// A call with the token of now instead of the one that it was built with.
    pub(crate) fn stamp(&self, mut call: HttpCall) -> HttpCall {
        for (name, value) in &mut call.headers {
            if *name == "authorization" && value.starts_with("Bearer ") {
                *value = format!("Bearer {}", self.bearer().expose());
            }
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = 1_800_000_000_000;
    const SECOND: i64 = 1_000;
    const MINUTE: i64 = 60 * SECOND;

    #[test]
    fn what_is_missing_is_asked_for_at_a_bearable_pace() {
        let token = Token::of_a_minute();
        assert_eq!(token.due(NOW), Some(Step::Begin));
        assert_eq!(token.due(NOW + 9 * SECOND), None, "somebody is fetching it");
        assert_eq!(token.due(NOW + 10 * SECOND), Some(Step::Begin), "the fetch has failed");
        token.fetched(Secret::new("t"), NOW + 30 * MINUTE, NOW + 11 * SECOND);
        assert_eq!(token.due(NOW + 29 * MINUTE), None);
        assert_eq!(token.due(NOW + 30 * MINUTE), Some(Step::Begin));
        assert!(token.value().is_some(), "an old one is better than none");
    }

    #[test]
    fn what_does_not_fit_is_fetched_again_but_not_for_everybody_who_says_so() {
        let token = Token::of_a_minute();
        token.fetched(Secret::new("t"), NOW + 30 * MINUTE, NOW);
        token.unfit();
        assert_eq!(token.due(NOW + 59 * SECOND), None);
        assert_eq!(token.due(NOW + MINUTE), Some(Step::Begin));
        token.fetched(Secret::new("u"), NOW + 30 * MINUTE, NOW + MINUTE);
        assert_eq!(
            token.due(NOW + 10 * MINUTE),
            None,
            "the new one fits until somebody says otherwise"
        );
    }

    #[test]
    fn the_second_half_follows_at_once_and_the_first_one_again_when_it_fails() {
        let keys: Renewed<u8> = Renewed::new(MINUTES_5);
        assert_eq!(keys.due(NOW), Some(Step::Begin));
        keys.found("https://keys.example".into());
        assert_eq!(keys.due(NOW + SECOND), Some(Step::Then("https://keys.example".into())));
        assert_eq!(keys.due(NOW + 2 * SECOND), None);
        assert_eq!(keys.due(NOW + 11 * SECOND), Some(Step::Begin));
    }

    const MINUTES_5: Duration = Duration::from_secs(300);

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_the_fetching() {
        let keys: Renewed<u8> = Renewed::new(MINUTES_5);
        assert!(keys.due(NOW).is_some());
        assert!(keys.due(NOW - 1).is_some());
        keys.fetched(1, NOW + MINUTE, NOW);
        assert!(keys.due(NOW - 1).is_some());
        assert!(keys.due(UnixMillis::MIN).is_some());
        assert!(keys.due(UnixMillis::MAX).is_some());
    }

    #[test]
    fn a_sign_in_is_granted_or_changes_nothing() {
        let token = Token::of_a_minute();
        let answer = br#"{"token_type":"Bearer","expires_in":3600,"access_token":"t"}"#;
        assert!(token.signed_in(401, answer, NOW).is_err());
        assert!(
            token
                .signed_in(200, br#"{"access_token":"","expires_in":1}"#, NOW)
                .is_err()
        );
        assert!(token.signed_in(200, br#"{"error":"invalid_client"}"#, NOW).is_err());
        assert!(token.value().is_none());
        token.signed_in(200, answer, NOW).unwrap();
        assert_eq!(token.bearer().expose(), "t");
        assert_eq!(token.due(NOW + 30 * MINUTE - 1), None);
        assert!(token.due(NOW + 30 * MINUTE).is_some());
        crate::fuzz::mutations(answer, 1_000, |body| {
            let _ = Token::of_a_minute().signed_in(200, body, UnixMillis::MAX);
        });
    }

    #[test]
    fn a_call_that_waited_leaves_with_the_token_of_now() {
        let token = Token::of_a_minute();
        let call = http::get("https://a.example".into(), &http::SignIn::Bearer(&token.bearer()));
        token.fetched(Secret::new("t"), NOW + MINUTE, NOW);
        let call = token.stamp(call);
        assert_eq!(call.headers, [("authorization", "Bearer t".to_owned())]);
        let basic = http::get("https://a.example".into(), &http::SignIn::Basic("a", &Secret::new("b")));
        assert_eq!(token.stamp(basic.clone()), basic);
    }
}
