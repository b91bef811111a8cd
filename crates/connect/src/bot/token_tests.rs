//! Tokens are signed here with keys that live as long as a test.

use super::*;
use crate::{
    Connector, Request, Secret,
    bot::{self, Bot},
    fuzz,
};
use aws_lc_rs::{
    encoding::AsDer,
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaKeyPair},
};
use serde_json::json;

const NOW: UnixMillis = 1_800_000_000_000;
const SERVICE: &str = "https://smba.example/emea/";
const ASKED: Claimed<'static> = Claimed {
    service_url: SERVICE,
    channel: "msteams",
};

fn expected() -> Expected {
    Expected {
        audience: "app-1".into(),
        issuer: ISSUER.into(),
        skew: SKEW,
    }
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "app-1", "nbf": NOW / 1000 - 60, "exp": NOW / 1000 + 3600, "serviceurl": SERVICE })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

/// A service with one key.
struct Service {
    pair: RsaKeyPair,
    jwk: Value,
}

impl Service {
    fn new() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pair.public_key();
        let jwk = json!({
            "kty": "RSA", "use": "sig", "kid": "key-1",
            "n": BASE64.encode(public.modulus().big_endian_without_leading_zero()),
            "e": BASE64.encode(public.exponent().big_endian_without_leading_zero()),
            "endorsements": ["msteams", "webchat"],
        });
        Self { pair, jwk }
    }

    fn keys(&self) -> Keys {
        Keys::read(&json!({ "keys": [self.jwk] })).unwrap()
    }

    fn signature(&self, signed: &str, padding: &'static aws_lc_rs::signature::RsaSignatureEncoding) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .unwrap();
        signature
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        format!(
            "Bearer {signed}.{}",
            BASE64.encode(self.signature(&signed, &RSA_PKCS1_SHA256))
        )
    }

    fn check(&self, claims: &Value) -> Result<(), TokenError> {
        check(&self.token(&header(), claims), ASKED, &expected(), &self.keys(), NOW)
    }

    fn check_header(&self, header: &Value) -> Result<(), TokenError> {
        check(&self.token(header, &claims()), ASKED, &expected(), &self.keys(), NOW)
    }
}

fn header() -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": "key-1" })
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        BASE64.encode(header.to_string()),
        BASE64.encode(claims.to_string())
    )
}

#[test]
fn a_token_of_the_service_is_believed() {
    let service = Service::new();
    assert_eq!(service.check(&claims()), Ok(()));
    assert_eq!(service.check(&with("aud", json!(["other", "app-1"]))), Ok(()));
    let lower = service.token(&header(), &claims()).replacen("Bearer", "bearer", 1);
    assert_eq!(check(&lower, ASKED, &expected(), &service.keys(), NOW), Ok(()));
}

/// A bot that has been told the service's keys.
fn bot(service: &Service, now: UnixMillis) -> Bot {
    let bot = Bot::new(bot::Settings {
        expected: expected(),
        metadata: METADATA.into(),
        login: bot::LOGIN.into(),
        tenant: "botframework.com".into(),
        secret: Secret::new("only for tests"),
    });
    tell(&bot, service, now);
    bot
}

/// Makes the fetches that are due; the names of what was fetched.
fn tell(bot: &Bot, service: &Service, now: UnixMillis) -> Vec<&'static str> {
    let fetches = std::iter::from_fn(|| {
        let fetch = bot.due(now)?;
        let answer = match fetch.what {
            "token" => json!({ "access_token": "t", "expires_in": 86_400 }),
            "where the keys are" => json!({ "jwks_uri": "https://login.example/keys" }),
            _ => {
                assert_eq!(fetch.call.url, "https://login.example/keys");
                json!({ "keys": [service.jwk] })
            }
        };
        bot.fetched(&fetch, 200, answer.to_string().as_bytes(), now).unwrap();
        Some(fetch.what)
    });
    fetches.collect()
}

