//! Links into the web chat, the conversation that a chat continues, and the agent for whom it asks.

use crate::harness::{Answer, Api, Desk, Page, World, browser};
use serde_json::{Value, json};
use sightline_call::routing::Queue;
use sightline_server::{Deployment, RoutingMode};
use sightline_wire::{
    ErrorCode, Problem,
    agent::AgentEvent,
    conversation::{Channel, Context, ContextValue, Conversation, ConversationState, MessagePage},
    ids::ConversationId,
    link::{CameBy, ChatLinkSent, PreviousConversation},
    routing::Assignment,
};
use uuid::Uuid;

async fn with_file(text: &str, push: bool) -> World {
    let deployment = Deployment::parse(text).unwrap();
    World::with(|config| {
        config.deployment = deployment;
        if push {
            config.routing = RoutingMode::Push(Queue {
                assignment_ms: 60_000,
                ..Queue::default()
            });
        }
    })
    .await
}

async fn send_link(desk: &Desk, id: ConversationId, shape: &str, video: bool) -> ChatLinkSent {
    let body = json!({ "client_id": Uuid::new_v4(), "video": video, "shape": shape });
    desk.post(&format!("/v1/conversations/{id}/chat-link"), body)
        .await
        .unwrap()
}

/// What the customer's page sends when it is opened at this address.
fn entry(url: &str) -> Value {
    let url = reqwest::Url::parse(url).unwrap();
    match url.path().strip_prefix("/c/") {
        Some(code) => json!({ "type": "code", "code": code }),
        None => json!({ "type": "query", "query": url.query().unwrap_or_default() }),
    }
}

async fn open(api: &Api, url: &str) -> Page {
    api.page_with(json!({ "entry": entry(url), "browser_key": browser() }))
        .await
}

/// The newest conversation that waits.
async fn waiting(desk: &Desk) -> Conversation {
    let (_socket, inbox) = desk.listen().await;
    let mut open: Vec<_> = inbox
        .into_iter()
        .filter(|c| c.state == ConversationState::Open)
        .collect();
    open.pop().expect("a conversation waits")
}

async fn accept(desk: &Desk, id: ConversationId) -> Conversation {
    desk.post(&format!("/v1/conversations/{id}/accept"), json!({}))
        .await
        .unwrap()
}

fn text(context: &Context, name: &str) -> Option<String> {
    match context.get(name)? {
        ContextValue::Text(text) => Some(text.clone()),
        ContextValue::Truth(_) | ContextValue::Number(_) => None,
    }
}

fn known(conversation: &Conversation) -> (ConversationId, bool) {
    match conversation.previous.as_ref().expect("it continues one") {
        PreviousConversation::Known { id, verified, .. } => (*id, *verified),
        PreviousConversation::Unknown { name } => panic!("{name} is not known"),
    }
}

#[tokio::test]
async fn a_link_continues_the_conversation_asks_for_its_agent_and_shows_both_histories() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    let page = world.api.page_with(json!({ "name": "Ana Moreno" })).await;
    page.say("The router blinks").await;
    let first = desk.accept_newest().await;
    let sent = send_link(&desk, first.id, "opaque", true).await;
    let code = sent.url.strip_prefix(&format!("{}/c/", world.api.url)).unwrap();
    assert_eq!(code.len(), 27, "160 bits");
    assert!(sent.message.body.text().ends_with(&sent.url));
    assert!(!sent.url.contains('@') && !sent.url.contains(&desk.session.account.id.to_string()));
    desk.wrap_up_and_close(first.id).await;

    let _page = open(&world.api, &sent.url).await;
    let colleague = world.desk("colleague").await;
    let second = waiting(&colleague).await;
    assert_eq!(second.asked_for, Some(desk.session.account.id), "and others see it");
    assert_eq!((second.came_by, second.trusted), (Some(CameBy::Link), true));
    assert_eq!(second.customer_name, "Ana Moreno");
    assert_eq!(second.channel, Channel::WebChat);
    assert_eq!(second.context["VideoCall"], ContextValue::Truth(true));
    assert_eq!(second.hidden_variables, ["VideoCall"]);
    assert_eq!(
        text(&second.context, "EmailAddressContextVariable").as_deref(),
        Some("agent@example.test")
    );
    assert_eq!(known(&second), (first.id, true));
    let Some(PreviousConversation::Known { closed_at, .. }) = &second.previous else {
        panic!("it is known")
    };
    assert!(closed_at.is_some());

    // Nobody is stuck on an agent who is away: a colleague takes it, and reads what came before, page by page.
    accept(&colleague, second.id).await;
    let page: MessagePage = colleague
        .get(&format!(
            "/v1/conversations/{}/messages?before=9223372036854775807&limit=1",
            first.id
        ))
        .await
        .unwrap();
    assert_eq!((page.messages.len(), page.more), (1, true));
    assert_eq!(page.messages[0].body.text(), sent.message.body.text());
    let page: MessagePage = colleague
        .get(&format!(
            "/v1/conversations/{}/messages?before={}",
            first.id, page.messages[0].seq
        ))
        .await
        .unwrap();
    assert_eq!(page.messages[0].body.text(), "The router blinks");
    assert!(!page.more);
    let earlier: Conversation = colleague.get(&format!("/v1/conversations/{}", first.id)).await.unwrap();
    assert_eq!(earlier.previous, None);
}

