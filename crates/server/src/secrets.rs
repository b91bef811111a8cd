//! Random tokens, their hashes, and passwords.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::{hint::black_box, sync::LazyLock};

/// A token of 256 random bits.
pub fn token() -> String {
    random_text::<32>()
}

/// The secret part of an invite's link: 160 random bits, 27 characters.
pub fn invite_code() -> String {
    random_text::<20>()
}

/// A password that can be typed from a screen: 100 random bits in groups, without look-alike letters.
pub fn password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    random::<20>()
        .chunks(5)
        .map(|group| {
            group
                .iter()
                .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
                .collect::<String>()
        })
        .collect::<Vec<_>>()
        .join("-")
}

/// What is stored of a token. Tokens have 256 random bits, so a plain hash cannot be guessed back.
pub fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// Compares two secrets in a time that does not depend on where they differ.
pub fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (Sha256::digest(a.as_bytes()), Sha256::digest(b.as_bytes()));
    black_box(
        a.iter()
            .zip(b.iter())
            .fold(0u8, |different, (a, b)| different | (a ^ b)),
    ) == 0
}

/// Hashes a password with argon2id and OWASP's minimum (19 MiB, two passes, one lane). Takes about 30 ms.
pub fn hash_password(password: &str) -> String {
    argon2id()
        .hash_password(password.as_bytes())
        .expect("the parameters are constant and valid")
        .to_string()
}

/// Whether the password belongs to the hash. Without a hash the same work is done for nothing, so that an
/// unknown e-mail takes as long as a wrong password.
pub fn password_fits(password: &str, hash: Option<&str>) -> bool {
    static NOBODY: LazyLock<String> = LazyLock::new(|| hash_password(&token()));
    let stored = hash.unwrap_or(&NOBODY);
    let fits =
        PasswordHash::new(stored).is_ok_and(|parsed| argon2id().verify_password(password.as_bytes(), &parsed).is_ok());
    fits && hash.is_some()
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(19_456, 2, 1, None).expect("OWASP's parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn random_text<const N: usize>() -> String {
    URL_SAFE_NO_PAD.encode(random::<N>())
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random source answers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let stored = hash_password("correct horse");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(password_fits("correct horse", Some(&stored)));
        assert!(!password_fits("wrong horse", Some(&stored)));
        assert!(!password_fits("correct horse", None));
    }

    #[test]
    fn tokens_are_long_and_different() {
        assert_ne!(token(), token());
        assert_eq!(token().len(), 43);
        assert_eq!(invite_code().len(), 27);
        assert_eq!(password().len(), 23);
        assert!(equal("a", "a") && !equal("a", "b") && !equal("a", "aa"));
    }
}
