//! The desk's socket.

use crate::harness::World;
use sightline_wire::{
    ErrorCode,
    agent::{AgentEvent, AgentRequest},
    ids::DeskId,
};
use std::time::{Duration, Instant};
use uuid::Uuid;

#[tokio::test]
async fn a_new_conversation_and_its_messages_are_announced_in_order() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    let (mut socket, inbox) = desk.listen().await;
    assert!(inbox.is_empty());
    let page = world.api.page().await;
    page.say("One").await;
    page.say("Two").await;
    let mut seen = Vec::new();
    socket
        .agent_event("both messages", |event| {
            match event {
                AgentEvent::Conversation(c) => seen.push(format!("conversation {}", c.last_seq)),
                AgentEvent::Message(m) => seen.push(format!("message {} {}", m.seq, m.body.text())),
                _ => {}
            }
            seen.iter().any(|s| s == "message 2 Two").then_some(())
        })
        .await;
    assert_eq!(
        seen,
        ["conversation 1", "message 1 One", "conversation 2", "message 2 Two"]
    );
}

#[tokio::test]
async fn a_second_desk_has_to_take_over() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    let (first, second) = (DeskId(Uuid::new_v4()), DeskId(Uuid::new_v4()));
    let welcome = |event| matches!(event, AgentEvent::Welcome { .. }).then_some(());
    let mut old = desk.hello(first, false).await;
    old.agent_event("a welcome", welcome).await;

    let mut refused = desk.hello(second, false).await;
    assert_eq!(refused.problem().await, ErrorCode::SecondDesk);
    assert_eq!(refused.closed().await, 1008);

    let mut new = desk.hello(second, true).await;
    new.agent_event("a welcome", welcome).await;
    assert_eq!(old.problem().await, ErrorCode::DeskDisplaced);
    assert_eq!(old.closed().await, 1008);

    // The same desk replaces its own socket without a word.
    let mut again = desk.hello(second, false).await;
    again.agent_event("a welcome", welcome).await;
    assert_eq!(new.closed().await, 1000);
}

#[tokio::test]
async fn typing_goes_both_ways_and_is_not_kept() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let (mut socket, _) = desk.listen().await;
    let mut stream = page.stream("1").await;
    // The stream is open once the agent is told that the customer is there.
    let present = |event| match event {
        AgentEvent::Conversation(c) if c.customer_present => Some(()),
        _ => None,
    };
    socket.agent_event("the customer's presence", present).await;
    page.activity(serde_json::json!({ "type": "typing", "from": { "id": "me" } }))
        .await
        .unwrap();
    socket
        .agent_event("typing", |event| match event {
            AgentEvent::Typing {
                conversation: id,
                until,
            } if id == conversation.id && until > 0 => Some(()),
            _ => None,
        })
        .await;
    socket
        .send(&AgentRequest::Typing {
            conversation: conversation.id,
        })
        .await;
    let from = stream
        .expect("typing", |set: sightline_wire::directline::ActivitySet| {
            set.activities.into_iter().find(|a| a.kind == "typing").map(|a| a.from)
        })
        .await;
    assert_eq!(from.name.as_deref(), Some("agent"));
    assert_eq!(page.history().await.len(), 1);
    stream.vanish();
    socket
        .agent_event("the customer's absence", |event| match event {
            AgentEvent::Conversation(c) if !c.customer_present => Some(()),
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn a_silent_desk_is_let_go() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    let (mut socket, _) = desk.listen().await;
    let since = Instant::now();
    assert_eq!(socket.problem().await, ErrorCode::HeartbeatMissed);
    assert!(since.elapsed() < Duration::from_secs(7));
}

#[tokio::test]
async fn a_desk_that_does_not_keep_up_gets_its_inbox_anew() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let (mut socket, _) = desk.listen().await;
    // The desk reads nothing while far more happens than a socket's buffers hold.
    let text = "x".repeat(3_500);
    for _ in 0..20 {
        let sends = (0..40).map(|_| page.say(&text));
        futures_util::future::join_all(sends).await;
        socket.send(&AgentRequest::Heartbeat).await;
    }
    let last = desk.conversation(conversation.id).await.last_seq;
    assert_eq!(last, 801);
    // Whatever was dropped, in the end it knows how far the conversation has come.
    let reached = |event: AgentEvent| {
        let seq = match event {
            AgentEvent::Welcome { conversations, .. } => conversations.first().map(|c| c.last_seq),
            AgentEvent::Conversation(c) => Some(c.last_seq),
            _ => None,
        };
        (seq == Some(last)).then_some(())
    };
    socket.agent_event("the last message", reached).await;
}
