//! Webex messaging, where we are a bot. A thread is a space.
//!
//! Webhooks tell only ids: each message is fetched ([`Inbound::Fetch`], [`Connector::message`]) and then read
//! ([`Connector::read_message`]). They come in any order and more than once; the message's id tells them apart, and its
//! own time puts them in order.

use crate::{
    Ability, Answer, Connector, Content, HttpCall, Inbound, Outbound, Outcome, Received, Reject, Request, Secret,
    Speaker, Thread, Verified,
    http::{self, SignIn, millis, segment},
    signature::{Canonical, Encoding, Hash, Scheme},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sightline_wire::conversation::{Channel, Context};

/// Webex, "Webhooks: authenticating requests".
pub const SIGNATURE: Scheme = Scheme {
    hash: Hash::Sha1,
    encoding: Encoding::Hex,
    header: "x-spark-signature",
    prefix: "",
    canonical: Canonical::Body,
};

/// What has to be known of a bot.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://webexapis.com`.
    pub api: String,
    /// The bot's token.
    pub bot_token: Secret,
    /// The secrets that webhooks are signed with: now, and during a rotation also before.
    pub webhook_secrets: Vec<Secret>,
}

/// The connector.
#[derive(Debug, Clone)]
pub struct WebexMessaging {
    settings: Settings,
}

impl WebexMessaging {
    /// With its settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    fn get(&self, path: &str) -> HttpCall {
        let url = format!("{}/v1/{path}", self.settings.api);
        http::get(url, &SignIn::Bearer(&self.settings.bot_token))
    }
}

impl Connector for WebexMessaging {
    fn name(&self) -> &'static str {
        "webex-messaging"
    }

    fn channel(&self, _thread: &Thread) -> Channel {
        Channel::Webex
    }

    /// Webex, "Messages: create a message": 7439 bytes, of which a character takes four at most.
    fn longest(&self) -> usize {
        7_439 / 4
    }

    fn abilities(&self) -> &'static [Ability] {
        &[]
    }

    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        SIGNATURE.verify(&self.settings.webhook_secrets, &request)?;
        Ok(Verified::new(request))
    }

    /// Webex, "Webhooks: resources and events".
    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        let notice: Notice = http::parse(request.request().body)?;
        let mut events = Vec::new();
        if (notice.resource.as_str(), notice.event.as_str()) == ("messages", "created") {
            let told = Told::deserialize(notice.data).map_err(|_| Reject::Malformed("a message without its ids"))?;
            // Our own messages are told to us as well: the webhook is the bot's.
            if notice.created_by.as_deref() != Some(told.person_id.as_str()) {
                events.push(Inbound::Fetch {
                    thread: Thread(told.room_id),
                    id: told.id,
                });
            }
        }
        Ok(Received {
            events,
            answer: Answer::Accepted,
        })
    }

    /// Webex, "Messages: get message details".
    fn message(&self, _thread: &Thread, id: &str) -> Option<HttpCall> {
        Some(self.get(&format!("messages/{}", segment(id))))
    }

    /// Its files are messages of their own, each with an id of its own.
    fn read_message(&self, body: &[u8]) -> Result<Vec<Inbound>, Reject> {
        let message: Message = http::parse(body)?;
        let text = message.text.filter(|text| !text.trim().is_empty()).map(Content::Text);
        let files = message.files.into_iter().map(|url| Content::File {
            url,
            kind: None,
            caption: None,
        });
        let from = Speaker::Customer {
            address: message.person_email.unwrap_or(message.person_id),
            name: None,
        };
        let event = |(part, content)| Inbound::Message {
            thread: Thread(message.room_id.clone()),
            id: match part {
                0 => message.id.clone(),
                part => format!("{}/{part}", message.id),
            },
            from: from.clone(),
            content,
            at: message.created.as_deref().and_then(millis),
            context: Context::new(),
        };
        Ok(text.into_iter().chain(files).enumerate().map(event).collect())
    }

    /// Webex, "Messages: create a message". As plain text: an agent's asterisks mean nothing but asterisks.
    fn send(&self, message: &Outbound) -> HttpCall {
        let url = format!("{}/v1/messages", self.settings.api);
        let body = json!({ "roomId": message.thread.0, "text": message.text });
        http::json("POST", url, &SignIn::Bearer(&self.settings.bot_token), &body)
    }

    fn probe(&self) -> HttpCall {
        self.get("people/me")
    }

    /// Webex, "REST API basics: errors". It has no codes of its own. 423 is a file that is still being looked through.
    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        match status {
            423 => Outcome::Again {
                after: http::retry_after(headers),
            },
            _ => http::outcome(status, headers, http::text_at(body, "/id"), None),
        }
    }
}

/// A webhook's body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notice {
    resource: String,
    event: String,
    created_by: Option<String>,
    /// Of another shape for every resource.
    #[serde(default)]
    data: Value,
}

