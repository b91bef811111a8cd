//! What all of Twilio's interfaces have in common: the account, the signature, the attributes and the error codes.

use crate::{
    HttpCall, Kept, Outcome, Reject, Request, Secret, Verified,
    http::{self, SignIn},
    signature::{Canonical, Encoding, Hash, Scheme, query_parameter},
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use sightline_wire::conversation::Context;
use std::{borrow::Cow, collections::BTreeMap};

/// Twilio, "Message resource": `Body`.
pub(crate) const LONGEST: usize = 1_600;

/// Where the hash of a body stands that is no form.
const BODY_HASH: &str = "bodySHA256";

/// Twilio's "Webhooks security": form bodies.
pub const FORM: Scheme = Scheme {
    hash: Hash::Sha1,
    encoding: Encoding::Base64,
    header: "x-twilio-signature",
    prefix: "",
    canonical: Canonical::UrlAndForm,
};

/// Twilio's "Webhooks security": all other bodies.
pub const HASHED: Scheme = Scheme {
    canonical: Canonical::UrlWithBodyHash { parameter: BODY_HASH },
    ..FORM
};

/// An account and its keys.
#[derive(Debug, Clone)]
pub struct Account {
    /// `AC…`
    pub sid: String,
    /// The auth tokens that webhooks are signed with: the primary one and, during a rotation, the secondary one.
    pub auth_tokens: Vec<Secret>,
    /// `SK…`, or the account's own sid.
    pub key_sid: String,
    /// Of the key, or the auth token.
    pub key_secret: Secret,
}

impl Account {
    pub(crate) fn sign_in(&self) -> SignIn<'_> {
        SignIn::Basic(&self.key_sid, &self.key_secret)
    }

    /// Twilio itself chooses the way to sign: the parameter is in the address, and that is signed in both.
    pub(crate) fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject> {
        let scheme = match query_parameter(request.url, BODY_HASH) {
            Some(_) => HASHED,
            None => FORM,
        };
        scheme.verify(&self.auth_tokens, &request)?;
        Ok(Verified::new(request))
    }
}

/// A message that was approved beforehand, for when nobody may write freely. (Twilio, "Content Template Builder".)
#[derive(Debug, Clone)]
pub struct Template {
    /// `HX…`
    pub content_sid: String,
    /// The number of its variable for the link: `1`.
    pub link_variable: String,
}

impl Template {
    /// `ContentVariables`.
    pub(crate) fn variables(&self, link: &str) -> String {
        json!({ &self.link_variable: link }).to_string()
    }
}

/// The fields of a webhook. Forms are the rule; a body hash announces JSON.
#[derive(Debug)]
pub(crate) struct Fields<'a>(BTreeMap<Cow<'a, str>, Cow<'a, str>>);

impl<'a> Fields<'a> {
    pub(crate) fn of(request: &Request<'a>) -> Result<Self, Reject> {
        if query_parameter(request.url, BODY_HASH).is_none() {
            return Ok(Self(form_urlencoded::parse(request.body).collect()));
        }
        let object: serde_json::Map<String, Value> = http::parse(request.body)?;
        let text = |(name, value)| match value {
            Value::String(text) => (Cow::Owned(name), Cow::Owned(text)),
            other => (Cow::Owned(name), Cow::Owned(other.to_string())),
        };
        Ok(Self(object.into_iter().map(text).collect()))
    }

    /// Empty is absent: forms have no other way to say it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(AsRef::as_ref)
            .filter(|value: &&str| !value.is_empty())
    }

    pub(crate) fn need(&self, name: &str, missing: &'static str) -> Result<&str, Reject> {
        self.get(name).ok_or(Reject::Malformed(missing))
    }

    /// A conversation's attributes as variables. Whatever somebody else put there is no reason to refuse the event.
    pub(crate) fn attributes(&self) -> Context {
        let attributes = self.get("Attributes").unwrap_or("{}");
        serde_json::from_str(attributes).map_or_else(|_| Context::new(), |object| http::context(&object))
    }
}

/// The attributes that Flex shows a video card for. (Flex project template, "chat to video escalation".)
pub(crate) fn video_attributes(link: &str) -> String {
    let code = link
        .rsplit(['/', '=', '#'])
        .find(|part| !part.is_empty())
        .unwrap_or(link);
    json!({ "hasVideo": true, "videoUrl": link, "uniqueCode": code }).to_string()
}

/// Attributes are one text that is written as a whole. What others put there goes back as it came, letter for letter;
/// what cannot be read is not written over. `None` when nothing would change.
pub(crate) fn merged_attributes(kept: &Kept<'_>, context: &Context) -> Result<Option<String>, Reject> {
    #[derive(Deserialize)]
    struct Resource {
        attributes: Option<String>,
    }
    let resource: Resource = http::parse(kept.body)?;
    let before = match resource.attributes {
        None => return Err(Reject::Malformed("no attributes in the answer")),
        Some(text) if text.trim().is_empty() => "{}".to_owned(),
        Some(text) => text,
    };
    let mut attributes: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&before).map_err(|_| Reject::Malformed("the attributes are no object"))?;

    let mut news = false;
    for (name, variable) in context {
        let value = http::value(variable);
        let known = attributes
            .get(name)
            .and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        if known.as_ref() != Some(&value) {
            let raw = RawValue::from_string(value.to_string()).expect("a JSON value is JSON");
            attributes.insert(name.clone(), raw);
            news = true;
        }
    }
    Ok(news.then(|| serde_json::to_string(&attributes).expect("texts and JSON are JSON")))
}

/// What an answer means, by its own code before its status.
/// (Twilio, "Error and warning dictionary": 20429 too many requests, 63016 outside the WhatsApp window.)
pub(crate) fn judge(status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome {
    let code = http::text_at(body, "/code");
    match code.as_deref() {
        _ if (200..300).contains(&status) => Outcome::Taken {
            id: http::text_at(body, "/sid"),
        },
        Some("63016") => Outcome::WindowClosed,
        Some("20429") => Outcome::Again {
            after: http::retry_after(headers),
        },
        // Somebody else has written in between: begin with the reading.
        _ if status == 412 => Outcome::Again { after: None },
        _ => http::outcome(status, headers, None, code),
    }
}

/// A call that asks for something.
pub(crate) fn get(account: &Account, url: String) -> HttpCall {
    http::get(url, &account.sign_in())
}

/// A call that writes something.
pub(crate) fn post(account: &Account, url: String, fields: &[(&str, &str)]) -> HttpCall {
    http::form(url, &account.sign_in(), fields)
}
