//! Signatures with a shared key (HMAC), which every platform has in a form of its own: a [`Scheme`] says which.

use crate::{Reject, Request, Secret};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use sightline_wire::UnixMillis;
use std::{borrow::Cow, collections::BTreeSet, time::Duration};
use subtle::ConstantTimeEq;

/// The hash inside the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// 20 bytes.
    Sha1,
    /// 32 bytes.
    Sha256,
    /// 64 bytes.
    Sha512,
}

/// How the signature's bytes stand in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// In small letters when written, in any when read.
    Hex,
    /// The standard alphabet with padding.
    Base64,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canonical {
    /// The body, byte for byte.
    Body,
    /// The address and then every form field, name and value, in the order of the names; values of one name once each
    /// and in order. (Twilio, "Webhooks security": form bodies.)
    UrlAndForm,
    /// The address alone, whose query parameter of this name is the body's SHA-256 in hex. (Twilio, "Webhooks
    /// security": bodies of other kinds.)
    UrlWithBodyHash {
        /// The parameter.
        parameter: &'static str,
    },
    /// Seconds since 1970, a full stop, the body.
    TimestampAndBody {
        /// Where the seconds stand.
        header: &'static str,
        /// Further away from now, in either direction, is no request from now.
        max_age: Duration,
    },
}

impl Canonical {
    fn signs_url(self) -> bool {
        match self {
            Canonical::UrlAndForm | Canonical::UrlWithBodyHash { .. } => true,
            Canonical::Body | Canonical::TimestampAndBody { .. } => false,
        }
    }
}

/// One platform's way to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheme {
    /// Inside.
    pub hash: Hash,
    /// Outside.
    pub encoding: Encoding,
    /// Where the signature stands, in small letters.
    pub header: &'static str,
    /// What stands before it: `sha256=`.
    pub prefix: &'static str,
    /// What it is about.
    pub canonical: Canonical,
}

impl Scheme {
    /// Whether one of `keys` has signed the request. Several are tried so that a key can be replaced while requests
    /// signed with the old one are still under way.
    ///
    /// # Errors
    /// It is not signed, signed with another key or for another content, or not from now.
    pub fn verify(&self, keys: &[Secret], request: &Request<'_>) -> Result<(), Reject> {
        let header = request.header(self.header).ok_or(Reject::Unsigned)?;
        let encoded = header.strip_prefix(self.prefix).ok_or(Reject::Unsigned)?;
        let signature = self.decode(encoded).ok_or(Reject::WrongSignature)?;
        let signed_at = self.signed_at(request)?;

        let told = told_urls(request.url, self.canonical);
        // An empty key is a setting that was forgotten, and everybody knows it.
        let right = keys.iter().filter(|key| !key.is_empty()).any(|key| {
            told.iter()
                .any(|url| self.mac_matches(key, url, request.body, signed_at, &signature))
        });
        if !right || !self.hash_matches(request) {
            return Err(Reject::WrongSignature);
        }
        self.is_from_now(signed_at, request.at)
    }

    /// The headers that make a request one of ours.
    pub fn sign(&self, key: &Secret, url: &str, body: &[u8], now: UnixMillis) -> Vec<(&'static str, String)> {
        let seconds = now.div_euclid(1000).to_string();
        let signature = self.encode(&self.mac(key, url, body, &seconds));
        let mut headers = vec![(self.header, format!("{}{signature}", self.prefix))];
        if let Canonical::TimestampAndBody { header, .. } = self.canonical {
            headers.push((header, seconds));
        }
        headers
    }

