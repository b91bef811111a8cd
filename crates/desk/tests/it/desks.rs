use crate::harness::{Folder, MemoryStore, TestDesk, World};
use sightline_wire::{
    ErrorCode,
    desk::{DeskCommand, LinkView, SessionView},
};

fn displaced(window: &crate::harness::Window) -> Option<ErrorCode> {
    match window.session.as_ref()? {
        SessionView::SignedIn {
            link: LinkView::Displaced { problem },
            ..
        } => Some(problem.code),
        SessionView::SignedIn { .. } | SessionView::SignedOut { .. } | SessionView::Starting => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_agent_works_on_one_desk_at_a_time() {
    let world = World::start().await;
    let (mut first, customer, id) = world.chatting().await;
    let mut second = TestDesk::start(&world.url, Folder::new(), MemoryStore::default().keyring());
    second.sign_in(&world.password).await.unwrap();
    second
        .until("the first desk stands in the way", |w| {
            (displaced(w)? == ErrorCode::SecondDesk).then_some(())
        })
        .await;

    second.command(DeskCommand::TakeOver).await.unwrap();
    second.online().await;
    first
        .until("displaced", |w| {
            (displaced(w)? == ErrorCode::DeskDisplaced).then_some(())
        })
        .await;
    second.command(DeskCommand::Open { conversation: id }).await.unwrap();
    customer.say("Who is there now?").await;
    second
        .until("the message", |w| {
            w.texts(id).contains(&"Who is there now?".into()).then_some(())
        })
        .await;
    let start = first.command(DeskCommand::StartVideo { conversation: id }).await;
    assert_eq!(start.unwrap_err().code, ErrorCode::DeskDisplaced);

    first.command(DeskCommand::TakeOver).await.unwrap();
    first.online().await;
    second
        .until("displaced in turn", |w| {
            (displaced(w)? == ErrorCode::DeskDisplaced).then_some(())
        })
        .await;
}
