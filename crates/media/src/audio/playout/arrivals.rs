//! How late packets arrive, and how long to wait for them.
//!
//! Everything is relative to the quickest packet of the last seconds: a packet's *lateness* is how much
//! longer it took than that one. The wait is the lateness that nearly all moments stay below, learnt as a
//! histogram that forgets (the idea of WebRTC's NetEQ), plus what is worth waiting for retransmissions.
//! All times are in samples of 48 kHz; there is no clock.

use super::RATE;
use std::collections::VecDeque;

/// Samples of one millisecond.
pub const MS: i64 = RATE as i64 / 1_000;
/// One histogram bucket.
const BUCKET: i64 = 5 * MS;
/// Buckets, for half a second.
const BUCKETS: usize = 100;
/// The quickest packet of this time is the measure for all others.
const WINDOW: i64 = 4_000 * MS;
/// The worst packet of this time is one entry in the histogram.
const INTERVAL: i64 = 250 * MS;
/// The same for packets that came too late: the network has got worse.
const LATE_INTERVAL: i64 = 60 * MS;
/// Share of moments in which no packet may come too late.
const QUANTILE: f32 = 0.96;
/// What remains of all moments before when one more counts: a quiet network is believed after half a minute.
const FORGET: f32 = 0.982;
/// The same in the first ten seconds; one moment still weighs less than [`QUANTILE`] leaves over.
const FORGET_EARLY: f32 = 0.97;
/// The same for retransmitted packets, by packet.
const FORGET_REORDERED: f32 = 0.9993;
/// One per cent of loss is worth this much delay, in milliseconds (NetEQ's figure).
const MS_PER_LOSS_PERCENT: f32 = 20.0;
/// A packet is needed before its first sample is: the device takes 10 ms at a time, across packets.
const MARGIN: i64 = 11 * MS;
/// Never less.
pub const SHORTEST: i64 = 20 * MS;
/// Never more: who waits longer talks over the other.
pub const LONGEST: i64 = 400 * MS;
/// Before anything is known.
const START: i64 = 60 * MS;
/// A jump of the baseline beyond this is a new path, and the histogram moves with it.
const NEW_PATH: i64 = 20 * MS;

/// Learns from arrivals.
#[derive(Debug, Clone)]
pub struct Arrivals {
    /// (arrival, transit), rising in both: the front is the quickest of the window.
    quickest: VecDeque<(i64, i64)>,
    baseline: Option<i64>,
    moments: [f32; BUCKETS],
    intervals: u32,
    /// (beginning, worst lateness so far).
    interval: Option<(i64, i64)>,
    /// (end, worst lateness) of the one before.
    counted: Option<(i64, i64)>,
    reordered: [f32; BUCKETS],
    reordered_seen: bool,
    target: i64,
    jitter: f64,
    last: Option<(i64, i64)>,
}

impl Arrivals {
    /// Knows nothing yet.
    pub fn new() -> Self {
        let mut reordered = [0.0; BUCKETS];
        reordered[0] = 1.0;
        Self {
            quickest: VecDeque::new(),
            baseline: None,
            moments: [0.0; BUCKETS],
            intervals: 0,
            interval: None,
            counted: None,
            reordered,
            reordered_seen: false,
            target: START,
            jitter: 0.0,
            last: None,
        }
    }

    /// A packet of RTP time `time` came at `at`; `in_order` unless a later one had come before.
    pub fn note(&mut self, at: i64, time: i64, in_order: bool) {
        let transit = at - time;
        if in_order && let Some((last_at, last_time)) = self.last.replace((at, time)) {
            let apart = ((at - last_at) - (time - last_time)).abs() as f64;
            self.jitter += (apart - self.jitter) / 16.0;
        }
        self.note_baseline(at, transit);
        let lateness = transit - self.baseline.expect("just noted");
        if in_order {
            self.note_moment(at, lateness);
        } else {
            self.reordered_seen = true;
        }
        if self.reordered_seen {
            let entry = if in_order { 0 } else { bucket(lateness) };
            forget(&mut self.reordered, FORGET_REORDERED, entry);
        }
        self.target = self.wanted();
    }

    /// The transit (arrival minus RTP time) of the quickest packet of the last seconds.
    pub fn baseline(&self) -> Option<i64> {
        self.baseline
    }

    /// How long after the quickest packet could have been played it should be.
    pub fn target(&self) -> i64 {
        self.target
    }

    /// Interarrival jitter (RFC 3550, 6.4.1) in milliseconds.
    pub fn jitter_ms(&self) -> f64 {
        self.jitter / MS as f64
    }

    fn note_baseline(&mut self, at: i64, transit: i64) {
        while self.quickest.back().is_some_and(|&(_, slower)| slower >= transit) {
            self.quickest.pop_back();
        }
        self.quickest.push_back((at, transit));
        while self.quickest.front().is_some_and(|&(then, _)| then < at - WINDOW) {
            self.quickest.pop_front();
        }
        let baseline = self.quickest.front().expect("just pushed").1;
        let slower_by = baseline - self.baseline.unwrap_or(baseline);
        if slower_by >= NEW_PATH {
            // What was late on the old path is on time on the new one.
            let shift = (slower_by / BUCKET) as usize;
            shift_down(&mut self.moments, shift);
            shift_down(&mut self.reordered, shift);
        }
        self.baseline = Some(baseline);
    }

