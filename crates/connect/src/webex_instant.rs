//! Webex Instant Connect: rooms elsewhere, for contact centres that have them. The broker is asked for a meeting and
//! answers with a link for the agent and one for the customer; it can also send the customer's link by SMS.
//!
//! A failure is a failure here: what the broker does not give is never made into an address.

use crate::{
    HttpCall, Secret,
    http::{self, SignIn},
    number::{NoSms, PhoneLine, sms_number},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Whom the links are made for; the same for everybody. (Instant Connect, "Create meeting": `aud`.)
const AUDIENCE: &str = "a4d886b0-979f-4e2c-a958-3e8c14605e51";

/// How long to wait for a meeting; once more after a failure.
pub const MEETING_DEADLINE: Duration = Duration::from_secs(5);
/// How long to wait for an SMS to be taken.
pub const INVITE_DEADLINE: Duration = Duration::from_secs(2);

/// How long the meeting of a test is good for, in seconds; the broker's clock may be a little ahead of ours.
const TEST_S: i64 = 60;

/// The broker, and who we are there.
#[derive(Debug, Clone)]
pub struct Instant {
    /// Without a slash at the end: `https://mtg-broker-a.wbx2.com`.
    pub broker: String,
    /// A Webex bot's token.
    pub bot_token: Secret,
    /// The organisation, for invites by SMS.
    pub org_id: Option<String>,
    /// Two letters in any case; numbers are then sent under their country instead of with its code alone.
    pub sms_country: Option<String>,
}

/// A meeting to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The interaction or conversation; the same one is the same meeting.
    pub subject: &'a str,
    /// Links for agents; at least one.
    pub hosts: u8,
    /// Links for customers; at least one.
    pub guests: u8,
    /// Whether the agent has to sign in at Webex first.
    pub hosts_sign_in: bool,
}

impl<'a> Wanted<'a> {
    /// For one agent, who signs in, and one customer, who does not.
    pub fn for_two(subject: &'a str) -> Self {
        Self {
            subject,
            hosts: 1,
            guests: 1,
            hosts_sign_in: true,
        }
    }
}

/// A meeting with all the links that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meeting {
    /// For the agent.
    pub host_url: String,
    /// For the customer.
    pub guest_url: String,
    /// For further agents.
    pub more_hosts: Vec<String>,
    /// For further customers.
    pub more_guests: Vec<String>,
}

/// Why there is no meeting, or no invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// The broker is not there or has too much to do; once more may help.
    #[error("the broker answers {0}")]
    Unavailable(u16),
    /// Another token, organisation or request would be needed.
    #[error("the broker refuses with {0}")]
    Refused(u16),
    /// 200, and still not what its documents describe.
    #[error("the broker's answer has no {0}")]
    Incomplete(&'static str),
    /// Nobody has answered in time; once more may help.
    #[error("the broker does not answer")]
    Silent,
    /// Nobody is there, or nobody we may speak to; once more may help.
    #[error("the broker cannot be reached")]
    Unreachable,
    /// The broker has taken the invite and says that it has not sent it.
    #[error("the broker has not sent the invite")]
    NotSent,
}

impl BrokerError {
    /// Whether the same call may come to something a moment later.
    pub fn may_pass(self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Silent | Self::Unreachable => true,
            Self::Refused(_) | Self::Incomplete(_) | Self::NotSent => false,
        }
    }
}

/// Why somebody is not invited by SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoInvite {
    /// It would reach nobody.
    #[error(transparent)]
    Number(#[from] NoSms),
    /// The settings name no organisation.
    #[error("the organisation's id is not set")]
    NoOrganisation,
}

impl Instant {
    /// Asks for a meeting.
    pub fn create(&self, wanted: Wanted<'_>) -> HttpCall {
        self.post(
            "/api/v2/joseencrypt",
            &json!({
                "jwt": { "sub": wanted.subject },
                "aud": AUDIENCE,
                "numHost": wanted.hosts.max(1),
                "numGuest": wanted.guests.max(1),
                "verticalType": "cc",
                "provideShortUrls": true,
                "loginUrlForHost": wanted.hosts_sign_in,
            }),
        )
    }

    /// Asks for a meeting that nobody is told of, to see whether the broker knows us. The broker writes the whole of
    /// such a meeting into its links and keeps nothing of it but short addresses: this one has none, and is over in a
    /// minute. `now` is in seconds. (Instant Connect, "Meeting links": `exp`, `provideShortUrls`.)
    pub fn test(&self, subject: &str, now: i64) -> HttpCall {
        self.post(
            "/api/v2/joseencrypt",
            &json!({
                "jwt": { "sub": subject, "exp": now.saturating_add(TEST_S) },
                "aud": AUDIENCE,
                "numHost": 1,
                "numGuest": 1,
                "verticalType": "cc",
                "provideShortUrls": false,
                "loginUrlForHost": true,
            }),
        )
    }

