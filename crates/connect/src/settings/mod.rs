//! A connector from its table in the deployment's file: `[connectors.NAME]` with a `kind`.
//!
//! [`kinds`] describes what such tables hold; they are read by it, shown by it and explained by it. Secrets never stand
//! in the file: a secret's field names the [`Place`] where it is found.

mod build;
mod kinds;
mod read;

pub use kinds::{Field, INSTANT_CONNECT, Kind, Shape, kinds};

use crate::{Connector, Secret, webex_instant::Instant};
use serde_json::{Map, Value, json};
use std::{fmt, str::FromStr, sync::Arc};

/// Where a secret is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// `env:NAME`, a variable of the environment.
    Env(String),
    /// `keyring:NAME`, an entry of the system's keyring.
    Keyring(String),
}

/// Not where a secret could be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret's place is \"env:NAME\" or \"keyring:NAME\"")]
pub struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let variable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() && name.bytes().all(variable) => Ok(Self::Env(name.to_owned())),
            Some(("keyring", name)) if !name.trim().is_empty() => Ok(Self::Keyring(name.to_owned())),
            _ => Err(NotAPlace),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Keyring(name) => write!(f, "keyring:{name}"),
        }
    }
}

/// Why a table makes no connector: a sentence for the operator. It never repeats what stands in a secret's field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[{table}] {fault}")]
pub struct SettingsError {
    table: String,
    fault: Fault,
}

