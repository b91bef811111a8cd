//! Azure Communication Services: chat threads. Users are made and signed in with the resource's access key
//! ([`sign`]); what a user does in a thread is signed with that user's token. Events come through Event Grid.

mod events;
pub mod sign;

use crate::{
    Ability, Connector, Fetch, HttpCall, Outbound, Outcome, Received, Reject, Request, Secret, Thread, Verified,
    bot::json_headers,
    http::{self, millis, segment},
    renewal::{Token, granted, halfway},
};
use serde_json::{Map, Value, json};
use sightline_wire::{
    UnixMillis,
    conversation::{Channel, Context},
};
use sign::AccessKey;
use std::time::Duration;

/// Of the chat API.
const CHAT_VERSION: &str = "2025-03-15";
/// Of the identity API, which is dated apart.
const IDENTITY_VERSION: &str = "2023-10-01";

/// A resource, and the user as whom we speak.
#[derive(Clone)]
pub struct Settings {
    /// Without a slash at the end: `https://contoso.communication.azure.com`.
    pub endpoint: String,
    /// For what the resource itself does.
    pub key: AccessKey,
    /// Our user's identity: `8:acs:…`.
    pub user: String,
    /// The query parameter `code` of the address that Event Grid calls; Event Grid signs nothing, and keeps the query of
    /// such an address to itself.
    pub webhook_code: Secret,
}

/// The connector, with our user's token as fetched last.
pub struct Acs {
    settings: Settings,
    token: Token,
}

/// Who takes part in a new thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// `8:acs:…`, `4:+1555…` or another identity.
    pub id: String,
    /// As shown to the others.
    pub name: Option<String>,
}

/// A user's token, and the user where it is a new one.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The identity, in the answer to [`Acs::create_identity`].
    pub user: Option<String>,
    /// For our own user, or for a customer's page.
    pub token: Secret,
    /// When it expires.
    pub expires_at: UnixMillis,
}

impl Issued {
    /// The answer to [`Acs::create_identity`] and [`Acs::issue_token`].
    ///
    /// # Errors
    /// [`Reject::Malformed`], when there is no token in it.
    pub fn read(body: &[u8]) -> Result<Self, Reject> {
        let answer: Value = http::parse(body)?;
        // A new identity has its token inside; a token that was asked for is the answer itself.
        let token = answer.get("accessToken").unwrap_or(&answer);
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            user: answer.get("identity").and_then(|identity| text(identity, "id")),
            token: text(token, "token")
                .filter(|token| !token.is_empty())
                .map(Secret::new)
                .ok_or(Reject::Malformed("no token"))?,
            expires_at: text(token, "expiresOn")
                .and_then(|at| millis(&at))
                .ok_or(Reject::Malformed("no expiresOn"))?,
        })
    }
}

impl Acs {
    /// With its settings; the token is not there yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            token: Token::of_a_minute(),
        }
    }

    /// A new user with a first token for chats (Identity, "Create").
    pub fn create_identity(&self, now: UnixMillis) -> HttpCall {
        self.as_resource("/identities", &json!({ "createTokenWithScopes": ["chat"] }), now)
    }

    /// A further token for a user (Identity, "Issue access token").
    pub fn issue_token(&self, user: &str, now: UnixMillis) -> HttpCall {
        let path = format!("/identities/{}/:issueAccessToken", segment(user));
        self.as_resource(&path, &json!({ "scopes": ["chat"] }), now)
    }

    /// A new thread with these beside us (Chat, "Create chat thread"). Asked twice with one key it is one thread.
    pub fn create_thread(&self, topic: &str, participants: &[Participant], key: &str) -> HttpCall {
        let participants: Vec<Value> = participants.iter().map(participant).collect();
        let body = json!({ "topic": topic, "participants": participants });
        let mut call = self.as_user("POST", "/chat/threads", Some(&body));
        call.headers.push(("repeatability-request-id", key.into()));
        call
    }

    /// Tells the others that we have seen everything up to this message (Chat, "Send chat read receipt").
    pub fn read_receipt(&self, thread: &Thread, message: &str) -> HttpCall {
        self.in_thread(thread, "/readReceipts", &json!({ "chatMessageId": message }))
    }

    fn in_thread(&self, thread: &Thread, what: &str, body: &Value) -> HttpCall {
        let path = format!("/chat/threads/{}{what}", segment(&thread.0));
        self.as_user("POST", &path, Some(body))
    }

    fn as_user(&self, method: &'static str, path: &str, body: Option<&Value>) -> HttpCall {
        HttpCall {
            method,
            url: format!("{}{path}?api-version={CHAT_VERSION}", self.settings.endpoint),
            headers: json_headers(&self.token.bearer()),
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        }
    }

    fn as_resource(&self, path: &str, body: &Value, now: UnixMillis) -> HttpCall {
        let call = HttpCall {
            method: "POST",
            url: format!("{}{path}?api-version={IDENTITY_VERSION}", self.settings.endpoint),
            headers: vec![("content-type", "application/json".into())],
            body: body.to_string().into_bytes(),
        };
        self.settings.key.sign(call, now)
    }
}

