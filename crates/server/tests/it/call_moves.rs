//! A conversation in video moves with its call: the customer stays in the room, and another agent comes in.

use crate::{
    harness::{Answer, Desk, Page, Socket, World, browser},
    ready_desk::{Seat, new_desk, ready, start, strict},
    rooms::{answer, answered, ended, offer, offered, presence, welcome},
    routing::{accept, untested},
    transfers::{hand_to, hand_to_queue, two},
};
use reqwest::Method;
use serde_json::json;
use sightline_server::Deployment;
use sightline_wire::{
    ErrorCode, Problem,
    conversation::{Body, Conversation},
    escalation::{EndReason, EscalationState, EscalationView, InviteView, VideoStarted},
    ids::ConversationId,
    room::{Presence, RoomEvent, RoomRequest},
    routing::TransferTargets,
};

/// A call that both sides see and hear, with its sockets.
struct Call {
    started: VideoStarted,
    agent: Socket,
    customer: Socket,
}

async fn live(world: &World, desk: &Desk, page: &Page, id: ConversationId) -> Call {
    let started = start(desk, &desk.conversation(id).await).await.unwrap();
    let mut agent = world.api.room(&started.room_token, None).await;
    welcome(&mut agent).await;
    agent.send(&RoomRequest::Offer(offer(1))).await;
    let code = page.invite().await;
    let redeemed = world.api.redeem(&code, &browser()).await.unwrap();
    let mut customer = world.api.room(&redeemed.room_token, None).await;
    welcome(&mut customer).await;
    customer.send(&answer(1)).await;
    answered(&mut agent).await;
    customer.send(&RoomRequest::MediaFlowing).await;
    Call {
        started,
        agent,
        customer,
    }
}

async fn rejoin(desk: &Desk, call: &EscalationView) -> Result<VideoStarted, Problem> {
    desk.post(&format!("/v1/escalations/{}/rejoin", call.id), json!({}))
        .await
}

async fn end(desk: &Desk, call: &EscalationView) -> Result<EscalationView, Problem> {
    desk.post(&format!("/v1/escalations/{}/end", call.id), json!({})).await
}

