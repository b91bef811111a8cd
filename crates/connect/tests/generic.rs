//! Our own webhook, and that its document says what it does.

mod common;

use common::{NOW, body, events, generic, header, outbound, receive};
use serde_json::json;
use sightline_connect::{
    Connector, Content, Delivery, HandoffState, HttpCall, Inbound, Line, Outcome, Reject, Request, Secret, Speaker,
    Thread,
    generic::{CALLED, Generic, SIGNATURE, Settings},
};
use sightline_wire::conversation::{Context, ContextValue};

const DOCUMENT: &str = include_str!("../../../docs/webhook.md");

/// The one fenced block of the document with this name.
fn block(name: &str) -> &'static str {
    let fence = format!("```{name}\n");
    let (_, rest) = DOCUMENT.split_once(&fence).expect(name);
    let (block, _) = rest.split_once("\n```").expect("it ends");
    block
}

fn documented() -> (Generic, Vec<(String, String)>) {
    let settings = Settings {
        url: "https://bot.example/sightline".to_owned(),
        secrets: vec![Secret::new(block("secret"))],
    };
    let headers = block("headers")
        .lines()
        .map(|line| line.split_once(": ").expect("a header"));
    let headers = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    (Generic::new(settings), headers)
}

fn request<'a>(headers: &'a [(String, String)], body: &'a str) -> Request<'a> {
    Request {
        method: "POST",
        url: "https://desk.example/v1/connect/in",
        headers,
        body: body.as_bytes(),
        at: NOW,
    }
}

#[test]
fn the_documents_example_is_verified_and_read() {
    let (connector, headers) = documented();
    let request = request(&headers, block("body"));
    let received = connector.read(connector.verify(request).unwrap()).unwrap();
    assert_eq!(
        received.events,
        [Inbound::Message {
            thread: Thread("T-1".to_owned()),
            id: "M-1".to_owned(),
            from: Speaker::Customer {
                address: "+4915550100".to_owned(),
                name: Some("Ada".to_owned()),
            },
            content: Content::Text("Can you see my router?".to_owned()),
            at: None,
            context: Context::from([("plan".to_owned(), ContextValue::Text("fibre".to_owned()))]),
        }]
    );
}

#[test]
fn the_documents_example_is_refused_when_it_is_spoilt_or_old() {
    let (connector, headers) = documented();
    let spoilt = block("body").replace("router", "Router");
    assert_eq!(
        connector.verify(request(&headers, &spoilt)).unwrap_err(),
        Reject::WrongSignature
    );
    let mut late = request(&headers, block("body"));
    late.at += 301_000;
    assert_eq!(connector.verify(late).unwrap_err(), Reject::Stale);
    late.at = NOW - 301_000;
    assert_eq!(connector.verify(late).unwrap_err(), Reject::Stale);
}

#[test]
fn our_calls_are_signed_as_the_document_says_at_every_attempt() {
    let (connector, headers) = documented();
    let call = HttpCall {
        method: "POST",
        url: "https://bot.example/sightline".to_owned(),
        headers: Vec::new(),
        body: block("body").as_bytes().to_vec(),
    };
    let first = connector.stamp(call.clone(), NOW);
    for (name, value) in &headers {
        assert_eq!(header(&first, &name.to_ascii_lowercase()), Some(value.as_str()));
    }
    let second = connector.stamp(call, NOW + 1000);
    assert_ne!(header(&first, SIGNATURE.header), header(&second, SIGNATURE.header));
}