impl Connector for Acs {
    fn name(&self) -> &'static str {
        "acs"
    }

    fn channel(&self, _thread: &Thread) -> Channel {
        Channel::Azure
    }

    fn abilities(&self) -> &'static [Ability] {
        &[Ability::Typing, Ability::Context]
    }

    fn due(&self, now: UnixMillis) -> Option<Fetch> {
        self.token.due(now).map(|_| Fetch {
            what: "token",
            call: self.issue_token(&self.settings.user, now),
        })
    }

    fn fetched(&self, _fetch: &Fetch, status: u16, body: &[u8], now: UnixMillis) -> Result<(), Reject> {
        granted(status)?;
        let issued = Issued::read(body)?;
        self.token.fetched(issued.token, halfway(now, issued.expires_at), now);
        Ok(())
    }

    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        let code = query(request.url, "code").ok_or(Reject::Unsigned)?;
        // An empty setting is no code, or it would let everybody in.
        if !self.settings.webhook_code.matches(code) {
            return Err(Reject::WrongSignature);
        }
        Ok(Verified::new(request))
    }

    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        events::read(request.request(), &self.settings.user)
    }

    fn send(&self, message: &Outbound) -> HttpCall {
        let body = json!({ "content": message.text, "senderDisplayName": message.agent, "type": "text" });
        self.in_thread(&message.thread, "/messages", &body)
    }

    fn typing(&self, thread: &Thread) -> Option<HttpCall> {
        Some(self.in_thread(thread, "/typing", &json!({})))
    }

    /// The thread's metadata, by a merge patch: variables that it does not name stay (RFC 7396). It is texts only.
    fn set_context(&self, thread: &Thread, context: &Context) -> Option<HttpCall> {
        let metadata: Map<String, Value> = context
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(http::text(value))))
            .collect();
        let path = format!("/chat/threads/{}", segment(&thread.0));
        let mut call = self.as_user("PATCH", &path, Some(&json!({ "metadata": metadata })));
        for (name, value) in &mut call.headers {
            if *name == "content-type" {
                *value = "application/merge-patch+json".into();
            }
        }
        Some(call)
    }

    fn stamp(&self, call: HttpCall, _now: UnixMillis) -> HttpCall {
        self.token.stamp(call)
    }

    fn probe(&self) -> HttpCall {
        self.as_user("GET", "/chat/threads", None)
    }

    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        let outcome = match http::outcome_of(status, headers, body) {
            Outcome::Taken { id: None } => Outcome::Taken {
                id: http::text_at(body, "/chatThread/id"),
            },
            Outcome::Again { after: None } => Outcome::Again {
                after: retry_after_ms(headers),
            },
            other => other,
        };
        self.token.judge(status, outcome)
    }
}

fn participant(participant: &Participant) -> Value {
    let mut out = json!({ "communicationIdentifier": { "rawId": participant.id } });
    if let Some(name) = &participant.name {
        out["displayName"] = json!(name);
    }
    out
}

/// Azure's own spellings, which its clients read too.
fn retry_after_ms(headers: &[(String, String)]) -> Option<Duration> {
    let spelling = |name: &str| {
        ["retry-after-ms", "x-ms-retry-after-ms"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    let (_, value) = headers.iter().find(|(name, _)| spelling(name))?;
    let millis: u32 = value.trim().parse().ok()?;
    Some(Duration::from_millis(millis.into()))
}

/// A parameter of a query. The code is made of letters and digits, so nothing has to be decoded.
fn query<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| {
        pair.split_once('=')
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests;
