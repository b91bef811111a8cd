//! Sizes and frame rates, and when to change between them.

use std::time::{Duration, Instant};

/// A size and frame rate to stay within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// In pixels, for a picture of 16:9; others get the same number of pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
    /// The picture is worth this size from here on, bits a second.
    needs: u32,
}

impl Rung {
    /// The smaller of two.
    pub fn min(self, other: Self) -> Self {
        if other.needs < self.needs { other } else { self }
    }
}

const fn rung(width: u32, height: u32, fps: u32, needs: u32) -> Rung {
    Rung {
        width,
        height,
        fps,
        needs,
    }
}

/// From small to large.
const RUNGS: [Rung; 6] = [
    rung(320, 180, 10, 0),
    rung(480, 270, 15, 110_000),
    rung(640, 360, 20, 200_000),
    rung(640, 360, 30, 330_000),
    rung(960, 540, 30, 560_000),
    rung(1_280, 720, 30, 900_000),
];

/// A face beside a shared screen.
pub const FACE: Rung = RUNGS[1];

/// The smallest bit rate the smallest picture is sent with, bits a second.
pub const SMALLEST: u32 = 50_000;
/// A rung is left when the bit rate stays below this share of what it needs ...
const TOO_LITTLE: f64 = 0.85;
/// ... for this long, or at once below half.
const DOWN_AFTER: Duration = Duration::from_millis(500);
/// The next rung is taken when the bit rate has stayed above what it needs for this long.
const UP_AFTER: Duration = Duration::from_secs(3);
/// A rung that was left again within this time was taken too early: the next try waits twice as long ...
const REGRET: Duration = Duration::from_secs(15);
/// ... up to this.
const LONGEST: Duration = Duration::from_secs(24);

/// The rung a connection stands on.
#[derive(Debug)]
pub struct Ladder {
    at: usize,
    low_since: Option<Instant>,
    high_since: Option<Instant>,
    up_after: Duration,
    rose: Option<Instant>,
}

impl Ladder {
    /// On the highest rung that the bit rate allows.
    pub fn starting_at(bitrate: u32) -> Self {
        Self {
            at: fitting(bitrate),
            low_since: None,
            high_since: None,
            up_after: UP_AFTER,
            rose: None,
        }
    }

    /// Where it stands.
    pub fn rung(&self) -> Rung {
        RUNGS[self.at]
    }

    /// The picture's bit rate from now on.
    pub fn bitrate(&mut self, now: Instant, bitrate: u32) {
        let floor = f64::from(self.rung().needs) * TOO_LITTLE;
        let low = f64::from(bitrate) < floor;
        let high = fitting(bitrate) > self.at;
        self.low_since = low.then(|| self.low_since.unwrap_or(now));
        self.high_since = high.then(|| self.high_since.unwrap_or(now));
        let waited = |since: Option<Instant>, time: Duration| since.is_some_and(|since| now - since >= time);
        if waited(self.low_since, DOWN_AFTER) || f64::from(bitrate) < floor / 2.0 {
            self.down(now, bitrate);
        } else if waited(self.high_since, self.up_after) {
            self.at = fitting(bitrate);
            self.high_since = None;
            self.rose = Some(now);
        } else if self.rose.is_some_and(|rose| now - rose >= REGRET) {
            self.rose = None;
            self.up_after = UP_AFTER;
        }
    }

    fn down(&mut self, now: Instant, bitrate: u32) {
        self.at = fitting(bitrate).min(self.at);
        self.low_since = None;
        if self.rose.take().is_some_and(|rose| now - rose < REGRET) {
            self.up_after = (self.up_after * 2).min(LONGEST);
        }
    }
}

fn fitting(bitrate: u32) -> usize {
    RUNGS.iter().rposition(|rung| rung.needs <= bitrate).unwrap_or(0)
}
