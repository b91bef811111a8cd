//! What a self-test measures the line with: for those signed in, and bounded.

use crate::{
    harness::{Desk, World},
    relay,
};
use reqwest::{Method, StatusCode};
use sightline_wire::{
    ErrorCode,
    escalation::IceConfig,
    probe::{MAX_TRANSFER_BYTES, PRODUCT, Probed, Uploaded},
};
use std::time::{SystemTime, UNIX_EPOCH};

async fn up(desk: &Desk, bytes: usize) -> (StatusCode, Vec<u8>) {
    let request = desk.api.request(Method::POST, "/v1/probe/up");
    let answer = request
        .bearer_auth(&desk.session.access_token)
        .body(vec![7; bytes])
        .send()
        .await
        .unwrap();
    (answer.status(), answer.bytes().await.unwrap().into())
}

async fn down(desk: &Desk, bytes: usize) -> (StatusCode, Vec<u8>) {
    let request = desk.api.request(Method::GET, &format!("/v1/probe/down?bytes={bytes}"));
    let answer = request.bearer_auth(&desk.session.access_token).send().await.unwrap();
    (answer.status(), answer.bytes().await.unwrap().into())
}

#[tokio::test]
async fn anybody_may_ask_who_is_there_and_what_time_it_is() {
    let world = World::start().await;
    let clock = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let before = clock();
    let probed: Probed = world.api.call(Method::GET, "/v1/probe", None, None).await.unwrap();
    assert_eq!(probed.product, PRODUCT);
    assert!((before..=clock()).contains(&probed.at));
}

#[tokio::test]
async fn transfers_are_for_those_signed_in_and_end_at_a_mebibyte() {
    let world = World::start().await;
    for (method, path) in [
        (Method::GET, "/v1/probe/down?bytes=1"),
        (Method::POST, "/v1/probe/up"),
        (Method::GET, "/v1/probe/ice"),
    ] {
        let answer = world.api.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let desk = world.desk("agent").await;
    let (status, noise) = down(&desk, MAX_TRANSFER_BYTES).await;
    assert_eq!((status, noise.len()), (StatusCode::OK, MAX_TRANSFER_BYTES));
    // Nothing on the way can make random bytes fewer: every value is there about as often as any other.
    let mut counts = [0_u32; 256];
    noise.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    assert!(counts.iter().all(|count| (3_500..4_700).contains(count)));
    assert_eq!(
        down(&desk, MAX_TRANSFER_BYTES + 1).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );

    // Larger than any other body the server takes.
    let (status, body) = up(&desk, MAX_TRANSFER_BYTES).await;
    assert_eq!(status, StatusCode::OK);
    let uploaded: Uploaded = serde_json::from_slice(&body).unwrap();
    assert_eq!(uploaded.bytes, MAX_TRANSFER_BYTES as u64);
}

#[tokio::test]
async fn one_account_measures_so_often_and_no_more() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    for _ in 0..60 {
        assert_eq!(down(&desk, 1).await.0, StatusCode::OK);
    }
    assert_eq!(down(&desk, 1).await.0, StatusCode::TOO_MANY_REQUESTS);
    let refused: Result<IceConfig, _> = desk.get("/v1/probe/ice").await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::RateLimited);
    assert_eq!(down(&world.desk("colleague").await, 1).await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_relays_of_the_deployment_are_told_with_credentials_of_their_own() {
    let world = relay::world(|_| {}).await;
    let desk = world.desk("agent").await;
    let mut names = Vec::new();
    for _ in 0..2 {
        let ice: IceConfig = desk.get("/v1/probe/ice").await.unwrap();
        let mut servers = ice.servers.iter();
        let relay = servers.find(|server| server.urls[0].starts_with("turn:")).unwrap();
        assert!(relay.credential.is_some());
        names.push(relay.username.clone());
    }
    assert_ne!(names[0], names[1], "a quota counts by name");
}