#[test]
fn everything_that_can_be_said() {
    let thread = Thread("t".to_owned());
    let receipt = |delivery| Inbound::Receipt {
        thread: None,
        id: "1".to_owned(),
        delivery,
    };
    let failed = Delivery::Failed {
        code: "unknown".to_owned(),
    };
    let bot = Speaker::Other {
        name: Some("Bot".to_owned()),
    };
    let handoff = Inbound::Handoff {
        thread: thread.clone(),
        id: "h".to_owned(),
        context: Context::from([("topic".to_owned(), ContextValue::Text("router".to_owned()))]),
        transcript: vec![Line {
            speaker: bot.clone(),
            text: "Hello".to_owned(),
            at: Some(5),
        }],
    };
    let file = Inbound::Message {
        thread: thread.clone(),
        id: "m".to_owned(),
        from: bot,
        content: Content::File {
            url: "https://f/1".to_owned(),
            kind: Some("image/png".to_owned()),
            caption: Some("look".to_owned()),
        },
        at: Some(7),
        context: Context::new(),
    };
    let context = Inbound::Context {
        thread: thread.clone(),
        context: Context::from([("vip".to_owned(), ContextValue::Truth(true))]),
    };
    let call = Inbound::Call {
        thread: thread.clone(),
        id: "c".to_owned(),
        from: "+4915550100".to_owned(),
        agent: Some("ada@example.com".to_owned()),
        context: Context::from([
            (CALLED.to_owned(), ContextValue::Text("+493055501".to_owned())),
            ("vip".to_owned(), ContextValue::Truth(true)),
        ]),
    };
    let withheld = Inbound::Call {
        thread: thread.clone(),
        id: "c".to_owned(),
        from: String::new(),
        agent: None,
        context: Context::new(),
    };
    let cases = [
        (
            r#"{"type":"call","thread":"t","id":"c","from":"+4915550100","to":"+493055501","agent":"ada@example.com","context":{"vip":true}}"#,
            Some(call),
        ),
        (r#"{"type":"call","thread":"t","id":"c"}"#, Some(withheld)),
        (
            r#"{"type":"call_ended","thread":"t"}"#,
            Some(Inbound::CallEnded { thread: thread.clone() }),
        ),
        (
            r#"{"type":"typing","thread":"t"}"#,
            Some(Inbound::Typing { thread: thread.clone() }),
        ),
        (
            r#"{"type":"video_request","thread":"t"}"#,
            Some(Inbound::VideoAsked { thread: thread.clone() }),
        ),
        (
            r#"{"type":"ended","thread":"t"}"#,
            Some(Inbound::Ended { thread: thread.clone() }),
        ),
        (
            r#"{"type":"context","thread":"t","context":{"vip":true,"list":[]}}"#,
            Some(context),
        ),
        (
            r#"{"type":"receipt","id":"1","state":"read"}"#,
            Some(receipt(Delivery::Read)),
        ),
        (r#"{"type":"receipt","id":"1","state":"failed"}"#, Some(receipt(failed))),
        (
            r#"{"type":"receipt","id":"1","state":"failed","code":"window_closed"}"#,
            Some(receipt(Delivery::WindowClosed)),
        ),
        (
            r#"{"type":"handoff","thread":"t","id":"h","context":{"topic":"router"},"transcript":[{"from":{"name":"Bot"},"text":"Hello","at":5}]}"#,
            Some(handoff),
        ),
        (
            r#"{"type":"message","thread":"t","id":"m","from":{"name":"Bot"},"text":"look","file":{"url":"https://f/1","kind":"image/png"},"at":7}"#,
            Some(file),
        ),
        (r#"{"type":"ping"}"#, None),
        (r#"{"type":"of_next_year","thread":7}"#, None),
    ];
    for (sent, expected) in cases {
        assert_eq!(
            events(&*generic(), SIGNATURE, sent.as_bytes()),
            Vec::from_iter(expected),
            "{sent}"
        );
    }
}

#[test]
fn what_the_document_does_not_describe_is_malformed() {
    let bad = [
        "",
        "[]",
        "{}",
        r#"{"type":"message"}"#,
        r#"{"type":"message","thread":"t","id":"m","from":{}}"#,
        r#"{"type":"receipt","id":"1","state":"eaten"}"#,
        r#"{"type":"typing","thread":7}"#,
        r#"{"type":"call","thread":"t"}"#,
        r#"{"type":"call","thread":"t","id":"c","from":{"address":"+49"}}"#,
    ];
    for body in bad {
        let result = receive(&*generic(), SIGNATURE, "https://desk.example", body.as_bytes());
        assert!(matches!(result, Err(Reject::Malformed(_))), "{body}: {result:?}");
    }
}

#[test]
fn what_we_say() {
    let connector = generic();
    let thread = Thread("t".to_owned());
    let invite = connector.send(&outbound("t", "Join", Some("https://desk.example/j/a")));
    let expected = json!({
        "type": "message",
        "thread": "t",
        "id": "key-1",
        "agent": "Ada",
        "text": "Join",
        "at": NOW,
        "link": "https://desk.example/j/a",
    });
    assert_eq!(
        (invite.method, invite.url.as_str(), body(&invite)),
        ("POST", "https://bot.example/sightline", expected)
    );
    assert_eq!(
        body(&connector.typing(&thread).unwrap()),
        json!({ "type": "typing", "thread": "t" })
    );
    let context = Context::from([("n".to_owned(), ContextValue::Number(2.0))]);
    let expected = json!({ "type": "context", "thread": "t", "context": { "n": 2 } });
    assert_eq!(body(&connector.set_context(&thread, &context).unwrap()), expected);
    let failed = HandoffState::Failed("nobody is here".to_owned());
    let expected = json!({ "type": "handoff", "thread": "t", "state": "failed", "reason": "nobody is here" });
    assert_eq!(body(&connector.handoff(&thread, &failed).unwrap()), expected);
    let expected = json!({ "type": "receipt", "thread": "t", "id": "m", "state": "delivered", "at": NOW });
    assert_eq!(
        body(&connector.receipt(&thread, "m", &Delivery::Delivered, NOW).unwrap()),
        expected
    );
    assert_eq!(body(&connector.probe()), json!({ "type": "ping" }));
}

#[test]
fn what_answers_mean() {
    let id = |id: Option<&str>| Outcome::Taken {
        id: id.map(str::to_owned),
    };
    let refused = |code: &str| Outcome::Refused { code: code.to_owned() };
    let cases: [(u16, &[u8], Outcome); 6] = [
        (204, b"", id(None)),
        (200, br#"{"id":"x"}"#, id(Some("x"))),
        (503, b"", Outcome::Again { after: None }),
        (409, br#"{"code":"window_closed"}"#, Outcome::WindowClosed),
        (410, br#"{"code":"gone"}"#, refused("gone")),
        (404, b"", refused("404")),
    ];
    for (status, body, outcome) in cases {
        assert_eq!(generic().judge(status, &[], body), outcome, "{status}");
    }
}
