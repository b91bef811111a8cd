//! What an admin sees of connectors and does with them; dead letters are supervisors' work too.

use super::{
    Line,
    broker::{self, Broker},
    exchange::{self, CallError},
    parcels::Parcel,
};
use crate::{
    app::{App, now},
    auth::SignedIn,
    http::{
        body::Id,
        refusal::{Refusal, to_the_end},
    },
    readiness::routes::supervises,
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Map, Value};
use sightline_call::text::one_line;
use sightline_connect::{Outcome, settings};
use sightline_store::{
    Writing,
    connectors::{self, Switch},
    conversations::{self, StoredConversation},
    deliveries,
};
use sightline_wire::{
    ErrorCode, Problem,
    account::{Account, Role},
    connectors::{ConnectorSetting, ConnectorTest, ConnectorView, DeadLetter, SecretFound},
    ids::{ConversationId, DeliveryId},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;

/// Somebody waits for what a test says: signing in and being answered take no longer together.
const TEST_PATIENCE: Duration = Duration::from_secs(20);

/// Dead letters in one answer; the newest.
const MOST_LETTERS: i64 = 200;

pub fn administers(account: &Account) -> Result<(), Refusal> {
    if account.role >= Role::Admin {
        Ok(())
    } else {
        Err(Problem::new(ErrorCode::NotAllowed).advising("Ask an admin.").into())
    }
}

/// What an admin may test and switch.
enum Named {
    /// A connector.
    Line(Arc<Line>),
    /// The broker of rooms elsewhere.
    Broker(Arc<Broker>),
}

impl Named {
    fn find(app: &App, name: &str) -> Result<Self, Refusal> {
        let line = app.connectors.get(name).map(Self::Line);
        let broker = || {
            app.connectors
                .broker()
                .filter(|_| name == broker::NAME)
                .map(Self::Broker)
        };
        line.or_else(broker).ok_or(ErrorCode::NotFound.into())
    }
}

/// Of a test: what there is to say when it works, else the code of what is wrong.
pub type Tested = Result<&'static str, String>;

/// `GET /v1/connectors`.
pub async fn list(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
) -> Result<Json<Vec<ConnectorView>>, Refusal> {
    administers(&account)?;
    views(&app).await.map(Json)
}

pub async fn views(app: &App) -> Result<Vec<ConnectorView>, Refusal> {
    let mut c = app.store.read().await?;
    let counts: HashMap<_, _> = deliveries::counts(&mut c)
        .await?
        .into_iter()
        .map(|(name, waiting, dead)| (name, (waiting, dead)))
        .collect();
    let mut views = Vec::new();
    for line in app.connectors.all() {
        let (waiting, dead) = counts.get(&line.name).copied().unwrap_or_default();
        let (heard_at, sent_at) = line.standing.seen();
        views.push(ConnectorView {
            name: line.name.clone(),
            kind: line.kind.clone(),
            state: line.standing.state(),
            hook: line.hook.clone(),
            settings: shown(&line.table, &line.found).chain(for_all(&line)).collect(),
            waiting,
            dead,
            conversations: i64::try_from(conversations::over(&mut c, &line.name).await?.len()).unwrap_or(i64::MAX),
            heard_at,
            sent_at,
        });
    }
    views.extend(app.connectors.broker().map(|broker| broker.view()));
    Ok(views)
}

/// Settings as they may be seen: of a secret the place, and whether there is one.
pub fn shown(table: &Map<String, Value>, found: &BTreeSet<String>) -> impl Iterator<Item = ConnectorSetting> {
    settings::redacted(table)
        .into_iter()
        .filter(|(name, _)| name != "kind")
        .flat_map(|(name, value)| match value {
            // Of several secrets each has its own place.
            Value::Array(several) => several.into_iter().map(|one| (name.clone(), one)).collect(),
            one => vec![(name, one)],
        })
        .map(move |(name, value)| {
            let value = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let is_place = value.starts_with("env:") || value.starts_with("keyring:");
            let secret = is_place.then(|| match found.contains(&value) {
                true => SecretFound::Set,
                false => SecretFound::Missing,
            });
            ConnectorSetting { name, value, secret }
        })
}

/// What fits every kind.
fn for_all(line: &Line) -> impl Iterator<Item = ConnectorSetting> {
    let rate = line.calls_per_second.map(|rate| ("calls_per_second", rate.to_string()));
    let by = line.invites_by.clone().map(|by| ("invites_by", by));
    [rate, by].into_iter().flatten().map(|(name, value)| ConnectorSetting {
        name: name.to_owned(),
        value,
        secret: None,
    })
}

/// `POST /v1/connectors/{name}/test`: calls the platform and looks at its answer.
pub async fn test(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(name): Id<String>,
) -> Result<Json<ConnectorTest>, Refusal> {
    administers(&account)?;
    let named = Named::find(&app, &name)?;
    let began = now();
    let tested = match named {
        Named::Line(line) => test_line(&app, &line).await,
        Named::Broker(broker) => broker.test(app.connectors.client()).await,
    };
    let works = tested.is_ok();
    let sentence = tested.map_or_else(|code| exchange::sentence(&code), str::to_owned);
    tracing::info!(admin = %account.id, connector = name, works, "tested");
    Ok(Json(ConnectorTest {
        works,
        sentence,
        took_ms: now() - began,
    }))
}

/// What was fetched to sign in before counts as fetched; everything else is asked now.
async fn test_line(app: &App, line: &Line) -> Tested {
    let client = app.connectors.client();
    let answer = async {
        line.prepare(client).await?;
        line.call(client, line.connector.probe()).await
    };
    let answered = timeout(TEST_PATIENCE, answer).await.unwrap_or(Err(CallError::Silent));
    let outcome = match &answered {
        Ok(reply) => match line.connector.judge(reply.status, &reply.headers, &reply.body) {
            // What the platform says to a call of no consequence is its answer to our sign-in.
            Outcome::Taken { .. } | Outcome::WindowClosed => Ok("The platform answered and knows us."),
            Outcome::Again { .. } if reply.status == 429 => Err("busy".to_owned()),
            Outcome::Again { .. } => Err(reply.status.to_string()),
            Outcome::Refused { code } => Err(if matches!(reply.status, 401 | 403) {
                reply.status.to_string()
            } else {
                code
            }),
        },
        Err(error) => Err(error.to_string()),
    };
    match &outcome {
        Ok(_) => {
            line.standing.worked();
            line.standing.release();
            // Whatever waits need not wait for its next turn.
            app.connectors.wake.notify_one();
        }
        Err(code) => line.standing.failed(code),
    }
    outcome
}

/// `POST /v1/connectors/{name}/enable`: what has waited goes out.
pub async fn enable(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(name): Id<String>,
) -> Result<Json<Vec<ConnectorView>>, Refusal> {
    administers(&account)?;
    turn(&app, Named::find(&app, &name)?, Switch::On, &account).await
}

/// `POST /v1/connectors/{name}/disable`: no traffic from here on. Refused while conversations go over it, with their list.
pub async fn disable(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(name): Id<String>,
) -> Result<Json<Vec<ConnectorView>>, Refusal> {
    administers(&account)?;
    turn(&app, Named::find(&app, &name)?, Switch::Off, &account).await
}

/// Refuses, with the list, while conversations go over a connector.
pub fn unused(using: Vec<ConversationId>) -> Result<(), Refusal> {
    if using.is_empty() {
        return Ok(());
    }
    Err(Problem::new(ErrorCode::ConnectorInUse)
        .saying(match using.len() {
            1 => "A conversation is using this connector.".to_owned(),
            many => format!("{many} conversations are using this connector."),
        })
        .blocked_by(using)
        .into())
}

async fn turn(
    app: &Arc<App>,
    named: Named,
    switch: Switch,
    admin: &Account,
) -> Result<Json<Vec<ConnectorView>>, Refusal> {
    let (task, admin) = (app.clone(), admin.id);
    to_the_end(async move {
        let mut writing = task.store.write().await?;
        let (name, standing) = match &named {
            Named::Line(line) => (line.name.as_str(), &line.standing),
            Named::Broker(broker) => (broker::NAME, &broker.standing),
        };
        if switch == Switch::Off && matches!(named, Named::Line(_)) {
            unused(conversations::over(writing.conn(), name).await?)?;
        }
        connectors::switch(writing.conn(), name, switch, now()).await?;
        let committed = writing.commit().await?;
        standing.set_switch(switch);
        drop(committed);
        tracing::info!(%admin, connector = name, ?switch, "switched");
        match &named {
            Named::Line(_) => task.connectors.wake.notify_one(),
            Named::Broker(_) => broker::told(&task).await?,
        }
        Ok(())
    })
    .await?;
    views(app).await.map(Json)
}

/// `GET /v1/dead-letters`: what did not reach a platform, newest first.
pub async fn letters(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
) -> Result<Json<Vec<DeadLetter>>, Refusal> {
    supervises(&account)?;
    let mut c = app.store.read().await?;
    let mut letters = Vec::new();
    for dead in deliveries::all_dead::<Parcel>(&mut c, MOST_LETTERS).await? {
        let stored = conversations::get(&mut c, dead.conversation)
            .await?
            .ok_or(ErrorCode::Internal)?;
        letters.push(DeadLetter {
            id: dead.id,
            connector: dead.connector,
            conversation: dead.conversation,
            customer_name: stored.customer_name,
            kind: dead.parcel.kind(),
            text: one_line(&dead.parcel.text()),
            error: exchange::sentence(dead.error.as_deref().unwrap_or_default()),
            attempts: dead.attempts,
            created_at: dead.created_at,
            given_up_at: dead.settled_at.unwrap_or(dead.created_at),
        });
    }
    Ok(Json(letters))
}

/// `POST /v1/dead-letters/{id}/resend`: supervisors, and agents in a conversation that is theirs.
pub async fn resend(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<DeliveryId>,
) -> Result<StatusCode, Refusal> {
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = about(&mut writing, &account, id).await?;
        if !deliveries::revive(writing.conn(), id, now()).await? {
            return Err(ErrorCode::NotFound.into());
        }
        // Its message is on its way again, for whoever looks at it.
        app.settle(writing, stored.id, stored.state, Vec::new()).await?;
        tracing::info!(by = %account.id, delivery = %id, "a dead letter is sent again");
        app.connectors.wake.notify_one();
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `POST /v1/dead-letters/{id}/discard`.
pub async fn discard(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(id): Id<DeliveryId>,
) -> Result<StatusCode, Refusal> {
    supervises(&account)?;
    to_the_end(async move {
        let mut writing = app.store.write().await?;
        let stored = about(&mut writing, &account, id).await?;
        if !deliveries::discard(writing.conn(), id).await? {
            return Err(ErrorCode::NotFound.into());
        }
        app.settle(writing, stored.id, stored.state, Vec::new()).await?;
        tracing::info!(by = %account.id, delivery = %id, "a dead letter is given up for good");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The conversation of a dead letter, for those who may do something about it.
async fn about(writing: &mut Writing, account: &Account, id: DeliveryId) -> Result<StoredConversation, Refusal> {
    let found = match deliveries::of_dead(writing.conn(), id).await? {
        Some(conversation) => conversations::get(writing.conn(), conversation).await?,
        None => None,
    };
    let own = found.as_ref().is_some_and(|stored| stored.owner == Some(account.id));
    if !own {
        supervises(account)?;
    }
    Ok(found.ok_or(ErrorCode::NotFound)?)
}
