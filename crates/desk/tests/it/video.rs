use crate::harness::{Folder, MemoryStore, Seat, TestDesk, World};
use sightline_wire::{
    ErrorCode,
    conversation::Body,
    desk::{CallPhase, DeskCommand},
    escalation::EndReason,
    ids::ConversationId,
    room::{MediaState, RoomEvent, RoomRequest},
};
use std::sync::atomic::Ordering;

/// One click, and the link.
async fn start(desk: &mut TestDesk, conversation: ConversationId) -> String {
    desk.command(DeskCommand::StartVideo { conversation }).await.unwrap();
    desk.until("waiting for the customer", |w| match w.phase()? {
        CallPhase::Waiting { .. } => w.call.as_ref()?.url.clone(),
        _ => None,
    })
    .await
}

async fn ended(desk: &mut TestDesk) -> EndReason {
    desk.until("the end", |w| match w.phase()? {
        CallPhase::Ended { reason, .. } => Some(reason),
        _ => None,
    })
    .await
}

/// The desk's offer, from the welcome or right after it.
async fn offer(seat: &mut Seat) -> (u32, String) {
    seat.expect("an offer", |event| match event {
        RoomEvent::Welcome { offer: Some(offer), .. } | RoomEvent::Offer(offer) => Some((offer.negotiation, offer.sdp)),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn start_resend_cancel() {
    let world = World::start().await;
    let (mut desk, _customer, id) = world.chatting().await;
    start(&mut desk, id).await;
    let invites = |w: &crate::harness::Window| {
        w.threads[&id]
            .values()
            .filter(|message| matches!(message.body, Body::Invite { .. }))
            .count()
    };
    desk.until("the link in the conversation", |w| (invites(w) == 1).then_some(()))
        .await;
    desk.command(DeskCommand::ResendInvite).await.unwrap();
    desk.until("the link once more", |w| (invites(w) == 2).then_some(()))
        .await;

    assert_eq!(
        desk.command(DeskCommand::SignOut).await.unwrap_err().code,
        ErrorCode::CallLive
    );
    assert!(!desk.handle.close_requested().await);
    desk.until("the question", |w| (w.asked_to_confirm == 1).then_some(()))
        .await;

    desk.command(DeskCommand::CancelInvite).await.unwrap();
    assert_eq!(ended(&mut desk).await, EndReason::Cancelled);
    desk.until("over on the server too", |w| {
        (!w.conversations[&id].escalation.as_ref()?.state.holds_slot()).then_some(())
    })
    .await;
    assert!(desk.handle.close_requested().await);
    desk.command(DeskCommand::DismissCall).await.unwrap();
    desk.until("an empty stage", |w| w.call.is_none().then_some(())).await;
    // And once more from the start.
    start(&mut desk, id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_comes_and_the_agent_hangs_up() {
    let world = World::start().await;
    let (mut desk, customer, id) = world.chatting().await;
    let link = start(&mut desk, id).await;
    let mut seat = customer.join(&link).await;
    let (negotiation, sdp) = offer(&mut seat).await;
    assert!(negotiation >= 1 && sdp.contains("m=video") && sdp.contains("m=audio"));
    seat.send(&RoomRequest::Media(MediaState {
        microphone: true,
        camera: false,
        screen: false,
    }))
    .await;
    desk.until("connecting, with the customer's media", |w| {
        let other = w.call.as_ref()?.other;
        (matches!(w.phase()?, CallPhase::Connecting { .. }) && other.microphone && !other.camera).then_some(())
    })
    .await;

    desk.command(DeskCommand::SetMicrophone { on: false }).await.unwrap();
    seat.expect("the agent muted", |event| match event {
        RoomEvent::Media(media) => (!media.microphone).then_some(()),
        _ => None,
    })
    .await;
    let refused = desk
        .command(DeskCommand::WrapUp {
            conversation: id,
            end_call: false,
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::CallLive);

    desk.command(DeskCommand::HangUp).await.unwrap();
    assert_eq!(ended(&mut desk).await, EndReason::AgentHungUp);
    let told = seat
        .expect("the end", |event| match event {
            RoomEvent::Ended { reason } => Some(reason),
            _ => None,
        })
        .await;
    assert_eq!(told, EndReason::AgentHungUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_call_is_refused_and_names_the_first() {
    let world = World::start().await;
    let (mut desk, _ana, first) = world.chatting().await;
    let (_luis, second) = world.accepted(&mut desk, "Luis").await;
    start(&mut desk, first).await;
    let refused = desk
        .command(DeskCommand::StartVideo { conversation: second })
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code, refused.conversation),
        (ErrorCode::VideoSlotTaken, Some(first))
    );
    assert_eq!(desk.window.call.as_ref().unwrap().conversation, first);

    desk.command(DeskCommand::WrapUp {
        conversation: first,
        end_call: true,
    })
    .await
    .unwrap();
    // Nobody had joined yet.
    assert_eq!(ended(&mut desk).await, EndReason::Cancelled);
    start(&mut desk, second).await;
    let refused = desk
        .command(DeskCommand::StartVideo { conversation: first })
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::VideoSlotTaken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_finds_the_call_where_it_was() {
    let mut world = World::start().await;
    let (mut desk, customer, id) = world.chatting().await;
    let link = start(&mut desk, id).await;
    world.stop().await;
    desk.until("signalling lost, nothing else", |w| {
        (w.call.as_ref()?.signalling_lost && matches!(w.phase()?, CallPhase::Waiting { .. })).then_some(())
    })
    .await;
    world.go_on().await;
    desk.until("signalling back", |w| (!w.call.as_ref()?.signalling_lost).then_some(()))
        .await;
    let mut seat = customer.join(&link).await;
    offer(&mut seat).await;
    desk.until("connecting", |w| {
        matches!(w.phase()?, CallPhase::Connecting { .. }).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_desk_goes_on_with_its_call_by_itself() {
    let world = World::start().await;
    let store = MemoryStore::default();
    let mut desk = TestDesk::start(&world.url, Folder::new(), store.keyring());
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    let (customer, id) = world.accepted(&mut desk, "Ana").await;
    let link = start(&mut desk, id).await;
    let mut seat = customer.join(&link).await;
    let (before, _) = offer(&mut seat).await;
    desk.command(DeskCommand::SetMicrophone { on: false }).await.unwrap();
    desk.until("muted", |w| (!w.call.as_ref()?.own.microphone).then_some(()))
        .await;

    let folder = desk.quit().await;
    let mut desk = TestDesk::start(&world.url, folder, store.keyring());
    let (after, _) = offer(&mut seat).await;
    assert!(after > before);
    desk.until("back in the call, still muted", |w| {
        let call = w.call.as_ref()?;
        (call.conversation == id && matches!(call.phase, CallPhase::Connecting { .. }) && !call.own.microphone)
            .then_some(())
    })
    .await;

    // A call that was hung up is not joined again.
    desk.command(DeskCommand::CloseWindow).await.unwrap();
    assert_eq!(desk.told.closed.load(Ordering::SeqCst), 1);
    seat.expect("the end", |event| {
        matches!(event, RoomEvent::Ended { .. }).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_without_a_server_reaches_it_later() {
    let mut world = World::start().await;
    let (mut desk, customer, id) = world.chatting().await;
    let link = start(&mut desk, id).await;
    let mut seat = customer.join(&link).await;
    offer(&mut seat).await;
    world.stop().await;
    desk.offline().await;
    desk.command(DeskCommand::HangUp).await.unwrap();
    assert_eq!(ended(&mut desk).await, EndReason::AgentHungUp);
    world.go_on().await;
    desk.until("over on the server", |w| {
        (!w.conversations[&id].escalation.as_ref()?.state.holds_slot()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_right_after_the_click_takes_the_invite_back() {
    let world = World::start().await;
    let (desk, _customer, id) = world.chatting().await;
    let handle = desk.handle.clone();
    let click = tokio::spawn(async move { handle.command(DeskCommand::StartVideo { conversation: id }).await });
    let mut desk = desk;
    desk.until("the first sign of a call", |w| w.call.is_some().then_some(()))
        .await;
    desk.command(DeskCommand::CloseWindow).await.unwrap();
    click.await.unwrap().unwrap();
    assert_eq!(desk.told.closed.load(Ordering::SeqCst), 1);
    desk.until("over on the server", |w| {
        (!w.conversations[&id].escalation.as_ref()?.state.holds_slot()).then_some(())
    })
    .await;
    assert!(desk.window.call.is_none());
}
