//! A desk's test calls: the echo peer comes by itself, nobody else hears of it, and nothing of it stays. The media of
//! such a call is tested with the desk's own engine, in crates/media/tests/echo.rs.

use crate::{
    harness::{Answer, Desk, Socket, World},
    rooms::{ended, offer, welcome},
};
use reqwest::Method;
use serde_json::{Value, json};
use sightline_wire::{
    ErrorCode, Problem,
    agent::{AgentEvent, AgentRequest},
    conversation::Channel,
    escalation::{EndReason, EscalationState, EscalationView, IcePolicy, IceServer, VideoStarted},
    readiness::EchoHeard,
    room::{MediaState, RoomEvent, RoomRequest},
};
use std::time::Duration;
use uuid::Uuid;

async fn test_call(desk: &Desk, relayed: bool) -> Result<VideoStarted, Problem> {
    desk.post("/v1/self-test/calls", json!({ "relayed": relayed })).await
}

async fn heard(desk: &Desk, started: &VideoStarted) -> Result<EchoHeard, Problem> {
    desk.get(&format!("/v1/self-test/calls/{}/heard", started.escalation.id))
        .await
}

/// Waits until the echo peer has its seat and says that it sends picture and sound.
async fn echo_comes(room: &mut Socket) {
    let both = MediaState {
        microphone: true,
        camera: true,
        screen: false,
    };
    if welcome(room).await.other_media == both {
        return;
    }
    let sends = |event| matches!(event, RoomEvent::Media(media) if media == both).then_some(());
    room.room_event("the echo peer", sends).await;
}

/// An offer that no peer connection can answer ends the call.
async fn end_by_nonsense(room: &mut Socket) {
    room.send(&RoomRequest::Offer(offer(1))).await;
    assert_eq!(ended(room).await, EndReason::CustomerLeft);
}

#[tokio::test]
async fn an_echo_peer_follows_the_link_of_a_test_call_and_leaves_when_it_cannot_answer() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    let started = test_call(&desk, false).await.unwrap();
    assert_eq!(started.ice_policy, IcePolicy::All);
    let mut room = world.api.room(&started.room_token, None).await;
    echo_comes(&mut room).await;
    assert_eq!(heard(&desk, &started).await.unwrap(), EchoHeard::default());

    end_by_nonsense(&mut room).await;
    // What it heard can still be asked for, by the desk alone.
    assert!(heard(&desk, &started).await.is_ok());
    let colleague = world.desk("colleague").await;
    let foreign = heard(&colleague, &started).await.refused();
    assert_eq!(foreign.code, ErrorCode::NotYourConversation);
    let path = format!("/v1/self-test/calls/{}/heard", Uuid::new_v4());
    let unknown: Result<Value, Problem> = desk.get(&path).await;
    assert_eq!(unknown.refused().code, ErrorCode::NotFound);
    let path = "/v1/self-test/calls";
    let nobody: Result<Value, Problem> = world
        .api
        .call(Method::POST, path, None, Some(json!({ "relayed": false })))
        .await;
    assert_eq!(nobody.refused().code, ErrorCode::NotSignedIn);
}

#[tokio::test]
async fn the_desk_ends_a_test_call_like_any_other() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    let started = test_call(&desk, false).await.unwrap();
    let mut room = world.api.room(&started.room_token, None).await;
    echo_comes(&mut room).await;
    let path = format!("/v1/escalations/{}/end", started.escalation.id);
    let over: EscalationView = desk.post(&path, json!({})).await.unwrap();
    let reason = EndReason::AgentHungUp;
    assert!(matches!(over.state, EscalationState::Ended { reason: why, .. } if why == reason));
    assert_eq!(ended(&mut room).await, reason);
}

#[tokio::test]
async fn a_test_call_that_nobody_ends_is_over_when_its_time_is() {
    let world = World::with(|config| config.test_call_time = Duration::from_secs(1)).await;
    let desk = world.desk("agent").await;
    for _ in 0..2 {
        let started = test_call(&desk, false).await.unwrap();
        let mut room = world.api.room(&started.room_token, None).await;
        // On a busy machine its time is over before it has followed its link.
        let reason = ended(&mut room).await;
        let left = matches!(reason, EndReason::CustomerLeft | EndReason::CustomerDeclined);
        assert!(left, "{reason:?}");
    }
}

