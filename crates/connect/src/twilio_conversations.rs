//! Twilio Conversations, and Flex on top of it.
//!
//! In: the webhooks of a conversation service, after the fact (`onMessageAdded`, …). Those before the fact are left to
//! others, and what a REST call of ours adds comes back only to who asks for it, so nothing of ours returns.
//! Out: messages as forms. Twilio knows no idempotency key for them: a call whose answer was lost may be sent twice.
//!
//! Attributes of conversations and of Flex tasks are one JSON text each, which a write replaces. So they are read first
//! ([`Connector::read_context`]). A task can be protected against others who write in between (`If-Match`), a
//! conversation cannot: there the last of two who write in the same second wins. A thread may name either: `CH…` or
//! `WT…`.

use crate::{
    Ability, Answer, Connector, Content, Delivery, HttpCall, Inbound, Kept, Outbound, Outcome, Received, Reject,
    Request, Speaker, Thread, Verified,
    http::{changed, millis, segment},
    twilio::{self, Account, Fields, get, post},
};
use serde::Deserialize;
use sightline_wire::conversation::{Channel, Context, ContextValue};

/// The attribute that names a conversation's task in Flex.
const TASK: &str = "taskSid";

/// What has to be known of a Conversations account.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account.
    pub account: Account,
    /// Flex's workspace (`WS…`), for attributes of tasks.
    pub workspace_sid: Option<String>,
    /// Identities that are no customers: agents and bots that write into the same conversations.
    pub staff: Vec<String>,
    /// Where conversations are: `https://conversations.twilio.com`.
    pub conversations: String,
    /// Where Flex keeps its tasks: `https://taskrouter.twilio.com`.
    pub tasks: String,
    /// Where the files of conversations are: `https://mcs.us1.twilio.com`.
    pub media: String,
}

/// The connector.
#[derive(Debug, Clone)]
pub struct TwilioConversations {
    settings: Settings,
}

impl TwilioConversations {
    /// With its settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Somebody's message. Its files are messages of their own, each with an id of its own. Its attributes are its
    /// author's: what a customer's page puts there must not become a variable that conversations are routed by.
    fn added(&self, fields: &Fields<'_>) -> Result<Vec<Inbound>, Reject> {
        let thread = conversation(fields)?;
        let id = fields.need("MessageSid", "a message without MessageSid")?;
        let message = |id: String, content: Content| Inbound::Message {
            thread: thread.clone(),
            id,
            from: self.speaker(fields),
            content,
            at: fields.get("DateCreated").and_then(millis),
            context: Context::new(),
        };

        let mut events = Vec::new();
        if let Some(body) = fields.get("Body") {
            events.push(message(id.to_owned(), Content::Text(body.to_owned())));
        }
        for file in files(fields)? {
            events.push(message(
                format!("{id}/{}", file.sid),
                file.content(fields, &self.settings.media)?,
            ));
        }
        Ok(events)
    }

    /// REST calls are other software's; what a phone or a page sends is the customer's, unless it is known as staff.
    fn speaker(&self, fields: &Fields<'_>) -> Speaker {
        let author = fields.get("Author");
        let staff = author.is_some_and(|author| self.settings.staff.iter().any(|staff| staff == author));
        match (author, fields.get("Source")) {
            (Some(author), source) if !staff && source != Some("API") => Speaker::Customer {
                address: author.to_owned(),
                name: None,
            },
            _ => Speaker::Other {
                name: author.map(str::to_owned),
            },
        }
    }

    /// The address of what a thread names.
    fn resource(&self, thread: &Thread) -> Option<String> {
        if thread.0.starts_with("WT") {
            let workspace = self.settings.workspace_sid.as_deref()?;
            return Some(format!(
                "{}/v1/Workspaces/{}/Tasks/{}",
                self.settings.tasks,
                segment(workspace),
                segment(&thread.0)
            ));
        }
        Some(self.conversation(thread))
    }

    fn conversations(&self) -> String {
        format!("{}/v1/Conversations", self.settings.conversations)
    }

    fn conversation(&self, thread: &Thread) -> String {
        format!("{}/{}", self.conversations(), segment(&thread.0))
    }
}

