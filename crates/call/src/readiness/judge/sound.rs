//! Microphone, speaker, and the way from one into the other.

use super::{Judgement, another, called, is_another, measured as those_measured, percent};
use crate::readiness::figures::{EchoMeasured, SoundMeasured, SoundTrouble, SpeakerMeasured};
use sightline_wire::readiness::{Check, CheckKind, Figure, Finding, Unit};

/// Above this share of samples at full scale speech is heard to distort: 48 of 48,000 in a second.
const CLIPS: f64 = 0.001;
/// Above this share it cannot be understood any more.
const CLIPS_BADLY: f64 = 0.05;
/// Speech stands at least this far above what is there between the words, in dB. Less, and nobody spoke.
const SPEECH_OVER_FLOOR_DB: f64 = 6.0;
/// Speech below this is quiet, in dBFS: 19 dB under -26 dBov, the level of speech in ITU-T's listening tests (P.830),
/// which is about what automatic gain can make up for before the noise comes up with it.
const QUIET_SPEECH_DBFS: f64 = -45.0;
/// A room in which nobody speaks still gives more than this through a microphone that is set right, in dBFS.
const QUIET_ROOM_DBFS: f64 = -70.0;
/// Noise above this is heard under speech at its usual level, in dBFS: less than 15 dB below it.
const NOISY_DBFS: f64 = -40.0;
/// A tone this far above the floor was heard by the microphone, in dB.
const TONE_HEARD_DB: f64 = 6.0;
/// An echo this strong leaves the canceller less than what it takes away in double talk, in dB.
const STRONG_ECHO_DB: f64 = -10.0;
/// Below this the microphone hardly hears the speaker, in dB: what a headset lets through.
const HEADSET_DB: f64 = -40.0;

/// What the microphone's sound says. `took_ms`: how long it was listened to.
pub fn microphone(measured: &SoundMeasured, took_ms: u32) -> Check {
    let device = measured.device.as_ref();
    let name = called(device, "the microphone");
    let (judgement, figures) = match &measured.opened {
        Err(trouble) => (microphone_not_opened(trouble, device.is_some(), &name), Vec::new()),
        Ok(()) => (heard(measured, &name), sound_figures(measured)),
    };
    judgement.check(CheckKind::Microphone, figures, device, took_ms)
}

fn microphone_not_opened(trouble: &SoundTrouble, known: bool, name: &str) -> Judgement {
    match trouble {
        SoundTrouble::Missing => gone(Finding::MicrophoneMissing, known, name),
        SoundTrouble::Busy { by } => busy(Finding::MicrophoneBusy, by.as_deref(), name),
        SoundTrouble::Denied => Judgement::fail(
            Finding::MicrophoneDenied,
            format!("The system does not let this app use {name}."),
        ),
        SoundTrouble::Stuck => Judgement::fail(
            Finding::MicrophoneFailed,
            format!("{name} was opened, and no sound came from it, not even silence."),
        ),
        SoundTrouble::Broken { detail } => Judgement::fail(
            Finding::MicrophoneFailed,
            format!("{name} cannot be started: {detail}."),
        ),
    }
}

fn heard(measured: &SoundMeasured, name: &str) -> Judgement {
    if measured.system_muted == Some(true) {
        return Judgement::fail(
            Finding::MicrophoneMuted,
            format!("{name} is muted in the system's sound settings."),
        );
    }
    if measured.exact_zero {
        return Judgement::fail(
            Finding::MicrophoneSilent,
            format!("{name} delivers digital silence: not even noise. Something switches it off."),
        );
    }
    if measured.channels > 0 && measured.silent_channels >= measured.channels {
        return Judgement::fail(
            Finding::MicrophoneSilent,
            format!("{name} delivers nothing but the noise of its converter."),
        );
    }
    let distorts = format!("{name} is too loud and distorts.");
    if measured.clipped > CLIPS_BADLY {
        return Judgement::fail(Finding::MicrophoneClips, distorts);
    }
    if measured.clipped > CLIPS {
        return Judgement::warn(Finding::MicrophoneClips, distorts);
    }
    if measured.silent_channels > 0 {
        return Judgement::warn(
            Finding::MicrophoneOneSided,
            format!(
                "{} of the {} channels of {name} deliver nothing.",
                measured.silent_channels, measured.channels
            ),
        );
    }
    if measured.floor_dbfs > NOISY_DBFS {
        return Judgement::warn(
            Finding::MicrophoneNoisy,
            format!("There is much noise in {name}: {:.0} dB.", measured.floor_dbfs),
        );
    }
    let spoken = measured.level_dbfs - measured.floor_dbfs >= SPEECH_OVER_FLOOR_DB;
    if spoken && measured.level_dbfs < QUIET_SPEECH_DBFS {
        return Judgement::warn(
            Finding::MicrophoneQuiet,
            format!(
                "Speech is very quiet in {name}: {:.0} dB. It should be above {QUIET_SPEECH_DBFS:.0} dB.",
                measured.level_dbfs
            ),
        );
    }
    if !spoken && measured.peak_dbfs < QUIET_ROOM_DBFS {
        return Judgement::warn(
            Finding::MicrophoneQuiet,
            format!("{name} is so quiet that not even the room is heard."),
        );
    }
    let (device, before) = (measured.device.as_ref(), measured.before.as_ref());
    if is_another(device, before) {
        return another(device, before, "the microphone");
    }
    match spoken {
        true => Judgement::pass(format!("{name} hears speech well.")),
        false => Judgement::pass(format!("{name} works. Nobody spoke while it listened.")),
    }
}

