//! From one clock to another: sample rates that differ by design (44.1 and 48 kHz) or by accident (two crystals).
//!
//! Pure: samples in, samples out; the caller says by how much the buffer between the two is too long, and
//! [`Steering`] turns that into a rate nobody hears.

use super::FRAME;
use rubato::{
    Adjustable, Async, FixedAsync, PolynomialDegree, Resampler, audioadapter_buffers::direct::InterleavedSlice,
};

/// Farthest from the nominal rate: 0.15 %, a fortieth of a semitone. Crystals are within 0.02 %.
const MOST: f64 = 0.0015;
/// An error of one second is answered with this change of rate where somebody listens: it settles in minutes.
const UNHEARD: f64 = 0.03;
/// The same where nobody does.
const TIGHT: f64 = 0.5;
/// Larger errors are somebody else's to correct; here they would only wind the integral up.
const BELIEVED: f64 = 0.015;

/// Makes blocks of 10 ms at one rate out of sound at another.
pub struct Resample {
    inner: Async<f32>,
    out: Vec<f32>,
}

impl Resample {
    /// Rates in samples a second.
    pub fn new(from: u32, to: u32) -> Self {
        let block = (to / 100).max(1) as usize;
        let ratio = f64::from(to) / f64::from(from);
        let inner = Async::new_poly(
            ratio,
            1.0 + 2.0 * MOST,
            PolynomialDegree::Septic,
            block,
            1,
            FixedAsync::Output,
        )
        .expect("sample rates are positive");
        Self {
            inner,
            out: vec![0.0; block],
        }
    }

    /// How many samples the next block takes.
    pub fn needed(&self) -> usize {
        self.inner.input_frames_next()
    }

    /// The next 10 ms, out of `input` ([`Self::needed`] of them).
    pub fn block(&mut self, input: &[f32]) -> &[f32] {
        let length = self.out.len();
        let source = InterleavedSlice::new(input, 1, input.len()).expect("one channel");
        let mut target = InterleavedSlice::new_mut(&mut self.out, 1, length).expect("one channel");
        if let Err(error) = self.inner.process_into_buffer(&source, &mut target, None) {
            tracing::error!(%error, "resampling");
            self.out.fill(0.0);
        }
        &self.out
    }

    /// Consumes its input faster by this share (negative: slower) from the next block on.
    pub fn set_haste(&mut self, haste: f64) {
        let ratio = 1.0 / (1.0 + haste.clamp(-MOST, MOST));
        if let Err(error) = self.inner.set_resample_ratio_relative(ratio, true) {
            tracing::error!(%error, "resampling");
        }
    }
}

/// A proportional-integral controller from "the buffer is too long" to "consume faster".
#[derive(Debug, Clone, Copy)]
pub struct Steering {
    proportional: f64,
    integral: f64,
}

impl Steering {
    /// For sound that is heard.
    pub fn unheard() -> Self {
        Self {
            proportional: UNHEARD,
            integral: 0.0,
        }
    }

    /// For sound that only has to be in the right place.
    pub fn tight() -> Self {
        Self {
            proportional: TIGHT,
            integral: 0.0,
        }
    }

    /// The buffer has been `excess` seconds too long during the last `elapsed` seconds.
    pub fn haste(&mut self, excess: f64, elapsed: f64) -> f64 {
        let excess = excess.clamp(-BELIEVED, BELIEVED);
        // Critically damped: it does not swing.
        let integral = self.proportional * self.proportional / 4.0;
        self.integral = (self.integral + integral * excess * elapsed).clamp(-MOST / 2.0, MOST / 2.0);
        (self.proportional * excess + self.integral).clamp(-MOST, MOST)
    }
}

/// Collects samples of a device's rate and gives frames of 48 kHz.
pub struct ToFrames {
    resample: Option<Resample>,
    waiting: Vec<f32>,
}

impl ToFrames {
    /// `rate`: the device's.
    pub fn new(rate: u32) -> Self {
        Self {
            resample: (rate != super::RATE).then(|| Resample::new(rate, super::RATE)),
            waiting: Vec::with_capacity(4 * FRAME),
        }
    }

    /// Device samples that wait for their frame to fill.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes samples and gives each whole frame.
    pub fn push(&mut self, samples: &[f32], mut each: impl FnMut(&super::AudioFrame)) {
        self.waiting.extend_from_slice(samples);
        let mut used = 0;
        loop {
            let needed = self.resample.as_ref().map_or(FRAME, Resample::needed);
            let Some(input) = self.waiting.get(used..used + needed) else {
                break;
            };
            let frame = match &mut self.resample {
                Some(resample) => resample.block(input),
                None => input,
            };
            each(frame.try_into().expect("blocks of 10 ms at 48 kHz"));
            used += needed;
        }
        self.waiting.drain(..used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, rate: f64, count: usize) -> Vec<f32> {
        (0..count)
            .map(|n| 0.5 * (n as f64 * hertz * std::f64::consts::TAU / rate).sin() as f32)
            .collect()
    }

    /// Power of one frequency as a share of all.
    fn share(hertz: f64, rate: f64, sound: &[f32]) -> f64 {
        let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
        for (n, &sample) in sound.iter().enumerate() {
            let angle = n as f64 * hertz * std::f64::consts::TAU / rate;
            re += f64::from(sample) * angle.cos();
            im += f64::from(sample) * angle.sin();
            all += f64::from(sample) * f64::from(sample);
        }
        2.0 * (re * re + im * im) / sound.len() as f64 / all
    }

    #[test]
    fn device_rates_become_48_khz_and_keep_their_pitch() {
        for rate in [16_000u32, 44_100, 48_000, 96_000] {
            let mut frames = Vec::new();
            let mut to = ToFrames::new(rate);
            for samples in tone(1_000.0, f64::from(rate), 2 * rate as usize).chunks(441) {
                to.push(samples, |frame| frames.extend_from_slice(frame));
            }
            assert!((frames.len() as i64 - 96_000).abs() < 1_000, "{rate}: {}", frames.len());
            let pure = share(1_000.0, 48_000.0, &frames[4_800..52_800]);
            assert!(pure > 0.999, "{rate}: {pure}");
        }
    }

    #[test]
    fn speech_frequencies_survive_a_bent_rate() {
        let mut resample = Resample::new(48_000, 48_000);
        resample.set_haste(0.000_2);
        let input = tone(3_000.0, 48_000.0, 480_000);
        let (mut at, mut out) = (0, Vec::new());
        while at + resample.needed() <= input.len() {
            let needed = resample.needed();
            out.extend_from_slice(resample.block(&input[at..at + needed]));
            at += needed;
        }
        assert!(share(3_000.6, 48_000.0, &out[48_000..144_000]) > 0.9999);
        assert!((out.len() as f64 / at as f64 - 1.0 / 1.000_2).abs() < 2e-5);
    }

    #[test]
    fn steering_holds_a_skewed_clock_without_swinging() {
        for skew in [-200e-6, 100e-6, 200e-6] {
            let (mut steering, mut excess, mut worst) = (Steering::unheard(), 0.0f64, 0.0f64);
            for _ in 0..60_000 {
                excess += (skew - steering.haste(excess, 0.01)) * 0.01;
                worst = worst.max(excess.abs());
            }
            assert!(excess.abs() < 0.000_1, "{skew}: {excess} s after ten minutes");
            assert!(worst < 0.006, "{skew}: {worst} s at worst");
        }
    }
}
