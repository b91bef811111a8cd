use crate::{
    harness::{Folder, MemoryStore, TestDesk, World},
    proxy,
};
use serde_json::json;
use sightline_wire::{
    ErrorCode,
    conversation::{Body, ContextValue, ConversationState, FilePlace},
    desk::{DeskCommand, PendingState},
};
use std::sync::atomic::Ordering;

fn send(conversation: sightline_wire::ids::ConversationId, text: &str) -> DeskCommand {
    DeskCommand::Send {
        conversation,
        text: text.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_picture_is_shown_and_another_file_is_a_link() {
    let world = World::start().await;
    let (mut desk, customer, id) = world.chatting().await;
    let file = |kind: &str, name: &str, base64: &str| json!({ "contentType": kind, "name": name, "contentUrl": format!("data:{kind};base64,{base64}") });
    let picture = "iVBORw0KGgpwaWN0dXJl";
    let attachments = [
        file("image/png", "a.png", picture),
        file("text/plain", "a.txt", "a2V0dGxl"),
    ];
    customer
        .post(json!({ "type": "message", "from": { "id": "me" }, "attachments": attachments }))
        .await;
    let ids = desk
        .until("the files", |w| {
            w.threads[&id].values().find_map(|message| match &message.body {
                Body::Files { files, .. } => Some(files.iter().map(|file| file.place.clone()).collect::<Vec<_>>()),
                _ => None,
            })
        })
        .await;
    for place in ids {
        let Some(FilePlace::Here { id: file }) = place else {
            panic!("the server keeps it");
        };
        desk.command(DeskCommand::ReadFile { file }).await.unwrap();
    }
    let shown = desk
        .until("both of them", |w| (w.files.len() == 2).then(|| w.files.clone()))
        .await;
    assert_eq!(shown[0].picture.as_deref(), Some(picture));
    assert_eq!(shown[1].picture, None);
    let text = reqwest::get(&shown[1].link.url).await.unwrap().text().await.unwrap();
    assert_eq!(text, "kettle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_from_hello_to_close() {
    let world = World::start().await;
    let (mut desk, customer, id) = world.chatting().await;
    assert!(
        desk.told
            .notifications
            .lock()
            .unwrap()
            .iter()
            .any(|(title, body)| { title == "New conversation" && body == "Ana is waiting." })
    );

    desk.command(send(id, "Good morning")).await.unwrap();
    desk.until("the message stored and nothing pending", |w| {
        (w.texts(id) == ["Hello", "Good morning"] && w.pending.is_empty()).then_some(())
    })
    .await;
    desk.handle.focus_changed(false);
    customer.say("It blinks").await;
    desk.until("the answer", |w| {
        w.texts(id).contains(&"It blinks".into()).then_some(())
    })
    .await;
    assert!(
        desk.told
            .notifications
            .lock()
            .unwrap()
            .contains(&("Ana".into(), "A new message.".into()))
    );

    assert_eq!(
        desk.command(send(id, "  ")).await.unwrap_err().code,
        ErrorCode::EmptyMessage
    );
    assert_eq!(
        desk.command(send(id, &"x".repeat(4_001))).await.unwrap_err().code,
        ErrorCode::MessageTooLong
    );
    desk.command(DeskCommand::Typing { conversation: id }).await.unwrap();
    desk.command(DeskCommand::SaveNotes {
        conversation: id,
        notes: "blinks".into(),
    })
    .await
    .unwrap();
    let (key, value) = ("order".to_string(), Some(ContextValue::Number(7.0)));
    desk.command(DeskCommand::SetContext {
        conversation: id,
        key,
        value,
    })
    .await
    .unwrap();
    desk.until("notes and variable", |w| {
        let conversation = &w.conversations[&id];
        (conversation.notes == "blinks" && conversation.context.get("order") == Some(&ContextValue::Number(7.0)))
            .then_some(())
    })
    .await;

    // Back at the window, what lies open has been read.
    desk.handle.focus_changed(true);
    desk.until("all read", |w| (w.conversations[&id].read_seq == 3).then_some(()))
        .await;
    desk.command(DeskCommand::WrapUp {
        conversation: id,
        end_call: false,
    })
    .await
    .unwrap();
    let disposition = "Solved".to_string();
    desk.command(DeskCommand::Close {
        conversation: id,
        disposition,
    })
    .await
    .unwrap();
    desk.until("closed", |w| {
        (w.conversations[&id].state == ConversationState::Closed).then_some(())
    })
    .await;
    assert_eq!(desk.told.attention.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_offline_survives_a_restart_of_the_app_and_goes_out_in_order() {
    let mut world = World::start().await;
    let store = MemoryStore::default();
    let mut desk = TestDesk::start(&world.url, Folder::new(), store.keyring());
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    let (_customer, id) = world.accepted(&mut desk, "Ana").await;
    world.stop().await;
    desk.offline().await;
    for text in ["one", "two", "three"] {
        desk.command(send(id, text)).await.unwrap();
    }
    desk.until("three that wait", |w| {
        let waiting = w
            .pending
            .iter()
            .all(|message| message.state == PendingState::WaitingForNetwork);
        (w.pending.len() == 3 && waiting).then_some(())
    })
    .await;

    let folder = desk.quit().await;
    let mut desk = TestDesk::start(&world.url, folder, store.keyring());
    world.go_on().await;
    desk.online().await;
    desk.command(DeskCommand::Attach).await.unwrap();
    desk.command(DeskCommand::Open { conversation: id }).await.unwrap();
    desk.until("all sent, once and in order", |w| {
        (w.texts(id) == ["Hello", "one", "two", "three"] && w.pending.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_caught_up_with() {
    let mut world = World::start().await;
    let (mut desk, customer, id) = world.chatting().await;
    world.stop().await;
    desk.offline().await;
    world.go_on().await;
    // Written before the desk is back, or after: it must not matter.
    for number in 0..5 {
        customer.say(&format!("missed {number}")).await;
    }
    desk.online().await;
    desk.until("everything, once", |w| (w.texts(id).len() == 6).then_some(()))
        .await;
    assert_eq!(desk.window.texts(id)[5], "missed 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_keeps_its_reason_until_it_is_discarded() {
    let world = World::start().await;
    let (mut desk, _customer, id) = world.chatting().await;
    desk.command(DeskCommand::WrapUp {
        conversation: id,
        end_call: false,
    })
    .await
    .unwrap();
    desk.command(send(id, "too late")).await.unwrap();
    let client_id = desk
        .until("refused, with a reason", |w| match &w.pending.first()?.state {
            PendingState::Refused { problem } => {
                assert_eq!(problem.code, ErrorCode::ConversationNotActive);
                Some(w.pending[0].client_id)
            }
            PendingState::Sending | PendingState::WaitingForNetwork => None,
        })
        .await;
    desk.command(DeskCommand::Discard { client_id }).await.unwrap();
    desk.until("gone", |w| w.pending.is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_gone_takes_no_message() {
    let world = World::start().await;
    let folder = Folder::new();
    // A folder in the file's place: the outbox can never be opened.
    std::fs::create_dir(folder.0.join("outbox.sqlite")).unwrap();
    let mut desk = TestDesk::start(&world.url, folder, MemoryStore::default().keyring());
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    let (_customer, id) = world.accepted(&mut desk, "Ana").await;
    let problem = desk.command(send(id, "kept nowhere")).await.unwrap_err();
    assert_eq!(problem.code, ErrorCode::StorageFailed);
    assert!(desk.window.pending.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_from_the_server_is_passed_over() {
    let mut world = World::start().await;
    let url = std::mem::take(&mut world.url);
    let babbling = proxy::babbling(&url).await;
    let mut desk = TestDesk::start(&babbling, Folder::new(), MemoryStore::default().keyring());
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    world.url = url;
    let (customer, id) = world.accepted(&mut desk, "Ana").await;
    customer.say("Still there?").await;
    desk.command(send(id, "Yes")).await.unwrap();
    desk.until("both", |w| {
        (w.texts(id) == ["Hello", "Still there?", "Yes"]).then_some(())
    })
    .await;
}
