//! Our own webhook, for everybody who has no connector: `docs/webhook.md` describes both directions, and a test holds it to
//! what is here.

use crate::{
    Ability, Answer, Connector, Content, Delivery, HandoffState, HttpCall, Inbound, Line, Outbound, Outcome, Received,
    Reject, Request, Secret, Speaker, Thread, Verified,
    http::{self, SignIn},
    signature::{Canonical, Encoding, Hash, Scheme},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sightline_wire::{
    UnixMillis,
    conversation::{Channel, Context, ContextValue},
};
use std::time::Duration;

/// Both directions are signed in the same way. Five minutes are enough for a retry within one connection and for clocks
/// that differ, and short for somebody with a copy.
pub const SIGNATURE: Scheme = Scheme {
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: "x-sightline-signature",
    prefix: "v1=",
    canonical: Canonical::TimestampAndBody {
        header: "x-sightline-timestamp",
        max_age: Duration::from_secs(300),
    },
};

/// What has to be known of the other side.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where our calls go.
    pub url: String,
    /// The first one signs our calls; all of them may sign theirs.
    pub secrets: Vec<Secret>,
}

/// The variable under which the number is kept that was called.
pub const CALLED: &str = "calledNumber";

/// The connector.
#[derive(Debug, Clone)]
pub struct Generic {
    settings: Settings,
}

impl Generic {
    /// With its settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    fn post(&self, body: &Value) -> HttpCall {
        http::json("POST", self.settings.url.clone(), &SignIn::None, body)
    }
}

impl Connector for Generic {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn channel(&self, _thread: &Thread) -> Channel {
        Channel::Webhook
    }

    fn abilities(&self) -> &'static [Ability] {
        &[Ability::Typing, Ability::Receipts, Ability::Context, Ability::Handoff]
    }

    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        SIGNATURE.verify(&self.settings.secrets, &request)?;
        Ok(Verified::new(request))
    }

    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        let notice: Notice = http::parse(request.request().body)?;
        Ok(Received {
            events: notice.inbound()?.into_iter().collect(),
            answer: Answer::Accepted,
        })
    }

    fn by_number(&self, number: &str) -> Option<Thread> {
        Some(Thread(number.to_owned()))
    }

    fn send(&self, message: &Outbound) -> HttpCall {
        let mut body = json!({
            "type": "message",
            "thread": message.thread.0,
            "id": message.key,
            "agent": message.agent,
            "text": message.text,
            "at": message.at,
        });
        if let Some(link) = &message.link {
            body["link"] = Value::String(link.clone());
        }
        self.post(&body)
    }

    fn typing(&self, thread: &Thread) -> Option<HttpCall> {
        Some(self.post(&json!({ "type": "typing", "thread": thread.0 })))
    }

    fn set_context(&self, thread: &Thread, context: &Context) -> Option<HttpCall> {
        let context: Map<_, _> = context
            .iter()
            .map(|(name, variable)| (name.clone(), http::value(variable)))
            .collect();
        Some(self.post(&json!({ "type": "context", "thread": thread.0, "context": context })))
    }

    fn receipt(&self, thread: &Thread, id: &str, delivery: &Delivery, at: UnixMillis) -> Option<HttpCall> {
        let (state, code) = match delivery {
            Delivery::Sent => ("sent", None),
            Delivery::Delivered => ("delivered", None),
            Delivery::Read => ("read", None),
            Delivery::Failed { code } => ("failed", Some(code.as_str())),
            Delivery::WindowClosed => ("failed", Some("window_closed")),
        };
        let mut body = json!({ "type": "receipt", "thread": thread.0, "id": id, "state": state, "at": at });
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        Some(self.post(&body))
    }

    fn handoff(&self, thread: &Thread, state: &HandoffState) -> Option<HttpCall> {
        let (state, reason) = match state {
            HandoffState::Accepted => ("accepted", None),
            HandoffState::Failed(reason) => ("failed", Some(reason)),
            HandoffState::Completed => ("completed", None),
        };
        let mut body = json!({ "type": "handoff", "thread": thread.0, "state": state });
        if let Some(reason) = reason {
            body["reason"] = json!(reason);
        }
        Some(self.post(&body))
    }

    fn probe(&self) -> HttpCall {
        self.post(&json!({ "type": "ping" }))
    }

    /// With the first secret. Without any nothing is signed, and the other side refuses. An empty one is none.
    fn stamp(&self, mut call: HttpCall, now: UnixMillis) -> HttpCall {
        if let Some(secret) = self.settings.secrets.iter().find(|secret| !secret.is_empty()) {
            let signature = SIGNATURE.sign(secret, &call.url, &call.body, now);
            call.headers.extend(signature);
        }
        call
    }

    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        let code = http::text_at(body, "/code");
        match code.as_deref() {
            Some("window_closed") if !(200..300).contains(&status) => Outcome::WindowClosed,
            _ => http::outcome(status, headers, http::text_at(body, "/id"), code),
        }
    }
}