impl Connector for TwilioConversations {
    fn name(&self) -> &'static str {
        "twilio-conversations"
    }

    fn channel(&self, _thread: &Thread) -> Channel {
        Channel::Twilio
    }

    fn longest(&self) -> usize {
        twilio::LONGEST
    }

    fn abilities(&self) -> &'static [Ability] {
        &[Ability::Receipts, Ability::Context]
    }

    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        self.settings.account.verify(request)
    }

    /// Twilio, "Conversations webhooks".
    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        let fields = Fields::of(&request.request())?;
        let events = match fields.need("EventType", "no EventType")? {
            "onMessageAdded" => self.added(&fields)?,
            "onDeliveryUpdated" => receipt(&fields)?,
            "onConversationAdded" | "onConversationUpdated" => changed(conversation(&fields)?, fields.attributes()),
            "onConversationStateUpdated" => match fields.get("StateTo") {
                Some("closed") => vec![Inbound::Ended {
                    thread: conversation(&fields)?,
                }],
                _ => Vec::new(),
            },
            "onConversationRemoved" => vec![Inbound::Ended {
                thread: conversation(&fields)?,
            }],
            _ => Vec::new(),
        };
        Ok(Received {
            events,
            answer: Answer::Accepted,
        })
    }

    fn send(&self, message: &Outbound) -> HttpCall {
        let url = format!("{}/Messages", self.conversation(&message.thread));
        let attributes = message.link.as_deref().map(twilio::video_attributes);
        let mut fields = vec![("Author", message.agent.as_str()), ("Body", &message.text)];
        if let Some(attributes) = &attributes {
            fields.push(("Attributes", attributes));
        }
        post(&self.settings.account, url, &fields)
    }

    /// Flex's task is named by the conversation's attributes.
    fn keepers(&self, thread: &Thread, known: &Context) -> Vec<Thread> {
        let task = match known.get(TASK) {
            Some(ContextValue::Text(task)) if task.starts_with("WT") && self.settings.workspace_sid.is_some() => {
                Some(task)
            }
            _ => None,
        };
        let task = task.map(|task| Thread(task.clone()));
        [thread.clone()].into_iter().chain(task).collect()
    }

    fn read_context(&self, thread: &Thread, _known: &Context) -> Option<HttpCall> {
        Some(get(&self.settings.account, self.resource(thread)?))
    }

    fn write_context(&self, thread: &Thread, kept: Kept<'_>, context: &Context) -> Result<Option<HttpCall>, Reject> {
        let Some(url) = self.resource(thread) else {
            return Ok(None);
        };
        let Some(attributes) = twilio::merged_attributes(&kept, context)? else {
            return Ok(None);
        };
        let mut call = post(&self.settings.account, url, &[("Attributes", &attributes)]);
        if let Some((_, version)) = kept.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("etag")) {
            call.headers.push(("if-match", version.clone()));
        }
        Ok(Some(call))
    }

    fn probe(&self) -> HttpCall {
        get(&self.settings.account, format!("{}?PageSize=1", self.conversations()))
    }

    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        twilio::judge(status, headers, body)
    }
}

fn conversation(fields: &Fields<'_>) -> Result<Thread, Reject> {
    let sid = fields.need("ConversationSid", "an event without ConversationSid")?;
    Ok(Thread(sid.to_owned()))
}

/// How far a message has come to those who are not in an app.
fn receipt(fields: &Fields<'_>) -> Result<Vec<Inbound>, Reject> {
    let id = fields.need("MessageSid", "a receipt without MessageSid")?;
    let Some(delivery) = delivery(fields.get("Status"), fields.get("ErrorCode")) else {
        return Ok(Vec::new());
    };
    Ok(vec![Inbound::Receipt {
        thread: Some(conversation(fields)?),
        id: id.to_owned(),
        delivery,
    }])
}

/// What a status says; `None` for those on the way to being sent.
pub(crate) fn delivery(status: Option<&str>, code: Option<&str>) -> Option<Delivery> {
    match status? {
        "sent" => Some(Delivery::Sent),
        "delivered" | "partially_delivered" => Some(Delivery::Delivered),
        "read" => Some(Delivery::Read),
        "failed" | "undelivered" | "canceled" => Some(match code {
            Some("63016") => Delivery::WindowClosed,
            code => Delivery::Failed {
                code: code.unwrap_or("unknown").to_owned(),
            },
        }),
        _ => None,
    }
}

/// A file of a message.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    sid: String,
    filename: Option<String>,
    content_type: Option<String>,
}

impl File {
    fn content(self, fields: &Fields<'_>, base: &str) -> Result<Content, Reject> {
        let service = fields.need("ChatServiceSid", "a file without ChatServiceSid")?;
        Ok(Content::File {
            url: format!(
                "{base}/v1/Services/{}/Media/{}/Content",
                segment(service),
                segment(&self.sid)
            ),
            kind: self.content_type,
            caption: self.filename,
        })
    }
}

fn files(fields: &Fields<'_>) -> Result<Vec<File>, Reject> {
    let Some(media) = fields.get("Media") else {
        return Ok(Vec::new());
    };
    serde_json::from_str(media).map_err(|_| Reject::Malformed("Media is not the list that Twilio describes"))
}
