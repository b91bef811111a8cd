//! A supervisor's desk: the wall, and a colleague's conversation that is read, joined and closed.

use crate::{
    harness::{Folder, MemoryStore, TestDesk, World},
    selftest::supervised,
};
use sightline_wire::{
    ErrorCode,
    conversation::ConversationState,
    desk::{AuditEnd, DeskCommand},
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

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_asks_why_and_reads_the_log() {
    let world = World::with(supervised).await;
    let (desk, _customer, id) = world.chatting().await;
    for command in [
        DeskCommand::ReadWhy { conversation: id },
        DeskCommand::ReadAudit { before: None },
        DeskCommand::CheckAudit { known: None },
    ] {
        assert_eq!(desk.command(command).await.unwrap_err().code, ErrorCode::NotAllowed);
    }
    let mut boss = TestDesk::start(&world.url, Folder::new(), MemoryStore::default().keyring());
    boss.sign_in_as("supervisor@example.test", &world.password)
        .await
        .unwrap();
    boss.online().await;
    boss.command(DeskCommand::ReadWhy { conversation: id }).await.unwrap();
    let (about, why) = boss.until("why it is with Maria", |w| w.why.clone()).await;
    assert_eq!((about, why.owner.as_deref(), why.asked), (id, Some("Maria"), None));
    assert_eq!(why.because.as_deref(), Some("Taken by hand, unasked."));

    for command in [
        DeskCommand::Join { conversation: id },
        DeskCommand::Leave { conversation: id },
    ] {
        boss.command(command).await.unwrap();
    }
    boss.command(DeskCommand::ReadAudit { before: None }).await.unwrap();
    let (_, page) = boss.until("the log", |w| w.audit.first().cloned()).await;
    let newest = &page.entries[0];
    assert_eq!((page.entries.len(), page.more), (2, false));
    assert_eq!(newest.customer_name.as_deref(), Some("Ana"));
    assert_eq!(newest.agent_name.as_deref(), Some("Maria"));
    boss.command(DeskCommand::ReadAudit {
        before: Some(newest.seq),
    })
    .await
    .unwrap();
    let (_, older) = boss.until("what was before", |w| w.audit.get(1).cloned()).await;
    assert_eq!(older.entries, page.entries[1..]);

    boss.command(DeskCommand::CheckAudit { known: None }).await.unwrap();
    let check = boss.until("the check", |w| w.audit_checks.first().cloned()).await;
    assert_eq!((check.intact, check.broken_at), (2, None));
    assert_eq!(check.head, newest.hash);
    let known = Some(AuditEnd {
        seq: 3,
        hash: check.head,
    });
    boss.command(DeskCommand::CheckAudit { known }).await.unwrap();
    let check = boss
        .until("the check against it", |w| w.audit_checks.get(1).cloned())
        .await;
    assert_eq!(check.broken_at, Some(3), "the third entry is gone");
}