    fn decode(&self, encoded: &str) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Hex => hex::decode(encoded).ok(),
            Encoding::Base64 => STANDARD.decode(encoded).ok(),
        }
    }

    fn encode(&self, signature: &[u8]) -> String {
        match self.encoding {
            Encoding::Hex => hex::encode(signature),
            Encoding::Base64 => STANDARD.encode(signature),
        }
    }

    /// The seconds as they stand in the header, since they are signed as they stand there.
    fn signed_at<'a>(&self, request: &Request<'a>) -> Result<&'a str, Reject> {
        match self.canonical {
            Canonical::TimestampAndBody { header, .. } => request.header(header).ok_or(Reject::Unsigned),
            Canonical::Body | Canonical::UrlAndForm | Canonical::UrlWithBodyHash { .. } => Ok(""),
        }
    }

    /// Asked last, so that only somebody with a key learns that it was the time.
    fn is_from_now(&self, signed_at: &str, now: UnixMillis) -> Result<(), Reject> {
        let Canonical::TimestampAndBody { max_age, .. } = self.canonical else {
            return Ok(());
        };
        let seconds: i64 = signed_at
            .parse()
            .map_err(|_| Reject::Malformed("the time stamp is not in seconds"))?;
        if now.div_euclid(1000).abs_diff(seconds) > max_age.as_secs() {
            return Err(Reject::Stale);
        }
        Ok(())
    }

    fn hash_matches(&self, request: &Request<'_>) -> bool {
        let Canonical::UrlWithBodyHash { parameter } = self.canonical else {
            return true;
        };
        let Some(told) = query_parameter(request.url, parameter) else {
            return false;
        };
        let hash = hex::encode(Sha256::digest(request.body));
        bool::from(hash.as_bytes().ct_eq(told.to_ascii_lowercase().as_bytes()))
    }

    fn mac(&self, key: &Secret, url: &str, body: &[u8], signed_at: &str) -> Vec<u8> {
        let parts = self.canonical_form(url, body, signed_at);
        match self.hash {
            Hash::Sha1 => hmac::<Hmac<Sha1>>(key, &parts).finalize().into_bytes().to_vec(),
            Hash::Sha256 => hmac::<Hmac<Sha256>>(key, &parts).finalize().into_bytes().to_vec(),
            Hash::Sha512 => hmac::<Hmac<Sha512>>(key, &parts).finalize().into_bytes().to_vec(),
        }
    }

    fn mac_matches(&self, key: &Secret, url: &str, body: &[u8], signed_at: &str, signature: &[u8]) -> bool {
        let parts = self.canonical_form(url, body, signed_at);
        match self.hash {
            Hash::Sha1 => hmac::<Hmac<Sha1>>(key, &parts).verify_slice(signature).is_ok(),
            Hash::Sha256 => hmac::<Hmac<Sha256>>(key, &parts).verify_slice(signature).is_ok(),
            Hash::Sha512 => hmac::<Hmac<Sha512>>(key, &parts).verify_slice(signature).is_ok(),
        }
    }

    fn canonical_form<'a>(&self, url: &'a str, body: &'a [u8], signed_at: &'a str) -> Vec<Cow<'a, [u8]>> {
        match self.canonical {
            Canonical::Body => vec![body.into()],
            Canonical::UrlWithBodyHash { .. } => vec![url.as_bytes().into()],
            Canonical::TimestampAndBody { .. } => vec![signed_at.as_bytes().into(), b".".into(), body.into()],
            Canonical::UrlAndForm => {
                let pairs: BTreeSet<_> = form_urlencoded::parse(body).collect();
                let pairs = pairs.into_iter().flat_map(|(name, value)| [bytes(name), bytes(value)]);
                std::iter::once(url.as_bytes().into()).chain(pairs).collect()
            }
        }
    }
}

/// A query parameter of an address, decoded.
pub(crate) fn query_parameter<'a>(url: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name);
    found.map(|(_, value)| value)
}

fn hmac<M: Mac + KeyInit>(key: &Secret, parts: &[Cow<'_, [u8]>]) -> M {
    let mut mac = <M as KeyInit>::new_from_slice(key.expose().as_bytes()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => text.as_bytes().into(),
        Cow::Owned(text) => text.into_bytes().into(),
    }
}

/// The forms of the address that may have been signed: Twilio's services differ in whether they name the port, so its
/// own library tries both. A port says nothing about whose request it is.
fn told_urls(url: &str, canonical: Canonical) -> Vec<Cow<'_, str>> {
    let Some(address) = Address::of(url).filter(|_| canonical.signs_url()) else {
        return vec![url.into()];
    };
    vec![
        url.into(),
        format!("{}{}{}", address.scheme, address.host, address.rest).into(),
        format!(
            "{}{}:{}{}",
            address.scheme, address.host, address.standard_port, address.rest
        )
        .into(),
    ]
}

/// An address in pieces, none of which is changed: what was signed is its very letters.
struct Address<'a> {
    scheme: &'a str,
    host: &'a str,
    standard_port: u16,
    rest: &'a str,
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (standard_port, start) = match url.split_once("://")? {
            ("https", _) => (443, "https://".len()),
            ("http", _) => (80, "http://".len()),
            _ => return None,
        };
        let (scheme, rest) = url.split_at(start);
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // A colon begins a port only behind the bracket of an IPv6 address.
        let after_bracket = authority.rfind(']').map_or(0, |at| at + 1);
        let after_user = authority.rfind('@').map_or(0, |at| at + 1);
        let from = after_bracket.max(after_user);
        let end = authority[from..].find(':').map_or(authority.len(), |at| from + at);
        Some(Self {
            scheme,
            host: &authority[..end],
            standard_port,
            rest,
        })
    }
}

#[cfg(test)]
mod tests;
