//! Twilio: Conversations, Flex and Programmable Messaging.

mod common;

use common::{KEY, NOW, URL, conversations, events, fields, form, header, messaging, outbound, receive, twilio_events};
use serde_json::{Value, json};
use sightline_connect::{
    Content, Delivery, Inbound, Kept, Outcome, Reject, Request, Secret, Speaker, Thread, twilio, twilio_messaging,
};
use sightline_wire::conversation::{Context, ContextValue};
use std::time::Duration;

fn thread(name: &str) -> Thread {
    Thread(name.to_owned())
}

fn context(pairs: &[(&str, ContextValue)]) -> Context {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

/// The example of Twilio's "Webhooks security", which its libraries are tested with.
#[test]
fn the_documented_signature_is_ours() {
    let body = form(&[
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]);
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let headers = twilio::FORM.sign(&Secret::new("12345"), url, &body, NOW);
    assert_eq!(
        headers,
        [("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=".to_owned())]
    );
}

/// The same place's example of a body that is no form.
#[test]
fn the_documented_body_hash_is_ours() {
    let body = br#"{"property": "value", "boolean": true}"#;
    let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    let url = format!("https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256={hash}");
    let headers = vec![(
        "X-Twilio-Signature".to_owned(),
        "a9nBmqA0ju/hNViExpshrM61xv4=".to_owned(),
    )];
    let mut request = Request {
        method: "POST",
        url: &url,
        headers: &headers,
        body,
        at: NOW,
    };
    let keys = [Secret::new("12345")];
    assert_eq!(twilio::HASHED.verify(&keys, &request), Ok(()));
    request.body = br#"{"property": "value", "boolean": false}"#;
    assert_eq!(twilio::HASHED.verify(&keys, &request), Err(Reject::WrongSignature));
}

#[test]
fn a_customers_message() {
    let events = twilio_events(
        &*conversations(),
        &[
            ("EventType", "onMessageAdded"),
            ("ConversationSid", "CH1"),
            ("MessageSid", "IM1"),
            ("Author", "+4912345"),
            ("Body", "Grüße & +1"),
            ("Source", "SMS"),
            ("DateCreated", "2026-01-01T00:00:00.123Z"),
            // Anybody who writes a message writes its attributes.
            ("Attributes", r#"{"skill":"vip"}"#),
        ],
    );
    assert_eq!(
        events,
        [Inbound::Message {
            thread: thread("CH1"),
            id: "IM1".to_owned(),
            from: Speaker::Customer {
                address: "+4912345".to_owned(),
                name: None
            },
            content: Content::Text("Grüße & +1".to_owned()),
            at: Some(NOW + 123),
            context: Context::new(),
        }]
    );
}

#[test]
fn files_are_messages_of_their_own() {
    let media = r#"[{"Sid":"ME1","Filename":"a.png","ContentType":"image/png","Size":1}]"#;
    let events = twilio_events(
        &*conversations(),
        &[
            ("EventType", "onMessageAdded"),
            ("ConversationSid", "CH1"),
            ("ChatServiceSid", "IS1"),
            ("MessageSid", "IM1"),
            ("Author", "ada"),
            ("Body", "look"),
            ("Media", media),
        ],
    );
    let [
        Inbound::Message { id: text, .. },
        Inbound::Message { id: file, content, .. },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((text.as_str(), file.as_str()), ("IM1", "IM1/ME1"));
    assert_eq!(
        *content,
        Content::File {
            url: "https://mcs.us1.twilio.com/v1/Services/IS1/Media/ME1/Content".to_owned(),
            kind: Some("image/png".to_owned()),
            caption: Some("a.png".to_owned()),
        }
    );
}

#[test]
fn staff_and_software_are_no_customers() {
    for (author, source) in [("agent_40desk_2Eexample", "SDK"), ("system", "API")] {
        let events = twilio_events(
            &*conversations(),
            &[
                ("EventType", "onMessageAdded"),
                ("ConversationSid", "CH1"),
                ("MessageSid", "IM1"),
                ("Author", author),
                ("Source", source),
                ("Body", "hello"),
            ],
        );
        let [Inbound::Message { from, .. }] = &events[..] else {
            panic!("{events:?}");
        };
        let name = Some(author.to_owned());
        assert_eq!(*from, Speaker::Other { name });
    }
}

#[test]
fn a_conversations_other_events() {
    let of = |fields: &[(&str, &str)]| twilio_events(&*conversations(), fields);
    let ended = [Inbound::Ended { thread: thread("CH1") }];
    let state = |to| {
        of(&[
            ("EventType", "onConversationStateUpdated"),
            ("ConversationSid", "CH1"),
            ("StateTo", to),
        ])
    };
    assert_eq!(state("closed"), ended);
    assert_eq!(state("inactive"), []);
    assert_eq!(
        of(&[("EventType", "onConversationRemoved"), ("ConversationSid", "CH1")]),
        ended
    );
    let updated = of(&[
        ("EventType", "onConversationUpdated"),
        ("ConversationSid", "CH1"),
        (
            "Attributes",
            r#"{"vip":true,"orders":3,"city":"Ulm","list":[1],"none":null}"#,
        ),
    ]);
    let context = context(&[
        ("vip", ContextValue::Truth(true)),
        ("orders", ContextValue::Number(3.0)),
        ("city", ContextValue::Text("Ulm".to_owned())),
    ]);
    assert_eq!(
        updated,
        [Inbound::Context {
            thread: thread("CH1"),
            context
        }]
    );
    // Before the fact, and events that nobody knows yet.
    for unknown in ["onMessageAdd", "onParticipantAdded", "onSomethingNew"] {
        assert_eq!(of(&[("EventType", unknown)]), []);
    }
}

#[test]
fn receipts() {
    let cases = [
        ("sent", "", Some(Delivery::Sent)),
        ("delivered", "", Some(Delivery::Delivered)),
        ("read", "", Some(Delivery::Read)),
        (
            "undelivered",
            "30003",
            Some(Delivery::Failed {
                code: "30003".to_owned(),
            }),
        ),
        ("failed", "63016", Some(Delivery::WindowClosed)),
        ("queued", "", None),
    ];
    for (status, code, delivery) in cases {
        let conversations = twilio_events(
            &*conversations(),
            &[
                ("EventType", "onDeliveryUpdated"),
                ("ConversationSid", "CH1"),
                ("MessageSid", "IM1"),
                ("Status", status),
                ("ErrorCode", code),
            ],
        );
        let messaging = twilio_events(
            &*messaging(),
            &[
                ("MessageSid", "SM1"),
                ("MessageStatus", status),
                ("ErrorCode", code),
                ("To", "whatsapp:+49"),
            ],
        );
        let expected = |name: &str, id: &str| {
            let receipt = |delivery| Inbound::Receipt {
                thread: Some(thread(name)),
                id: id.to_owned(),
                delivery,
            };
            delivery.clone().map(receipt).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(conversations, expected("CH1", "IM1"), "{status}");
        assert_eq!(messaging, expected("whatsapp:+49", "SM1"), "{status}");
    }
}

#[test]
fn a_message_over_whatsapp_with_a_file() {
    let events = twilio_events(
        &*messaging(),
        &[
            ("MessageSid", "MM1"),
            ("SmsStatus", "received"),
            ("From", "whatsapp:+4912345"),
            ("To", "whatsapp:+15550001"),
            ("ProfileName", "Ada"),
            ("Body", ""),
            ("NumMedia", "1"),
            ("MediaUrl0", "https://api.twilio.com/media/1"),
            ("MediaContentType0", "image/jpeg"),
            ("FromCountry", "DE"),
        ],
    );
    assert_eq!(
        events,
        [Inbound::Message {
            thread: thread("whatsapp:+4912345"),
            id: "MM1/0".to_owned(),
            from: Speaker::Customer {
                address: "whatsapp:+4912345".to_owned(),
                name: Some("Ada".to_owned()),
            },
            content: Content::File {
                url: "https://api.twilio.com/media/1".to_owned(),
                kind: Some("image/jpeg".to_owned()),
                caption: None,
            },
            at: None,
            context: context(&[("FromCountry", ContextValue::Text("DE".to_owned()))]),
        }]
    );
}

#[test]
fn a_json_webhook_is_read_like_a_form() {
    let body = br#"{"EventType":"onConversationRemoved","ConversationSid":"CH1"}"#;
    let url = format!("{URL}?bodySHA256={}", sha256_hex(body));
    let received = receive(&*conversations(), twilio::HASHED, &url, body).unwrap();
    assert_eq!(received.events, [Inbound::Ended { thread: thread("CH1") }]);
}

fn sha256_hex(body: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(body))
}

#[test]
fn what_twilio_does_not_describe_is_malformed() {
    let bad: [&[(&str, &str)]; 5] = [
        &[],
        &[("EventType", "onMessageAdded")],
        &[
            ("EventType", "onMessageAdded"),
            ("ConversationSid", "CH1"),
            ("Body", "x"),
        ],
        &[
            ("EventType", "onMessageAdded"),
            ("ConversationSid", "CH1"),
            ("MessageSid", "IM1"),
            ("Media", "{"),
        ],
        &[
            ("EventType", "onDeliveryUpdated"),
            ("MessageSid", "IM1"),
            ("Status", "sent"),
        ],
    ];
    for fields in bad {
        let result = receive(&*conversations(), twilio::FORM, URL, &form(fields));
        assert!(matches!(result, Err(Reject::Malformed(_))), "{fields:?}: {result:?}");
    }
    let many = form(&[
        ("MessageSid", "SM1"),
        ("From", "+1"),
        ("NumMedia", "99999999999999999999"),
    ]);
    assert!(receive(&*messaging(), twilio::FORM, URL, &many).is_err());
    let result = receive(&*conversations(), twilio::FORM, URL, b"\xff\xfe%zz&&&=");
    assert!(matches!(result, Err(Reject::Malformed(_))), "{result:?}");
    // Attributes belong to others: they are no reason to refuse.
    let odd = [
        ("EventType", "onConversationUpdated"),
        ("ConversationSid", "CH1"),
        ("Attributes", "["),
    ];
    assert_eq!(events(&*conversations(), twilio::FORM, &form(&odd)), []);
}

#[test]
fn a_message_into_a_conversation() {
    let call = conversations().send(&outbound("CH1", "Hello", None));
    assert_eq!(
        (call.method, call.url.as_str()),
        ("POST", "https://conversations.twilio.com/v1/Conversations/CH1/Messages")
    );
    assert_eq!(header(&call, "authorization"), Some("Basic U0sxOnBhc3N3b3Jk"));
    assert_eq!(header(&call, "content-type"), Some("application/x-www-form-urlencoded"));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(fields(&call), [pair("Author", "Ada"), pair("Body", "Hello")]);
}

#[test]
fn an_invite_is_a_video_card_in_flex() {
    let call = conversations().send(&outbound("CH1", "Join", Some("https://desk.example/j/abc123")));
    let sent = fields(&call);
    let attributes: Value = serde_json::from_str(&sent[2].1).unwrap();
    assert_eq!(sent[2].0, "Attributes");
    let expected = json!({ "hasVideo": true, "videoUrl": "https://desk.example/j/abc123", "uniqueCode": "abc123" });
    assert_eq!(attributes, expected);
}

#[test]
fn attributes_of_others_go_back_letter_for_letter() {
    let connector = conversations();
    let read = connector.read_context(&thread("CH1"), &Context::new()).unwrap();
    assert_eq!(
        (read.method, read.url.as_str()),
        ("GET", "https://conversations.twilio.com/v1/Conversations/CH1")
    );

    let kept = r#"{"big":12345678901234567890123,"nested":{"a":[1, 2]},"videoRoom":"created"}"#;
    let answer = json!({ "sid": "CH1", "attributes": kept }).to_string();
    let kept = Kept {
        headers: &[],
        body: answer.as_bytes(),
    };
    let news = context(&[
        ("videoRoom", ContextValue::Text("connected".to_owned())),
        ("room", ContextValue::Number(7.0)),
    ]);
    let call = connector
        .write_context(&thread("CH1"), kept, &news)
        .unwrap()
        .expect("there is news");
    assert_eq!(
        (call.method, call.url.as_str()),
        ("POST", "https://conversations.twilio.com/v1/Conversations/CH1")
    );
    let written = r#"{"big":12345678901234567890123,"nested":{"a":[1, 2]},"room":7,"videoRoom":"connected"}"#;
    assert_eq!(fields(&call), [("Attributes".to_owned(), written.to_owned())]);

    let same = context(&[("videoRoom", ContextValue::Text("created".to_owned()))]);
    assert_eq!(connector.write_context(&thread("CH1"), kept, &same), Ok(None));
}

#[test]
fn attributes_that_cannot_be_read_are_not_written_over() {
    let news = context(&[("a", ContextValue::Truth(true))]);
    for body in [
        "",
        "{}",
        r#"{"attributes":"[1]"}"#,
        r#"{"attributes":"{"}"#,
        r#"{"attributes":{"a":1}}"#,
    ] {
        let kept = Kept {
            headers: &[],
            body: body.as_bytes(),
        };
        let result = conversations().write_context(&thread("CH1"), kept, &news);
        assert!(matches!(result, Err(Reject::Malformed(_))), "{body}: {result:?}");
    }
}

#[test]
fn a_flex_task_is_written_only_as_it_was_read() {
    let connector = conversations();
    let task = "https://taskrouter.twilio.com/v1/Workspaces/WS1/Tasks/WT1";
    assert_eq!(
        connector.read_context(&thread("WT1"), &Context::new()).unwrap().url,
        task
    );
    let kept = Kept {
        headers: &[("ETag".to_owned(), "\"4\"".to_owned())],
        body: br#"{"sid":"WT1","attributes":"{\"syncDocument\":\"ET1\"}"}"#,
    };
    let news = context(&[("videoRoom", ContextValue::Text("created".to_owned()))]);
    let call = connector.write_context(&thread("WT1"), kept, &news).unwrap().unwrap();
    assert_eq!((call.url.as_str(), header(&call, "if-match")), (task, Some("\"4\"")));
    assert_eq!(fields(&call)[0].1, r#"{"syncDocument":"ET1","videoRoom":"created"}"#);
    assert_eq!(connector.judge(412, &[], b""), Outcome::Again { after: None });
}

#[test]
fn a_message_to_a_number() {
    let call = messaging().send(&outbound("whatsapp:+4912345", "Hello", None));
    assert_eq!(call.url, "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        pair("To", "whatsapp:+4912345"),
        pair("From", "whatsapp:+15550001"),
        pair("Body", "Hello"),
        pair("StatusCallback", URL),
    ];
    assert_eq!(fields(&call), expected);
}

#[test]
fn an_invite_outside_the_window() {
    let call = messaging()
        .send_template(&outbound("whatsapp:+49", "Join", Some("https://desk.example/j/a")))
        .unwrap();
    let sent = fields(&call);
    assert!(sent.contains(&("ContentSid".to_owned(), "HX1".to_owned())), "{sent:?}");
    let variables = r#"{"1":"https://desk.example/j/a"}"#.to_owned();
    assert!(sent.contains(&("ContentVariables".to_owned(), variables)), "{sent:?}");
    assert!(!sent.iter().any(|(name, _)| name == "Body"), "{sent:?}");
    assert!(
        messaging()
            .send_template(&outbound("whatsapp:+49", "Join", None))
            .is_none()
    );
}

#[test]
fn what_answers_mean() {
    let connector = messaging();
    let wait = vec![("Retry-After".to_owned(), "7".to_owned())];
    let cases: [(u16, &[u8], Outcome); 8] = [
        (
            201,
            br#"{"sid":"SM1"}"#,
            Outcome::Taken {
                id: Some("SM1".to_owned()),
            },
        ),
        (
            429,
            b"",
            Outcome::Again {
                after: Some(Duration::from_secs(7)),
            },
        ),
        (
            400,
            br#"{"code":20429}"#,
            Outcome::Again {
                after: Some(Duration::from_secs(7)),
            },
        ),
        (
            503,
            b"<html>",
            Outcome::Again {
                after: Some(Duration::from_secs(7)),
            },
        ),
        (400, br#"{"code":63016}"#, Outcome::WindowClosed),
        (
            400,
            br#"{"code":21211}"#,
            Outcome::Refused {
                code: "21211".to_owned(),
            },
        ),
        (
            401,
            br#"{"code":20003}"#,
            Outcome::Refused {
                code: "20003".to_owned(),
            },
        ),
        (404, b"", Outcome::Refused { code: "404".to_owned() }),
    ];
    for (status, body, outcome) in cases {
        assert_eq!(connector.judge(status, &wait, body), outcome, "{status}");
    }
}

#[test]
fn nothing_shows_a_secret() {
    let settings = twilio_messaging::Settings {
        account: twilio::Account {
            sid: "AC1".to_owned(),
            auth_tokens: vec![Secret::new("hidden-1")],
            key_sid: "SK1".to_owned(),
            key_secret: Secret::new("hidden-2"),
        },
        sender: twilio_messaging::Sender::Service("MG1".to_owned()),
        status_callback: None,
        template: None,
        api: "https://api.twilio.com".to_owned(),
    };
    assert!(!format!("{settings:?}").contains("hidden"));
    let call = messaging().send(&outbound("+49", "words of a customer", None));
    assert!(!format!("{call:?}").contains("password") && !format!("{call:?}").contains("words"));
    assert!(!format!("{:?}", Secret::new(KEY)).contains(KEY));
}
