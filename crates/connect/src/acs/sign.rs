//! Signed requests (Azure Communication Services, "Authentication: access key").

use crate::HttpCall;
use aws_lc_rs::{digest, hmac};
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use sightline_wire::UnixMillis;
use std::time::{Duration, SystemTime};

/// A resource's access key.
#[derive(Clone)]
pub struct AccessKey(hmac::Key);

/// Not base64, as keys are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access key is not base64")]
pub struct NotAKey;

impl AccessKey {
    /// A key as the portal shows it.
    ///
    /// # Errors
    /// It is not base64, or empty.
    pub fn new(base64: &str) -> Result<Self, NotAKey> {
        let bytes = BASE64.decode(base64.trim()).map_err(|_| NotAKey)?;
        if bytes.is_empty() {
            return Err(NotAKey);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The call with date, digest and signature. The signature is good for a few minutes, so a repeated call is signed
    /// again.
    pub fn sign(&self, mut call: HttpCall, now: UnixMillis) -> HttpCall {
        let (host, path) = host_and_path(&call.url);
        let date = http_date(now);
        let digest = BASE64.encode(digest::digest(&digest::SHA256, &call.body));
        let signed = format!("{}\n{path}\n{date};{host};{digest}", call.method);
        let signature = BASE64.encode(hmac::sign(&self.0, signed.as_bytes()));
        call.headers.extend([
            ("x-ms-date", date),
            ("x-ms-content-sha256", digest),
            (
                "authorization",
                format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"),
            ),
        ]);
        call
    }
}

/// The host with a port that is not the usual one, as HTTP clients send it; the path with its query.
fn host_and_path(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    }
}

fn http_date(at: UnixMillis) -> String {
    let since = Duration::from_millis(at.try_into().unwrap_or_default());
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(url: &str, body: &[u8], now: UnixMillis) -> HttpCall {
        let key = AccessKey::new(&BASE64.encode("only for tests")).unwrap();
        let call = HttpCall {
            method: "POST",
            url: url.into(),
            headers: Vec::new(),
            body: body.to_vec(),
        };
        key.sign(call, now)
    }

    fn header(call: &HttpCall, name: &str) -> String {
        call.headers.iter().find(|(found, _)| *found == name).unwrap().1.clone()
    }

    #[test]
    fn the_signature_is_about_method_path_date_host_and_body() {
        let url = "https://example.communication.azure.com/identities?api-version=2023-10-01";
        let first = signed(url, b"{}", 1_700_000_000_000);
        assert_eq!(header(&first, "x-ms-date"), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(
            header(&first, "x-ms-content-sha256"),
            "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="
        );
        let authorization = header(&first, "authorization");
        assert!(authorization.starts_with("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="));

        let others = [
            signed(&url.replace("example", "other"), b"{}", 1_700_000_000_000),
            signed(&url.replace("identities", "others"), b"{}", 1_700_000_000_000),
            signed(url, b"[]", 1_700_000_000_000),
            signed(url, b"{}", 1_700_000_001_000),
        ];
        for other in others {
            assert_ne!(header(&other, "authorization"), authorization);
        }
    }

    #[test]
    fn a_key_is_base64() {
        for text in ["", " ", "not base64!"] {
            assert!(AccessKey::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn host_and_path_are_as_the_client_sends_them() {
        assert_eq!(host_and_path("https://a.b:8443/c?d=e"), ("a.b:8443", "/c?d=e"));
        assert_eq!(host_and_path("https://a.b"), ("a.b", "/"));
    }
}