/// What it tells of a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    id: String,
    room_id: String,
    person_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: String,
    room_id: String,
    person_id: String,
    person_email: Option<String>,
    text: Option<String>,
    #[serde(default)]
    files: Vec<String>,
    created: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;

    fn webex() -> WebexMessaging {
        WebexMessaging::new(Settings {
            api: "https://webexapis.com".into(),
            bot_token: Secret::new("token"),
            webhook_secrets: vec![Secret::new("key")],
        })
    }

    fn notice() -> Value {
        json!({
            "id": "hook", "name": "desk", "resource": "messages", "event": "created", "createdBy": "bot-1",
            "actorId": "ada-1",
            "data": { "id": "m/1", "roomId": "space-1", "roomType": "direct", "personId": "ada-1",
                      "personEmail": "ada@example.com", "created": "2026-01-01T00:00:00.000Z" },
        })
    }

    fn read(body: &Value) -> Result<Vec<Inbound>, Reject> {
        let body = body.to_string();
        let headers: Vec<_> = SIGNATURE
            .sign(&Secret::new("key"), "", body.as_bytes(), 0)
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
        let webex = webex();
        webex.read(webex.verify(request)?).map(|received| received.events)
    }

    #[test]
    fn a_message_is_told_by_its_id_and_fetched() {
        let Ok([Inbound::Fetch { thread, id }]) = read(&notice())
            .as_deref()
            .map(|events| events.to_vec())
            .map(|events| <[Inbound; 1]>::try_from(events).unwrap())
        else {
            panic!("one message");
        };
        let call = webex().message(&thread, &id).unwrap();
        assert_eq!(
            (call.method, call.url.as_str()),
            ("GET", "https://webexapis.com/v1/messages/m%2F1")
        );
        assert_eq!(call.headers, [("authorization", "Bearer token".to_owned())]);
    }

    #[test]
    fn the_signature_is_hex_and_about_the_body() {
        // RFC 2202, test case 2.
        let (key, body) = (Secret::new("Jefe"), b"what do ya want for nothing?");
        let signature = SIGNATURE.sign(&key, "", body, 0);
        let expected = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        assert_eq!(signature, [("x-spark-signature", expected.to_owned())]);
    }

    #[test]
    fn what_was_fetched_is_words_and_files() {
        let body = json!({
            "id": "m1", "roomId": "space-1", "roomType": "direct", "personId": "ada-1", "personEmail": "ada@example.com",
            "text": "Hello", "files": ["https://webexapis.com/v1/contents/f1"], "created": "1970-01-01T00:00:02Z",
        });
        let message = |id: &str, content| Inbound::Message {
            thread: Thread("space-1".into()),
            id: id.into(),
            from: Speaker::Customer {
                address: "ada@example.com".into(),
                name: None,
            },
            content,
            at: Some(2_000),
            context: Context::new(),
        };
        let file = Content::File {
            url: "https://webexapis.com/v1/contents/f1".into(),
            kind: None,
            caption: None,
        };
        let expected = vec![message("m1", Content::Text("Hello".into())), message("m1/1", file)];
        assert_eq!(webex().read_message(body.to_string().as_bytes()), Ok(expected));
    }

    #[test]
    fn what_we_said_and_what_else_happens_is_of_no_interest() {
        let mut ours = notice();
        ours["data"]["personId"] = json!("bot-1");
        assert_eq!(read(&ours), Ok(vec![]));
        let mut deleted = notice();
        deleted["event"] = json!("deleted");
        assert_eq!(read(&deleted), Ok(vec![]));
        let mut nameless = notice();
        nameless["data"] = json!({});
        assert_eq!(read(&nameless), Err(Reject::Malformed("a message without its ids")));
    }

    #[test]
    fn an_agents_words_go_into_the_space() {
        let call = webex().send(&Outbound {
            thread: Thread("space-1".into()),
            key: "k".into(),
            agent: "Grace".into(),
            text: "*Hi*".into(),
            link: None,
            at: 0,
        });
        assert_eq!(
            (call.method, call.url.as_str()),
            ("POST", "https://webexapis.com/v1/messages")
        );
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!(body, json!({ "roomId": "space-1", "text": "*Hi*" }));
        let taken = Outcome::Taken { id: Some("m9".into()) };
        assert_eq!(webex().judge(200, &[], br#"{"id":"m9"}"#), taken);
    }

    #[test]
    fn any_changed_body_is_read_or_malformed() {
        fuzz::reads_or_refuses(&webex(), "POST", notice().to_string().as_bytes());
        let message =
            br#"{"id":"m","roomId":"r","personId":"p","text":"x","files":["f"],"created":"2026-01-01T00:00:00Z"}"#;
        fuzz::mutations(message, 2_000, |body| {
            if let Err(error) = webex().read_message(body) {
                assert!(matches!(error, Reject::Malformed(_)));
            }
        });
    }
}
