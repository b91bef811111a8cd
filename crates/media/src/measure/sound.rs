//! What a microphone's sound is like: peak, level, floor, clipping, dead channels. Pure: samples in, figures out.
//!
//! Levels are decibels below full scale, an amplitude of 1: a full-scale sine has an RMS of -3.01 dBFS.

use sightline_call::readiness::figures::{DEAD_CHANNEL_DBFS, SILENCE_DBFS};

/// Level and floor are judged in pieces of this part of a second: 20 ms, the shortest that speech stands still for.
const PIECES: u32 = 50;
/// From this amplitude on a sample is at full scale.
const FULL: f32 = 0.999;
/// The part of the pieces that is quieter than the floor.
const FLOOR: f64 = 0.1;
/// The quietest level that a meter shows, in dBFS.
const METER_FROM: f64 = -60.0;

/// What the sound came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sounds {
    /// Loudest sample of any channel, in dBFS.
    pub peak_dbfs: f64,
    /// RMS of the louder half of the pieces, in dBFS.
    pub level_dbfs: f64,
    /// Tenth percentile of the RMS of the pieces, in dBFS.
    pub floor_dbfs: f64,
    /// Share of samples at full scale, 0 to 1.
    pub clipped: f64,
    /// Channels whose loudest sample stays below [`DEAD_CHANNEL_DBFS`].
    pub silent_channels: u8,
    /// How many there are.
    pub channels: u8,
    /// Every sample of every channel was exactly 0.
    pub exact_zero: bool,
}

/// Listens to samples as they come.
#[derive(Debug)]
pub struct Listening {
    /// Frames of a piece.
    length: u32,
    channels: Vec<Channel>,
    piece: Piece,
    /// Mean squares, without their direct current.
    pieces: Vec<f64>,
    samples: u64,
    clipped: u64,
}

#[derive(Debug, Clone, Copy)]
struct Channel {
    least: f32,
    most: f32,
    sounds: bool,
}

impl Channel {
    const UNHEARD: Self = Self {
        least: f32::INFINITY,
        most: f32::NEG_INFINITY,
        sounds: false,
    };
}

#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    frames: u32,
    sum: f64,
    squares: f64,
}

impl Listening {
    /// To so many channels (at least one) at that many samples a second.
    pub fn new(channels: u8, rate: u32) -> Self {
        Self {
            length: (rate / PIECES).max(1),
            channels: vec![Channel::UNHEARD; usize::from(channels.max(1))],
            piece: Piece::default(),
            pieces: Vec::new(),
            samples: 0,
            clipped: 0,
        }
    }

    /// Takes interleaved samples, whole frames.
    pub fn hear(&mut self, interleaved: &[f32]) {
        let count = self.channels.len();
        for frame in interleaved.chunks_exact(count) {
            let mut mixed = 0.0;
            for (channel, &sample) in self.channels.iter_mut().zip(frame) {
                // A broken driver's "not a number" must not take everything else with it.
                let sample = if sample.is_finite() { sample } else { 0.0 };
                channel.least = channel.least.min(sample);
                channel.most = channel.most.max(sample);
                channel.sounds |= sample != 0.0;
                self.clipped += u64::from(sample.abs() >= FULL);
                mixed += f64::from(sample);
            }
            self.samples += count as u64;
            // As a call mixes them: the customer hears that.
            self.note(mixed / count as f64);
        }
    }

    fn note(&mut self, sample: f64) {
        let piece = &mut self.piece;
        piece.frames += 1;
        piece.sum += sample;
        piece.squares += sample * sample;
        if piece.frames == self.length {
            self.pieces.push(piece.power());
            self.piece = Piece::default();
        }
    }

    /// The newest piece on a meter from 0 to 1: decibels, evenly, from -60 dBFS to full scale.
    pub fn meter(&self) -> f64 {
        let power = self.pieces.last().copied().unwrap_or(0.0);
        (1.0 - dbfs(power) / METER_FROM).clamp(0.0, 1.0)
    }

    /// What it came to; `None` before the first sample.
    pub fn figures(&self) -> Option<Sounds> {
        if self.samples == 0 {
            return None;
        }
        let mut pieces = self.pieces.clone();
        if pieces.is_empty() {
            pieces.push(self.piece.power());
        }
        pieces.sort_by(f64::total_cmp);
        let louder = &pieces[pieces.len() / 2..];
        let loudest = |channel: &Channel| channel.most.max(-channel.least);
        // A dead channel may stand at another level than 0.
        let swing = |channel: &Channel| (channel.most - channel.least) / 2.0;
        let dead = |channel: &&Channel| amplitude(loudest(channel).min(swing(channel))) < DEAD_CHANNEL_DBFS;
        Some(Sounds {
            peak_dbfs: amplitude(self.channels.iter().map(loudest).fold(0.0, f32::max)),
            level_dbfs: dbfs(louder.iter().sum::<f64>() / louder.len() as f64),
            floor_dbfs: dbfs(pieces[((pieces.len() - 1) as f64 * FLOOR).round() as usize]),
            clipped: self.clipped as f64 / self.samples as f64,
            silent_channels: self.channels.iter().filter(dead).count() as u8,
            channels: self.channels.len() as u8,
            exact_zero: !self.channels.iter().any(|channel| channel.sounds),
        })
    }
}