fn judged(bot: &Bot, token: String, activity: &Value, at: UnixMillis) -> Result<(), Reject> {
    let (headers, body) = ([("authorization".to_string(), token)], activity.to_string());
    let request = Request {
        method: "POST",
        url: "https://desk.example/in",
        headers: &headers,
        body: body.as_bytes(),
        at,
    };
    bot.verify(request).map(|_| ())
}

#[test]
fn a_bot_believes_a_request_with_a_token_for_its_activity() {
    let service = Service::new();
    let bot = bot(&service, NOW);
    let token = service.token(&header(), &claims());
    let webchat = json!({ "type": "typing", "serviceUrl": SERVICE, "channelId": "webchat" });
    assert_eq!(judged(&bot, token.clone(), &webchat, NOW), Ok(()));
    for other in [
        json!({ "type": "typing", "serviceUrl": "https://elsewhere.example/", "channelId": "webchat" }),
        json!({ "type": "typing", "serviceUrl": SERVICE, "channelId": "slack" }),
        json!({ "type": "typing", "serviceUrl": SERVICE }),
        json!({ "type": "typing" }),
    ] {
        assert_eq!(
            judged(&bot, token.clone(), &other, NOW),
            Err(Reject::WrongSignature),
            "{other}"
        );
    }
}

#[test]
fn who_has_no_keys_yet_cannot_tell() {
    let service = Service::new();
    let bot = Bot::new(bot::Settings {
        expected: expected(),
        metadata: METADATA.into(),
        login: bot::LOGIN.into(),
        tenant: "botframework.com".into(),
        secret: Secret::new("only for tests"),
    });
    let activity = json!({ "type": "typing", "serviceUrl": SERVICE, "channelId": "webchat" });
    let token = service.token(&header(), &claims());
    assert_eq!(judged(&bot, token.clone(), &activity, NOW), Err(Reject::NoKeys));
    let none = unsigned(&json!({ "alg": "none", "kid": "key-1" }), &claims());
    assert_eq!(
        judged(&bot, format!("Bearer {none}."), &activity, NOW),
        Err(Reject::WrongSignature)
    );
    tell(&bot, &service, NOW);
    assert_eq!(judged(&bot, token, &activity, NOW), Ok(()));
}

#[test]
fn a_key_of_today_is_fetched_once_and_invented_ones_are_not() {
    const MINUTE: i64 = 60_000;
    let mut service = Service::new();
    let bot = bot(&service, NOW);
    assert_eq!(tell(&bot, &service, NOW + MINUTE), [""; 0]);

    let activity = json!({ "type": "typing", "serviceUrl": SERVICE, "channelId": "webchat" });
    let new = json!({ "typ": "JWT", "alg": "RS256", "kid": "key-2" });
    let token = service.token(&new, &claims());
    service.jwk["kid"] = json!("key-2");
    let later = NOW + 6 * MINUTE;
    assert_eq!(
        judged(&bot, token.clone(), &activity, later),
        Err(Reject::WrongSignature)
    );
    assert_eq!(tell(&bot, &service, later), ["where the keys are", "keys"]);
    assert_eq!(judged(&bot, token, &activity, later), Ok(()));

    let invented = service.token(&json!({ "alg": "RS256", "kid": "invented" }), &claims());
    assert_eq!(judged(&bot, invented, &activity, later), Err(Reject::WrongSignature));
    assert_eq!(tell(&bot, &service, later + 4 * MINUTE), [""; 0]);
    assert_eq!(tell(&bot, &service, later + 5 * MINUTE), ["where the keys are", "keys"]);
    let tomorrow = later + 5 * MINUTE + 24 * 60 * MINUTE;
    assert_eq!(tell(&bot, &service, tomorrow), ["token", "where the keys are", "keys"]);
}

#[test]
fn each_claim_has_to_be_right() {
    let service = Service::new();
    for (name, value, error) in [
        ("iss", json!("https://sts.example/"), TokenError::Issuer),
        ("aud", json!("app-2"), TokenError::Audience),
        ("aud", json!([]), TokenError::Audience),
        ("serviceurl", json!("https://smba.example/emea"), TokenError::ServiceUrl),
        ("serviceurl", json!(null), TokenError::ServiceUrl),
        ("iss", json!(null), TokenError::Unreadable),
        ("exp", json!(null), TokenError::Unreadable),
        ("exp", json!("never"), TokenError::Unreadable),
    ] {
        assert_eq!(service.check(&with(name, value.clone())), Err(error), "{name} {value}");
    }
    assert_eq!(service.check(&json!("claims")), Err(TokenError::Unreadable));
}

