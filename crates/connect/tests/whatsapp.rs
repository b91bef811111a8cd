//! WhatsApp Business Cloud API.

mod common;

use common::{NOW, URL, body, events, header, outbound, receive, whatsapp};
use serde_json::{Value, json};
use sightline_connect::{
    Answer, Content, Delivery, Inbound, Outcome, Reject, Request, Speaker, Thread, whatsapp::SIGNATURE,
};
use sightline_wire::conversation::Context;

const NUMBER: &str = "106540352242922";
const CUSTOMER: &str = "16505551234";

fn notice(value: Value) -> Vec<u8> {
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "102290129340398", "changes": [{ "field": "messages", "value": value }] }],
    })
    .to_string()
    .into_bytes()
}

fn message(message: Value) -> Vec<u8> {
    let mut whole = json!({ "from": CUSTOMER, "id": "wamid.1", "timestamp": "1767225600" });
    whole
        .as_object_mut()
        .unwrap()
        .extend(message.as_object().unwrap().clone());
    notice(json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": NUMBER },
        "contacts": [{ "profile": { "name": "Ada" }, "wa_id": CUSTOMER }],
        "messages": [whole],
    }))
}

fn status(status: Value) -> Vec<u8> {
    notice(json!({
        "messaging_product": "whatsapp",
        "metadata": { "phone_number_id": NUMBER },
        "statuses": [status],
    }))
}

fn ask(url: &str) -> Result<Answer, Reject> {
    let connector = whatsapp();
    let request = Request {
        method: "GET",
        url,
        headers: &[],
        body: b"",
        at: NOW,
    };
    Ok(connector.read(connector.verify(request)?)?.answer)
}

#[test]
fn meta_asks_whether_the_address_is_ours() {
    let url = format!("{URL}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=ours");
    let answer = Answer::Challenge {
        media_type: "text/plain",
        body: "1158201444".to_owned(),
    };
    assert_eq!(ask(&url), Ok(answer));
    assert_eq!(ask(&url.replace("ours", "theirs")), Err(Reject::WrongSignature));
    assert_eq!(ask(URL), Err(Reject::Unsigned));
    let nothing = ask(&format!("{URL}?hub.verify_token=ours"));
    assert!(matches!(nothing, Err(Reject::Malformed(_))), "{nothing:?}");
}

#[test]
fn a_text() {
    let events = events(
        &*whatsapp(),
        SIGNATURE,
        &message(json!({ "type": "text", "text": { "body": "Grüße" } })),
    );
    assert_eq!(
        events,
        [Inbound::Message {
            thread: Thread(CUSTOMER.to_owned()),
            id: "wamid.1".to_owned(),
            from: Speaker::Customer {
                address: CUSTOMER.to_owned(),
                name: Some("Ada".to_owned()),
            },
            content: Content::Text("Grüße".to_owned()),
            at: Some(NOW),
            context: Context::new(),
        }]
    );
}

#[test]
fn what_a_message_holds() {
    let text = |text: &str| Some(Content::Text(text.to_owned()));
    let file = |caption: Option<&str>| {
        Some(Content::File {
            url: "https://graph.facebook.com/v23.0/77".to_owned(),
            kind: Some("a/b".to_owned()),
            caption: caption.map(str::to_owned),
        })
    };
    let cases = [
        (
            json!({ "type": "button", "button": { "text": "Yes", "payload": "y" } }),
            text("Yes"),
        ),
        (
            json!({ "type": "interactive", "interactive": { "type": "list_reply", "list_reply": { "id": "1", "title": "Two" } } }),
            text("Two"),
        ),
        (
            json!({ "type": "location", "location": { "latitude": 48.4, "longitude": 9.99, "name": "Minster" } }),
            text("Minster\n48.4, 9.99"),
        ),
        (
            json!({ "type": "image", "image": { "id": "77", "mime_type": "a/b", "caption": "look" } }),
            file(Some("look")),
        ),
        (
            json!({ "type": "document", "document": { "id": "77", "mime_type": "a/b", "filename": "a.b" } }),
            file(Some("a.b")),
        ),
        (
            json!({ "type": "audio", "audio": { "id": "77", "mime_type": "a/b", "voice": true } }),
            file(None),
        ),
        (
            json!({ "type": "reaction", "reaction": { "message_id": "wamid.0", "emoji": "x" } }),
            None,
        ),
        (json!({ "type": "unsupported", "errors": [{ "code": 131051 }] }), None),
        (json!({ "type": "of_next_year" }), None),
    ];
    for (sent, expected) in cases {
        let events = events(&*whatsapp(), SIGNATURE, &message(sent.clone()));
        let content = events.into_iter().next().map(|event| match event {
            Inbound::Message { content, .. } => content,
            other => panic!("{other:?}"),
        });
        assert_eq!(content, expected, "{sent}");
    }
}

