//! Direct Line 3.0 as a client: bots, and Dynamics 365 with a channel of one's own (Bot Framework, "Direct Line API 3.0";
//! Omnichannel, "Bring your own channel").
//!
//! Nobody calls us here: what the other side says is the answer to our own request, or a frame of a stream that we
//! opened. So [`Connector::verify`] believes nothing, and [`Reading::take`] is the way in.

use crate::{
    Ability, Answer, Connector, HandoffState, HttpCall, Inbound, Outbound, Outcome, Received, Reject, Request, Secret,
    Thread, Verified,
    bot::{
        self,
        activity::{Account, Activity, Attachment, Kind, Role},
        handoff,
    },
    http::{self, segment},
};
use serde_json::{Value, json};
use sightline_wire::{
    UnixMillis,
    conversation::{Channel, Context},
};
use std::collections::VecDeque;

/// Where a bot answers, and as whom we speak to it.
#[derive(Clone)]
pub struct DirectLine {
    /// Without a slash at the end: `https://directline.botframework.com`, or a region's own.
    pub base: String,
    /// The secret, or the token of one conversation.
    pub bearer: Secret,
    /// As whom we speak. The other side's activities are those of everybody else.
    pub user: String,
    /// Our `channeltype`, for a bot of Dynamics 365; its documents ask for it in every message.
    pub dynamics: Option<String>,
    /// What the bot is called where it does not tell its name.
    pub name: String,
    /// The entry that it stands at; every one without.
    pub entry: Option<String>,
}

/// A file that the other side may fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentFile {
    /// Media type.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Where it is; open to whoever has the address.
    pub url: String,
}

/// What a customer says beside words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Files.
    pub files: Vec<SentFile>,
    /// What a chosen button sends.
    pub value: Option<Value>,
    /// The customer's own chat does not show it.
    pub unseen: bool,
}

/// What a set of activities says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    /// What the other side said, in order.
    pub events: Vec<Inbound>,
    /// The keys of our own messages that came back: the service has them.
    pub ours: Vec<String>,
}

/// A conversation that has been started or found again, or whose token is renewed.
#[derive(Clone)]
pub struct Opened {
    /// Its name.
    pub thread: Thread,
    /// The bearer for this conversation alone.
    pub token: Secret,
    /// When the token is renewed: halfway, so that one failure leaves time for a second attempt. `None` where the
    /// answer does not say how long it lasts.
    pub renew_at: Option<UnixMillis>,
    /// The WebSocket on which the other side speaks; not for renewed tokens.
    pub stream: Option<String>,
}

impl Opened {
    /// The answer to [`DirectLine::start`], [`DirectLine::reopen`] and [`DirectLine::renew`].
    ///
    /// # Errors
    /// [`Reject::Malformed`], when it names no conversation or no token.
    pub fn read(body: &[u8], now: UnixMillis) -> Result<Self, Reject> {
        let answer: Value = serde_json::from_slice(body).map_err(|_| Reject::Malformed("not JSON"))?;
        let text = |name: &str| bot::activity::text(&answer, name).filter(|text| !text.is_empty());
        let lasts = answer
            .get("expires_in")
            .and_then(Value::as_u64)
            .and_then(|seconds| u32::try_from(seconds).ok());
        Ok(Self {
            thread: Thread(text("conversationId").ok_or(Reject::Malformed("no conversationId"))?),
            token: text("token").map(Secret::new).ok_or(Reject::Malformed("no token"))?,
            renew_at: lasts.map(|seconds| now + i64::from(seconds) * 1000 / 2),
            stream: text("streamUrl"),
        })
    }
}

/// Without the token and the stream's ticket.
impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("thread", &self.thread)
            .field("renew_at", &self.renew_at)
            .finish_non_exhaustive()
    }
}

/// How far one conversation has been read. The service repeats activities after a reconnect.
///
/// Take from a copy, and keep the copy once its events are stored: what could not be stored is then read again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    watermark: Option<String>,
    seen: VecDeque<String>,
}

impl Reading {
    /// More than a stream repeats; what is older is told apart by the watermark.
    const REMEMBERED: usize = 1_000;

    /// Goes on after a restart.
    pub fn from(watermark: Option<String>) -> Self {
        Self {
            watermark,
            seen: VecDeque::new(),
        }
    }

