//! Where the refresh token is kept between two starts.
//!
//! The order is: the system's keyring (Secret Service, Keychain, Credential Manager), then the Linux
//! kernel's key retention service, which forgets at the next boot, then this process's memory, which is
//! said in the window. Never a file. Each call runs on a thread of its own and is given up after a while,
//! because a Secret Service may wait for a password that nobody types; a store that failed once is not
//! asked again in this run.

use sightline_wire::{ErrorCode, Problem};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};
use tokio::sync::{oneshot, watch};

const SERVICE: &str = "app.sightline.desk";

/// Long enough to type the keyring's password, short enough to sign in by hand otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

/// One place to keep secrets. Calls may block.
pub trait SecretStore: Send + Sync + 'static {
    /// For the log.
    fn name(&self) -> &'static str;
    /// The secret under a key.
    fn get(&self, key: &str) -> Result<Option<String>, StoreError>;
    /// Keeps a secret.
    fn set(&self, key: &str, secret: &str) -> Result<(), StoreError>;
    /// Forgets a secret; one that is not there is no error.
    fn delete(&self, key: &str) -> Result<(), StoreError>;
}

/// The store is not to be had; the text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// The first store that works, and memory behind all of them.
#[derive(Clone)]
pub struct Keyring {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Vec<Arc<dyn SecretStore>>,
    patience: Duration,
    /// How many stores from the front have failed.
    failed: watch::Sender<usize>,
    /// What is kept here because all have.
    memory: Mutex<HashMap<String, String>>,
    /// One call at a time: an older save must not overtake a newer one.
    turn: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.inner.stores.iter().map(|store| store.name()).collect();
        f.debug_struct("Keyring")
            .field("stores", &names)
            .finish_non_exhaustive()
    }
}

impl Keyring {
    /// What this machine offers.
    pub fn system() -> Self {
        let system: Arc<dyn SecretStore> = Arc::new(SystemStore);
        #[cfg(target_os = "linux")]
        let stores = vec![system, Arc::new(kernel::KernelStore)];
        #[cfg(not(target_os = "linux"))]
        let stores = vec![system];
        Self::of(stores, PATIENCE)
    }

    /// The given stores in this order, each call given up after `patience`.
    pub fn of(stores: Vec<Arc<dyn SecretStore>>, patience: Duration) -> Self {
        let (failed, memory, turn) = (watch::Sender::new(0), Mutex::default(), tokio::sync::Mutex::default());
        Self {
            inner: Arc::new(Inner {
                stores,
                patience,
                failed,
                memory,
                turn,
            }),
        }
    }

    /// The secret under a key.
    pub async fn get(&self, key: &str) -> Option<String> {
        let _turn = self.inner.turn.lock().await;
        let wanted = key.to_owned();
        match self.first_working(move |store| store.get(&wanted)).await {
            Some(found) => found,
            None => self.memory(|memory| memory.get(key).cloned()),
        }
    }

    /// Keeps a secret in the best place there is.
    pub async fn set(&self, key: &str, secret: &str) {
        let _turn = self.inner.turn.lock().await;
        let (wanted, kept) = (key.to_owned(), secret.to_owned());
        if self
            .first_working(move |store| store.set(&wanted, &kept))
            .await
            .is_none()
        {
            self.memory(|memory| memory.insert(key.to_owned(), secret.to_owned()));
        }
    }

    /// Forgets a secret.
    pub async fn delete(&self, key: &str) {
        let _turn = self.inner.turn.lock().await;
        let wanted = key.to_owned();
        self.first_working(move |store| store.delete(&wanted)).await;
        self.memory(|memory| memory.remove(key));
    }

    /// Keeps a secret, reads it back and forgets it, where the session is kept too. The place's name, empty when there
    /// is none, and whether it gave back what it got.
    pub async fn prove(&self) -> (&'static str, bool) {
        let _turn = self.inner.turn.lock().await;
        let key = format!("self-test-{}", uuid::Uuid::new_v4());
        let proved = self.first_working(move |store| {
            store.set(&key, &key)?;
            let kept = store.get(&key)?;
            store.delete(&key)?;
            Ok((store.name(), kept.as_deref() == Some(key.as_str())))
        });
        proved.await.unwrap_or_default()
    }

    /// What to tell the agent when nothing outlives this process.
    pub fn problem(&self) -> Option<Problem> {
        let failed = *self.inner.failed.borrow();
        (failed >= self.inner.stores.len()).then(|| Problem::new(ErrorCode::KeyringUnavailable))
    }

    /// Tells when [`Keyring::problem`] may answer differently.
    pub(crate) fn changes(&self) -> watch::Receiver<usize> {
        self.inner.failed.subscribe()
    }

