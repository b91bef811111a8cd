//! Genesys Cloud Open Messaging.
//!
//! To Genesys the product is a messaging service: what is said there comes here, what our agents say goes there as
//! inbound messages. A thread is our side's id (`channel.to.id`), chosen by whoever wrote first. Whoever writes over Genesys
//! is the one whom our agent talks with, so a thread that begins there is a customer's.
//!
//! Attributes belong to a participant of Genesys's own conversation, whose id stands in no webhook: the answer to an
//! inbound message tells it ([`Connector::learn`]), the conversation tells the participant
//! ([`Connector::read_context`]), and a `PATCH` leaves the attributes of others alone.
//!
//! The OAuth client's token lasts a day: [`Connector::due`] asks for the next one in time.

use crate::{
    Ability, Answer, Connector, Content, Delivery, Fetch, HttpCall, Inbound, Kept, Outbound, Outcome, Received, Reject,
    Request, Secret, Speaker, Thread, Verified,
    http::{self, SignIn, iso, millis, segment},
    renewal::Token,
    signature::{Canonical, Encoding, Hash, Scheme},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sightline_wire::{
    UnixMillis,
    conversation::{Channel as Kind, Context, ContextValue},
};

/// The variable under which a conversation's id at Genesys is kept.
pub const CONVERSATION: &str = "genesysConversationId";

/// Genesys, "Open messaging: validate webhook notifications".
pub const SIGNATURE: Scheme = Scheme {
    hash: Hash::Sha256,
    encoding: Encoding::Base64,
    header: "x-hub-signature-256",
    prefix: "sha256=",
    canonical: Canonical::Body,
};

/// What has to be known of an integration, and of the OAuth client that may act for it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region's interface: `https://api.mypurecloud.ie`.
    pub api: String,
    /// The region's sign-in: `https://login.mypurecloud.ie`.
    pub login: String,
    /// The integration's id.
    pub integration_id: String,
    /// The secrets that webhooks are signed with: now, and during a rotation also before.
    pub webhook_secrets: Vec<Secret>,
    /// The client's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

/// The connector, with its token as fetched last.
pub struct Genesys {
    settings: Settings,
    token: Token,
}

impl Genesys {
    /// With its settings; the token is not there yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            token: Token::of_a_minute(),
        }
    }

    fn api(&self, path: &str) -> String {
        format!("{}/api/v2/conversations/{path}", self.settings.api)
    }

    fn json(&self, method: &'static str, url: String, body: &Value) -> HttpCall {
        http::json(method, url, &SignIn::Bearer(&self.token.bearer()), body)
    }

    fn get(&self, url: String) -> HttpCall {
        http::get(url, &SignIn::Bearer(&self.token.bearer()))
    }

    /// `kind` is `message` or `receipt`.
    fn inbound(&self, kind: &str, body: &Value) -> HttpCall {
        let integration = segment(&self.settings.integration_id);
        let url = self.api(&format!("messages/{integration}/inbound/open/{kind}"));
        self.json("POST", url, body)
    }

    fn is_integration(&self, party: &Party) -> bool {
        party.id == self.settings.integration_id
    }

    /// Receipts and events name both sides in an order that depends on whose message they are about.
    fn thread(&self, channel: &Channel) -> Option<Thread> {
        let parties = [channel.to.as_ref(), channel.from.as_ref()];
        let other = parties
            .into_iter()
            .flatten()
            .find(|party| !self.is_integration(party))?;
        Some(Thread(other.id.clone()))
    }
}

