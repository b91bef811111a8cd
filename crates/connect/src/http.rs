//! What the connectors' requests and answers have in common.

use crate::{HttpCall, Inbound, Outcome, Reject, Secret, Thread};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use sightline_wire::{
    UnixMillis,
    conversation::{Context, ContextValue},
};
use std::time::Duration;

/// How a call says who we are.
pub(crate) enum SignIn<'a> {
    /// A name and a password.
    Basic(&'a str, &'a Secret),
    /// A token.
    Bearer(&'a Secret),
    /// The signature that is added later.
    None,
}

impl SignIn<'_> {
    fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            SignIn::Basic(name, password) => {
                let pair = STANDARD.encode(format!("{name}:{}", password.expose()));
                vec![("authorization", format!("Basic {pair}"))]
            }
            SignIn::Bearer(token) => vec![("authorization", format!("Bearer {}", token.expose()))],
            SignIn::None => Vec::new(),
        }
    }
}

/// A call without a body.
pub(crate) fn get(url: String, sign_in: &SignIn<'_>) -> HttpCall {
    HttpCall {
        method: "GET",
        url,
        headers: sign_in.headers(),
        body: Vec::new(),
    }
}

/// A call with a JSON body.
pub(crate) fn json(method: &'static str, url: String, sign_in: &SignIn<'_>, body: &Value) -> HttpCall {
    let mut headers = sign_in.headers();
    headers.push(("content-type", "application/json".to_owned()));
    HttpCall {
        method,
        url,
        headers,
        body: body.to_string().into_bytes(),
    }
}

/// A call with form fields.
pub(crate) fn form(url: String, sign_in: &SignIn<'_>, fields: &[(&str, &str)]) -> HttpCall {
    let mut headers = sign_in.headers();
    headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    HttpCall {
        method: "POST",
        url,
        headers,
        body: body.into_bytes(),
    }
}

/// One segment of a path or one value of a query, as `encodeURIComponent` writes it: an id of theirs is not trusted to
/// be free of slashes, nor to be more than the full stops that lead to another place.
pub(crate) fn segment(id: &str) -> String {
    if matches!(id, "." | "..") {
        return id.replace('.', "%2E");
    }
    let mut encoded = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A body that must be what the platform describes.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Reject> {
    serde_json::from_slice(body).map_err(|_| Reject::Malformed("not the JSON that the platform describes"))
}

/// What a status means wherever a platform says nothing more exact: `code` is its own word for a refusal.
pub(crate) fn outcome(status: u16, headers: &[(String, String)], id: Option<String>, code: Option<String>) -> Outcome {
    match status {
        200..=299 => Outcome::Taken { id },
        408 | 425 | 429 | 500..=599 => Outcome::Again {
            after: retry_after(headers),
        },
        _ => Outcome::Refused {
            code: code.unwrap_or_else(|| status.to_string()),
        },
    }
}

/// What an answer of a Microsoft service means: its id in `id`, its error in `error.code`.
pub(crate) fn outcome_of(status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
    outcome(status, headers, text_at(body, "/id"), error_code(body))
}

/// `error.code`, or the plain text that some gateways have under `error`.
pub(crate) fn error_code(body: &[u8]) -> Option<String> {
    let code = text_at(body, "/error/code").or_else(|| text_at(body, "/error"));
    code.filter(|code| !code.is_empty())
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3). A date instead says nothing about when it was written, and is left
/// to our own waiting.
pub(crate) fn retry_after(headers: &[(String, String)]) -> Option<Duration> {
    let (_, value) = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    let seconds: u32 = value.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.into()))
}

/// A text at a place like `/error/code` in an answer; numbers count as texts.
pub(crate) fn text_at(body: &[u8], pointer: &str) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    match answer.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// ISO 8601, as most platforms tell the time.
pub(crate) fn millis(text: &str) -> Option<UnixMillis> {
    text.parse().ok().map(jiff::Timestamp::as_millisecond)
}

/// The same, to be told.
pub(crate) fn iso(at: UnixMillis) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// The primitives of an object; context variables are nothing else.
pub(crate) fn context(object: &serde_json::Map<String, Value>) -> Context {
    let variable = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Bool(truth) => ContextValue::Truth(*truth),
            Value::Number(number) => ContextValue::Number(number.as_f64()?),
            Value::String(text) => ContextValue::Text(text.clone()),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((name.clone(), value))
    };
    object.iter().filter_map(variable).collect()
}

/// A variable as JSON, whole numbers without a point.
pub(crate) fn value(variable: &ContextValue) -> Value {
    /// Up to here every whole number is itself in a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match variable {
        ContextValue::Truth(truth) => Value::Bool(*truth),
        ContextValue::Text(text) => Value::String(text.clone()),
        ContextValue::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT => Value::from(*number as i64),
        ContextValue::Number(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
    }
}

/// A variable where a platform keeps texts only.
pub(crate) fn text(variable: &ContextValue) -> String {
    match value(variable) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Variables that changed, or nothing where there are none.
pub(crate) fn changed(thread: Thread, context: Context) -> Vec<Inbound> {
    if context.is_empty() {
        return Vec::new();
    }
    vec![Inbound::Context { thread, context }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> Vec<(String, String)> {
        vec![("Retry-After".into(), value.into())]
    }

    #[test]
    fn answers_are_judged_by_status_id_code_and_patience() {
        let taken = |id: Option<&str>| Outcome::Taken { id: id.map(Into::into) };
        let refused = |code: &str| Outcome::Refused { code: code.into() };
        let again = |seconds: Option<u64>| Outcome::Again {
            after: seconds.map(Duration::from_secs),
        };
        assert_eq!(outcome_of(201, &[], br#"{"id":"7"}"#), taken(Some("7")));
        assert_eq!(outcome_of(204, &[], b""), taken(None));
        assert_eq!(outcome_of(429, &headers("30"), b""), again(Some(30)));
        assert_eq!(
            outcome_of(503, &headers("Sun, 22 Nov 2026 01:00:00 GMT"), b"<html>"),
            again(None)
        );
        assert_eq!(
            outcome_of(403, &[], br#"{"error":{"code":"TokenExpired","message":"x"}}"#),
            refused("TokenExpired")
        );
        assert_eq!(
            outcome_of(400, &[], br#"{"error":"invalid_client"}"#),
            refused("invalid_client")
        );
        assert_eq!(outcome_of(404, &[], b"not found"), refused("404"));
        assert_eq!(outcome_of(302, &[], b""), refused("302"));
    }

    #[test]
    fn no_changed_answer_is_too_much() {
        let answer = br#"{"id":"7","error":{"code":"TokenExpired","message":"x"}}"#;
        crate::fuzz::mutations(answer, 1_000, |body| {
            for status in [200, 400] {
                let outcome = outcome_of(status, &headers("99999999999"), body);
                assert!(matches!(outcome, Outcome::Taken { .. } | Outcome::Refused { .. }));
            }
        });
    }

    #[test]
    fn path_segments_are_encoded_as_the_services_own_clients_do() {
        assert_eq!(segment("19:a-b_c@thread.v2"), "19%3Aa-b_c%40thread.v2");
        assert_eq!(segment("a/b?c#ü"), "a%2Fb%3Fc%23%C3%BC");
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        assert_eq!((segment("."), segment("..")), ("%2E".into(), "%2E%2E".into()));
        assert_eq!(segment("../x"), "..%2Fx");
    }
}
