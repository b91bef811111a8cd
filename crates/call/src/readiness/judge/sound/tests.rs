//! Sound at the boundaries of its thresholds.

use super::*;
use sightline_wire::{
    device::DeviceKind,
    readiness::{DeviceIdentity, Outcome},
};

const PASSED: (Outcome, Option<Finding>) = (Outcome::Pass, None);

fn device(kind: DeviceKind, name: &str) -> Option<DeviceIdentity> {
    Some(DeviceIdentity {
        kind,
        id: "alsa_input.usb-0".into(),
        name: name.into(),
    })
}

/// Somebody speaks into a headset in a quiet room.
fn good() -> SoundMeasured {
    SoundMeasured {
        device: device(DeviceKind::Microphone, "Jabra"),
        before: None,
        opened: Ok(()),
        system_muted: Some(false),
        peak_dbfs: -8.0,
        level_dbfs: -24.0,
        floor_dbfs: -62.0,
        clipped: 0.0,
        silent_channels: 0,
        channels: 2,
        exact_zero: false,
    }
}

/// The same room, and nobody speaks.
fn nobody_speaks() -> SoundMeasured {
    SoundMeasured {
        peak_dbfs: -48.0,
        level_dbfs: -60.0,
        ..good()
    }
}

fn tone() -> SpeakerMeasured {
    SpeakerMeasured {
        device: device(DeviceKind::Speaker, "Jabra"),
        before: None,
        opened: Ok(()),
        system_muted: Some(false),
        heard_by_person: Some(true),
        heard_by_microphone: None,
    }
}

fn of(check: &Check) -> (Outcome, Option<Finding>) {
    assert_eq!(check.remedy.is_empty(), check.finding.is_none(), "{check:?}");
    (check.outcome, check.finding)
}

fn hears(measured: &SoundMeasured) -> (Outcome, Option<Finding>) {
    let check = microphone(measured, 1_000);
    assert_eq!(check.kind, CheckKind::Microphone);
    of(&check)
}

fn plays(measured: &SpeakerMeasured) -> (Outcome, Option<Finding>) {
    let check = speaker(measured, 1_000);
    assert_eq!(check.kind, CheckKind::Speaker);
    of(&check)
}

fn failed(finding: Finding) -> (Outcome, Option<Finding>) {
    (Outcome::Fail, Some(finding))
}

fn warned(finding: Finding) -> (Outcome, Option<Finding>) {
    (Outcome::Warn, Some(finding))
}

#[test]
fn a_good_microphone_passes_whether_somebody_speaks_or_not() {
    let check = microphone(&good(), 1_000);
    assert_eq!(of(&check), PASSED);
    assert_eq!(check.sentence, "“Jabra” hears speech well.");
    assert_eq!(check.figures.len(), 6);
    assert!(check.figures.contains(&Figure::new("level", -24.0, Unit::Dbfs)));
    let check = microphone(&nobody_speaks(), 1_000);
    assert_eq!(of(&check), PASSED);
    assert_eq!(check.sentence, "“Jabra” works. Nobody spoke while it listened.");
}

#[test]
fn why_sound_did_not_open_is_told_apart() {
    let by = |by: Option<&str>| SoundTrouble::Busy { by: by.map(Into::into) };
    let broken = || SoundTrouble::Broken {
        detail: "no such rate".into(),
    };
    let told = [
        (
            SoundTrouble::Missing,
            Finding::MicrophoneMissing,
            Finding::SpeakerMissing,
        ),
        (by(Some("Zoom")), Finding::MicrophoneBusy, Finding::SpeakerBusy),
        (by(None), Finding::MicrophoneBusy, Finding::SpeakerBusy),
        (
            SoundTrouble::Denied,
            Finding::MicrophoneDenied,
            Finding::PermissionMissing,
        ),
        (SoundTrouble::Stuck, Finding::MicrophoneFailed, Finding::SpeakerFailed),
        (broken(), Finding::MicrophoneFailed, Finding::SpeakerFailed),
    ];
    for (trouble, of_microphone, of_speaker) in told {
        let input = device(DeviceKind::Microphone, "Jabra");
        let output = device(DeviceKind::Speaker, "Jabra");
        assert_eq!(
            hears(&SoundMeasured::failed(input, trouble.clone())),
            failed(of_microphone)
        );
        assert_eq!(plays(&SpeakerMeasured::failed(output, trouble)), failed(of_speaker));
    }
    let none = SoundMeasured::failed(None, SoundTrouble::Missing);
    assert_eq!(microphone(&none, 1).sentence, "No microphone was found.");
    let pulled = SoundMeasured::failed(device(DeviceKind::Microphone, "Jabra"), SoundTrouble::Missing);
    assert_eq!(microphone(&pulled, 1).sentence, "“Jabra” is not plugged in.");
    let taken = SpeakerMeasured::failed(None, by(Some("Zoom")));
    assert_eq!(speaker(&taken, 1).sentence, "The speaker is used by Zoom.");
    assert_eq!(speaker(&taken, 1).remedy, "Close Zoom, then test again.");
}

