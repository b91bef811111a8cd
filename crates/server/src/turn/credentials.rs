//! Credentials that expire, in the form that coturn's `use-auth-secret` takes too: the name is
//! `expiry:user` (seconds since 1970), the password `base64(HMAC-SHA1(secret, name))`.

use super::stun::Key;
use crate::config::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::time::Duration;

/// The realm of every credential.
pub const REALM: &str = "sightline";

/// No credential works for longer.
pub const LONGEST: Duration = Duration::from_secs(300);

/// A name and a password.
pub struct Credential {
    pub username: String,
    pub password: String,
}

/// Makes credentials and recognises them.
#[derive(Clone)]
pub struct Credentials {
    secret: Secret,
    ttl: Duration,
}

impl Credentials {
    /// With a time to live of at most [`LONGEST`].
    pub fn new(secret: Secret, ttl: Duration) -> Self {
        Self {
            secret,
            ttl: ttl.min(LONGEST),
        }
    }

    /// How long a new one works.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// For one user, from now on.
    pub fn issue(&self, user: &str, unix_s: u64) -> Credential {
        let username = format!("{}:{user}", unix_s + self.ttl.as_secs());
        let password = self.password(&username);
        Credential { username, password }
    }

    /// The user behind a name and the key of its signature, while the name works. A time further off than any we
    /// give out was not given out by us.
    pub fn check<'a>(&self, username: &'a str, unix_s: u64) -> Option<(&'a str, Key)> {
        let (expiry, user) = username.split_once(':')?;
        let expiry: u64 = expiry.parse().ok()?;
        if expiry <= unix_s || expiry > unix_s + LONGEST.as_secs() || user.is_empty() {
            return None;
        }
        Some((user, Key::new(username, REALM, &self.password(username))))
    }

    fn password(&self, username: &str) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(self.secret.expose().as_bytes()).expect("a key of any length fits");
        mac.update(username.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_works_until_its_second_and_never_longer_than_five_minutes() {
        let credentials = Credentials::new(Secret::new("key"), Duration::from_secs(86_400));
        let given = credentials.issue("customer-1", 1_000);
        assert_eq!(given.username, "1300:customer-1");
        assert!(credentials.check(&given.username, 1_299).is_some());
        assert!(credentials.check(&given.username, 1_300).is_none());
        assert!(credentials.check("1301:customer-1", 1_000).is_none(), "too far off");
        for name in [
            "",
            "1300",
            ":x",
            "1300:",
            "x:customer",
            "-5:x",
            "99999999999999999999:x",
        ] {
            assert!(credentials.check(name, 1_000).is_none(), "{name}");
        }
    }

    /// Computed with `printf 1300:customer-1 | openssl dgst -sha1 -hmac key -binary | base64`.
    #[test]
    fn the_password_is_the_one_that_coturn_computes() {
        let credentials = Credentials::new(Secret::new("key"), LONGEST);
        assert_eq!(
            credentials.issue("customer-1", 1_000).password,
            "Jn8CcINw3Zl2aftZsO/VbTM1sUY="
        );
    }
}
