//! WhatsApp Business Cloud API (Meta).
//!
//! A thread is the customer's WhatsApp id. Free text is taken within 24 hours of the customer's last message; Meta says
//! that this time is over (131047) mostly later, in a status. After that only the template of [`Template`] arrives.
//! Meta knows no idempotency key: a call whose answer was lost may be sent twice.

use crate::{
    Ability, Answer, Connector, Content, Delivery, HttpCall, Inbound, Outbound, Outcome, Received, Reject, Request,
    Secret, Speaker, Thread, Verified,
    http::{self, SignIn, segment},
    signature::{Canonical, Encoding, Hash, Scheme, query_parameter},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sightline_wire::{
    UnixMillis,
    conversation::{Channel, Context},
};
use std::collections::HashMap;

/// Meta, "Webhooks: validate payloads".
pub const SIGNATURE: Scheme = Scheme {
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: "x-hub-signature-256",
    prefix: "sha256=",
    canonical: Canonical::Body,
};

/// An approved template with one variable in its body: the link.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// `en_GB`.
    pub language: String,
}

/// What has to be known of a number.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Of the Graph API: `v23.0`.
    pub version: String,
    /// The number's id, which is not the number.
    pub phone_number_id: String,
    /// A system user's token.
    pub access_token: Secret,
    /// The secrets of the app: now, and during a rotation also before.
    pub app_secrets: Vec<Secret>,
    /// Chosen by us; shows Meta that the address is ours.
    pub verify_token: Secret,
    /// For invites outside the 24 hours.
    pub template: Option<Template>,
    /// Where the Graph API is: `https://graph.facebook.com`.
    pub graph: String,
}

/// The connector.
#[derive(Debug, Clone)]
pub struct WhatsApp {
    settings: Settings,
}

impl WhatsApp {
    /// With its settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    fn base(&self) -> String {
        self.node(&self.settings.phone_number_id)
    }

    /// The address of something with an id of Meta's.
    fn node(&self, id: &str) -> String {
        let Settings { graph, version, .. } = &self.settings;
        format!("{graph}/{}/{}", segment(version), segment(id))
    }

    fn post(&self, body: &Value) -> HttpCall {
        let sign_in = SignIn::Bearer(&self.settings.access_token);
        http::json("POST", format!("{}/messages", self.base()), &sign_in, body)
    }

    /// One app has one webhook for all its numbers; the others' messages are theirs.
    fn is_ours(&self, news: &News) -> bool {
        let number = news.metadata.as_ref().map(|metadata| &metadata.phone_number_id);
        number == Some(&self.settings.phone_number_id)
    }

    fn content(&self, message: &Message) -> Option<Content> {
        let text = |text: &Option<Text>| Some(Content::Text(text.as_ref()?.body.clone()));
        match message.kind.as_str() {
            "text" => text(&message.text),
            "button" => Some(Content::Text(message.button.as_ref()?.text.clone())),
            "interactive" => {
                let chosen = message.interactive.as_ref()?;
                let reply = chosen.button_reply.as_ref().or(chosen.list_reply.as_ref())?;
                Some(Content::Text(reply.title.clone()))
            }
            "location" => message.location.as_ref().map(Location::content),
            "image" => self.file(message.image.as_ref()?),
            "video" => self.file(message.video.as_ref()?),
            "audio" => self.file(message.audio.as_ref()?),
            "document" => self.file(message.document.as_ref()?),
            "sticker" => self.file(message.sticker.as_ref()?),
            // Reactions, changes of a number, and what Meta itself calls unsupported.
            _ => None,
        }
    }

    /// The address answers, for somebody with the token, where the file itself is.
    fn file(&self, media: &Media) -> Option<Content> {
        Some(Content::File {
            url: self.node(&media.id),
            kind: media.mime_type.clone(),
            caption: media.caption.clone().or_else(|| media.filename.clone()),
        })
    }

    fn told(&self, news: News, events: &mut Vec<Inbound>) -> Result<(), Reject> {
        let names: HashMap<_, _> = news
            .contacts
            .iter()
            .filter_map(|contact| Some((contact.wa_id.as_str(), contact.profile.as_ref()?.name.clone()?)))
            .collect();
        for message in &news.messages {
            let Some(content) = self.content(message) else {
                continue;
            };
            events.push(Inbound::Message {
                thread: Thread(message.from.clone()),
                id: message.id.clone(),
                from: Speaker::Customer {
                    address: message.from.clone(),
                    name: names.get(message.from.as_str()).cloned(),
                },
                content,
                at: Some(seconds(&message.timestamp)?),
                context: Context::new(),
            });
        }
        for status in news.statuses {
            events.extend(status.receipt());
        }
        Ok(())
    }
}