    /// Sends the customer's link by SMS, to a number in any of the spellings of phone systems.
    ///
    /// # Errors
    /// There is nobody whom an SMS could reach.
    pub fn invite(&self, subject: &str, number: Option<&str>, line: PhoneLine) -> Result<HttpCall, NoInvite> {
        let number = sms_number(number, line)?;
        let organisation = self.org_id.as_deref().ok_or(NoInvite::NoOrganisation)?;
        let mut body = json!({
            "integration": "jose",
            "vertical": "cc",
            "orgId": organisation,
            "meetingId": subject,
        });
        match &self.sms_country {
            Some(country) => {
                body["mobileNumbersWithAlpha2CountryCode"] = json!({ country.to_ascii_lowercase(): [number] });
            }
            None => body["mobileNumbersWithCountryCode"] = json!([number]),
        }
        Ok(self.post("/api/v1/sms/meetingInvite", &body))
    }

    fn post(&self, path: &str, body: &Value) -> HttpCall {
        let sign_in = SignIn::Bearer(&self.bot_token);
        http::json("POST", format!("{}{path}", self.broker), &sign_in, body)
    }
}

/// The answer to [`Instant::create`].
///
/// # Errors
/// It is not a meeting with all the links that were asked for.
pub fn meeting(wanted: Wanted<'_>, status: u16, body: &[u8]) -> Result<Meeting, BrokerError> {
    let (answer, base) = answer(status, body)?;
    let (host_url, more_hosts) = links(&base, &answer.host, wanted.hosts, "host's link")?;
    let (guest_url, more_guests) = links(&base, &answer.guest, wanted.guests, "guest's link")?;
    if host_url == guest_url {
        return Err(BrokerError::Incomplete("link for the guest alone"));
    }
    Ok(Meeting {
        host_url,
        guest_url,
        more_hosts,
        more_guests,
    })
}

/// The answer to [`Instant::test`].
///
/// # Errors
/// A meeting would not be made.
pub fn tested(status: u16, body: &[u8]) -> Result<(), BrokerError> {
    let (answer, _) = answer(status, body)?;
    for (keys, missing) in [(&answer.host, "host's link"), (&answer.guest, "guest's link")] {
        let whole = keys.first().and_then(|key| key.cipher.as_deref());
        whole
            .filter(|cipher| !cipher.is_empty())
            .ok_or(BrokerError::Incomplete(missing))?;
    }
    Ok(())
}

/// The answer to [`Instant::invite`].
///
/// # Errors
/// The SMS is not on its way.
pub fn invited(status: u16, body: &[u8]) -> Result<(), BrokerError> {
    granted(status)?;
    match http::text_at(body, "/status") {
        Some(word) if word.eq_ignore_ascii_case("successful") => Ok(()),
        Some(_) => Err(BrokerError::NotSent),
        None => Err(BrokerError::Incomplete("status")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    base_url: Option<String>,
    #[serde(default)]
    host: Vec<Key>,
    #[serde(default)]
    guest: Vec<Key>,
}

/// One link's own part: short, which the broker keeps, and with everything in it, which it does not.
#[derive(Deserialize)]
struct Key {
    short: Option<String>,
    cipher: Option<String>,
}

/// What the broker answers, with the beginning of all its links.
fn answer(status: u16, body: &[u8]) -> Result<(Answer, String), BrokerError> {
    granted(status)?;
    let mut answer: Answer = http::parse(body).map_err(|_| BrokerError::Incomplete("meeting"))?;
    let base = answer.base_url.take().filter(|base| is_base(base));
    Ok((answer, base.ok_or(BrokerError::Incomplete("base address"))?))
}

fn granted(status: u16) -> Result<(), BrokerError> {
    match status {
        200..=299 => Ok(()),
        408 | 425 | 429 | 500..=599 => Err(BrokerError::Unavailable(status)),
        _ => Err(BrokerError::Refused(status)),
    }
}

/// As many as were asked for.
fn links(base: &str, keys: &[Key], wanted: u8, missing: &'static str) -> Result<(String, Vec<String>), BrokerError> {
    let wanted = usize::from(wanted.max(1));
    let mut links = keys.iter().take(wanted).map(|key| {
        let short = key.short.as_deref().filter(|short| is_key(short))?;
        Some(format!("{base}{short}"))
    });
    let first = links.next().flatten().ok_or(BrokerError::Incomplete(missing))?;
    let more: Option<Vec<_>> = links.collect();
    let more = more.filter(|more| more.len() + 1 == wanted);
    Ok((first, more.ok_or(BrokerError::Incomplete(missing))?))
}

/// The agent's window opens it, so it is no address of another kind.
fn is_base(base: &str) -> bool {
    let rest = base.strip_prefix("https://").unwrap_or_default();
    let graphic = rest
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\@".contains(&byte));
    graphic && base.ends_with('/') && rest.len() > 1 && !rest.starts_with('/')
}

/// What a flow puts in place of a key that it has not got is none.
fn is_key(short: &str) -> bool {
    let word = ["none", "null", "undefined"]
        .iter()
        .any(|word| short.eq_ignore_ascii_case(word));
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !word && !short.is_empty() && short.bytes().all(letter)
}

#[cfg(test)]
#[path = "webex_instant_tests.rs"]
mod tests;
