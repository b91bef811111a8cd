//! What a camera's pictures look like: brightness, contrast, clipping, noise, whether they move, and how many come
//! in a second. Pure: pictures with their times in, figures out.

use crate::painter::Frame;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Cameras adjust themselves to the light for about so long; what they show meanwhile says nothing about it.
const SETTLE: Duration = Duration::from_millis(500);
/// Longer than so many intervals and so many seconds nothing came: then nothing will.
const MISSED: f64 = 3.0;
const STOPPED_S: f64 = 0.1;
/// Luma of black and the distance to white, as video counts them (ITU-R BT.601, 2.5.3).
const BLACK: f64 = 16.0;
const RANGE: f64 = 219.0;
/// Luma, 0 to 255, from which on nothing is left to tell apart.
const BRIGHTEST: f64 = 250.0;

/// What the pictures came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pictures {
    /// Of the newest picture, in pixels.
    pub width: u32,
    /// Of the newest picture, in pixels.
    pub height: u32,
    /// Pictures a second, without the time until the first one; 0 with fewer than two. One that stopped delivering
    /// counts as slow, not as quick until then.
    pub fps: f64,
    /// From the opening to the first picture, in milliseconds.
    pub first_picture_ms: f64,
    /// Mean luma, 0 black to 255 white.
    pub brightness: f64,
    /// Standard deviation of luma within a picture, 0 to 127.5.
    pub contrast: f64,
    /// Share of pixels with a luma of 250 or more, 0 to 1.
    pub clipped_bright: f64,
    /// Mean absolute difference in luma between successive pictures, pixel by pixel, 0 to 255.
    pub noise: f64,
    /// Share of pictures in which at least one pixel differs from the picture before, 0 to 1.
    pub changed: f64,
}

/// Looks at pictures as they come.
#[derive(Debug)]
pub struct Watch {
    opened: Instant,
    first: Option<Instant>,
    last: Instant,
    newest: Option<Arc<Frame>>,
    pictures: u32,
    changed: u32,
    looks: Vec<Look>,
}

/// One picture by itself, and beside the one before.
#[derive(Debug, Clone, Copy)]
struct Look {
    settled: bool,
    brightness: f64,
    contrast: f64,
    clipped: f64,
    difference: Option<f64>,
}

impl Watch {
    /// The camera was asked to open at `opened`.
    pub fn new(opened: Instant) -> Self {
        Self {
            opened,
            first: None,
            last: opened,
            newest: None,
            pictures: 0,
            changed: 0,
            looks: Vec::new(),
        }
    }

    /// A picture came at `at`.
    pub fn see(&mut self, frame: Arc<Frame>, at: Instant) {
        let first = *self.first.get_or_insert(at);
        self.last = at;
        self.pictures += 1;
        let same_size = |before: &&Arc<Frame>| (before.width, before.height) == (frame.width, frame.height);
        let difference = self
            .newest
            .as_ref()
            .filter(same_size)
            .map(|before| mean_difference(&before.y, &frame.y));
        if self.newest.as_ref().is_some_and(|before| **before != *frame) {
            self.changed += 1;
        }
        let (brightness, contrast, clipped) = luma(&frame.y);
        self.looks.push(Look {
            settled: at.saturating_duration_since(first) >= SETTLE,
            brightness,
            contrast,
            clipped,
            difference,
        });
        self.newest = Some(frame);
    }

    /// What they came to until `now`; `None` before the first one.
    pub fn figures(&self, now: Instant) -> Option<Pictures> {
        let (newest, first) = (self.newest.as_ref()?, self.first?);
        let later = f64::from(self.pictures - 1);
        let (span, quiet) = (
            self.last.saturating_duration_since(first).as_secs_f64(),
            now.saturating_duration_since(self.last).as_secs_f64(),
        );
        let stopped = quiet > STOPPED_S + MISSED * span / later.max(1.0);
        let span = if stopped { span + quiet } else { span };
        // A camera too slow to have settled shows what it shows.
        let settled = self.looks.iter().any(|look| look.settled);
        let mean = |of: &dyn Fn(&Look) -> Option<f64>| {
            let (sum, count) = self
                .looks
                .iter()
                .filter(|look| look.settled == settled)
                .filter_map(of)
                .fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
            sum / f64::from(count.max(1))
        };
        Some(Pictures {
            width: newest.width,
            height: newest.height,
            fps: if span > 0.0 { later / span } else { 0.0 },
            first_picture_ms: first.saturating_duration_since(self.opened).as_secs_f64() * 1e3,
            brightness: mean(&|look| Some(look.brightness)),
            contrast: mean(&|look| Some(look.contrast)),
            clipped_bright: mean(&|look| Some(look.clipped)),
            noise: mean(&|look| look.difference),
            changed: f64::from(self.changed) / later.max(1.0),
        })
    }
}

/// Mean, standard deviation, and share of the brightest, from 0 to 255.
fn luma(plane: &[u8]) -> (f64, f64, f64) {
    let mut counts = [0u32; 256];
    plane.iter().for_each(|&luma| counts[luma as usize] += 1);
    let all = plane.len().max(1) as f64;
    let levels = || {
        counts.iter().enumerate().map(|(luma, &count)| {
            let level = ((luma as f64 - BLACK) * 255.0 / RANGE).clamp(0.0, 255.0);
            (level, f64::from(count))
        })
    };
    let mean = levels().map(|(level, count)| level * count).sum::<f64>() / all;
    let variance = levels()
        .map(|(level, count)| (level - mean).powi(2) * count)
        .sum::<f64>()
        / all;
    let clipped = levels()
        .filter(|(level, _)| *level >= BRIGHTEST)
        .map(|(_, count)| count)
        .sum::<f64>()
        / all;
    (mean, variance.sqrt(), clipped)
}

