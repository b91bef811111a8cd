use super::*;
use crate::fuzz;

const US: &str = "8:acs:desk";

fn cloud(kind: &str, data: Value) -> Value {
    json!({
        "specversion": "1.0", "id": "e-1", "source": "/subscriptions/s", "type": kind, "time": "1970-01-01T00:00:05Z",
        "subject": "thread/19:t@thread.v2", "data": data,
    })
}

fn said(changes: Value) -> Value {
    let mut data = json!({
        "messageId": "m1", "messageBody": "Hello", "type": "Text", "version": 1, "threadId": "19:t@thread.v2",
        "senderDisplayName": "Ada", "composeTime": "1970-01-01T00:00:04.5Z", "metadata": { "Topic": "Returns" },
        "senderCommunicationIdentifier": { "rawId": "8:acs:ada", "kind": "communicationUser" },
    });
    for (name, value) in changes.as_object().unwrap() {
        data[name] = value.clone();
    }
    cloud("Microsoft.Communication.ChatMessageReceivedInThread", data)
}

fn read_body(body: &Value) -> Result<Received, Reject> {
    let body = body.to_string();
    read(
        Request {
            method: "POST",
            url: "",
            headers: &[],
            body: body.as_bytes(),
            at: 0,
        },
        US,
    )
}

fn events(body: &Value) -> Vec<Inbound> {
    read_body(body).unwrap().events
}

fn expected() -> Inbound {
    Inbound::Message {
        thread: Thread("19:t@thread.v2".into()),
        id: "m1".into(),
        from: Speaker::Customer {
            address: "8:acs:ada".into(),
            name: Some("Ada".into()),
        },
        content: Content::Text("Hello".into()),
        at: Some(4_500),
        context: Context::from([("Topic".into(), ContextValue::Text("Returns".into()))]),
    }
}

#[test]
fn a_message_is_read_alone_in_a_batch_and_in_either_schema() {
    assert_eq!(events(&said(json!({}))), [expected()]);
    assert_eq!(
        events(&json!([said(json!({})), said(json!({}))])),
        [expected(), expected()]
    );
    let cloud = said(json!({}));
    let grid = json!([{
        "id": "e-1", "topic": "/subscriptions/s", "subject": "s", "eventType": cloud["type"], "dataVersion": "1.0",
        "eventTime": "1970-01-01T00:00:05Z", "data": cloud["data"],
    }]);
    assert_eq!(events(&grid), [expected()]);
}

#[test]
fn formatted_words_lose_their_format() {
    let html = "<div><p>Is it &lt;b&gt; &amp;lt;?</p><p>Yes<br/>no</p></div>";
    let [
        Inbound::Message {
            content: Content::Text(text),
            ..
        },
    ] = &events(&said(json!({ "type": "RichText/Html", "messageBody": html })))[..]
    else {
        panic!("a message");
    };
    assert_eq!(text, "Is it <b> &lt;?\nYes\nno");
    assert_eq!(plain("<i>a</i> < b"), "a < b");
}

#[test]
fn what_we_said_and_what_happened_is_left_out() {
    for changes in [
        json!({ "senderCommunicationIdentifier": { "rawId": US } }),
        json!({ "type": "ThreadActivity/AddMember" }),
        json!({ "messageBody": " " }),
    ] {
        assert_eq!(events(&said(changes.clone())), [], "{changes}");
    }
    // The copies for each member.
    assert_eq!(
        events(&cloud("Microsoft.Communication.ChatMessageReceived", json!({}))),
        []
    );
}

#[test]
fn an_application_is_not_the_customer() {
    let bot = said(json!({ "senderCommunicationIdentifier": { "rawId": "28:orgid:b" } }));
    assert!(matches!(
        &events(&bot)[..],
        [Inbound::Message {
            from: Speaker::Other { .. },
            ..
        }]
    ));
}

#[test]
fn typing_and_the_end_are_told() {
    let thread = Thread("19:t@thread.v2".into());
    let typing = |who: &str| {
        let data = json!({ "threadId": thread.0, "senderCommunicationIdentifier": { "rawId": who } });
        events(&cloud(
            "Microsoft.Communication.ChatTypingIndicatorReceivedInThread",
            data,
        ))
    };
    assert_eq!(typing("8:acs:ada"), [Inbound::Typing { thread: thread.clone() }]);
    assert_eq!(typing(US), []);
    let gone = cloud(
        "Microsoft.Communication.ChatThreadDeleted",
        json!({ "threadId": thread.0 }),
    );
    assert_eq!(events(&gone), [Inbound::Ended { thread }]);
}

#[test]
fn the_validation_event_is_answered_with_its_code() {
    let event = json!([{
        "id": "v", "topic": "/subscriptions/s", "subject": "", "eventTime": "2026-01-01T00:00:00Z", "dataVersion": "2",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": { "validationCode": "code \"1\"" },
    }]);
    let Answer::Challenge { media_type, body } = read_body(&event).unwrap().answer else {
        panic!("a challenge");
    };
    assert_eq!(media_type, "application/json");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, json!({ "validationResponse": "code \"1\"" }));
}

#[test]
fn what_is_not_described_is_malformed() {
    let mut version = said(json!({}));
    version["specversion"] = json!("0.3");
    for body in [
        json!(3),
        json!([3]),
        json!({}),
        version,
        said(json!({ "messageId": null })),
        said(json!({ "threadId": 1 })),
        said(json!({ "senderCommunicationIdentifier": null })),
        cloud("Microsoft.Communication.ChatThreadDeleted", json!(null)),
        cloud("Microsoft.EventGrid.SubscriptionValidationEvent", json!({})),
    ] {
        assert!(matches!(read_body(&body), Err(Reject::Malformed(_))), "{body}");
    }
    assert_eq!(events(&json!([])), []);
}

#[test]
fn any_changed_body_is_read_or_malformed() {
    let acs = crate::acs::tests::acs();
    let html = said(json!({ "type": "html", "messageBody": "<p>&lt;ü&gt;</p>" }));
    let others = json!([
        cloud(
            "Microsoft.EventGrid.SubscriptionValidationEvent",
            json!({ "validationCode": "1" })
        ),
        cloud("Microsoft.Communication.ChatThreadDeleted", json!({ "threadId": "t" })),
    ]);
    for body in [json!([said(json!({})), html]), others] {
        fuzz::reads_or_refuses(&acs, "POST", body.to_string().as_bytes());
    }
    fuzz::mutations("<p>&lt;ü&gt;<br/></p>".as_bytes(), 2_000, |html| {
        drop(plain(&String::from_utf8_lossy(html)))
    });
}