#[tokio::test]
async fn a_link_is_sent_once_and_only_by_its_owner() {
    let world = World::start().await;
    let (desk, _page, conversation) = world.active().await;
    let path = format!("/v1/conversations/{}/chat-link", conversation.id);
    let body = json!({ "client_id": Uuid::new_v4() });
    let sent: ChatLinkSent = desk.post(&path, body.clone()).await.unwrap();
    assert_eq!(desk.post::<ChatLinkSent>(&path, body.clone()).await.unwrap(), sent);
    assert_eq!(desk.messages(conversation.id).await.len(), 2);
    let colleague = world.desk("colleague").await;
    let stranger: Result<ChatLinkSent, Problem> = colleague.post(&path, json!({ "client_id": Uuid::new_v4() })).await;
    assert_eq!(stranger.refused().code, ErrorCode::NotYourConversation);
    let taken = Uuid::new_v4();
    desk.say(conversation.id, taken, "Hello").await.unwrap();
    let reused: Result<ChatLinkSent, Problem> = desk.post(&path, json!({ "client_id": taken })).await;
    assert_eq!(reused.refused().code, ErrorCode::MessageIdReused);
    desk.wrap_up_and_close(conversation.id).await;
    let late: Result<ChatLinkSent, Problem> = desk.post(&path, json!({ "client_id": Uuid::new_v4() })).await;
    assert_eq!(late.refused().code, ErrorCode::ConversationClosed);
}

#[tokio::test]
async fn the_same_browser_goes_on_with_the_chat_that_it_has_begun() {
    let world = World::start().await;
    let (desk, _page, first) = world.active().await;
    let sent = send_link(&desk, first.id, "opaque", false).await;
    let start = json!({ "entry": entry(&sent.url), "browser_key": browser() });
    let once = world.api.page_with(start.clone()).await;
    once.say("Here I am").await;
    let again = world.api.page_with(start.clone()).await;
    assert_eq!(again.started.conversation_id, once.started.conversation_id);
    assert_eq!(again.history().await[0].text.as_deref(), Some("Here I am"));
    let other = open(&world.api, &sent.url).await;
    assert_ne!(other.started.conversation_id, once.started.conversation_id);
    assert!(other.history().await.is_empty(), "another browser sees nothing of it");
    let short: Result<Value, Problem> = world
        .api
        .post(
            "/v1/webchat/tokens",
            json!({ "entry": entry(&sent.url), "browser_key": "short" }),
        )
        .await;
    assert_eq!(short.refused().code, ErrorCode::BadRequest);
}

