//! Signing in, rotating, signing out.

use crate::harness::{Answer, Api, Folder, World, password};
use reqwest::Method;
use serde_json::{Value, json};
use sightline_server::{ServerConfig, serve, set_password};
use sightline_wire::{
    ErrorCode, Problem,
    account::{Role, Session},
};
use std::{net::SocketAddr, time::Duration};

async fn refresh(api: &Api, token: &str) -> Result<Session, Problem> {
    api.post("/v1/auth/refresh", json!({ "refresh_token": token })).await
}

async fn works(api: &Api, session: &Session) -> Result<(), ErrorCode> {
    let path = "/v1/conversations/00000000-0000-4000-8000-000000000000";
    let answer: Result<Value, Problem> = api.call(Method::GET, path, Some(&session.access_token), None).await;
    match answer.refused().code {
        ErrorCode::NotFound => Ok(()),
        code => Err(code),
    }
}

#[tokio::test]
async fn the_first_start_makes_one_account_of_each_role_and_later_ones_none() {
    let folder = Folder::new();
    let config = || ServerConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), folder.database());
    let server = serve(config()).await.unwrap();
    let made = server.first_accounts.clone();
    assert_eq!(
        made.iter().map(|a| a.role).collect::<Vec<_>>(),
        [Role::Agent, Role::Supervisor, Role::Admin]
    );
    let api = Api::new(&server.url);
    for account in &made {
        let body = json!({ "email": account.email.to_uppercase(), "password": account.password });
        let session: Session = api.post("/v1/auth/sign-in", body).await.unwrap();
        assert_eq!(session.account.role, account.role);
    }
    server.shutdown().await;
    let again = serve(config()).await.unwrap();
    assert!(again.first_accounts.is_empty());
    again.shutdown().await;
    let stored = std::fs::read(folder.database()).unwrap();
    let text = String::from_utf8_lossy(&stored);
    assert!(text.contains("$argon2id$"));
    assert!(
        made.iter().all(|account| !text.contains(&account.password)),
        "a password is in the database"
    );
}

#[tokio::test]
async fn wrong_credentials_look_the_same_and_are_limited() {
    let world = World::start().await;
    let wrong = world.api.sign_in("agent", "wrong").await.refused();
    let unknown = world.api.sign_in("nobody", "wrong").await.refused();
    assert_eq!(wrong, unknown);
    assert_eq!(wrong.code, ErrorCode::WrongCredentials);
    for _ in 0..9 {
        world.api.sign_in("agent", "wrong").await.refused();
    }
    let limited = world.api.sign_in("agent", &world.password).await.refused();
    assert_eq!(limited.code, ErrorCode::RateLimited);
    assert!(
        world.api.sign_in("colleague", &world.password).await.is_ok(),
        "others still sign in"
    );
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_theft_ends_the_session() {
    let world = World::start().await;
    let first = world.api.sign_in("agent", &world.password).await.unwrap();
    let second = refresh(&world.api, &first.refresh_token).await.unwrap();
    let third = refresh(&world.api, &second.refresh_token).await.unwrap();
    assert_eq!(works(&world.api, &third).await, Ok(()));
    // The first one again, although its successor was used: somebody else has it.
    assert_eq!(
        refresh(&world.api, &first.refresh_token).await.refused().code,
        ErrorCode::SessionExpired
    );
    assert_eq!(
        refresh(&world.api, &third.refresh_token).await.refused().code,
        ErrorCode::SessionExpired
    );
    assert_eq!(works(&world.api, &third).await, Err(ErrorCode::SessionExpired));
}

#[tokio::test]
async fn a_lost_answer_does_not_sign_the_agent_out() {
    let world = World::start().await;
    let first = world.api.sign_in("agent", &world.password).await.unwrap();
    let lost = refresh(&world.api, &first.refresh_token).await.unwrap();
    let again = refresh(&world.api, &first.refresh_token).await.unwrap();
    assert_eq!(works(&world.api, &again).await, Ok(()));
    assert!(refresh(&world.api, &again.refresh_token).await.is_ok());
    assert_eq!(
        refresh(&world.api, &lost.refresh_token).await.refused().code,
        ErrorCode::SessionExpired
    );
}

#[tokio::test]
async fn access_tokens_end_by_themselves_and_with_the_sign_out() {
    let world = World::with(|config| config.access_ttl = Duration::ZERO).await;
    let session = world.api.sign_in("agent", &world.password).await.unwrap();
    assert_eq!(works(&world.api, &session).await, Err(ErrorCode::SessionExpired));

    let world = World::start().await;
    let desk = world.desk("agent").await;
    let (mut socket, _) = desk.listen().await;
    let _: Value = world
        .api
        .post(
            "/v1/auth/sign-out",
            json!({ "refresh_token": desk.session.refresh_token }),
        )
        .await
        .unwrap();
    assert_eq!(socket.problem().await, ErrorCode::SessionExpired);
    assert_eq!(works(&world.api, &desk.session).await, Err(ErrorCode::SessionExpired));
}

#[tokio::test]
async fn a_new_password_signs_out_everywhere() {
    let world = World::start().await;
    let session = world.api.sign_in("agent", &world.password).await.unwrap();
    let new = password();
    // Another process beside the running server, as the command line does it.
    assert!(
        set_password(&world.folder.database(), " Agent@example.test ", &new)
            .await
            .unwrap()
    );
    assert!(
        !set_password(&world.folder.database(), "nobody@example.test", &new)
            .await
            .unwrap()
    );
    assert_eq!(works(&world.api, &session).await, Err(ErrorCode::SessionExpired));
    assert!(world.api.sign_in("agent", &world.password).await.is_err());
    assert!(world.api.sign_in("agent", &new).await.is_ok());
}

#[tokio::test]
async fn without_a_token_nobody_gets_in() {
    let world = World::start().await;
    let path = "/v1/conversations/00000000-0000-4000-8000-000000000000";
    let answer: Result<Value, Problem> = world.api.call(Method::GET, path, None, None).await;
    assert_eq!(answer.refused().code, ErrorCode::NotSignedIn);
    let answer: Result<Value, Problem> = world.api.call(Method::GET, path, Some("made-up"), None).await;
    assert_eq!(answer.refused().code, ErrorCode::SessionExpired);
}
