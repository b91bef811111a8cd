//! The Bot Framework: customers on any of its channels, and bots that give their conversations over.
//!
//! The product is registered there as a bot. The service posts activities to us with a token ([`token`]), and our
//! answers go to the address that an activity names, which the token vouches for.

pub mod activity;
pub mod cards;
pub mod handoff;
mod keys;
pub mod token;
pub mod variables;

use crate::{
    Ability, Answer, Connector, Content, Fetch, HandoffState, HttpCall, Inbound, Outbound, Outcome, Received, Reject,
    Request, Secret, Thread, Verified,
    http::{self, SignIn, segment},
    renewal::Token,
};
use activity::{Account, Activity, Attachment, Conversation, Kind, Role};
use keys::KeyRing;
use serde_json::Value;
use sightline_wire::{
    UnixMillis,
    conversation::{Channel, Context},
    routing::VIDEO_REQUEST,
};
use token::{Claimed, Expected, TokenError};

/// Where the public cloud signs bots in.
pub const LOGIN: &str = "https://login.microsoftonline.com";

/// [`Fetch::what`] of the sign-in.
const TOKEN: &str = "token";

/// A bot's registration with the service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What tokens have to say; the audience is our application id.
    pub expected: Expected,
    /// [`token::METADATA`], or that of another cloud.
    pub metadata: String,
    /// [`LOGIN`], or that of another cloud; without a slash at the end.
    pub login: String,
    /// The organisation that the registration belongs to; `botframework.com` for a bot of several organisations.
    pub tenant: String,
    /// The registration's secret.
    pub secret: Secret,
}

/// The connector, with the service's keys and our own token as fetched last.
pub struct Bot {
    settings: Settings,
    token: Token,
    keys: KeyRing,
}

impl Bot {
    /// With its settings; neither keys nor token are there yet.
    pub fn new(settings: Settings) -> Self {
        let keys = KeyRing::new(settings.metadata.clone());
        Self {
            settings,
            token: Token::of_a_minute(),
            keys,
        }
    }

    /// The call that signs us in (Bot Connector authentication, "Authenticate requests from your bot").
    fn sign_in(&self) -> HttpCall {
        let Settings {
            expected,
            login,
            tenant,
            secret,
            ..
        } = &self.settings;
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &expected.audience),
            ("client_secret", secret.expose()),
            ("scope", "https://api.botframework.com/.default"),
        ];
        let url = format!("{login}/{}/oauth2/v2.0/token", segment(tenant));
        http::form(url, &SignIn::None, &fields)
    }

    /// The activity goes to the address that the conversation's own activities came from.
    fn post(&self, thread: &Thread, mut activity: Activity) -> HttpCall {
        let (service, conversation) = thread.0.split_once(' ').unwrap_or_default();
        activity.from = Some(Account {
            id: self.settings.expected.audience.clone(),
            name: activity.from.and_then(|from| from.name),
            role: Some(Role::Bot),
        });
        activity.conversation = Some(Conversation {
            id: conversation.into(),
        });
        HttpCall {
            method: "POST",
            url: format!(
                "{}/v3/conversations/{}/activities",
                service.trim_end_matches('/'),
                segment(conversation)
            ),
            headers: json_headers(&self.token.bearer()),
            body: activity.to_bytes(),
        }
    }
}

impl Connector for Bot {
    fn name(&self) -> &'static str {
        "bot"
    }

    fn channel(&self, _thread: &Thread) -> Channel {
        Channel::Bot
    }

    fn abilities(&self) -> &'static [Ability] {
        &[Ability::Typing, Ability::Handoff]
    }

    fn due(&self, now: UnixMillis) -> Option<Fetch> {
        let sign_in = self.token.due(now).map(|_| Fetch {
            what: TOKEN,
            call: self.sign_in(),
        });
        sign_in.or_else(|| self.keys.due(now))
    }

    fn fetched(&self, fetch: &Fetch, status: u16, body: &[u8], now: UnixMillis) -> Result<(), Reject> {
        match fetch.what {
            TOKEN => self.token.signed_in(status, body, now),
            what => self.keys.fetched(what, status, body, now),
        }
    }

    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        let authorization = request.header("authorization").ok_or(Reject::Unsigned)?;
        let activity = parse(request.body)?;
        let claimed = Claimed {
            service_url: activity.service_url.as_deref().unwrap_or_default(),
            channel: activity.channel_id.as_deref().unwrap_or_default(),
        };
        let keys = self.keys.keys();
        match token::check(authorization, claimed, &self.settings.expected, &keys, request.at) {
            Ok(()) => Ok(Verified::new(request)),
            Err(error) => {
                if error == TokenError::UnknownKey {
                    self.keys.unknown();
                    if keys.is_empty() {
                        return Err(Reject::NoKeys);
                    }
                }
                Err(error.into())
            }
        }
    }

    fn read(&self, request: Verified<'_>) -> Result<Received, Reject> {
        let activity = parse(request.request().body)?;
        let service = activity
            .service_url
            .as_deref()
            .ok_or(Reject::Malformed("no serviceUrl"))?;
        let conversation = activity
            .conversation
            .as_ref()
            .ok_or(Reject::Malformed("no conversation"))?;
        // An address has no spaces, so that the first one divides the two.
        if service.contains(' ') {
            return Err(Reject::Malformed("serviceUrl is no address"));
        }
        let thread = Thread(format!("{service} {}", conversation.id));
        let events = inbound(&activity, &thread, Role::User)?;
        Ok(Received {
            events,
            answer: Answer::Accepted,
        })
    }

    fn send(&self, message: &Outbound) -> HttpCall {
        self.post(&message.thread, words(message))
    }

    fn typing(&self, thread: &Thread) -> Option<HttpCall> {
        Some(self.post(thread, Activity::new(Kind::Typing)))
    }

    fn handoff(&self, thread: &Thread, state: &HandoffState) -> Option<HttpCall> {
        Some(self.post(thread, handoff::status(state)))
    }

    fn stamp(&self, call: HttpCall, _now: UnixMillis) -> HttpCall {
        self.token.stamp(call)
    }

    /// There is no address to try before a customer has written; the sign-in can be tried at any time.
    fn probe(&self) -> HttpCall {
        self.sign_in()
    }

    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
        self.token.judge(status, http::outcome_of(status, headers, body))
    }
}

