//! Customers whose pages are gone for too long: what ends, what does not, and what a restart makes of it.

use crate::{
    harness::{Desk, Page, Socket, World, browser},
    platform::Platform,
    rooms::{answer, offer, offered, presence, welcome},
};
use serde_json::{Value, json};
use sightline_server::Deployment;
use sightline_wire::{
    agent::AgentEvent,
    conversation::{Body, Conversation, ConversationState},
    directline::ActivitySet,
    escalation::{EndReason, EscalationState},
    ids::ConversationId,
    room::RoomRequest,
};
use uuid::Uuid;

async fn after_seconds(seconds: u32, more: &str) -> World {
    let file = format!("[web_chat]\ncustomer_gone_after_s = {seconds}\n{more}");
    let deployment = Deployment::parse(&file).unwrap();
    World::with(|config| config.deployment = deployment).await
}

/// Waits for the conversation to be there.
async fn becomes(socket: &mut Socket, id: ConversationId, state: ConversationState) -> Conversation {
    let what = format!("{state:?}");
    socket
        .agent_event(&what, |event| match event {
            AgentEvent::Conversation(c) if c.id == id && c.state == state => Some(c),
            _ => None,
        })
        .await
}

/// A customer whose page is open, who has written.
async fn there(world: &World) -> (Page, Socket) {
    let page = world.api.page().await;
    let stream = page.stream("0").await;
    page.say("Hello").await;
    (page, stream)
}

async fn last_line(desk: &Desk, id: ConversationId) -> String {
    let last = desk.messages(id).await.pop().unwrap();
    let Body::Event { text, .. } = last.body else {
        panic!("a line of history, not {last:?}");
    };
    text
}

#[tokio::test]
async fn nobody_had_taken_it_so_it_is_closed_and_the_customer_begins_anew() {
    let world = after_seconds(1, "").await;
    let desk = world.desk("agent").await;
    let (mut socket, _) = desk.listen().await;
    let (page, stream) = there(&world).await;
    let supervisor = world.desk("supervisor").await;
    let (_, inbox) = supervisor.listen().await;
    let id = inbox[0].id;
    stream.vanish();
    becomes(&mut socket, id, ConversationState::Closed).await;
    assert_eq!(
        last_line(&supervisor, id).await,
        "The customer was gone for 1 second, so the chat has ended"
    );
    page.say("I am back").await;
    let next = desk.accept_newest().await;
    assert_ne!(next.id, id);
}

#[tokio::test]
async fn an_agent_goes_on_to_wrap_up_and_an_invite_is_taken_back() {
    let world = after_seconds(1, "").await;
    let desk = world.desk("agent").await;
    let (page, stream) = there(&world).await;
    let conversation = desk.accept_newest().await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let (mut socket, _) = desk.listen().await;
    stream.vanish();
    let over = becomes(&mut socket, conversation.id, ConversationState::WrapUp).await;
    assert_eq!(over.owner, conversation.owner);
    let call = over.escalation.unwrap();
    assert_eq!(call.id, started.escalation.id);
    assert!(matches!(
        call.state,
        EscalationState::Ended {
            reason: EndReason::Cancelled,
            ..
        }
    ));
    assert!(
        last_line(&desk, conversation.id)
            .await
            .starts_with("The customer was gone")
    );
    // The page that comes back reads so.
    let history = page.history().await;
    assert!(
        history
            .last()
            .unwrap()
            .text
            .as_deref()
            .unwrap()
            .starts_with("The customer was gone")
    );
}

#[tokio::test]
async fn who_comes_back_in_time_stays_and_who_goes_again_is_counted_anew() {
    let world = after_seconds(2, "").await;
    let desk = world.desk("agent").await;
    let (page, stream) = there(&world).await;
    let conversation = desk.accept_newest().await;
    let (_other, others) = there(&world).await;
    let (mut socket, inbox) = desk.listen().await;
    let other = inbox.iter().find(|c| c.state == ConversationState::Open).unwrap().id;
    // Away before the other one, and back before that one is over.
    stream.vanish();
    let left = |c: &Conversation, id| c.id == id && !c.customer_present;
    socket
        .agent_event("the page's going", |event| match event {
            AgentEvent::Conversation(c) if left(&c, conversation.id) => Some(()),
            _ => None,
        })
        .await;
    others.vanish();
    let back = page.stream("0").await;
    becomes(&mut socket, other, ConversationState::Closed).await;
    assert_eq!(
        desk.conversation(conversation.id).await.state,
        ConversationState::Active
    );
    back.vanish();
    becomes(&mut socket, conversation.id, ConversationState::WrapUp).await;
}

#[tokio::test]
async fn a_page_without_a_stream_is_there_while_it_asks() {
    let world = after_seconds(1, "").await;
    let (desk, page, conversation) = world.active().await;
    let (mut socket, _) = desk.listen().await;
    let began = std::time::Instant::now();
    while began.elapsed().as_millis() < 2_500 {
        page.history().await;
        tokio::task::yield_now().await;
    }
    assert_eq!(
        desk.conversation(conversation.id).await.state,
        ConversationState::Active
    );
    becomes(&mut socket, conversation.id, ConversationState::WrapUp).await;
}

