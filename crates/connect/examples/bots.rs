//! The connectors of bots by hand, or by the vendors' own software (`tests/vendors`): a question for each line of
//! JSON on standard input, its answer on standard output.
//!
//! ```text
//! {"do":"handoff_status","state":"failed","message":"nobody is here"}
//! ```

use serde_json::{Value, json};
use sightline_connect::{
    Answer, Connector, Content, HandoffState, HttpCall, Inbound, Line, Outbound, Reject, Request, Secret, Speaker,
    Thread,
    acs::{self, Acs, Participant, sign::AccessKey},
    bot::{
        self, Bot,
        token::{Expected, METADATA, SKEW},
    },
    directline::{DirectLine, Reading},
};
use std::io::{BufRead, stdin};

fn main() {
    for line in stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line.expect("standard input is text")).expect("a line is JSON");
        println!("{}", answer(&question));
    }
}

fn answer(question: &Value) -> Value {
    match text(question, "do") {
        "take" => take(question),
        "bot" => bot(question),
        "handoff_status" => handoff_status(question),
        "acs_call" => call(&acs_call(question)),
        "acs_event" => acs_event(question),
        other => json!({ "error": format!("nothing to do is called {other}") }),
    }
}

/// A frame of a Direct Line stream.
fn take(question: &Value) -> Value {
    let body = question["set"].to_string();
    let thread = Thread(text(question, "thread").into());
    match Reading::default().take(&direct_line(), &thread, body.as_bytes()) {
        Ok(events) => events.iter().map(event).collect(),
        Err(reject) => refusal(reject),
    }
}

/// A request of the Bot Framework, with the keys that it should be signed with.
fn bot(question: &Value) -> Value {
    let bot = Bot::new(bot::Settings {
        expected: Expected {
            audience: text(question, "audience").into(),
            issuer: text(question, "issuer").into(),
            skew: SKEW,
        },
        metadata: METADATA.into(),
        login: bot::LOGIN.into(),
        tenant: String::new(),
        secret: Secret::new(""),
    });
    let now = question["at"].as_i64().unwrap_or_default();
    while let Some(fetch) = bot.due(now) {
        let answer = match fetch.what {
            "token" => json!({ "access_token": "only for tests", "expires_in": 3600 }),
            "keys" => question["jwks"].clone(),
            _ => json!({ "jwks_uri": "https://login.example/keys" }),
        };
        if let Err(reject) = bot.fetched(&fetch, 200, answer.to_string().as_bytes(), now) {
            return refusal(reject);
        }
    }
    let headers = [("authorization".to_string(), text(question, "authorization").to_string())];
    received(&bot, question, "POST", &headers)
}

fn handoff_status(question: &Value) -> Value {
    let state = match text(question, "state") {
        "accepted" => HandoffState::Accepted,
        "completed" => HandoffState::Completed,
        _ => HandoffState::Failed(text(question, "message").into()),
    };
    let status = direct_line().handoff(&Thread("7Kd2".into()), &state);
    call(&status.expect("bots hear what became of their hand-offs"))
}

fn acs_call(question: &Value) -> HttpCall {
    let acs = acs(question);
    let thread = Thread(text(question, "thread").into());
    let now = question["at"].as_i64().unwrap_or_default();
    match text(question, "call") {
        "create_identity" => acs.create_identity(now),
        "issue_token" => acs.issue_token(text(question, "user"), now),
        "create_thread" => {
            let guest = Participant {
                id: text(question, "user").into(),
                name: Some("Ada".into()),
            };
            acs.create_thread(text(question, "topic"), &[guest], "key-1")
        }
        "read_receipt" => acs.read_receipt(&thread, text(question, "message")),
        "typing" => acs.typing(&thread).expect("typing is shown"),
        "set_context" => {
            let context = serde_json::from_value(question["context"].clone()).expect("context is primitives");
            acs.set_context(&thread, &context).expect("context is kept")
        }
        _ => acs.send(&Outbound {
            at: 0,
            thread,
            key: "key-1".into(),
            agent: "Grace".into(),
            text: text(question, "text").into(),
            link: None,
        }),
    }
}

