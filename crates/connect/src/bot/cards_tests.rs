use super::*;
use serde_json::json;

fn offer(activity: Value) -> Option<Offer> {
    let mut message = json!({ "type": "message", "id": "m1" });
    for (name, value) in activity.as_object().unwrap() {
        message[name] = value.clone();
    }
    Offer::read(&Activity::read(&message).unwrap())
}

fn button(kind: &str, title: &str, value: Value) -> Value {
    json!({ "type": kind, "title": title, "value": value })
}

#[test]
fn words_alone_offer_nothing() {
    assert_eq!(offer(json!({ "text": "Hello" })), None);
    assert_eq!(
        offer(json!({ "suggestedActions": { "actions": [] }, "attachments": [] })),
        None
    );
    let file = json!({ "contentType": "image/png", "contentUrl": "https://files.example/1" });
    assert_eq!(offer(json!({ "attachments": [file], "suggestedActions": 7 })), None);
}

#[test]
fn a_hero_card_is_its_words_and_its_buttons() {
    let content = json!({
        "title": " Repairs ", "subtitle": "Monday to Friday", "text": "We repair it.",
        "images": [{ "url": "https://pictures.example/1" }],
        "buttons": [
            button("imBack", "Book", json!("Book a repair")),
            button("postBack", "Parts", json!({ "topic": "parts" })),
            button("openUrl", "Manual", json!("https://example.com/manual")),
            { "type": "messageBack", "title": "Yes", "text": "confirm", "displayText": "Yes, please", "value": { "n": 1 } },
        ],
    });
    let read = offer(json!({
        "text": "How can I help?",
        "attachments": [{ "contentType": HERO, "content": content }],
        "suggestedActions": { "to": [], "actions": ["Stop", button("imBack", "Start", json!("start"))] },
    }))
    .unwrap();
    let kinds: Vec<ActionKind> = read.cards[0].buttons.iter().map(|button| button.kind).collect();
    assert_eq!(
        kinds,
        [
            ActionKind::ImBack,
            ActionKind::PostBack,
            ActionKind::OpenUrl,
            ActionKind::MessageBack
        ]
    );
    assert_eq!(read.cards[0].buttons[1].value, Some(json!({ "topic": "parts" })));
    assert_eq!(
        read.text(),
        "How can I help?\nRepairs\nMonday to Friday\nWe repair it.\n[Book] [Parts] [Manual] [Yes]\n[Stop] [Start]"
    );
}

#[test]
fn buttons_that_do_nothing_here_or_nothing_good_are_left_out() {
    for found in [
        button("openUrl", "Old", json!("http://example.com")),
        button("openUrl", "Script", json!("javascript:alert(1)")),
        button("openUrl", "Odd", json!(7)),
        button("imBack", "Nothing", json!(null)),
        button("imBack", "Data", json!({ "a": 1 })),
        button("postBack", "Nothing", json!(null)),
        button("messageBack", "Nothing", json!(null)),
        button("signin", "Sign in", json!("https://login.example.com")),
        button("call", "Call", json!("tel:1")),
        button("postBack", "Long", json!("x".repeat(LONGEST_VALUE))),
        json!({ "type": "postBack", "value": { "a": 1 } }),
        json!({ "title": "No type" }),
        json!("  "),
        json!(7),
    ] {
        assert_eq!(action(&found), None, "{found}");
    }
}

#[test]
fn other_cards_say_what_they_can() {
    let card = |kind: &str, content: Value| {
        let read = offer(json!({ "attachments": [{ "contentType": format!("{CARD}{kind}"), "content": content }] }));
        read.unwrap().cards.remove(0)
    };
    assert_eq!(
        card("adaptive", json!({ "fallbackText": "On its way." })).text,
        "On its way."
    );
    assert_eq!(card("receipt", json!({ "title": "Receipt 7" })).text, "Receipt 7");
    assert_eq!(
        card("adaptive", json!({ "body": [] })).not_shown.as_deref(),
        Some("adaptive")
    );
    assert_eq!(card("hero", json!(null)).not_shown.as_deref(), Some("hero"));
    assert_eq!(card("thumbnail", json!({ "title": "Kettle" })).title, "Kettle");
}

#[test]
fn nothing_is_longer_or_more_than_it_may_be() {
    let long = "ü".repeat(10_000);
    let content = json!({
        "title": long, "subtitle": long, "text": long,
        "buttons": vec![button("imBack", &long, json!("a")); 50],
    });
    let read = offer(json!({
        "text": long,
        "attachments": vec![json!({ "contentType": HERO, "content": content }); 50],
        "suggestedActions": { "actions": vec![json!(long); 50] },
    }))
    .unwrap();
    assert_eq!((read.cards.len(), read.actions.len()), (MOST_CARDS, MOST_ACTIONS));
    assert_eq!(read.cards[0].buttons.len(), MOST_ACTIONS);
    assert_eq!(read.cards[0].text.chars().count(), LONGEST_TEXT);
    assert_eq!(read.actions[0].title.chars().count(), LONGEST_TITLE);
    assert_eq!(read.text().chars().count(), MAX_MESSAGE_CHARS);
}
