//! A disk that gets full.

use crate::{
    harness::{Answer, Api, Desk, Folder, password},
    program::Program,
};
use sightline_wire::ErrorCode;
use uuid::Uuid;

#[tokio::test]
async fn a_full_disk_is_said_plainly_and_loses_nothing() {
    let (folder, password) = (Folder::new(), password());
    let program = Program::with_little_disk(&folder.database(), 1_024, &password).await;
    let api = Api::new(&program.url);
    let session = api.sign_in("agent", &password).await.unwrap();
    let desk = Desk {
        api: api.clone(),
        session,
    };
    let page = api.page().await;
    page.say("Hello").await;
    let id = desk.accept_newest().await.id;
    let text = "x".repeat(3_500);
    let mut acknowledged = 1;
    let problem = loop {
        match desk.say(id, Uuid::new_v4(), &text).await {
            Ok(message) => acknowledged = message.seq,
            refused @ Err(_) => break refused.refused(),
        }
        assert!(acknowledged < 2_000, "the disk never got full");
    };
    assert_eq!(problem.code, ErrorCode::StorageFailed);
    assert!(
        !problem.message.to_lowercase().contains("sqlite"),
        "detail belongs to the log"
    );
    program.kill().await;
    let program = Program::start(&folder.database(), "127.0.0.1:0", &password).await;
    let desk = Desk {
        api: Api::new(&program.url),
        ..desk
    };
    let kept: Vec<i64> = desk.messages(id).await.iter().map(|m| m.seq).collect();
    assert_eq!(kept, (1..=acknowledged).collect::<Vec<_>>());
    assert!(desk.say(id, Uuid::new_v4(), "There is room again").await.is_ok());
    program.kill().await;
}
