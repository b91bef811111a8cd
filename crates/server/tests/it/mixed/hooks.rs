//! What the platforms say to the server: bodies as their documents describe them, signed as they sign.

use super::kinds::{Kind, Secrets, Service, Talk};
use crate::platform::now;
use serde_json::{Value, json};
use sightline_connect::{
    Secret, generic, genesys, signature::Scheme, twilio, webex_connect, webex_messaging, whatsapp,
};
use std::{collections::BTreeMap, sync::Arc};

/// One request, byte for byte.
#[derive(Debug, Clone)]
pub struct Hook {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What happens on the platform's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The conversation begins: with the customer's first words, a bot's hand-off, or a call that was answered.
    Begins,
    /// The customer's words with this number.
    Said(usize),
    /// The telephone call is over.
    Over,
}

/// All platforms.
pub struct Hooks {
    /// The server's address.
    pub server: String,
    pub secrets: Arc<Secrets>,
    pub service: Arc<Service>,
    /// Where each platform is, as it names itself.
    pub urls: BTreeMap<Kind, String>,
}

impl Hooks {
    /// The request that tells of an event. The second attempt of a platform that signs the time is `later` than the first,
    /// in seconds.
    pub fn tell(&self, talk: &Talk, event: Event, later: i64) -> Hook {
        let (kind, thread) = (talk.kind, talk.thread());
        let number = talk.number;
        let name = kind.customer(number);
        let n = match event {
            Event::Begins | Event::Over => 0,
            Event::Said(n) => n,
        };
        let (id, text) = (talk.id(n), talk.customer.get(n).cloned().unwrap_or_default());
        match kind {
            Kind::TwilioConversations => self.form(
                kind,
                &[
                    ("EventType", "onMessageAdded"),
                    ("ConversationSid", &thread),
                    ("MessageSid", &id),
                    ("Author", &name),
                    ("Source", "SDK"),
                    ("Body", &text),
                    ("DateCreated", "2026-01-01T00:00:00Z"),
                ],
            ),
            Kind::TwilioMessaging => self.form(
                kind,
                &[
                    ("MessageSid", &id),
                    ("From", &thread),
                    ("To", "+15550100"),
                    ("Body", &text),
                    ("NumMedia", "0"),
                ],
            ),
            Kind::WhatsApp => {
                let news = json!({
                    "messaging_product": "whatsapp",
                    "metadata": { "phone_number_id": "number-1" },
                    "contacts": [{ "wa_id": thread, "profile": { "name": name } }],
                    "messages": [{ "from": thread, "id": id, "timestamp": "1767225600", "type": "text", "text": { "body": text } }],
                });
                let body = json!({ "object": "whatsapp_business_account",
                                   "entry": [{ "id": "e", "changes": [{ "field": "messages", "value": news }] }] });
                self.signed(kind, whatsapp::SIGNATURE, &body, 0)
            }
            Kind::Genesys => {
                let body = json!({
                    "id": id, "type": "Text", "direction": "Outbound", "text": text,
                    "channel": { "to": { "id": thread }, "from": { "id": "integration", "nickname": name },
                                 "time": "2026-01-01T00:00:00.000Z" },
                });
                self.signed(kind, genesys::SIGNATURE, &body, 0)
            }
            Kind::Acs => {
                let body = json!([{
                    "specversion": "1.0", "type": "Microsoft.Communication.ChatMessageReceivedInThread", "id": id,
                    "data": { "messageBody": text, "messageId": id, "type": "Text", "threadId": thread,
                              "senderDisplayName": name, "composeTime": "2026-01-01T00:00:00Z",
                              "senderCommunicationIdentifier": { "rawId": format!("8:acs:{number}") } },
                }]);
                let mut hook = hook(kind, body.to_string().into_bytes());
                hook.path.push_str(&format!("?code={}", self.secrets.secret));
                hook
            }
            Kind::Bot => self.activity(talk, event, &id, &text),
            Kind::WebexMessaging => {
                let body = json!({ "id": "hook", "resource": "messages", "event": "created", "createdBy": "bot",
                                   "data": { "id": id, "roomId": thread, "personId": "p" } });
                self.signed(kind, webex_messaging::SIGNATURE, &body, 0)
            }
            Kind::WebexConnect => {
                let body = json!({ "Channel": "Chat", "LiveChatID": thread, "Message": text, "TriggerID": id });
                self.signed(kind, webex_connect::SHA512, &body, 0)
            }
            Kind::Webhook => {
                let body = json!({ "type": "message", "thread": thread, "id": id, "text": text,
                                   "from": { "address": format!("+1444{number}"), "name": name } });
                self.signed(kind, generic::SIGNATURE, &body, later)
            }
            Kind::Phone => {
                let body = match event {
                    Event::Over => json!({ "type": "call_ended", "thread": thread }),
                    Event::Begins | Event::Said(_) => json!({
                        "type": "call", "thread": thread, "id": thread, "agent": "agent@example.test",
                        "from": format!("+1666{number}"), "context": { "CustomerName": name },
                    }),
                };
                self.signed(kind, generic::SIGNATURE, &body, later)
            }
            Kind::WebChat => {
                let (page, token) = talk.page.clone().unwrap();
                let activity = json!({ "type": "message", "text": text, "from": { "id": name, "name": name },
                                       "channelData": { "clientActivityID": id } });
                Hook {
                    path: format!("/v3/directline/conversations/{page}/activities"),
                    headers: [("authorization", format!("Bearer {token}")), json_type()]
                        .map(owned)
                        .into(),
                    body: activity.to_string().into_bytes(),
                }
            }
        }
    }

