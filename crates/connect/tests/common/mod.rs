//! Connectors with keys of no value, and requests as their platforms send them.
#![allow(dead_code, reason = "each test file uses its own part")]

use serde_json::{Value, json};
use sightline_connect::{
    Connector, HttpCall, Inbound, Outbound, Received, Reject, Request, Secret, Thread,
    settings::{self, Place},
    signature::Scheme,
    twilio,
};
use sightline_wire::UnixMillis;
use std::sync::Arc;

pub const NOW: UnixMillis = 1_767_225_600_000;
pub const KEY: &str = "key";
pub const URL: &str = "https://desk.example/v1/connect/in";

/// The connector of a table whose secrets are named like their places: `env:key` is `key`.
pub fn built(table: &Value) -> Arc<dyn Connector> {
    let secret = |place: &Place| {
        let (Place::Env(name) | Place::Keyring(name)) = place;
        Some(Secret::new(name))
    };
    let table = table.as_object().expect("a table");
    settings::connector("test", table, URL, &secret).unwrap_or_else(|error| panic!("{error}"))
}

pub fn conversations() -> Arc<dyn Connector> {
    built(&json!({
        "kind": "twilio-conversations",
        "account_sid": "AC1",
        "auth_token": "env:key",
        "key_sid": "SK1",
        "key_secret": "env:password",
        "workspace_sid": "WS1",
        "staff": ["agent_40desk_2Eexample"],
    }))
}

pub fn messaging() -> Arc<dyn Connector> {
    built(&json!({
        "kind": "twilio-messaging",
        "account_sid": "AC1",
        "auth_token": "env:key",
        "key_sid": "SK1",
        "key_secret": "env:password",
        "from": "whatsapp:+15550001",
        "template_sid": "HX1",
    }))
}

pub fn whatsapp() -> Arc<dyn Connector> {
    built(&json!({
        "kind": "whatsapp",
        "phone_number_id": "106540352242922",
        "access_token": "env:token",
        "app_secret": "env:key",
        "verify_token": "env:ours",
        "template_name": "video_invite",
        "template_language": "en_GB",
    }))
}

/// Signed in, as an integration of Ireland.
pub fn genesys() -> Arc<dyn Connector> {
    let connector = built(&json!({
        "kind": "genesys",
        "region": "mypurecloud.ie",
        "integration_id": "integration",
        "webhook_secret": "env:key",
        "client_id": "client",
        "client_secret": "env:hidden",
    }));
    let fetch = connector.due(NOW).expect("a token is needed first");
    let answer = br#"{"access_token":"token","token_type":"bearer","expires_in":86399}"#;
    connector.fetched(&fetch, 200, answer, NOW).expect("it is a token");
    connector
}

pub fn generic() -> Arc<dyn Connector> {
    built(&json!({ "kind": "webhook", "url": "https://bot.example/sightline", "secret": "env:key" }))
}

/// A body as the platform would send it, through both doors.
pub fn receive(connector: &dyn Connector, scheme: Scheme, url: &str, body: &[u8]) -> Result<Received, Reject> {
    let signature = scheme.sign(&Secret::new(KEY), url, body, NOW);
    let headers: Vec<_> = signature
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let request = Request {
        method: "POST",
        url,
        headers: &headers,
        body,
        at: NOW,
    };
    connector.read(connector.verify(request).expect("it is signed"))
}

pub fn events(connector: &dyn Connector, scheme: Scheme, body: &[u8]) -> Vec<Inbound> {
    receive(connector, scheme, URL, body).expect("it can be read").events
}

/// A Twilio webhook.
pub fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
        .into_bytes()
}

pub fn twilio_events(connector: &dyn Connector, fields: &[(&str, &str)]) -> Vec<Inbound> {
    events(connector, twilio::FORM, &form(fields))
}

pub fn outbound(thread: &str, text: &str, link: Option<&str>) -> Outbound {
    Outbound {
        thread: Thread(thread.to_owned()),
        key: "key-1".to_owned(),
        agent: "Ada".to_owned(),
        text: text.to_owned(),
        link: link.map(str::to_owned),
        at: NOW,
    }
}

/// A call's form fields.
pub fn fields(call: &HttpCall) -> Vec<(String, String)> {
    form_urlencoded::parse(&call.body).into_owned().collect()
}

/// A call's JSON.
pub fn body(call: &HttpCall) -> Value {
    serde_json::from_slice(&call.body).expect("JSON")
}

pub fn header<'a>(call: &'a HttpCall, name: &str) -> Option<&'a str> {
    call.headers
        .iter()
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.as_str())
}
