//! From text to video, up to the invite.

use crate::harness::{Answer, World, browser, sightline};
use serde_json::{Value, json};
use sightline_store::{
    Store,
    conversations::{self, NewConversation},
};
use sightline_wire::{
    ErrorCode, Problem,
    agent::AgentEvent,
    conversation::{Body, Channel, Conversation, ConversationState},
    directline::SightlineData,
    escalation::{EndReason, EscalationState, EscalationView},
    ids::ConversationId,
};
use std::time::Duration;
use uuid::Uuid;

fn reason(state: EscalationState) -> Option<EndReason> {
    match state {
        EscalationState::Ended { reason, .. } => Some(reason),
        _ => None,
    }
}

#[tokio::test]
async fn one_click_makes_one_call_and_one_link_however_often_it_is_sent() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let command = Uuid::new_v4();
    let clicks = (0..5).map(|_| desk.start_video(conversation.id, command));
    let answers = futures_util::future::join_all(clicks).await;
    let made: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().escalation).collect();
    assert!(made.iter().all(|escalation| *escalation == made[0]));
    assert_eq!(made[0].state, EscalationState::Invited);
    let code = page.invite().await;
    assert!(made[0].url.ends_with(&format!("/j/{code}")));
    assert!(code.len() >= 22, "128 bits in base64 are 22 characters");
    // The link is in the conversation once, with all that a page needs for a card.
    page.say("What is this?").await;
    let messages = desk.messages(conversation.id).await;
    let links: Vec<_> = messages
        .iter()
        .filter(|m| matches!(m.body, Body::Invite { .. }))
        .collect();
    assert_eq!(links.len(), 1);
    assert!(
        links[0].body.text().contains(&made[0].url),
        "a channel with text only shows the link too"
    );
    let cards: Vec<_> = page.history().await.iter().filter_map(sightline).collect();
    assert_eq!(
        cards,
        [SightlineData::Invite {
            url: made[0].url.clone(),
            code,
            agent_name: "agent".into(),
            expires_at: made[0].expires_at,
        }]
    );
}

#[tokio::test]
async fn the_checks_come_in_their_order() {
    let world = World::start().await;
    let (desk, _page, first) = world.active().await;
    let second_page = world.api.page().await;
    second_page.say("Me too").await;
    let (_socket, inbox) = desk.listen().await;
    let waiting = inbox.iter().find(|c| c.state == ConversationState::Open).unwrap().id;

    let not_accepted = desk.start_video(waiting, Uuid::new_v4()).await.refused();
    assert_eq!(not_accepted.code, ErrorCode::ConversationNotActive);
    let colleague = world.desk("colleague").await;
    let foreign = colleague.start_video(first.id, Uuid::new_v4()).await.refused();
    assert_eq!(foreign.code, ErrorCode::NotYourConversation);

    let started = desk.start_video(first.id, Uuid::new_v4()).await.unwrap();
    let second: Conversation = desk
        .post(&format!("/v1/conversations/{waiting}/accept"), json!({}))
        .await
        .unwrap();
    let taken = desk.start_video(second.id, Uuid::new_v4()).await.refused();
    assert_eq!(taken.code, ErrorCode::VideoSlotTaken);
    assert_eq!(
        (taken.conversation, taken.escalation),
        (Some(first.id), Some(started.escalation.id))
    );
    let again = desk.start_video(first.id, Uuid::new_v4()).await.refused();
    assert_eq!(again.code, ErrorCode::VideoSlotTaken);
    let reused = desk.start_video(second.id, Uuid::new_v4()).await.refused();
    assert_eq!(reused.code, ErrorCode::VideoSlotTaken);
}

#[tokio::test]
async fn a_channel_without_text_cannot_carry_the_link() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    let id = ConversationId(Uuid::new_v4());
    // No connector for telephones exists yet, so its conversation is put there by hand.
    let store = Store::open(&world.folder.database()).await.unwrap();
    let mut writing = store.write().await.unwrap();
    let new = NewConversation {
        id,
        channel: Channel::Phone,
        thread: None,
        customer_name: "Caller".into(),
        context: Default::default(),
    };
    conversations::open(writing.conn(), &new, 1).await.unwrap();
    drop(writing.commit().await.unwrap());
    store.close().await;
    let _: Conversation = desk
        .post(&format!("/v1/conversations/{id}/accept"), json!({}))
        .await
        .unwrap();
    let refused = desk.start_video(id, Uuid::new_v4()).await.refused();
    assert_eq!(refused.code, ErrorCode::ChannelCannotCarryLink);
}