    fn note_moment(&mut self, at: i64, lateness: i64) {
        if self
            .counted
            .is_some_and(|(then, worst)| at - then < LATE_INTERVAL && lateness < worst)
        {
            return;
        }
        let (since, worst) = self.interval.unwrap_or((at, 0));
        let worst = worst.max(lateness);
        // Packets that come too late count sooner; those that stood in the same queue count once.
        let late = lateness + MARGIN > self.target;
        if at - since < if late { LATE_INTERVAL } else { INTERVAL } {
            self.interval = Some((since, worst));
            return;
        }
        self.interval = None;
        self.counted = Some((at, worst));
        self.intervals += 1;
        // The first two seconds form the picture; from then on no single moment spoils it.
        let weight = match self.intervals {
            first @ ..=8 => 1.0 - 1.0 / first as f32,
            9..=40 => FORGET_EARLY,
            _ => FORGET,
        };
        forget(&mut self.moments, weight, bucket(worst));
    }

    fn wanted(&self) -> i64 {
        let moments = if self.intervals == 0 {
            START
        } else {
            let mut below = 0.0;
            let share = |&weight: &f32| {
                below += weight;
                below >= QUANTILE
            };
            let at = self.moments.iter().position(share).unwrap_or(BUCKETS - 1);
            at as i64 * BUCKET + MARGIN
        };
        moments.max(self.worth_waiting()).clamp(SHORTEST, LONGEST)
    }

    /// The wait with the least sum of delay and loss, as far as retransmitted packets go.
    fn worth_waiting(&self) -> i64 {
        if !self.reordered_seen {
            return 0;
        }
        let mut missed = 1.0f32;
        let mut best = (f32::INFINITY, 0);
        for (at, weight) in self.reordered.iter().enumerate() {
            missed -= weight;
            let cost = (at as i64 * BUCKET / MS) as f32 + MS_PER_LOSS_PERCENT * 100.0 * missed.max(0.0);
            if cost < best.0 - 0.5 {
                best = (cost, at);
            }
        }
        if best.1 == 0 {
            0
        } else {
            best.1 as i64 * BUCKET + MARGIN
        }
    }
}

fn bucket(lateness: i64) -> usize {
    (lateness.max(0) as u64).div_ceil(BUCKET as u64).min(BUCKETS as u64 - 1) as usize
}

fn forget(histogram: &mut [f32; BUCKETS], keep: f32, entry: usize) {
    histogram.iter_mut().for_each(|weight| *weight *= keep);
    histogram[entry] += 1.0 - keep;
}

fn shift_down(histogram: &mut [f32; BUCKETS], by: usize) {
    let by = by.min(BUCKETS - 1);
    let on_time: f32 = histogram[..=by].iter().sum();
    histogram.copy_within(by.., 0);
    histogram[BUCKETS - by..].fill(0.0);
    histogram[0] = on_time;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets every 20 ms whose lateness in milliseconds `late` says.
    fn learn(count: i64, late: impl Fn(i64) -> i64) -> Arrivals {
        let mut arrivals = Arrivals::new();
        go_on(&mut arrivals, 0..count, late);
        arrivals
    }

    fn go_on(arrivals: &mut Arrivals, packets: std::ops::Range<i64>, late: impl Fn(i64) -> i64) {
        for n in packets {
            arrivals.note((n * 20 + late(n)) * MS, n * 20 * MS, true);
        }
    }

    #[test]
    fn an_even_network_needs_little() {
        let arrivals = learn(500, |_| 50);
        assert_eq!(arrivals.target(), SHORTEST);
        assert!(arrivals.jitter_ms() < 0.01);
    }

    #[test]
    fn an_uneven_one_gets_its_worst_moments() {
        let arrivals = learn(500, |n| if n % 12 == 0 { 90 } else { 5 });
        assert!(
            (88 * MS..110 * MS).contains(&arrivals.target()),
            "{}",
            arrivals.target() / MS
        );
    }

    #[test]
    fn up_within_two_seconds_down_within_a_minute() {
        let mut arrivals = learn(1_500, |_| 0);
        go_on(&mut arrivals, 1_500..1_600, |n| if n % 10 == 0 { 120 } else { 0 });
        assert!(arrivals.target() > 110 * MS, "{}", arrivals.target() / MS);
        go_on(&mut arrivals, 1_600..2_100, |_| 0);
        assert!(
            arrivals.target() > 110 * MS,
            "ten quiet seconds are not enough to believe in"
        );
        go_on(&mut arrivals, 2_100..5_000, |_| 0);
        assert_eq!(arrivals.target(), SHORTEST);
    }

    #[test]
    fn one_stray_packet_is_not_waited_for() {
        let mut arrivals = learn(1_500, |_| 0);
        go_on(&mut arrivals, 1_500..1_600, |n| if n == 1_550 { 300 } else { 0 });
        assert_eq!(arrivals.target(), SHORTEST);
    }

    #[test]
    fn a_longer_path_is_not_lateness_for_good() {
        let mut arrivals = learn(500, |_| 0);
        go_on(&mut arrivals, 500..1_000, |_| 150);
        assert_eq!(arrivals.target(), SHORTEST, "{}", arrivals.target() / MS);
        assert_eq!(arrivals.baseline(), Some(150 * MS));
    }

    #[test]
    fn retransmissions_are_waited_for_when_many_are_needed() {
        let lossy = |every: i64| {
            let mut arrivals = Arrivals::new();
            for n in 0..1_500 {
                if n % every != 0 {
                    arrivals.note(n * 20 * MS, n * 20 * MS, true);
                }
                if n >= 4 && (n - 4) % every == 0 {
                    arrivals.note(n * 20 * MS, (n - 4) * 20 * MS, false);
                }
            }
            arrivals.target() / MS
        };
        assert!((80..100).contains(&lossy(10)), "{}", lossy(10));
        assert!(lossy(100) <= 25, "one per cent is not worth 80 ms: {}", lossy(100));
    }
}
