//! Makes a piece of sound a little shorter or longer without changing its pitch.
//!
//! Overlap-add at the lag at which the sound resembles itself most (the idea of WSOLA): one pitch period
//! is left out or played twice, cross-faded. Where sound resembles nothing, nothing is done: the caller
//! tries again with the next piece.

use super::RATE;

/// Pitch from 400 Hz ...
const SHORTEST_LAG: usize = RATE as usize / 400;
/// ... to 67 Hz: 15 ms.
const LONGEST_LAG: usize = RATE as usize * 15 / 1_000;
/// What [`shorten`] looks at, 30 ms.
pub const PIECE: usize = 2 * LONGEST_LAG;
/// What [`lengthen`] looks at of what was played and of what comes, 15 ms each.
pub const SIDE: usize = LONGEST_LAG;
/// How alike two periods must be to be joined unheard.
const ALIKE: f32 = 0.88;
/// How alike when there is no time to wait for better.
const ALIKE_ENOUGH: f32 = 0.55;
/// Mean square below which nothing is heard whatever is done: -55 dBFS.
const QUIET: f32 = 3.2e-6;
/// Every so many samples are compared in the coarse search: pitch needs no more than 6 kHz.
const COARSE: usize = 8;

/// How choosy to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Only where nobody hears it.
    Unheard,
    /// Better a rough joint than more delay.
    Hurry,
}

/// `piece` (of [`PIECE`] samples) without one period; `None` where it cannot be done unheard.
pub fn shorten(piece: &[f32], care: Care) -> Option<Vec<f32>> {
    let lag = lag(piece, care)?;
    let mut out = cross_fade(&piece[..lag], &piece[lag..2 * lag]);
    out.extend_from_slice(&piece[2 * lag..]);
    Some(out)
}

/// The period to be played once more between `past` and `future` (of [`SIDE`] samples each); `None` where it
/// cannot be done unheard.
pub fn lengthen(past: &[f32], future: &[f32], care: Care) -> Option<Vec<f32>> {
    let lag = lag(&[past, future].concat(), care)?;
    Some(cross_fade(&future[..lag], &past[SIDE - lag..]))
}

/// From all of `from` to all of `to`, which have the same length.
pub fn cross_fade(from: &[f32], to: &[f32]) -> Vec<f32> {
    let step = 1.0 / (from.len() as f32 + 1.0);
    from.iter()
        .zip(to)
        .enumerate()
        .map(|(n, (from, to))| from + (to - from) * step * (n as f32 + 1.0))
        .collect()
}

/// The lag at which the piece resembles itself most, if it does so well enough.
fn lag(piece: &[f32], care: Care) -> Option<usize> {
    debug_assert_eq!(piece.len(), PIECE);
    let energy = piece.iter().map(|sample| sample * sample).sum::<f32>() / PIECE as f32;
    if energy < QUIET {
        return Some(LONGEST_LAG);
    }
    let coarse = (SHORTEST_LAG..=LONGEST_LAG)
        .step_by(COARSE / 2)
        .max_by(|&a, &b| likeness(piece, a, COARSE).total_cmp(&likeness(piece, b, COARSE)))?;
    let near = coarse.saturating_sub(COARSE).max(SHORTEST_LAG)..=(coarse + COARSE).min(LONGEST_LAG);
    let (best, likeness) = near
        .map(|lag| (lag, likeness(piece, lag, 2)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let needed = match care {
        Care::Unheard => ALIKE,
        Care::Hurry => ALIKE_ENOUGH,
    };
    (likeness >= needed).then_some(best)
}

/// Normalised cross-correlation of the piece's first 15 ms with those `lag` later, every `step` samples.
fn likeness(piece: &[f32], lag: usize, step: usize) -> f32 {
    let (mut product, mut first, mut second) = (0.0f32, 1e-9f32, 1e-9f32);
    for n in (0..LONGEST_LAG).step_by(step) {
        let (a, b) = (piece[n], piece[n + lag]);
        product += a * b;
        first += a * a;
        second += b * b;
    }
    product / (first * second).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, length: usize) -> Vec<f32> {
        (0..length)
            .map(|n| 0.3 * (n as f32 * hertz * std::f32::consts::TAU / RATE as f32).sin())
            .collect()
    }

    /// The steepest step from one sample to the next.
    fn steepest(sound: &[f32]) -> f32 {
        sound.windows(2).map(|two| (two[1] - two[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn periodic_sound_keeps_its_wave_form() {
        for hertz in [80.0, 150.0, 237.0, 390.0] {
            let piece = tone(hertz, PIECE);
            let period = RATE as f32 / hertz;
            let longer = lengthen(&piece[..SIDE], &piece[SIDE..], Care::Unheard).expect("periodic");
            let longer = [&piece[..SIDE], &longer, &piece[SIDE..]].concat();
            for out in [shorten(&piece, Care::Unheard).expect("periodic"), longer] {
                let periods = (out.len() as f32 - PIECE as f32) / period;
                assert!(
                    (periods - periods.round()).abs() < 0.05,
                    "{periods} periods of {hertz} Hz"
                );
                assert!(steepest(&out) < 1.1 * steepest(&piece), "no click at {hertz} Hz");
            }
        }
    }

    #[test]
    fn noise_is_left_alone_and_silence_is_not() {
        let mut state = 1u32;
        let noise: Vec<f32> = (0..PIECE)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 25) as f32 - 0.25
            })
            .collect();
        assert_eq!(shorten(&noise, Care::Unheard), None);
        assert_eq!(
            shorten(&vec![0.0; PIECE], Care::Unheard).map(|out| out.len()),
            Some(LONGEST_LAG)
        );
    }
}
