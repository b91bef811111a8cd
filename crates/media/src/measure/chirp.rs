//! A sweep out of the speaker, found again in what the microphone hears: how long it was on its way, and how much of
//! it came back. Pure.
//!
//! The sweep rises by the same ratio in the same time (Farina, "Simultaneous measurement of impulse response and
//! distortion with a swept-sine technique", AES 2000). What was heard, divided by it in the spectrum, is the way's
//! response: its highest point is the delay, its power the gain. Time and bandwidth of the sweep lift it about 35 dB
//! above steady noise; what a loudspeaker distorts lands before the sound itself and disturbs nothing.

use super::{
    fourier::{Complex, Fourier},
    sound::dbfs,
};
use std::{f64::consts::TAU, time::Duration};

/// How long the sweep takes.
pub const LENGTH: Duration = Duration::from_millis(500);
/// The longest way that is looked for: a Bluetooth headset takes 200 to 300 ms.
pub const LONGEST: Duration = Duration::from_millis(700);

/// From and to, in hertz: what every speaker and every headset carries.
const FROM: f64 = 300.0;
const TO: f64 = 6_000.0;
/// Highest sample: clearly audible, and far from hurting.
const AMPLITUDE: f64 = 0.3;
/// A sweep that begins and ends softly does not click.
const FADE: f64 = 0.01;
/// Parts of the spectrum this far below the strongest (a share of its power) have no say.
const FAINT: f64 = 2e-2;
/// The response's highest point must stand this many times above the noise of all of it: of noise alone it stands 4
/// times above, of speech 3 to 6.
const CERTAIN: f64 = 10.0;
/// And so many times above the RMS of what is close to it, which in a room is the echo of the echo (25 to 40 times)
/// and in speech a vowel (2 to 3).
const CLEAR: f64 = 7.0;
/// Close, in seconds, and too close: the point's own width.
const CLOSE: f64 = 0.05;
const WIDTH: f64 = 0.003;
/// What belongs to the same echo: before its highest point, and after it, in seconds.
const BEFORE: f64 = 0.005;
const ROOM: f64 = 0.15;
/// Of an echo, what stands this many times above the noise.
const ABOVE: f64 = 4.0;
/// Median of the absolute values of noise (Gauss) beside its RMS.
const MEDIAN: f64 = 0.674_5;

/// What was found of a sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trace {
    /// From the beginning of what was heard to the beginning of the sweep in it.
    pub delay: Duration,
    /// RMS of what came back beside that of the sweep, in dB; negative when it is weaker.
    pub gain_db: f64,
    /// Whether it stands out of the noise. Otherwise delay means nothing, and the gain is what an echo could have at
    /// most.
    pub certain: bool,
}

/// The sweep at one sample rate.
pub struct Chirp {
    rate: u32,
    samples: Vec<f32>,
}

impl Chirp {
    /// In samples a second; at least 16,000.
    pub fn new(rate: u32) -> Self {
        let (length, ratio) = (LENGTH.as_secs_f64(), (TO / FROM).ln());
        let sample = |n: u32| {
            let time = f64::from(n) / f64::from(rate);
            let phase = TAU * FROM * length / ratio * ((time / length * ratio).exp() - 1.0);
            let edge = (time.min(length - time) / FADE).clamp(0.0, 1.0);
            let fade = 0.5 - 0.5 * (edge * TAU / 2.0).cos();
            (AMPLITUDE * fade * phase.sin()) as f32
        };
        let count = (length * f64::from(rate)) as u32;
        Self {
            rate,
            samples: (0..count).map(sample).collect(),
        }
    }

    /// To be played.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Its RMS, in dBFS.
    pub fn level_dbfs(&self) -> f64 {
        let power: f64 = self.samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        dbfs(power / self.samples.len() as f64)
    }

    /// Looks for the sweep in what was heard from the moment on that it was played; `None` where it is not.
    pub fn find(&self, heard: &[f32]) -> Option<Trace> {
        self.look(heard).filter(|trace| trace.certain)
    }

