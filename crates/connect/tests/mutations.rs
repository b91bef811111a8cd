//! Bodies that their platform never sent, though its key signed them: each is read or malformed, and nothing panics.
//! The seed is fixed, so a failure comes again.

mod common;

use common::{conversations, form, generic, genesys, messaging, receive, whatsapp};
use serde_json::{Map, Value};
use sightline_connect::{
    Connector, HttpCall, Kept, Reject, Thread, generic as webhook, genesys as open, signature::Scheme, twilio,
};
use sightline_wire::conversation::{Context, ContextValue};
use std::sync::Arc;

const ROUNDS: usize = 2_000;

/// What such bodies break on: brackets, escapes, half a character, numbers out of all bounds.
const PIECES: [&[u8]; 14] = [
    b"{",
    b"}",
    b"[",
    b"\"",
    b"\\u",
    b"\\ud800",
    b"\xff",
    b"\xc3",
    b"null",
    b"-1e999",
    b"99999999999999999999",
    b"%",
    b"&",
    b"=",
];

fn mutate(random: &mut fastrand::Rng, body: &mut Vec<u8>) {
    for _ in 0..random.usize(1..4) {
        let at = random.usize(0..=body.len());
        match random.u8(0..5) {
            0 if at < body.len() => body[at] ^= 1 << random.u8(0..8),
            1 => body.truncate(at),
            2 => drop(body.splice(at..at, PIECES[random.usize(0..PIECES.len())].iter().copied())),
            3 => {
                let end = random.usize(at..=body.len());
                body.drain(at..end);
            }
            _ => {
                let end = random.usize(at..=body.len());
                let copy = body[at..end].to_vec();
                drop(body.splice(at..at, copy));
            }
        }
    }
}

/// Everything that is sent here, each in a form that leads through most of its reader.
fn bodies() -> Vec<(Arc<dyn Connector>, Scheme, Vec<u8>)> {
    let added = form(&[
        ("EventType", "onMessageAdded"),
        ("ConversationSid", "CH1"),
        ("ChatServiceSid", "IS1"),
        ("MessageSid", "IM1"),
        ("Author", "+49"),
        ("Body", "Grüße"),
        ("DateCreated", "2026-01-01T00:00:00.000Z"),
        ("Attributes", r#"{"a":1,"b":"c"}"#),
        ("Media", r#"[{"Sid":"ME1","Filename":"a","ContentType":"b/c"}]"#),
    ]);
    let message = form(&[
        ("MessageSid", "SM1"),
        ("From", "whatsapp:+49"),
        ("Body", "x"),
        ("NumMedia", "1"),
        ("MediaUrl0", "https://f/1"),
    ]);
    let status = form(&[
        ("MessageSid", "SM1"),
        ("MessageStatus", "failed"),
        ("ErrorCode", "63016"),
        ("To", "+49"),
    ]);
    let whatsapp_body = br#"{"entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"106540352242922"},
        "contacts":[{"wa_id":"49","profile":{"name":"Ada"}}],
        "messages":[{"from":"49","id":"w","timestamp":"1767225600","type":"location","location":{"latitude":1.5,"longitude":-2}}],
        "statuses":[{"id":"w","status":"failed","errors":[{"code":131047}]}]}}]}]}"#;
    let text = br#"{"id":"m","type":"Text","text":"x","direction":"Outbound","metadata":{"a":"b"},
        "channel":{"to":{"id":"c"},"from":{"id":"i","nickname":"n"},"time":"2026-01-01T00:00:00Z"},
        "content":[{"attachment":{"url":"u","mime":"m"}}]}"#;
    let event = br#"{"id":"m","type":"Event","channel":{"to":{"id":"c"}},
        "events":[{"eventType":"Typing","typing":{"type":"On"}},{"eventType":"Presence","presence":{"type":"Disconnect"}}]}"#;
    let handoff = br#"{"type":"handoff","thread":"t","id":"h","context":{"a":1,"b":true},
        "transcript":[{"from":{"address":"a","name":"n"},"text":"x","at":1}]}"#;
    let call = br#"{"type":"call","thread":"t","id":"c","from":"+4915550100","to":"+4930555","agent":"a@b","context":{"a":1}}"#;
    vec![
        (conversations(), twilio::FORM, added),
        (messaging(), twilio::FORM, message),
        (messaging(), twilio::FORM, status),
        (
            whatsapp(),
            sightline_connect::whatsapp::SIGNATURE,
            whatsapp_body.to_vec(),
        ),
        (genesys(), open::SIGNATURE, text.to_vec()),
        (genesys(), open::SIGNATURE, event.to_vec()),
        (generic(), webhook::SIGNATURE, handoff.to_vec()),
        (generic(), webhook::SIGNATURE, call.to_vec()),
    ]
}

#[test]
fn every_body_is_read_or_malformed() {
    let mut random = fastrand::Rng::with_seed(20_260_101);
    for (connector, scheme, body) in bodies() {
        let mut malformed = 0;
        for _ in 0..ROUNDS {
            let mut body = body.clone();
            mutate(&mut random, &mut body);
            match receive(&*connector, scheme, common::URL, &body) {
                Ok(_) => {}
                Err(Reject::Malformed(_)) => malformed += 1,
                Err(other) => panic!("{}: {other}", connector.name()),
            }
        }
        assert!(
            (1..ROUNDS).contains(&malformed),
            "{}: {malformed} of {ROUNDS} were malformed",
            connector.name()
        );
    }
}

#[test]
fn every_answer_is_judged_and_nothing_that_was_kept_is_lost() {
    let mut random = fastrand::Rng::with_seed(7);
    let answer =
        br#"{"id":"m","sid":"S","code":63016,"error":{"code":131047},"messages":[{"id":"w"}],"conversationId":"c",
        "attributes":"{\"a\":{\"b\":1}}","participants":[{"id":"p","purpose":"customer","attributes":{"a":"b"}}]}"#;
    let news = Context::from([("new".to_owned(), ContextValue::Number(0.5))]);
    for (connector, ..) in bodies() {
        for _ in 0..ROUNDS {
            let mut body = answer.to_vec();
            mutate(&mut random, &mut body);
            connector.judge(random.u16(..), &[], &body);
            connector.learn(&body);
            let kept = Kept {
                headers: &[],
                body: &body,
            };
            let thread = Thread("CH1".to_owned());
            if let Ok(Some(call)) = connector.write_context(&thread, kept, &news) {
                assert_keeps(&body, &call);
            }
        }
    }
}

/// Whatever could be read of the attributes is in those that are written.
fn assert_keeps(answer: &[u8], call: &HttpCall) {
    let attributes = serde_json::from_slice::<Value>(answer)
        .ok()
        .and_then(|answer| Some(answer["attributes"].as_str()?.to_owned()));
    let kept = attributes
        .and_then(|text| serde_json::from_str::<Map<String, Value>>(&text).ok())
        .unwrap_or_default();
    let written = common::fields(call).into_iter().find(|(name, _)| name == "Attributes");
    // A PATCH says only what is new.
    let Some((_, written)) = written else { return };
    let written: Map<String, Value> = serde_json::from_str(&written).expect("what we write is an object");
    for (name, value) in kept.iter().filter(|(name, _)| *name != "new") {
        assert_eq!(written.get(name), Some(value));
    }
    assert!(written.contains_key("new"));
}
