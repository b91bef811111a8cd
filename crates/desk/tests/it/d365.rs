//! A customer who comes by a link: what came before, and video that starts by itself, once.

use crate::harness::{Customer, Folder, MemoryStore, TestDesk, Window, World};
use serde_json::json;
use sightline_server::ServerConfig;
use sightline_wire::{
    ErrorCode,
    conversation::{Body, ConversationState},
    desk::{AutoVideo, CallPhase, DeskCommand},
    ids::ConversationId,
    link::PreviousConversation,
};

/// A customer whose page asks for video, in text as undeclared context comes.
async fn wants_video(world: &World, name: &str) -> Customer {
    let context = json!({ "VideoCall": { "value": "True", "isDisplayable": false } });
    let customer = world.customer_with(json!({ "name": name, "context": context })).await;
    customer.say("Can you see it?").await;
    customer
}

async fn waiting(desk: &mut TestDesk, name: &str) -> ConversationId {
    desk.until("a waiting conversation", |w| {
        w.conversations
            .values()
            .find(|c| c.customer_name == name && c.state == ConversationState::Open)
            .map(|c| c.id)
    })
    .await
}

fn starting(window: &Window, id: ConversationId) -> Option<()> {
    match window.auto_video.as_ref()? {
        AutoVideo::Starting {
            conversation,
            announced_ms,
            ..
        } => (*conversation == id && *announced_ms == 3_000).then_some(()),
        AutoVideo::Blocked { .. } => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn video_is_announced_and_starts_once() {
    let world = World::start().await;
    let keyring = MemoryStore::default();
    let mut desk = TestDesk::start(&world.url, Folder::new(), keyring.keyring());
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    let _customer = wants_video(&world, "Ana").await;
    let id = waiting(&mut desk, "Ana").await;
    assert_eq!(desk.window.auto_video, None, "nothing starts before the agent takes it");
    desk.command(DeskCommand::Accept { conversation: id }).await.unwrap();
    desk.until("the announcement", |w| starting(w, id)).await;
    desk.until("the link, and no announcement any more", |w| {
        let waits = matches!(w.phase()?, CallPhase::Waiting { .. });
        (waits && w.auto_video.is_none()).then_some(())
    })
    .await;

    // Taking it again says nothing new, and neither does the end of the call.
    desk.command(DeskCommand::CancelInvite).await.unwrap();
    desk.until("the end", |w| {
        matches!(w.phase()?, CallPhase::Ended { .. }).then_some(())
    })
    .await;
    desk.until("over on the server too", |w| {
        (!w.conversations[&id].escalation.as_ref()?.state.holds_slot()).then_some(())
    })
    .await;
    desk.command(DeskCommand::DismissCall).await.unwrap();
    desk.command(DeskCommand::Accept { conversation: id }).await.unwrap();
    let shown = desk.window.auto_videos.iter().flatten().count();
    assert_eq!(shown, 1);

    // And neither does another start of the app.
    let folder = desk.quit().await;
    let mut again = TestDesk::start(&world.url, folder, keyring.keyring());
    again.command(DeskCommand::Attach).await.unwrap();
    again.online().await;
    again.command(DeskCommand::Accept { conversation: id }).await.unwrap();
    again
        .until("the conversation", |w| w.conversations.contains_key(&id).then_some(()))
        .await;
    assert!(again.window.auto_videos.iter().all(Option::is_none));
    assert!(again.window.call.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_may_say_no_before_the_camera_goes_on() {
    let world = World::start().await;
    let mut desk = world.desk().await;
    let _customer = wants_video(&world, "Ana").await;
    let id = waiting(&mut desk, "Ana").await;
    desk.command(DeskCommand::Accept { conversation: id }).await.unwrap();
    desk.until("the announcement", |w| starting(w, id)).await;
    desk.command(DeskCommand::CancelAutoVideo).await.unwrap();
    desk.until("no announcement", |w| w.auto_video.is_none().then_some(()))
        .await;
    // The next one's comes after the moment at which the first would have started.
    let _next = wants_video(&world, "Luis").await;
    let next = waiting(&mut desk, "Luis").await;
    desk.command(DeskCommand::Accept { conversation: next }).await.unwrap();
    let call = desk
        .until("a call", |w| w.call.as_ref().map(|call| call.conversation))
        .await;
    assert_eq!(call, next);
}

fn demanding(config: &mut ServerConfig) {
    config.readiness.required = true;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_is_not_ready_says_why_and_starts_nothing() {
    let world = World::with(demanding).await;
    let mut desk = world.desk().await;
    let _customer = wants_video(&world, "Ana").await;
    let id = waiting(&mut desk, "Ana").await;
    desk.command(DeskCommand::Accept { conversation: id }).await.unwrap();
    let code = desk
        .until("why it does not start", |w| match w.auto_video.as_ref()? {
            AutoVideo::Blocked { conversation, problem } => (*conversation == id).then_some(problem.code),
            AutoVideo::Starting { .. } => None,
        })
        .await;
    assert_eq!(code, ErrorCode::NotReadyForVideo);
    assert!(desk.window.call.is_none());
    // A page that loads again knows as much.
    desk.window.auto_video = None;
    desk.command(DeskCommand::Attach).await.unwrap();
    desk.until("it again", |w| w.auto_video.is_some().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_brings_the_customer_back_with_everything_said_before() {
    let world = World::start().await;
    let (mut desk, _first, id) = world.chatting().await;
    desk.command(DeskCommand::SendChatLink {
        conversation: id,
        video: false,
    })
    .await
    .unwrap();
    let url = desk
        .until("the link in the conversation", |w| {
            w.threads[&id].values().find_map(|message| match &message.body {
                Body::Text { text } => text.split(' ').find(|word| word.contains("/c/")).map(String::from),
                _ => None,
            })
        })
        .await;
    let code = url.rsplit('/').next().unwrap();
    let entry = json!({ "type": "code", "code": code });
    world.customer_with(json!({ "entry": entry })).await;
    let second = waiting(&mut desk, "Ana").await;
    let me = desk.window.conversations[&id].owner;
    assert_eq!(desk.window.conversations[&second].asked_for, me);
    let Some(PreviousConversation::Known { id: previous, .. }) = desk.window.conversations[&second].previous else {
        panic!("it continues one")
    };
    assert_eq!(previous, id);
    desk.command(DeskCommand::ReadEarlier {
        conversation: second,
        earlier: previous,
        before: None,
    })
    .await
    .unwrap();
    let (of, earlier) = desk.until("what came before", |w| w.earlier.first().cloned()).await;
    assert_eq!((of, earlier.id, earlier.more), (second, id, false));
    let texts: Vec<_> = earlier.messages.iter().map(|message| message.body.text()).collect();
    assert_eq!(texts[0], "Hello");
    assert!(texts[1].ends_with(&url));
    assert_eq!(earlier.owner_name.as_deref(), Some("Maria"));
}
