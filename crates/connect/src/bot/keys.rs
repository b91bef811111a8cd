//! The service's public keys: fetched at first, once a day, and when a token names a key that is not among them.

use super::token::Keys;
use crate::{
    Fetch, Reject,
    http::{self, SignIn},
    renewal::{Renewed, Step, granted},
};
use sightline_wire::UnixMillis;
use std::time::Duration;

/// As long as the service's own clients keep them.
const FRESH: i64 = 24 * 3600 * 1000;

/// Anybody can send a token with an invented key, so that for such a one they are not fetched more often.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// [`Fetch::what`] of the document that names the address of the keys.
const METADATA: &str = "where the keys are";
/// [`Fetch::what`] of the keys.
const KEYS: &str = "keys";

pub(super) struct KeyRing {
    metadata: String,
    keys: Renewed<Keys>,
}

impl KeyRing {
    /// With nothing on it.
    pub(super) fn new(metadata: String) -> Self {
        Self {
            metadata,
            keys: Renewed::new(PATIENCE),
        }
    }

    /// Those that are known now.
    pub(super) fn keys(&self) -> Keys {
        self.keys.value().unwrap_or_default()
    }

    /// A token names another one.
    pub(super) fn unknown(&self) {
        self.keys.unfit();
    }

    pub(super) fn due(&self, now: UnixMillis) -> Option<Fetch> {
        let (what, url) = match self.keys.due(now)? {
            Step::Begin => (METADATA, self.metadata.clone()),
            Step::Then(address) => (KEYS, address),
        };
        Some(Fetch {
            what,
            call: http::get(url, &SignIn::None),
        })
    }

    pub(super) fn fetched(&self, what: &str, status: u16, body: &[u8], now: UnixMillis) -> Result<(), Reject> {
        granted(status)?;
        if what == METADATA {
            let address = http::text_at(body, "/jwks_uri").ok_or(Reject::Malformed("no jwks_uri"))?;
            self.keys.found(address);
            return Ok(());
        }
        let keys = Keys::read(&http::parse(body)?).filter(|keys| !keys.is_empty());
        let keys = keys.ok_or(Reject::Malformed("no keys"))?;
        self.keys.fetched(keys, now.saturating_add(FRESH), now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_keys_changes_nothing() {
        let ring = KeyRing::new("https://metadata.example".into());
        assert_eq!(ring.due(0).unwrap().call.url, "https://metadata.example");
        for (what, status, body) in [
            (METADATA, 200, "{}"),
            (METADATA, 404, r#"{"jwks_uri":"https://a.example"}"#),
            (KEYS, 200, r#"{"keys":[]}"#),
            (KEYS, 200, "[]"),
            (KEYS, 500, ""),
        ] {
            assert!(ring.fetched(what, status, body.as_bytes(), 0).is_err(), "{what} {body}");
        }
        assert_eq!(ring.due(1), None);
        assert!(ring.keys().is_empty());
    }
}
