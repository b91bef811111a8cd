//! What the loudspeaker plays, on the microphone's clock: the echo canceller's far end.
//!
//! Loudspeaker and microphone are often two devices with two clocks. The canceller models the way from one to
//! the other as a fixed delay; a drift of 100 ppm would move it by half a sample every 100 ms and a call of
//! 30 minutes by 180 ms. So the reference is resampled to the microphone's clock and kept in step with it by
//! the times both devices report. Pure.

use super::{
    AudioFrame, FRAME, RATE,
    resample::{Resample, Steering},
    timeline::Timeline,
};
use std::{collections::VecDeque, time::Instant};

/// The reference runs this far ahead of the microphone: the times devices report are a little wrong, and an
/// echo before its cause cannot be cancelled.
const LEAD: f64 = 0.020 * RATE as f64;
/// Further out of step than this is no drift.
const OUT_OF_STEP: f64 = 0.010 * RATE as f64;
/// After so many frames the times of both devices are known well, and the reference is put in its place once more.
const KNOWN: u32 = 150;
/// Sound kept at most: one second.
const MOST: usize = RATE as usize;

/// Keeps the loudspeaker's sound until the microphone hears it.
pub struct Reference {
    sound: VecDeque<f32>,
    /// The number of the sample after the last one of `sound`, counted by the loudspeaker.
    end: u64,
    played: Timeline,
    resample: Resample,
    steering: Steering,
    /// The number of the next sample to be read.
    next: Option<i64>,
    frames: u32,
}

impl Reference {
    /// Nothing has been played yet.
    pub fn new() -> Self {
        Self {
            sound: VecDeque::with_capacity(MOST),
            end: 0,
            played: Timeline::default(),
            resample: Resample::new(RATE, RATE),
            steering: Steering::tight(),
            next: None,
            frames: 0,
        }
    }

    /// The loudspeaker plays `frame` from `at` on.
    pub fn played(&mut self, frame: &AudioFrame, at: Instant) {
        if self.played.note(self.end, at) {
            self.next = None;
            self.frames = 0;
        }
        self.sound.extend(frame);
        self.end += FRAME as u64;
        self.sound.drain(..self.sound.len().saturating_sub(MOST));
    }

    /// What belongs to the 10 ms that the microphone began to hear at `heard`; silence where nothing is known.
    pub fn heard(&mut self, heard: Instant) -> AudioFrame {
        let Some(wanted) = self.played.sample_at(heard).map(|sample| sample + LEAD) else {
            return [0.0; FRAME];
        };
        let next = match self.next {
            Some(next) if (wanted - next as f64).abs() < OUT_OF_STEP && self.frames != KNOWN => next,
            Some(_) | None => {
                self.steering = Steering::tight();
                wanted as i64
            }
        };
        self.frames = self.frames.saturating_add(1);
        let behind = (wanted - next as f64) / f64::from(RATE);
        self.resample
            .set_haste(self.steering.haste(behind, FRAME as f64 / f64::from(RATE)));
        let first = self.end as i64 - self.sound.len() as i64;
        let needed = self.resample.needed();
        let sample = |at: i64| usize::try_from(at - first).ok().and_then(|at| self.sound.get(at));
        let input: Vec<f32> = (0..needed as i64)
            .map(|n| sample(next + n).copied().unwrap_or(0.0))
            .collect();
        self.next = Some(next + needed as i64);
        let block = self.resample.block(&input);
        block.try_into().expect("blocks of 10 ms at 48 kHz")
    }
}

impl Default for Reference {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech::Dice;
    use std::time::Duration;

    /// Runs two devices for `minutes`, `ppm` apart, and returns by how many samples the reference moves against
    /// the echo, from its tenth second to its end.
    fn movement(ppm: f64, minutes: u64) -> f64 {
        let (mut reference, mut dice, start) = (Reference::new(), Dice(5), Instant::now());
        // A slow saw tooth: every sample's value tells its place.
        let place = |n: f64| (n.rem_euclid(48_000.0) / 48_000.0) as f32;
        let speed = 1.0 + ppm / 1e6;
        let (mut played, mut range) = (0u64, (f64::MAX, f64::MIN));
        for n in 0..minutes * 6_000 {
            let now = n as f64 * 0.010;
            while (played as f64) < (now + 0.080) * 48_000.0 * speed {
                let frame: AudioFrame = std::array::from_fn(|k| place(played as f64 + k as f64));
                let at = played as f64 / (48_000.0 * speed) + dice.roll() * 0.004;
                reference.played(&frame, start + Duration::from_secs_f64(at));
                played += FRAME as u64;
            }
            let got = reference.heard(start + Duration::from_secs_f64(now + dice.roll() * 0.004));
            let there = (now * 48_000.0 * speed).rem_euclid(48_000.0);
            let ahead = f64::from(got[FRAME / 2]) * 48_000.0 - there;
            let ahead = (ahead + 24_000.0).rem_euclid(48_000.0) - 24_000.0;
            if n > 3_000 && (1_000.0..44_000.0).contains(&there) {
                range = (range.0.min(ahead), range.1.max(ahead));
            }
        }
        assert!(range.0 > 0.0, "the reference comes first: {range:?}");
        range.1 - range.0
    }

    #[test]
    fn the_echo_stands_still_between_drifting_clocks() {
        for ppm in [0.0, 100.0, -200.0] {
            let moved = movement(ppm, 5);
            assert!(moved < 240.0, "{ppm} ppm: by {moved:.0} samples");
        }
    }

    #[test]
    fn a_loudspeaker_that_stopped_is_silent() {
        let (mut reference, start) = (Reference::new(), Instant::now());
        assert_eq!(reference.heard(start), [0.0; FRAME]);
        (0..20).for_each(|n| reference.played(&[0.5; FRAME], start + Duration::from_millis(10 * n)));
        assert!(reference.heard(start + Duration::from_millis(100))[200] > 0.4);
        let later = reference.heard(start + Duration::from_secs(3));
        assert!(
            later[16..].iter().all(|&sample| sample == 0.0),
            "all but the resampler's own memory"
        );
    }
}