    /// The same, and how much an echo that is not found can have at most. `None` only when nothing was heard for so
    /// long that the whole sweep could be in it.
    pub fn look(&self, heard: &[f32]) -> Option<Trace> {
        let ways = (heard.len() + 1)
            .checked_sub(self.samples.len())
            .filter(|ways| *ways > 0)?;
        let length = (heard.len() + self.samples.len()).next_power_of_two();
        let fourier = Fourier::new(length);
        let mut sweep = Complex::real(&self.samples, length);
        fourier.forward(&mut sweep);
        let mut way = Complex::real(heard, length);
        fourier.forward(&mut way);
        divide(&mut way, &sweep);
        fourier.inverse(&mut way);
        // The same of the sweep itself: what a gain of 0 dB looks like.
        let mut whole = sweep.clone();
        divide(&mut whole, &sweep);
        fourier.inverse(&mut whole);
        let whole: f64 = whole.re.iter().map(|value| value * value).sum();

        let response = &way.re[..ways];
        let noise = noise_of(response);
        let (at, highest) = response
            .iter()
            .map(|value| value.abs())
            .enumerate()
            .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let count = |time: f64| (time * f64::from(self.rate)) as isize;
        // What comes before the beginning stands at the end: the transform is a circle.
        let circle = &way.re;
        let around =
            |from: isize, to: isize| (from..to).map(move |n| circle[(at + length).wrapping_add_signed(n) % length]);
        let (close, width) = (count(CLOSE), count(WIDTH));
        let near: f64 = around(-close, -width)
            .chain(around(width, close))
            .map(|value| value * value)
            .sum();
        let near = (near / (2 * (close - width)) as f64).sqrt();
        // Somebody who speaks meanwhile is louder here than elsewhere.
        let other = noise.max(near);
        let stands = |value: &f64| value.abs() >= (ABOVE * other).min(highest);
        let within = |from: f64, to: f64| -> f64 {
            let out = around(count(from), count(to)).filter(stands);
            out.map(|value| value * value - other * other).sum()
        };
        // What stands out before the sound itself is not its echo, and there is about as much of it afterwards.
        let power = within(-BEFORE, ROOM) - within(-BEFORE - ROOM, -BEFORE);
        Some(Trace {
            delay: Duration::from_secs_f64(at as f64 / f64::from(self.rate)),
            gain_db: dbfs(power.max(0.0) / whole),
            certain: highest > 0.0 && highest >= CERTAIN * noise && highest >= CLEAR * near,
        })
    }
}

/// `heard / sweep`, where the sweep has something to say.
fn divide(heard: &mut Complex, sweep: &Complex) {
    let power = |n: usize| sweep.re[n].powi(2) + sweep.im[n].powi(2);
    let strongest = (0..sweep.re.len()).map(power).fold(0.0, f64::max);
    for n in 0..sweep.re.len() {
        let below = power(n) + FAINT * strongest;
        let (re, im) = (heard.re[n], heard.im[n]);
        heard.re[n] = (re * sweep.re[n] + im * sweep.im[n]) / below;
        heard.im[n] = (im * sweep.re[n] - re * sweep.im[n]) / below;
    }
}