    /// Ask for what follows with this; to be stored with the events.
    pub fn watermark(&self) -> Option<&str> {
        self.watermark.as_deref()
    }

    /// What a set of activities says that was not said before, in order. An empty frame keeps a stream alive and says
    /// nothing. A single activity that cannot be read is left out: the others must not wait for it.
    ///
    /// # Errors
    /// [`Reject::Malformed`], when it is no set of activities.
    pub fn take(&mut self, line: &DirectLine, thread: &Thread, body: &[u8]) -> Result<Vec<Inbound>, Reject> {
        self.hear(line, thread, body).map(|heard| heard.events)
    }

    /// The same, with what came back of our own.
    ///
    /// # Errors
    /// As of [`Self::take`].
    pub fn hear(&mut self, line: &DirectLine, thread: &Thread, body: &[u8]) -> Result<Heard, Reject> {
        let mut heard = Heard::default();
        if body.trim_ascii().is_empty() {
            return Ok(heard);
        }
        let (activities, watermark) = set(body)?;
        for activity in activities.iter().filter(|activity| self.is_new(activity)) {
            if line.is_theirs(activity) {
                let events = bot::inbound(activity, thread, Role::Bot).unwrap_or_default();
                heard.events.extend(events);
            } else {
                heard.ours.extend(key(activity));
            }
        }
        // A frame without one leaves the old one standing.
        self.watermark = watermark.or(self.watermark.take());
        Ok(heard)
    }

    fn is_new(&mut self, activity: &Activity) -> bool {
        let Some(id) = &activity.id else {
            return true;
        };
        if self.seen.contains(id) {
            return false;
        }
        if self.seen.len() == Self::REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(id.clone());
        true
    }
}

impl DirectLine {
    /// Starts a conversation.
    pub fn start(&self) -> HttpCall {
        let body = json!({ "user": { "id": self.user } });
        self.call("POST", "/conversations", body.to_string().into_bytes())
    }

    /// Finds a conversation again, with a new stream that goes on after the watermark.
    pub fn reopen(&self, thread: &Thread, watermark: Option<&str>) -> HttpCall {
        self.call("GET", &with_watermark(conversation(thread), watermark), Vec::new())
    }

    /// Renews the token, which is the bearer.
    pub fn renew(&self) -> HttpCall {
        self.call("POST", "/tokens/refresh", Vec::new())
    }

    /// Asks what was said since the watermark, where no stream can be kept.
    pub fn poll(&self, thread: &Thread, watermark: Option<&str>) -> HttpCall {
        let path = format!("{}/activities", conversation(thread));
        self.call("GET", &with_watermark(path, watermark), Vec::new())
    }

    /// A message with what is known of the conversation and the customer: the first one to Dynamics 365, which routes
    /// by it. Elsewhere it is an ordinary message.
    pub fn send_with(&self, message: &Outbound, of_conversation: &Context, of_customer: &Context) -> HttpCall {
        let mut activity = bot::words(message);
        let mut data = match &self.dynamics {
            Some(channel) => handoff::channel_data(channel, of_conversation, of_customer),
            None => json!({}),
        };
        // The service gives it back with its own copy of the message.
        data["clientActivityID"] = json!(message.key);
        activity.channel_data = Some(data);
        self.post(&message.thread, activity)
    }

    /// What the customer says: words, files or both. `first` is what is known of the conversation, with its first message.
    pub fn say(&self, message: &Outbound, said: &Said, first: Option<&Context>) -> HttpCall {
        let mut activity = bot::words(message);
        activity.text = activity.text.filter(|text| !text.is_empty());
        activity.value = said.value.clone();
        activity.attachments = said
            .files
            .iter()
            .map(|file| Attachment {
                content_type: file.kind.clone(),
                content_url: Some(file.url.clone()),
                content: None,
                name: Some(file.name.clone()).filter(|name| !name.is_empty()),
            })
            .collect();
        let mut data = match (&self.dynamics, first) {
            (Some(channel), Some(known)) => handoff::channel_data(channel, known, &Context::new()),
            (Some(channel), None) => json!({ "channeltype": channel }),
            (None, _) => json!({}),
        };
        data["clientActivityID"] = json!(message.key);
        if said.unseen {
            data["postBack"] = json!(true);
        }
        activity.channel_data = Some(data);
        self.post(&message.thread, activity)
    }