#[test]
fn statuses() {
    let cases = [
        (json!({ "status": "sent" }), Some(Delivery::Sent)),
        (json!({ "status": "delivered" }), Some(Delivery::Delivered)),
        (json!({ "status": "read" }), Some(Delivery::Read)),
        (
            json!({ "status": "failed", "errors": [{ "code": 131026 }] }),
            Some(Delivery::Failed {
                code: "131026".to_owned(),
            }),
        ),
        (
            json!({ "status": "failed", "errors": [{ "code": 131047 }] }),
            Some(Delivery::WindowClosed),
        ),
        (json!({ "status": "deleted" }), None),
    ];
    for (mut sent, delivery) in cases {
        sent["id"] = json!("wamid.2");
        sent["recipient_id"] = json!(CUSTOMER);
        sent["timestamp"] = json!("1767225600");
        let receipt = |delivery| Inbound::Receipt {
            thread: Some(Thread(CUSTOMER.to_owned())),
            id: "wamid.2".to_owned(),
            delivery,
        };
        let expected: Vec<_> = delivery.map(receipt).into_iter().collect();
        assert_eq!(events(&*whatsapp(), SIGNATURE, &status(sent)), expected);
    }
}

#[test]
fn other_numbers_and_other_fields_are_not_ours() {
    let other = String::from_utf8(message(json!({ "type": "text", "text": { "body": "x" } }))).unwrap();
    let other = other.replace(NUMBER, "9").into_bytes();
    assert_eq!(events(&*whatsapp(), SIGNATURE, &other), []);
    let field =
        json!({ "object": "x", "entry": [{ "id": "1", "changes": [{ "field": "flows", "value": "anything" }] }] });
    assert_eq!(events(&*whatsapp(), SIGNATURE, field.to_string().as_bytes()), []);
}

#[test]
fn what_meta_does_not_describe_is_malformed() {
    let late = String::from_utf8(message(json!({ "type": "text", "text": { "body": "x" } }))).unwrap();
    let bad = [
        "".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        r#"{"entry":[{"changes":[{"field":"messages","value":{"messages":[{}]}}]}]}"#.to_owned(),
        late.replace("1767225600", "yesterday"),
        late.replace("1767225600", "9223372036854775807"),
    ];
    for body in bad {
        let result = receive(&*whatsapp(), SIGNATURE, URL, body.as_bytes());
        assert!(matches!(result, Err(Reject::Malformed(_))), "{body}: {result:?}");
    }
}

#[test]
fn a_text_goes_out() {
    let call = whatsapp().send(&outbound(
        CUSTOMER,
        "Join https://desk.example/j/a",
        Some("https://desk.example/j/a"),
    ));
    assert_eq!(
        (call.method, call.url.as_str()),
        ("POST", "https://graph.facebook.com/v23.0/106540352242922/messages")
    );
    assert_eq!(header(&call, "authorization"), Some("Bearer token"));
    let expected = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": CUSTOMER,
        "type": "text",
        "text": { "body": "Join https://desk.example/j/a", "preview_url": true },
    });
    assert_eq!(body(&call), expected);
}

#[test]
fn an_invite_outside_the_window_is_a_template() {
    let call = whatsapp()
        .send_template(&outbound(CUSTOMER, "Join", Some("https://desk.example/j/a")))
        .unwrap();
    let expected = json!({
        "name": "video_invite",
        "language": { "code": "en_GB" },
        "components": [{ "type": "body", "parameters": [{ "type": "text", "text": "https://desk.example/j/a" }] }],
    });
    assert_eq!(
        (&body(&call)["type"], &body(&call)["template"]),
        (&json!("template"), &expected)
    );
}

#[test]
fn meta_hears_that_a_message_was_read_and_nothing_else() {
    let connector = whatsapp();
    let thread = Thread(CUSTOMER.to_owned());
    let read = connector.receipt(&thread, "wamid.1", &Delivery::Read, NOW).unwrap();
    assert_eq!(
        body(&read),
        json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1" })
    );
    assert_eq!(connector.receipt(&thread, "wamid.1", &Delivery::Delivered, NOW), None);
}

#[test]
fn what_answers_mean() {
    let error = |code: u32| json!({ "error": { "code": code, "message": "…" } }).to_string();
    let again = Outcome::Again { after: None };
    let taken = Outcome::Taken {
        id: Some("wamid.9".to_owned()),
    };
    let refused = |code: &str| Outcome::Refused { code: code.to_owned() };
    let cases = [
        (200, r#"{"messages":[{"id":"wamid.9"}]}"#.to_owned(), taken),
        (400, error(131_047), Outcome::WindowClosed),
        (400, error(130_429), again.clone()),
        (400, error(80_007), again.clone()),
        (500, String::new(), again),
        (400, error(131_026), refused("131026")),
        (401, error(190), refused("190")),
        (404, "<html>".to_owned(), refused("404")),
    ];
    for (status, body, outcome) in cases {
        assert_eq!(
            whatsapp().judge(status, &[], body.as_bytes()),
            outcome,
            "{status} {body}"
        );
    }
}