impl Connector for WhatsApp {
    fn name(&self) -> &'static str {
        "whatsapp"
    }

    fn channel(&self, _thread: &Thread) -> Channel {
        Channel::WhatsApp
    }

    /// Meta, "Send messages: text".
    fn longest(&self) -> usize {
        4_096
    }

    fn abilities(&self) -> &'static [Ability] {
        match self.settings.template {
            Some(_) => &[Ability::Receipts, Ability::Template],
            None => &[Ability::Receipts],
        }
    }

    /// A `GET` has no signature: it asks whether we know the token that was typed in at Meta.
    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        if request.method == "GET" {
            let token = query_parameter(request.url, "hub.verify_token").ok_or(Reject::Unsigned)?;
            if !self.settings.verify_token.matches(&token) {
                return Err(Reject::WrongSignature);
            }
        } else {
            SIGNATURE.verify(&self.settings.app_secrets, &request)?;
        }
        Ok(Verified::new(request))
    }

    /// Meta, "Webhooks: create an endpoint" and "WhatsApp Cloud API: messages webhook reference".
    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        let request = request.request();
        if request.method == "GET" {
            return challenge(request.url);
        }
        let notice: Notice = http::parse(request.body)?;
        let mut events = Vec::new();
        let changes = notice.entry.into_iter().flat_map(|entry| entry.changes);
        for change in changes.filter(|change| change.field == "messages") {
            let news = News::deserialize(change.value)
                .map_err(|_| Reject::Malformed("not the messages that the platform describes"))?;
            if self.is_ours(&news) {
                self.told(news, &mut events)?;
            }
        }
        Ok(Received {
            events,
            answer: Answer::Accepted,
        })
    }

    /// Meta, "Send messages: text".
    /// Meta writes numbers without their plus.
    fn by_number(&self, number: &str) -> Option<Thread> {
        Some(Thread(number.trim_start_matches('+').to_owned()))
    }

    fn send(&self, message: &Outbound) -> HttpCall {
        self.post(&json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": message.thread.0,
            "type": "text",
            "text": { "body": message.text, "preview_url": message.link.is_some() },
        }))
    }

    /// Meta, "Send messages: template".
    fn send_template(&self, invite: &Outbound) -> Option<HttpCall> {
        let template = self.settings.template.as_ref()?;
        let link = json!({ "type": "text", "text": invite.link.as_deref()? });
        Some(self.post(&json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": invite.thread.0,
            "type": "template",
            "template": {
                "name": template.name,
                "language": { "code": template.language },
                "components": [{ "type": "body", "parameters": [link] }],
            },
        })))
    }

    /// Meta, "Mark messages as read". It wants to hear of nothing else.
    fn receipt(&self, _thread: &Thread, id: &str, delivery: &Delivery, _at: UnixMillis) -> Option<HttpCall> {
        match delivery {
            Delivery::Read => Some(self.post(&json!({
                "messaging_product": "whatsapp",
                "status": "read",
                "message_id": id,
            }))),
            Delivery::Sent | Delivery::Delivered | Delivery::Failed { .. } | Delivery::WindowClosed => None,
        }
    }

    fn probe(&self) -> HttpCall {
        http::get(self.base(), &SignIn::Bearer(&self.settings.access_token))
    }

    /// Meta, "Cloud API error codes".
    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        let code = http::text_at(body, "/error/code");
        match code.as_deref() {
            Some(OUTSIDE_WINDOW) => Outcome::WindowClosed,
            // Too much: of the app, the account, the number, the pair; or Meta's own trouble, which passes.
            Some("4" | "80007" | "130429" | "131048" | "131056" | "1" | "2" | "131000" | "131016" | "133004") => {
                Outcome::Again {
                    after: http::retry_after(headers),
                }
            }
            _ => http::outcome(status, headers, http::text_at(body, "/messages/0/id"), code),
        }
    }
}

