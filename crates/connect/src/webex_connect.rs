//! Webex Connect: its digital channels, by flows that their owner makes. The agent's desktop there triggers a flow with
//! what it knows of the chat, and the flow gives the conversation to us; what our agents say goes to the flow's own
//! inbound webhook, which delivers it on the customer's channel. `docs/connectors.md` describes both directions.
//!
//! Webhooks are repeated after a failure and come in any order, so each has an id: the flow's, or what it says, letter
//! for letter.

use crate::{
    Ability, Answer, Connector, Content, HttpCall, Inbound, Outbound, Outcome, Received, Reject, Request, Secret,
    Speaker, Thread, Verified,
    http::{self, SignIn},
    signature::{Canonical, Encoding, Hash, Scheme},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sightline_wire::conversation::{Channel, Context, ContextValue};

/// Webex Connect, "Outbound webhooks: hub secret", with its shorter hash.
pub const SHA256: Scheme = Scheme {
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: "x-hub-signature",
    prefix: "",
    canonical: Canonical::Body,
};

/// The same with its longer one; the owner of the webhook chooses.
pub const SHA512: Scheme = Scheme {
    hash: Hash::Sha512,
    ..SHA256
};

/// The fields of a desktop's trigger that name the customer, the nearest to the conversation first.
const NAMES_CUSTOMER: [&str; 6] = [
    "ThreadID",
    "LiveChatID",
    "WhatsAppMobile",
    "SMS",
    "FacebookPSID",
    "CustomerID",
];

/// What has to be known of a service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The flow's inbound webhook.
    pub url: String,
    /// What the flow expects as the header `key`.
    pub flow_key: Option<Secret>,
    /// The secrets that webhooks are signed with: now, and during a rotation also before.
    pub hub_secrets: Vec<Secret>,
}

/// The connector.
#[derive(Debug, Clone)]
pub struct WebexConnect {
    settings: Settings,
}

impl WebexConnect {
    /// With its settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    fn post(&self, body: &Value) -> HttpCall {
        let mut call = http::json("POST", self.settings.url.clone(), &SignIn::None, body);
        if let Some(key) = &self.settings.flow_key {
            call.headers.push(("key", key.expose().to_owned()));
        }
        call
    }
}

impl Connector for WebexConnect {
    fn name(&self) -> &'static str {
        "webex-connect"
    }

    fn channel(&self, thread: &Thread) -> Channel {
        match address(thread).0.to_ascii_lowercase().as_str() {
            "sms" => Channel::Sms,
            "whatsapp" => Channel::WhatsApp,
            _ => Channel::Webex,
        }
    }

    /// The shortest of its channels.
    fn longest(&self) -> usize {
        1_000
    }

    fn abilities(&self) -> &'static [Ability] {
        &[]
    }

    /// The length of the signature says with which of the two hashes it was made.
    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        let signature = request.header(SHA256.header).ok_or(Reject::Unsigned)?;
        let scheme = if signature.len() == 128 { SHA512 } else { SHA256 };
        scheme.verify(&self.settings.hub_secrets, &request)?;
        Ok(Verified::new(request))
    }

    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        let body = request.request().body;
        let fields: Map<String, Value> = http::parse(body)?;
        let text = |name: &str| fields.get(name).and_then(plain).filter(|text| !text.trim().is_empty());
        let (name, address) = NAMES_CUSTOMER
            .iter()
            .find_map(|name| Some((name, text(name)?)))
            .ok_or(Reject::Malformed("a trigger that names no customer"))?;
        let channel = text("Channel").unwrap_or_default();
        if channel.contains(' ') {
            return Err(Reject::Malformed("Channel is no word"));
        }
        let thread = Thread(format!("{channel} {name} {address}"));
        let id = text("TriggerID").unwrap_or_else(|| hex::encode(Sha256::digest(body)));
        let event = match text("Message") {
            Some(words) => Inbound::Message {
                thread,
                id,
                from: Speaker::Customer { address, name: None },
                content: Content::Text(words),
                at: None,
                context: context(&fields),
            },
            None => Inbound::Handoff {
                thread,
                id,
                context: context(&fields),
                transcript: Vec::new(),
            },
        };
        Ok(Received {
            events: vec![event],
            answer: Answer::Accepted,
        })
    }

    fn by_number(&self, number: &str) -> Option<Thread> {
        Some(Thread(format!("SMS SMS {number}")))
    }

    fn send(&self, message: &Outbound) -> HttpCall {
        let (channel, name, address) = address(&message.thread);
        let mut body = json!({
            "type": "message",
            "id": message.key,
            "Channel": channel,
            "AgentName": message.agent,
            "text": message.text,
        });
        body[name] = json!(address);
        if let Some(link) = &message.link {
            body["link"] = json!(link);
        }
        self.post(&body)
    }

    fn probe(&self) -> HttpCall {
        self.post(&json!({ "type": "ping" }))
    }

    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        http::outcome(status, headers, None, http::text_at(body, "/code"))
    }
}

