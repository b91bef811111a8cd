//! Connectors are set up in the app: what an admin enters is checked as at a start, written into the deployment's file
//! beside whatever else stands there, comments included, and counts at once.

use super::{Line, hook_of, routes};
use crate::{
    app::App,
    auth::SignedIn,
    deployment::Deployment,
    http::{
        body::Body,
        refusal::{Refusal, to_the_end},
    },
};
use axum::{
    Json,
    extract::{Path as Named, State},
};
use sightline_connect::settings::{self, Kind, Shape};
use sightline_store::{
    connectors::{self, Switch},
    conversations,
};
use sightline_wire::{
    ErrorCode, Problem,
    connectors::{ConnectorField, ConnectorKind, ConnectorView, FieldShape, SaveConnector},
};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use toml_edit::{Array, DocumentMut, Item, Table, Value, value};

/// What fits every kind; [`Line`] reads them.
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
    Ok(Json(settings::kinds().iter().map(described).collect()))
}

fn described(kind: &Kind) -> ConnectorKind {
    let own = kind.fields.iter().map(|field| ConnectorField {
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
    let common = FOR_ALL.map(|(name, shape, what)| ConnectorField {
        name: name.to_owned(),
        what: what.to_owned(),
        shape,
        needed: false,
        default: None,
    });
    ConnectorKind {
        name: kind.name.to_owned(),
        what: kind.what.to_owned(),
        fields: own.chain(common).collect(),
    }
}

/// `PUT /v1/connectors/{name}`: a new connector, or other settings for one.
pub async fn save(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Named(name): Named<String>,
    Body(wanted): Body<SaveConnector>,
) -> Result<Json<Vec<ConnectorView>>, Refusal> {
    routes::administers(&account)?;
    let file = file(&app)?;
    let task = app.clone();
    to_the_end(async move {
        let app = task;
        let _one = app.connectors.editing.lock().await;
        if app.connectors.get(&name).is_some_and(|line| line.kind != wanted.kind) {
            return Err(refused(
                "A connector keeps its kind: disconnect it, or choose another name.",
            ));
        }
        let table = table_of(&wanted).map_err(|why| refused(&why))?;
        let hook = hook_of(&app.public_url, &name);
        let line = {
            let (name, table) = (name.clone(), table.to_string());
            // A keyring may take its time.
            let made = tokio::task::spawn_blocking(move || {
                let table = table.parse().map_err(|error: toml::de::Error| error.to_string())?;
                Line::new(&name, &table, hook)
            });
            made.await
                .map_err(|_| ErrorCode::Internal)?
                .map_err(|why| refused(&why))?
        };
        app.connectors.invites_go_out(&line).map_err(|why| refused(&why))?;
        let named = name.clone();
        write(file, move |document| put(document, &named, &table)).await?;
        let mut c = app.store.read().await?;
        let switched = connectors::switches(&mut c).await?;
        drop(c);
        if let Some((_, switch)) = switched.into_iter().find(|(of, _)| *of == name) {
            line.set_switch(switch);
        }
        app.connectors.put(line);
        app.connectors.wake.notify_one();
        tracing::info!(admin = %account.id, connector = name, "settings saved");
        Ok(())
    })
    .await?;
    routes::views(&app).await.map(Json)
}

/// `DELETE /v1/connectors/{name}`: the platform is disconnected. Refused while conversations go over it, with their list;
/// what waits for it goes out when it is set up again.
pub async fn remove(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Named(name): Named<String>,
) -> Result<Json<Vec<ConnectorView>>, Refusal> {
    routes::administers(&account)?;
    let file = file(&app)?;
    let task = app.clone();
    to_the_end(async move {
        let app = task;
        let _one = app.connectors.editing.lock().await;
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
        let mut writing = app.store.write().await?;
        routes::unused(conversations::over(writing.conn(), &name).await?)?;
        // Set up again under this name it begins as any other.
        connectors::switch(writing.conn(), &name, Switch::On, crate::app::now()).await?;
        let named = name.clone();
        write(file, move |document| take(document, &named)).await?;
        let committed = writing.commit().await?;
        app.connectors.take(&name);
        drop(committed);
        tracing::info!(admin = %account.id, connector = name, "disconnected");
        Ok(())
    })
    .await?;
    routes::views(&app).await.map(Json)
}

fn file(app: &App) -> Result<PathBuf, Refusal> {
    app.config
        .deployment
        .file
        .clone()
        .ok_or(ErrorCode::NoSettingsFile.into())
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

/// The table that stands for what was entered: empty fields are left out, several values are a list.
fn table_of(wanted: &SaveConnector) -> Result<Table, String> {
    let mut table = Table::new();
    table["kind"] = value(wanted.kind.as_str());
    let kind = settings::kinds().iter().find(|kind| kind.name == wanted.kind);
    for (name, entered) in &wanted.settings {
        let entered: Vec<&str> = entered
            .iter()
            .map(|one| one.trim())
            .filter(|one| !one.is_empty())
            .collect();
        let shape = kind.and_then(|kind| kind.fields.iter().find(|field| field.name == name));
        let item = match (entered.as_slice(), shape.map(|field| field.shape)) {
            ([], _) => continue,
            ([one], _) if name == "calls_per_second" => value(
                one.parse::<i64>()
                    .map_err(|_| "`calls_per_second` has to be a number.".to_owned())?,
            ),
            (several, Some(Shape::Texts)) => value(several.iter().copied().collect::<Array>()),
            ([one], _) => value(*one),
            (several, _) => value(several.iter().copied().collect::<Array>()),
        };
        table.insert(name, item);
    }
    Ok(table)
}

/// Puts a connector into the document; what stands around it, and values that stay, keep their comments.
fn put(document: &mut DocumentMut, name: &str, wanted: &Table) -> Result<(), String> {
    let connectors = document.entry("connectors").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let connectors = connectors.as_table_like_mut().ok_or("`connectors` is no table")?;
    let Some(there) = connectors.get_mut(name).and_then(Item::as_table_like_mut) else {
        connectors.insert(name, Item::Table(wanted.clone()));
        return Ok(());
    };
    let gone: Vec<String> = there
        .iter()
        .map(|(key, _)| key.to_owned())
        .filter(|key| !wanted.contains_key(key))
        .collect();
    for key in gone {
        there.remove(&key);
    }
    for (key, item) in wanted {
        let Some(new) = item.as_value() else { continue };
        match there.get_mut(key).and_then(Item::as_value_mut) {
            Some(old) if same(old, new) => {}
            Some(old) => {
                let decor = old.decor().clone();
                *old = new.clone();
                *old.decor_mut() = decor;
            }
            None => drop(there.insert(key, Item::Value(new.clone()))),
        }
    }
    Ok(())
}

fn take(document: &mut DocumentMut, name: &str) -> Result<(), String> {
    let connectors = document.get_mut("connectors").and_then(Item::as_table_like_mut);
    connectors
        .and_then(|connectors| connectors.remove(name))
        .map(drop)
        .ok_or(format!("[connectors.{name}] does not stand in it"))
}

/// Whether two values say the same, however they are written.
fn same(one: &Value, other: &Value) -> bool {
    let plain = |value: &Value| {
        let mut value = value.clone();
        value.decor_mut().clear();
        value.to_string()
    };
    plain(one) == plain(other)
}

/// Disks take their time, and others use this thread.
async fn write(
    file: PathBuf,
    change: impl FnOnce(&mut DocumentMut) -> Result<(), String> + Send + 'static,
) -> Result<(), Refusal> {
    let written = tokio::task::spawn_blocking(move || rewrite(&file, change)).await;
    written.map_err(|_| ErrorCode::Internal)?.map_err(not_written)
}

/// Reads the file, changes it, and puts it in the place of the old one in one step: a crash leaves one of the two.
fn rewrite(file: &Path, change: impl FnOnce(&mut DocumentMut) -> Result<(), String>) -> io::Result<()> {
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let text = fs::read_to_string(file)?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| wrong(error.to_string()))?;
    change(&mut document).map_err(wrong)?;
    let text = document.to_string();
    // What a start would refuse is not written; somebody may have spoilt another part of it meanwhile.
    Deployment::parse(&text).map_err(wrong)?;
    let mut next = file.as_os_str().to_owned();
    next.push(".new");
    let next = PathBuf::from(next);
    let mut written = File::create(&next)?;
    let done = fs::metadata(file)
        .and_then(|old| written.set_permissions(old.permissions()))
        .and_then(|()| written.write_all(text.as_bytes()))
        .and_then(|()| written.sync_all())
        .and_then(|()| fs::rename(&next, file));
    if done.is_err() {
        let _ = fs::remove_file(&next);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const FILE: &str = "# Ours.\n[queues.default]\ntitle = \"All\" # of them\n\n# The shop.\n[connectors.shop]\n\
                        kind = \"webhook\" # signed\nurl = \"https://shop.example/in\" # theirs\nsecret = \"env:SHOP\"\n";

    fn wanted(settings: &[(&str, &[&str])]) -> Table {
        let settings: BTreeMap<_, _> = settings
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|one| (*one).to_owned()).collect()))
            .collect();
        let kind = "webhook".to_owned();
        table_of(&SaveConnector { kind, settings }).unwrap()
    }

    #[test]
    fn other_settings_leave_comments_and_everything_else_as_they_are() {
        let mut document: DocumentMut = FILE.parse().unwrap();
        let table = wanted(&[
            ("url", &["https://shop.example/new"]),
            ("secret", &["env:SHOP_2", " env:SHOP "]),
            ("calls_per_second", &["5"]),
            ("invites_by", &[""]),
        ]);
        put(&mut document, "shop", &table).unwrap();
        let text = document.to_string();
        for line in [
            "# Ours.",
            "title = \"All\" # of them",
            "# The shop.",
            "kind = \"webhook\" # signed",
            "url = \"https://shop.example/new\" # theirs",
            "secret = [\"env:SHOP_2\", \"env:SHOP\"]",
            "calls_per_second = 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(!text.contains("invites_by"));
    }

    #[test]
    fn a_connector_comes_and_goes() {
        let mut document: DocumentMut = FILE.parse().unwrap();
        put(
            &mut document,
            "crm",
            &wanted(&[("url", &["https://crm.example/in"]), ("secret", &["env:CRM"])]),
        )
        .unwrap();
        let deployment = Deployment::parse(&document.to_string()).unwrap();
        assert_eq!(deployment.connectors.keys().collect::<Vec<_>>(), ["crm", "shop"]);
        take(&mut document, "crm").unwrap();
        assert_eq!(document.to_string(), FILE);
        assert!(take(&mut document, "crm").is_err());
        let mut empty = DocumentMut::new();
        put(&mut empty, "crm", &wanted(&[])).unwrap();
        assert_eq!(empty.to_string(), "[connectors.crm]\nkind = \"webhook\"\n");
    }
}