#[test]
fn clocks_may_be_five_minutes_apart() {
    let service = Service::new();
    let at = |name: &str, seconds: i64| service.check(&with(name, json!(NOW / 1000 + seconds)));
    assert_eq!(at("exp", -299), Ok(()));
    assert_eq!(at("exp", -300), Err(TokenError::Expired));
    assert_eq!(at("nbf", 300), Ok(()));
    assert_eq!(at("nbf", 301), Err(TokenError::NotYet));
    assert_eq!(service.check(&with("nbf", json!(null))), Ok(()));
}

#[test]
fn the_key_has_to_be_endorsed_for_the_channel() {
    let mut service = Service::new();
    let elsewhere = Claimed {
        channel: "slack",
        ..ASKED
    };
    let token = service.token(&header(), &claims());
    assert_eq!(
        check(&token, elsewhere, &expected(), &service.keys(), NOW),
        Err(TokenError::Endorsement)
    );
    for endorsements in [json!([]), json!(null), json!("msteams"), json!([["msteams"]])] {
        service.jwk["endorsements"] = endorsements;
        assert_eq!(service.check(&claims()), Err(TokenError::Endorsement));
    }
}

#[test]
fn another_key_is_not_believed() {
    let (service, stranger) = (Service::new(), Service::new());
    let token = stranger.token(&header(), &claims());
    assert_eq!(
        check(&token, ASKED, &expected(), &service.keys(), NOW),
        Err(TokenError::Signature)
    );
    let mut unknown = header();
    unknown["kid"] = json!("key-2");
    assert_eq!(service.check_header(&unknown), Err(TokenError::UnknownKey));
    assert_eq!(
        check(&token, ASKED, &expected(), &Keys::default(), NOW),
        Err(TokenError::UnknownKey)
    );
}

#[test]
fn other_words_are_not_believed() {
    let service = Service::new();
    let token = service.token(&header(), &claims());
    let (_, signature) = token.rsplit_once('.').unwrap();
    let other = format!(
        "Bearer {}.{signature}",
        unsigned(&header(), &with("aud", json!("app-1 ")))
    );
    assert_eq!(
        check(&other, ASKED, &expected(), &service.keys(), NOW),
        Err(TokenError::Signature)
    );
}

#[test]
fn no_algorithm_but_rs256_is_looked_at() {
    let service = Service::new();
    for name in ["none", "None", "HS256", "RS384", "RS512", "PS256", "ES256", "rs256", ""] {
        let mut header = header();
        header["alg"] = json!(name);
        assert_eq!(service.check_header(&header), Err(TokenError::Algorithm), "{name}");
    }
    let mut critical = header();
    critical["crit"] = json!(["exp"]);
    assert_eq!(service.check_header(&critical), Err(TokenError::Algorithm));
}

#[test]
fn a_token_without_a_signature_is_not_believed() {
    let service = Service::new();
    let check = |token: String| check(&token, ASKED, &expected(), &service.keys(), NOW);
    let none = unsigned(&json!({ "alg": "none", "kid": "key-1" }), &claims());
    assert_eq!(check(format!("Bearer {none}.")), Err(TokenError::Algorithm));
    let claimed = unsigned(&header(), &claims());
    assert_eq!(check(format!("Bearer {claimed}.")), Err(TokenError::Signature));
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let service = Service::new();
    let keys = [
        service.pair.public_key().as_ref().to_vec(),
        AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(service.pair.public_key())
            .unwrap()
            .as_ref()
            .to_vec(),
        service.jwk["n"].as_str().unwrap().as_bytes().to_vec(),
    ];
    for (key, name) in keys.iter().zip(["HS256", "RS256", "HS256"]) {
        let signed = unsigned(&json!({ "alg": name, "kid": "key-1" }), &claims());
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
        let token = format!("Bearer {signed}.{}", BASE64.encode(tag));
        let error = if name == "RS256" {
            TokenError::Signature
        } else {
            TokenError::Algorithm
        };
        assert_eq!(check(&token, ASKED, &expected(), &service.keys(), NOW), Err(error));
    }
}

