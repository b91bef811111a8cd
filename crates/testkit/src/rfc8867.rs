//! RFC 8867's test cases 5.1, 5.3, 5.6 and 5.8 with the product's engine core. Figures on the wire, headers included.
//!
//! Common to all (section 5): 50 ms one way, 30 ms of jitter at most (we use 0 to 30 without turning packets
//! round), a drop-tail queue of 300 ms, no loss on the path itself.

use crate::{network::Path, tcp::LongFlow, world::World};
use serde::Serialize;
use std::time::Duration;

/// What the RFC calls the path's jitter.
const JITTER: Duration = Duration::from_millis(30);
/// The default cap of the product, and the largest capacity of 5.1.
const CAP: u32 = 2_500_000;

/// How one period of constant capacity went.
#[derive(Debug, Clone, Serialize)]
pub struct Period {
    /// Seconds since the start.
    pub from: f64,
    /// Seconds since the start.
    pub to: f64,
    /// The bottleneck, bits a second; what one call may use of it where there are more.
    pub capacity: f64,
    /// Until the rate was within 20 % of it (judged over one second), in seconds; `None` if never.
    pub reached_after: Option<f64>,
    /// Used of it from then on (from the allowed time on if never), as a share.
    pub used: f64,
}

/// One call's figures in one direction.
#[derive(Debug, Clone, Serialize)]
pub struct Flow {
    /// Which.
    pub name: String,
    /// Its periods.
    pub periods: Vec<Period>,
    /// Mean rate over the whole run, bits a second.
    pub mean: f64,
    /// Wait in the bottleneck's queue over all packets, milliseconds.
    pub queue_p50_ms: f64,
    /// The same, 95th percentile.
    pub queue_p95_ms: f64,
    /// Longest time without a new picture at the viewer, from the first one on, milliseconds.
    pub longest_freeze_ms: f64,
    /// Pictures a second at the viewer.
    pub fps: f64,
    /// Bit rate every 100 ms, judged over one second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<u32>,
}

/// A case's outcome.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// `5.1` and so on.
    pub case: &'static str,
    /// The random numbers.
    pub seed: u64,
    /// Calls, or directions.
    pub flows: Vec<Flow>,
    /// Share of the path that the competing TCP transfer got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_share: Option<f64>,
    /// The project's goal for 5.1 (within 20 % in 5 s down and 10 s up, 80 % used, p95 of the queue 200 ms at most).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal_met: Option<bool>,
}

fn path(capacity: &[(u64, f64)]) -> Path {
    Path {
        delay: Duration::from_millis(50),
        jitter: JITTER,
        queue: Duration::from_millis(300),
        capacity: capacity
            .iter()
            .map(|(at, mbit)| (Duration::from_secs(*at), (mbit * 1e6) as u64))
            .collect(),
        ..Path::default()
    }
}

/// 5.1: variable available capacity with a single flow.
pub fn case_5_1(seed: u64) -> Outcome {
    let capacity = [(0, 1.0), (40, 2.5), (60, 0.6), (80, 1.0)];
    let mut world = World::new([path(&capacity), path(&[])], 1, CAP, seed);
    world.run(Duration::from_secs(100), |_| false);
    let flow = flow(&world, "forward", 0, 0, &capacity, 100);
    let in_time = flow.periods.iter().enumerate().all(|(n, period)| {
        let down = n > 0 && period.capacity < flow.periods[n - 1].capacity;
        let allowed = if down { 5.0 } else { 10.0 };
        period.reached_after.is_some_and(|after| after <= allowed) && period.used >= 0.8
    });
    let goal_met = Some(in_time && flow.queue_p95_ms <= 200.0);
    Outcome {
        case: "5.1",
        seed,
        flows: vec![flow],
        tcp_share: None,
        goal_met,
    }
}

/// 5.3: congested feedback link with bi-directional media flows.
pub fn case_5_3(seed: u64) -> Outcome {
    let forward = [(0, 2.0), (20, 1.0), (40, 0.5), (60, 2.0)];
    let back = [(0, 2.0), (35, 0.8), (70, 2.0)];
    let mut world = World::new([path(&forward), path(&back)], 1, CAP, seed);
    world.run(Duration::from_secs(100), |_| false);
    Outcome {
        case: "5.3",
        seed,
        flows: vec![
            flow(&world, "forward", 0, 0, &forward, 100),
            flow(&world, "backward", 1, 0, &back, 100),
        ],
        tcp_share: None,
        goal_met: None,
    }
}