impl Connector for Genesys {
    fn name(&self) -> &'static str {
        "genesys"
    }

    fn channel(&self, _thread: &Thread) -> Kind {
        Kind::Genesys
    }

    fn abilities(&self) -> &'static [Ability] {
        &[Ability::Receipts, Ability::Context]
    }

    /// Genesys, "Authorization: client credentials grant".
    fn due(&self, now: UnixMillis) -> Option<Fetch> {
        let Settings {
            login,
            client_id,
            client_secret,
            ..
        } = &self.settings;
        self.token.due(now).map(|_| Fetch {
            what: "token",
            call: http::form(
                format!("{login}/oauth/token"),
                &SignIn::Basic(client_id, client_secret),
                &[("grant_type", "client_credentials")],
            ),
        })
    }

    fn fetched(&self, _fetch: &Fetch, status: u16, body: &[u8], now: UnixMillis) -> Result<(), Reject> {
        self.token.signed_in(status, body, now)
    }

    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        SIGNATURE.verify(&self.settings.webhook_secrets, &request)?;
        Ok(Verified::new(request))
    }

    /// Genesys, "Open messaging: receive an outbound message on your webhook".
    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        let notice: Notice = http::parse(request.request().body)?;
        let events = match notice.kind.as_str() {
            // Of a message that went in the other direction, Genesys has nothing to tell but receipts.
            "Text" | "Structured" if notice.direction.as_deref() != Some("Inbound") => messages(notice)?,
            "Receipt" => notice.receipt(self.thread(&notice.channel)).into_iter().collect(),
            "Event" => {
                let thread = self
                    .thread(&notice.channel)
                    .ok_or(Reject::Malformed("an event of nobody"))?;
                notice.events.iter().filter_map(|event| event.said(&thread)).collect()
            }
            _ => Vec::new(),
        };
        Ok(Received {
            events,
            answer: Answer::Accepted,
        })
    }

    /// Genesys, "Open messaging: send inbound messages". The message's own id keeps a second attempt from being a second
    /// message, together with its time.
    fn send(&self, message: &Outbound) -> HttpCall {
        let mut call = self.inbound(
            "message",
            &json!({
                "channel": {
                    "from": { "id": message.thread.0, "idType": "Opaque", "nickname": message.agent },
                    "messageId": message.key,
                    "time": iso(message.at),
                },
                "text": message.text,
            }),
        );
        // Its answer then names the conversation.
        call.url.push_str("?prefetchConversationId=true");
        call
    }

    fn learn(&self, body: &[u8]) -> Context {
        let conversation = http::text_at(body, "/conversationId").map(ContextValue::Text);
        conversation
            .map(|id| (CONVERSATION.to_owned(), id))
            .into_iter()
            .collect()
    }

    fn read_context(&self, _thread: &Thread, known: &Context) -> Option<HttpCall> {
        let ContextValue::Text(id) = known.get(CONVERSATION)? else {
            return None;
        };
        Some(self.get(self.api(&segment(id))))
    }

    /// Genesys, "Conversations API: patchConversationParticipantAttributes". Attributes there are texts.
    fn write_context(&self, _thread: &Thread, kept: Kept<'_>, context: &Context) -> Result<Option<HttpCall>, Reject> {
        let conversation: Conversation = http::parse(kept.body)?;
        let customer = conversation
            .customer()
            .ok_or(Reject::Malformed("a conversation without a customer"))?;
        let news = |(name, _): &(&String, &ContextValue)| name.as_str() != CONVERSATION;
        let attributes: Map<String, Value> = context
            .iter()
            .filter(news)
            .map(|(name, variable)| (name.clone(), Value::String(http::text(variable))))
            .filter(|(name, value)| customer.attributes.get(name) != Some(value))
            .collect();
        if attributes.is_empty() {
            return Ok(None);
        }
        let path = format!(
            "{}/participants/{}/attributes",
            segment(&conversation.id),
            segment(&customer.id)
        );
        let body = json!({ "attributes": attributes });
        Ok(Some(self.json("PATCH", self.api(&path), &body)))
    }

    /// Genesys, "Open messaging: send inbound receipts". It knows no word for a message that was read.
    fn receipt(&self, thread: &Thread, id: &str, delivery: &Delivery, at: UnixMillis) -> Option<HttpCall> {
        let (status, last) = match delivery {
            Delivery::Sent => ("Sent", false),
            Delivery::Delivered | Delivery::Read => ("Delivered", true),
            Delivery::Failed { .. } | Delivery::WindowClosed => ("Failed", true),
        };
        let body = json!({
            "id": id,
            "channel": { "to": { "id": thread.0 }, "time": iso(at) },
            "status": status,
            "isFinalReceipt": last,
        });
        Some(self.inbound("receipt", &body))
    }

    fn stamp(&self, call: HttpCall, _now: UnixMillis) -> HttpCall {
        self.token.stamp(call)
    }

    fn probe(&self) -> HttpCall {
        let integration = segment(&self.settings.integration_id);
        let url = self.api(&format!("messaging/integrations/open/{integration}"));
        self.get(url)
    }

    /// Genesys, "Rate limits" and "Response codes".
    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        let (id, code) = (http::text_at(body, "/id"), http::text_at(body, "/code"));
        self.token.judge(status, http::outcome(status, headers, id, code))
    }
}