#[tokio::test]
async fn the_shape_of_dynamics_is_signed_and_outlives_a_restart() {
    let mut world = World::start().await;
    let (desk, _page, first) = world.active().await;
    let sent = send_link(&desk, first.id, "dynamics", true).await;
    for part in [
        format!("/chat?conversationId={}", first.id),
        format!("agentId={}", desk.session.account.id),
        "email=agent%40example.test".into(),
        "&exp=".into(),
        "&sig=".into(),
    ] {
        assert!(sent.url.contains(&part), "{part} in {}", sent.url);
    }
    world.restart().await;
    let _page = open(&world.api, &format!("{}&utm_source=sms", sent.url)).await;
    let second = waiting(&desk).await;
    assert_eq!((second.came_by, second.trusted), (Some(CameBy::Link), true));
    assert_eq!(second.asked_for, Some(desk.session.account.id));
    assert_eq!(known(&second), (first.id, true));
}

#[tokio::test]
async fn an_expired_or_changed_link_opens_a_chat_and_says_nothing_else() {
    let world = with_file("[links]\nvalid_seconds = 0\n", false).await;
    let (desk, _page, first) = world.active().await;
    let opaque = send_link(&desk, first.id, "opaque", true).await.url;
    let signed = send_link(&desk, first.id, "dynamics", true).await.url;
    let unsigned = signed.split("&sig=").next().unwrap().to_string();
    for (url, came_by) in [
        (opaque.clone(), CameBy::ExpiredLink),
        (signed.clone(), CameBy::ExpiredLink),
        (signed.replace("agent%40", "colleague%40"), CameBy::ForeignLink),
        (unsigned, CameBy::ForeignLink),
        (format!("{opaque}x"), CameBy::ForeignLink),
    ] {
        let page = open(&world.api, &url).await;
        let chat = waiting(&desk).await;
        assert_eq!(chat.came_by, Some(came_by), "{url}");
        assert!(chat.context.is_empty() && chat.previous.is_none() && chat.asked_for.is_none());
        assert!(!chat.trusted);
        assert!(page.history().await.is_empty(), "the customer reads nothing of it");
        page.say("Hello").await;
    }
}

/// The address that the sample sends; nobody has signed it.
fn legacy(world: &World, conversation: &str) -> String {
    format!(
        "{}/chat?conversationId={conversation}&agentId=a-1&email=agent%40example.test",
        world.api.url
    )
}

#[tokio::test]
async fn an_unsigned_link_opens_a_chat_and_chooses_nobody() {
    let world = World::start().await;
    let (desk, _page, first) = world.active().await;
    desk.wrap_up_and_close(first.id).await;
    let page = json!({
        "entry": entry(&legacy(&world, &first.id.to_string())),
        "context": { "EmailAddressContextVariable": "agent@example.test", "cart": 2 },
    });
    world.api.page_with(page).await;
    let colleague = world.desk("colleague").await;
    let second = waiting(&colleague).await;
    assert_eq!((second.came_by, second.trusted), (Some(CameBy::UnsignedLink), false));
    assert_eq!(second.asked_for, None);
    let names: Vec<&str> = second.context.keys().map(String::as_str).collect();
    assert_eq!(names, ["PreviousConversationId", "cart"]);
    assert_eq!(known(&second), (first.id, false));
    // Naming a conversation is no way to read it.
    accept(&colleague, second.id).await;
    let refused: Result<MessagePage, Problem> =
        colleague.get(&format!("/v1/conversations/{}/messages", first.id)).await;
    assert_eq!(refused.refused().code, ErrorCode::NotYourConversation);
    assert_eq!(desk.messages(first.id).await.len(), 1, "whoever had it reads it");
}