impl SettingsError {
    /// The field that it is about, where it is about one.
    pub fn field(&self) -> Option<&str> {
        match &self.fault {
            Fault::Name | Fault::NoKind | Fault::UnknownKind { .. } | Fault::NoConnector => None,
            Fault::Unknown { field, .. } => Some(field),
            Fault::Missing { field, .. }
            | Fault::NotText(field)
            | Fault::NotTexts(field)
            | Fault::NotAPlace(field)
            | Fault::NothingThere { field, .. }
            | Fault::NotAnAddress(field)
            | Fault::Together { field, .. }
            | Fault::OneOf { field, .. }
            | Fault::NotAKey(field) => Some(field),
        }
    }
}

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("The name is part of an address: use letters, digits, - and _ only.")]
    Name,
    #[error("There is no `kind`. Put one of: {}.", names())]
    NoKind,
    #[error("There is no kind `{kind}`. Put one of: {}.", names())]
    UnknownKind { kind: String },
    #[error(
        "Webex Instant Connect is no connector: its settings stand in a table of their own, [webex_instant_connect]."
    )]
    NoConnector,
    #[error("A connector of this kind has no field `{field}`. Its fields are: {known}.")]
    Unknown { field: String, known: String },
    #[error("`{field}` is missing. {what}")]
    Missing { field: &'static str, what: &'static str },
    #[error("`{0}` has to be a text in quotation marks.")]
    NotText(&'static str),
    #[error("`{0}` has to be a list of texts in quotation marks.")]
    NotTexts(&'static str),
    #[error(
        "`{0}` is a secret, and secrets do not stand in this file. Put \"env:NAME\" for a variable of the environment or \
         \"keyring:NAME\" for an entry of the system's keyring."
    )]
    NotAPlace(&'static str),
    #[error("`{field}` names {place}, and nothing is there. Put the secret there and start again.")]
    NothingThere { field: &'static str, place: Place },
    #[error(
        "`{0}` has to be an address that begins with https:// and has no name, query or fragment; http:// only for this \
         computer itself (localhost, 127.0.0.1)."
    )]
    NotAnAddress(&'static str),
    #[error("`{field}` and `{other}` belong together. Set both or neither.")]
    Together { field: &'static str, other: &'static str },
    #[error("Either `{field}` or `{other}` has to be set, and not both.")]
    OneOf { field: &'static str, other: &'static str },
    #[error("What is found for `{0}` is not the key that the platform shows: that is base64.")]
    NotAKey(&'static str),
}

impl Fault {
    fn of(self, table: impl Into<String>) -> SettingsError {
        SettingsError {
            table: table.into(),
            fault: self,
        }
    }
}

fn names() -> String {
    kinds().iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}

/// The connector that a table describes. `hook` is our own public address for it, where the platform calls us; `secret`
/// finds a secret.
///
/// # Errors
/// A field is unknown, missing or wrong, or a secret is not found.
pub fn connector(
    name: &str,
    table: &Map<String, Value>,
    hook: &str,
    secret: &dyn Fn(&Place) -> Option<Secret>,
) -> Result<Arc<dyn Connector>, SettingsError> {
    let built = || {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(letters) {
            return Err(Fault::Name);
        }
        let kind = kind(table)?;
        let mut values = read::values(kind, table, secret)?;
        let connector = (kind.build)(&mut values, hook)?;
        debug_assert!(values.is_empty(), "{} makes nothing of {values:?}", kind.name);
        Ok(connector)
    };
    built().map_err(|fault| fault.of(format!("connectors.{name}")))
}

/// Webex Instant Connect from its table of this name, which is like a connector's and has the fields of
/// [`INSTANT_CONNECT`].
///
/// # Errors
/// As of [`connector`].
pub fn instant_connect(
    name: &str,
    table: &Map<String, Value>,
    secret: &dyn Fn(&Place) -> Option<Secret>,
) -> Result<Instant, SettingsError> {
    let mut values = read::values(&INSTANT_CONNECT, table, secret).map_err(|fault| fault.of(name))?;
    Ok(Instant {
        broker: values.need("broker_base"),
        bot_token: values.need_secret("bot_token"),
        org_id: values.text("org_id"),
        sms_country: values.text("sms_country"),
    })
}

/// A table as it may be shown: secrets as their places, and hidden where somebody has put the secret itself. So are
/// fields that the kind does not know: perhaps one of them is a secret's, misspelt.
pub fn redacted(table: &Map<String, Value>) -> Map<String, Value> {
    let kind = any_kind(table).ok();
    let shown = |name: &String, value: &Value| {
        let field = kind.and_then(|kind| kind.fields.iter().find(|field| field.name == name));
        match (name.as_str(), field) {
            ("kind", _) => value.clone(),
            (_, None) => json!(HIDDEN),
            (_, Some(field)) if field.secret() => place(value),
            (_, Some(_)) => value.clone(),
        }
    };
    table
        .iter()
        .map(|(name, value)| (name.clone(), shown(name, value)))
        .collect()
}

const HIDDEN: &str = "(hidden)";

fn place(value: &Value) -> Value {
    match value {
        Value::String(text) if text.parse::<Place>().is_ok() => value.clone(),
        Value::Array(places) => places.iter().map(place).collect(),
        _ => json!(HIDDEN),
    }
}

/// The places of a table's secrets with their fields, for a server that says which of them are set.
pub fn places(table: &Map<String, Value>) -> Vec<(&'static str, Place)> {
    let Ok(kind) = any_kind(table) else {
        return Vec::new();
    };
    let of = |field: &'static Field| {
        let texts = match table.get(field.name) {
            Some(Value::String(text)) => vec![text.as_str()],
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        texts
            .into_iter()
            .filter_map(|text| Some((field.name, text.parse().ok()?)))
            .collect::<Vec<_>>()
    };
    kind.fields.iter().filter(|field| field.secret()).flat_map(of).collect()
}

/// Of a connector.
fn kind(table: &Map<String, Value>) -> Result<&'static Kind, Fault> {
    let kind = any_kind(table)?;
    if kind.name == INSTANT_CONNECT.name {
        return Err(Fault::NoConnector);
    }
    Ok(kind)
}

fn any_kind(table: &Map<String, Value>) -> Result<&'static Kind, Fault> {
    let name = table.get("kind").and_then(Value::as_str).ok_or(Fault::NoKind)?;
    let found = kinds().iter().chain([&INSTANT_CONNECT]).find(|kind| kind.name == name);
    found.ok_or_else(|| Fault::UnknownKind { kind: name.to_owned() })
}

#[cfg(test)]
mod tests;
