//! Values as their kind describes them: checked, with defaults, and secrets found.

use super::{Fault, Field, Kind, Place, Shape};
use crate::Secret;
use serde_json::{Map, Value as Json};
use std::{collections::BTreeMap, net::IpAddr};

#[derive(Debug)]
enum Value {
    Text(String),
    Texts(Vec<String>),
    Secrets(Vec<Secret>),
}

/// What a table holds, until it has been taken.
#[derive(Debug)]
pub(super) struct Values(BTreeMap<&'static str, Value>);

impl Values {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A text or an address.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        match self.0.remove(field)? {
            Value::Text(text) => Some(text),
            other => panic!("{field} is no text but {other:?}"),
        }
    }

    pub(super) fn texts(&mut self, field: &str) -> Vec<String> {
        match self.0.remove(field) {
            None => Vec::new(),
            Some(Value::Texts(texts)) => texts,
            Some(other) => panic!("{field} is no list but {other:?}"),
        }
    }

    /// One secret, or several during a rotation.
    pub(super) fn secrets(&mut self, field: &str) -> Vec<Secret> {
        match self.0.remove(field) {
            None => Vec::new(),
            Some(Value::Secrets(secrets)) => secrets,
            Some(other) => panic!("{field} is no secret but {other:?}"),
        }
    }

    pub(super) fn secret(&mut self, field: &str) -> Option<Secret> {
        self.secrets(field).into_iter().next()
    }

    /// A text that is needed or has a default, so that reading has seen to it.
    pub(super) fn need(&mut self, field: &str) -> String {
        self.text(field).expect("the kind says that it is there")
    }

    pub(super) fn need_secret(&mut self, field: &str) -> Secret {
        self.secret(field).expect("the kind says that it is there")
    }
}

/// # Errors
/// A field is unknown, missing or wrong, or a secret is not found.
pub(super) fn values(
    kind: &'static Kind,
    table: &Map<String, Json>,
    secret: &dyn Fn(&Place) -> Option<Secret>,
) -> Result<Values, Fault> {
    let known = |name: &String| name == "kind" || kind.fields.iter().any(|field| field.name == name);
    if let Some(field) = table.keys().find(|name| !known(name)) {
        let known: Vec<_> = kind.fields.iter().map(|field| field.name).collect();
        return Err(Fault::Unknown {
            field: field.clone(),
            known: known.join(", "),
        });
    }
    let mut values = Values(BTreeMap::new());
    for field in kind.fields {
        // An empty text is a field that somebody has left to be filled in.
        let told = table.get(field.name).filter(|told| told.as_str() != Some(""));
        let told = told.cloned().or_else(|| default(field, &values).map(Json::String));
        match told {
            Some(told) => drop(values.0.insert(field.name, value(field, &told, secret)?)),
            None if field.needed => {
                return Err(Fault::Missing {
                    field: field.name,
                    what: field.what,
                });
            }
            None => {}
        }
    }
    Ok(values)
}

/// The default, with what stands in braces replaced by the field of that name.
fn default(field: &Field, values: &Values) -> Option<String> {
    let default = field.default?;
    let Some((before, (name, after))) = default
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return Some(default.to_owned());
    };
    match values.0.get(name) {
        Some(Value::Text(text)) => Some(format!("{before}{text}{after}")),
        _ => panic!(
            "the default of {} names {name}, which comes later or is no text",
            field.name
        ),
    }
}

fn value(field: &Field, told: &Json, secret: &dyn Fn(&Place) -> Option<Secret>) -> Result<Value, Fault> {
    let text = || told.as_str().map(str::to_owned).ok_or(Fault::NotText(field.name));
    Ok(match field.shape {
        Shape::Text => Value::Text(text()?),
        Shape::Address => Value::Text(address(&text()?).ok_or(Fault::NotAnAddress(field.name))?),
        Shape::Texts => {
            let list = told.as_array().ok_or(Fault::NotTexts(field.name))?;
            let texts: Option<Vec<_>> = list.iter().map(|text| text.as_str().map(str::to_owned)).collect();
            Value::Texts(texts.ok_or(Fault::NotTexts(field.name))?)
        }
        Shape::Secret => Value::Secrets(vec![found(field, told, secret)?]),
        Shape::Secrets => match told {
            Json::Array(places) if places.is_empty() => {
                return Err(Fault::Missing {
                    field: field.name,
                    what: field.what,
                });
            }
            Json::Array(places) => {
                let secrets: Result<_, _> = places.iter().map(|told| found(field, told, secret)).collect();
                Value::Secrets(secrets?)
            }
            one => Value::Secrets(vec![found(field, one, secret)?]),
        },
    })
}

fn found(field: &Field, told: &Json, secret: &dyn Fn(&Place) -> Option<Secret>) -> Result<Secret, Fault> {
    let place: Option<Place> = told.as_str().and_then(|text| text.parse().ok());
    let place = place.ok_or(Fault::NotAPlace(field.name))?;
    let found = secret(&place).filter(|secret| !secret.is_empty());
    found.ok_or(Fault::NothingThere {
        field: field.name,
        place,
    })
}

/// An address without a slash at its end. Plain HTTP would show secrets to the network; within this computer there is
/// none.
fn address(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split('/').next()?;
    let clean = |byte: u8| byte.is_ascii_graphic() && !br#"?#@\"<>{}|^`"#.contains(&byte);
    if authority.is_empty() || !rest.bytes().all(clean) {
        return None;
    }
    let host = host(authority)?;
    let here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    match scheme {
        "https" => {}
        "http" if here => {}
        _ => return None,
    }
    Some(text.trim_end_matches('/').to_owned())
}

/// The host without port and brackets.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_is_one = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    (!host.is_empty() && port_is_one).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_safe_or_here() {
        for (text, read) in [
            ("https://api.example", "https://api.example"),
            ("https://api.example:8443/base/", "https://api.example:8443/base"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(address(text).as_deref(), Some(read), "{text}");
        }
        for text in [
            "",
            "api.example",
            "https://",
            "https:///x",
            "https://:443",
            "https://a.example:port",
            "https://a.example:99999",
            "https://user@a.example",
            "https://a.example/?q",
            "https://a.example#f",
            "https://a.example/ b",
            "http://a.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "http://localhost@a.example",
            "http://127.0.0.1\\@a.example",
            "ftp://127.0.0.1",
            "https://[::1",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
