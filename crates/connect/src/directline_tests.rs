use super::*;
use crate::{Content, Speaker, fuzz};
use std::time::Duration;

fn line() -> DirectLine {
    DirectLine {
        base: "https://directline.example".into(),
        bearer: Secret::new("secret"),
        user: "dl_desk".into(),
        dynamics: None,
        name: "Bot".into(),
        entry: None,
    }
}

fn thread() -> Thread {
    Thread("7Kd2-eu".into())
}

fn said(number: u32, from: &str, text: &str) -> Value {
    json!({
        "type": "message", "id": format!("7Kd2-eu|{number:07}"), "conversation": { "id": "7Kd2-eu" },
        "from": { "id": from }, "text": text,
    })
}

fn frame(activities: &[Value], watermark: &str) -> Vec<u8> {
    json!({ "activities": activities, "watermark": watermark })
        .to_string()
        .into_bytes()
}

fn texts(events: &[Inbound]) -> Vec<&str> {
    let text = |event| match event {
        &Inbound::Message {
            content: Content::Text(ref text),
            ..
        } => Some(text.as_str()),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}

fn outbound() -> Outbound {
    Outbound {
        at: 0,
        thread: thread(),
        key: "k-1".into(),
        agent: "Ada".into(),
        text: "Hi".into(),
        link: None,
    }
}

fn body(call: &HttpCall) -> Value {
    serde_json::from_slice(&call.body).unwrap()
}

#[test]
fn calls_are_those_of_the_protocol() {
    let line = line();
    for (call, method, path) in [
        (line.start(), "POST", "/conversations"),
        (
            line.reopen(&thread(), Some("3|4")),
            "GET",
            "/conversations/7Kd2-eu?watermark=3%7C4",
        ),
        (line.poll(&thread(), None), "GET", "/conversations/7Kd2-eu/activities"),
        (
            line.poll(&thread(), Some("4")),
            "GET",
            "/conversations/7Kd2-eu/activities?watermark=4",
        ),
        (line.renew(), "POST", "/tokens/refresh"),
        (line.probe(), "POST", "/tokens/generate"),
        (line.send(&outbound()), "POST", "/conversations/7Kd2-eu/activities"),
    ] {
        assert_eq!(
            (call.method, call.url),
            (method, format!("https://directline.example/v3/directline{path}"))
        );
        assert!(call.headers.contains(&("authorization", "Bearer secret".into())));
    }
}

#[test]
fn a_message_carries_its_key_and_for_dynamics_what_is_known() {
    let plain = body(&line().send(&outbound()));
    assert_eq!(
        plain,
        json!({
            "type": "message", "text": "Hi", "textFormat": "plain",
            "from": { "id": "dl_desk", "name": "Ada", "role": "user" },
            "channelData": { "clientActivityID": "k-1" },
        })
    );
    let dynamics = DirectLine {
        dynamics: Some("kiosk".into()),
        ..line()
    };
    let known = Context::from([(
        "Topic".into(),
        sightline_wire::conversation::ContextValue::Text("Returns".into()),
    )]);
    let call = dynamics.send_with(&outbound(), &known, &Context::new());
    assert_eq!(
        body(&call)["channelData"],
        json!({
            "channeltype": "kiosk", "conversationcontext": { "Topic": "Returns" }, "customercontext": {},
            "clientActivityID": "k-1",
        })
    );
}

#[test]
fn a_customer_says_words_and_files_and_is_known_by_the_first() {
    let files = Said {
        files: vec![SentFile {
            kind: "image/png".into(),
            name: "a.png".into(),
            url: "https://chat.example/f/1".into(),
        }],
        ..Said::default()
    };
    let silent = Outbound {
        text: String::new(),
        ..outbound()
    };
    let said = body(&line().say(&silent, &files, None));
    assert_eq!(said.get("text"), None);
    assert_eq!(
        said["attachments"],
        json!([{ "contentType": "image/png", "contentUrl": "https://chat.example/f/1", "name": "a.png" }])
    );
    let dynamics = DirectLine {
        dynamics: Some("kiosk".into()),
        ..line()
    };
    let data =
        |first: Option<&Context>| body(&dynamics.say(&outbound(), &Said::default(), first))["channelData"].clone();
    assert_eq!(
        data(Some(&Context::new())),
        json!({ "channeltype": "kiosk", "conversationcontext": {}, "customercontext": {}, "clientActivityID": "k-1" })
    );
    assert_eq!(data(None), json!({ "channeltype": "kiosk", "clientActivityID": "k-1" }));
}

#[test]
fn what_was_chosen_unseen_says_so_with_its_value() {
    let chosen = Said {
        value: Some(json!({ "topic": "parts" })),
        unseen: true,
        ..Said::default()
    };
    let silent = Outbound {
        text: String::new(),
        ..outbound()
    };
    let said = body(&line().say(&silent, &chosen, None));
    assert_eq!((said.get("text"), &said["value"]), (None, &json!({ "topic": "parts" })));
    assert_eq!(
        said["channelData"],
        json!({ "clientActivityID": "k-1", "postBack": true })
    );
}

#[test]
fn our_own_messages_come_back_by_their_keys() {
    let set = json!({ "watermark": "2", "activities": [
        { "type": "message", "id": "1", "from": { "id": "dl_desk" }, "text": "Hi", "channelData": { "clientActivityID": "k-1" } },
        { "type": "message", "id": "2", "from": { "id": "bot" }, "text": "Hello" },
    ] });
    let mut reading = Reading::default();
    let heard = reading.hear(&line(), &thread(), set.to_string().as_bytes()).unwrap();
    assert_eq!((heard.ours, heard.events.len()), (vec!["k-1".to_owned()], 1));
    let again = reading.hear(&line(), &thread(), set.to_string().as_bytes()).unwrap();
    assert_eq!(again, Heard::default());
}

#[test]
fn states_are_activities() {
    let of = |call: Option<HttpCall>| body(&call.unwrap());
    assert_eq!(of(line().typing(&thread()))["type"], "typing");
    assert_eq!(of(Some(line().end(&thread())))["type"], "endOfConversation");
    let failed = of(line().handoff(&thread(), &HandoffState::Failed("closed".into())));
    assert_eq!(failed["value"], json!({ "state": "failed", "message": "closed" }));
}

#[test]
fn an_opened_conversation_says_when_its_token_is_renewed() {
    let answer = br#"{"conversationId":"c","token":"t","expires_in":1800,"streamUrl":"wss://s.example/?t=1"}"#;
    let opened = Opened::read(answer, 1_000).unwrap();
    assert_eq!((opened.thread.0.as_str(), opened.token.expose()), ("c", "t"));
    assert_eq!(opened.renew_at, Some(901_000));
    assert_eq!(opened.stream.as_deref(), Some("wss://s.example/?t=1"));
    assert!(
        !format!("{opened:?}").contains("wss"),
        "neither token nor ticket is shown"
    );
    let nameless = Opened::read(br#"{"token":"t"}"#, 0);
    assert_eq!(nameless.unwrap_err(), Reject::Malformed("no conversationId"));
    fuzz::mutations(answer, 1_000, |body| {
        if let Err(error) = Opened::read(body, 0) {
            assert!(matches!(error, Reject::Malformed(_)));
        }
    });
}

#[test]
fn what_is_repeated_is_read_once() {
    let (line, mut reading) = (line(), Reading::default());
    let first = frame(
        &[said(0, "dl_desk", "ours"), said(1, "bot", "one"), said(2, "bot", "two")],
        "3",
    );
    let events = reading.take(&line, &thread(), &first).unwrap();
    assert_eq!(texts(&events), ["one", "two"]);
    assert_eq!(reading.watermark(), Some("3"));

    let again = frame(
        &[said(2, "bot", "two"), said(3, "bot", "three"), said(3, "bot", "three")],
        "4",
    );
    let events = reading.take(&line, &thread(), &again).unwrap();
    assert_eq!(texts(&events), ["three"]);

    assert_eq!(reading.take(&line, &thread(), b""), Ok(vec![]));
    assert_eq!(reading.take(&line, &thread(), br#"{"activities":[]}"#), Ok(vec![]));
    assert_eq!(reading.watermark(), Some("4"), "a frame without one changes nothing");
}

#[test]
fn what_is_remembered_does_not_grow_without_end() {
    let (line, mut reading) = (line(), Reading::from(Some("7".into())));
    for number in 0..3_000 {
        reading
            .take(&line, &thread(), &frame(&[said(number, "bot", "x")], "8"))
            .unwrap();
    }
    assert_eq!(reading.seen.len(), Reading::REMEMBERED);
}

#[test]
fn one_bad_activity_does_not_hold_up_the_others() {
    let (line, mut reading) = (line(), Reading::default());
    let bad = json!({ "type": "message", "text": "without an id" });
    let events = reading
        .take(&line, &thread(), &frame(&[bad, json!(7), said(1, "bot", "one")], "2"))
        .unwrap();
    assert_eq!(texts(&events), ["one"]);
    assert!(matches!(
        &events[0],
        Inbound::Message {
            from: Speaker::Other { .. },
            ..
        }
    ));
}

#[test]
fn what_is_no_set_is_malformed() {
    for body in ["{", "[]", "{}", r#"{"activities":7}"#] {
        let taken = Reading::default().take(&line(), &thread(), body.as_bytes());
        assert!(matches!(taken, Err(Reject::Malformed(_))), "{body}");
    }
}

#[test]
fn any_changed_set_is_read_or_malformed() {
    let set = frame(&[said(1, "bot", "one"), said(2, "user", "two")], "3");
    fuzz::reads_or_refuses(&line(), "GET", &set);
    fuzz::mutations(&set, 3_000, |body| {
        match Reading::default().take(&line(), &thread(), body) {
            Ok(_) | Err(Reject::Malformed(_)) => {}
            Err(other) => panic!("{other}"),
        }
    });
}

#[test]
fn nobody_who_calls_is_believed() {
    let request = Request {
        method: "POST",
        url: "https://desk.example/in",
        headers: &[],
        body: b"{}",
        at: 0,
    };
    assert_eq!(line().verify(request).map(|_| ()), Err(Reject::Unsigned));
}

#[test]
fn patience_is_in_seconds_and_a_bot_that_failed_is_not_told_twice() {
    let headers = [("retry-after".to_string(), "2".to_string())];
    let again = Outcome::Again {
        after: Some(Duration::from_secs(2)),
    };
    assert_eq!(line().judge(429, &headers, b""), again);
    let rejected = br#"{"error":{"code":"BotRejectedActivity","message":"x"}}"#;
    assert_eq!(
        line().judge(502, &[], rejected),
        Outcome::Refused {
            code: "BotRejectedActivity".into()
        }
    );
    assert_eq!(line().judge(502, &[], b""), Outcome::Again { after: None });
    assert_eq!(
        line().judge(200, &[], br#"{"id":"c|1"}"#),
        Outcome::Taken { id: Some("c|1".into()) }
    );
}