/// What is said there. Its files are messages of their own, each with an id of its own.
fn messages(notice: Notice) -> Result<Vec<Inbound>, Reject> {
    let to = notice
        .channel
        .to
        .as_ref()
        .ok_or(Reject::Malformed("a message to nobody"))?;
    let id = notice
        .id
        .as_deref()
        .ok_or(Reject::Malformed("a message without an id"))?;
    let message = |id: String, content: Content| Inbound::Message {
        thread: Thread(to.id.clone()),
        id,
        from: Speaker::Customer {
            address: to.id.clone(),
            name: notice.channel.from.as_ref().and_then(|from| from.nickname.clone()),
        },
        content,
        at: notice.channel.time.as_deref().and_then(millis),
        context: http::context(&notice.metadata),
    };

    let text = notice.text.iter().filter(|text| !text.is_empty());
    let text = text.map(|text| message(id.to_owned(), Content::Text(text.clone())));
    let files = notice.content.iter().enumerate().filter_map(|(index, content)| {
        let file = content.attachment.as_ref()?;
        let content = Content::File {
            url: file.url.clone()?,
            kind: file.mime.clone(),
            caption: file.filename.clone().or_else(|| file.text.clone()),
        };
        Some(message(format!("{id}/{index}"), content))
    });
    Ok(text.chain(files).collect())
}

/// A webhook's body: `OpenNormalizedMessage`.
#[derive(Deserialize)]
struct Notice {
    id: Option<String>,
    channel: Channel,
    #[serde(rename = "type")]
    kind: String,
    direction: Option<String>,
    text: Option<String>,
    #[serde(default)]
    content: Vec<Piece>,
    #[serde(default)]
    metadata: Map<String, Value>,
    status: Option<String>,
    #[serde(default)]
    reasons: Vec<Reason>,
    #[serde(default)]
    events: Vec<Event>,
}

impl Notice {
    fn receipt(&self, thread: Option<Thread>) -> Option<Inbound> {
        let delivery = match self.status.as_deref()? {
            "Sent" | "Published" => Delivery::Sent,
            "Delivered" => Delivery::Delivered,
            "Read" => Delivery::Read,
            "Failed" => Delivery::Failed {
                code: self
                    .reasons
                    .iter()
                    .find_map(|reason| reason.code.clone())
                    .unwrap_or("unknown".to_owned()),
            },
            _ => return None,
        };
        Some(Inbound::Receipt {
            thread,
            id: self.id.clone()?,
            delivery,
        })
    }
}

#[derive(Deserialize)]
struct Channel {
    to: Option<Party>,
    from: Option<Party>,
    time: Option<String>,
}

#[derive(Deserialize)]
struct Party {
    id: String,
    nickname: Option<String>,
}

#[derive(Deserialize)]
struct Piece {
    attachment: Option<Attachment>,
}

#[derive(Deserialize)]
struct Attachment {
    url: Option<String>,
    mime: Option<String>,
    filename: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Reason {
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_type: String,
    presence: Option<Presence>,
    typing: Option<Typing>,
}

#[derive(Deserialize)]
struct Presence {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Typing {
    #[serde(rename = "type")]
    kind: String,
}

impl Event {
    fn said(&self, thread: &Thread) -> Option<Inbound> {
        let thread = thread.clone();
        match self.event_type.as_str() {
            "Typing" if self.typing.as_ref().is_none_or(|typing| typing.kind == "On") => {
                Some(Inbound::Typing { thread })
            }
            "Presence"
                if self
                    .presence
                    .as_ref()
                    .is_some_and(|presence| presence.kind == "Disconnect") =>
            {
                Some(Inbound::Ended { thread })
            }
            _ => None,
        }
    }
}

/// What Genesys keeps of its conversation.
#[derive(Deserialize)]
struct Conversation {
    id: String,
    participants: Vec<Participant>,
}

impl Conversation {
    /// The last one: a customer who came back is a participant of its own.
    fn customer(&self) -> Option<&Participant> {
        let mut customers = self.participants.iter().rev();
        customers.find(|participant| matches!(participant.purpose.as_deref(), Some("customer" | "external")))
    }
}

#[derive(Deserialize)]
struct Participant {
    id: String,
    purpose: Option<String>,
    #[serde(default)]
    attributes: Map<String, Value>,
}
