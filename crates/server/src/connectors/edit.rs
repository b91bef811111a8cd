//! Connectors are set up in the app: what an admin enters is checked as at a start, written into the deployment's file, and
//! counts at once. The broker of rooms elsewhere is set up in the same way, under the one name that it can have.

use super::{
    Line,
    broker::{self, Broker},
    file, hook_of, routes,
};
use crate::{
    app::{App, now},
    auth::SignedIn,
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
};
use axum::{Json, extract::State};
use sightline_connect::settings::{self, INSTANT_CONNECT, Kind, Shape};
use sightline_store::{
    connectors::{self, Switch},
    conversations,
};
use sightline_wire::{
    ErrorCode, Problem,
    account::Account,
    connectors::{ConnectorField, ConnectorKind, ConnectorView, FieldShape, SaveConnector},
};
use std::{io, path::PathBuf, sync::Arc};
use toml_edit::{DocumentMut, Table};

/// What fits every kind of connector; [`Line`] reads them.
const FOR_ALL: [(&str, FieldShape, &str); 2] = [
    (
        "calls_per_second",
        FieldShape::Number,
        "How often the platform is called at most; 20 without it.",
    ),
    (
        "invites_by",
        FieldShape::Text,
        "Of a phone system: the connector whose SMS carries links to its callers.",
    ),
];

/// `GET /v1/connector-kinds`: what each kind has to be told, in the order in which to ask.
pub async fn kinds(SignedIn { account }: SignedIn) -> Result<Json<Vec<ConnectorKind>>, Refusal> {
    routes::administers(&account)?;
    let common = FOR_ALL.map(|(name, shape, what)| ConnectorField {
        name: name.to_owned(),
        what: what.to_owned(),
        shape,
        needed: false,
        default: None,
    });
    let connectors = settings::kinds().iter().map(|kind| {
        let mut kind = described(kind);
        kind.fields.extend(common.clone());
        kind
    });
    let rooms = ConnectorKind {
        only: Some(broker::NAME.to_owned()),
        ..described(&INSTANT_CONNECT)
    };
    Ok(Json(connectors.chain([rooms]).collect()))
}

fn described(kind: &Kind) -> ConnectorKind {
    let fields = kind.fields.iter().map(|field| ConnectorField {
        name: field.name.to_owned(),
        what: field.what.to_owned(),
        shape: match field.shape {
            Shape::Text => FieldShape::Text,
            Shape::Texts => FieldShape::Texts,
            Shape::Address => FieldShape::Address,
            Shape::Secret => FieldShape::Secret,
            Shape::Secrets => FieldShape::Secrets,
        },
        needed: field.needed,
        default: field.default.map(str::to_owned),
    });
    ConnectorKind {
        name: kind.name.to_owned(),
        what: kind.what.to_owned(),
        only: None,
        fields: fields.collect(),
    }
}

/// `PUT /v1/connectors/{name}`: a new connector, or other settings for one.
pub async fn save(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(name): Id<String>,
    Body(wanted): Body<SaveConnector>,
) -> Result<Json<Vec<ConnectorView>>, Refusal> {
    edited(app, account, name, |app, file, name| async move {
        let table = file::table_of(&wanted).map_err(|why| refused(&why))?;
        match (name == broker::NAME, wanted.kind == INSTANT_CONNECT.name) {
            (true, true) => save_broker(&app, file, table).await,
            (false, false) => save_line(&app, file, &name, &wanted.kind, table).await,
            (true, false) | (false, true) => Err(refused(&format!(
                "Webex Instant Connect is set up once, under the name {}, which no connector has.",
                broker::NAME
            ))),
        }
    })
    .await
}

async fn save_line(app: &App, file: PathBuf, name: &str, kind: &str, table: Table) -> Result<(), Refusal> {
    if app.connectors.get(name).is_some_and(|line| line.kind != kind) {
        return Err(refused(
            "A connector keeps its kind: disconnect it, or choose another name.",
        ));
    }
    let (named, hook) = (name.to_owned(), hook_of(&app.public_url, name));
    let line = read(&table, move |table| Line::new(&named, table, hook)).await?;
    app.connectors.invites_go_out(&line).map_err(|why| refused(&why))?;
    write(file, name, Some(table)).await?;
    line.standing.set_switch(switched(app, name).await?);
    app.connectors.put(line);
    app.connectors.wake.notify_one();
    Ok(())
}

