use super::*;
use crate::{Line, Speaker, fuzz};
use serde_json::json;
use sightline_wire::conversation::ContextValue;
use token::{ISSUER, METADATA, SKEW};

fn bot() -> Bot {
    Bot::new(Settings {
        expected: Expected {
            audience: "app-1".into(),
            issuer: ISSUER.into(),
            skew: SKEW,
        },
        metadata: METADATA.into(),
        login: LOGIN.into(),
        tenant: "botframework.com".into(),
        secret: Secret::new("only for tests"),
    })
}

/// Signed in a second after 1970.
fn signed_in() -> Bot {
    let bot = bot();
    let fetch = bot.due(1_000).unwrap();
    let answer = br#"{"token_type":"Bearer","expires_in":3600,"access_token":"signed-in"}"#;
    bot.fetched(&fetch, 200, answer, 1_000).unwrap();
    bot
}

fn example() -> Value {
    json!({
        "type": "message", "id": "m1", "timestamp": "1970-01-01T00:00:02Z",
        "serviceUrl": "https://smba.example/emea/", "channelId": "msteams",
        "from": { "id": "29:ada", "name": "Ada" }, "recipient": { "id": "28:app-1" },
        "conversation": { "id": "a:1;messageid=2" }, "text": "Hello",
        "attachments": [
            { "contentType": "image/png", "contentUrl": "https://files.example/1", "name": "broken.png" },
            { "contentType": "application/vnd.microsoft.card.adaptive", "content": {} },
        ],
        "channelData": { "channeltype": "kiosk", "conversationcontext": { "Topic": "Returns" } },
    })
}

fn read(body: &Value) -> Result<Vec<Inbound>, Reject> {
    let body = body.to_string();
    let request = Request {
        method: "POST",
        url: "https://desk.example/in",
        headers: &[],
        body: body.as_bytes(),
        at: 0,
    };
    bot().read(Verified::new(request)).map(|received| received.events)
}

fn with(name: &str, value: Value) -> Value {
    let mut activity = example();
    activity[name] = value;
    activity
}

fn thread() -> Thread {
    Thread("https://smba.example/emea/ a:1;messageid=2".into())
}

#[test]
fn a_message_is_its_words_and_its_files() {
    let context = Context::from([
        ("Topic".into(), ContextValue::Text("Returns".into())),
        ("channeltype".into(), ContextValue::Text("kiosk".into())),
    ]);
    let message = |id: &str, content| Inbound::Message {
        thread: thread(),
        id: id.into(),
        from: Speaker::Customer {
            address: "29:ada".into(),
            name: Some("Ada".into()),
        },
        content,
        at: Some(2_000),
        context: context.clone(),
    };
    let file = Content::File {
        url: "https://files.example/1".into(),
        kind: Some("image/png".into()),
        caption: Some("broken.png".into()),
    };
    let expected = vec![message("m1", Content::Text("Hello".into())), message("m1#1", file)];
    assert_eq!(read(&example()), Ok(expected));
}

#[test]
fn other_activities_are_what_they_say() {
    let typing = read(&with("type", json!("typing")));
    assert_eq!(typing, Ok(vec![Inbound::Typing { thread: thread() }]));
    assert_eq!(
        read(&with("type", json!("endOfConversation"))),
        Ok(vec![Inbound::Ended { thread: thread() }])
    );
    let mut wish = with("type", json!("event"));
    wish["name"] = json!("video.request");
    wish["channelData"] = json!(null);
    assert_eq!(read(&wish), Ok(vec![Inbound::VideoAsked { thread: thread() }]));
    wish["name"] = json!("video.requested");
    assert_eq!(read(&wish), Ok(vec![]));
    let update = read(&with("type", json!("conversationUpdate"))).unwrap();
    assert!(matches!(&update[..], [Inbound::Context { context, .. }] if context.len() == 2));
    let mut silent = with("type", json!("conversationUpdate"));
    silent["channelData"] = json!(null);
    assert_eq!(read(&silent), Ok(vec![]));
}

#[test]
fn a_bot_on_another_channel_hands_over() {
    let mut event = with("type", json!("event"));
    event["name"] = json!("handoff.initiate");
    event["value"] = json!({ "va_LastTopic": "Returns" });
    event["attachments"] = json!([{ "contentType": "application/json", "name": "Transcript", "content":
        { "activities": [{ "type": "message", "text": "Hi", "from": { "id": "1", "role": "user" } }] } }]);
    let speaker = Speaker::Customer {
        address: "1".into(),
        name: None,
    };
    assert_eq!(
        read(&event),
        Ok(vec![Inbound::Handoff {
            thread: thread(),
            id: "m1".into(),
            context: Context::from([("va_LastTopic".into(), ContextValue::Text("Returns".into()))]),
            transcript: vec![Line {
                speaker,
                text: "Hi".into(),
                at: None
            }],
        }])
    );
    event["id"] = json!(null);
    assert_eq!(read(&event), Err(Reject::Malformed("a hand-off without an id")));
}