/// A thread's channel, the trigger's field that names the customer, and what stands in it.
fn address(thread: &Thread) -> (&str, &str, &str) {
    let (channel, rest) = thread.0.split_once(' ').unwrap_or_default();
    let (name, address) = rest.split_once(' ').unwrap_or(("ThreadID", rest));
    (channel, name, address)
}

/// Flows write numbers with and without quotation marks.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Everything that the desktop there knows; a field that the chat's channel does not fill is left out.
fn context(fields: &Map<String, Value>) -> Context {
    let mut context = http::context(fields);
    context.retain(|name, value| {
        let words = ["Message", "TriggerID"].contains(&name.as_str());
        !words && !matches!(value, ContextValue::Text(text) if text.trim().is_empty())
    });
    context
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;

    fn connect() -> WebexConnect {
        WebexConnect::new(Settings {
            url: "https://hooks.example/events/1".into(),
            flow_key: Some(Secret::new("flow")),
            hub_secrets: vec![Secret::new("older"), Secret::new("key")],
        })
    }

    fn trigger() -> Value {
        json!({
            "SMS": "", "SMSID": "", "Channel": "WhatsApp", "FacebookPSID": "", "CustomerID": "c-1", "ThreadID": "",
            "LiveChatID": "", "AppID": "a-1", "BrowserFingerprint": "", "AgentID": "17",
            "AgentEmailID": "grace@example.com", "AgentName": "Grace", "WhatsAppMobile": "4915550100",
        })
    }

    fn receive(scheme: Scheme, key: &str, body: &Value) -> Result<Vec<Inbound>, Reject> {
        let body = body.to_string();
        let headers: Vec<_> = scheme
            .sign(&Secret::new(key), "", body.as_bytes(), 0)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let request = Request {
            method: "POST",
            url: "https://desk.example/in",
            headers: &headers,
            body: body.as_bytes(),
            at: 0,
        };
        let connect = connect();
        connect.read(connect.verify(request)?).map(|received| received.events)
    }

    fn read(body: &Value) -> Result<Vec<Inbound>, Reject> {
        receive(SHA256, "key", body)
    }

    #[test]
    fn a_desktops_trigger_gives_the_conversation_over_with_all_it_knows() {
        let events = read(&trigger()).unwrap();
        let [
            Inbound::Handoff {
                thread, context, id, ..
            },
        ] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(thread.0, "WhatsApp WhatsAppMobile 4915550100");
        assert_eq!(connect().channel(thread), Channel::WhatsApp);
        let names: Vec<_> = context.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "AgentEmailID",
                "AgentID",
                "AgentName",
                "AppID",
                "Channel",
                "CustomerID",
                "WhatsAppMobile"
            ]
        );
        assert_eq!(read(&trigger()).unwrap(), events, "a repeated one is the same");
        let mut second = trigger();
        second["TriggerID"] = json!(8);
        let again = read(&second).unwrap();
        assert!(matches!(&again[..], [Inbound::Handoff { id: other, .. }] if other != id && other == "8"));
    }

    #[test]
    fn what_the_customer_writes_is_a_message_in_the_same_thread() {
        let mut said = trigger();
        said["Message"] = json!("Hello");
        said["TriggerID"] = json!("t-1");
        let events = read(&said).unwrap();
        assert!(
            matches!(&events[..], [Inbound::Message { thread, id, content: Content::Text(text), .. }]
                if thread.0 == "WhatsApp WhatsAppMobile 4915550100" && id == "t-1" && text == "Hello"),
            "{events:?}"
        );
    }

    #[test]
    fn either_hash_is_believed_and_neither_with_another_key() {
        for scheme in [SHA256, SHA512] {
            assert!(receive(scheme, "key", &trigger()).is_ok());
            assert_eq!(receive(scheme, "other", &trigger()), Err(Reject::WrongSignature));
        }
    }

    #[test]
    fn an_answer_names_the_customer_as_the_trigger_did() {
        let call = connect().send(&Outbound {
            thread: Thread("WhatsApp WhatsAppMobile 4915550100".into()),
            key: "k".into(),
            agent: "Grace".into(),
            text: "Join: https://desk.example/j/1".into(),
            link: Some("https://desk.example/j/1".into()),
            at: 0,
        });
        assert!(call.headers.contains(&("key", "flow".to_owned())));
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        let expected = json!({
            "type": "message", "id": "k", "Channel": "WhatsApp", "WhatsAppMobile": "4915550100", "AgentName": "Grace",
            "text": "Join: https://desk.example/j/1", "link": "https://desk.example/j/1",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn a_trigger_that_names_nobody_is_malformed() {
        for body in [
            json!({}),
            json!({ "Channel": "SMS", "SMS": "" }),
            json!({ "Channel": "a b", "SMS": "1" }),
        ] {
            assert!(matches!(read(&body), Err(Reject::Malformed(_))), "{body}");
        }
    }

    #[test]
    fn any_changed_body_is_read_or_malformed() {
        fuzz::reads_or_refuses(&connect(), "POST", trigger().to_string().as_bytes());
    }
}
