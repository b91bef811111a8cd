//! Twilio Programmable Messaging: SMS, and WhatsApp through Twilio (`whatsapp:+…`).
//!
//! A thread is the customer's address as Twilio writes it, so the channel is part of it. Twilio knows no idempotency key
//! for messages: a call whose answer was lost may be sent twice.

use crate::{
    Ability, Answer, Connector, Content, HttpCall, Inbound, Outbound, Outcome, Received, Reject, Request, Speaker,
    Thread, Verified,
    http::segment,
    twilio::{self, Account, Fields, Template, get, post},
    twilio_conversations::delivery,
};
use sightline_wire::conversation::{Channel, Context, ContextValue};

/// Beyond this a message has no files; the number comes from outside.
const MOST_FILES: usize = 10;

/// Whom the customer sees as the sender.
#[derive(Debug, Clone)]
pub enum Sender {
    /// A number or `whatsapp:+…`.
    From(String),
    /// A messaging service (`MG…`), which chooses one of its numbers.
    Service(String),
}

/// Before numbers that are reached over WhatsApp. (Twilio, "WhatsApp addresses".)
const WHATSAPP: &str = "whatsapp:";

/// What has to be known of a messaging account.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account.
    pub account: Account,
    /// Whom the customer sees.
    pub sender: Sender,
    /// Our own address, for receipts.
    pub status_callback: Option<String>,
    /// For invites outside the WhatsApp window.
    pub template: Option<Template>,
    /// Where accounts are: `https://api.twilio.com`.
    pub api: String,
}

/// The connector.
#[derive(Debug, Clone)]
pub struct TwilioMessaging {
    settings: Settings,
}

impl TwilioMessaging {
    /// With its settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    fn account(&self) -> String {
        let Settings { api, account, .. } = &self.settings;
        format!("{api}/2010-04-01/Accounts/{}", segment(&account.sid))
    }

    fn post(&self, thread: &Thread, content: &[(&str, &str)]) -> HttpCall {
        let url = format!("{}/Messages.json", self.account());
        let sender = match &self.settings.sender {
            Sender::From(address) => ("From", address.as_str()),
            Sender::Service(sid) => ("MessagingServiceSid", sid.as_str()),
        };
        let mut fields = vec![("To", thread.0.as_str()), sender];
        fields.extend_from_slice(content);
        if let Some(address) = &self.settings.status_callback {
            fields.push(("StatusCallback", address));
        }
        post(&self.settings.account, url, &fields)
    }
}

impl Connector for TwilioMessaging {
    fn name(&self) -> &'static str {
        "twilio-messaging"
    }

    fn channel(&self, thread: &Thread) -> Channel {
        if thread.0.starts_with(WHATSAPP) {
            Channel::WhatsApp
        } else {
            Channel::Sms
        }
    }

    fn longest(&self) -> usize {
        twilio::LONGEST
    }

    fn abilities(&self) -> &'static [Ability] {
        match self.settings.template {
            Some(_) => &[Ability::Receipts, Ability::Template],
            None => &[Ability::Receipts],
        }
    }

    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        self.settings.account.verify(request)
    }

    /// Twilio, "Twilio's request to your incoming message webhook URL" and "Outbound message status callback".
    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        let fields = Fields::of(&request.request())?;
        let events = match fields.get("MessageStatus") {
            None | Some("received") => received(&fields)?,
            Some(status) => sent(&fields, status)?,
        };
        Ok(Received {
            events,
            answer: Answer::Accepted,
        })
    }

    fn by_number(&self, number: &str) -> Option<Thread> {
        let over_whatsapp = matches!(&self.settings.sender, Sender::From(from) if from.starts_with(WHATSAPP));
        Some(Thread(if over_whatsapp {
            format!("{WHATSAPP}{number}")
        } else {
            number.to_owned()
        }))
    }

    fn send(&self, message: &Outbound) -> HttpCall {
        self.post(&message.thread, &[("Body", &message.text)])
    }

    fn send_template(&self, invite: &Outbound) -> Option<HttpCall> {
        let template = self.settings.template.as_ref()?;
        let variables = template.variables(invite.link.as_deref()?);
        let content = [
            ("ContentSid", template.content_sid.as_str()),
            ("ContentVariables", &variables),
        ];
        Some(self.post(&invite.thread, &content))
    }

    fn probe(&self) -> HttpCall {
        get(&self.settings.account, format!("{}.json", self.account()))
    }

    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        twilio::judge(status, headers, body)
    }
}

/// A customer's message. Its files are messages of their own, each with an id of its own.
fn received(fields: &Fields<'_>) -> Result<Vec<Inbound>, Reject> {
    let id = fields.need("MessageSid", "a message without MessageSid")?;
    let address = fields.need("From", "a message without From")?;
    let message = |id: String, content: Content| Inbound::Message {
        thread: Thread(address.to_owned()),
        id,
        from: Speaker::Customer {
            address: address.to_owned(),
            name: fields.get("ProfileName").map(str::to_owned),
        },
        content,
        at: None,
        context: place(fields),
    };

    let mut events = Vec::new();
    if let Some(text) = fields.get("Body").map(str::to_owned).or_else(|| location(fields)) {
        events.push(message(id.to_owned(), Content::Text(text)));
    }
    let files: usize = match fields.get("NumMedia") {
        None => 0,
        Some(number) => number.parse().map_err(|_| Reject::Malformed("NumMedia is no number"))?,
    };
    for index in 0..files.min(MOST_FILES) {
        let url = fields.need(&format!("MediaUrl{index}"), "fewer files than NumMedia")?;
        let content = Content::File {
            url: url.to_owned(),
            kind: fields.get(&format!("MediaContentType{index}")).map(str::to_owned),
            caption: None,
        };
        events.push(message(format!("{id}/{index}"), content));
    }
    Ok(events)
}

/// A place that was sent instead of words. (WhatsApp.)
fn location(fields: &Fields<'_>) -> Option<String> {
    Some(format!("{}, {}", fields.get("Latitude")?, fields.get("Longitude")?))
}

/// Where the customer is, as far as Twilio says.
fn place(fields: &Fields<'_>) -> Context {
    let known = ["FromCountry", "FromState", "FromCity", "FromZip"];
    let variable = |name: &str| Some((name.to_owned(), ContextValue::Text(fields.get(name)?.to_owned())));
    known.into_iter().filter_map(variable).collect()
}

fn sent(fields: &Fields<'_>, status: &str) -> Result<Vec<Inbound>, Reject> {
    let id = fields.need("MessageSid", "a receipt without MessageSid")?;
    let Some(delivery) = delivery(Some(status), fields.get("ErrorCode")) else {
        return Ok(Vec::new());
    };
    Ok(vec![Inbound::Receipt {
        thread: fields.get("To").map(|address| Thread(address.to_owned())),
        id: id.to_owned(),
        delivery,
    }])
}