/// A request's body.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Notice {
    Message {
        thread: String,
        id: String,
        from: From,
        text: Option<String>,
        file: Option<File>,
        at: Option<UnixMillis>,
        #[serde(default)]
        context: Map<String, Value>,
    },
    Typing {
        thread: String,
    },
    Receipt {
        thread: Option<String>,
        id: String,
        state: State,
        code: Option<String>,
    },
    Handoff {
        thread: String,
        id: String,
        #[serde(default)]
        context: Map<String, Value>,
        #[serde(default)]
        transcript: Vec<Said>,
    },
    Context {
        thread: String,
        context: Map<String, Value>,
    },
    VideoRequest {
        thread: String,
    },
    Ended {
        thread: String,
    },
    Call {
        thread: String,
        id: String,
        #[serde(default)]
        from: String,
        to: Option<String>,
        agent: Option<String>,
        #[serde(default)]
        context: Map<String, Value>,
    },
    CallEnded {
        thread: String,
    },
    /// A test of the connection, or what a later version says.
    #[serde(other)]
    Other,
}

impl Notice {
    fn inbound(self) -> Result<Option<Inbound>, Reject> {
        Ok(Some(match self {
            Notice::Message {
                thread,
                id,
                from,
                text,
                file,
                at,
                context,
            } => Inbound::Message {
                thread: Thread(thread),
                id,
                from: from.speaker(),
                content: content(text, file)?,
                at,
                context: http::context(&context),
            },
            Notice::Typing { thread } => Inbound::Typing { thread: Thread(thread) },
            Notice::Receipt {
                thread,
                id,
                state,
                code,
            } => Inbound::Receipt {
                thread: thread.map(Thread),
                id,
                delivery: state.delivery(code),
            },
            Notice::Handoff {
                thread,
                id,
                context,
                transcript,
            } => Inbound::Handoff {
                thread: Thread(thread),
                id,
                context: http::context(&context),
                transcript: transcript.into_iter().map(Said::line).collect(),
            },
            Notice::Context { thread, context } => Inbound::Context {
                thread: Thread(thread),
                context: http::context(&context),
            },
            Notice::VideoRequest { thread } => Inbound::VideoAsked { thread: Thread(thread) },
            Notice::Ended { thread } => Inbound::Ended { thread: Thread(thread) },
            Notice::Call {
                thread,
                id,
                from,
                to,
                agent,
                context,
            } => {
                let called = to.map(|to| (CALLED.to_owned(), ContextValue::Text(to)));
                Inbound::Call {
                    thread: Thread(thread),
                    id,
                    from,
                    agent,
                    context: http::context(&context).into_iter().chain(called).collect(),
                }
            }
            Notice::CallEnded { thread } => Inbound::CallEnded { thread: Thread(thread) },
            Notice::Other => return Ok(None),
        }))
    }
}

fn content(text: Option<String>, file: Option<File>) -> Result<Content, Reject> {
    match (text, file) {
        (Some(text), None) => Ok(Content::Text(text)),
        (caption, Some(file)) => Ok(Content::File {
            url: file.url,
            kind: file.kind,
            caption,
        }),
        (None, None) => Err(Reject::Malformed("a message without text and file")),
    }
}

#[derive(Deserialize)]
struct File {
    url: String,
    kind: Option<String>,
}

/// A customer has an address; whoever has none is a bot or an agent elsewhere.
#[derive(Deserialize)]
struct From {
    address: Option<String>,
    name: Option<String>,
}

impl From {
    fn speaker(self) -> Speaker {
        match self.address {
            Some(address) => Speaker::Customer {
                address,
                name: self.name,
            },
            None => Speaker::Other { name: self.name },
        }
    }
}

#[derive(Deserialize)]
struct Said {
    from: From,
    text: String,
    at: Option<UnixMillis>,
}

impl Said {
    fn line(self) -> Line {
        Line {
            speaker: self.from.speaker(),
            text: self.text,
            at: self.at,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Sent,
    Delivered,
    Read,
    Failed,
}

impl State {
    fn delivery(self, code: Option<String>) -> Delivery {
        match self {
            State::Sent => Delivery::Sent,
            State::Delivered => Delivery::Delivered,
            State::Read => Delivery::Read,
            State::Failed => match code.as_deref() {
                Some("window_closed") => Delivery::WindowClosed,
                _ => Delivery::Failed {
                    code: code.unwrap_or_else(|| "unknown".to_owned()),
                },
            },
        }
    }
}
