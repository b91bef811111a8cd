//! One connector: its contract and its settings.

use super::{
    broker,
    exchange::{self, CallError, Reply},
    secrets::Finder,
    standing::Standing,
};
use crate::app::now;
use sightline_connect::{Connector, HttpCall, settings};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

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
    /// How it stands.
    pub standing: Standing,
    /// One fetches what is due, the others wait for it.
    fetching: tokio::sync::Mutex<()>,
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
        if name == broker::NAME {
            return Err(format!(
                "[connectors.{name}]: choose another name. Webex Instant Connect has a table of its own, [{name}]."
            ));
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
        let finder = Finder::default();
        let connector =
            settings::connector(name, &table, &hook, &|place| finder.find(place)).map_err(|error| error.to_string())?;
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
            found: finder.found(),
            connector,
            calls_per_second: rate,
            standing: Standing::new(name, Duration::from_secs(1) / rate.unwrap_or(RATE_PER_S)),
            fetching: tokio::sync::Mutex::new(()),
        })
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
