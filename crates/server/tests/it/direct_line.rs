//! Direct Line's finer points: tokens, events, hand-offs, and reading on exactly where one stopped.

use crate::harness::{Answer, Page, World};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sightline_server::Secret;
use sightline_wire::{
    ErrorCode,
    conversation::{Author, Body, ContextValue},
    directline::{Activity, ActivitySet, ConversationStarted},
};
use uuid::Uuid;

const SECRET: &str = "a shared secret of this test";

async fn with_secret() -> World {
    World::with(|config| config.direct_line_secret = Some(Secret::new(SECRET))).await
}

#[tokio::test]
async fn every_watermark_brings_what_follows_it_and_nothing_else() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    for text in ["two", "three", "four"] {
        desk.say(conversation.id, Uuid::new_v4(), text).await.unwrap();
    }
    let texts = |activities: &[Activity]| activities.iter().filter_map(|a| a.text.clone()).collect::<Vec<_>>();
    let all = ["Hello", "two", "three", "four"];
    for mark in 0..=4 {
        let path = format!(
            "/v3/directline/conversations/{}/activities?watermark={mark}",
            page.started.conversation_id
        );
        let polled: ActivitySet = world
            .api
            .call(Method::GET, &path, Some(&page.started.token), None)
            .await
            .unwrap();
        assert_eq!(texts(&polled.activities), all[mark..]);
        assert_eq!(polled.watermark.as_deref(), Some("4"));
    }
    for mark in 0..=4 {
        let mut stream = page.stream(&mark.to_string()).await;
        let mut streamed = Vec::new();
        while streamed.len() < 4 - mark {
            let set: ActivitySet = stream.next().await.unwrap();
            streamed.extend(texts(&set.activities));
        }
        assert_eq!(streamed, all[mark..]);
    }
    // At the end there is nothing to bring until something is said.
    let mut stream = page.stream("4").await;
    desk.say(conversation.id, Uuid::new_v4(), "five").await.unwrap();
    let set: ActivitySet = stream.next().await.unwrap();
    assert_eq!(
        (texts(&set.activities), set.watermark.as_deref()),
        (vec!["five".to_owned()], Some("5"))
    );
}

#[tokio::test]
async fn each_reconnect_has_its_own_stream_and_a_ticket_opens_one() {
    let world = World::start().await;
    let page = world.api.page().await;
    page.say("Hello").await;
    let path = format!(
        "/v3/directline/conversations/{}?watermark=1",
        page.started.conversation_id
    );
    let again = async || {
        let started: ConversationStarted = world
            .api
            .call(Method::GET, &path, Some(&page.started.token), None)
            .await
            .unwrap();
        started.stream_url.unwrap()
    };
    let (first, second) = (again().await, again().await);
    assert_ne!(first, second);
    let place = |url: &str| url.split_once("/v3").map(|(_, rest)| format!("/v3{rest}")).unwrap();
    let _stream = world.api.socket(&place(&first), None).await.unwrap();
    assert_eq!(
        world.api.socket(&place(&first), None).await.err(),
        Some(403),
        "a ticket is good once"
    );
    let _other = world.api.socket(&place(&second), None).await.unwrap();
}

#[tokio::test]
async fn a_token_may_be_bound_to_pages_and_stays_so() {
    let world = World::with(|config| {
        config.direct_line_secret = Some(Secret::new(SECRET));
        config.extra_origins = vec!["https://shop.example.com".into(), "https://blog.example.com".into()];
    })
    .await;
    let body = json!({ "user": { "id": "dl_ada", "name": "Ada" }, "trustedOrigins": ["https://shop.example.com/"] });
    let started: ConversationStarted = world
        .api
        .call(Method::POST, "/v3/directline/tokens/generate", Some(SECRET), Some(body))
        .await
        .unwrap();
    let refresh = async |token: &str, origin: &str| {
        let request = world.api.request(Method::POST, "/v3/directline/tokens/refresh");
        let answer = request
            .bearer_auth(token)
            .header("origin", origin)
            .send()
            .await
            .unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (status, renewed) = refresh(&started.token, "https://shop.example.com").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(renewed["conversationId"], started.conversation_id.as_str());
    let (status, refused) = refresh(renewed["token"].as_str().unwrap(), "https://blog.example.com").await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("NotAllowed"))
    );
    // The user of the token is the author, whatever the page calls itself.
    let page = Page {
        api: world.api.clone(),
        started,
    };
    page.activity(json!({ "type": "message", "text": "Hi", "from": { "id": "dl_eve", "name": "Eve" } }))
        .await
        .unwrap();
    let history = page.history().await;
    assert_eq!(
        (history[0].from.id.as_str(), history[0].from.name.as_deref()),
        ("dl_ada", Some("Ada"))
    );
    for origins in [json!(["shop.example.com"]), json!(["https://"]), json!("https://a")] {
        let body = json!({ "trustedOrigins": origins });
        let refused = world
            .api
            .call::<ConversationStarted>(Method::POST, "/v3/directline/tokens/generate", Some(SECRET), Some(body))
            .await;
        assert_eq!(refused.refused().code, ErrorCode::BadRequest);
    }
    let (status, refused) = refresh(SECRET, "https://shop.example.com").await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("TokenExpired"))
    );
}

