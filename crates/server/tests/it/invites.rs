//! The customer's link.

use crate::harness::{Answer, Api, World, browser};
use reqwest::Method;
use serde_json::{Value, json};
use sightline_wire::{
    ErrorCode, Problem,
    escalation::{EscalationState, InviteState, InviteView},
};
use std::time::Duration;
use uuid::Uuid;

async fn look(api: &Api, code: &str, browser: Option<&str>) -> Result<InviteView, Problem> {
    let mut request = api.request(Method::GET, &format!("/v1/invites/{code}"));
    if let Some(browser) = browser {
        request = request.header("x-sightline-browser", browser);
    }
    let answer = request.send().await.unwrap();
    if answer.status().is_success() {
        Ok(answer.json().await.unwrap())
    } else {
        Err(answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn looking_spends_nothing() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let code = page.invite().await;
    for _ in 0..5 {
        let html = world
            .api
            .request(Method::GET, &format!("/j/{code}"))
            .send()
            .await
            .unwrap();
        assert_eq!(html.headers()["referrer-policy"], "no-referrer");
        let view = look(&world.api, &code, None).await.unwrap();
        assert_eq!((view.state, view.agent_name.as_str()), (InviteState::Open, "agent"));
        assert_eq!(view.company, "Kettle and Co");
    }
    let state = desk.conversation(conversation.id).await.escalation.unwrap().state;
    assert_eq!(state, EscalationState::Invited);
    assert!(world.api.redeem(&code, &browser()).await.is_ok());
}

#[tokio::test]
async fn one_browser_has_the_seat_and_may_come_back() {
    let world = World::with(|config| config.invite_ttl = Duration::from_secs(2)).await;
    let (desk, page, conversation) = world.active().await;
    desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let code = page.invite().await;
    let (mine, other) = (browser(), browser());
    let first = world.api.redeem(&code, &mine).await.unwrap();
    let again = world.api.redeem(&code, &mine).await.unwrap();
    assert_eq!(first.room, again.room);
    let refused = world.api.redeem(&code, &other).await.refused();
    assert_eq!(refused.code, ErrorCode::InviteInUse);
    assert_eq!(
        look(&world.api, &code, Some(&other)).await.unwrap().state,
        InviteState::InUse
    );
    assert_eq!(
        look(&world.api, &code, Some(&mine)).await.unwrap().state,
        InviteState::Open
    );
    let not_theirs: Result<Value, Problem> = world
        .api
        .post(&format!("/v1/invites/{code}/decline"), json!({ "browser_key": other }))
        .await;
    assert_eq!(not_theirs.refused().code, ErrorCode::InviteInUse);
    // Past its time the link still brings back the one who is in the call, and nobody else.
    let expires_at = look(&world.api, &code, None).await.unwrap().expires_at;
    let mut room = world.api.room(&first.room_token, None).await;
    loop {
        let _: Value = room.next().await.unwrap();
        room.send_text(r#"{"type":"heartbeat"}"#).await;
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        if i64::try_from(now).unwrap() > expires_at {
            break;
        }
    }
    assert!(world.api.redeem(&code, &mine).await.is_ok());
    assert_eq!(
        world.api.redeem(&code, &other).await.refused().code,
        ErrorCode::InviteInUse
    );
}

#[tokio::test]
async fn not_now_ends_the_call_and_says_so() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let code = page.invite().await;
    let declined: Result<Value, Problem> = world
        .api
        .post(
            &format!("/v1/invites/{code}/decline"),
            json!({ "browser_key": browser() }),
        )
        .await;
    assert!(declined.is_ok());
    assert_eq!(
        desk.messages(conversation.id).await.last().unwrap().body.text(),
        "The video call was declined"
    );
    assert_eq!(
        world.api.redeem(&code, &browser()).await.refused().code,
        ErrorCode::RoomEnded
    );
    assert_eq!(look(&world.api, &code, None).await.unwrap().state, InviteState::Ended);
}

#[tokio::test]
async fn guessing_is_stopped_and_real_links_go_on_working() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let code = page.invite().await;
    for n in 0..20 {
        let miss = look(&world.api, &format!("guess{n}"), None).await.refused();
        assert_eq!(miss.code, ErrorCode::InviteUnknown);
    }
    assert_eq!(
        look(&world.api, "guess", None).await.refused().code,
        ErrorCode::RateLimited
    );
    assert_eq!(
        world.api.redeem("guess", &browser()).await.refused().code,
        ErrorCode::RateLimited
    );
    assert_eq!(look(&world.api, &code, None).await.unwrap().state, InviteState::Open);
    assert!(world.api.redeem(&code, &browser()).await.is_ok());
}

#[tokio::test]
async fn a_browser_key_must_be_hard_to_guess() {
    let world = World::start().await;
    assert_eq!(
        world.api.redeem("whatever", "short").await.refused().code,
        ErrorCode::BadRequest
    );
}