#[tokio::test]
async fn cancelling_takes_the_link_back_and_frees_the_slot() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let code = page.invite().await;
    let path = format!("/v1/escalations/{}", started.escalation.id);
    for _ in 0..2 {
        let ended: EscalationView = desk.post(&format!("{path}/end"), json!({})).await.unwrap();
        assert_eq!(reason(ended.state), Some(EndReason::Cancelled));
    }
    let refused = world.api.redeem(&code, &browser()).await.refused();
    assert_eq!(refused.code, ErrorCode::InviteRevoked);
    for route in ["rejoin", "resend"] {
        let over: Result<Value, Problem> = desk.post(&format!("{path}/{route}"), json!({})).await;
        assert_eq!(over.refused().code, ErrorCode::EscalationEnded);
    }
    let lines = desk.messages(conversation.id).await;
    assert_eq!(lines.last().unwrap().body.text(), "The video invite was taken back");
    assert!(desk.start_video(conversation.id, Uuid::new_v4()).await.is_ok());
}

#[tokio::test]
async fn the_link_can_be_sent_again() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let (mut socket, _) = desk.listen().await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let invite = |event: AgentEvent| match event {
        AgentEvent::Message(m) => match m.body {
            Body::Invite { url, .. } => Some(url),
            _ => None,
        },
        _ => None,
    };
    let first = socket.agent_event("the link", invite).await;
    let _: EscalationView = desk
        .post(&format!("/v1/escalations/{}/resend", started.escalation.id), json!({}))
        .await
        .unwrap();
    assert_eq!(socket.agent_event("the link again", invite).await, first);
    assert_eq!(page.history().await.iter().filter_map(sightline).count(), 2);
}

#[tokio::test]
async fn an_invite_that_nobody_follows_ends_the_call() {
    let world = World::with(|config| config.invite_ttl = Duration::from_millis(600)).await;
    let (desk, page, conversation) = world.active().await;
    let (mut socket, _) = desk.listen().await;
    desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let code = page.invite().await;
    let ended = socket
        .agent_event("the end", |event| match event {
            AgentEvent::Conversation(c) => reason(c.escalation?.state),
            _ => None,
        })
        .await;
    assert_eq!(ended, EndReason::InviteExpired);
    socket
        .agent_event("the line", |event| match event {
            AgentEvent::Message(m) => (m.body.text() == "The video link expired: nobody joined").then_some(()),
            _ => None,
        })
        .await;
    let late = world.api.redeem(&code, &browser()).await.refused();
    assert_eq!(late.code, ErrorCode::InviteExpired);
    assert!(desk.start_video(conversation.id, Uuid::new_v4()).await.is_ok());
}

#[tokio::test]
async fn wrap_up_waits_for_the_call_unless_it_is_told_to_end_it() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let code = page.invite().await;
    world.api.redeem(&code, &browser()).await.unwrap();
    let path = format!("/v1/conversations/{}/wrap-up", conversation.id);
    let refused: Result<Conversation, Problem> = desk.post(&path, json!({ "end_call": false })).await;
    let refused = refused.refused();
    assert_eq!(
        (refused.code, refused.escalation),
        (ErrorCode::CallLive, Some(started.escalation.id))
    );
    let mut room = world.api.room(&started.room_token, None).await;
    let wrapped: Conversation = desk.post(&path, json!({ "end_call": true })).await.unwrap();
    assert_eq!(wrapped.state, ConversationState::WrapUp);
    assert_eq!(reason(wrapped.escalation.unwrap().state), Some(EndReason::WrappedUp));
    assert_eq!(room.closed().await, 1000);
}

#[tokio::test]
async fn wrapping_up_takes_an_unused_link_back() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let code = page.invite().await;
    desk.wrap_up_and_close(conversation.id).await;
    assert_eq!(
        world.api.redeem(&code, &browser()).await.refused().code,
        ErrorCode::InviteRevoked
    );
}