    fn activity(&self, talk: &Talk, event: Event, id: &str, text: &str) -> Hook {
        let name = talk.kind.customer(talk.number);
        let service_url = &self.urls[&Kind::Bot];
        let customer = json!({ "id": "customer", "name": name, "role": "user" });
        let mut activity = json!({
            "id": id, "serviceUrl": service_url, "channelId": "msteams", "conversation": { "id": talk.thread() },
            "from": customer,
        });
        let said = match event {
            Event::Said(_) | Event::Over => json!({ "type": "message", "text": text }),
            Event::Begins => json!({
                "type": "event", "name": "handoff.initiate", "value": { "va_LastTopic": "Mixed" },
                "attachments": [{ "contentType": "application/json", "name": "Transcript", "content": { "activities": [
                    { "type": "message", "from": { "id": "bot", "name": "Helper", "role": "bot" }, "text": "Hello!" },
                    { "type": "message", "from": customer, "text": text },
                ] } }],
            }),
        };
        activity
            .as_object_mut()
            .unwrap()
            .extend(said.as_object().unwrap().clone());
        let mut hook = hook(talk.kind, activity.to_string().into_bytes());
        let authorization = self.service.authorization(service_url, now() / 1_000 + 600);
        hook.headers.push(owned(("authorization", authorization)));
        hook
    }

    fn signed(&self, kind: Kind, scheme: Scheme, body: &Value, later: i64) -> Hook {
        let mut hook = hook(kind, body.to_string().into_bytes());
        let (secret, url) = (
            Secret::new(&*self.secrets.secret),
            format!("{}{}", self.server, hook.path),
        );
        let signature = scheme.sign(&secret, &url, &hook.body, now() + later * 1_000);
        hook.headers.extend(signature.into_iter().map(owned));
        hook
    }

    fn form(&self, kind: Kind, fields: &[(&str, &str)]) -> Hook {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut hook = hook(kind, body.into_bytes());
        hook.headers = vec![owned(("content-type", "application/x-www-form-urlencoded".into()))];
        let (secret, url) = (
            Secret::new(&*self.secrets.secret),
            format!("{}{}", self.server, hook.path),
        );
        let signature = twilio::FORM.sign(&secret, &url, &hook.body, 0);
        hook.headers.extend(signature.into_iter().map(owned));
        hook
    }
}

fn hook(kind: Kind, body: Vec<u8>) -> Hook {
    Hook {
        path: format!("/v1/hooks/{}", kind.connector().unwrap()),
        headers: vec![owned(json_type())],
        body,
    }
}

fn json_type() -> (&'static str, String) {
    ("content-type", "application/json".into())
}

fn owned((name, value): (&str, String)) -> (String, String) {
    (name.to_owned(), value)
}
