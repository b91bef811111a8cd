//! Genesys Cloud Open Messaging.

mod common;

use common::{NOW, URL, body, events, fields, genesys, header, outbound, receive};
use serde_json::{Value, json};
use sightline_connect::{
    Content, Delivery, Inbound, Kept, Outcome, Reject, Speaker, Thread,
    genesys::{CONVERSATION, SIGNATURE},
};
use sightline_wire::conversation::{Context, ContextValue};
use std::time::Duration;

/// A webhook's body with something added.
fn notice(with: Value) -> Vec<u8> {
    let mut whole = json!({
        "id": "m1",
        "channel": {
            "id": "integration",
            "platform": "Open",
            "type": "Private",
            "to": { "id": "customer-7" },
            "from": { "id": "integration", "idType": "Opaque", "nickname": "Grace" },
            "time": "2026-01-01T00:00:00.250Z",
        },
        "direction": "Outbound",
    });
    whole.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    whole.to_string().into_bytes()
}

fn thread() -> Thread {
    Thread("customer-7".to_owned())
}

#[test]
fn whoever_writes_there_is_the_one_our_agent_talks_with() {
    let sent = notice(json!({
        "type": "Text",
        "text": "Hello",
        "content": [{ "contentType": "Attachment", "attachment": { "mediaType": "Image", "mime": "image/png", "url": "https://f/1", "filename": "a.png" } }],
        "metadata": { "queue": "video" },
    }));
    let message = |id: &str, content| Inbound::Message {
        thread: thread(),
        id: id.to_owned(),
        from: Speaker::Customer {
            address: "customer-7".to_owned(),
            name: Some("Grace".to_owned()),
        },
        content,
        at: Some(NOW + 250),
        context: Context::from([("queue".to_owned(), ContextValue::Text("video".to_owned()))]),
    };
    let file = Content::File {
        url: "https://f/1".to_owned(),
        kind: Some("image/png".to_owned()),
        caption: Some("a.png".to_owned()),
    };
    let expected = [message("m1", Content::Text("Hello".to_owned())), message("m1/0", file)];
    assert_eq!(events(&*genesys(), SIGNATURE, &sent), expected);
}

#[test]
fn receipts_and_events() {
    let receipt = |delivery| Inbound::Receipt {
        thread: Some(thread()),
        id: "m1".to_owned(),
        delivery,
    };
    let failed = Delivery::Failed {
        code: "RateLimited".to_owned(),
    };
    let cases = [
        (
            json!({ "type": "Receipt", "status": "Published" }),
            vec![receipt(Delivery::Sent)],
        ),
        (
            json!({ "type": "Receipt", "status": "Delivered" }),
            vec![receipt(Delivery::Delivered)],
        ),
        (
            json!({ "type": "Receipt", "status": "Read", "isFinalReceipt": true }),
            vec![receipt(Delivery::Read)],
        ),
        (
            json!({ "type": "Receipt", "status": "Failed", "reasons": [{ "code": "RateLimited", "message": "…" }] }),
            vec![receipt(failed)],
        ),
        (json!({ "type": "Receipt", "status": "Removed" }), vec![]),
        (
            json!({ "type": "Event", "events": [{ "eventType": "Typing", "typing": { "type": "On" } }] }),
            vec![Inbound::Typing { thread: thread() }],
        ),
        (
            json!({ "type": "Event", "events": [{ "eventType": "Presence", "presence": { "type": "Disconnect" } }] }),
            vec![Inbound::Ended { thread: thread() }],
        ),
        (
            json!({ "type": "Event", "events": [{ "eventType": "OfNextYear" }] }),
            vec![],
        ),
        (json!({ "type": "OfNextYear" }), vec![]),
        // A message of ours that comes back.
        (json!({ "type": "Text", "text": "x", "direction": "Inbound" }), vec![]),
    ];
    for (sent, expected) in cases {
        assert_eq!(
            events(&*genesys(), SIGNATURE, &notice(sent.clone())),
            expected,
            "{sent}"
        );
    }
}

#[test]
fn the_other_side_of_a_receipt_is_found_in_either_place() {
    let channel = json!({ "to": { "id": "integration" }, "from": { "id": "customer-7" }, "time": "" });
    let sent = notice(json!({ "type": "Receipt", "status": "Read", "direction": "Inbound", "channel": channel }));
    let events = events(&*genesys(), SIGNATURE, &sent);
    assert!(
        matches!(&events[..], [Inbound::Receipt { thread: Some(found), .. }] if *found == thread()),
        "{events:?}"
    );
}

#[test]
fn what_genesys_does_not_describe_is_malformed() {
    let nobody = r#"{"id":"m","type":"Text","text":"x","channel":{}}"#;
    let nameless = r#"{"type":"Text","text":"x","channel":{"to":{"id":"c"}}}"#;
    for body in [
        "",
        "{}",
        "null",
        r#"{"type":"Text"}"#,
        nobody,
        nameless,
        r#"{"type":"Event","channel":{}}"#,
    ] {
        let result = receive(&*genesys(), SIGNATURE, URL, body.as_bytes());
        assert!(matches!(result, Err(Reject::Malformed(_))), "{body}: {result:?}");
    }
}

