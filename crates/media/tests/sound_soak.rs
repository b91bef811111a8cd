//! A long call on real devices in real time: `cargo test -p sightline-media --test sound_soak -- --ignored`.
//! `SIGHTLINE_SOAK_MINUTES` shortens the 30 minutes.

mod common;
#[path = "common/pulse.rs"]
mod pulse;

use common::{FarEnd, config, start};
use pulse::{Feed, Record, Sound, bursts, wait_for_tone};
use sightline_media::{MediaEvent, SessionConfig};
use std::time::{Duration, Instant};

#[test]
#[ignore = "takes 30 minutes: part of make soak"]
fn sound_neither_drifts_nor_leaves_its_picture() {
    // SAFETY: the only test of this binary, before it starts a thread.
    let sound = unsafe { Sound::start() };
    let minutes: u64 = std::env::var("SIGHTLINE_SOAK_MINUTES").map_or(30, |minutes| minutes.parse().expect("a number"));
    let feed = Feed::into_device("micfeed", &bursts(700.0));
    let record = Record::of_device("spk.monitor");
    let (session, _screen, _barcodes, mut events) = start(SessionConfig {
        microphone: None,
        ..config()
    });
    session.offer(1);
    let far = FarEnd::answering(&events.offer());
    session.answer(1, far.answer.clone());
    session.admit(1);
    wait_for_tone("the speaker", 440.0, 0.9, &record.pieces);

    let began = Instant::now();
    let (mut delays, mut apart, mut last) = ((f64::MAX, f64::MIN), 0.0f64, None);
    while began.elapsed() < Duration::from_secs(60 * minutes) {
        let quality = events.wait_for(|event| match event {
            MediaEvent::Quality(quality) => Some(quality),
            _ => None,
        });
        // Nobody listens to these for half an hour.
        far.sound.try_iter().for_each(drop);
        far.barcodes.try_iter().for_each(drop);
        record.pieces.try_iter().for_each(drop);
        if began.elapsed() > Duration::from_secs(30) {
            delays = (
                delays.0.min(quality.playout_delay_ms),
                delays.1.max(quality.playout_delay_ms),
            );
            apart = apart.max(quality.picture_after_sound_ms.map_or(0.0, f64::abs));
        }
        last = Some(quality);
    }
    let last = last.expect("a quality report a second");
    println!(
        "{minutes} minutes: playout delay {:.0} to {:.0} ms, picture and sound {apart:.0} ms apart at most, {:.3} % made up",
        delays.0,
        delays.1,
        last.concealed * 100.0
    );
    assert!(delays.1 - delays.0 < 150.0, "{delays:?} ms");
    assert!(apart <= 100.0, "{apart} ms (EN 301 549)");
    assert!(last.concealed < 0.01, "{last:?}");
    wait_for_tone("the microphone after it all", 700.0, 0.6, &far.sound);
    wait_for_tone("the speaker after it all", 440.0, 0.9, &record.pieces);
    drop(session);
    drop((feed, record, sound));
}
