//! A session in a real call over real sockets, judged by content: the far end is a bare str0m peer that
//! draws its own time barcode and reads ours.

mod common;

use common::{FarEnd, PATIENCE, config, share_of, start};
use sightline_media::{MediaEvent, SessionConfig, list_screens};
use sightline_wire::{ErrorCode, device::DeviceKind, room::MediaState, screen::ScreenKind};
use std::sync::{Mutex, PoisonError, atomic::Ordering::Relaxed};

/// One call at a time: the first test counts this process's threads.
static CALL: Mutex<()> = Mutex::new(());

fn media_threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("on Linux").flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names
        .map(|name| name.trim().to_owned())
        .filter(|name| ["camera", "microphone", "speaker", "decoder", "media"].contains(&name.as_str()))
        .collect()
}

#[test]
fn a_call_carries_both_pictures_and_ends_without_a_trace() {
    let _one = CALL.lock().unwrap_or_else(PoisonError::into_inner);
    let (session, screen, ours, mut events) = start(config());
    session.offer(1);
    let far = FarEnd::answering(&events.offer());
    session.answer(1, far.answer.clone());
    session.admit(1);
    events.wait_for(|event| matches!(event, MediaEvent::Flowing { negotiation: 1, .. }).then_some(()));
    for barcodes in [&ours, &far.barcodes] {
        let times: Vec<u32> = (0..30)
            .map(|_| barcodes.recv_timeout(PATIENCE).expect("pictures keep coming"))
            .collect();
        assert!(times.is_sorted(), "in order: {times:?}");
    }
    let heard: Vec<f32> = (0..50)
        .flat_map(|_| far.sound.recv_timeout(PATIENCE).expect("sound keeps coming"))
        .collect();
    let loudest = heard
        .chunks(4_800)
        .map(|part| share_of(1_000.0, part))
        .fold(0.0, f32::max);
    assert!(loudest > 0.9, "the test tone is heard on the other side: {loudest:.2}");
    let quality = events.wait_for(|event| match event {
        MediaEvent::Quality(quality) if quality.frames_decoded > 0 => Some(quality),
        _ => None,
    });
    assert_eq!((quality.width, quality.height), (640, 360));

    // A customer who comes back with a new page gets a new connection, and the picture goes on there.
    session.offer(2);
    let second = FarEnd::answering(&events.offer());
    session.answer(2, second.answer.clone());
    session.admit(2);
    events.wait_for(|event| matches!(event, MediaEvent::Flowing { negotiation: 2, .. }).then_some(()));
    second
        .barcodes
        .recv_timeout(PATIENCE)
        .expect("our picture reaches the new connection");

    // Camera off: the device is closed and the room can be told.
    session.set_camera(false);
    events.wait_for(|event| {
        matches!(
            event,
            MediaEvent::Own(MediaState {
                camera: false,
                microphone: true,
                ..
            })
        )
        .then_some(())
    });
    assert!(screen.own.lock().unwrap().is_none());

    drop(session);
    assert!(
        screen.remote.lock().unwrap().1.is_none(),
        "the customer's picture is gone"
    );
    assert_eq!(media_threads(), Vec::<String>::new());
}

#[test]
fn a_warm_connection_carries_nothing_before_it_is_admitted() {
    let _one = CALL.lock().unwrap_or_else(PoisonError::into_inner);
    let (session, screen, _ours, mut events) = start(config());
    session.offer(1);
    let far = FarEnd::quiet(&events.offer());
    session.answer(1, far.answer.clone());
    let mut screens = list_screens().sources.into_iter();
    let page = screens.find(|source| source.kind == ScreenKind::Test);
    session.share_screen(Some(page.expect("the test page can always be shared").id));
    events.wait_for(|event| match event {
        MediaEvent::Connected { negotiation: 1 } => Some(()),
        MediaEvent::Quality(_) | MediaEvent::Flowing { .. } => panic!("{event:?} before anybody has joined"),
        _ => None,
    });
    // The camera goes on for more than a second, past every deadline of a connection without media.
    screen.own_frames(40);
    assert!(far.barcodes.try_recv().is_err(), "no picture was sent");
    assert!(far.sound.try_recv().is_err(), "no sound was sent");
    assert!(far.shared.try_recv().is_err(), "nothing of the screen was sent");

    // The customer's media tells of the tap; ours goes when the owner says so.
    far.speaks.store(true, Relaxed);
    events.wait_for(|event| match event {
        MediaEvent::Knocked { negotiation: 1 } => Some(()),
        MediaEvent::Quality(_) => panic!("figures before anybody has joined"),
        _ => None,
    });
    assert!(far.barcodes.try_recv().is_err(), "no picture was sent");
    session.admit(1);
    events.wait_for(|event| matches!(event, MediaEvent::Flowing { negotiation: 1, .. }).then_some(()));
    far.barcodes.recv_timeout(PATIENCE).expect("our picture is seen");
    far.sound.recv_timeout(PATIENCE).expect("our sound is heard");
    far.shared.recv_timeout(PATIENCE).expect("our screen is seen");

    session.cut(1);
    session.offer(2);
    let second = FarEnd::quiet(&events.offer());
    session.answer(2, second.answer.clone());
    events.wait_for(|event| matches!(event, MediaEvent::Connected { negotiation: 2 }).then_some(()));
    assert!(
        screen.remote.lock().unwrap().1.is_none(),
        "the cut customer's picture is gone"
    );
    assert!(second.barcodes.try_recv().is_err(), "admission was for the first only");
}

#[test]
fn missing_devices_are_named_and_the_offer_comes_all_the_same() {
    let _one = CALL.lock().unwrap_or_else(PoisonError::into_inner);
    let devices = ("camera:99:None", "synthetic:file:missing.wav");
    let config = SessionConfig {
        camera: Some(devices.0.into()),
        microphone: Some(devices.1.into()),
        ..config()
    };
    let (session, _screen, _ours, mut events) = start(config);
    session.offer(1);
    let (mut camera, mut microphone, mut offer) = (None, None, false);
    events.wait_for(|event| {
        match event {
            MediaEvent::DeviceProblem {
                kind: DeviceKind::Camera,
                problem,
            } => camera = Some(problem.code),
            MediaEvent::DeviceProblem {
                kind: DeviceKind::Microphone,
                problem,
            } => microphone = Some(problem.code),
            MediaEvent::Offer { .. } => offer = true,
            _ => {}
        }
        (camera.is_some() && microphone.is_some() && offer).then_some(())
    });
    assert_eq!(
        (camera, microphone),
        (Some(ErrorCode::CameraMissing), Some(ErrorCode::MicrophoneMissing))
    );

    // Choosing one that works mends it.
    session.select(DeviceKind::Camera, Some("synthetic:camera".into()));
    events.wait_for(|event| {
        matches!(
            event,
            MediaEvent::DeviceReady {
                kind: DeviceKind::Camera
            }
        )
        .then_some(())
    });
}

#[test]
fn a_broken_answer_is_a_clear_failure() {
    let _one = CALL.lock().unwrap_or_else(PoisonError::into_inner);
    let (session, _screen, _ours, mut events) = start(config());
    session.offer(1);
    events.offer();
    session.answer(7, "v=0".into());
    session.answer(1, "not sdp".into());
    let problem = events.wait_for(|event| match event {
        MediaEvent::Failed(problem) => Some(problem),
        _ => None,
    });
    assert_eq!(problem.code, ErrorCode::MediaFailed);
}