/// More than 24 hours since the customer's last message.
const OUTSIDE_WINDOW: &str = "131047";

fn challenge(url: &str) -> Result<Received, Reject> {
    let mode = query_parameter(url, "hub.mode");
    let challenge = query_parameter(url, "hub.challenge");
    match (mode.as_deref(), challenge) {
        (Some("subscribe"), Some(challenge)) => Ok(Received {
            events: Vec::new(),
            answer: Answer::Challenge {
                media_type: "text/plain",
                body: challenge.into_owned(),
            },
        }),
        _ => Err(Reject::Malformed("a GET that subscribes to nothing")),
    }
}

/// Times are texts of seconds.
fn seconds(text: &str) -> Result<UnixMillis, Reject> {
    let seconds: i64 = text
        .parse()
        .map_err(|_| Reject::Malformed("a time that is not in seconds"))?;
    seconds
        .checked_mul(1000)
        .ok_or(Reject::Malformed("a time out of all bounds"))
}

/// A webhook's body.
#[derive(Deserialize)]
struct Notice {
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    field: String,
    /// Of another shape for every field.
    value: Value,
}

/// What the field `messages` says.
#[derive(Default, Deserialize)]
#[serde(default)]
struct News {
    metadata: Option<Metadata>,
    contacts: Vec<Contact>,
    messages: Vec<Message>,
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Metadata {
    phone_number_id: String,
}

#[derive(Deserialize)]
struct Contact {
    wa_id: String,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    from: String,
    id: String,
    timestamp: String,
    #[serde(rename = "type")]
    kind: String,
    text: Option<Text>,
    button: Option<Button>,
    interactive: Option<Interactive>,
    location: Option<Location>,
    image: Option<Media>,
    video: Option<Media>,
    audio: Option<Media>,
    document: Option<Media>,
    sticker: Option<Media>,
}

#[derive(Deserialize)]
struct Text {
    body: String,
}

#[derive(Deserialize)]
struct Button {
    text: String,
}

#[derive(Deserialize)]
struct Interactive {
    button_reply: Option<Reply>,
    list_reply: Option<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    title: String,
}

#[derive(Deserialize)]
struct Location {
    latitude: f64,
    longitude: f64,
    name: Option<String>,
    address: Option<String>,
}

impl Location {
    fn content(&self) -> Content {
        let place = format!("{}, {}", self.latitude, self.longitude);
        let words = [self.name.as_deref(), self.address.as_deref(), Some(&place)];
        Content::Text(words.into_iter().flatten().collect::<Vec<_>>().join("\n"))
    }
}

#[derive(Deserialize)]
struct Media {
    id: String,
    mime_type: Option<String>,
    caption: Option<String>,
    filename: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    id: String,
    status: String,
    recipient_id: Option<String>,
    #[serde(default)]
    errors: Vec<StatusError>,
}

#[derive(Deserialize)]
struct StatusError {
    code: i64,
}

impl Status {
    fn receipt(self) -> Option<Inbound> {
        let delivery = match self.status.as_str() {
            "sent" => Delivery::Sent,
            "delivered" => Delivery::Delivered,
            "read" => Delivery::Read,
            "failed" => match self.errors.first().map(|error| error.code.to_string()) {
                Some(code) if code == OUTSIDE_WINDOW => Delivery::WindowClosed,
                Some(code) => Delivery::Failed { code },
                None => Delivery::Failed {
                    code: "unknown".to_owned(),
                },
            },
            _ => return None,
        };
        Some(Inbound::Receipt {
            thread: self.recipient_id.map(Thread),
            id: self.id,
            delivery,
        })
    }
}
