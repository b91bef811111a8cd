//! Real sound: PulseAudio with virtual devices, a tone into the microphone and a tone out of the speaker.

mod common;
#[path = "common/pulse.rs"]
mod pulse;

use common::{FarEnd, PATIENCE, config, start};
use pulse::{Feed, Record, Sound, bursts, wait_for_tone};
use sightline_media::{MediaEvent, SessionConfig};
use sightline_wire::device::DeviceKind;
use std::fs;

#[test]
fn both_sides_hear_each_other_through_real_devices() {
    // SAFETY: the only test of this binary, before it starts a thread.
    let sound = unsafe { Sound::start() };
    let listed = sightline_media::list_devices();
    assert!(
        listed
            .iter()
            .any(|device| device.kind == DeviceKind::Microphone && !device.id.starts_with("synthetic")),
        "{listed:?}"
    );
    assert!(
        listed.iter().any(|device| device.kind == DeviceKind::Speaker),
        "{listed:?}"
    );

    // The desk lists devices every few seconds, all day long.
    let threads = || fs::read_dir("/proc/self/task").expect("on Linux").count();
    let before = threads();
    (0..20).for_each(|_| drop(sightline_media::list_devices()));
    assert_eq!(threads(), before, "a look at the devices leaves nothing behind");

    let feed = Feed::into_device("micfeed", &bursts(700.0));
    let record = Record::of_device("spk.monitor");
    let (session, _screen, _barcodes, mut events) = start(SessionConfig {
        microphone: None,
        ..config()
    });
    let mut waiting = vec![DeviceKind::Microphone, DeviceKind::Speaker];
    session.offer(1);
    let far = FarEnd::answering(&events.offer());
    session.answer(1, far.answer.clone());
    session.admit(1);
    events.wait_for(|event| {
        match event {
            MediaEvent::DeviceReady { kind } => waiting.retain(|waiting| *waiting != kind),
            MediaEvent::DeviceProblem { kind, problem } => panic!("{kind:?}: {problem:?}"),
            _ => {}
        }
        waiting.is_empty().then_some(())
    });

    far.barcodes
        .recv_timeout(PATIENCE)
        .expect("the picture does not wait for the sound");
    wait_for_tone("the microphone's tone on the other side", 700.0, 0.6, &far.sound);
    wait_for_tone("the customer's tone out of the speaker", 440.0, 0.9, &record.pieces);
    let quality = events.wait_for(|event| match event {
        MediaEvent::Quality(quality) => Some(quality),
        _ => None,
    });
    assert!(quality.concealed < 0.2, "{quality:?}");
    // The device's part is in it: pulse's own buffers are some milliseconds at least.
    assert!((5.0..400.0).contains(&quality.playout_delay_ms), "{quality:?}");

    drop(session);
    drop((feed, record, sound));
}
