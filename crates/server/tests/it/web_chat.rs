//! The customer's side, over Direct Line 3.0. Microsoft's own client is run against it in tests/directline.

use crate::harness::{Answer, World, sightline};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sightline_server::Secret;
use sightline_wire::{
    ErrorCode, Problem,
    agent::AgentEvent,
    conversation::{ContextValue, Conversation, ConversationState},
    directline::{ActivitySet, ConversationStarted, SightlineData},
    history::HistoryLine,
};
use uuid::Uuid;

#[tokio::test]
async fn a_message_sent_twice_is_stored_once() {
    let world = World::start().await;
    let page = world.api.page().await;
    let message = |text: &str| {
        json!({ "type": "message", "text": text, "from": { "id": "me", "name": "Ada" },
                "channelData": { "clientActivityID": "one" } })
    };
    let first = page.activity(message("Hello")).await.unwrap();
    assert_eq!(page.activity(message("Hello")).await.unwrap(), first);
    assert_eq!(first.id, format!("{}|0000001", page.started.conversation_id));
    assert_eq!(
        page.activity(message("Other")).await.refused().code,
        ErrorCode::MessageIdReused
    );
    let history = page.history().await;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].channel_data.as_ref().unwrap()["clientActivityID"], "one");
    assert_eq!(
        (history[0].from.id.as_str(), history[0].from.name.as_deref()),
        ("me", Some("Ada"))
    );
    let desk = world.desk("agent").await;
    let (_socket, inbox) = desk.listen().await;
    assert_eq!(inbox[0].customer_name, "Ada");
}

#[tokio::test]
async fn a_stream_goes_on_from_its_watermark() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let mut stream = page.stream("0").await;
    let text = |set: ActivitySet| Some((set.activities.last()?.text.clone()?, set.watermark?));
    assert_eq!(stream.expect("history", text).await, ("Hello".into(), "1".into()));
    desk.say(conversation.id, Uuid::new_v4(), "Good morning").await.unwrap();
    let (said, watermark) = stream.expect("the agent", text).await;
    assert_eq!((said.as_str(), watermark.as_str()), ("Good morning", "2"));
    stream.vanish();
    desk.say(conversation.id, Uuid::new_v4(), "Still there?").await.unwrap();
    let mut back = page.stream(&watermark).await;
    let set: ActivitySet = back.next().await.unwrap();
    let texts: Vec<_> = set.activities.iter().map(|a| a.text.as_deref().unwrap()).collect();
    assert_eq!(texts, ["Still there?"]);
}

#[tokio::test]
async fn delivery_is_told_to_the_agent() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let (mut socket, _) = desk.listen().await;
    desk.say(conversation.id, Uuid::new_v4(), "Good morning").await.unwrap();
    assert_eq!(desk.conversation(conversation.id).await.delivered_seq, 0);
    let _stream = page.stream("0").await;
    let delivered = |event| match event {
        AgentEvent::Conversation(c) => (c.delivered_seq == 2 && c.customer_present).then_some(()),
        _ => None,
    };
    socket.agent_event("delivery", delivered).await;
}

#[tokio::test]
async fn after_the_close_the_same_page_goes_on_in_a_new_conversation() {
    let world = World::start().await;
    let (desk, page, first) = world.active().await;
    desk.say(first.id, Uuid::new_v4(), "Good bye").await.unwrap();
    desk.wrap_up_and_close(first.id).await;
    assert!(page.say("One more question").await.ends_with("|0000003"));
    let second = desk.accept_newest().await;
    assert_ne!(second.id, first.id);
    assert_eq!(second.last_seq, 1);
    assert_eq!(page.history().await.len(), 3, "the customer sees one history");
    desk.say(second.id, Uuid::new_v4(), "Yes?").await.unwrap();
    let mut stream = page.stream("3").await;
    let set: ActivitySet = stream.next().await.unwrap();
    assert_eq!(set.activities[0].text.as_deref(), Some("Yes?"));
}

#[tokio::test]
async fn a_customer_who_leaves_before_anybody_came_closes_it() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    let (mut socket, _) = desk.listen().await;
    let page = world.api.page().await;
    page.say("Hello").await;
    page.activity(json!({ "type": "endOfConversation", "from": { "id": "me" } }))
        .await
        .unwrap();
    let closed = |event| match event {
        AgentEvent::Conversation(c) => (c.state == ConversationState::Closed).then_some(()),
        _ => None,
    };
    socket.agent_event("the close", closed).await;
    let history = page.history().await;
    // The page says it in its own language.
    let line = Some(HistoryLine::CustomerLeft);
    assert_eq!(sightline(history.last().unwrap()), Some(SightlineData::Event { line }));

    let (desk, page, conversation) = world.active().await;
    page.activity(json!({ "type": "endOfConversation", "from": { "id": "me" } }))
        .await
        .unwrap();
    assert_eq!(
        desk.conversation(conversation.id).await.state,
        ConversationState::Active
    );
    let lines = desk.messages(conversation.id).await;
    assert_eq!(lines.last().unwrap().body.text(), "The customer left the chat");
}

