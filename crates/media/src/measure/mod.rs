//! What a self-test measures of this machine: pictures, sound, the way from the speaker into the microphone, the
//! encoder, and the ways to a relay.
//!
//! What makes figures out of signals is pure ([`picture`], [`sound`], [`chirp`]). The runs bring real signals to it:
//! each takes the time it is given and at most four seconds more, whatever a driver does, because devices are opened,
//! read and closed on threads of their own (`apart`); when a run returns, its devices are closed. What the figures
//! mean is said elsewhere: `sightline_call::readiness::judge`.

use std::time::Duration;

mod apart;
mod camera_run;
pub mod chirp;
mod encoder;
mod fourier;
mod holder;
mod mute;
pub mod picture;
mod reach;
pub mod sound;
mod sound_io;
mod sound_run;
mod speaker_run;

pub use camera_run::camera;
pub use encoder::encoder;
pub use mute::system_muted;
pub use reach::{relay, stun};
pub use sound_run::microphone;
pub use speaker_run::{opens, speaker_and_echo, tone};

/// A device gets so long from its opening to its first sound or picture: a headset over Bluetooth changes its profile,
/// a camera wakes. One that brings nothing for longer is stuck.
const OPENING: Duration = Duration::from_secs(3);

/// A driver's words for a sentence: without what looks like a path or an address, and not too long.
fn plain(words: &str) -> String {
    const LONGEST: usize = 120;
    let kept = words.split_whitespace().filter(|word| !word.contains(['/', '\\', '@']));
    let mut text = kept.collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_drivers_words_lose_paths_and_end_somewhere() {
        assert_eq!(
            plain("Could not open /dev/video0: no buffers"),
            "Could not open no buffers"
        );
        assert_eq!(plain(&"ä".repeat(500)).chars().count(), 120);
    }
}