impl Piece {
    /// Without the direct current that cheap converters add: nobody hears it, and the call filters it out.
    fn power(&self) -> f64 {
        let frames = f64::from(self.frames.max(1));
        (self.squares / frames - (self.sum / frames).powi(2)).max(0.0)
    }
}

/// A mean square in dBFS, never less than [`SILENCE_DBFS`].
pub fn dbfs(mean_square: f64) -> f64 {
    (10.0 * mean_square.log10()).max(SILENCE_DBFS)
}

fn amplitude(sample: f32) -> f64 {
    dbfs(f64::from(sample).powi(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech::Dice;

    const RATE: u32 = 48_000;

    fn sine(amplitude: f32, seconds: f64) -> Vec<f32> {
        let count = (seconds * f64::from(RATE)) as u32;
        (0..count)
            .map(|n| amplitude * (n as f32 * 1_000.0 * std::f32::consts::TAU / RATE as f32).sin())
            .collect()
    }

    /// Uniform noise of that RMS.
    fn noise(rms: f64, seconds: f64) -> Vec<f32> {
        let mut dice = Dice(11);
        let most = rms * 3f64.sqrt();
        (0..(seconds * f64::from(RATE)) as u32)
            .map(|_| (most * (2.0 * dice.roll() - 1.0)) as f32)
            .collect()
    }

    fn heard(channels: u8, samples: &[f32]) -> Sounds {
        let mut listening = Listening::new(channels, RATE);
        // As devices deliver: in parts that are no pieces.
        samples
            .chunks(441 * usize::from(channels))
            .for_each(|part| listening.hear(part));
        listening.figures().expect("samples came")
    }

    #[test]
    fn a_sine_of_half_scale() {
        let sound = heard(1, &sine(0.5, 1.0));
        assert!((sound.peak_dbfs + 6.02).abs() < 0.05, "{sound:?}");
        assert!((sound.level_dbfs + 9.03).abs() < 0.05, "{sound:?}");
        assert!((sound.floor_dbfs + 9.03).abs() < 0.05, "{sound:?}");
        assert_eq!(
            (sound.clipped, sound.silent_channels, sound.exact_zero),
            (0.0, 0, false)
        );
    }

    #[test]
    fn nothing_is_minus_120_and_exactly_zero() {
        let sound = heard(2, &vec![0.0; 96_000]);
        assert_eq!(
            (sound.peak_dbfs, sound.level_dbfs, sound.floor_dbfs),
            (-120.0, -120.0, -120.0)
        );
        assert_eq!((sound.silent_channels, sound.channels, sound.exact_zero), (2, 2, true));
        assert_eq!(Listening::new(1, RATE).figures(), None);
    }

    #[test]
    fn speech_over_noise_has_a_level_and_a_floor() {
        let mut sound = noise(0.001, 3.0);
        // Words for two thirds of the time.
        for (n, sample) in sound.iter_mut().enumerate() {
            if n % 48_000 < 32_000 {
                *sample += 0.1 * (n as f32 * 0.05).sin();
            }
        }
        let sound = heard(1, &sound);
        assert!((sound.floor_dbfs + 60.0).abs() < 0.5, "{sound:?}");
        assert!((sound.level_dbfs + 23.0).abs() < 0.3, "{sound:?}");
    }

    #[test]
    fn clipping_is_counted() {
        let loud: Vec<f32> = sine(3.0, 1.0).iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
        let sound = heard(1, &loud);
        // A sine is above a third of its amplitude for 1 - 2/pi asin(1/3) of the time.
        assert!((sound.clipped - 0.7837).abs() < 0.02, "{sound:?}");
        assert_eq!(sound.peak_dbfs, 0.0);
    }

    #[test]
    fn a_dead_side_is_found_even_beside_a_direct_current() {
        let left = sine(0.25, 1.0);
        let both = |right: f32| left.iter().flat_map(|&sample| [sample, right]).collect::<Vec<_>>();
        for right in [0.0, 0.2, 0.000_03] {
            let sound = heard(2, &both(right));
            assert_eq!(
                (sound.silent_channels, sound.channels, sound.exact_zero),
                (1, 2, false),
                "{right}"
            );
            assert!(
                (sound.level_dbfs + 21.07).abs() < 0.05,
                "half of it reaches the call: {sound:?}"
            );
        }
    }

    #[test]
    fn the_meter_goes_from_quiet_to_full_scale() {
        for (rms, meter) in [(0.0, 0.0), (0.001, 0.0), (0.031_62, 0.5), (1.0, 1.0)] {
            let mut listening = Listening::new(1, RATE);
            let alternating: Vec<f32> = (0..960).map(|n| if n % 2 == 0 { rms } else { -rms }).collect();
            listening.hear(&alternating);
            assert!(
                (listening.meter() - meter).abs() < 0.001,
                "{rms}: {}",
                listening.meter()
            );
        }
    }

    #[test]
    fn what_is_no_number_counts_as_nothing() {
        let sound = heard(1, &[f32::NAN, f32::INFINITY, 0.5, f32::NEG_INFINITY]);
        assert!((sound.peak_dbfs + 6.02).abs() < 0.01);
        assert!(sound.level_dbfs.is_finite());
    }
}
