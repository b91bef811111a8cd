//! How many pictures of a call's size this computer encodes in a second, with the encoder of the call.

use crate::{painter::Frame, vp8::Encoder};
use sightline_call::readiness::figures::EncoderMeasured;
use sightline_wire::agent::DEFAULT_MAX_BITRATE;
use std::time::{Duration, Instant};

const SIZE: (u32, u32) = (1280, 720);
/// Pictures made beforehand: half a second of somebody who moves, shown there and back.
const PICTURES: usize = 15;
/// The first ones are a key frame and memory that is touched for the first time.
const WARM_UP: u32 = 4;
/// So many are enough: 10 s of a call.
const ENOUGH: u32 = 300;

/// Encodes moving pictures as fast as it goes until `time` is over, or three hundred of them. Only the encoding
/// counts, not the making of pictures, and no picture that the encoder leaves out. `progress` hears how much of the
/// work is done, 0 to 1.
pub fn encoder(time: Duration, mut progress: impl FnMut(f64)) -> EncoderMeasured {
    let end = Instant::now() + time;
    let mut measured = EncoderMeasured {
        width: SIZE.0,
        height: SIZE.1,
        pictures: 0,
        fps_possible: 0.0,
    };
    let mut encoder = match Encoder::new(SIZE.0, SIZE.1, DEFAULT_MAX_BITRATE) {
        Ok(encoder) => encoder,
        Err(error) => {
            tracing::error!(%error, "no encoder to measure");
            return measured;
        }
    };
    let pictures: Vec<Frame> = (0..PICTURES).map(picture).collect();
    // There and back, so that nothing jumps.
    let order = (0..PICTURES).chain((1..PICTURES - 1).rev()).cycle();
    let mut worked = Duration::ZERO;
    for (n, which) in (0u32..).zip(order) {
        let now = Instant::now();
        if now >= end || measured.pictures >= ENOUGH {
            break;
        }
        match encoder.encode(&pictures[which], i64::from(n) * 3_000, n == 0) {
            Ok(Some(_)) if n >= WARM_UP => {
                worked += now.elapsed();
                measured.pictures += 1;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "a picture was not encoded");
                break;
            }
        }
        let left = end.saturating_duration_since(Instant::now()).as_secs_f64() / time.as_secs_f64();
        progress((1.0 - left).max(f64::from(measured.pictures) / f64::from(ENOUGH)));
    }
    if worked > Duration::ZERO {
        measured.fps_possible = f64::from(measured.pictures) / worked.as_secs_f64();
    }
    measured
}

/// Somebody in front of a wall: texture that stands still, a textured face that moves, and a sensor's noise.
fn picture(number: usize) -> Frame {
    let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
    let mut frame = Frame::black(SIZE.0, SIZE.1);
    let time = number as f64 / 30.0;
    let (x0, y0) = (640.0 + 90.0 * (2.0 * time).sin(), 380.0 + 40.0 * (3.0 * time).cos());
    let wave = |n: usize, length: f64| (n as f64 / length).sin();
    let across: Vec<f64> = (0..width).map(|x| 18.0 * wave(x, 23.0) + 9.0 * wave(x, 3.1)).collect();
    let mut noise = 0x2545_f491_4f6c_dd1du64 ^ (number as u64 + 1);
    for (y, row) in frame.y.chunks_exact_mut(width).enumerate() {
        let down = 14.0 * wave(y, 17.0) + 7.0 * wave(y, 2.7);
        let dy = (y as f64 - y0) / 260.0;
        for (x, luma) in row.iter_mut().enumerate() {
            let dx = (x as f64 - x0) / 190.0;
            // The face carries its texture with it.
            let value = if dx * dx + dy * dy < 1.0 {
                150.0 + 25.0 * (dx * 31.0).sin() * (dy * 27.0).cos() + 12.0 * (dx * 90.0).sin()
            } else {
                90.0 + across[x] + down
            };
            // Marsaglia, "Xorshift RNGs", 2003.
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            *luma = (value + (noise % 5) as f64 - 2.0).clamp(16.0, 235.0) as u8;
        }
    }
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            let face = ((2 * x) as f64 - x0).abs() < 130.0 && ((2 * y) as f64 - y0).abs() < 180.0;
            frame.u[y * (width / 2) + x] = if face { 108 } else { 128 };
            frame.v[y * (width / 2) + x] = if face { 152 } else { 122 };
        }
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_encoded_and_counted_within_the_time() {
        let begun = Instant::now();
        let mut last = 0.0;
        let measured = encoder(Duration::from_secs(3), |done| {
            assert!((0.0..=1.0).contains(&done) && done >= last, "{done} after {last}");
            last = done;
        });
        assert!(measured.pictures > 0 && measured.fps_possible > 0.0, "{measured:?}");
        // A picture that was begun in time is finished, and a busy machine takes a while for it.
        assert!(begun.elapsed() < Duration::from_secs(13));
        assert_eq!((measured.width, measured.height), SIZE);
    }

    #[test]
    fn the_pictures_move() {
        let changed = |a: &Frame, b: &Frame| a.y.iter().zip(&b.y).filter(|(a, b)| a.abs_diff(**b) > 12).count();
        let (first, second) = (picture(0), picture(1));
        assert!(changed(&first, &second) > 10_000, "more than the noise of a sensor");
    }
}
