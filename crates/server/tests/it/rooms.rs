//! Signalling between the two seats.

use crate::harness::{Answer, Desk, Page, Socket, World, browser};
use reqwest::Method;
use serde_json::{Value, json};
use sightline_wire::{
    ErrorCode, Problem,
    conversation::Conversation,
    escalation::{EndReason, EscalationState, Redeemed, VideoStarted},
    room::{Attempt, MediaState, Offer, Party, Presence, RoomEvent, RoomRequest},
    survey::{Issue, Survey, Verdict},
};
use std::time::{Duration, Instant};
use uuid::Uuid;

pub struct Welcome {
    pub resume: String,
    pub you: Party,
    pub other: Presence,
    pub offer: Option<Offer>,
    pub other_media: MediaState,
}

pub async fn welcome(socket: &mut Socket) -> Welcome {
    socket
        .room_event("a welcome", |event| match event {
            RoomEvent::Welcome {
                resume,
                you,
                other,
                offer,
                other_media,
                ..
            } => Some(Welcome {
                resume,
                you,
                other,
                offer,
                other_media,
            }),
            _ => None,
        })
        .await
}

pub async fn presence(socket: &mut Socket) -> Presence {
    socket
        .room_event("presence", |event| match event {
            RoomEvent::Presence(presence) => Some(presence),
            _ => None,
        })
        .await
}

pub async fn ended(socket: &mut Socket) -> EndReason {
    socket
        .room_event("the end", |event| match event {
            RoomEvent::Ended { reason } => Some(reason),
            _ => None,
        })
        .await
}

pub async fn offered(socket: &mut Socket) -> Offer {
    socket
        .room_event("an offer", |event| match event {
            RoomEvent::Offer(offer) => Some(offer),
            _ => None,
        })
        .await
}

pub async fn answered(socket: &mut Socket) -> (u32, String) {
    socket
        .room_event("an answer", |event| match event {
            RoomEvent::Answer { negotiation, sdp } => Some((negotiation, sdp)),
            _ => None,
        })
        .await
}

async fn candidate(socket: &mut Socket) -> String {
    socket
        .room_event("a candidate", |event| match event {
            RoomEvent::Candidate { candidate, .. } => Some(candidate),
            _ => None,
        })
        .await
}

pub fn offer(negotiation: u32) -> Offer {
    Offer {
        negotiation,
        sdp: format!("v=0 offer {negotiation}"),
    }
}

pub fn answer(negotiation: u32) -> RoomRequest {
    RoomRequest::Answer {
        negotiation,
        sdp: format!("v=0 answer {negotiation}"),
    }
}

fn candidate_of(negotiation: u32, text: &str) -> RoomRequest {
    RoomRequest::Candidate {
        negotiation,
        candidate: text.into(),
    }
}

/// A call with both sides in the room.
struct Call {
    world: World,
    desk: Desk,
    page: Page,
    conversation: Conversation,
    started: VideoStarted,
    redeemed: Redeemed,
    code: String,
    browser: String,
    agent: Socket,
    agent_resume: String,
    customer: Socket,
    customer_resume: String,
}

async fn call(world: World) -> Call {
    let (desk, page, conversation) = world.active().await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let mut agent = world.api.room(&started.room_token, None).await;
    let here = welcome(&mut agent).await;
    assert_eq!((here.you, here.other), (Party::Agent, Presence::Absent));
    agent.send(&RoomRequest::Offer(offer(1))).await;
    agent.send(&candidate_of(1, "candidate:early")).await;
    let code = page.invite().await;
    let browser = browser();
    let redeemed = world.api.redeem(&code, &browser).await.unwrap();
    let mut customer = world.api.room(&redeemed.room_token, None).await;
    let there = welcome(&mut customer).await;
    assert_eq!(
        (there.you, there.other),
        (Party::Customer, Presence::Here { session: 1 })
    );
    assert_eq!(presence(&mut agent).await, Presence::Here { session: 1 });
    let (agent_resume, customer_resume) = (here.resume, there.resume);
    // The waiting offer came with the redemption, or with the welcome when it was a moment later.
    assert_eq!(there.offer, Some(offer(1)));
    assert_eq!(candidate(&mut customer).await, "candidate:early");
    Call {
        world,
        desk,
        page,
        conversation,
        started,
        redeemed,
        code,
        browser,
        agent,
        agent_resume,
        customer,
        customer_resume,
    }
}