#[tokio::test]
async fn many_desks_test_themselves_at_once() {
    let world = World::start().await;
    let desks = [
        world.desk("agent").await,
        world.desk("colleague").await,
        world.desk("supervisor").await,
    ];
    let calls = desks.iter().map(|desk| async {
        let started = test_call(desk, false).await.unwrap();
        let mut room = world.api.room(&started.room_token, None).await;
        echo_comes(&mut room).await;
        end_by_nonsense(&mut room).await;
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn nobody_hears_of_a_test_call() {
    let world = World::start().await;
    let (desk, supervisor) = (world.desk("agent").await, world.desk("supervisor").await);
    let (mut own, _) = desk.listen().await;
    let (mut other, _) = supervisor.listen().await;
    let started = test_call(&desk, false).await.unwrap();
    let hidden = started.escalation.conversation;
    let mut room = world.api.room(&started.room_token, None).await;
    echo_comes(&mut room).await;

    for desk in [&desk, &supervisor] {
        for path in ["", "/messages"] {
            let read: Result<Value, Problem> = desk.get(&format!("/v1/conversations/{hidden}{path}")).await;
            assert_eq!(read.refused().code, ErrorCode::NotFound);
        }
        for (path, body) in [
            ("accept", json!({})),
            ("messages", json!({ "client_id": Uuid::new_v4(), "text": "Hello" })),
            ("wrap-up", json!({ "end_call": true })),
            ("close", json!({ "disposition": "done" })),
        ] {
            let path = format!("/v1/conversations/{hidden}/{path}");
            let done: Result<Value, Problem> = desk.post(&path, body).await;
            assert_eq!(done.refused().code, ErrorCode::NotFound, "{path}");
        }
        let video = desk.start_video(hidden, Uuid::new_v4()).await;
        assert_eq!(video.refused().code, ErrorCode::NotFound);
    }
    end_by_nonsense(&mut room).await;
    for socket in [&mut own, &mut other] {
        socket.send(&AgentRequest::Heartbeat).await;
    }

    // The first that anybody is told of is a customer.
    world.api.page().await.say("Hello").await;
    for socket in [&mut own, &mut other] {
        let told = socket
            .agent_event("a conversation", |event| match event {
                AgentEvent::Conversation(conversation) => Some(conversation),
                AgentEvent::Message(message) => panic!("{message:?}"),
                _ => None,
            })
            .await;
        assert_eq!(told.channel, Channel::WebChat);
    }
}

#[tokio::test]
async fn a_test_call_gives_way_to_the_next_one_and_to_a_real_one() {
    let world = World::start().await;
    let (desk, _page, conversation) = world.active().await;
    let first = test_call(&desk, false).await.unwrap();
    let mut room = world.api.room(&first.room_token, None).await;
    echo_comes(&mut room).await;
    let second = test_call(&desk, false).await.unwrap();
    assert_eq!(ended(&mut room).await, EndReason::AgentHungUp);

    let mut room = world.api.room(&second.room_token, None).await;
    echo_comes(&mut room).await;
    let real = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    assert_eq!(ended(&mut room).await, EndReason::AgentHungUp);

    // But not the other way round.
    let refused = test_call(&desk, false).await.refused();
    assert_eq!(
        (refused.code, refused.escalation),
        (ErrorCode::VideoSlotTaken, Some(real.escalation.id))
    );
}

#[tokio::test]
async fn a_relayed_test_call_needs_a_relay_and_uses_nothing_else() {
    let world = World::start().await;
    let refused = test_call(&world.desk("agent").await, true).await.refused();
    assert_eq!(refused.code, ErrorCode::RelayMissing);

    let relay = IceServer {
        urls: vec!["turn:192.0.2.1:3478?transport=udp".into()],
        username: Some("desk".into()),
        credential: Some("of the test".into()),
    };
    let world = World::with(|config| config.ice_servers = vec![relay.clone()]).await;
    let started = test_call(&world.desk("agent").await, true).await.unwrap();
    assert_eq!(
        (started.ice_policy, started.ice_servers),
        (IcePolicy::RelayOnly, vec![relay])
    );
}

#[tokio::test]
async fn a_server_that_starts_again_ends_the_test_calls_of_before() {
    let mut world = World::start().await;
    let desk = world.desk("agent").await;
    let started = test_call(&desk, false).await.unwrap();
    let mut room = world.api.room(&started.room_token, None).await;
    echo_comes(&mut room).await;
    world.restart().await;
    let path = format!("/v1/escalations/{}/rejoin", started.escalation.id);
    let back: Result<Value, Problem> = desk.post(&path, json!({})).await;
    assert_eq!(back.refused().code, ErrorCode::EscalationEnded);
    let again = test_call(&desk, false).await.unwrap();
    let mut room = world.api.room(&again.room_token, None).await;
    echo_comes(&mut room).await;
}
