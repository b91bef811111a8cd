//! One connector: its contract, its settings, and how it stands.

use super::{
    exchange::{self, CallError, Reply},
    secrets,
};
use crate::app::now;
use sightline_connect::{
    Connector, HttpCall,
    settings::{self, Place},
};
use sightline_store::connectors::Switch;
use sightline_wire::{UnixMillis, connectors::ConnectorState};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A platform is called at most so often a second, unless the settings say otherwise.
const RATE_PER_S: u32 = 20;

/// Fetching what a connector needs ends after so many calls: keys, then a token.
const MOST_FETCHES: usize = 6;

/// One connector of the deployment.
pub struct Line {
    /// As in the file.
    pub name: String,
    /// Which platform.
    pub kind: String,
    /// What the platform calls.
    pub hook: String,
    /// As in the file, without what fits every kind.
    pub table: serde_json::Map<String, serde_json::Value>,
    /// Who writes to people whose call this connector tells of: its own kind of message carries no link.
    pub invites_by: Option<String>,
    /// The platform is called at most so often a second, where the file says so.
    pub calls_per_second: Option<u32>,
    /// The places of its secrets where there were some when the server started.
    pub found: BTreeSet<String>,
    /// The platform's contract.
    pub connector: Arc<dyn Connector>,
    gap: Duration,
    standing: Mutex<Standing>,
    /// One fetches what is due, the others wait for it.
    fetching: tokio::sync::Mutex<()>,
}

struct Standing {
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

impl Line {
    /// From its table in the file; the error is a sentence for the operator.
    pub fn new(name: &str, table: &toml::Table, hook: String) -> Result<Self, String> {
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        {
            return Err(format!("[connectors.{name}]: a name has letters, digits, - and _ only"));
        }
        let mut table = match serde_json::to_value(table) {
            Ok(serde_json::Value::Object(table)) => table,
            Ok(_) | Err(_) => return Err(format!("[connectors.{name}] cannot be read.")),
        };
        let rate = match table.remove("calls_per_second") {
            None => None,
            Some(value) => Some(
                value
                    .as_u64()
                    .and_then(|rate| u32::try_from(rate).ok())
                    .filter(|rate| (1..=1_000).contains(rate))
                    .ok_or_else(|| {
                        format!("[connectors.{name}] `calls_per_second` has to be a number from 1 to 1000.")
                    })?,
            ),
        };
        let invites_by = match table.remove("invites_by") {
            None => None,
            Some(serde_json::Value::String(by)) => Some(by),
            Some(_) => {
                return Err(format!(
                    "[connectors.{name}] `invites_by` has to be the name of a connector in quotation marks."
                ));
            }
        };
        let found = Mutex::new(BTreeSet::new());
        let find = |place: &Place| {
            let secret = secrets::find(place)?;
            found
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(place.to_string());
            Some(secret)
        };
        let connector =
            settings::connector(name, &table, &hook, &find).map_err(|error| format!("[connectors.{name}]: {error}"))?;
        let kind = table
            .get("kind")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            hook,
            table,
            invites_by,
            found: found.into_inner().unwrap_or_else(PoisonError::into_inner),
            connector,
            calls_per_second: rate,
            gap: Duration::from_secs(1) / rate.unwrap_or(RATE_PER_S),
            standing: Mutex::new(Standing {
                switch: Switch::On,
                failing: None,
                held_until: 0,
                next_call: 0,
                heard_at: None,
                sent_at: None,
            }),
            fetching: tokio::sync::Mutex::new(()),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it may have traffic.
    pub fn is_on(&self) -> bool {
        self.lock().switch == Switch::On
    }

    /// Switches it.
    pub fn set_switch(&self, switch: Switch) {
        let mut standing = self.lock();
        standing.switch = switch;
        standing.failing = None;
    }

    /// How it stands.
    pub fn state(&self) -> ConnectorState {
        let standing = self.lock();
        match (standing.switch, standing.failing.clone()) {
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
        let standing = self.lock();
        (standing.heard_at, standing.sent_at)
    }

    /// The platform has called.
    pub fn heard(&self) {
        self.lock().heard_at = Some(now());
    }

    /// A call came to something. A platform that asked for patience meanwhile still wants it: the call was older.
    pub fn worked(&self) {
        let mut standing = self.lock();
        standing.sent_at = Some(now());
        if standing.failing.take().is_some() {
            tracing::info!(connector = self.name, "the platform takes calls again");
        }
    }

    /// A call came to nothing.
    pub fn failed(&self, code: &str) {
        let mut standing = self.lock();
        let since = standing.failing.as_ref().map_or_else(now, |failing| failing.since);
        if standing.failing.as_ref().is_none_or(|failing| failing.code != code) {
            tracing::warn!(connector = self.name, code, "the platform does not take calls");
        }
        standing.failing = Some(Failing {
            code: code.to_owned(),
            since,
        });
    }

    /// The platform asks for patience.
    pub fn hold(&self, after: Duration) {
        let mut standing = self.lock();
        let until = now().saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
        standing.held_until = standing.held_until.max(until);
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
        let mut standing = self.lock();
        let mine = standing.next_call.max(at);
        standing.next_call = mine + i64::try_from(self.gap.as_millis()).unwrap_or(0);
        Duration::from_millis(u64::try_from(mine - at).unwrap_or(0))
    }

    /// Fetches whatever the connector needs before it can speak or believe, or waits until somebody else has.
    pub async fn prepare(&self, client: &reqwest::Client) -> Result<(), CallError> {
        let _one = self.fetching.lock().await;
        for _ in 0..MOST_FETCHES {
            let Some(fetch) = self.connector.due(now()) else {
                return Ok(());
            };
            // A fetch signs itself, if it has to be signed.
            let reply = exchange::exchange(client, fetch.call.clone()).await?;
            self.connector
                .fetched(&fetch, reply.status, &reply.body, now())
                .map_err(|reject| {
                    tracing::warn!(connector = self.name, what = fetch.what, status = reply.status, %reject, "not fetched");
                    CallError::SignIn(reply.status)
                })?;
        }
        Err(CallError::SignIn(0))
    }

    /// One call, signed as it leaves now.
    pub async fn call(&self, client: &reqwest::Client, call: HttpCall) -> Result<Reply, CallError> {
        exchange::exchange(client, self.connector.stamp(call, now())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_older_does_not_end_the_patience_that_was_asked_for() {
        let table = "kind = 'webhook'\nurl = 'https://shop.example/in'\nsecret = 'env:CARGO_PKG_NAME'"
            .parse()
            .unwrap();
        let line = Line::new("shop", &table, String::new()).unwrap();
        line.hold(Duration::from_secs(60));
        let until = line.held_until();
        line.worked();
        assert!(until > now() && line.held_until() == until);
        line.release();
        assert_eq!(line.held_until(), 0);
    }
}