#[tokio::test]
async fn a_call_holds_the_chat_and_its_end_begins_to_count() {
    let world = after_seconds(1, "").await;
    let desk = world.desk("agent").await;
    let (page, stream) = there(&world).await;
    let conversation = desk.accept_newest().await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let mut agent = world.api.room(&started.room_token, None).await;
    welcome(&mut agent).await;
    agent.send(&RoomRequest::Offer(offer(1))).await;
    let code = page.invite().await;
    let redeemed = world.api.redeem(&code, &browser()).await.unwrap();
    let mut customer = world.api.room(&redeemed.room_token, None).await;
    if welcome(&mut customer).await.offer.is_none() {
        offered(&mut customer).await;
    }
    presence(&mut agent).await;
    customer.send(&answer(1)).await;
    for side in [&mut customer, &mut agent] {
        side.send(&RoomRequest::MediaFlowing).await;
    }
    let (mut socket, _) = desk.listen().await;
    stream.vanish();
    // Another customer is gone for as long, a moment later.
    let (_other, others) = there(&world).await;
    let other = socket
        .agent_event("the other one", |event| match event {
            AgentEvent::Conversation(c) if c.id != conversation.id => Some(c.id),
            _ => None,
        })
        .await;
    others.vanish();
    becomes(&mut socket, other, ConversationState::Closed).await;
    assert_eq!(
        desk.conversation(conversation.id).await.state,
        ConversationState::Active
    );
    let path = format!("/v1/escalations/{}/end", started.escalation.id);
    let _: Value = desk.post(&path, json!({})).await.unwrap();
    becomes(&mut socket, conversation.id, ConversationState::WrapUp).await;
}

#[tokio::test]
async fn a_restart_begins_to_count_for_everybody() {
    let mut world = after_seconds(2, "").await;
    let (page, stream) = there(&world).await;
    let desk = world.desk("agent").await;
    let conversation = desk.accept_newest().await;
    let (_gone, others) = there(&world).await;
    drop((stream, others));
    world.restart().await;
    let desk = world.desk("agent").await;
    let (mut socket, inbox) = desk.listen().await;
    let gone = inbox.iter().find(|c| c.id != conversation.id).unwrap().id;
    let _back = page.stream("0").await;
    becomes(&mut socket, gone, ConversationState::Closed).await;
    assert_eq!(
        desk.conversation(conversation.id).await.state,
        ConversationState::Active
    );
}

#[tokio::test]
async fn who_was_told_that_the_message_waits_need_not_wait_at_the_page() {
    let world = after_seconds(1, "[queues.default]\ntitle = \"Support\"\n[queues.other]\n").await;
    let (page, stream) = there(&world).await;
    let told = page.history().await;
    assert!(
        told.iter()
            .any(|line| line.text.as_deref().unwrap_or_default().contains("waits for the first"))
    );
    let supervisor = world.desk("supervisor").await;
    let (mut socket, inbox) = supervisor.listen().await;
    let promised = inbox[0].id;
    stream.vanish();
    // Somebody is there now, so the next customer is promised nothing, and is gone later.
    let desk = world.desk("agent").await;
    let (_seat, _) = desk.listen().await;
    let (_next, next) = there(&world).await;
    let other = socket
        .agent_event("the next one", |event| match event {
            AgentEvent::Conversation(c) if c.id != promised => Some(c.id),
            _ => None,
        })
        .await;
    next.vanish();
    becomes(&mut socket, other, ConversationState::Closed).await;
    assert_eq!(supervisor.conversation(promised).await.state, ConversationState::Open);
    // Taken and answered, it waits for the page; once the page has the answer, it is a chat like any other.
    let taken = desk.accept_newest().await;
    assert_eq!(taken.id, promised);
    desk.say(promised, Uuid::new_v4(), "Good morning.").await.unwrap();
    let mut back = page.stream("0").await;
    let answer = |set: ActivitySet| {
        let mut lines = set.activities.iter();
        lines
            .find(|line| line.text.as_deref() == Some("Good morning."))
            .map(drop)
    };
    back.expect("the answer", answer).await;
    back.vanish();
    let (mut socket, _) = supervisor.listen().await;
    becomes(&mut socket, promised, ConversationState::WrapUp).await;
}

#[tokio::test]
async fn a_platforms_customer_has_no_page_to_be_gone_from() {
    let platform = Platform::start().await;
    let mut deployment = platform.deployment();
    deployment.web_chat.customer_gone_after_s = 1;
    let world = World::with(|config| config.deployment = deployment).await;
    platform.customer_writes(&world, "100", "M-1", "Hello").await;
    let desk = world.desk("agent").await;
    let conversation = desk.accept_newest().await;
    let (mut socket, _) = desk.listen().await;
    let (_page, stream) = there(&world).await;
    let other = socket
        .agent_event("the other one", |event| match event {
            AgentEvent::Conversation(c) if c.id != conversation.id => Some(c.id),
            _ => None,
        })
        .await;
    stream.vanish();
    becomes(&mut socket, other, ConversationState::Closed).await;
    assert_eq!(
        desk.conversation(conversation.id).await.state,
        ConversationState::Active
    );
}