async fn answered_call(world: World) -> Call {
    let mut call = call(world).await;
    call.customer.send(&answer(1)).await;
    assert_eq!(answered(&mut call.agent).await, (1, "v=0 answer 1".into()));
    call
}

impl Call {
    async fn state(&self) -> EscalationState {
        self.desk
            .conversation(self.conversation.id)
            .await
            .escalation
            .unwrap()
            .state
    }
}

#[tokio::test]
async fn a_call_from_the_link_to_the_survey() {
    let mut call = answered_call(World::start().await).await;
    assert!(matches!(call.state().await, EscalationState::Joining { .. }));
    call.customer.send(&candidate_of(1, "candidate:late")).await;
    assert_eq!(candidate(&mut call.agent).await, "candidate:late");
    let media = MediaState {
        microphone: true,
        camera: true,
        screen: false,
    };
    call.agent.send(&RoomRequest::Media(media)).await;
    let seen = |event| match event {
        RoomEvent::Media(media) => Some(media),
        _ => None,
    };
    assert_eq!(call.customer.room_event("media", seen).await, media);

    let (mut inbox, _) = call.desk.listen().await;
    call.customer.send(&RoomRequest::MediaFlowing).await;
    inbox
        .agent_event("the call being live", |event| match event {
            sightline_wire::agent::AgentEvent::Conversation(c) => {
                matches!(c.escalation?.state, EscalationState::Live { .. }).then_some(())
            }
            _ => None,
        })
        .await;
    let EscalationState::Live { since } = call.state().await else {
        panic!("not live")
    };
    call.agent.send(&RoomRequest::MediaFlowing).await;
    call.agent.send(&RoomRequest::Leave).await;
    assert_eq!(ended(&mut call.customer).await, EndReason::AgentHungUp);
    assert_eq!(call.customer.closed().await, 1000);
    assert_eq!(ended(&mut call.agent).await, EndReason::AgentHungUp);
    let EscalationState::Ended { at, live_ms, .. } = call.state().await else {
        panic!("not ended")
    };
    assert_eq!(live_ms, at - since);
    let line = call
        .desk
        .messages(call.conversation.id)
        .await
        .last()
        .unwrap()
        .body
        .text()
        .to_string();
    assert!(line.starts_with("Video call ended"), "{line}");

    // Whoever hung up, the customer is asked; a second rating replaces the first.
    let path = format!("/v1/rooms/{}/survey", call.redeemed.room);
    let token = Some(call.redeemed.room_token.as_str());
    for verdict in ["up", "down"] {
        let body = json!({ "verdict": verdict, "issues": ["choppy", "not_heard", "choppy"], "comment": "ok" });
        let _: Value = call
            .world
            .api
            .call(Method::POST, &path, token, Some(body))
            .await
            .unwrap();
    }
    let survey = call
        .desk
        .conversation(call.conversation.id)
        .await
        .escalation
        .unwrap()
        .survey;
    let issues = vec![Issue::NotHeard, Issue::Choppy];
    assert_eq!(
        survey,
        Some(Survey {
            verdict: Verdict::Down,
            issues,
            comment: "ok".into()
        })
    );
    let body = json!({ "verdict": "up" });
    let agents = Some(call.started.room_token.as_str());
    let refused: Result<Value, Problem> = call.world.api.call(Method::POST, &path, agents, Some(body)).await;
    assert_eq!(refused.refused().code, ErrorCode::RoomRefused);

    // The token still opens the door, and behind it stands why there is nobody.
    let mut late = call.world.api.room(&call.redeemed.room_token, None).await;
    assert_eq!(ended(&mut late).await, EndReason::AgentHungUp);
    assert!(
        call.desk
            .start_video(call.conversation.id, Uuid::new_v4())
            .await
            .is_ok(),
        "the slot is free"
    );
}