#[test]
fn muted_digital_silence_dead_and_quiet_are_four_things() {
    let zero = SoundMeasured {
        peak_dbfs: -120.0,
        level_dbfs: -120.0,
        floor_dbfs: -120.0,
        silent_channels: 2,
        exact_zero: true,
        ..good()
    };
    let muted = SoundMeasured {
        system_muted: Some(true),
        ..zero.clone()
    };
    assert_eq!(hears(&muted), failed(Finding::MicrophoneMuted));
    let check = microphone(&zero, 1);
    assert_eq!(of(&check), failed(Finding::MicrophoneSilent));
    assert!(check.sentence.contains("digital silence"), "{}", check.sentence);
    let untold = SoundMeasured {
        system_muted: None,
        ..zero.clone()
    };
    assert_eq!(hears(&untold), failed(Finding::MicrophoneSilent));
    let dead = SoundMeasured {
        peak_dbfs: -87.0,
        level_dbfs: -92.0,
        floor_dbfs: -95.0,
        silent_channels: 2,
        ..good()
    };
    let check = microphone(&dead, 1);
    assert_eq!(of(&check), failed(Finding::MicrophoneSilent));
    assert!(check.sentence.contains("converter"), "{}", check.sentence);
    let quiet = SoundMeasured {
        peak_dbfs: -38.0,
        level_dbfs: -52.0,
        floor_dbfs: -80.0,
        ..good()
    };
    assert_eq!(hears(&quiet), warned(Finding::MicrophoneQuiet));
}

#[test]
fn muted_counts_even_while_sound_still_comes() {
    let muted = SoundMeasured {
        system_muted: Some(true),
        ..good()
    };
    assert_eq!(hears(&muted), failed(Finding::MicrophoneMuted));
}

#[test]
fn clipping_at_its_boundaries() {
    let at = |clipped| hears(&SoundMeasured { clipped, ..good() });
    assert_eq!(at(0.001), PASSED);
    assert_eq!(at(0.0011), warned(Finding::MicrophoneClips));
    assert_eq!(at(0.05), warned(Finding::MicrophoneClips));
    assert_eq!(at(0.051), failed(Finding::MicrophoneClips));
}

#[test]
fn noise_at_its_boundary() {
    let at = |floor_dbfs| hears(&SoundMeasured { floor_dbfs, ..good() });
    assert_eq!(at(-40.0), PASSED);
    assert_eq!(at(-39.9), warned(Finding::MicrophoneNoisy));
}

#[test]
fn quiet_speech_at_its_boundaries() {
    let speech = |level_dbfs, floor_dbfs| {
        hears(&SoundMeasured {
            level_dbfs,
            floor_dbfs,
            ..good()
        })
    };
    assert_eq!(speech(-45.0, -80.0), PASSED);
    assert_eq!(speech(-45.1, -80.0), warned(Finding::MicrophoneQuiet));
    // The same level, only not above what is there anyway: nobody spoke.
    assert_eq!(speech(-50.0, -55.9), PASSED);
    assert_eq!(speech(-50.0, -56.0), warned(Finding::MicrophoneQuiet));
    let room = |peak_dbfs| {
        hears(&SoundMeasured {
            peak_dbfs,
            level_dbfs: -84.0,
            floor_dbfs: -86.0,
            ..good()
        })
    };
    assert_eq!(room(-70.0), PASSED);
    assert_eq!(room(-70.1), warned(Finding::MicrophoneQuiet));
}

#[test]
fn one_dead_channel_is_told_and_two_are_silence() {
    let one = SoundMeasured {
        silent_channels: 1,
        ..good()
    };
    let check = microphone(&one, 1);
    assert_eq!(of(&check), warned(Finding::MicrophoneOneSided));
    assert_eq!(check.sentence, "1 of the 2 channels of “Jabra” deliver nothing.");
    let both = SoundMeasured {
        silent_channels: 2,
        ..good()
    };
    assert_eq!(hears(&both), failed(Finding::MicrophoneSilent));
    let mono = SoundMeasured {
        channels: 1,
        silent_channels: 1,
        ..good()
    };
    assert_eq!(hears(&mono), failed(Finding::MicrophoneSilent));
}

