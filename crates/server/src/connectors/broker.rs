//! The broker of Webex Instant Connect: no channel, and beside the connectors in everything that an admin does.

use super::{
    exchange::{self, CallError},
    routes::{self, Tested},
    secrets::Finder,
    standing::Standing,
};
use crate::app::{App, now};
use serde_json::{Map, Value};
use sightline_connect::{
    HttpCall,
    settings::{INSTANT_CONNECT, instant_connect},
    webex_instant::{BrokerError, Instant, MEETING_DEADLINE, tested},
};
use sightline_store::{StoreError, conversations};
use sightline_wire::{agent::AgentEvent, connectors::ConnectorView};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::timeout;
use uuid::Uuid;

/// Its table in the deployment's file, of which there is one, and its name among the connectors.
pub const NAME: &str = "webex_instant_connect";

/// The broker with how it stands.
pub struct Broker {
    /// What it is asked, and as whom.
    pub instant: Instant,
    /// How it stands.
    pub standing: Standing,
    /// As in the file, and its kind.
    table: Map<String, Value>,
    found: BTreeSet<String>,
}

impl Broker {
    /// From its table in the file; the error is a sentence for the operator.
    pub fn new(table: &toml::Table) -> Result<Self, String> {
        let Ok(Value::Object(mut table)) = serde_json::to_value(table) else {
            return Err(format!("[{NAME}] cannot be read."));
        };
        let finder = Finder::default();
        let instant = instant_connect(NAME, &table, &|place| finder.find(place)).map_err(|error| error.to_string())?;
        table.insert("kind".to_owned(), INSTANT_CONNECT.name.into());
        Ok(Self {
            instant,
            standing: Standing::new(NAME, Duration::ZERO),
            table,
            found: finder.found(),
        })
    }

    /// Asks, reads the answer, and notes how the broker stands from then on.
    pub async fn ask<T>(
        &self,
        client: &reqwest::Client,
        (call, patience): (HttpCall, Duration),
        read: impl FnOnce(u16, &[u8]) -> Result<T, BrokerError>,
    ) -> Result<T, BrokerError> {
        let reply = match timeout(patience, exchange::exchange(client, call)).await {
            Ok(Ok(reply)) => Ok(reply),
            Err(_) | Ok(Err(CallError::Silent)) => Err(BrokerError::Silent),
            Ok(Err(CallError::TooLarge)) => Err(BrokerError::Incomplete("end")),
            Ok(Err(CallError::Unreachable | CallError::Address | CallError::SignIn(_))) => {
                Err(BrokerError::Unreachable)
            }
        };
        let found = reply.and_then(|reply| read(reply.status, &reply.body));
        match &found {
            Ok(_) => self.standing.worked(),
            Err(error) => self.standing.failed(&code(*error)),
        }
        found
    }

    /// Asks for a room of which nothing stays.
    pub async fn test(&self, client: &reqwest::Client) -> Tested {
        let subject = format!("test-{}", Uuid::new_v4());
        let call = self.instant.test(&subject, now() / 1_000);
        let answer = self.ask(client, (call, MEETING_DEADLINE), tested).await;
        answer.map_err(code).map(|()| {
            "The broker answered and knows us. It made a room for this test, which has no short link, was shown to nobody \
             and expires in a minute."
        })
    }

    /// As an admin sees it.
    pub fn view(&self) -> ConnectorView {
        let (heard_at, sent_at) = self.standing.seen();
        ConnectorView {
            name: NAME.to_owned(),
            kind: INSTANT_CONNECT.name.to_owned(),
            state: self.standing.state(),
            hook: String::new(),
            settings: routes::shown(&self.table, &self.found).collect(),
            waiting: 0,
            dead: 0,
            conversations: 0,
            heard_at,
            sent_at,
        }
    }
}

/// As [`exchange::sentence`] knows it.
fn code(error: BrokerError) -> String {
    match error {
        BrokerError::Unavailable(429) => "busy".to_owned(),
        BrokerError::Unavailable(status) | BrokerError::Refused(status) => status.to_string(),
        BrokerError::Incomplete(_) => "answer_incomplete".to_owned(),
        BrokerError::Silent => CallError::Silent.to_string(),
        BrokerError::Unreachable => CallError::Unreachable.to_string(),
        BrokerError::NotSent => "sms_not_sent".to_owned(),
    }
}

/// Rooms can be had now, or not any more: whoever has a conversation before them sees so.
pub async fn told(app: &App) -> Result<(), StoreError> {
    // No other change is told in between.
    let mut turn = app.store.write().await?;
    for stored in conversations::unfinished(turn.conn()).await? {
        let view = app.view(stored);
        app.desks.tell(app.audience(&view), &AgentEvent::Conversation(view));
    }
    Ok(())
}