fn acs_event(question: &Value) -> Value {
    let headers = [(
        "webhook-request-origin".to_string(),
        text(question, "origin").to_string(),
    )];
    received(&acs(question), question, text(question, "method"), &headers)
}

fn received(connector: &dyn Connector, question: &Value, method: &str, headers: &[(String, String)]) -> Value {
    let body = question["body"].to_string();
    let request = Request {
        method,
        url: "https://desk.example/in?code=only-for-tests",
        headers,
        body: body.as_bytes(),
        at: question["at"].as_i64().unwrap_or_default(),
    };
    let read = connector.verify(request).and_then(|verified| connector.read(verified));
    match read {
        Ok(received) => json!({
            "events": received.events.iter().map(event).collect::<Value>(),
            "answer": match received.answer {
                Answer::Accepted => json!(null),
                Answer::Challenge { body, .. } => json!(body),
                Answer::Headers(headers) => headers.into_iter().map(|(name, value)| json!([name, value])).collect(),
            },
        }),
        Err(reject) => refusal(reject),
    }
}

fn direct_line() -> DirectLine {
    DirectLine {
        base: "https://directline.example".into(),
        bearer: Secret::new("only for tests"),
        user: "dl_desk".into(),
        dynamics: None,
        name: "Bot".into(),
        entry: None,
    }
}

fn acs(question: &Value) -> Acs {
    let acs = Acs::new(acs::Settings {
        endpoint: text(question, "endpoint").into(),
        key: AccessKey::new(question["key"].as_str().unwrap_or("AA==")).expect("the key is base64"),
        user: "8:acs:desk".into(),
        webhook_code: Secret::new("only-for-tests"),
    });
    if let Some(fetch) = acs.due(0) {
        let answer = json!({ "token": question["token"], "expiresOn": "2100-01-01T00:00:00Z" });
        // A question about what the resource does has no token.
        let _ = acs.fetched(&fetch, 200, answer.to_string().as_bytes(), 0);
    }
    acs
}

fn event(event: &Inbound) -> Value {
    match event {
        Inbound::Message {
            thread,
            id,
            from,
            content,
            at,
            context,
        } => json!({
            "message": id, "thread": thread.0, "from": speaker(from), "at": at, "context": context,
            "text": match content {
                Content::Text(text) => text.clone(),
                Content::File { url, .. } => url.clone(),
                Content::Offer(offer) => offer.text(),
            },
        }),
        Inbound::Handoff {
            thread,
            id,
            context,
            transcript,
        } => json!({
            "handoff": id, "thread": thread.0, "context": context,
            "transcript": transcript.iter().map(line).collect::<Value>(),
        }),
        Inbound::Typing { thread } => json!({ "typing": thread.0 }),
        Inbound::VideoAsked { thread } => json!({ "video_asked": thread.0 }),
        Inbound::Ended { thread } => json!({ "ended": thread.0 }),
        Inbound::Context { thread, context } => json!({ "changed": thread.0, "context": context }),
        Inbound::Receipt { id, .. } => json!({ "receipt": id }),
        Inbound::Fetch { id, .. } => json!({ "fetch": id }),
        Inbound::Call { id, .. } => json!({ "call": id }),
        Inbound::CallEnded { thread } => json!({ "call_ended": thread.0 }),
    }
}

fn line(line: &Line) -> Value {
    json!({ "from": speaker(&line.speaker), "text": line.text, "at": line.at })
}

fn speaker(speaker: &Speaker) -> Value {
    match speaker {
        Speaker::Customer { address, name } => json!({ "customer": address, "name": name }),
        Speaker::Other { name } => json!({ "name": name }),
    }
}

fn call(call: &HttpCall) -> Value {
    json!({
        "method": call.method, "url": call.url, "body": String::from_utf8_lossy(&call.body),
        "headers": call.headers.iter().map(|(name, value)| (name.to_string(), json!(value))).collect::<Value>(),
    })
}

fn refusal(reject: Reject) -> Value {
    json!({ "refused": reject.to_string() })
}

fn text<'a>(question: &'a Value, name: &str) -> &'a str {
    question[name].as_str().unwrap_or_default()
}
