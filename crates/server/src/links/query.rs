//! The query of Dynamics 365's sample: `conversationId`, `agentId` and `email`. What we make ends in
//! `exp` (seconds since 1970) and `sig`, the HMAC-SHA256 of everything before it, byte for byte.

use crate::{config::Secret, secrets};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sightline_wire::ids::{AccountId, ConversationId};

/// What stands before a signature.
const SIGNATURE: &str = "&sig=";

/// Longest of each value, in Unicode scalar values.
const MAX_VALUE_CHARS: usize = 200;

/// What a query says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The conversation to continue, as its sender calls it.
    pub conversation: String,
    /// The sender's name for the agent.
    pub agent: Option<String>,
    /// The agent's e-mail address.
    pub email: Option<String>,
    /// The video starts by itself: the sample's page always wants that.
    pub video: bool,
}

/// What is to be thought of a query.
#[derive(Debug, PartialEq, Eq)]
pub enum Judged {
    /// It names no conversation: any address of the chat.
    Nothing,
    /// Ours, in its time.
    Signed(Fields),
    /// Nobody says that it is ours.
    Unsigned(Fields),
    /// Ours, and its time is over.
    Expired,
    /// It says that it is ours, and is not, or not any more as we made it.
    Foreign,
}

/// Judges the query of an address, without its question mark.
pub fn judge(query: &str, key: &Secret, unix_s: i64) -> Judged {
    let Some((signed, rest)) = query.split_once(SIGNATURE) else {
        let (fields, until) = read(query);
        // Without its signature a link of ours is a changed one.
        return match (fields, until, query.starts_with("sig=")) {
            (_, None, true) | (Some(_), Some(_), _) => Judged::Foreign,
            (Some(fields), None, false) => Judged::Unsigned(fields),
            (None, _, _) => Judged::Nothing,
        };
    };
    // What others have appended behind the signature is not ours, and is not read.
    let given = rest.split('&').next().unwrap_or_default();
    if !secrets::equal(given, &signature(signed, key)) {
        return Judged::Foreign;
    }
    match read(signed) {
        (Some(_), Some(until)) if until <= unix_s => Judged::Expired,
        (Some(fields), Some(_)) => Judged::Signed(fields),
        (_, _) => Judged::Foreign,
    }
}

/// A query of ours.
pub fn made(conversation: ConversationId, agent: (AccountId, &str), video: bool, until_s: i64, key: &Secret) -> String {
    let (agent, email) = agent;
    let mut address = blank();
    {
        let mut pairs = address.query_pairs_mut();
        pairs
            .append_pair("conversationId", &conversation.to_string())
            .append_pair("agentId", &agent.to_string())
            .append_pair("email", email);
        if !video {
            pairs.append_pair("video", "false");
        }
        pairs.append_pair("exp", &until_s.to_string());
    }
    let query = address.query().unwrap_or_default();
    format!("{query}{SIGNATURE}{}", signature(query, key))
}

fn signature(text: &str, key: &Secret) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).expect("a key of any length fits");
    mac.update(text.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// The fields, if a conversation is named, and the end, if there is one.
fn read(query: &str) -> (Option<Fields>, Option<i64>) {
    let mut fields = Fields {
        video: true,
        ..Fields::default()
    };
    let mut until = None;
    let mut address = blank();
    address.set_query(Some(query));
    for (name, value) in address.query_pairs() {
        // Dynamics 365 writes some identifiers in braces.
        let value: String = value
            .trim()
            .trim_matches(['{', '}'])
            .chars()
            .take(MAX_VALUE_CHARS)
            .collect();
        match name.as_ref() {
            "conversationId" => fields.conversation = value,
            "agentId" => fields.agent = Some(value).filter(|value| !value.is_empty()),
            "email" => fields.email = Some(value).filter(|value| !value.is_empty()),
            "video" => fields.video = value != "false",
            "exp" => until = Some(value.parse().unwrap_or(0)),
            _ => {}
        }
    }
    (Some(fields).filter(|fields| !fields.conversation.is_empty()), until)
}

fn blank() -> reqwest::Url {
    reqwest::Url::parse("http://localhost/chat").expect("the address is constant and valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn key() -> Secret {
        Secret::new("key of the test")
    }

    fn ours() -> String {
        let (conversation, agent) = (ConversationId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(2)));
        made(conversation, (agent, "maria+video@example.test"), true, 1_000, &key())
    }

    #[test]
    fn what_we_make_is_signed_until_its_end() {
        let Judged::Signed(fields) = judge(&ours(), &key(), 999) else {
            panic!("it is signed")
        };
        assert_eq!(fields.conversation, "00000000-0000-0000-0000-000000000001");
        assert_eq!(fields.agent.as_deref(), Some("00000000-0000-0000-0000-000000000002"));
        assert_eq!(fields.email.as_deref(), Some("maria+video@example.test"));
        assert!(fields.video);
        assert_eq!(judge(&ours(), &key(), 1_000), Judged::Expired);
        let quiet = made(
            ConversationId(Uuid::from_u128(1)),
            (AccountId(Uuid::from_u128(2)), "m@x.test"),
            false,
            1_000,
            &key(),
        );
        assert!(matches!(
            judge(&quiet, &key(), 1),
            Judged::Signed(Fields { video: false, .. })
        ));
    }

    /// Computed with `printf %s "$query" | openssl dgst -sha256 -hmac "key of the test" -binary | basenc --base64url`.
    #[test]
    fn the_signature_is_the_one_that_openssl_computes() {
        let query = "conversationId=a&exp=1000";
        assert_eq!(signature(query, &key()), "ywOSBQvE4LvjvJoJvt2UMmu5NNmtq-33KOvOEEpxgfY");
    }

    #[test]
    fn a_changed_link_is_not_ours_any_more() {
        let ours = ours();
        for changed in [
            ours.replace("maria", "jonas"),
            ours.replace("exp=1000", "exp=9000"),
            ours.replace("conversationId=0", "conversationId=1"),
            format!("email=jonas%40example.test&{ours}"),
            ours[..ours.len() - 1].to_string(),
            ours.split("&sig=").next().unwrap().to_string(),
            "sig=x&conversationId=a".into(),
            "conversationId=a&sig=".into(),
        ] {
            assert_eq!(judge(&changed, &key(), 1), Judged::Foreign, "{changed}");
        }
        assert_eq!(judge(&ours, &Secret::new("another"), 1), Judged::Foreign);
    }

    #[test]
    fn what_is_appended_behind_a_signature_changes_nothing() {
        let tracked = format!("{}&utm_source=sms&email=jonas%40example.test", ours());
        let Judged::Signed(fields) = judge(&tracked, &key(), 1) else {
            panic!("it is signed")
        };
        assert_eq!(fields.email.as_deref(), Some("maria+video@example.test"));
    }

    #[test]
    fn a_sender_of_before_signs_nothing() {
        let query = "conversationId=%7Bxxx2d15x-2703%7D&agentId=a-1&email=x.y%40x.com";
        let Judged::Unsigned(fields) = judge(query, &key(), 1) else {
            panic!("it is unsigned")
        };
        assert_eq!(fields.conversation, "xxx2d15x-2703");
        assert_eq!(fields.email.as_deref(), Some("x.y@x.com"));
        assert_eq!(
            judge("conversationid=a", &key(), 1),
            Judged::Nothing,
            "names are case-sensitive"
        );
        assert_eq!(judge("", &key(), 1), Judged::Nothing);
        assert_eq!(judge("utm_source=sms", &key(), 1), Judged::Nothing);
    }
}
