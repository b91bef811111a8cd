//! What a self-test says of real sound devices: PulseAudio's, made silent, loud, noisy, half dead, muted, echoing with
//! a known delay and gain, and absent.
//!
//! Tolerances: levels 1 dB, clipping 0.05 of the samples, an echo's gain 1 dB, the difference of two echoes' delays
//! 50 ms (the sound server moves that much by itself on a busy machine; the sweep's own error is below 1 ms, see
//! `measure/chirp.rs`).

mod common;
#[path = "common/pulse.rs"]
mod pulse;

use common::{PATIENCE, tone};
use pulse::{Bridge, Feed, Record, Sound, wait_for_tone};
use sightline_call::readiness::figures::{EchoMeasured, SoundMeasured, SoundTrouble, SpeakerMeasured};
use sightline_media::measure;
use sightline_wire::device::DeviceKind;
use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// A microphone that hears what the speaker plays.
const ROOM: &str = "module-remap-source source_name=room master=spk.monitor";
const SECOND: Duration = Duration::from_secs(1);

/// Streams that programs have open, as the sound server counts them.
fn streams() -> usize {
    let listed = |kind: &str| {
        let out = Command::new("pactl").args(["list", "short", kind]).output();
        String::from_utf8_lossy(&out.expect("pactl runs").stdout)
            .lines()
            .count()
    };
    listed("source-outputs") + listed("sink-inputs")
}

/// Programs that begin and end do so in their own time.
fn until_streams(count: usize) {
    let end = Instant::now() + PATIENCE;
    while streams() != count {
        assert!(Instant::now() < end, "{} streams in place of {count}", streams());
        thread::yield_now();
    }
}

/// Does it, and sees that every stream is closed afterwards.
fn leaving_nothing<T>(act: impl FnOnce() -> T) -> T {
    let before = streams();
    let done = act();
    until_streams(before);
    done
}

fn microphone(id: Option<&str>) -> SoundMeasured {
    let mut levels = Vec::new();
    let measured = leaving_nothing(|| measure::microphone(id, |level| levels.push(level), 2 * SECOND));
    assert!(levels.iter().all(|level| (0.0..=1.0).contains(level)));
    assert_eq!(
        levels.is_empty(),
        measured.channels == 0,
        "a meter moves while sound comes"
    );
    measured
}

/// While that is fed into it. `share`: of the power, that its 1,000 Hz have; without one any sound will do.
fn microphone_with(sound: &[f32], share: Option<f32>) -> SoundMeasured {
    let before = streams();
    let feed = Feed::into_device("micfeed", sound);
    let record = Record::of_device("mic");
    if let Some(share) = share {
        wait_for_tone("what is fed", 1_000.0, share, &record.pieces);
    } else {
        let next = || record.pieces.recv_timeout(PATIENCE).expect("sound keeps coming");
        while next().iter().all(|sample| *sample == 0.0) {}
    }
    drop(record);
    until_streams(before + 1);
    let measured = microphone(None);
    drop(feed);
    until_streams(before);
    measured
}

fn assert_near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found:.2} for {expected:.2}"
    );
}

fn echo(speaker: Option<&str>, microphone: Option<&str>) -> (SpeakerMeasured, EchoMeasured) {
    leaving_nothing(|| measure::speaker_and_echo(speaker, microphone, 6 * SECOND, |_| {}))
}

fn id_of(name: &str, kind: DeviceKind) -> String {
    let devices = sightline_media::list_devices();
    let found = devices
        .iter()
        .find(|device| device.kind == kind && device.id.ends_with(name));
    found.unwrap_or_else(|| panic!("{name} in {devices:?}")).id.clone()
}

fn microphones(sound: &Sound) {
    // The sound server has just begun: its first sound comes after 2 s.
    let (begun, mut first) = (Instant::now(), None);
    let slow = leaving_nothing(|| measure::microphone(None, |_| _ = first.get_or_insert(begun.elapsed()), SECOND));
    assert!(first.is_some_and(|after| after > SECOND), "slow to begin: {first:?}");
    assert!(
        begun.elapsed() >= first.unwrap_or_default() + SECOND,
        "listened to for as long as any"
    );
    assert_eq!((slow.opened, slow.exact_zero), (Ok(()), true));

    // Nothing is fed: a switched-off microphone.
    let silent = microphone(None);
    assert_eq!(silent.opened, Ok(()));
    assert!(
        silent.device.as_ref().is_some_and(|device| device.id.ends_with(":mic")),
        "{silent:?}"
    );
    assert_eq!(
        (silent.exact_zero, silent.silent_channels, silent.system_muted),
        (true, 2, Some(false))
    );
    assert_near("silence", silent.level_dbfs, -120.0, 0.0);

    let sine = microphone_with(&tone(1_000.0, 0, 48_000), Some(0.9));
    assert_near("a sine's RMS", sine.level_dbfs, 20.0 * (0.3 / 2f64.sqrt()).log10(), 1.0);
    assert_near("a sine's peak", sine.peak_dbfs, 20.0 * 0.3f64.log10(), 1.0);
    assert_eq!(
        (sine.exact_zero, sine.silent_channels, sine.channels, sine.clipped),
        (false, 0, 2, 0.0)
    );

    let loud: Vec<f32> = tone(1_000.0, 0, 48_000).iter().map(|sample| sample * 10.0).collect();
    let clipping = microphone_with(&loud, Some(0.75));
    assert_near("the clipped share", clipping.clipped, 0.784, 0.05);
    assert_near("its peak", clipping.peak_dbfs, 0.0, 0.1);

    // Uniform noise of an RMS of 0.02, always the same.
    let mut state = 1u64;
    let noise: Vec<f32> = (0..48_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * 0.02 * 3f32.sqrt()
        })
        .collect();
    let noisy = microphone_with(&noise, None);
    assert_near("the noise's floor", noisy.floor_dbfs, -33.98, 1.0);
    assert_near("the noise's level", noisy.level_dbfs, -33.98, 1.0);

    sound.set("set-source-volume", "micfeed.monitor", &["65536", "0"]);
    let half = microphone_with(&tone(1_000.0, 0, 48_000), Some(0.9));
    assert_eq!(
        (half.silent_channels, half.channels, half.system_muted),
        (1, 2, Some(false))
    );
    assert_near(
        "half of a sine",
        half.level_dbfs,
        20.0 * (0.15 / 2f64.sqrt()).log10(),
        1.0,
    );
    sound.set("set-source-volume", "micfeed.monitor", &["65536"]);

    sound.set("set-source-mute", "mic", &["1"]);
    let muted = microphone(None);
    assert_eq!(
        (muted.system_muted, muted.exact_zero, muted.opened),
        (Some(true), true, Ok(()))
    );
    sound.set("set-source-mute", "mic", &["0"]);
    assert_eq!(microphone(None).system_muted, Some(false));

    let gone = microphone(Some("pulseaudio:nobody"));
    assert_eq!((gone.opened, gone.device), (Err(SoundTrouble::Missing), None));
    let plugged = sound.plug("module-null-sink sink_name=other");
    let headset = sound.plug("module-remap-source source_name=headset master=other.monitor");
    let id = id_of("headset", DeviceKind::Microphone);
    assert_eq!(microphone(Some(&id)).opened, Ok(()));
    headset.pull();
    plugged.pull();
    assert_eq!(microphone(Some(&id)).opened, Err(SoundTrouble::Missing));

    // The one that is no device: 0.4 s of a tone of 0.25 in every half second.
    let test_tone = microphone(Some("synthetic:microphone"));
    assert_near("the test tone", test_tone.peak_dbfs, 20.0 * 0.25f64.log10(), 0.1);
    assert_near("its pauses", test_tone.floor_dbfs, -120.0, 0.0);
}