async fn named(customer: &mut Socket) -> String {
    customer
        .room_event("who has the call now", |event| match event {
            RoomEvent::Agent { name } => Some(name),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn the_customer_stays_in_the_room_and_the_colleague_comes_in() {
    let world = World::start().await;
    let ((owner, mut first), (colleague, mut second), page, id) = two(&world).await;
    let Call {
        started,
        mut agent,
        mut customer,
    } = live(&world, &owner, &page, id).await;
    hand_to(&owner, id, &colleague).await.unwrap();
    let call = &started.escalation;
    let asked = second.asked().await;
    assert!(asked.video && asked.from.as_deref() == Some("agent"));
    // Nothing has moved before the yes: the room is the owner's.
    assert_eq!(
        rejoin(&colleague, call).await.refused().code,
        ErrorCode::NotYourConversation
    );
    agent.send(&RoomRequest::Offer(offer(2))).await;
    assert_eq!(offered(&mut customer).await, offer(2));

    let taken = accept(&colleague, id).await.unwrap();
    let moved = taken.escalation.unwrap();
    assert_eq!(moved.id, call.id);
    assert!(matches!(moved.state, EscalationState::Live { .. }), "{:?}", moved.state);
    assert_eq!(first.handed().await.to, "colleague");
    assert_eq!(first.gone().await, id);
    // The customer reads who comes, and keeps the seat. The desk before is out, with each of its keys.
    assert_eq!(named(&mut customer).await, "colleague");
    assert!(matches!(presence(&mut customer).await, Presence::Away { .. }));
    assert_eq!(agent.problem().await, ErrorCode::NotYourConversation);
    let mut back = world.api.room(&started.room_token, None).await;
    assert_eq!(back.problem().await, ErrorCode::RoomRefused);
    assert_eq!(
        rejoin(&owner, call).await.refused().code,
        ErrorCode::NotYourConversation
    );
    assert_eq!(end(&owner, call).await.refused().code, ErrorCode::NotYourConversation);

    let again = rejoin(&colleague, call).await.unwrap();
    let mut desk = world.api.room(&again.room_token, None).await;
    let here = welcome(&mut desk).await;
    assert!(matches!(here.other, Presence::Here { .. }));
    assert!(matches!(presence(&mut customer).await, Presence::Here { session: 2 }));
    desk.send(&RoomRequest::Offer(offer(3))).await;
    assert_eq!(offered(&mut customer).await, offer(3));
    customer.send(&answer(3)).await;
    assert_eq!(answered(&mut desk).await.0, 3);

    // The slot is the colleague's now, and the owner's is free.
    let next = another(&world, &owner).await;
    start(&owner, &next).await.unwrap();
    let full = another(&world, &colleague).await;
    assert_eq!(start(&colleague, &full).await.refused().code, ErrorCode::VideoSlotTaken);
    end(&colleague, call).await.unwrap();
    assert_eq!(ended(&mut customer).await, EndReason::AgentHungUp);
    let lines: Vec<Body> = colleague.messages(id).await.into_iter().map(|m| m.body).collect();
    assert!(lines.iter().any(|line| line.text() == "colleague took over from agent"));
}

/// One more conversation of this agent's.
async fn another(world: &World, desk: &Desk) -> Conversation {
    world.api.page().await.say("Hello").await;
    desk.accept_newest().await
}

#[tokio::test]
async fn an_invite_that_is_out_is_the_colleagues_and_says_so_to_whoever_opens_it() {
    let mut world = World::start().await;
    let ((owner, _first), (colleague, mut second), page, id) = two(&world).await;
    let started = start(&owner, &owner.conversation(id).await).await.unwrap();
    let code = page.invite().await;
    hand_to(&owner, id, &colleague).await.unwrap();
    second.asked().await;
    accept(&colleague, id).await.unwrap();
    let path = format!("/v1/invites/{code}");
    let open: InviteView = world.api.call(Method::GET, &path, None, None).await.unwrap();
    assert_eq!(open.agent_name, "colleague");
    // What was taken over holds over a restart too.
    world.restart().await;
    let colleague = world.desk("colleague").await;
    let again = rejoin(&colleague, &started.escalation).await.unwrap();
    let mut desk = world.api.room(&again.room_token, None).await;
    assert_eq!(welcome(&mut desk).await.other, Presence::Absent);
    let mut back = world.api.room(&started.room_token, None).await;
    assert_eq!(back.problem().await, ErrorCode::RoomRefused);
}

#[tokio::test]
async fn a_desk_that_is_not_ready_for_video_is_not_even_asked() {
    let world = strict().await;
    let (owner, page, conversation, _first, _) = ready(&world).await;
    let call = live(&world, &owner, &page, conversation.id).await;
    let (colleague, _second) = untested(&world, "colleague").await;
    let refused = hand_to(&owner, conversation.id, &colleague).await.refused();
    assert_eq!(refused.code, ErrorCode::CannotTransfer);
    assert!(refused.message.contains("not ready for video"), "{}", refused.message);
    rejoin(&owner, &call.started.escalation).await.unwrap();
}

/// A call of the colleague's own has begun by the time of the yes: neither conversation nor call moves.
#[tokio::test]
async fn who_has_another_call_meanwhile_gets_neither() {
    let world = World::start().await;
    let (owner, page, conversation) = world.active().await;
    let id = conversation.id;
    let colleague = world.desk("colleague").await;
    let own = another(&world, &colleague).await;
    let (_first, _) = Seat::take(&owner, new_desk()).await;
    let (mut second, _) = Seat::take(&colleague, new_desk()).await;
    let call = live(&world, &owner, &page, id).await;
    hand_to(&owner, id, &colleague).await.unwrap();
    second.asked().await;
    start(&colleague, &own).await.unwrap();
    let refused = accept(&colleague, id).await.refused();
    assert!(
        matches!(refused.code, ErrorCode::VideoSlotTaken | ErrorCode::AlreadyAccepted),
        "{refused:?}"
    );
    assert_eq!(owner.conversation(id).await.owner, Some(owner.session.account.id));
    rejoin(&owner, &call.started.escalation).await.unwrap();
}

#[tokio::test]
async fn to_a_queue_it_goes_by_the_one_who_is_free_there_and_nobody_is_left_alone_in_a_call() {
    let file = r#"
        [queues.default]
        title = "Support"
        [queues.billing]
        title = "Billing"
        [agents."colleague@example.test"]
        queues = ["billing"]
        [agents."agent@example.test"]
        queues = ["default"]
    "#;
    let world = World::with(|config| config.deployment = Deployment::parse(file).unwrap()).await;
    let ((owner, mut first), (colleague, mut second), page, id) = two(&world).await;
    let mut call = live(&world, &owner, &page, id).await;
    let targets: TransferTargets = owner.get(&format!("/v1/conversations/{id}/targets")).await.unwrap();
    let number = |title: &str| targets.queues.iter().find(|queue| queue.title == title).unwrap().queue;
    let refused = hand_to_queue(&owner, id, number("Support")).await.refused();
    assert_eq!(refused.code, ErrorCode::CannotTransfer);
    assert!(
        refused.message.starts_with("Nobody of this queue"),
        "{}",
        refused.message
    );

    hand_to_queue(&owner, id, number("Billing")).await.unwrap();
    assert_eq!(second.asked().await.conversation, id);
    assert_eq!(owner.conversation(id).await.owner, Some(owner.session.account.id));
    accept(&colleague, id).await.unwrap();
    assert_eq!(first.handed().await.to, "colleague");
    assert_eq!(named(&mut call.customer).await, "colleague");
}
