//! Connecting ahead of the tap.

use crate::{
    harness::{Answer, Desk, Page, Socket, World, browser},
    rooms::{answer, answered, ended, offer, offered, presence, welcome},
};
use reqwest::Method;
use serde_json::{Value, json};
use sightline_wire::{
    ErrorCode, Problem,
    conversation::Conversation,
    escalation::{EndReason, EscalationState, VideoStarted, Warmed},
    room::{MediaState, Presence, RoomEvent, RoomRequest},
};
use std::time::Duration;
use uuid::Uuid;

/// A call whose customer has opened the link and answered the waiting offer, and has not tapped.
struct Warm {
    world: World,
    desk: Desk,
    page: Page,
    conversation: Conversation,
    started: VideoStarted,
    code: String,
    browser: String,
    warmed: Warmed,
    agent: Socket,
    agent_resume: String,
    customer: Socket,
    customer_resume: String,
}

async fn warm(world: World) -> Warm {
    let (desk, page, conversation) = world.active().await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let mut agent = world.api.room(&started.room_token, None).await;
    let agent_resume = welcome(&mut agent).await.resume;
    agent.send(&RoomRequest::Offer(offer(1))).await;
    let code = page.invite().await;
    let browser = browser();
    let warmed = world.api.warm(&code, &browser).await.unwrap();
    let mut customer = world.api.room(&warmed.room_token, None).await;
    let there = welcome(&mut customer).await;
    assert_eq!(there.offer.or(warmed.offer.clone()), Some(offer(1)));
    assert_eq!(presence(&mut agent).await, Presence::Warm { session: 1 });
    customer.send(&answer(1)).await;
    assert_eq!(answered(&mut agent).await, (1, "v=0 answer 1".into()));
    Warm {
        world,
        desk,
        page,
        conversation,
        started,
        code,
        browser,
        warmed,
        agent,
        agent_resume,
        customer,
        customer_resume: there.resume,
    }
}

impl Warm {
    async fn state(&self) -> EscalationState {
        let conversation = self.desk.conversation(self.conversation.id).await;
        conversation.escalation.unwrap().state
    }
}

async fn joined(socket: &mut Socket) {
    let joined = |event| matches!(event, RoomEvent::Joined).then_some(());
    socket.room_event("the way in", joined).await;
}

#[tokio::test]
async fn warming_spends_nothing_and_the_tap_joins_over_the_same_socket() {
    let mut call = warm(World::start().await).await;
    assert_eq!(call.state().await, EscalationState::Invited);
    // Ahead of the tap a page may only connect.
    for request in [
        RoomRequest::Media(MediaState::default()),
        RoomRequest::MediaFlowing,
        RoomRequest::Leave,
    ] {
        call.customer.send(&request).await;
        assert_eq!(call.customer.problem().await, ErrorCode::BadRequest);
    }
    assert_eq!(call.state().await, EscalationState::Invited);

    call.customer.send(&RoomRequest::Join).await;
    joined(&mut call.customer).await;
    assert_eq!(presence(&mut call.agent).await, Presence::Here { session: 1 });
    assert!(matches!(call.state().await, EscalationState::Joining { .. }));
    // An answer that got lost is given again, also to the socket after this one.
    call.customer.send(&RoomRequest::Join).await;
    joined(&mut call.customer).await;
    call.customer.vanish();
    let token = &call.warmed.room_token;
    let mut back = call.world.api.room(token, Some(&call.customer_resume)).await;
    welcome(&mut back).await;
    back.send(&RoomRequest::Join).await;
    joined(&mut back).await;
    back.send(&RoomRequest::MediaFlowing).await;
    back.send(&RoomRequest::Leave).await;
    assert_eq!(ended(&mut call.agent).await, EndReason::CustomerLeft);

    // The token that was warm is a full one: it opens the survey.
    let path = format!("/v1/rooms/{}/survey", call.started.escalation.room);
    let body = json!({ "verdict": "up" });
    let rated: Result<Value, Problem> = call.world.api.call(Method::POST, &path, Some(token), Some(body)).await;
    rated.unwrap();
}

#[tokio::test]
async fn a_warm_token_gives_no_place_in_the_call() {
    let mut call = warm(World::start().await).await;
    let path = format!("/v1/rooms/{}/survey", call.started.escalation.room);
    let token = Some(call.warmed.room_token.as_str());
    let body = json!({ "verdict": "up" });
    let refused: Result<Value, Problem> = call.world.api.call(Method::POST, &path, token, Some(body)).await;
    assert_eq!(refused.refused().code, ErrorCode::RoomRefused);
    call.agent.send(&RoomRequest::Join).await;
    assert_eq!(call.agent.problem().await, ErrorCode::BadRequest);
}

