//! What nobody should send.

use crate::harness::{Socket, World};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sightline_wire::{ErrorCode, MAX_FRAME_BYTES, Problem, agent::DESK_ORIGIN};
use uuid::Uuid;

const SOCKETS: [&str; 2] = ["/v1/agent/socket", "/v1/rooms/socket"];

/// An agent's socket and a room's, both past their welcome.
async fn open_sockets(world: &World) -> Vec<Socket> {
    let (desk, _page, conversation) = world.active().await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let (agent, _) = desk.listen().await;
    let mut room = world.api.room(&started.room_token, None).await;
    room.expect("a welcome", |frame: Value| (frame["type"] == "welcome").then_some(()))
        .await;
    vec![agent, room]
}

#[tokio::test]
async fn the_third_malformed_frame_closes_a_socket() {
    let world = World::start().await;
    for mut socket in open_sockets(&world).await {
        socket.send_text("{ this is not json").await;
        assert_eq!(socket.problem().await, ErrorCode::BadRequest);
        socket.send_text(r#"{"type":"no such thing"}"#).await;
        assert_eq!(socket.problem().await, ErrorCode::BadRequest);
        socket.send_text("[]").await;
        assert_eq!(socket.closed().await, 1008);
    }
}

#[tokio::test]
async fn an_oversized_frame_closes_a_socket() {
    let world = World::start().await;
    for mut socket in open_sockets(&world).await {
        let padding = "x".repeat(MAX_FRAME_BYTES);
        socket
            .send_text(&format!(r#"{{"type":"heartbeat","padding":"{padding}"}}"#))
            .await;
        assert_eq!(socket.closed().await, 1009);
    }
}

#[tokio::test]
async fn a_far_too_large_frame_closes_a_socket_as_well() {
    let world = World::start().await;
    for mut socket in open_sockets(&world).await {
        // The server may have closed before all of it was written.
        let padding = "x".repeat(8 * MAX_FRAME_BYTES);
        socket.send_text(&padding).await;
        let code = socket.closed().await;
        assert!(code == 1009 || code == 0, "{code}");
    }
}

#[tokio::test]
async fn the_first_frame_must_be_a_hello_and_come_in_time() {
    let world = World::start().await;
    for path in SOCKETS {
        let mut malformed = world.api.socket(path, Some(DESK_ORIGIN)).await.unwrap();
        malformed.send_text("nonsense").await;
        assert_eq!(malformed.closed().await, 1008);
        let mut early = world.api.socket(path, Some(DESK_ORIGIN)).await.unwrap();
        early.send_text(r#"{"type":"heartbeat"}"#).await;
        assert_eq!(early.closed().await, 1008);
    }
    let mut silent = world.api.socket(SOCKETS[0], Some(DESK_ORIGIN)).await.unwrap();
    assert_eq!(silent.closed().await, 1008);
}

#[tokio::test]
async fn made_up_tokens_open_nothing() {
    let world = World::start().await;
    let mut room = world.api.room("made-up", None).await;
    assert_eq!(room.problem().await, ErrorCode::RoomRefused);
    assert_eq!(room.closed().await, 1008);
    let mut agent = world.api.socket(SOCKETS[0], Some(DESK_ORIGIN)).await.unwrap();
    let hello = json!({ "type": "hello", "access_token": "made-up", "desk": Uuid::new_v4(), "take_over": false });
    agent.send(&hello).await;
    assert_eq!(agent.problem().await, ErrorCode::SessionExpired);
}

#[tokio::test]
async fn foreign_pages_are_kept_out() {
    let world = World::with(|config| config.extra_origins = vec!["https://shop.example.test".into()]).await;
    let own = world.api.url.clone();
    for path in SOCKETS {
        for foreign in ["https://evil.example.test", "null", "https://shop.example.test"] {
            assert_eq!(
                world.api.socket(path, Some(foreign)).await.err(),
                Some(403),
                "{path} {foreign}"
            );
        }
        assert_eq!(
            world.api.socket(path, None).await.err(),
            Some(403),
            "{path} without an origin"
        );
        assert!(world.api.socket(path, Some(&own)).await.is_ok());
    }
    let sign_in = |origin: &'static str| {
        let body = json!({ "email": "agent@example.test", "password": world.password });
        world
            .api
            .request(Method::POST, "/v1/auth/sign-in")
            .header("origin", origin)
            .json(&body)
            .send()
    };
    let refused = sign_in("https://evil.example.test").await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let problem: Problem = refused.json().await.unwrap();
    assert_eq!(problem.code, ErrorCode::ForeignOrigin);

    // The chat's own protocol may be used from the configured site, and only from there.
    let ask = |origin: &'static str| {
        world
            .api
            .request(Method::OPTIONS, "/v3/directline/conversations")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .send()
    };
    let allowed = ask("https://shop.example.test").await.unwrap();
    assert_eq!(allowed.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        "https://shop.example.test"
    );
    assert_eq!(
        ask("https://evil.example.test").await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    let page = world.api.page().await;
    let started: Value = world
        .api
        .call(
            Method::POST,
            "/v3/directline/conversations",
            Some(&page.started.token),
            Some(json!({})),
        )
        .await
        .unwrap();
    let url = started["streamUrl"].as_str().unwrap();
    assert_eq!(
        Socket::open(url, Some("https://evil.example.test")).await.err(),
        Some(403)
    );
    assert!(Socket::open(url, Some("https://shop.example.test")).await.is_ok());
    assert_eq!(
        Socket::open(url, None).await.err(),
        Some(403),
        "a ticket opens one stream"
    );
}

#[tokio::test]
async fn bodies_are_json_of_the_right_shape_and_size() {
    let world = World::start().await;
    let send = |content_type: &'static str, body: String| {
        let request = world.api.request(Method::POST, "/v1/auth/sign-in").body(body);
        async move {
            let answer = request.header("content-type", content_type).send().await.unwrap();
            let status = answer.status().as_u16();
            (status, answer.json::<Problem>().await.unwrap().code)
        }
    };
    assert_eq!(send("application/json", "{".into()).await, (400, ErrorCode::BadRequest));
    assert_eq!(
        send("application/json", "{}".into()).await,
        (400, ErrorCode::BadRequest)
    );
    assert_eq!(
        send("text/plain", r#"{"email":"a","password":"b"}"#.into()).await,
        (400, ErrorCode::BadRequest)
    );
    let large = format!(r#"{{"email":"{}","password":"b"}}"#, "a".repeat(65 * 1024));
    assert_eq!(send("application/json", large).await, (413, ErrorCode::TooLarge));
    let lost = world
        .api
        .request(Method::GET, "/v1/no/such/route")
        .send()
        .await
        .unwrap();
    assert_eq!(lost.status(), StatusCode::NOT_FOUND);
    assert_eq!(lost.json::<Problem>().await.unwrap().code, ErrorCode::NotFound);
    let wrong_method = world
        .api
        .request(Method::DELETE, "/v1/auth/sign-in")
        .send()
        .await
        .unwrap();
    assert_eq!(wrong_method.status(), StatusCode::METHOD_NOT_ALLOWED);
}
