//! One platform's trouble is not another's.

use crate::{
    harness::World,
    platform::{Platform, now, send_to, signed, table},
};
use reqwest::StatusCode;
use serde_json::json;
use sightline_server::Deployment;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpListener;

/// More conversations than one connector has calls at the same time.
const CUSTOMERS: usize = 40;

#[tokio::test]
async fn a_platform_that_never_answers_keeps_nobody_else_waiting() {
    let platform = Platform::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away = table("away", silent.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    tokio::spawn({
        let calls = calls.clone();
        async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = silent.accept().await {
                calls.fetch_add(1, Ordering::SeqCst);
                open.push(stream);
            }
        }
    });
    let file = format!("{away}{}", table("shop", platform.address()));
    let world = World::with(|config| config.deployment = Deployment::parse(&file).unwrap()).await;
    // Every message is acknowledged to its platform: so many threads have something to send.
    for customer in 0..CUSTOMERS {
        let body = json!({ "type": "message", "thread": customer.to_string(), "id": "M-1", "text": "Hello",
                           "from": { "address": format!("+4915550{customer}") } });
        let headers = signed(&world, &body.to_string(), now());
        assert_eq!(send_to(&world, "away", body.to_string(), headers).await, StatusCode::OK);
    }
    platform.customer_writes(&world, "100", "M-1", "Hello").await;
    platform.hears("receipt", 1).await;
    let calls = calls.load(Ordering::SeqCst);
    assert!(
        (1..=16).contains(&calls),
        "{calls} calls hang, and no further one was begun meanwhile"
    );
}