async fn save_broker(app: &App, file: PathBuf, table: Table) -> Result<(), Refusal> {
    let broker = read(&table, Broker::new).await?;
    write(file, broker::NAME, Some(table)).await?;
    broker.standing.set_switch(switched(app, broker::NAME).await?);
    app.connectors.set_broker(Some(broker));
    Ok(broker::told(app).await?)
}

/// `DELETE /v1/connectors/{name}`: the platform is disconnected. Refused while conversations go over it, with their list;
/// what waits for it goes out when it is set up again.
pub async fn remove(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(name): Id<String>,
) -> Result<Json<Vec<ConnectorView>>, Refusal> {
    edited(app, account, name, |app, file, name| async move {
        let is_broker = name == broker::NAME && app.connectors.broker().is_some();
        if !is_broker {
            app.connectors.get(&name).ok_or(ErrorCode::NotFound)?;
            if let Some(other) = app
                .connectors
                .all()
                .iter()
                .find(|line| line.invites_by.as_ref() == Some(&name))
            {
                return Err(refused(&format!(
                    "The connector {} sends its links by this one: change its `invites_by` first.",
                    other.name
                )));
            }
        }
        let mut writing = app.store.write().await?;
        routes::unused(conversations::over(writing.conn(), &name).await?)?;
        // Set up again under this name it begins as any other.
        connectors::switch(writing.conn(), &name, Switch::On, now()).await?;
        write(file, &name, None).await?;
        let committed = writing.commit().await?;
        if is_broker {
            app.connectors.set_broker(None);
        } else {
            app.connectors.take(&name);
        }
        drop(committed);
        if is_broker {
            broker::told(&app).await?;
        }
        Ok(())
    })
    .await
}

/// An admin changes the file, one after the other; the answer is how all connectors stand then.
async fn edited<T>(
    app: Arc<App>,
    admin: Account,
    name: String,
    change: impl FnOnce(Arc<App>, PathBuf, String) -> T,
) -> Result<Json<Vec<ConnectorView>>, Refusal>
where
    T: Future<Output = Result<(), Refusal>> + Send + 'static,
{
    routes::administers(&admin)?;
    let file = app.config.deployment.file.clone().ok_or(ErrorCode::NoSettingsFile)?;
    let change = change(app.clone(), file, name.clone());
    let task = app.clone();
    to_the_end(async move {
        let _one = task.connectors.editing.lock().await;
        change.await?;
        tracing::info!(admin = %admin.id, connector = name, "settings changed");
        Ok(())
    })
    .await?;
    routes::views(&app).await.map(Json)
}

/// What a start would make of this table.
async fn read<T: Send + 'static>(
    table: &Table,
    make: impl FnOnce(&toml::Table) -> Result<T, String> + Send + 'static,
) -> Result<T, Refusal> {
    let table = table.to_string();
    // A keyring may take its time.
    let made = tokio::task::spawn_blocking(move || {
        let table = table.parse().map_err(|error: toml::de::Error| error.to_string())?;
        make(&table)
    });
    made.await
        .map_err(|_| ErrorCode::Internal)?
        .map_err(|why| refused(&why))
}

/// As it was switched before.
async fn switched(app: &App, name: &str) -> Result<Switch, Refusal> {
    let mut c = app.store.read().await?;
    let switches = connectors::switches(&mut c).await?;
    let found = switches.into_iter().find(|(of, _)| of == name);
    Ok(found.map_or(Switch::On, |(_, switch)| switch))
}

fn refused(why: &str) -> Refusal {
    Problem::new(ErrorCode::SettingsRefused).saying(why).into()
}

fn not_written(error: io::Error) -> Refusal {
    tracing::error!(%error, "the deployment's file was not written");
    let why = match error.kind() {
        io::ErrorKind::InvalidData => format!("The settings' file cannot be changed: {error}"),
        _ => format!("The settings' file could not be written: {error}."),
    };
    Problem::new(ErrorCode::SettingsNotWritten).saying(why).into()
}

/// The file with this table, or without one of this name. Disks take their time, and others use this thread.
async fn write(file: PathBuf, name: &str, table: Option<Table>) -> Result<(), Refusal> {
    let name = name.to_owned();
    let change = move |document: &mut DocumentMut| match table {
        Some(table) => file::put(document, &name, &table),
        None => file::take(document, &name),
    };
    let written = tokio::task::spawn_blocking(move || file::rewrite(&file, change)).await;
    written.map_err(|_| ErrorCode::Internal)?.map_err(not_written)
}
