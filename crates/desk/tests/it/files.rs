//! Files that the agent sends: kept on the disk first, then on their way, whatever happens to the server meanwhile.

use crate::harness::{MemoryStore, TestDesk, Window, World};
use sightline_desk::NewFile;
use sightline_wire::{
    ErrorCode, MAX_FILE_BYTES,
    conversation::{Body, File},
    desk::{DeskCommand, PendingState},
    ids::ConversationId,
};

fn text(name: &str, bytes: usize) -> NewFile {
    NewFile {
        name: name.into(),
        kind: "text/plain".into(),
        content: vec![b'a'; bytes],
    }
}

/// Files of a conversation, as the window shows them.
fn files(window: &Window, conversation: ConversationId) -> Vec<File> {
    let thread = window.threads.get(&conversation);
    thread
        .into_iter()
        .flat_map(|thread| thread.values())
        .flat_map(|message| match &message.body {
            Body::Files { files, .. } => files.clone(),
            Body::Text { .. }
            | Body::Offer { .. }
            | Body::Choice { .. }
            | Body::Invite { .. }
            | Body::Event { .. }
            | Body::Note { .. } => Vec::new(),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_says_how_far_it_is_and_becomes_a_message_behind_the_words_before_it() {
    let world = World::start().await;
    let (mut desk, _customer, id) = world.chatting().await;
    let words = DeskCommand::Send {
        conversation: id,
        text: "Here it is".into(),
    };
    desk.command(words).await.unwrap();
    desk.handle
        .send_file(id, text("../list.txt", MAX_FILE_BYTES))
        .await
        .unwrap();
    let mut steps = Vec::new();
    desk.until("the file in the conversation, and nothing pending", |w| {
        steps.extend(
            w.pending
                .iter()
                .filter_map(|message| message.file.as_ref().map(|file| file.sent)),
        );
        (w.pending.is_empty() && files(w, id).len() == 1).then_some(())
    })
    .await;
    steps.dedup();
    assert!(steps.len() > 2 && steps.is_sorted(), "{steps:?}");
    let file = files(&desk.window, id).remove(0);
    assert_eq!(
        (file.name.as_str(), file.size),
        ("list.txt", u32::try_from(MAX_FILE_BYTES).ok())
    );
    assert_eq!(desk.window.texts(id), ["Hello", "Here it is", "[text/plain] list.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_said_before_anything_is_sent() {
    let world = World::start().await;
    let (desk, _customer, id) = world.chatting().await;
    let page = NewFile {
        name: "page.html".into(),
        kind: "text/html".into(),
        content: b"<p>".to_vec(),
    };
    for (file, code) in [
        (page, ErrorCode::FileRefused),
        (text("none.txt", 0), ErrorCode::FileRefused),
        (text("large.txt", MAX_FILE_BYTES + 1), ErrorCode::FileTooLarge),
    ] {
        let problem = desk.handle.send_file(id, file).await.unwrap_err();
        assert_eq!(problem.code, code);
        assert!(!problem.next_step.is_empty());
    }
    assert!(desk.window.pending.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_outlives_the_server_and_the_window_and_is_sent_once() {
    let mut world = World::start().await;
    let (mut desk, _customer, id) = world.chatting().await;
    world.stop().await;
    desk.offline().await;
    desk.handle.send_file(id, text("list.txt", 300_000)).await.unwrap();
    desk.until("the file waiting", |w| {
        let waits = |state: &PendingState| matches!(state, PendingState::WaitingForNetwork);
        w.pending
            .iter()
            .any(|message| message.file.is_some() && waits(&message.state))
            .then_some(())
    })
    .await;
    let folder = desk.quit().await;
    world.go_on().await;
    let mut desk = TestDesk::start(&world.url, folder, MemoryStore::default().keyring());
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    desk.command(DeskCommand::Open { conversation: id }).await.unwrap();
    desk.until("the file in the conversation, and nothing pending", |w| {
        (w.pending.is_empty() && files(w, id).len() == 1).then_some(())
    })
    .await;
    // Words behind it show that nothing of it is still on its way.
    let words = DeskCommand::Send {
        conversation: id,
        text: "Done".into(),
    };
    desk.command(words).await.unwrap();
    desk.until("the words", |w| w.texts(id).contains(&"Done".into()).then_some(()))
        .await;
    assert_eq!(files(&desk.window, id).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_given_up_is_not_sent_and_what_follows_is() {
    let mut world = World::start().await;
    let (mut desk, _customer, id) = world.chatting().await;
    world.stop().await;
    desk.offline().await;
    desk.handle.send_file(id, text("wrong.txt", 300_000)).await.unwrap();
    desk.handle.send_file(id, text("right.txt", 30)).await.unwrap();
    let wrong = desk
        .until("both waiting", |w| {
            let named = |name: &str| {
                w.pending
                    .iter()
                    .find(|m| m.file.as_ref().is_some_and(|file| file.name == name))
            };
            named("right.txt")?;
            Some(named("wrong.txt")?.client_id)
        })
        .await;
    desk.command(DeskCommand::Discard { client_id: wrong }).await.unwrap();
    world.go_on().await;
    desk.online().await;
    desk.until("nothing pending", |w| {
        (w.pending.is_empty() && files(w, id).len() == 1).then_some(())
    })
    .await;
    assert_eq!(files(&desk.window, id)[0].name, "right.txt");
}