#[test]
fn another_device_is_told_only_when_it_works() {
    let before = device(DeviceKind::Microphone, "Built-in");
    let changed = SoundMeasured {
        before: before.clone(),
        ..good()
    };
    assert_eq!(hears(&changed), warned(Finding::DeviceChanged));
    let muted = SoundMeasured {
        system_muted: Some(true),
        ..changed
    };
    assert_eq!(hears(&muted), failed(Finding::MicrophoneMuted));
    let speaker = SpeakerMeasured { before, ..tone() };
    assert_eq!(plays(&speaker), warned(Finding::DeviceChanged));
}

#[test]
fn the_persons_word_counts_most() {
    let heard = |heard_by_person, heard_by_microphone| {
        plays(&SpeakerMeasured {
            heard_by_person,
            heard_by_microphone,
            ..tone()
        })
    };
    assert_eq!(heard(Some(true), None), PASSED);
    assert_eq!(heard(Some(true), Some(-3.0)), PASSED, "a headset");
    assert_eq!(heard(Some(false), None), failed(Finding::SpeakerNotHeard));
    assert_eq!(heard(Some(false), Some(30.0)), failed(Finding::SpeakerNotHeard));
    assert_eq!(heard(None, Some(30.0)), PASSED);
    assert_eq!(
        heard(None, Some(0.0)),
        PASSED,
        "nobody was asked, and it may be a headset"
    );
    assert_eq!(heard(None, None), PASSED);
}

#[test]
fn a_tone_that_only_the_microphone_heard_came_from_the_wrong_speaker() {
    let sentence = |over| {
        let measured = SpeakerMeasured {
            heard_by_person: Some(false),
            heard_by_microphone: Some(over),
            ..tone()
        };
        speaker(&measured, 1).sentence
    };
    assert_eq!(
        sentence(6.0),
        "You did not hear the tone, but the microphone did: it came from “Jabra”."
    );
    assert_eq!(sentence(5.9), "The tone from “Jabra” was not heard.");
}

#[test]
fn a_muted_speaker_is_not_one_that_was_not_heard() {
    let muted = SpeakerMeasured {
        system_muted: Some(true),
        heard_by_person: Some(false),
        ..tone()
    };
    assert_eq!(plays(&muted), failed(Finding::SpeakerMuted));
}

#[test]
fn an_echo_is_strong_a_loudspeakers_or_a_headsets() {
    let at = |gain_db: Option<f64>| {
        let measured = EchoMeasured {
            speaker: device(DeviceKind::Speaker, "Monitor"),
            microphone: device(DeviceKind::Microphone, "BRIO"),
            delay_ms: gain_db.map(|_| 87.0),
            gain_db,
        };
        let check = echo(&measured, 2_000);
        assert_eq!(check.kind, CheckKind::Echo);
        assert_eq!(check.figures.len(), if gain_db.is_some() { 2 } else { 0 });
        (of(&check), check.sentence)
    };
    let (outcome, sentence) = at(Some(-9.9));
    assert_eq!(outcome, warned(Finding::EchoStrong));
    assert_eq!(sentence, "“BRIO” hears “Monitor” loudly: -10 dB.");
    let (outcome, sentence) = at(Some(-10.0));
    assert_eq!(outcome, PASSED);
    assert!(sentence.contains("as a loudspeaker"), "{sentence}");
    let (outcome, sentence) = at(Some(-40.0));
    assert_eq!(outcome, PASSED);
    assert_eq!(sentence, "“BRIO” does not hear “Monitor”: no echo, as with a headset.");
    assert_eq!(at(None).1, sentence);
}

#[test]
fn without_both_devices_nobody_knows_of_an_echo() {
    let deaf = EchoMeasured {
        speaker: device(DeviceKind::Speaker, "Monitor"),
        microphone: None,
        delay_ms: None,
        gain_db: None,
    };
    assert_eq!(of(&echo(&deaf, 1)), (Outcome::Skipped, None));
    let mute = EchoMeasured {
        speaker: None,
        microphone: device(DeviceKind::Microphone, "BRIO"),
        ..deaf
    };
    assert_eq!(of(&echo(&mute, 1)), (Outcome::Skipped, None));
}