fn mean_difference(before: &[u8], after: &[u8]) -> f64 {
    let sum: u64 = before.iter().zip(after).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / after.len().max(1) as f64 * 255.0 / RANGE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech::Dice;

    const SIZE: (u32, u32) = (64, 48);

    fn flat(luma: u8) -> Arc<Frame> {
        let mut frame = Frame::black(SIZE.0, SIZE.1);
        frame.y.fill(luma);
        Arc::new(frame)
    }

    fn watch(fps: u32, pictures: impl IntoIterator<Item = Arc<Frame>>) -> Pictures {
        let opened = Instant::now();
        let mut watch = Watch::new(opened);
        let mut now = opened;
        for (n, frame) in pictures.into_iter().enumerate() {
            now = opened + Duration::from_millis(200) + Duration::from_secs(1) * n as u32 / fps;
            watch.see(frame, now);
        }
        watch.figures(now).expect("pictures came")
    }

    #[test]
    fn no_picture_no_figures() {
        assert_eq!(Watch::new(Instant::now()).figures(Instant::now()), None);
    }

    #[test]
    fn one_picture_has_no_rate() {
        let seen = watch(30, [flat(120)]);
        assert_eq!((seen.fps, seen.changed, seen.noise), (0.0, 0.0, 0.0));
        assert!((seen.first_picture_ms - 200.0).abs() < 1e-6);
    }

    #[test]
    fn black_white_and_a_half_of_each() {
        let black = watch(30, (0..30).map(|_| flat(16)));
        assert_eq!(
            (black.brightness, black.contrast, black.clipped_bright),
            (0.0, 0.0, 0.0)
        );
        let white = watch(30, (0..30).map(|_| flat(235)));
        assert_eq!(
            (white.brightness, white.contrast, white.clipped_bright),
            (255.0, 0.0, 1.0)
        );
        let mut halves = Frame::black(SIZE.0, SIZE.1);
        let half = halves.y.len() / 2;
        halves.y[half..].fill(235);
        let both = watch(30, [Arc::new(halves)]);
        assert!((both.brightness - 127.5).abs() < 1e-9 && (both.contrast - 127.5).abs() < 1e-9);
        assert_eq!(both.clipped_bright, 0.5);
    }

    #[test]
    fn a_frozen_camera_does_not_change_and_one_changed_pixel_is_a_change() {
        let frozen = watch(30, (0..30).map(|_| flat(120)));
        assert_eq!((frozen.changed, frozen.noise), (0.0, 0.0));
        let blinking = watch(
            30,
            (0..31).map(|n| {
                let mut frame = Frame::clone(&flat(120));
                frame.u[5] += n % 2;
                Arc::new(frame)
            }),
        );
        assert_eq!((blinking.changed, blinking.noise), (1.0, 0.0));
    }

    #[test]
    fn the_rate_is_what_comes_not_what_was_asked_for() {
        for fps in [5, 15, 30] {
            let seen = watch(fps, (0..=3 * fps as u8).map(flat));
            assert!((seen.fps - f64::from(fps)).abs() < 0.01, "{}", seen.fps);
        }
    }

    #[test]
    fn one_that_stops_is_slow() {
        let opened = Instant::now();
        let mut watch = Watch::new(opened);
        let at = |ms| opened + Duration::from_millis(ms);
        (0..=10).for_each(|n| watch.see(flat(n), at(100 * u64::from(n))));
        let fps = |now| watch.figures(at(now)).expect("pictures came").fps;
        assert!((fps(1_350) - 10.0).abs() < 0.01, "one may be late");
        assert!((fps(4_000) - 2.5).abs() < 0.01);
    }

    #[test]
    fn a_sensors_noise_comes_out_within_two_percent() {
        let mut dice = Dice(7);
        // Two dice of 0 to k differ by k (k + 2) / 3 (k + 1) on average.
        const K: f64 = 8.0;
        let pictures: Vec<_> = (0..40)
            .map(|_| {
                let mut frame = Frame::black(SIZE.0, SIZE.1);
                frame
                    .y
                    .iter_mut()
                    .for_each(|luma| *luma = 100 + (dice.roll() * (K + 1.0)) as u8);
                Arc::new(frame)
            })
            .collect();
        let seen = watch(30, pictures);
        let expected = K * (K + 2.0) / (3.0 * (K + 1.0)) * 255.0 / 219.0;
        assert!(
            (seen.noise / expected - 1.0).abs() < 0.02,
            "{} for {expected}",
            seen.noise
        );
        assert_eq!(seen.changed, 1.0);
    }

    #[test]
    fn the_first_half_second_does_not_count_where_there_is_more() {
        let seen = watch(30, (0..60).map(|n| flat(if n < 15 { 16 } else { 126 })));
        assert!((seen.brightness - 128.08).abs() < 0.1, "{}", seen.brightness);
        let short = watch(30, (0..10).map(|_| flat(16)));
        assert_eq!(short.brightness, 0.0);
    }

    #[test]
    fn a_change_of_size_is_a_change_and_no_noise() {
        let small = Arc::new(Frame::black(32, 32));
        let seen = watch(30, [flat(200), small]);
        assert_eq!((seen.width, seen.height, seen.changed, seen.noise), (32, 32, 1.0, 0.0));
    }
}