fn echoes(sound: &Sound) {
    let room = sound.plug(ROOM);
    sound.prefer("set-default-source", "mic");
    let (speaker, ears) = (id_of("spk", DeviceKind::Speaker), id_of("room", DeviceKind::Microphone));
    let (played, direct) = echo(Some(&speaker), Some(&ears));
    assert_eq!((&played.opened, played.system_muted), (&Ok(()), Some(false)));
    assert!(played.heard_by_microphone.is_some_and(|over| over > 40.0), "{played:?}");
    assert_near("all of it comes back", direct.gain_db.expect("an echo"), 0.0, 1.0);
    assert!(direct.delay_ms.is_some_and(|delay| delay < 400.0), "{direct:?}");
    assert_eq!(
        direct.speaker.map(|device| device.id).as_deref(),
        Some(speaker.as_str())
    );
    assert_eq!(
        direct.microphone.map(|device| device.id).as_deref(),
        Some(ears.as_str())
    );

    sound.set("set-sink-mute", "spk", &["1"]);
    let (muted, silent) = echo(None, Some(&ears));
    assert_eq!((&muted.opened, muted.system_muted), (&Ok(()), Some(true)));
    assert!(muted.heard_by_microphone.is_some_and(|over| over < 0.0), "{muted:?}");
    assert_eq!((silent.delay_ms, silent.gain_db), (None, None));
    sound.set("set-sink-mute", "spk", &["0"]);

    // A headset: the microphone hears a voice and no speaker.
    let before = streams();
    let voice = Feed::into_device("micfeed", &pulse::bursts(700.0));
    until_streams(before + 1);
    let (apart, none) = echo(None, None);
    assert!(apart.heard_by_microphone.is_some_and(|over| over < 0.0), "{apart:?}");
    assert_eq!((apart.opened, none.delay_ms, none.gain_db), (Ok(()), None, None));
    drop(voice);
    until_streams(before);

    // A tenth of it comes back, later and later.
    let bridge = Bridge::between("spk.monitor", "micfeed", 0.1);
    until_streams(before + 2);
    let delays: Vec<f64> = [50, 200]
        .map(|ms| {
            bridge.set_delay(Duration::from_millis(ms));
            let (_, echo) = echo(None, None);
            assert_near("a tenth", echo.gain_db.expect("an echo"), -20.0, 1.0);
            echo.delay_ms.expect("an echo")
        })
        .into();
    assert_near("150 ms more", delays[1] - delays[0], 150.0, 50.0);
    assert!(delays[0] >= 50.0, "{delays:?}");
    drop(bridge);
    until_streams(before);

    let (gone, nothing) = echo(Some("pulseaudio:nobody"), None);
    assert_eq!((gone.opened, gone.device), (Err(SoundTrouble::Missing), None));
    assert_eq!((nothing.speaker, nothing.delay_ms), (None, None));
    let (deaf, _) = echo(None, Some("pulseaudio:nobody"));
    assert_eq!((deaf.opened, deaf.heard_by_microphone), (Ok(()), None));

    let record = Record::of_device("spk.monitor");
    until_streams(before + 1);
    let chime = leaving_nothing(|| measure::tone(None, 2 * SECOND, |_| {}));
    assert_eq!((chime.opened, chime.heard_by_person), (Ok(()), None));
    let loudest = record.pieces.try_iter().flatten().fold(0.0, f32::max);
    assert!(loudest > 0.1, "a person can hear it: {loudest}");
    drop(record);
    room.pull();
}

#[test]
fn sound_devices_are_what_they_are_said_to_be() {
    // SAFETY: the only test of this binary, before it starts a thread.
    let sound = unsafe { Sound::start() };
    microphones(&sound);
    echoes(&sound);
}