/// 5.6: media flow competing with a long TCP flow, which starts five seconds after the call.
pub fn case_5_6(seed: u64) -> Outcome {
    let capacity = [(0, 2.0)];
    let mut world = World::new([path(&capacity), path(&[])], 1, CAP, seed);
    let begin = world.start + Duration::from_secs(5);
    world.tcp = Some(LongFlow::new(begin, Duration::from_millis(50)));
    world.run(Duration::from_secs(120), |_| false);
    let bytes: usize = world.arrivals[0]
        .iter()
        .filter(|arrival| arrival.call.is_none())
        .map(|arrival| arrival.size)
        .sum();
    Outcome {
        case: "5.6",
        seed,
        // Half of the path would be fair.
        flows: vec![flow(&world, "forward", 0, 0, &[(0, 2.0), (5, 1.0)], 120)],
        tcp_share: Some(bytes as f64 * 8.0 / 115.0 / 2e6),
        goal_met: None,
    }
}

/// 5.8: media pause and resume; the first of three calls pauses from 40 to 60 s.
pub fn case_5_8(seed: u64) -> Outcome {
    let capacity = [(0, 3.5)];
    let mut world = World::new([path(&capacity), path(&[])], 3, CAP, seed);
    world.run(Duration::from_secs(40), |_| false);
    world.calls[0][0].sending = false;
    world.run(Duration::from_secs(60), |_| false);
    world.calls[0][0].sending = true;
    world.run(Duration::from_secs(120), |_| false);
    let third = 3.5 / 3.0;
    let paused = [(0, third), (40, 0.0), (60, third)];
    let others = [(0, third), (40, 1.75), (60, third)];
    Outcome {
        case: "5.8",
        seed,
        flows: vec![
            flow(&world, "paused from 40 to 60 s", 0, 0, &paused, 120),
            flow(&world, "second", 0, 1, &others, 120),
            flow(&world, "third", 0, 2, &others, 120),
        ],
        tcp_share: None,
        goal_met: None,
    }
}

fn flow(world: &World, name: &str, direction: usize, call: usize, capacity: &[(u64, f64)], end: u64) -> Flow {
    let curve = curve(world, direction, call, end);
    let viewer = &world.calls[call][1 - direction].seen;
    let mut queued: Vec<f64> = world.arrivals[direction]
        .iter()
        .filter(|arrival| arrival.call == Some(call))
        .map(|arrival| arrival.queued.as_secs_f64() * 1e3)
        .collect();
    queued.sort_by(f64::total_cmp);
    let percentile = |p: f64| queued.get((queued.len() as f64 * p) as usize).copied().unwrap_or(0.0);
    let gaps = viewer
        .pictures
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0).as_secs_f64() * 1e3);
    Flow {
        name: name.into(),
        periods: periods(&curve, capacity, end),
        mean: world.rate(direction, call, Duration::ZERO, Duration::from_secs(end)),
        queue_p50_ms: percentile(0.5),
        queue_p95_ms: percentile(0.95),
        longest_freeze_ms: gaps.fold(0.0, f64::max),
        fps: viewer.pictures.len() as f64 / end as f64,
        curve,
    }
}

/// Bits a second over the second that ends at each tenth of a second.
fn curve(world: &World, direction: usize, call: usize, end: u64) -> Vec<u32> {
    let mut tenths = vec![0u32; end as usize * 10];
    for arrival in world.arrivals[direction]
        .iter()
        .filter(|arrival| arrival.call == Some(call))
    {
        let tenth = (arrival.at - world.start).as_millis() as usize / 100;
        if let Some(bits) = tenths.get_mut(tenth) {
            *bits += arrival.size as u32 * 8;
        }
    }
    (0..tenths.len())
        .map(|n| tenths[n.saturating_sub(9)..=n].iter().sum())
        .collect()
}

fn periods(curve: &[u32], capacity: &[(u64, f64)], end: u64) -> Vec<Period> {
    let ends = capacity.iter().skip(1).map(|(at, _)| *at).chain([end]);
    capacity
        .iter()
        .zip(ends)
        .filter(|((_, mbit), _)| *mbit > 0.0)
        .map(|(&(from, mbit), to)| {
            let rates = &curve[from as usize * 10..to as usize * 10];
            let bits = mbit * 1e6;
            let near = |rate: &u32| (f64::from(*rate) / bits - 1.0).abs() <= 0.2;
            let reached = rates.iter().position(near);
            let settled = &rates[reached.unwrap_or(100).min(rates.len() - 1)..];
            let mean = settled.iter().map(|rate| f64::from(*rate)).sum::<f64>() / settled.len() as f64;
            Period {
                from: from as f64,
                to: to as f64,
                capacity: bits,
                reached_after: reached.map(|n| (n + 1) as f64 / 10.0),
                used: mean / bits,
            }
        })
        .collect()
}