#[tokio::test]
async fn the_newest_warm_browser_counts_and_the_one_that_joins_ends_it() {
    let mut call = warm(World::start().await).await;
    let second = browser();
    let warmed = call.world.api.warm(&call.code, &second).await.unwrap();
    assert_eq!(warmed.offer, None, "the first one has answered it");
    let mut newer = call.world.api.room(&warmed.room_token, None).await;
    welcome(&mut newer).await;
    assert_eq!(call.customer.problem().await, ErrorCode::RoomRefused);
    call.customer.closed().await;
    assert_eq!(presence(&mut call.agent).await, Presence::Warm { session: 2 });
    let mut late = call.world.api.room(&call.warmed.room_token, None).await;
    assert_eq!(late.problem().await, ErrorCode::RoomRefused);
    call.agent.send(&RoomRequest::Offer(offer(2))).await;
    assert_eq!(offered(&mut newer).await, offer(2));

    // The first one taps after all: its link is not spent.
    let redeemed = call.world.api.redeem(&call.code, &call.browser).await.unwrap();
    assert_eq!(newer.problem().await, ErrorCode::InviteInUse);
    newer.closed().await;
    assert_eq!(presence(&mut call.agent).await, Presence::Absent);
    let mut customer = call.world.api.room(&redeemed.room_token, None).await;
    welcome(&mut customer).await;
    assert_eq!(presence(&mut call.agent).await, Presence::Here { session: 3 });
    for browser in [&second, &call.browser] {
        let refused = call.world.api.warm(&call.code, browser).await.refused();
        assert_eq!(refused.code, ErrorCode::InviteInUse);
    }
    let mut gone = call.world.api.room(&warmed.room_token, None).await;
    assert_eq!(gone.problem().await, ErrorCode::RoomRefused);
}

#[tokio::test]
async fn a_warm_page_hears_at_once_that_the_link_is_over() {
    let mut call = warm(World::with(|config| config.invite_ttl = Duration::from_secs(2)).await).await;
    assert_eq!(ended(&mut call.customer).await, EndReason::InviteExpired);
    let refused = call.world.api.warm(&call.code, &call.browser).await.refused();
    assert_eq!(refused.code, ErrorCode::InviteExpired);

    let mut call = warm(World::start().await).await;
    let path = format!("/v1/escalations/{}/end", call.started.escalation.id);
    let _: Value = call.desk.post(&path, json!({})).await.unwrap();
    assert_eq!(ended(&mut call.customer).await, EndReason::Cancelled);

    let mut call = warm(World::start().await).await;
    let body = json!({ "browser_key": call.browser });
    let path = format!("/v1/invites/{}/decline", call.code);
    let _: Value = call.world.api.post(&path, body).await.unwrap();
    assert_eq!(ended(&mut call.agent).await, EndReason::CustomerDeclined);
    call.page.say("I would rather write").await;
}

#[tokio::test]
async fn a_page_that_goes_leaves_the_link_as_it_was() {
    let mut call = warm(World::start().await).await;
    call.customer.vanish();
    assert_eq!(presence(&mut call.agent).await, Presence::Absent);
    // The page reloads: a new connection, hence a new offer.
    let warmed = call.world.api.warm(&call.code, &call.browser).await.unwrap();
    let mut reloaded = call.world.api.room(&warmed.room_token, None).await;
    welcome(&mut reloaded).await;
    assert_eq!(presence(&mut call.agent).await, Presence::Warm { session: 2 });
}

#[tokio::test]
async fn a_restarted_server_or_desk_keeps_the_warm_page() {
    let mut call = warm(World::start().await).await;
    call.world.restart().await;
    let api = call.world.api.clone();
    let mut customer = api.room(&call.warmed.room_token, Some(&call.customer_resume)).await;
    let there = welcome(&mut customer).await;
    assert_eq!(there.offer, None, "its answer still holds");
    let mut agent = api.room(&call.started.room_token, Some(&call.agent_resume)).await;
    assert_eq!(welcome(&mut agent).await.other, Presence::Warm { session: 1 });
    assert!(matches!(presence(&mut customer).await, Presence::Here { session: 1 }));

    // The desk restarts: a new peer connection, so its new offer reaches the warm page.
    agent.vanish();
    assert!(matches!(presence(&mut customer).await, Presence::Away { .. }));
    let path = format!("/v1/escalations/{}/rejoin", call.started.escalation.id);
    let again: VideoStarted = call.desk.post(&path, json!({})).await.unwrap();
    let mut agent = api.room(&again.room_token, None).await;
    assert_eq!(welcome(&mut agent).await.other, Presence::Warm { session: 1 });
    agent.send(&RoomRequest::Offer(offer(9))).await;
    assert_eq!(offered(&mut customer).await, offer(9));
    customer.send(&RoomRequest::Join).await;
    joined(&mut customer).await;
    assert_eq!(presence(&mut agent).await, Presence::Here { session: 1 });
}

#[tokio::test]
async fn opening_a_link_again_and_again_has_an_end() {
    let call = warm(World::start().await).await;
    let mut refused = None;
    for _ in 0..80 {
        match call.world.api.warm(&call.code, &call.browser).await {
            Ok(_) => {}
            Err(problem) => {
                refused = Some(problem.code);
                break;
            }
        }
    }
    assert_eq!(refused, Some(ErrorCode::RateLimited));
    assert!(
        call.world.api.redeem(&call.code, &call.browser).await.is_ok(),
        "joining still works"
    );
}
