use super::*;
use crate::{Answer, fuzz};
use base64::{Engine, prelude::BASE64_STANDARD};
use sightline_wire::conversation::ContextValue;

fn settings() -> Settings {
    Settings {
        endpoint: "https://example.communication.azure.com".into(),
        key: AccessKey::new(&BASE64_STANDARD.encode("only for tests")).unwrap(),
        user: "8:acs:desk".into(),
        webhook_code: Secret::new("letmein"),
    }
}

/// Signed in when 1970 began.
pub(super) fn acs() -> Acs {
    let acs = Acs::new(settings());
    let fetch = acs.due(0).unwrap();
    assert!(fetch.call.url.contains("8%3Aacs%3Adesk/:issueAccessToken"));
    let answer = br#"{"token":"user-token","expiresOn":"1970-01-02T00:00:00Z"}"#;
    acs.fetched(&fetch, 200, answer, 0).unwrap();
    acs
}

fn thread() -> Thread {
    Thread("19:abc@thread.v2".into())
}

fn path(call: &HttpCall) -> &str {
    call.url
        .strip_prefix("https://example.communication.azure.com")
        .unwrap()
}

fn body(call: &HttpCall) -> Value {
    serde_json::from_slice(&call.body).unwrap()
}

fn header<'a>(call: &'a HttpCall, name: &str) -> Option<&'a str> {
    call.headers
        .iter()
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.as_str())
}

#[test]
fn the_resource_makes_users_and_signs_for_it() {
    let create = acs().create_identity(1_700_000_000_000);
    assert_eq!(
        (create.method, path(&create)),
        ("POST", "/identities?api-version=2023-10-01")
    );
    assert_eq!(body(&create), json!({ "createTokenWithScopes": ["chat"] }));
    assert!(
        header(&create, "authorization")
            .unwrap()
            .starts_with("HMAC-SHA256 SignedHeaders=")
    );

    let issue = acs().issue_token("8:acs:a_b", 1_700_000_000_000);
    assert_eq!(
        path(&issue),
        "/identities/8%3Aacs%3Aa_b/:issueAccessToken?api-version=2023-10-01"
    );
    assert_eq!(body(&issue), json!({ "scopes": ["chat"] }));
}

#[test]
fn a_user_speaks_with_a_token() {
    let message = Outbound {
        at: 0,
        thread: thread(),
        key: "k".into(),
        agent: "Ada".into(),
        text: "Hi".into(),
        link: None,
    };
    let send = acs().send(&message);
    assert_eq!(
        path(&send),
        "/chat/threads/19%3Aabc%40thread.v2/messages?api-version=2025-03-15"
    );
    assert_eq!(header(&send, "authorization"), Some("Bearer user-token"));
    assert_eq!(
        body(&send),
        json!({ "content": "Hi", "senderDisplayName": "Ada", "type": "text" })
    );

    let typing = acs().typing(&thread()).unwrap();
    assert_eq!(
        path(&typing),
        "/chat/threads/19%3Aabc%40thread.v2/typing?api-version=2025-03-15"
    );
    let seen = acs().read_receipt(&thread(), "m1");
    assert_eq!(
        path(&seen),
        "/chat/threads/19%3Aabc%40thread.v2/readReceipts?api-version=2025-03-15"
    );
    assert_eq!(body(&seen), json!({ "chatMessageId": "m1" }));
    assert_eq!(path(&acs().probe()), "/chat/threads?api-version=2025-03-15");
}

#[test]
fn a_thread_is_made_once_for_its_key() {
    let guests = [Participant {
        id: "8:acs:ada".into(),
        name: Some("Ada".into()),
    }];
    let call = acs().create_thread("Returns", &guests, "key-1");
    assert_eq!(path(&call), "/chat/threads?api-version=2025-03-15");
    assert_eq!(header(&call, "repeatability-request-id"), Some("key-1"));
    let guest = json!({ "communicationIdentifier": { "rawId": "8:acs:ada" }, "displayName": "Ada" });
    assert_eq!(body(&call), json!({ "topic": "Returns", "participants": [guest] }));
    let answer = br#"{"chatThread":{"id":"19:new@thread.v2"}}"#;
    assert_eq!(
        acs().judge(201, &[], answer),
        Outcome::Taken {
            id: Some("19:new@thread.v2".into())
        }
    );
}

