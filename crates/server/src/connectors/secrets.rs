//! Where secrets are found: in the environment, or in the system's keyring under the service `sightline`.

use sightline_connect::{Secret, settings::Place};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// The service under which secrets stand in the keyring.
const SERVICE: &str = "sightline";

/// A keyring that is locked asks for a password that nobody types.
const PATIENCE: Duration = Duration::from_secs(10);

/// Finds secrets, and remembers where there were some.
#[derive(Default)]
pub struct Finder(Mutex<BTreeSet<String>>);

impl Finder {
    /// The secret at this place. May take as long as a keyring needs.
    pub fn find(&self, place: &Place) -> Option<Secret> {
        let secret = find(place)?;
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.insert(place.to_string());
        Some(secret)
    }

    /// The places where there was one.
    pub fn found(self) -> BTreeSet<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The secret at this place. May take as long as a keyring needs.
fn find(place: &Place) -> Option<Secret> {
    let text = match place {
        Place::Env(name) => std::env::var(name).ok()?,
        Place::Keyring(name) => in_keyring(name.clone())?,
    };
    (!text.is_empty()).then(|| Secret::new(text))
}

fn in_keyring(name: String) -> Option<String> {
    let (answer, answered) = mpsc::channel();
    thread::spawn(move || {
        let found = keyring::Entry::new(SERVICE, &name).and_then(|entry| entry.get_password());
        // Nobody listens any more when it took too long.
        let _ = answer.send(found);
    });
    match answered.recv_timeout(PATIENCE) {
        Ok(Ok(secret)) => Some(secret),
        Ok(Err(error)) => {
            tracing::warn!(
                missing = matches!(error, keyring::Error::NoEntry),
                "a secret could not be had from the keyring"
            );
            None
        }
        Err(_) => {
            tracing::warn!("the keyring did not answer");
            None
        }
    }
}
