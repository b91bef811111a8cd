//! The connectors for software in other languages: one JSON object a line in, one a line out. The tests that let the
//! vendors' own libraries judge (`tests/vendors`) talk to this.
//!
//! In: `{"platform", "settings", "op", …}` with `op` being
//! - `receive` `{"request": {"method", "url", "headers", "body", "at"}}` -> `{"events"}`, `{"challenge"}` or `{"reject"}`
//! - `send`, `send_template` `{"message": {"thread", "key", "agent", "text", "link", "at"}}` -> `{"call"}`
//! - `write_context` `{"thread", "kept", "context"}` -> `{"call"}`, with what was kept as `kept`
//! - `receipt` `{"thread", "id", "at"}`, a read message -> `{"call"}`
//! - `probe` -> `{"call"}`
//! - `judge` `{"status", "headers", "body"}` -> `{"outcome"}`
//! - `sign` `{"key", "url", "body", "at"}` -> `{"headers"}`, as the platform itself would

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sightline_connect::{
    Answer, Connector, Delivery, HttpCall, Kept, Outbound, Request, Secret, Thread, generic, genesys,
    settings::{self, Place},
    signature::Scheme,
    twilio, whatsapp,
};
use sightline_wire::{UnixMillis, conversation::Context};
use std::{
    error::Error,
    io::{BufRead, Write, stdin, stdout},
    sync::Arc,
};

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        let answer = answer(&line?).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Asked {
    platform: String,
    settings: Map<String, Value>,
    #[serde(flatten)]
    op: Op,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Op {
    Receive {
        request: Arrived,
    },
    Send {
        message: Message,
    },
    SendTemplate {
        message: Message,
    },
    WriteContext {
        thread: String,
        kept: String,
        context: Context,
    },
    Receipt {
        thread: String,
        id: String,
        at: UnixMillis,
    },
    Probe,
    Judge {
        status: u16,
        #[serde(default)]
        headers: Vec<(String, String)>,
        body: String,
    },
    Sign {
        key: Secret,
        url: String,
        body: String,
        at: UnixMillis,
    },
}

#[derive(Deserialize)]
struct Arrived {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    at: UnixMillis,
}

#[derive(Deserialize)]
struct Message {
    thread: String,
    key: String,
    agent: String,
    text: String,
    link: Option<String>,
    at: UnixMillis,
}

impl Message {
    fn outbound(self) -> Outbound {
        Outbound {
            thread: Thread(self.thread),
            key: self.key,
            agent: self.agent,
            text: self.text,
            link: self.link,
            at: self.at,
        }
    }
}

fn answer(line: &str) -> Result<Value, Failure> {
    let Asked { platform, settings, op } = serde_json::from_str(line)?;
    let connector = connector(&platform, &settings)?;
    Ok(match op {
        Op::Receive { request } => receive(&*connector, &request),
        Op::Send { message } => call(Some(connector.send(&message.outbound()))),
        Op::SendTemplate { message } => call(connector.send_template(&message.outbound())),
        Op::WriteContext { thread, kept, context } => {
            let kept = Kept {
                headers: &[],
                body: kept.as_bytes(),
            };
            call(connector.write_context(&Thread(thread), kept, &context)?)
        }
        Op::Receipt { thread, id, at } => call(connector.receipt(&Thread(thread), &id, &Delivery::Read, at)),
        Op::Probe => call(Some(connector.probe())),
        Op::Judge { status, headers, body } => {
            json!({ "outcome": format!("{:?}", connector.judge(status, &headers, body.as_bytes())) })
        }
        Op::Sign { key, url, body, at } => {
            json!({ "headers": scheme(&platform, &url)?.sign(&key, &url, body.as_bytes(), at) })
        }
    })
}

/// Settings as in the deployment's file, with secrets that are named like their places: `keyring:abc` is `abc`.
fn connector(platform: &str, settings: &Map<String, Value>) -> Result<Arc<dyn Connector>, Failure> {
    let mut table = settings.clone();
    table.insert("kind".to_owned(), json!(platform));
    let hook = table.remove("hook");
    let hook = hook
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or("https://desk.example/v1/hooks/test");
    let secret = |place: &Place| {
        let (Place::Env(name) | Place::Keyring(name)) = place;
        Some(Secret::new(name))
    };
    let connector = settings::connector("test", &table, hook, &secret)?;
    if let Some(fetch) = connector.due(0) {
        let answer = json!({ "access_token": "not-a-token", "expires_in": 3600 });
        connector.fetched(&fetch, 200, answer.to_string().as_bytes(), 0)?;
    }
    Ok(connector)
}

fn scheme(platform: &str, url: &str) -> Result<Scheme, Failure> {
    Ok(match platform {
        "twilio-conversations" | "twilio-messaging" if url.contains("bodySHA256") => twilio::HASHED,
        "twilio-conversations" | "twilio-messaging" => twilio::FORM,
        "whatsapp" => whatsapp::SIGNATURE,
        "genesys" => genesys::SIGNATURE,
        "webhook" => generic::SIGNATURE,
        _ => return Err(format!("no platform {platform}").into()),
    })
}

fn receive(connector: &dyn Connector, arrived: &Arrived) -> Value {
    let request = Request {
        method: &arrived.method,
        url: &arrived.url,
        headers: &arrived.headers,
        body: arrived.body.as_bytes(),
        at: arrived.at,
    };
    let received = connector.verify(request).and_then(|verified| connector.read(verified));
    match received.map(|received| (received.answer, received.events)) {
        Ok((Answer::Challenge { body, .. }, _)) => json!({ "challenge": body }),
        Ok((_, events)) => json!({ "events": events.iter().map(|event| format!("{event:?}")).collect::<Vec<_>>() }),
        Err(reject) => json!({ "reject": format!("{reject:?}") }),
    }
}

fn call(call: Option<HttpCall>) -> Value {
    let described = |call: HttpCall| {
        json!({
            "method": call.method,
            "url": call.url,
            "headers": call.headers,
            "body": String::from_utf8_lossy(&call.body),
        })
    };
    json!({ "call": call.map(described) })
}
