//! How values stand in the database: enumerations as their wire names, sums and lists as JSON.

use crate::StoreError;
use serde::{Serialize, de::DeserializeOwned};
use std::str::FromStr;

/// JSON of a value whose serialisation cannot fail (no maps with odd keys, no non-finite numbers let in).
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("wire types always serialise")
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable { what })
}

/// A unit variant's wire name, without quotes.
pub(crate) fn name<T: Serialize>(value: &T) -> String {
    json(value).trim_matches('"').to_string()
}

pub(crate) fn from_name<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(text.into())).map_err(|_| StoreError::Unreadable { what })
}

pub(crate) fn id<T: FromStr>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Unreadable { what: "identifier" })
}

pub(crate) fn optional_id<T: FromStr>(text: Option<&str>) -> Result<Option<T>, StoreError> {
    text.map(id).transpose()
}
