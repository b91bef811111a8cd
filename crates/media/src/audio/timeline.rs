//! Which sample was heard when: a device counts samples by its own clock and reports times that tremble.

use super::RATE;
use std::time::{Duration, Instant};

/// One report moves the estimate by one part in this many: a second or two of 10 ms reports.
const MEMORY: f64 = 150.0;
/// A report this far off, in seconds, is not believed: a busy machine's callbacks come late and in heaps.
const STRAY: f64 = 0.08;
/// Unless so many in a row are: then the device stood still. Half a second of 10 ms reports.
const CONVINCING: u32 = 50;
/// No device is believed to be this late, in seconds; further off is a new beginning at once.
const NEW_BEGINNING: f64 = 1.0;

/// Smooths the reports of one device into a steady line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timeline {
    /// A moment, and the sample (of 48 kHz) that passes at it.
    anchor: Option<(Instant, f64)>,
    reports: u32,
    strays: u32,
}

impl Timeline {
    /// Sample number `sample` passes the microphone or loudspeaker at `at`, says the device. True when that
    /// does not fit what it said before.
    pub fn note(&mut self, sample: u64, at: Instant) -> bool {
        let Some((anchor, origin)) = self.anchor else {
            self.anchor = Some((at, sample as f64));
            self.reports = 1;
            return false;
        };
        let expected = origin + seconds(at, anchor) * f64::from(RATE);
        let error = sample as f64 - expected;
        let off = error.abs() / f64::from(RATE);
        self.strays = if off > STRAY { self.strays + 1 } else { 0 };
        let begins = off > NEW_BEGINNING || self.strays >= CONVINCING;
        if begins {
            self.reports = 1;
            self.strays = 0;
        } else if self.strays > 0 {
            return false;
        } else {
            self.reports = self.reports.saturating_add(1);
        }
        // The first reports are averaged, later ones smoothed.
        let origin = expected + error / f64::from(self.reports).min(MEMORY);
        self.anchor = Some((at, origin));
        begins
    }

    /// The sample that passes at `at`.
    pub fn sample_at(&self, at: Instant) -> Option<f64> {
        let (anchor, origin) = self.anchor?;
        Some(origin + seconds(at, anchor) * f64::from(RATE))
    }

    /// When that sample passes.
    pub fn time_of(&self, sample: u64) -> Option<Instant> {
        let (anchor, origin) = self.anchor?;
        let after = (sample as f64 - origin) / f64::from(RATE);
        if after >= 0.0 {
            anchor.checked_add(Duration::from_secs_f64(after))
        } else {
            anchor.checked_sub(Duration::from_secs_f64(-after))
        }
    }
}

/// From `earlier` to `later`; negative the other way round.
fn seconds(later: Instant, earlier: Instant) -> f64 {
    match later.checked_duration_since(earlier) {
        Some(since) => since.as_secs_f64(),
        None => -(earlier - later).as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech::Dice;

    #[test]
    fn trembling_reports_become_a_steady_line() {
        let (mut line, mut dice, start) = (Timeline::default(), Dice(3), Instant::now());
        let mut worst = 0.0f64;
        for n in 0..6_000u64 {
            // A device 100 ppm fast, reporting up to 12 ms late.
            let true_ms = n as f64 * 10.0 / 1.000_1;
            let at = start + Duration::from_secs_f64((true_ms + dice.roll() * 12.0) / 1e3);
            assert!(!line.note(n * 480, at), "no new beginning");
            if n > 1_000 {
                let estimate = line.time_of(n * 480).expect("known");
                worst = worst.max((seconds(estimate, start) * 1e3 - true_ms - 6.0).abs());
            }
        }
        assert!(worst < 2.0, "{worst} ms off");
    }

    #[test]
    fn callbacks_in_heaps_are_no_new_beginning() {
        let (mut line, start) = (Timeline::default(), Instant::now());
        for n in 0..3_000u64 {
            // Every three seconds a heap of 20 comes all at once, the first of them 200 ms late.
            let due = 10 * n;
            let late = if n % 300 >= 280 { (300 - n % 300) * 10 } else { 0 };
            assert!(!line.note(n * 480, start + Duration::from_millis(due + late)));
        }
        let estimate = line.time_of(1_440_000).expect("known");
        assert!((seconds(estimate, start) - 30.0).abs() < 0.02, "and hardly moved");
    }

    #[test]
    fn a_device_that_stood_still_is_believed_in_the_end() {
        let (mut line, start) = (Timeline::default(), Instant::now());
        let report =
            |line: &mut Timeline, n: u64, late: u64| line.note(n * 480, start + Duration::from_millis(10 * n + late));
        (0..500).for_each(|n| assert!(!report(&mut line, n, 0)));
        let begun = (500..600).filter(|&n| report(&mut line, n, 150)).count();
        assert_eq!(begun, 1);
    }

    #[test]
    fn a_pause_is_a_new_beginning() {
        let (mut line, start) = (Timeline::default(), Instant::now());
        (0..100).for_each(|n| assert!(!line.note(n * 480, start + Duration::from_millis(10 * n))));
        let later = start + Duration::from_secs(8);
        assert!(line.note(48_000, later));
        assert_eq!(line.sample_at(later), Some(48_000.0));
    }
}