#[tokio::test]
async fn the_embedding_page_gives_name_and_context() {
    let world = World::start().await;
    let body = json!({ "name": "  Ada L. ", "context": { "cart": 42.5, "member": true, "sku": "A1" } });
    let started: ConversationStarted = world.api.post("/v1/webchat/tokens", body).await.unwrap();
    let page = crate::harness::Page {
        api: world.api.clone(),
        started,
    };
    page.say("Hello").await;
    let conversation: Conversation = world.desk("agent").await.accept_newest().await;
    assert_eq!(conversation.customer_name, "Ada L.");
    assert_eq!(conversation.context["cart"], ContextValue::Number(42.5));
    let nested: Result<Value, Problem> = world
        .api
        .post("/v1/webchat/tokens", json!({ "context": { "a": [1] } }))
        .await;
    assert_eq!(nested.refused().code, ErrorCode::BadContextVariable);
    let nameless: Result<Value, Problem> = world
        .api
        .post("/v1/webchat/tokens", json!({ "context": { "": 1 } }))
        .await;
    assert_eq!(nameless.refused().code, ErrorCode::BadContextVariable);
}

#[tokio::test]
async fn odd_activities_are_refused() {
    let world = World::start().await;
    let page = world.api.page().await;
    let empty = page
        .activity(json!({ "type": "message", "text": " ", "from": { "id": "me" } }))
        .await;
    assert_eq!(empty.refused().code, ErrorCode::EmptyMessage);
    let long = json!({ "type": "message", "text": "a".repeat(4_001), "from": { "id": "me" } });
    assert_eq!(page.activity(long).await.refused().code, ErrorCode::MessageTooLong);
    let unknown = page
        .activity(json!({ "type": "teleport", "from": { "id": "me" } }))
        .await;
    assert_eq!(unknown.refused().code, ErrorCode::BadRequest);
    let greeting = json!({ "type": "event", "name": "webchat/join", "from": { "id": "me" } });
    assert!(page.activity(greeting).await.is_ok());
    assert!(page.history().await.is_empty());
}

#[tokio::test]
async fn tokens_open_their_own_thread_only() {
    let world = World::with(|config| config.direct_line_secret = Some(Secret::new("a shared secret"))).await;
    let (mine, other) = (world.api.page().await, world.api.page().await);
    let path = |id: &str| format!("/v3/directline/conversations/{id}/activities");
    let status = |token: Option<String>, id: String| {
        let mut request = world.api.request(Method::GET, &path(&id));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        async move { request.send().await.unwrap().status() }
    };
    let own = mine.started.conversation_id.clone();
    assert_eq!(
        status(Some(mine.started.token.clone()), own.clone()).await,
        StatusCode::OK
    );
    assert_eq!(
        status(Some(other.started.token.clone()), own.clone()).await,
        StatusCode::NOT_FOUND
    );
    // Microsoft's client takes 403 as "get a new token".
    assert_eq!(status(Some("made-up".into()), own.clone()).await, StatusCode::FORBIDDEN);
    assert_eq!(status(None, own.clone()).await, StatusCode::FORBIDDEN);

    let generate = "/v3/directline/tokens/generate";
    let body = Some(json!({ "user": { "id": "u1", "name": "Grace" } }));
    let refused = world
        .api
        .request(Method::POST, generate)
        .bearer_auth("wrong")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let started: ConversationStarted = world
        .api
        .call(Method::POST, generate, Some("a shared secret"), body)
        .await
        .unwrap();
    let refreshed: ConversationStarted = world
        .api
        .call(
            Method::POST,
            "/v3/directline/tokens/refresh",
            Some(&started.token),
            None,
        )
        .await
        .unwrap();
    assert_eq!(refreshed.conversation_id, started.conversation_id);
    assert_ne!(refreshed.token, started.token);
    let page = crate::harness::Page {
        api: world.api.clone(),
        started: refreshed,
    };
    page.say("Hello").await;
    assert_eq!(page.history().await[0].from.name.as_deref(), Some("Grace"));
}
