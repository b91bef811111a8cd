//! A supervisor's desk: the wall, and a colleague's conversation that is read, joined and closed.

use crate::{
    harness::{Folder, MemoryStore, TestDesk, World},
    selftest::supervised,
};
use sightline_wire::{
    ErrorCode,
    conversation::ConversationState,
    desk::DeskCommand,
    wall::{WallConversation, WallView},
};

fn ana(wall: Option<&WallView>) -> Option<&WallConversation> {
    wall?.conversations.iter().find(|row| row.customer_name == "Ana")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_watches_reads_joins_and_closes() {
    let world = World::with(supervised).await;
    let (mut desk, _customer, id) = world.chatting().await;
    let refused = desk.command(DeskCommand::WatchWall { open: true }).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::NotAllowed);

    let mut boss = TestDesk::start(&world.url, Folder::new(), MemoryStore::default().keyring());
    boss.sign_in_as("supervisor@example.test", &world.password)
        .await
        .unwrap();
    boss.online().await;
    boss.command(DeskCommand::WatchWall { open: true }).await.unwrap();
    boss.until("the conversation on the wall", |w| {
        let row = ana(w.wall.as_ref())?;
        (row.state == ConversationState::Active && row.owner_name.as_deref() == Some("Maria")).then_some(())
    })
    .await;

    boss.command(DeskCommand::Open { conversation: id }).await.unwrap();
    boss.until("what was said", |w| w.texts(id).contains(&"Hello".into()).then_some(()))
        .await;
    boss.command(DeskCommand::Join { conversation: id }).await.unwrap();
    boss.until("the supervisor in it", |w| {
        let joined = &w.conversations.get(&id)?.participants;
        (joined.len() == 1 && joined[0].name == "Sofia").then_some(())
    })
    .await;
    boss.command(DeskCommand::Send {
        conversation: id,
        text: "I can help".into(),
    })
    .await
    .unwrap();
    desk.until("the supervisor's words", |w| {
        w.texts(id).contains(&"I can help".into()).then_some(())
    })
    .await;

    boss.command(DeskCommand::ForceClose {
        conversation: id,
        notice: "We close for today.".into(),
        end_call: false,
    })
    .await
    .unwrap();
    let notice = desk
        .until("why it is closed", |w| {
            let told = |problem: &&sightline_wire::Problem| problem.code == ErrorCode::ClosedBySupervisor;
            w.notices.iter().find(told).cloned()
        })
        .await;
    assert_eq!(notice.message, "Sofia has closed the conversation with Ana.");
    assert!(notice.next_step.contains("We close for today."));
    boss.until("an empty wall", |w| {
        w.wall.as_ref()?.conversations.is_empty().then_some(())
    })
    .await;
}