fn sound_figures(measured: &SoundMeasured) -> Vec<Figure> {
    vec![
        Figure::new("peak", measured.peak_dbfs, Unit::Dbfs),
        Figure::new("level", measured.level_dbfs, Unit::Dbfs),
        Figure::new("floor", measured.floor_dbfs, Unit::Dbfs),
        percent("clipped", measured.clipped),
        Figure::new("channels", f64::from(measured.channels), Unit::Count),
        Figure::new("silent_channels", f64::from(measured.silent_channels), Unit::Count),
    ]
}

/// What playing the tone said. The person's word counts most: the microphone of a headset does not hear the tone.
pub fn speaker(measured: &SpeakerMeasured, took_ms: u32) -> Check {
    let device = measured.device.as_ref();
    let name = called(device, "the speaker");
    let judgement = match &measured.opened {
        Err(trouble) => speaker_not_opened(trouble, device.is_some(), &name),
        Ok(()) => played(measured, &name),
    };
    let figures = those_measured([("tone_over_floor", measured.heard_by_microphone, Unit::Db)]);
    judgement.check(CheckKind::Speaker, figures, device, took_ms)
}

fn speaker_not_opened(trouble: &SoundTrouble, known: bool, name: &str) -> Judgement {
    match trouble {
        SoundTrouble::Missing => gone(Finding::SpeakerMissing, known, name),
        SoundTrouble::Busy { by } => busy(Finding::SpeakerBusy, by.as_deref(), name),
        SoundTrouble::Denied => Judgement::fail(
            Finding::PermissionMissing,
            format!("The system does not let this app use {name}."),
        )
        .advising("Allow sound for Sightline in the system's privacy settings."),
        SoundTrouble::Stuck => Judgement::fail(
            Finding::SpeakerFailed,
            format!("{name} was opened, and takes no sound."),
        ),
        SoundTrouble::Broken { detail } => {
            Judgement::fail(Finding::SpeakerFailed, format!("{name} cannot be started: {detail}."))
        }
    }
}

fn played(measured: &SpeakerMeasured, name: &str) -> Judgement {
    if measured.system_muted == Some(true) {
        return Judgement::fail(
            Finding::SpeakerMuted,
            format!("{name} is muted in the system's sound settings."),
        );
    }
    let microphone = measured.heard_by_microphone.is_some_and(|over| over >= TONE_HEARD_DB);
    match (measured.heard_by_person, microphone) {
        (Some(false), true) => {
            return Judgement::fail(
                Finding::SpeakerNotHeard,
                format!("You did not hear the tone, but the microphone did: it came from {name}."),
            )
            .advising("Choose the speaker or headset that you use.");
        }
        (Some(false), false) => {
            return Judgement::fail(Finding::SpeakerNotHeard, format!("The tone from {name} was not heard."));
        }
        (Some(true) | None, true | false) => {}
    }
    let (device, before) = (measured.device.as_ref(), measured.before.as_ref());
    if is_another(device, before) {
        return another(device, before, "the speaker");
    }
    match (measured.heard_by_person, microphone) {
        (Some(_), _) => Judgement::pass(format!("You heard the tone from {name}.")),
        (None, true) => Judgement::pass(format!("The microphone heard the tone from {name}.")),
        (None, false) => Judgement::pass(format!(
            "{name} played the tone. Nobody was asked whether it was heard."
        )),
    }
}

/// What the chirp said. A headset that lets nothing through is the best there is.
pub fn echo(measured: &EchoMeasured, took_ms: u32) -> Check {
    let speaker = called(measured.speaker.as_ref(), "the speaker");
    let microphone = called(measured.microphone.as_ref(), "the microphone");
    let judgement = match measured.gain_db {
        _ if measured.speaker.is_none() || measured.microphone.is_none() => {
            Judgement::skipped("Without a speaker and a microphone there is no echo to measure.")
        }
        Some(gain) if gain > STRONG_ECHO_DB => Judgement::warn(
            Finding::EchoStrong,
            format!("{microphone} hears {speaker} loudly: {gain:.0} dB."),
        ),
        Some(gain) if gain > HEADSET_DB => Judgement::pass(format!(
            "{microphone} hears {speaker} as a loudspeaker: {gain:.0} dB. The echo is taken away."
        )),
        Some(_) | None => Judgement::pass(format!(
            "{microphone} does not hear {speaker}: no echo, as with a headset."
        )),
    };
    let figures = those_measured([
        ("echo_delay", measured.delay_ms, Unit::Ms),
        ("echo_gain", measured.gain_db, Unit::Db),
    ]);
    judgement.check(CheckKind::Echo, figures, measured.microphone.as_ref(), took_ms)
}

fn gone(finding: Finding, known: bool, name: &str) -> Judgement {
    match known {
        true => Judgement::fail(finding, format!("{name} is not plugged in.")),
        false => Judgement::fail(finding, finding.sentence()),
    }
}

fn busy(finding: Finding, by: Option<&str>, name: &str) -> Judgement {
    match by {
        Some(by) => Judgement::fail(finding, format!("{name} is used by {by}."))
            .advising(format!("Close {by}, then test again.")),
        None => Judgement::fail(finding, format!("{name} is used by another program.")),
    }
}

#[cfg(test)]
mod tests;
