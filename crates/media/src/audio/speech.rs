//! Real speech for tests: spoken by espeak-ng when the test runs, so that no recording is kept here.

use super::RATE;
use std::{
    io::Write,
    process::{Command, Stdio},
    sync::OnceLock,
};

/// About 12 s of a woman's voice, 48 kHz.
pub fn her() -> &'static [f32] {
    static SPOKEN: OnceLock<Vec<f32>> = OnceLock::new();
    SPOKEN.get_or_init(|| {
        say(
            "en-us+f3",
            "Good morning, thank you for waiting. I can see your order here; it left the warehouse on Tuesday. \
             Would you like me to send a replacement, or shall we wait for another day? \
             Most parcels arrive within a week, even when the tracking page stands still.",
        )
    })
}

/// About 12 s of a man's voice.
pub fn him() -> &'static [f32] {
    static SPOKEN: OnceLock<Vec<f32>> = OnceLock::new();
    SPOKEN.get_or_init(|| {
        say(
            "en-gb+m3",
            "Yes, hello. The box came yesterday, but one of the hinges is broken and the manual is missing. \
             I would rather keep it and get the part, if that is possible at all. \
             My neighbour has the same model, and hers has never given any trouble.",
        )
    })
}

fn say(voice: &str, words: &str) -> Vec<f32> {
    let spoken = Command::new("espeak-ng")
        .args(["-v", voice, "-s", "150", "--stdout", words])
        .output()
        .expect("espeak-ng is installed by scripts/setup");
    assert!(spoken.status.success(), "espeak-ng speaks as {voice}");
    let mut sox = Command::new("sox")
        .args(["-t", "wav", "-", "-t", "f32", "-r", &RATE.to_string(), "-c", "1", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sox is installed by scripts/setup");
    let mut into = sox.stdin.take().expect("piped");
    let feeding = std::thread::spawn(move || into.write_all(&spoken.stdout));
    let out = sox.wait_with_output().expect("sox ends");
    feeding.join().expect("no panic").expect("sox reads all of it");
    let samples: Vec<f32> = out
        .stdout
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect();
    assert!(samples.len() > 8 * RATE as usize, "{} samples", samples.len());
    samples
}

/// Mean square in dB below full scale.
pub fn level_db(sound: &[f32]) -> f32 {
    10.0 * (sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len().max(1) as f32)
        .max(1e-12)
        .log10()
}

/// Numbers that look random and are the same in every run (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// 0 to 1, without 1.
    pub fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
