//! A camera and encoder of statistics: pictures whose sizes follow the target as libvpx's do, without pixels.

use fastrand::Rng;
use sightline_media::rate::{VideoRate, pace::Pace};
use std::time::{Duration, Instant};

/// A key frame is this many times as large as a picture's share of the bit rate, as libvpx makes them of a face.
const KEY_FACTOR: f64 = 6.0;
/// The camera's pictures a second.
const CAMERA_FPS: u32 = 30;
/// How much of what was spent too much each picture pays back.
const PAY_BACK: f64 = 0.1;

/// Makes pictures in virtual time.
pub struct ModelEncoder {
    rng: Rng,
    pace: Pace,
    next: Instant,
    height: u32,
    key_wanted: bool,
    /// Spent beyond the target, in bits.
    debt: f64,
    count: u32,
    /// Key frames made.
    pub key_frames: Vec<Instant>,
}

impl ModelEncoder {
    /// The camera's first picture comes at `start`.
    pub fn new(start: Instant, seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            pace: Pace::default(),
            next: start,
            height: 0,
            key_wanted: true,
            debt: 0.0,
            count: 0,
            key_frames: Vec::new(),
        }
    }

    /// When the camera takes its next picture.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// The other side wants a key frame.
    pub fn key_frame(&mut self) {
        self.key_wanted = true;
    }

    /// The camera takes a picture. `None` when it is not sent.
    pub fn picture(&mut self, rate: Option<VideoRate>) -> Option<Vec<u8>> {
        let now = self.next;
        self.next += Duration::from_secs(1) / CAMERA_FPS;
        let Some(rate) = rate else {
            self.height = 0;
            return None;
        };
        if rate.hold || !self.pace.takes(now, rate.rung.fps) {
            return None;
        }
        let key = std::mem::take(&mut self.key_wanted) || self.height != rate.rung.height;
        self.height = rate.rung.height;
        let share = f64::from(rate.bitrate) / f64::from(rate.rung.fps);
        let noise = 0.75 + 0.5 * self.rng.f64();
        let bits = if key {
            self.key_frames.push(now);
            share * KEY_FACTOR * noise
        } else {
            (share * noise - self.debt * PAY_BACK).max(share * 0.2)
        };
        self.debt = (self.debt + bits - share).max(-share);
        self.count += 1;
        Some(bytes((bits / 8.0) as usize, key, self.count, self.height))
    }
}

/// A VP8 frame as far as packetizers look: tag, and start code with the size for a key frame (RFC 6386, 9.1).
fn bytes(size: usize, key: bool, count: u32, height: u32) -> Vec<u8> {
    let mut data = vec![0xa5; size.max(24)];
    data[0] = if key { 0x10 } else { 0x11 };
    if key {
        data[3..6].copy_from_slice(&[0x9d, 0x01, 0x2a]);
    }
    data[10..14].copy_from_slice(&count.to_le_bytes());
    data[14..18].copy_from_slice(&height.to_le_bytes());
    data
}

/// What a picture says of itself: its count and its height.
pub fn read(data: &[u8]) -> Option<(u32, u32)> {
    let count = data.get(10..14)?.try_into().ok()?;
    let height = data.get(14..18)?.try_into().ok()?;
    Some((u32::from_le_bytes(count), u32::from_le_bytes(height)))
}