#[tokio::test]
async fn the_customer_hangs_up() {
    let mut call = answered_call(World::start().await).await;
    call.customer.send(&RoomRequest::Leave).await;
    assert_eq!(ended(&mut call.agent).await, EndReason::CustomerLeft);
    // The page stays in the chat.
    call.page.say("Thank you").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_into_a_goodbye_does_not_break_it() {
    let mut call = answered_call(World::start().await).await;
    call.customer.send(&RoomRequest::Leave).await;
    assert_eq!(ended(&mut call.customer).await, EndReason::CustomerLeft);
    for _ in 0..3 {
        call.customer.send(&RoomRequest::Heartbeat).await;
    }
    assert_eq!(call.customer.closed().await, 1000);
    assert!(call.customer.ends_in_peace().await, "the connection was reset");
}

#[tokio::test]
async fn a_killed_tab_is_told_at_once_and_its_seat_is_kept() {
    let mut call = answered_call(World::start().await).await;
    call.customer.vanish();
    let Presence::Away { until } = presence(&mut call.agent).await else {
        panic!("not away")
    };
    assert!(until > 0);
    // The same peer connection goes on: no new session, no new offer.
    let mut back = call
        .world
        .api
        .room(&call.redeemed.room_token, Some(&call.customer_resume))
        .await;
    let there = welcome(&mut back).await;
    assert_eq!(there.offer, None);
    assert_eq!(presence(&mut call.agent).await, Presence::Here { session: 1 });
    // The one before still works, for a welcome that got lost.
    back.vanish();
    let mut again = call
        .world
        .api
        .room(&call.redeemed.room_token, Some(&call.customer_resume))
        .await;
    welcome(&mut again).await;
    // The page opened anew: a new session, and the desk makes a new offer.
    again.vanish();
    let redeemed = call.world.api.redeem(&call.code, &call.browser).await.unwrap();
    assert_eq!(redeemed.offer, None, "the answered offer leads nowhere");
    let mut fresh = call.world.api.room(&redeemed.room_token, None).await;
    welcome(&mut fresh).await;
    let here = |event| match event {
        RoomEvent::Presence(Presence::Here { session: 2 }) => Some(()),
        _ => None,
    };
    call.agent.room_event("a second session", here).await;
    call.agent.send(&RoomRequest::Offer(offer(2))).await;
    assert_eq!(offered(&mut fresh).await, offer(2));
}

#[tokio::test]
async fn a_silent_customer_is_reported_within_five_seconds() {
    let mut call = answered_call(World::start().await).await;
    let since = Instant::now();
    // The socket stays open and says nothing, as one behind a dead network does.
    let _silent = call.customer.hold();
    let away = async {
        loop {
            match call.agent.next::<RoomEvent>().await.unwrap() {
                RoomEvent::Heartbeat => call.agent.send(&RoomRequest::Heartbeat).await,
                RoomEvent::Presence(Presence::Away { .. }) => return,
                _ => {}
            }
        }
    };
    away.await;
    assert!(since.elapsed() <= Duration::from_secs(5), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_seat_that_stays_empty_ends_the_call() {
    let world = World::with(|config| config.seat_times.customer_ms = 300).await;
    let mut call = answered_call(world).await;
    call.customer.vanish();
    assert_eq!(ended(&mut call.agent).await, EndReason::CustomerLost);
    let world = World::with(|config| config.seat_times.agent_ms = 300).await;
    let mut call = answered_call(world).await;
    call.agent.vanish();
    assert_eq!(ended(&mut call.customer).await, EndReason::AgentLost);
}

#[tokio::test]
async fn a_second_tab_takes_the_seat_and_the_first_cannot_take_it_back() {
    let mut call = answered_call(World::start().await).await;
    let again = call.world.api.redeem(&call.code, &call.browser).await.unwrap();
    let mut second = call.world.api.room(&again.room_token, None).await;
    welcome(&mut second).await;
    assert_eq!(call.customer.problem().await, ErrorCode::RoomRefused);
    let mut first = call
        .world
        .api
        .room(&call.redeemed.room_token, Some(&call.customer_resume))
        .await;
    assert_eq!(first.problem().await, ErrorCode::RoomRefused);
    assert_eq!(first.closed().await, 1008);
    // A resume token of one side is nothing to the other.
    let mut mixed = call
        .world
        .api
        .room(&call.started.room_token, Some(&call.customer_resume))
        .await;
    assert_eq!(mixed.problem().await, ErrorCode::RoomRefused);
}

#[tokio::test]
async fn a_desk_that_restarted_comes_back_with_a_new_session() {
    let mut call = answered_call(World::start().await).await;
    call.agent.vanish();
    let away = |event| matches!(event, RoomEvent::Presence(Presence::Away { .. })).then_some(());
    call.customer.room_event("the agent being away", away).await;
    let path = format!("/v1/escalations/{}/rejoin", call.started.escalation.id);
    let rejoined: VideoStarted = call.desk.post(&path, json!({})).await.unwrap();
    let mut agent = call.world.api.room(&rejoined.room_token, None).await;
    welcome(&mut agent).await;
    assert_eq!(presence(&mut call.customer).await, Presence::Here { session: 2 });
    // It begins to count anew; that is another peer connection, so it is taken.
    agent.send(&RoomRequest::Offer(offer(1))).await;
    assert_eq!(offered(&mut call.customer).await, offer(1));
    let colleague = call.world.desk("colleague").await;
    let foreign: Result<Value, Problem> = colleague.post(&path, json!({})).await;
    assert_eq!(foreign.refused().code, ErrorCode::NotYourConversation);
}

#[tokio::test]
async fn a_call_survives_a_restart_of_the_server() {
    let mut call = call(World::start().await).await;
    let media = MediaState {
        microphone: true,
        camera: true,
        screen: false,
    };
    call.agent.send(&RoomRequest::Media(media)).await;
    let seen = |event| matches!(event, RoomEvent::Media(_)).then_some(());
    call.customer.room_event("media", seen).await;
    call.world.restart().await;
    let mut customer = call
        .world
        .api
        .room(&call.redeemed.room_token, Some(&call.customer_resume))
        .await;
    let there = welcome(&mut customer).await;
    assert!(matches!(there.other, Presence::Away { .. }));
    assert_eq!(there.offer, Some(offer(1)), "the unanswered offer waits");
    assert_eq!(there.other_media, media);
    customer.send(&answer(1)).await;
    let mut agent = call
        .world
        .api
        .room(&call.started.room_token, Some(&call.agent_resume))
        .await;
    assert_eq!(welcome(&mut agent).await.other, Presence::Here { session: 1 });
    // The answer was given while the desk was away; the desk asks again and gets it.
    agent.send(&RoomRequest::Offer(offer(1))).await;
    assert_eq!(answered(&mut agent).await, (1, "v=0 answer 1".into()));
    assert_eq!(presence(&mut customer).await, Presence::Here { session: 1 });
}

#[tokio::test]
async fn stale_and_misplaced_signalling_goes_nowhere() {
    let mut call = answered_call(World::start().await).await;
    call.agent.send(&RoomRequest::Offer(offer(2))).await;
    assert_eq!(offered(&mut call.customer).await, offer(2));
    // An older offer, an answer to it, and its candidates are all too late.
    call.agent.send(&RoomRequest::Offer(offer(1))).await;
    call.customer.send(&answer(1)).await;
    call.customer.send(&candidate_of(1, "candidate:stale")).await;
    call.customer.send(&answer(2)).await;
    assert_eq!(answered(&mut call.agent).await.0, 2);
    call.customer.send(&RoomRequest::Offer(offer(9))).await;
    assert_eq!(call.customer.problem().await, ErrorCode::BadRequest);
    call.agent.send(&answer(2)).await;
    assert_eq!(call.agent.problem().await, ErrorCode::BadRequest);
}

#[tokio::test]
async fn what_the_desk_tries_is_passed_on_and_its_failure_is_what_ends_the_call() {
    let mut call = answered_call(World::start().await).await;
    let attempt = |event| match event {
        RoomEvent::Attempt { attempt } => Some(attempt),
        _ => None,
    };
    for tried in [Attempt::Again, Attempt::Relay, Attempt::SoundOnly] {
        call.agent.send(&RoomRequest::Attempt { attempt: tried }).await;
        assert_eq!(call.customer.room_event("an attempt", attempt).await, tried);
    }
    let attempt = Attempt::Direct;
    call.customer.send(&RoomRequest::Attempt { attempt }).await;
    assert_eq!(call.customer.problem().await, ErrorCode::BadRequest, "the desk decides");

    let path = format!("/v1/escalations/{}/fail", call.started.escalation.id);
    let stranger = call.world.desk("colleague").await;
    let refused: Result<Value, Problem> = stranger.post(&path, json!({})).await;
    assert_eq!(refused.refused().code, ErrorCode::NotYourConversation);
    for _ in 0..2 {
        let _: Value = call.desk.post(&path, json!({})).await.unwrap();
    }
    assert_eq!(ended(&mut call.customer).await, EndReason::MediaFailed);
    assert!(matches!(
        call.state().await,
        EscalationState::Ended {
            reason: EndReason::MediaFailed,
            live_ms: 0,
            ..
        }
    ));
    let lines = call.desk.messages(call.conversation.id).await;
    assert_eq!(
        lines.last().unwrap().body.text(),
        "Video call ended before it began: picture and sound did not come through"
    );
    let again = call.desk.start_video(call.conversation.id, Uuid::new_v4()).await;
    assert!(again.is_ok(), "the slot is free");
}
