//! Headsets that are unplugged and plugged in again in a call (GOALS.md R7, its sound part), and devices with a
//! rate and channels of their own.

mod common;
#[path = "common/pulse.rs"]
mod pulse;

use common::{Events, FarEnd, config, share_of, start};
use pulse::{Feed, Record, Sound, bursts, wait_for_tone};
use sightline_media::{MediaEvent, SessionConfig};
use sightline_wire::device::DeviceKind;

const HEADSET: &str = "module-null-sink sink_name=headset rate=44100 channels=1";
const HEADSET_FEED: &str = "module-null-sink sink_name=headsetfeed rate=44100 channels=1";
const HEADSET_MICROPHONE: &str =
    "module-virtual-source source_name=headsetmic master=headsetfeed.monitor rate=44100 channels=1";

fn id_of(part: &str, kind: DeviceKind) -> String {
    let devices = sightline_media::list_devices();
    let found = devices
        .iter()
        .find(|device| device.kind == kind && device.id.ends_with(part));
    found.unwrap_or_else(|| panic!("{part} in {devices:?}")).id.clone()
}

/// Waits until a device has failed and another works, both told.
fn wait_for_change(events: &mut Events, kind: DeviceKind) {
    events.wait_for(|event| match event {
        MediaEvent::DeviceProblem { kind: failed, .. } if failed == kind => Some(()),
        _ => None,
    });
    wait_for_ready(events, kind);
}

fn wait_for_ready(events: &mut Events, kind: DeviceKind) {
    events.wait_for(|event| match event {
        MediaEvent::DeviceReady { kind: ready } if ready == kind => Some(()),
        _ => None,
    });
}

#[test]
fn a_headset_goes_and_comes_back_and_muted_stays_muted() {
    // SAFETY: the only test of this binary, before it starts a thread.
    let sound = unsafe { Sound::start() };
    let headset = sound.plug(HEADSET);
    let _headset_feed = sound.plug(HEADSET_FEED);
    let microphone = sound.plug(HEADSET_MICROPHONE);
    sound.prefer("set-default-sink", "spk");
    sound.prefer("set-default-source", "mic");
    let desk_voice = Feed::into_device("micfeed", &bursts(900.0));
    let headset_voice = Feed::into_device("headsetfeed", &bursts(700.0));
    let (session, _screen, _barcodes, mut events) = start(SessionConfig {
        microphone: Some(id_of("headsetmic", DeviceKind::Microphone)),
        speaker: Some(id_of("headset", DeviceKind::Speaker)),
        ..config()
    });
    session.offer(1);
    let far = FarEnd::answering(&events.offer());
    session.answer(1, far.answer.clone());
    session.admit(1);

    // A mono device of 44.1 kHz, both ways.
    let record = Record::of_device("headset.monitor");
    wait_for_tone("the headset's microphone", 700.0, 0.6, &far.sound);
    wait_for_tone("the headset's speaker", 440.0, 0.9, &record.pieces);
    drop(record);

    session.set_microphone(false);
    microphone.pull();
    wait_for_change(&mut events, DeviceKind::Microphone);
    far.sound.try_iter().for_each(drop);
    let silent: Vec<f32> = (0..25)
        .filter_map(|_| far.sound.recv_timeout(std::time::Duration::from_millis(20)).ok())
        .flatten()
        .collect();
    assert!(
        share_of(900.0, &silent) < 0.1,
        "muted stays muted on the other microphone"
    );
    session.set_microphone(true);
    wait_for_tone("the default microphone stands in", 900.0, 0.6, &far.sound);

    headset.pull();
    wait_for_change(&mut events, DeviceKind::Speaker);
    let record = Record::of_device("spk.monitor");
    wait_for_tone("the default speaker stands in", 440.0, 0.9, &record.pieces);
    drop(record);

    let _headset = sound.plug(HEADSET);
    let _microphone = sound.plug(HEADSET_MICROPHONE);
    sound.prefer("set-default-sink", "spk");
    sound.prefer("set-default-source", "mic");
    let record = Record::of_device("headset.monitor");
    wait_for_tone("the headset's microphone is back", 700.0, 0.6, &far.sound);
    wait_for_tone("the headset's speaker is back", 440.0, 0.9, &record.pieces);

    drop(session);
    drop((desk_voice, headset_voice, record));
}