fn parse(body: &[u8]) -> Result<Activity, Reject> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Reject::Malformed("not JSON"))?;
    Activity::read(&value).ok_or(Reject::Malformed("no activity"))
}

pub(crate) fn json_headers(bearer: &Secret) -> Vec<(&'static str, String)> {
    vec![
        ("authorization", format!("Bearer {}", bearer.expose())),
        ("content-type", "application/json".into()),
    ]
}

/// An agent's message as an activity. Plain, because an agent's asterisks mean nothing but asterisks.
pub(crate) fn words(message: &Outbound) -> Activity {
    let mut activity = Activity::new(Kind::Message);
    activity.from = Some(Account {
        name: Some(message.agent.clone()),
        ..Account::default()
    });
    activity.text = Some(message.text.clone());
    activity.text_format = Some("plain".into());
    activity
}

/// What an activity says, whoever brought it. `untold` is the side of a sender who does not tell theirs.
///
/// # Errors
/// [`Reject::Malformed`] for a message or a hand-off without an id.
pub(crate) fn inbound(activity: &Activity, thread: &Thread, untold: Role) -> Result<Vec<Inbound>, Reject> {
    let context = activity
        .channel_data
        .as_ref()
        .map(variables::of_channel_data)
        .unwrap_or_default();
    let changed = |context| Inbound::Context {
        thread: thread.clone(),
        context,
    };
    Ok(match &activity.kind {
        Kind::Message => message(activity, thread, untold, context)?,
        Kind::Typing => vec![Inbound::Typing { thread: thread.clone() }],
        Kind::EndOfConversation => vec![Inbound::Ended { thread: thread.clone() }],
        Kind::Event if handoff::is_initiate(activity) => {
            vec![handoff::initiate(activity, thread.clone()).ok_or(Reject::Malformed("a hand-off without an id"))?]
        }
        Kind::Event if activity.name.as_deref() == Some(VIDEO_REQUEST) => {
            let known = (!context.is_empty()).then(|| changed(context));
            let asked = Inbound::VideoAsked { thread: thread.clone() };
            known.into_iter().chain([asked]).collect()
        }
        Kind::Event | Kind::ConversationUpdate | Kind::Other(_) if context.is_empty() => Vec::new(),
        Kind::Event | Kind::ConversationUpdate | Kind::Other(_) => vec![changed(context)],
    })
}

/// Words with what is offered, then files, then what the tags order: the bot's last words come before its hand-off.
fn message(activity: &Activity, thread: &Thread, untold: Role, context: Context) -> Result<Vec<Inbound>, Reject> {
    let id = activity
        .id
        .as_ref()
        .ok_or(Reject::Malformed("a message without an id"))?;
    let from = activity.from.clone().unwrap_or_default();
    let role = from.role.unwrap_or(untold);
    // What a customer sends is said, not offered.
    let offer = (role == Role::Bot).then(|| cards::Offer::read(activity)).flatten();
    let words = match offer {
        Some(offer) => Some(Content::Offer(offer)),
        None => activity
            .text
            .clone()
            .filter(|text| !text.trim().is_empty())
            .map(Content::Text),
    };
    let contents = words.into_iter().chain(activity.attachments.iter().filter_map(file));
    let mut events: Vec<Inbound> = contents
        .enumerate()
        .map(|(part, content)| Inbound::Message {
            thread: thread.clone(),
            // The parts of one message are told apart, and each keeps its id when the message comes again.
            id: if part == 0 { id.clone() } else { format!("{id}#{part}") },
            from: handoff::speaker(from.clone(), role),
            content,
            at: activity.at(),
            context: context.clone(),
        })
        .collect();
    match handoff::tag(activity) {
        Some(handoff::Tag::Escalate(context)) => events.push(Inbound::Handoff {
            thread: thread.clone(),
            id: id.clone(),
            context,
            transcript: Vec::new(),
        }),
        Some(handoff::Tag::EndConversation) => events.push(Inbound::Ended { thread: thread.clone() }),
        None => {}
    }
    Ok(events)
}

/// A file that can be fetched; cards and data are no files.
fn file(attachment: &Attachment) -> Option<Content> {
    Some(Content::File {
        url: attachment.content_url.clone().filter(|url| !url.is_empty())?,
        kind: Some(attachment.content_type.clone()).filter(|kind| !kind.is_empty()),
        caption: attachment.name.clone(),
    })
}

#[cfg(test)]
mod tests;
