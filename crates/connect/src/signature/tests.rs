use super::*;

const NOW: UnixMillis = 1_767_225_600_000;
const KEY: &str = "a key";

const FORM: Scheme = Scheme {
    hash: Hash::Sha1,
    encoding: Encoding::Base64,
    header: "x-sig",
    prefix: "",
    canonical: Canonical::UrlAndForm,
};

const HASHED: Scheme = Scheme {
    canonical: Canonical::UrlWithBodyHash { parameter: "hash" },
    ..FORM
};

const BODY: Scheme = Scheme {
    hash: Hash::Sha512,
    encoding: Encoding::Hex,
    header: "x-sig",
    prefix: "sha512=",
    canonical: Canonical::Body,
};

const TIMED: Scheme = Scheme {
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: "x-sig",
    prefix: "v1=",
    canonical: Canonical::TimestampAndBody {
        header: "x-time",
        max_age: Duration::from_secs(300),
    },
};

/// A request in pieces that a test can spoil.
#[derive(Clone)]
struct Sent {
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    at: UnixMillis,
}

impl Sent {
    fn signed(scheme: Scheme, key: &str, url: &str, body: &[u8]) -> Self {
        let headers = scheme.sign(&Secret::new(key), url, body, NOW);
        Self {
            url: url.to_owned(),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body: body.to_vec(),
            at: NOW,
        }
    }

    fn verified(&self, scheme: Scheme, keys: &[&str]) -> Result<(), Reject> {
        let keys: Vec<_> = keys.iter().map(|key| Secret::new(*key)).collect();
        scheme.verify(
            &keys,
            &Request {
                method: "POST",
                url: &self.url,
                headers: &self.headers,
                body: &self.body,
                at: self.at,
            },
        )
    }
}

/// One request for every canonical form.
fn every() -> Vec<(Scheme, Sent)> {
    let hashed = format!("https://desk.example/in?hash={}", hex::encode(Sha256::digest(b"{}")));
    vec![
        (
            FORM,
            Sent::signed(
                FORM,
                KEY,
                "https://desk.example/in?a=1",
                b"To=%2B49&From=b&From=a&Empty=",
            ),
        ),
        (HASHED, Sent::signed(HASHED, KEY, &hashed, b"{}")),
        (BODY, Sent::signed(BODY, KEY, "https://desk.example/in", b"{}")),
        (TIMED, Sent::signed(TIMED, KEY, "https://desk.example/in", b"{}")),
    ]
}

#[test]
fn what_is_signed_is_verified() {
    for (scheme, sent) in every() {
        assert_eq!(sent.verified(scheme, &[KEY]), Ok(()), "{scheme:?}");
    }
}

#[test]
fn another_key_is_refused() {
    for (scheme, sent) in every() {
        assert_eq!(
            sent.verified(scheme, &["another"]),
            Err(Reject::WrongSignature),
            "{scheme:?}"
        );
        assert_eq!(sent.verified(scheme, &[]), Err(Reject::WrongSignature), "{scheme:?}");
    }
}

#[test]
fn an_empty_key_is_no_key() {
    for (scheme, sent) in every() {
        let sent = Sent::signed(scheme, "", &sent.url, &sent.body);
        assert_eq!(
            sent.verified(scheme, &["", KEY]),
            Err(Reject::WrongSignature),
            "{scheme:?}"
        );
    }
}

#[test]
fn during_a_rotation_both_keys_are_right() {
    for (scheme, sent) in every() {
        assert_eq!(sent.verified(scheme, &["the new key", KEY]), Ok(()), "{scheme:?}");
    }
}

#[test]
fn every_bit_of_the_body_counts() {
    for (scheme, sent) in every() {
        for bit in 0..sent.body.len() * 8 {
            let mut spoilt = sent.clone();
            spoilt.body[bit / 8] ^= 1 << (bit % 8);
            // A form has several spellings of the same fields: only what is read is signed.
            let fields = |body: &[u8]| form_urlencoded::parse(body).into_owned().collect::<BTreeSet<_>>();
            if scheme == FORM && fields(&spoilt.body) == fields(&sent.body) {
                continue;
            }
            assert_eq!(
                spoilt.verified(scheme, &[KEY]),
                Err(Reject::WrongSignature),
                "{scheme:?}, bit {bit}"
            );
        }
    }
}