#[test]
fn another_hash_under_the_right_name_is_not_believed() {
    let service = Service::new();
    let signed = unsigned(&header(), &claims());
    let token = format!(
        "Bearer {signed}.{}",
        BASE64.encode(service.signature(&signed, &RSA_PKCS1_SHA512))
    );
    assert_eq!(
        check(&token, ASKED, &expected(), &service.keys(), NOW),
        Err(TokenError::Signature)
    );
}

#[test]
fn what_is_no_token_is_unreadable() {
    let service = Service::new();
    let token = service.token(&header(), &claims());
    for text in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a",
        "Bearer a.b",
        "Bearer a.b.c",
        "Bearer ..",
        &token[7..],
    ] {
        assert_eq!(
            check(text, ASKED, &expected(), &service.keys(), NOW),
            Err(TokenError::Unreadable),
            "{text}"
        );
    }
    let basic = token.replacen("Bearer", "Basic", 1);
    assert_eq!(
        check(&basic, ASKED, &expected(), &service.keys(), NOW),
        Err(TokenError::Unreadable)
    );
    let without_key = json!({ "alg": "RS256" });
    assert_eq!(service.check_header(&without_key), Err(TokenError::Unreadable));
    let padded = format!("{token}=");
    assert_eq!(
        check(&padded, ASKED, &expected(), &service.keys(), NOW),
        Err(TokenError::Unreadable)
    );
}

#[test]
fn no_changed_token_is_believed() {
    let service = Service::new();
    let (token, keys) = (service.token(&header(), &claims()), service.keys());
    fuzz::mutations(token.as_bytes(), 3_000, |changed| {
        let changed = String::from_utf8_lossy(changed);
        let same = changed
            .trim()
            .split_once(' ')
            .is_some_and(|(scheme, rest)| scheme.eq_ignore_ascii_case("bearer") && rest.trim() == &token[7..]);
        if !same {
            assert!(check(&changed, ASKED, &expected(), &keys, NOW).is_err(), "{changed}");
        }
    });
}

#[test]
fn only_rsa_keys_for_signatures_are_kept() {
    let rsa = Service::new().jwk;
    let changed = |name: &str, value: Value| {
        let mut jwk = rsa.clone();
        jwk[name] = value;
        Keys::read(&json!({ "keys": [jwk, 3, null] })).unwrap()
    };
    assert_eq!(changed("x5t", json!("more")).0.len(), 1);
    for (name, value) in [
        ("kty", json!("EC")),
        ("use", json!("enc")),
        ("kid", json!(null)),
        ("n", json!("")),
        ("e", json!("!")),
    ] {
        assert_eq!(changed(name, value).0.len(), 0, "{name}");
    }
    for no_set in [json!(null), json!([]), json!({}), json!({ "keys": {} })] {
        assert_eq!(Keys::read(&no_set), None);
    }
    fuzz::mutations(json!({ "keys": [rsa] }).to_string().as_bytes(), 2_000, |changed| {
        if let Ok(value) = serde_json::from_slice(changed) {
            let keys = Keys::read(&value).unwrap_or_default();
            // A broken key verifies nothing, and does not break the check.
            let token = unsigned(&header(), &claims());
            assert!(check(&format!("Bearer {token}.c2ln"), ASKED, &expected(), &keys, NOW).is_err());
        }
    });
}

#[test]
fn reasons_are_kept_from_the_sender() {
    for (error, reject) in [
        (TokenError::Unreadable, Reject::Unsigned),
        (TokenError::Expired, Reject::Stale),
        (TokenError::NotYet, Reject::Stale),
        (TokenError::Audience, Reject::WrongSignature),
        (TokenError::Endorsement, Reject::WrongSignature),
    ] {
        assert_eq!(Reject::from(error), reject);
    }
}