/// RMS of the noise in a response, whatever echo stands out of it.
fn noise_of(response: &[f64]) -> f64 {
    let mut values: Vec<f64> = response.iter().map(|value| value.abs()).collect();
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1 / MEDIAN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech::{Dice, her, level_db};

    const RATE: u32 = 48_000;

    /// The sweep after `delay_ms` with that gain, in noise of that RMS in dBFS.
    fn echo(rate: u32, delay_ms: f64, gain_db: f64, noise_dbfs: f64, seed: u64) -> Vec<f32> {
        let chirp = Chirp::new(rate);
        let (mut dice, most) = (Dice(seed), 10f64.powf(noise_dbfs / 20.0) * 3f64.sqrt());
        let count = chirp.samples().len() + (LONGEST.as_secs_f64() * f64::from(rate)) as usize;
        let mut heard: Vec<f32> = (0..count).map(|_| (most * (2.0 * dice.roll() - 1.0)) as f32).collect();
        let at = (delay_ms / 1e3 * f64::from(rate)).round() as usize;
        let gain = 10f64.powf(gain_db / 20.0) as f32;
        for (heard, &sample) in heard[at..].iter_mut().zip(chirp.samples()) {
            *heard += gain * sample;
        }
        heard
    }

    fn assert_found(rate: u32, heard: &[f32], delay_ms: f64, gain_db: f64, tolerance_db: f64) {
        let trace = Chirp::new(rate).find(heard).expect("an echo");
        let delay = trace.delay.as_secs_f64() * 1e3;
        assert!((delay - delay_ms).abs() < 1.0, "{delay} ms for {delay_ms}");
        assert!(
            (trace.gain_db - gain_db).abs() < tolerance_db,
            "{} dB for {gain_db}",
            trace.gain_db
        );
    }

    #[test]
    fn a_known_echo_in_a_quiet_room() {
        for (delay_ms, gain_db) in [(0.0, 0.0), (12.5, -6.0), (137.4, -23.0), (480.0, -40.0), (650.0, 6.0)] {
            for rate in [16_000, 44_100, 48_000] {
                assert_found(rate, &echo(rate, delay_ms, gain_db, -80.0, 1), delay_ms, gain_db, 0.5);
            }
        }
    }

    #[test]
    fn a_known_echo_in_noise_as_strong_as_itself() {
        let level = Chirp::new(RATE).level_dbfs();
        for (seed, gain_db) in [(2, 0.0), (3, -20.0), (4, -35.0)] {
            let heard = echo(RATE, 93.3, gain_db, level + gain_db, seed);
            assert_found(RATE, &heard, 93.3, gain_db, 1.0);
        }
    }

    #[test]
    fn a_known_echo_ten_decibels_below_the_noise() {
        let level = Chirp::new(RATE).level_dbfs();
        let heard = echo(RATE, 201.7, -20.0, level - 20.0 + 10.0, 5);
        assert_found(RATE, &heard, 201.7, -20.0, 2.0);
    }

    #[test]
    fn without_an_echo_there_is_none_and_its_bound_is_below_the_noise() {
        let chirp = Chirp::new(RATE);
        for seed in 10..20 {
            let heard = echo(RATE, 0.0, -200.0, -40.0, seed);
            assert_eq!(chirp.find(&heard), None, "noise {seed}");
            let most = chirp.look(&heard).expect("heard long enough");
            assert!(chirp.level_dbfs() + most.gain_db < -50.0, "{most:?}");
        }
        assert_eq!(chirp.find(&vec![0.0; 60_000]), None, "nothing at all");
        assert_eq!(chirp.look(&vec![0.1; 1_000]), None, "too short");
    }

    #[test]
    fn somebody_who_speaks_is_no_echo_and_hides_none() {
        let chirp = Chirp::new(RATE);
        for part in her().chunks_exact(56_000).take(8) {
            assert_eq!(chirp.find(part), None);
            let mut both = part.to_vec();
            let spoken = f64::from(level_db(part)).max(-60.0);
            let gain_db = spoken - chirp.level_dbfs();
            let gain = 10f64.powf(gain_db / 20.0) as f32;
            for (heard, &sample) in both[7_200..].iter_mut().zip(chirp.samples()) {
                *heard += gain * sample;
            }
            assert_found(RATE, &both, 150.0, gain_db, 2.0);
        }
    }

    #[test]
    fn a_room_adds_its_reflections_to_the_gain_not_to_the_delay() {
        let mut heard = echo(RATE, 100.0, -20.0, -90.0, 6);
        let chirp = Chirp::new(RATE);
        // A wall, 20 ms later and half as loud: a quarter of the power more, 0.97 dB.
        for (heard, &sample) in heard[5_760..].iter_mut().zip(chirp.samples()) {
            *heard += 0.05 * sample;
        }
        assert_found(RATE, &heard, 100.0, -19.03, 0.5);
    }

    #[test]
    fn one_direction_of_samples_is_as_good_as_the_other() {
        let heard: Vec<f32> = echo(RATE, 50.0, -10.0, -70.0, 8).iter().map(|sample| -sample).collect();
        assert_found(RATE, &heard, 50.0, -10.0, 0.5);
    }
}
