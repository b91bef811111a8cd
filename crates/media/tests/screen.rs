//! A shared screen beside the face, judged by content at a bare far end.

mod common;

use common::{FarEnd, PATIENCE, config, start};
use sightline_media::{MediaEvent, list_screens};
use sightline_wire::{ErrorCode, screen::ScreenKind};

#[test]
fn a_shared_screen_comes_through_whole_beside_the_face_and_stops() {
    let page = list_screens()
        .sources
        .into_iter()
        .find(|source| source.kind == ScreenKind::Test);
    let page = page.expect("the test page can always be shared");
    let (session, _screen, _ours, mut events) = start(config());
    session.offer(1);
    let far = FarEnd::answering(&events.offer());
    session.answer(1, far.answer.clone());
    session.admit(1);
    events.wait_for(|event| matches!(event, MediaEvent::Flowing { negotiation: 1, .. }).then_some(()));

    session.share_screen(Some(page.id.clone()));
    events.wait_for(|event| matches!(event, MediaEvent::Own(own) if own.screen && own.camera).then_some(()));
    let seen: Vec<_> = (0..10)
        .map(|_| {
            far.shared
                .recv_timeout(PATIENCE)
                .expect("pictures of the screen keep coming")
        })
        .collect();
    assert!(seen.is_sorted(), "in order: {seen:?}");
    assert!(
        seen.iter()
            .all(|&(_, width, height)| (width, height) == (page.width, page.height))
    );
    while far.barcodes.try_recv().is_ok() {}
    far.barcodes.recv_timeout(PATIENCE).expect("the face goes on");

    // A window that is not there: sharing ends by itself, with its reason, and the call goes on.
    session.share_screen(Some("x11:window:7".into()));
    let problem = events.wait_for(|event| match event {
        MediaEvent::ScreenEnded(problem) => Some(problem),
        _ => None,
    });
    assert!(matches!(
        problem.code,
        ErrorCode::ScreenGone | ErrorCode::ScreenUnavailable
    ));

    session.share_screen(Some(page.id));
    events.wait_for(|event| matches!(event, MediaEvent::Own(own) if own.screen).then_some(()));
    session.share_screen(None);
    events.wait_for(|event| matches!(event, MediaEvent::Own(own) if !own.screen).then_some(()));
    while far.barcodes.try_recv().is_ok() {}
    far.barcodes.recv_timeout(PATIENCE).expect("the face is still there");
}