#[test]
fn a_tagged_message_is_said_before_it_hands_over() {
    let tags = json!({ "type": "Escalate", "context": { "Skill": "Returns" } }).to_string();
    let mut activity = with("channelData", json!({ "tags": tags }));
    activity["attachments"] = json!([]);
    let events = read(&activity).unwrap();
    assert!(
        matches!(&events[..], [Inbound::Message { .. }, Inbound::Handoff { id, .. }] if id == "m1"),
        "{events:?}"
    );
    activity["text"] = json!("");
    let events = read(&activity).unwrap();
    assert!(matches!(&events[..], [Inbound::Handoff { .. }]), "{events:?}");
    activity["channelData"]["tags"] = json!({ "type": "EndConversation" });
    assert_eq!(read(&activity), Ok(vec![Inbound::Ended { thread: thread() }]));
}

#[test]
fn what_cannot_be_answered_is_malformed() {
    for (name, value) in [
        ("serviceUrl", json!(null)),
        ("serviceUrl", json!("https://a.example/ b")),
        ("conversation", json!({})),
        ("id", json!("")),
        ("type", json!(4)),
    ] {
        assert!(
            matches!(read(&with(name, value.clone())), Err(Reject::Malformed(_))),
            "{name} {value}"
        );
    }
}

#[test]
fn any_changed_body_is_read_or_malformed() {
    fuzz::reads_or_refuses(&bot(), "POST", example().to_string().as_bytes());
}

#[test]
fn a_request_without_a_token_is_refused_before_it_is_read() {
    let at = |headers: &[(String, String)], body: &[u8]| {
        let request = Request {
            method: "POST",
            url: "https://desk.example/in",
            headers,
            body,
            at: 0,
        };
        bot().verify(request).map(|_| ())
    };
    let headers = [("Authorization".to_string(), "Bearer a.b.c".to_string())];
    assert_eq!(at(&[], b"{"), Err(Reject::Unsigned));
    assert_eq!(at(&headers, b"{"), Err(Reject::Malformed("not JSON")));
    assert_eq!(at(&headers, example().to_string().as_bytes()), Err(Reject::Unsigned));
}

#[test]
fn answers_go_where_the_conversation_came_from() {
    let call = signed_in().send(&Outbound {
        at: 0,
        thread: thread(),
        key: "k".into(),
        agent: "Grace".into(),
        text: "*Hello*".into(),
        link: None,
    });
    assert_eq!(
        call.url,
        "https://smba.example/emea/v3/conversations/a%3A1%3Bmessageid%3D2/activities"
    );
    assert!(call.headers.contains(&("authorization", "Bearer signed-in".into())));
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(
        body,
        json!({
            "type": "message", "text": "*Hello*", "textFormat": "plain",
            "from": { "id": "app-1", "name": "Grace", "role": "bot" }, "conversation": { "id": "a:1;messageid=2" },
        })
    );
    let status = bot().handoff(&thread(), &HandoffState::Accepted).unwrap();
    let body: Value = serde_json::from_slice(&status.body).unwrap();
    assert_eq!(
        (&body["name"], &body["value"]["state"]),
        (&json!("handoff.status"), &json!("accepted"))
    );
}

#[test]
fn signing_in_is_a_form_and_its_answer_a_token() {
    let bot = bot();
    let Some(Fetch { what: "token", call }) = bot.due(1_000) else {
        panic!("a token first");
    };
    assert_eq!(call, bot.probe());
    assert_eq!(
        call.url,
        "https://login.microsoftonline.com/botframework.com/oauth2/v2.0/token"
    );
    assert_eq!(
        String::from_utf8(call.body).unwrap(),
        "grant_type=client_credentials&client_id=app-1&client_secret=only+for+tests\
         &scope=https%3A%2F%2Fapi.botframework.com%2F.default"
    );
}

#[test]
fn a_call_with_an_old_token_is_made_again_with_a_new_one() {
    let bot = signed_in();
    assert_eq!(bot.judge(401, &[], b""), Outcome::Again { after: None });
    let fetch = bot.due(61_000).unwrap();
    assert_eq!(fetch.what, "token");
    assert!(
        bot.fetched(&fetch, 400, br#"{"error":"invalid_client"}"#, 61_000)
            .is_err()
    );
    let call = bot.typing(&thread()).unwrap();
    assert!(call.headers.contains(&("authorization", "Bearer signed-in".into())));
}
