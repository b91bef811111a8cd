//! Conversations and messages from the desk's side.

use crate::harness::{Answer, World};
use reqwest::Method;
use serde_json::{Value, json};
use sightline_wire::{
    ErrorCode, MAX_CONTEXT_VARIABLES, Problem,
    agent::AgentEvent,
    conversation::{Author, Conversation, ConversationState, MessagePage},
};
use std::collections::BTreeMap;
use uuid::Uuid;

#[tokio::test]
async fn a_message_is_numbered_and_stored_once() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let id = conversation.id;
    let client_id = Uuid::new_v4();
    let first = desk.say(id, client_id, "Good morning").await.unwrap();
    assert_eq!(first.seq, 2);
    assert_eq!(desk.say(id, client_id, "Good morning").await.unwrap(), first);
    assert_eq!(
        desk.say(id, client_id, "Good night").await.refused().code,
        ErrorCode::MessageIdReused
    );
    page.say("Thank you").await;
    let messages = desk.messages(id).await;
    assert_eq!(messages.iter().map(|m| m.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(messages[0].author, Author::Customer);
    assert!(matches!(&messages[1].author, Author::Agent { name, .. } if name == "agent"));
    let page: MessagePage = desk
        .get(&format!("/v1/conversations/{id}/messages?after=1&limit=1"))
        .await
        .unwrap();
    assert_eq!((page.messages.len(), page.messages[0].seq, page.more), (1, 2, true));
}

#[tokio::test]
async fn many_senders_at_once_leave_no_gap() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let id = conversation.id;
    let sends = (0..20).map(|n| {
        let (desk, page) = (&desk, &page);
        async move {
            if n % 2 == 0 {
                desk.say(id, Uuid::new_v4(), &format!("agent {n}")).await.unwrap();
            } else {
                page.say(&format!("customer {n}")).await;
            }
        }
    });
    futures_util::future::join_all(sends).await;
    let numbers: Vec<i64> = desk.messages(id).await.iter().map(|m| m.seq).collect();
    assert_eq!(numbers, (1..=21).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_agent_gets_it_and_the_other_learns_that() {
    let world = World::start().await;
    let (agent, colleague) = (world.desk("agent").await, world.desk("colleague").await);
    let page = world.api.page().await;
    page.say("Is anybody there?").await;
    let (mut watching, inbox) = colleague.listen().await;
    let id = inbox[0].id;
    assert_eq!(inbox[0].state, ConversationState::Open);
    let accepted: Conversation = agent
        .post(&format!("/v1/conversations/{id}/accept"), json!({}))
        .await
        .unwrap();
    assert_eq!(accepted.state, ConversationState::Active);
    let owner = watching
        .agent_event("the conversation leaving", |event| match event {
            AgentEvent::Conversation(c) if c.id == id => Some(c.owner),
            _ => None,
        })
        .await;
    assert_eq!(owner, Some(agent.session.account.id));
    let late: Result<Conversation, Problem> = colleague
        .post(&format!("/v1/conversations/{id}/accept"), json!({}))
        .await;
    assert_eq!(late.refused().code, ErrorCode::AlreadyAccepted);
    let peeking: Result<Conversation, Problem> = colleague.get(&format!("/v1/conversations/{id}")).await;
    assert_eq!(peeking.refused().code, ErrorCode::NotYourConversation);
    let writing = colleague.say(id, Uuid::new_v4(), "Mine!").await;
    assert_eq!(writing.refused().code, ErrorCode::NotYourConversation);
    let supervisor = world.desk("supervisor").await;
    assert_eq!(supervisor.conversation(id).await.id, id);
}

#[tokio::test]
async fn notes_context_and_the_read_mark_are_kept() {
    let world = World::start().await;
    let (desk, _page, conversation) = world.active().await;
    let path = format!("/v1/conversations/{}", conversation.id);
    let edited: Conversation = desk
        .patch(
            &path,
            json!({ "notes": "calls back", "context": { "plan": "gold", "age": 4, "vip": true }, "read_seq": 99 }),
        )
        .await
        .unwrap();
    assert_eq!(
        (edited.notes.as_str(), edited.context.len(), edited.read_seq),
        ("calls back", 3, 1)
    );
    let edited: Conversation = desk
        .patch(&path, json!({ "context": { "plan": null }, "read_seq": 0 }))
        .await
        .unwrap();
    assert_eq!(
        (edited.notes.as_str(), edited.context.len(), edited.read_seq),
        ("calls back", 2, 1)
    );
    let many: BTreeMap<String, bool> = (0..MAX_CONTEXT_VARIABLES).map(|n| (format!("k{n}"), true)).collect();
    let over: Result<Value, Problem> = desk.patch(&path, json!({ "context": many })).await;
    assert_eq!(over.refused().code, ErrorCode::TooManyContextVariables);
    let nested: Result<Value, Problem> = desk.patch(&path, json!({ "context": { "a": { "b": 1 } } })).await;
    assert_eq!(nested.refused().code, ErrorCode::BadRequest);
    let colleague = world.desk("colleague").await;
    let foreign: Result<Value, Problem> = colleague.patch(&path, json!({ "notes": "x" })).await;
    assert_eq!(foreign.refused().code, ErrorCode::NotYourConversation);
}

#[tokio::test]
async fn wrap_up_then_close_and_not_the_other_way_round() {
    let world = World::start().await;
    let (desk, _page, conversation) = world.active().await;
    let path = format!("/v1/conversations/{}", conversation.id);
    let close = json!({ "disposition": "solved" });
    let early: Result<Value, Problem> = desk.post(&format!("{path}/close"), close.clone()).await;
    assert_eq!(early.refused().code, ErrorCode::ConversationNotActive);
    for _ in 0..2 {
        let wrapped: Conversation = desk
            .post(&format!("{path}/wrap-up"), json!({ "end_call": false }))
            .await
            .unwrap();
        assert_eq!(wrapped.state, ConversationState::WrapUp);
    }
    let late = desk.say(conversation.id, Uuid::new_v4(), "One more thing").await;
    assert_eq!(late.refused().code, ErrorCode::ConversationNotActive);
    for _ in 0..2 {
        let closed: Conversation = desk.post(&format!("{path}/close"), close.clone()).await.unwrap();
        assert_eq!(
            (closed.state, closed.disposition.as_deref()),
            (ConversationState::Closed, Some("solved"))
        );
    }
    let (_socket, inbox) = desk.listen().await;
    assert!(inbox.is_empty());
}

#[tokio::test]
async fn texts_are_checked() {
    let world = World::start().await;
    let (desk, _page, conversation) = world.active().await;
    let id = conversation.id;
    assert_eq!(
        desk.say(id, Uuid::new_v4(), "  ").await.refused().code,
        ErrorCode::EmptyMessage
    );
    let long = "a".repeat(4_001);
    assert_eq!(
        desk.say(id, Uuid::new_v4(), &long).await.refused().code,
        ErrorCode::MessageTooLong
    );
    let unknown: Result<Value, Problem> = world
        .api
        .call(
            Method::GET,
            "/v1/conversations/not-an-id",
            Some(&desk.session.access_token),
            None,
        )
        .await;
    assert_eq!(unknown.refused().code, ErrorCode::NotFound);
}