#[test]
fn every_letter_of_the_signature_counts() {
    for (scheme, sent) in every() {
        let length = sent.headers[0].1.len();
        for at in scheme.prefix.len()..length {
            let mut spoilt = sent.clone();
            let letter = if spoilt.headers[0].1.as_bytes()[at] == b'0' {
                "1"
            } else {
                "0"
            };
            spoilt.headers[0].1.replace_range(at..=at, letter);
            assert_eq!(
                spoilt.verified(scheme, &[KEY]),
                Err(Reject::WrongSignature),
                "{scheme:?}, letter {at}"
            );
        }
        let mut shorter = sent.clone();
        shorter.headers[0].1.truncate(scheme.prefix.len());
        assert_eq!(
            shorter.verified(scheme, &[KEY]),
            Err(Reject::WrongSignature),
            "{scheme:?}"
        );
    }
}

#[test]
fn the_address_counts_where_it_is_signed() {
    for (scheme, mut sent) in every() {
        sent.url = sent.url.replace("/in", "/im");
        let expected = if scheme.canonical.signs_url() {
            Err(Reject::WrongSignature)
        } else {
            Ok(())
        };
        assert_eq!(sent.verified(scheme, &[KEY]), expected, "{scheme:?}");
    }
}

#[test]
fn without_the_header_or_its_prefix_it_is_unsigned() {
    for (scheme, sent) in every() {
        let mut bare = sent.clone();
        bare.headers.retain(|(name, _)| name != scheme.header);
        assert_eq!(bare.verified(scheme, &[KEY]), Err(Reject::Unsigned), "{scheme:?}");
    }
    let (scheme, mut sent) = (BODY, Sent::signed(BODY, KEY, "https://desk.example", b"{}"));
    sent.headers[0].1 = sent.headers[0].1.replace("sha512=", "sha256=");
    assert_eq!(sent.verified(scheme, &[KEY]), Err(Reject::Unsigned));
}

#[test]
fn header_names_have_any_case() {
    for (scheme, mut sent) in every() {
        for (name, _) in &mut sent.headers {
            *name = name.to_ascii_uppercase();
        }
        assert_eq!(sent.verified(scheme, &[KEY]), Ok(()), "{scheme:?}");
    }
}

#[test]
fn a_copy_is_refused_after_its_time() {
    let sent = Sent::signed(TIMED, KEY, "https://desk.example", b"{}");
    for (seconds, expected) in [
        (300, Ok(())),
        (301, Err(Reject::Stale)),
        (-300, Ok(())),
        (-301, Err(Reject::Stale)),
    ] {
        let mut copy = sent.clone();
        copy.at += seconds * 1000;
        assert_eq!(copy.verified(TIMED, &[KEY]), expected, "{seconds} s");
    }
}

#[test]
fn a_newer_time_stamp_on_an_old_signature_is_refused() {
    let mut copy = Sent::signed(TIMED, KEY, "https://desk.example", b"{}");
    copy.at += 3_600_000;
    copy.headers[1].1 = (copy.at / 1000).to_string();
    assert_eq!(copy.verified(TIMED, &[KEY]), Err(Reject::WrongSignature));
    copy.headers.pop();
    assert_eq!(copy.verified(TIMED, &[KEY]), Err(Reject::Unsigned));
}

#[test]
fn a_port_that_a_proxy_adds_or_removes_does_not_count() {
    let ports = [
        ("https://desk.example/in", "https://desk.example:443/in"),
        ("https://desk.example:443/in", "https://desk.example/in"),
        ("https://[2001:db8::1]/in", "https://[2001:db8::1]:443/in"),
        ("http://desk.example?x=a:1", "http://desk.example:80?x=a:1"),
        ("https://u:p@desk.example/in", "https://u:p@desk.example:443/in"),
        ("https://desk.example/in", "https://desk.example:8443/in"),
    ];
    for (signed, arrived) in ports {
        let mut sent = Sent::signed(FORM, KEY, signed, b"a=b");
        sent.url = arrived.to_owned();
        assert_eq!(sent.verified(FORM, &[KEY]), Ok(()), "{signed} as {arrived}");
    }
}

#[test]
fn an_inner_address_behind_a_proxy_is_not_the_public_one() {
    let mut sent = Sent::signed(FORM, KEY, "https://desk.example/in", b"a=b");
    for inner in [
        "http://desk.example/in",
        "https://10.0.0.7/in",
        "https://desk.example/in/",
        "/in",
        "",
    ] {
        sent.url = inner.to_owned();
        assert_eq!(sent.verified(FORM, &[KEY]), Err(Reject::WrongSignature), "{inner}");
    }
}

#[test]
fn a_query_parameter_is_found_decoded_and_only_in_the_query() {
    assert_eq!(
        query_parameter("https://a/?x=1&hub.mode=a%20b#hub.y=2", "hub.mode").as_deref(),
        Some("a b")
    );
    assert_eq!(query_parameter("https://a/?x=1#?y=2", "y"), None);
    assert_eq!(query_parameter("https://a/x=1", "x"), None);
}