#[tokio::test]
async fn a_deployment_may_believe_unsigned_links() {
    let world = with_file("[links]\nunsigned_may_choose_agent = true\n", false).await;
    let (desk, _page, first) = world.active().await;
    desk.wrap_up_and_close(first.id).await;
    open(&world.api, &legacy(&world, &format!("%7B{}%7D", first.id))).await;
    let colleague = world.desk("colleague").await;
    let second = waiting(&colleague).await;
    assert_eq!(second.asked_for, Some(desk.session.account.id));
    assert_eq!(known(&second), (first.id, true));
    assert_eq!(second.context["VideoCall"], ContextValue::Truth(true));
    accept(&colleague, second.id).await;
    assert_eq!(colleague.messages(first.id).await.len(), 1);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_kept_and_no_error() {
    let world = World::start().await;
    open(&world.api, &legacy(&world, "xxx2d15x-2703-xxea")).await;
    let desk = world.desk("agent").await;
    let chat = waiting(&desk).await;
    let name = "xxx2d15x-2703-xxea".to_string();
    assert_eq!(text(&chat.context, "PreviousConversationId"), Some(name.clone()));
    assert_eq!(chat.previous, Some(PreviousConversation::Unknown { name }));
}

#[tokio::test]
async fn a_customer_who_comes_back_continues_the_own_conversation() {
    let world = World::start().await;
    let (desk, page, first) = world.active().await;
    desk.wrap_up_and_close(first.id).await;
    page.say("One more thing").await;
    let colleague = world.desk("colleague").await;
    let second = waiting(&colleague).await;
    assert_eq!(known(&second), (first.id, true));
    accept(&colleague, second.id).await;
    assert_eq!(colleague.messages(first.id).await.len(), 1);
    colleague.wrap_up_and_close(second.id).await;
    // The whole chain is read by whoever has its end.
    page.say("And another").await;
    let third = accept(&desk, waiting(&desk).await.id).await;
    assert_eq!(known(&third), (second.id, true));
    assert_eq!(desk.messages(second.id).await.len(), 1);
    let before = colleague
        .get::<MessagePage>(&format!("/v1/conversations/{}/messages", third.id))
        .await;
    assert_eq!(before.refused().code, ErrorCode::NotYourConversation);
}

#[tokio::test]
async fn a_page_wraps_its_variables_as_dynamics_has_it() {
    let world = World::start().await;
    let context = json!({
        "VideoCall": { "value": "True", "isDisplayable": false },
        "Plan": { "value": "gold", "isDisplayable": true },
        "cart": 42.5,
    });
    let page = world.api.page_with(json!({ "context": context })).await;
    page.say("Hello").await;
    let desk = world.desk("agent").await;
    let chat = desk.accept_newest().await;
    assert_eq!(chat.context["VideoCall"], ContextValue::Text("True".into()));
    assert_eq!(chat.context["Plan"], ContextValue::Text("gold".into()));
    assert_eq!(chat.hidden_variables, ["VideoCall"]);
    assert!(!chat.trusted && chat.came_by.is_none() && chat.previous.is_none());
}

#[tokio::test]
async fn the_agent_asked_for_is_asked_and_a_colleague_when_that_one_is_away() {
    let world = with_file("", true).await;
    let (desk, colleague) = (world.desk("agent").await, world.desk("colleague").await);
    // The colleague has been without work for longer, and would be asked first.
    let (mut colleague_socket, _) = colleague.listen().await;
    let (mut socket, _) = desk.listen().await;
    let page = world.api.page().await;
    page.say("Hello").await;
    let asked = assigned(&mut colleague_socket).await;
    let first = accept(&colleague, asked.conversation).await;
    let to_colleague = send_link(&colleague, first.id, "opaque", false).await.url;

    // The colleague has had something newer than the agent, and gets it all the same.
    open(&world.api, &to_colleague).await;
    let asked = assigned(&mut colleague_socket).await;
    assert_eq!(asked.because, "The customer spoke with this agent before.");
    // Whoever is asked may read what came before; nobody else.
    accept(&colleague, asked.conversation).await;

    drop(colleague_socket);
    open(&world.api, &to_colleague).await;
    let asked = assigned(&mut socket).await;
    assert_ne!(asked.because, "The customer spoke with this agent before.");
    assert_eq!(
        desk.messages(first.id).await.len(),
        2,
        "asked about it, the agent reads what came before"
    );
    let waiting = desk.conversation(asked.conversation).await;
    assert_eq!(waiting.asked_for, Some(colleague.session.account.id));
}

async fn assigned(socket: &mut crate::harness::Socket) -> Assignment {
    socket
        .agent_event("an assignment", |event| match event {
            AgentEvent::Assigned(assignment) => Some(assignment),
            _ => None,
        })
        .await
}