#[tokio::test]
async fn events_tell_what_is_known_of_the_customer() {
    let world = World::start().await;
    let page = world.api.page().await;
    let set = |value: Value| json!({ "type": "event", "name": "context.set", "value": value, "from": { "id": "me" } });
    page.activity(set(
        json!({ "Plan": "gold", "Risk": { "value": 3, "isDisplayable": false } }),
    ))
    .await
    .unwrap();
    let desk = world.desk("agent").await;
    assert!(desk.listen().await.1.is_empty(), "an event begins no conversation");
    page.say("Hello").await;
    page.activity(json!({ "type": "event", "name": "cart", "from": { "id": "me" },
        "channelData": { "conversationcontext": { "Cart": 42 } } }))
        .await
        .unwrap();
    page.activity(set(json!({ "agentEmail": "colleague@example.test", "Plan": "silver" })))
        .await
        .unwrap();
    let conversation = desk.accept_newest().await;
    assert_eq!(conversation.context["Plan"], ContextValue::Text("silver".into()));
    assert_eq!(conversation.context["Cart"], ContextValue::Number(42.0));
    assert_eq!(conversation.hidden_variables, ["Risk"]);
    let refused = page.activity(set(json!({ "Deep": { "a": [1] } }))).await;
    assert_eq!(refused.refused().code, ErrorCode::BadContextVariable);
    let refused = page.activity(set(json!(null))).await;
    assert_eq!(refused.refused().code, ErrorCode::BadContextVariable);
}

#[tokio::test]
async fn a_bot_behind_our_direct_line_hands_over_and_hears_what_becomes_of_it() {
    let world = with_secret().await;
    let body = json!({ "user": { "id": "dl_ada" } });
    let started: ConversationStarted = world
        .api
        .call(Method::POST, "/v3/directline/tokens/generate", Some(SECRET), Some(body))
        .await
        .unwrap();
    let event = json!({ "type": "event", "name": "handoff.initiate", "from": { "id": "bot" },
        "channelData": { "clientActivityID": "over" },
        "value": { "va_LastTopic": "Return items", "StoreLocation": "Bellevue" },
        "attachments": [{ "contentType": "application/json", "name": "Transcript", "content": { "activities": [
            { "type": "message", "id": "1", "from": { "id": "bot-1", "name": "Contoso bot", "role": "bot" }, "text": "Hello!" },
            { "type": "message", "id": "2", "from": { "id": "ada-1", "name": "Ada", "role": "user" }, "text": "Can I return it?" },
        ] } }] });
    let page = Page {
        api: world.api.clone(),
        started,
    };
    // A page may say what it wants of bots: nobody believes it.
    page.activity(event.clone()).await.unwrap();
    let desk = world.desk("agent").await;
    assert!(desk.listen().await.1.is_empty());
    let backend = Page {
        api: world.api.clone(),
        started: ConversationStarted {
            token: SECRET.into(),
            ..page.started.clone()
        },
    };
    backend.activity(event.clone()).await.unwrap();
    backend.activity(event).await.unwrap();
    let (_, inbox) = desk.listen().await;
    assert_eq!(inbox.len(), 1);
    let conversation = desk.accept_newest().await;
    assert_eq!(conversation.customer_name, "Ada");
    assert_eq!(
        conversation.context["StoreLocation"],
        ContextValue::Text("Bellevue".into())
    );
    let messages = desk.messages(conversation.id).await;
    let notes: Vec<_> = messages
        .iter()
        .filter(|m| matches!(m.body, Body::Note { .. }))
        .collect();
    assert_eq!(
        notes
            .iter()
            .map(|m| (m.author.clone(), m.body.text()))
            .collect::<Vec<_>>(),
        [(
            Author::System,
            "What the bot tells of before:\nContoso bot: Hello!\nCustomer: Can I return it?"
        )]
    );
    desk.wrap_up_and_close(conversation.id).await;
    let told: Vec<Value> = page
        .history()
        .await
        .into_iter()
        .filter(|activity| activity.name.as_deref() == Some("handoff.status"))
        .map(|activity| {
            assert_eq!((activity.kind.as_str(), activity.text), ("event", None));
            activity.value.unwrap()["state"].clone()
        })
        .collect();
    assert_eq!(told, ["accepted", "completed"]);
}
