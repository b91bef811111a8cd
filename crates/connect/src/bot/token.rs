//! Whether a request comes from the Bot Framework: its RS256 token (Bot Connector authentication, "Authenticate
//! requests from the Bot Connector service to your bot").

use crate::Reject;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::Deserialize;
use serde_json::Value;
use sightline_wire::UnixMillis;
use std::time::Duration;

/// Where the public cloud says where its keys are. The document has them under `jwks_uri`.
pub const METADATA: &str = "https://login.botframework.com/v1/.well-known/openidconfiguration";
/// Who signs in the public cloud.
pub const ISSUER: &str = "https://api.botframework.com";
/// How far the clocks may be apart; the service's documents ask for five minutes.
pub const SKEW: Duration = Duration::from_secs(5 * 60);

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No bearer token, or not three parts of JSON and base64url.
    #[error("there is no readable token")]
    Unreadable,
    /// Not RS256. Others are refused before any key is looked at, so that no key is used for what it was not made for.
    #[error("the token is not signed with RS256")]
    Algorithm,
    /// Perhaps a new one, which is then fetched.
    #[error("the token's key is not known")]
    UnknownKey,
    /// Another key, or other words.
    #[error("the token's signature is not right")]
    Signature,
    /// Somebody else's.
    #[error("the token has another issuer")]
    Issuer,
    /// For another bot.
    #[error("the token is for somebody else")]
    Audience,
    /// From the future.
    #[error("the token is not valid yet")]
    NotYet,
    /// From the past.
    #[error("the token has expired")]
    Expired,
    /// It would send our answers elsewhere.
    #[error("the token names another service address")]
    ServiceUrl,
    /// The key may not speak for this channel.
    #[error("the token's key is not endorsed for the channel")]
    Endorsement,
}

impl From<TokenError> for Reject {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unreadable => Self::Unsigned,
            TokenError::NotYet | TokenError::Expired => Self::Stale,
            TokenError::Algorithm
            | TokenError::UnknownKey
            | TokenError::Signature
            | TokenError::Issuer
            | TokenError::Audience
            | TokenError::ServiceUrl
            | TokenError::Endorsement => Self::WrongSignature,
        }
    }
}

/// What a token has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The bot's own application id.
    pub audience: String,
    /// [`ISSUER`], or that of another cloud.
    pub issuer: String,
    /// [`SKEW`].
    pub skew: Duration,
}

/// What the activity beside a token says of itself; the token has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed<'a> {
    /// `serviceUrl`.
    pub service_url: &'a str,
    /// `channelId`.
    pub channel: &'a str,
}

/// One public key (RFC 7517) with the channels that it may speak for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    id: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    endorsements: Vec<String>,
}

/// The service's public keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// The RSA keys of a key set (RFC 7517, section 5); keys of other kinds are left out. `None` for what is no set.
    pub fn read(jwks: &Value) -> Option<Self> {
        Some(Self(jwks.get("keys")?.as_array()?.iter().filter_map(key).collect()))
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }
}

fn key(jwk: &Value) -> Option<Key> {
    let text = |name: &str| jwk.get(name)?.as_str();
    let bytes = |name: &str| {
        BASE64
            .decode(text(name)?.trim_end_matches('='))
            .ok()
            .filter(|bytes| !bytes.is_empty())
    };
    let for_signatures = text("use").is_none_or(|purpose| purpose == "sig");
    if text("kty")? != "RSA" || !for_signatures {
        return None;
    }
    let endorsements = jwk.get("endorsements").and_then(Value::as_array);
    Some(Key {
        id: text("kid")?.into(),
        modulus: bytes("n")?,
        exponent: bytes("e")?,
        endorsements: endorsements
            .into_iter()
            .flatten()
            .filter_map(|name| Some(name.as_str()?.into()))
            .collect(),
    })
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    /// Extensions that we would have to understand (RFC 7515, section 4.1.11), and know none of.
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    serviceurl: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Whether an `Authorization` header proves that its request comes from the service.
///
/// # Errors
/// It does not, or not now.
pub fn check(
    authorization: &str,
    claimed: Claimed<'_>,
    expected: &Expected,
    keys: &Keys,
    now: UnixMillis,
) -> Result<(), TokenError> {
    let token = bearer(authorization).ok_or(TokenError::Unreadable)?;
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Unreadable)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Unreadable)?;
    let header: Header = json_part(header).ok_or(TokenError::Unreadable)?;
    if header.alg != "RS256" || header.crit.is_some() {
        return Err(TokenError::Algorithm);
    }
    let signature = BASE64.decode(signature).map_err(|_| TokenError::Unreadable)?;
    let key = keys.find(&header.kid).ok_or(TokenError::UnknownKey)?;
    RsaPublicKeyComponents {
        n: &key.modulus,
        e: &key.exponent,
    }
    .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
    .map_err(|_| TokenError::Signature)?;

    let claims: Claims = json_part(claims).ok_or(TokenError::Unreadable)?;
    if claims.iss != expected.issuer {
        return Err(TokenError::Issuer);
    }
    let ours = match &claims.aud {
        Audience::One(audience) => *audience == expected.audience,
        Audience::Several(audiences) => audiences.contains(&expected.audience),
    };
    if !ours {
        return Err(TokenError::Audience);
    }
    let (now, skew) = (now as f64 / 1000.0, expected.skew.as_secs_f64());
    if claims.nbf.is_some_and(|start| now + skew < start) {
        return Err(TokenError::NotYet);
    }
    if now - skew >= claims.exp {
        return Err(TokenError::Expired);
    }
    if claims.serviceurl.as_deref() != Some(claimed.service_url) {
        return Err(TokenError::ServiceUrl);
    }
    // Stricter than the service's own clients, which take a key without endorsements for one that may do everything.
    if !key.endorsements.iter().any(|endorsed| endorsed == claimed.channel) {
        return Err(TokenError::Endorsement);
    }
    Ok(())
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn json_part<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64.decode(part).ok()?).ok()
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