#[test]
fn context_is_patched_into_the_threads_metadata() {
    let context = Context::from([
        ("A".into(), ContextValue::Truth(true)),
        ("B".into(), ContextValue::Number(2.0)),
        ("C".into(), ContextValue::Text("x".into())),
    ]);
    let call = acs().set_context(&thread(), &context).unwrap();
    assert_eq!(
        (call.method, header(&call, "content-type")),
        ("PATCH", Some("application/merge-patch+json"))
    );
    assert_eq!(body(&call), json!({ "metadata": { "A": "true", "B": "2", "C": "x" } }));
}

#[test]
fn answers_are_judged_with_azures_own_patience() {
    let headers = [("Retry-After-Ms".to_string(), "250".to_string())];
    assert_eq!(
        acs().judge(429, &headers, b""),
        Outcome::Again {
            after: Some(Duration::from_millis(250))
        }
    );
    assert_eq!(
        acs().judge(201, &[], br#"{"id":"1"}"#),
        Outcome::Taken { id: Some("1".into()) }
    );
    let forbidden = br#"{"error":{"code":"Forbidden","message":"x"}}"#;
    assert_eq!(
        acs().judge(403, &[], forbidden),
        Outcome::Refused {
            code: "Forbidden".into()
        }
    );
}

#[test]
fn tokens_are_read_from_both_answers() {
    let new = br#"{"identity":{"id":"8:acs:n"},"accessToken":{"token":"t","expiresOn":"1970-01-01T00:00:09Z"}}"#;
    let issued = Issued::read(new).unwrap();
    assert_eq!(
        (issued.user.as_deref(), issued.token.expose(), issued.expires_at),
        (Some("8:acs:n"), "t", 9_000)
    );
    let further = br#"{"token":"t","expiresOn":"1970-01-01T00:00:09+00:00"}"#;
    let issued = Issued::read(further).unwrap();
    assert_eq!(
        (issued.user, issued.token.expose(), issued.expires_at),
        (None, "t", 9_000)
    );
    fuzz::mutations(new, 1_000, |body| {
        if let Err(error) = Issued::read(body) {
            assert!(matches!(error, Reject::Malformed(_)));
        }
    });
}

#[test]
fn only_an_address_with_the_code_is_believed() {
    let at = |acs: &Acs, url: &str| {
        let request = Request {
            method: "OPTIONS",
            url,
            headers: &[],
            body: b"",
            at: 0,
        };
        acs.verify(request).map(|_| ())
    };
    let acs = acs();
    assert_eq!(at(&acs, "https://desk.example/in?a=1&code=letmein"), Ok(()));
    for url in ["https://desk.example/in?code=letmeout", "https://desk.example/in?code="] {
        assert_eq!(at(&acs, url), Err(Reject::WrongSignature), "{url}");
    }
    for url in [
        "https://desk.example/in",
        "https://desk.example/in?Code=letmein",
        "code=letmein",
    ] {
        assert_eq!(at(&acs, url), Err(Reject::Unsigned), "{url}");
    }
    let open = Acs::new(Settings {
        webhook_code: Secret::new(""),
        ..settings()
    });
    assert_eq!(at(&open, "https://desk.example/in?code="), Err(Reject::WrongSignature));
}

#[test]
fn the_handshake_allows_who_asks() {
    let headers = [("WebHook-Request-Origin".to_string(), "eventgrid.example".to_string())];
    let request = Request {
        method: "OPTIONS",
        url: "",
        headers: &headers,
        body: b"",
        at: 0,
    };
    let received = acs().read(Verified::new(request)).unwrap();
    assert_eq!(
        received.answer,
        Answer::Headers(vec![
            ("webhook-allowed-origin", "eventgrid.example".into()),
            ("webhook-allowed-rate", "*".into())
        ])
    );
    let bare = Request {
        headers: &[],
        ..request
    };
    assert!(matches!(acs().read(Verified::new(bare)), Err(Reject::Malformed(_))));
}

#[test]
fn a_token_is_renewed_halfway_and_when_it_is_refused() {
    const HOUR: i64 = 3_600_000;
    let acs = acs();
    assert_eq!(acs.due(12 * HOUR - 1), None);
    assert_eq!(acs.due(12 * HOUR).unwrap().what, "token");

    let acs = self::acs();
    assert_eq!(acs.judge(401, &[], b""), Outcome::Again { after: None });
    let fetch = acs.due(HOUR).unwrap();
    assert!(acs.fetched(&fetch, 403, b"", HOUR).is_err());
    let answer = br#"{"token":"newer","expiresOn":"1970-01-02T00:00:00Z"}"#;
    let waiting = acs.typing(&thread()).unwrap();
    acs.fetched(&fetch, 200, answer, HOUR).unwrap();
    assert_eq!(header(&acs.stamp(waiting, HOUR), "authorization"), Some("Bearer newer"));
}
