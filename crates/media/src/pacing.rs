//! When to show a decoded picture: as evenly as it was taken, and no later than needed.
//!
//! Pure. A picture is due when the quickest of the last seconds would have come, plus a little for the
//! usual unevenness; on an even network that little is nothing, on a nearly even one a few milliseconds.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The quickest picture of this time is the measure for the others, in seconds.
const WINDOW: f64 = 4.0;
/// How fast a late picture raises the wait, and an early one lowers it: about one in twenty comes later.
const RISE: f64 = 0.10;
const FALL: f64 = 0.005;
/// Less unevenness than this, in seconds, is not worth waiting for: a screen has 60 pictures a second.
const EVEN: f64 = 0.006;
/// From this much on, in seconds, pictures wait for all of it; in between for a part.
const UNEVEN: f64 = 0.012;
/// Never waits longer for unevenness: beyond this a late picture is shown late.
const MOST: f64 = 0.060;
/// A picture clock that jumps by more than this, in seconds, belongs to another stream.
const OTHER_STREAM: f64 = 10.0;

/// Learns from arrivals.
#[derive(Debug, Default)]
pub struct Pacing {
    epoch: Option<Instant>,
    /// (arrival, transit) in seconds, rising in both.
    quickest: VecDeque<(f64, f64)>,
    wait: f64,
    last: Option<u64>,
}

impl Pacing {
    /// When to show the picture of RTP time `time` (90 kHz) that came at `at`; `extra` is what the sound asks for.
    pub fn due(&mut self, time: u64, at: Instant, extra: Duration) -> Instant {
        let epoch = *self.epoch.get_or_insert(at);
        let jumped = |last: u64| (time as f64 - last as f64).abs() / 90_000.0 > OTHER_STREAM;
        if self.last.replace(time).is_some_and(jumped) {
            self.quickest.clear();
        }
        let arrived = at.saturating_duration_since(epoch).as_secs_f64();
        let transit = arrived - time as f64 / 90_000.0;
        while self.quickest.back().is_some_and(|&(_, slower)| slower >= transit) {
            self.quickest.pop_back();
        }
        self.quickest.push_back((arrived, transit));
        while self.quickest.front().is_some_and(|&(then, _)| then < arrived - WINDOW) {
            self.quickest.pop_front();
        }
        let lateness = transit - self.quickest.front().expect("just pushed").1;
        let step = if lateness > self.wait { RISE } else { FALL };
        self.wait = (self.wait + step * (lateness - self.wait)).min(MOST);
        let part = ((self.wait - EVEN) / (UNEVEN - EVEN)).clamp(0.0, 1.0);
        let wait = part * self.wait;
        let remaining = (wait + extra.as_secs_f64() - lateness).max(0.0);
        at + Duration::from_secs_f64(remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech::Dice;

    /// 30 pictures a second, each later by what `late` says (in milliseconds); when they are shown, after their taking.
    fn shown(count: u64, mut late: impl FnMut(u64) -> f64) -> Vec<f64> {
        let (mut pacing, start) = (Pacing::default(), Instant::now());
        (0..count)
            .map(|n| {
                let taken = n as f64 / 30.0;
                let at = start + Duration::from_secs_f64(taken + late(n) / 1e3);
                let due = pacing.due(n * 3_000, at, Duration::ZERO);
                ((due - start).as_secs_f64() - taken) * 1e3
            })
            .collect()
    }

    #[test]
    fn an_even_network_costs_nothing() {
        let mut dice = Dice(1);
        let shown = shown(300, |_| 20.0 + dice.roll() * 4.0);
        assert!(shown.iter().all(|&after| after < 24.5));
    }

    #[test]
    fn a_nearly_even_one_costs_a_few_milliseconds() {
        for late in [5.0, 8.0, 10.0] {
            let mut dice = Dice(6);
            let arrivals: Vec<f64> = (0..900).map(|_| dice.roll() * late).collect();
            let shown = shown(900, |n| arrivals[n as usize]);
            let added: f64 = shown
                .iter()
                .zip(&arrivals)
                .skip(100)
                .map(|(shown, arrived)| shown - arrived)
                .sum();
            assert!(added / 800.0 < 3.0, "{late} ms of jitter cost {:.1} ms", added / 800.0);
        }
    }

    #[test]
    fn an_uneven_one_is_evened_out() {
        let mut dice = Dice(2);
        let arrivals: Vec<f64> = (0..900).map(|_| dice.roll() * 30.0).collect();
        let shown = shown(900, |n| arrivals[n as usize]);
        let spread = |all: &[f64]| {
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            (all.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt()
        };
        assert!(
            spread(&shown[200..]) < spread(&arrivals[200..]) / 4.0,
            "{}",
            spread(&shown[200..])
        );
        assert!(
            shown[200..].iter().all(|&after| after < 35.0),
            "never later than the latest"
        );
    }

    #[test]
    fn one_late_key_frame_does_not_slow_the_rest() {
        let shown = shown(300, |n| if n == 100 { 200.0 } else { 10.0 });
        assert!(shown[100] < 201.0);
        assert!(shown[101..].iter().all(|&after| after < 35.0));
        assert!(shown[200..].iter().all(|&after| after < 25.0));
    }

    #[test]
    fn another_stream_starts_afresh() {
        let (mut pacing, now) = (Pacing::default(), Instant::now());
        pacing.due(4_000_000_000, now, Duration::ZERO);
        let later = now + Duration::from_millis(33);
        assert_eq!(pacing.due(90_000, later, Duration::ZERO), later);
        assert_eq!(
            pacing.due(93_000, later + Duration::from_millis(33), Duration::from_millis(20)),
            later + Duration::from_millis(53)
        );
    }
}