    /// The same with the token of one conversation.
    pub fn with_token(&self, token: Secret) -> Self {
        Self {
            bearer: token,
            ..self.clone()
        }
    }

    /// Ends the conversation for the other side.
    pub fn end(&self, thread: &Thread) -> HttpCall {
        self.post(thread, Activity::new(Kind::EndOfConversation))
    }

    fn post(&self, thread: &Thread, mut activity: Activity) -> HttpCall {
        activity.from = Some(Account {
            id: self.user.clone(),
            name: activity.from.and_then(|from| from.name),
            role: Some(Role::User),
        });
        self.call(
            "POST",
            &format!("{}/activities", conversation(thread)),
            activity.to_bytes(),
        )
    }

    fn call(&self, method: &'static str, path: &str, body: Vec<u8>) -> HttpCall {
        HttpCall {
            method,
            url: format!("{}/v3/directline{path}", self.base),
            headers: bot::json_headers(&self.bearer),
            body,
        }
    }

    /// The service sends our own activities back.
    fn is_theirs(&self, activity: &Activity) -> bool {
        activity.from.as_ref().is_none_or(|from| from.id != self.user)
    }
}

impl Connector for DirectLine {
    fn name(&self) -> &'static str {
        "direct-line"
    }

    fn channel(&self, _thread: &Thread) -> Channel {
        Channel::Bot
    }

    fn abilities(&self) -> &'static [Ability] {
        &[Ability::Typing, Ability::Handoff]
    }

    /// Whoever calls is not the service, which only answers.
    fn verify<'a>(&self, _request: Request<'a>) -> Result<Verified<'a>, Reject> {
        Err(Reject::Unsigned)
    }

    /// A set of activities, each in the conversation that it names; [`Reading::take`] is for one that is followed.
    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        let (activities, _) = set(request.request().body)?;
        let mut events = Vec::new();
        for activity in activities.iter().filter(|activity| self.is_theirs(activity)) {
            let conversation = activity
                .conversation
                .as_ref()
                .ok_or(Reject::Malformed("no conversation"))?;
            events.extend(bot::inbound(activity, &Thread(conversation.id.clone()), Role::Bot)?);
        }
        Ok(Received {
            events,
            answer: Answer::Accepted,
        })
    }

    fn send(&self, message: &Outbound) -> HttpCall {
        self.send_with(message, &Context::new(), &Context::new())
    }

    fn typing(&self, thread: &Thread) -> Option<HttpCall> {
        Some(self.post(thread, Activity::new(Kind::Typing)))
    }

    fn handoff(&self, thread: &Thread, state: &HandoffState) -> Option<HttpCall> {
        Some(self.post(thread, handoff::status(state)))
    }

    fn direct_line(&self) -> Option<&DirectLine> {
        Some(self)
    }

    /// A token of its own, which expires unused.
    fn probe(&self) -> HttpCall {
        self.call("POST", "/tokens/generate", Vec::new())
    }

    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        // The bot has had it and has failed; the same words would reach it a second time.
        match (status, http::error_code(body)) {
            (502, Some(code)) if code == "BotRejectedActivity" => Outcome::Refused { code },
            _ => http::outcome_of(status, headers, body),
        }
    }
}

/// The key that we gave a message.
fn key(activity: &Activity) -> Option<String> {
    let data = activity.channel_data.as_ref()?;
    data.get("clientActivityID")?.as_str().map(str::to_owned)
}

/// The activities of a set that are activities, and its watermark.
fn set(body: &[u8]) -> Result<(Vec<Activity>, Option<String>), Reject> {
    let set: Value = serde_json::from_slice(body).map_err(|_| Reject::Malformed("not JSON"))?;
    let activities = set.get("activities").and_then(Value::as_array);
    let activities = activities.ok_or(Reject::Malformed("no activities"))?;
    Ok((
        activities.iter().filter_map(Activity::read).collect(),
        bot::activity::text(&set, "watermark"),
    ))
}

fn conversation(thread: &Thread) -> String {
    format!("/conversations/{}", segment(&thread.0))
}

fn with_watermark(path: String, watermark: Option<&str>) -> String {
    match watermark {
        Some(watermark) => format!("{path}?watermark={}", segment(watermark)),
        None => path,
    }
}

#[cfg(test)]
#[path = "directline_tests.rs"]
mod tests;