    fn memory<T>(&self, f: impl FnOnce(&mut HashMap<String, String>) -> T) -> T {
        f(&mut self.inner.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `None` when no store works any more.
    async fn first_working<T: Send + 'static>(
        &self,
        call: impl Fn(&dyn SecretStore) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Option<T> {
        loop {
            let at = *self.inner.failed.borrow();
            let store = self.inner.stores.get(at)?.clone();
            let name = store.name();
            let (answer, answered) = oneshot::channel();
            let call = call.clone();
            // Not the runtime's blocking pool: a call that never returns would hold up its shutdown.
            let spawned = thread::Builder::new().name("keyring".into()).spawn(move || {
                let _ = answer.send(call(&*store));
            });
            let outcome = match spawned {
                Ok(_) => tokio::time::timeout(self.inner.patience, answered).await,
                Err(error) => Ok(Ok(Err(StoreError(error.to_string())))),
            };
            match outcome {
                Ok(Ok(Ok(value))) => return Some(value),
                Ok(Ok(Err(error))) => tracing::info!(store = name, %error, "keyring not available, trying the next"),
                Ok(Err(_)) => tracing::error!(store = name, "keyring call panicked, trying the next"),
                Err(_) => tracing::warn!(store = name, "keyring did not answer in time, trying the next"),
            }
            self.inner.failed.send_replace(at + 1);
        }
    }
}

/// Secret Service, Keychain or Credential Manager.
struct SystemStore;

impl SystemStore {
    fn entry(key: &str) -> Result<keyring::Entry, StoreError> {
        if let Err(error) = keyring::Entry::store_status() {
            return Err(StoreError(error.to_string()));
        }
        keyring::Entry::new(SERVICE, key).map_err(store_error)
    }
}

impl SecretStore for SystemStore {
    fn name(&self) -> &'static str {
        "system keyring"
    }

    fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        found(Self::entry(key)?.get_password())
    }

    fn set(&self, key: &str, secret: &str) -> Result<(), StoreError> {
        Self::entry(key)?.set_password(secret).map_err(store_error)
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        found(Self::entry(key)?.delete_credential()).map(|_| ())
    }
}

fn found<T>(result: Result<T, keyring::Error>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(store_error(error)),
    }
}

/// Only the kind: some variants carry the stored bytes.
fn store_error(error: keyring::Error) -> StoreError {
    StoreError(match error {
        keyring::Error::PlatformFailure(cause) | keyring::Error::NoStorageAccess(cause) => cause.to_string(),
        keyring::Error::NoEntry => "no such entry".into(),
        keyring::Error::Ambiguous(_) => "more than one entry".into(),
        keyring::Error::NoDefaultStore => "no store on this platform".into(),
        _ => "the stored entry is not readable".into(),
    })
}

#[cfg(target_os = "linux")]
mod kernel {
    use super::{SERVICE, SecretStore, StoreError, found, store_error};
    use keyring_core::{Entry, api::CredentialStoreApi};
    use linux_keyutils_keyring_store::Store;

    /// The kernel's key retention service: other users cannot read it, and it is gone after a reboot.
    pub(super) struct KernelStore;

    impl KernelStore {
        fn entry(key: &str) -> Result<Entry, StoreError> {
            Store::new()
                .and_then(|store| store.build(SERVICE, key, None))
                .map_err(store_error)
        }
    }

    impl SecretStore for KernelStore {
        fn name(&self) -> &'static str {
            "kernel keyring"
        }

        fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
            found(Self::entry(key)?.get_password())
        }

        fn set(&self, key: &str, secret: &str) -> Result<(), StoreError> {
            Self::entry(key)?.set_password(secret).map_err(store_error)
        }

        fn delete(&self, key: &str) -> Result<(), StoreError> {
            found(Self::entry(key)?.delete_credential()).map(|_| ())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever this machine has, a secret comes back as it was kept.
    #[tokio::test]
    async fn the_machines_own_keyring_keeps_and_forgets() {
        let keyring = Keyring::system();
        let key = format!("test-{}", uuid::Uuid::new_v4());
        assert_eq!(keyring.get(&key).await, None);
        for secret in ["first", "second"] {
            keyring.set(&key, secret).await;
            assert_eq!(keyring.get(&key).await.as_deref(), Some(secret));
        }
        keyring.delete(&key).await;
        assert_eq!(keyring.get(&key).await, None);
    }

    #[tokio::test]
    async fn a_place_is_proved_by_what_it_gives_back() {
        let none = Keyring::of(Vec::new(), PATIENCE);
        assert_eq!(none.prove().await, ("", false));
        let keyring = Keyring::system();
        let (name, usable) = keyring.prove().await;
        assert_eq!(name.is_empty(), keyring.problem().is_some());
        assert_eq!(usable, !name.is_empty());
    }
}
