//! Connectors: the platforms' side of conversations.
//!
//! What a platform says comes to [`hooks`], is verified and read by the platform's own contract in `sightline_connect`, and
//! becomes messages of a conversation in [`inbound`]. What concerns the platform of what happens here becomes rows of the
//! outbox in [`parcels`], in the transaction that makes it happen; [`outbox`] carries them. [`line`] is one connector with
//! how it stands, [`exchange`] one call to a platform, [`routes`] what an admin sees, [`edit`] what an admin sets up.
//! Rooms elsewhere are asked of the [`broker`], in [`meetings`].

pub mod broker;
pub mod edit;
pub mod exchange;
mod file;
pub mod hooks;
pub mod inbound;
mod line;
pub mod meetings;
pub mod outbox;
pub mod parcels;
pub mod phone;
pub mod routes;
mod secrets;
mod standing;

pub use line::Line;

use crate::deployment::Deployment;
use broker::Broker;
use sightline_store::{Store, StoreError, connectors};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};
use tokio::sync::{Mutex, Notify};

/// Where a platform calls the connector of this name.
pub fn hook_of(public_url: &str, name: &str) -> String {
    format!("{public_url}/v1/hooks/{name}")
}

/// Of nobody; to ask whether a connector writes to numbers at all.
const ANY_NUMBER: &str = "+15550100000";

/// Every connector of the deployment.
pub struct Connectors {
    lines: RwLock<BTreeMap<String, Arc<Line>>>,
    /// One changes the deployment's file, the others wait.
    editing: Mutex<()>,
    broker: RwLock<Option<Arc<Broker>>>,
    client: reqwest::Client,
    /// Wakes the outbox.
    pub wake: Notify,
}

impl Connectors {
    /// From the deployment's file; the error is a sentence for the operator.
    pub fn new(deployment: &Deployment, public_url: &str) -> Result<Self, String> {
        let mut lines = BTreeMap::new();
        for (name, table) in &deployment.connectors {
            let hook = hook_of(public_url, name);
            lines.insert(name.clone(), Arc::new(Line::new(name, table, hook)?));
        }
        let broker = deployment.webex_instant_connect.as_ref().map(Broker::new);
        let made = Self {
            lines: RwLock::new(lines),
            editing: Mutex::new(()),
            broker: RwLock::new(broker.transpose()?.map(Arc::new)),
            client: exchange::client().map_err(|error| error.to_string())?,
            wake: Notify::new(),
        };
        for line in made.all() {
            made.invites_go_out(&line)?;
        }
        Ok(made)
    }

    /// Whether the connector that carries this one's links can do so; the error is a sentence for the operator.
    fn invites_go_out(&self, line: &Line) -> Result<(), String> {
        let Some(by) = &line.invites_by else { return Ok(()) };
        let able = |by: &Line| by.connector.by_number(ANY_NUMBER).is_some();
        let found = if *by == line.name {
            able(line)
        } else {
            self.get(by).is_some_and(|by| able(&by))
        };
        if found {
            return Ok(());
        }
        Err(format!(
            "[connectors.{}] `invites_by` has to name a connector that writes to telephone numbers; \"{by}\" is none.",
            line.name
        ))
    }

    /// Brings back who was switched off.
    pub async fn restore(&self, store: &Store) -> Result<(), StoreError> {
        let mut c = store.read().await?;
        for (name, switch) in connectors::switches(&mut c).await? {
            if let Some(line) = self.get(&name) {
                line.standing.set_switch(switch);
            } else if name == broker::NAME
                && let Some(broker) = self.broker()
            {
                broker.standing.set_switch(switch);
            }
        }
        Ok(())
    }

    fn lines(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Line>>> {
        self.lines.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// One by its name.
    pub fn get(&self, name: &str) -> Option<Arc<Line>> {
        self.lines().get(name).cloned()
    }

    /// All, by their names.
    pub fn all(&self) -> Vec<Arc<Line>> {
        self.lines().values().cloned().collect()
    }

    /// New, or in the place of the one of its name.
    fn put(&self, line: Line) {
        let mut lines = self.lines.write().unwrap_or_else(PoisonError::into_inner);
        lines.insert(line.name.clone(), Arc::new(line));
    }

    /// It is not there any more.
    fn take(&self, name: &str) {
        self.lines.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Who makes rooms elsewhere, where the deployment has somebody who does.
    pub fn broker(&self) -> Option<Arc<Broker>> {
        self.broker.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, unless it is switched off.
    pub fn meetings(&self) -> Option<Arc<Broker>> {
        self.broker().filter(|broker| broker.standing.is_on())
    }

    fn set_broker(&self, broker: Option<Broker>) {
        *self.broker.write().unwrap_or_else(PoisonError::into_inner) = broker.map(Arc::new);
    }

    /// For calls to platforms.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }
}