#[test]
fn a_message_goes_in() {
    let call = genesys().send(&outbound("customer-7", "Hello", None));
    let url = "https://api.mypurecloud.ie/api/v2/conversations/messages/integration/inbound/open/message?prefetchConversationId=true";
    assert_eq!((call.method, call.url.as_str()), ("POST", url));
    assert_eq!(header(&call, "authorization"), Some("Bearer token"));
    let expected = json!({
        "channel": {
            "from": { "id": "customer-7", "idType": "Opaque", "nickname": "Ada" },
            "messageId": "key-1",
            "time": "2026-01-01T00:00:00.000Z",
        },
        "text": "Hello",
    });
    assert_eq!(body(&call), expected);
}

#[test]
fn genesys_hears_how_far_its_messages_came() {
    let call = genesys().receipt(&thread(), "m1", &Delivery::Delivered, NOW).unwrap();
    assert_eq!(
        call.url,
        "https://api.mypurecloud.ie/api/v2/conversations/messages/integration/inbound/open/receipt"
    );
    let expected = json!({
        "id": "m1",
        "channel": { "to": { "id": "customer-7" }, "time": "2026-01-01T00:00:00.000Z" },
        "status": "Delivered",
        "isFinalReceipt": true,
    });
    assert_eq!(body(&call), expected);
}

#[test]
fn attributes_reach_the_customer_of_the_conversation() {
    let connector = genesys();
    assert_eq!(
        connector.read_context(&thread(), &Context::new()),
        None,
        "which one is not known yet"
    );
    let known = connector.learn(br#"{"id":"m1","conversationId":"c 1"}"#);
    assert_eq!(known.get(CONVERSATION), Some(&ContextValue::Text("c 1".to_owned())));
    let read = connector.read_context(&thread(), &known).unwrap();
    assert_eq!(
        (read.method, read.url.as_str()),
        ("GET", "https://api.mypurecloud.ie/api/v2/conversations/c%201")
    );

    let kept = br#"{"id":"c1","participants":[
        {"id":"p0","purpose":"customer"},
        {"id":"p1","purpose":"customer","attributes":{"Target_Channel":"Video","other":"theirs"}},
        {"id":"p2","purpose":"agent"}]}"#;
    let kept = Kept {
        headers: &[],
        body: kept,
    };
    let mut news = known.clone();
    news.insert("Target_Channel".to_owned(), ContextValue::Text("Video".to_owned()));
    assert_eq!(
        connector.write_context(&thread(), kept, &news),
        Ok(None),
        "all of it is there"
    );
    news.insert("attempts".to_owned(), ContextValue::Number(3.0));
    let call = connector.write_context(&thread(), kept, &news).unwrap().unwrap();
    assert_eq!(
        (call.method, call.url.as_str()),
        (
            "PATCH",
            "https://api.mypurecloud.ie/api/v2/conversations/c1/participants/p1/attributes"
        )
    );
    assert_eq!(body(&call), json!({ "attributes": { "attempts": "3" } }));
}

#[test]
fn a_token_is_asked_for_in_time_and_when_it_is_refused() {
    const HOUR: i64 = 3_600_000;
    let connector = genesys();
    assert_eq!(connector.due(NOW + 11 * HOUR), None);
    let fetch = connector.due(NOW + 12 * HOUR).expect("half of a day has passed");
    assert_eq!(
        (fetch.what, fetch.call.method, fetch.call.url.as_str()),
        ("token", "POST", "https://login.mypurecloud.ie/oauth/token")
    );
    assert_eq!(
        fields(&fetch.call),
        [("grant_type".to_owned(), "client_credentials".to_owned())]
    );
    assert_eq!(header(&fetch.call, "authorization"), Some("Basic Y2xpZW50OmhpZGRlbg=="));

    let connector = genesys();
    let waiting = connector.send(&outbound("customer-7", "Hello", None));
    assert_eq!(connector.judge(401, &[], b""), Outcome::Again { after: None });
    let fetch = connector.due(NOW + HOUR).expect("it was refused");
    let refused = connector.fetched(&fetch, 400, br#"{"error":"invalid_client"}"#, NOW + HOUR);
    assert!(matches!(refused, Err(Reject::Malformed(_))));
    let answer = br#"{"access_token":"newer","expires_in":60}"#;
    connector.fetched(&fetch, 200, answer, NOW + HOUR).unwrap();
    let call = connector.stamp(waiting, NOW + HOUR);
    assert_eq!(header(&call, "authorization"), Some("Bearer newer"));
}

#[test]
fn what_answers_mean() {
    let wait = vec![("retry-after".to_owned(), "30".to_owned())];
    let cases: [(u16, &[u8], Outcome); 6] = [
        (
            202,
            br#"{"id":"m9"}"#,
            Outcome::Taken {
                id: Some("m9".to_owned()),
            },
        ),
        (
            429,
            br#"{"code":"too.many.requests"}"#,
            Outcome::Again {
                after: Some(Duration::from_secs(30)),
            },
        ),
        (
            504,
            b"",
            Outcome::Again {
                after: Some(Duration::from_secs(30)),
            },
        ),
        (
            400,
            br#"{"code":"bad.request"}"#,
            Outcome::Refused {
                code: "bad.request".to_owned(),
            },
        ),
        (401, b"", Outcome::Again { after: None }),
        (403, b"", Outcome::Refused { code: "403".to_owned() }),
    ];
    for (status, body, outcome) in cases {
        assert_eq!(genesys().judge(status, &wait, body), outcome, "{status}");
    }
}
