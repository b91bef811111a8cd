//! One direction of the network. Pure: packets and the time in, packets out.
//!
//! A packet may be lost, then waits in the queue for the line, takes its time on the line (capacity), and flies
//! (delay and jitter). Times are nanoseconds since the program began.

use crate::{conditions::Conditions, random::Random};
use serde::Serialize;
use std::collections::VecDeque;

/// Nanoseconds since the program began.
pub type Time = u64;

const MS: f64 = 1e6;
/// A queue always has room for one full packet, or a slow line with a short queue would pass nothing.
const FULL_PACKET: usize = 1_500;

/// One direction.
pub struct Link {
    conditions: Conditions,
    chance: Random,
    /// In the losing state of Gilbert's model.
    losing: bool,
    queue: VecDeque<Waiting>,
    queued_bytes: usize,
    /// On the line until then.
    sending: Option<(Time, Vec<u8>)>,
    flying: VecDeque<(Time, Vec<u8>)>,
    last_arrival: Time,
    passed: Passed,
}

struct Waiting {
    packet: Vec<u8>,
    since: Time,
}

/// What passed since it was last asked.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Passed {
    /// Put on the line.
    pub packets: u64,
    /// Of these, IP headers included.
    pub bytes: u64,
    /// Taken by chance.
    pub lost: u64,
    /// Did not fit into the queue.
    pub dropped: u64,
    /// How long each waited for the line, milliseconds.
    #[serde(skip)]
    pub waited_ms: Vec<f64>,
}

impl Passed {
    /// The share of `portion` that waited no longer than the result, milliseconds.
    pub fn waited(&self, portion: f64) -> Option<f64> {
        let mut sorted = self.waited_ms.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let index = ((sorted.len() as f64 * portion).ceil() as usize).saturating_sub(1);
        Some(sorted[index.min(last)])
    }
}

impl Link {
    /// A perfect line.
    pub fn new(seed: u64) -> Self {
        Self {
            conditions: Conditions::default(),
            chance: Random::new(seed),
            losing: false,
            queue: VecDeque::new(),
            queued_bytes: 0,
            sending: None,
            flying: VecDeque::new(),
            last_arrival: 0,
            passed: Passed::default(),
        }
    }

    /// From now on. What waits goes out at the new rate; what flies arrives when it would have.
    pub fn set(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// Starts chance anew.
    pub fn seed(&mut self, seed: u64) {
        self.chance = Random::new(seed);
        self.losing = false;
    }

    /// A packet enters. Call [`Link::due`] first for everything up to `now`.
    pub fn offer(&mut self, packet: Vec<u8>, now: Time) {
        if self.conditions.down || (is_udp(&packet) && self.loses()) {
            self.passed.lost += 1;
            return;
        }
        if self.sending.is_none() && self.queue.is_empty() {
            return self.send(Waiting { packet, since: now }, now);
        }
        let limit = match self.conditions.rate_bps {
            Some(rate) => (rate as f64 / 8.0 * self.conditions.queue_ms / 1e3) as usize,
            None => usize::MAX,
        };
        if self.queued_bytes + packet.len() > limit.max(FULL_PACKET) {
            self.passed.dropped += 1;
            return;
        }
        self.queued_bytes += packet.len();
        self.queue.push_back(Waiting { packet, since: now });
    }

    /// The next packet that has arrived by `now`.
    pub fn due(&mut self, now: Time) -> Option<Vec<u8>> {
        while let Some((free_at, packet)) = self.sending.take_if(|(until, _)| *until <= now) {
            self.fly(packet, free_at);
            if let Some(next) = self.queue.pop_front() {
                self.queued_bytes -= next.packet.len();
                self.send(next, free_at);
            }
        }
        let (_, packet) = self.flying.pop_front_if(|(at, _)| *at <= now)?;
        Some(packet)
    }

    /// When [`Link::due`] has something to do.
    pub fn next(&self) -> Option<Time> {
        let sent = self.sending.as_ref().map(|(until, _)| *until);
        let arrived = self.flying.front().map(|(at, _)| *at);
        sent.into_iter().chain(arrived).min()
    }

    /// What passed since the last call.
    pub fn take_passed(&mut self) -> Passed {
        std::mem::take(&mut self.passed)
    }

    fn send(&mut self, waiting: Waiting, now: Time) {
        self.passed.packets += 1;
        self.passed.bytes += waiting.packet.len() as u64;
        self.passed
            .waited_ms
            .push(now.saturating_sub(waiting.since) as f64 / MS);
        match self.conditions.rate_bps {
            Some(rate) => {
                let takes = waiting.packet.len() as f64 * 8.0 / rate as f64 * 1e9;
                self.sending = Some((now + takes as Time, waiting.packet));
            }
            // The queue of a line whose limit was just lifted empties at once: `due` loops until it has.
            None if self.queue.is_empty() => self.fly(waiting.packet, now),
            None => self.sending = Some((now, waiting.packet)),
        }
    }

    fn fly(&mut self, packet: Vec<u8>, from: Time) {
        let jitter = match self.conditions.jitter_ms {
            0.0 => 0.0,
            most => most * self.chance.share(),
        };
        let takes = ((self.conditions.delay_ms + jitter) * MS) as Time;
        self.last_arrival = self.last_arrival.max(from + takes);
        self.flying.push_back((self.last_arrival, packet));
    }

    fn loses(&mut self) -> bool {
        let Conditions { loss, burst, .. } = self.conditions;
        if loss <= 0.0 {
            return false;
        }
        if burst <= 1.0 || loss >= 1.0 {
            return self.chance.share() < loss;
        }
        // Gilbert: in the losing state all is lost; it is left with 1/burst, and entered so that the mean is `loss`.
        let leave = 1.0 / burst;
        let enter = loss * leave / (1.0 - loss);
        let toss = self.chance.share();
        self.losing = if self.losing { toss >= leave } else { toss < enter };
        self.losing
    }
}

/// IPv4 or IPv6 without extension headers, which is all that browsers send here.
fn is_udp(packet: &[u8]) -> bool {
    const UDP: u8 = 17;
    match packet.first().map(|first| first >> 4) {
        Some(4) => packet.get(9) == Some(&UDP),
        Some(6) => packet.get(6) == Some(&UDP),
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Time = 1_000_000_000;
    const MILLI: Time = 1_000_000;

    fn udp(len: usize, mark: u8) -> Vec<u8> {
        let mut packet = vec![0; len];
        packet[0] = 0x45;
        packet[9] = 17;
        packet[20] = mark;
        packet
    }

    fn link(conditions: Conditions) -> Link {
        let mut link = Link::new(1);
        link.set(conditions);
        link
    }

    /// Arrival times and marks of everything until `end`.
    fn drain(link: &mut Link, end: Time) -> Vec<(Time, u8)> {
        let mut out = Vec::new();
        while let Some(now) = link.next().filter(|next| *next <= end) {
            while let Some(packet) = link.due(now) {
                out.push((now, packet[20]));
            }
        }
        out
    }

    #[test]
    fn delay_is_exact() {
        let mut link = link(Conditions {
            delay_ms: 50.0,
            ..Conditions::default()
        });
        link.offer(udp(100, 1), 3);
        link.offer(udp(100, 2), 5);
        assert_eq!(drain(&mut link, SECOND), [(50 * MILLI + 3, 1), (50 * MILLI + 5, 2)]);
    }

    #[test]
    fn jitter_never_reorders() {
        let mut link = link(Conditions {
            delay_ms: 10.0,
            jitter_ms: 30.0,
            ..Conditions::default()
        });
        for n in 0..200u8 {
            link.offer(udp(100, n), Time::from(n) * MILLI);
        }
        let out = drain(&mut link, SECOND);
        assert!(out.iter().map(|(_, mark)| *mark).eq(0..200));
        let late = out.iter().map(|(at, mark)| at - Time::from(*mark) * MILLI);
        assert!(late.clone().all(|d| (10 * MILLI..=40 * MILLI).contains(&d)));
        assert!(late.max() > Some(30 * MILLI));
    }

    #[test]
    fn capacity_spaces_packets_and_the_tail_is_dropped() {
        // 1 Mbit/s: 1,250 bytes take 10 ms; a queue of 100 ms holds ten of them beside the one on the line.
        let mut link = link(Conditions {
            rate_bps: Some(1_000_000),
            queue_ms: 100.0,
            ..Conditions::default()
        });
        for n in 0..20 {
            link.offer(udp(1_250, n), 0);
        }
        let out = drain(&mut link, SECOND);
        let expected: Vec<_> = (0..11u8).map(|n| (Time::from(n + 1) * 10 * MILLI, n)).collect();
        assert_eq!(out, expected);
        let passed = link.take_passed();
        assert_eq!((passed.packets, passed.bytes, passed.dropped), (11, 11 * 1_250, 9));
        assert_eq!((passed.waited(0.5), passed.waited(1.0)), (Some(50.0), Some(100.0)));
    }

    #[test]
    fn a_changed_rate_holds_for_what_already_waits() {
        let slow = Conditions {
            rate_bps: Some(1_000_000),
            ..Conditions::default()
        };
        let mut link = link(slow);
        for n in 0..3 {
            link.offer(udp(1_250, n), 0);
        }
        assert_eq!(drain(&mut link, 10 * MILLI), [(10 * MILLI, 0)]);
        link.set(Conditions { rate_bps: None, ..slow });
        // The one on the line keeps its time, the other follows at once.
        assert_eq!(drain(&mut link, SECOND), [(20 * MILLI, 1), (20 * MILLI, 2)]);
    }

    fn lost_of(conditions: Conditions, packets: usize) -> Vec<bool> {
        let mut link = link(conditions);
        (0..packets)
            .map(|_| {
                link.offer(udp(100, 0), 0);
                link.take_passed().lost == 1
            })
            .collect()
    }

    #[test]
    fn loss_has_its_mean_and_repeats_with_its_seed() {
        let conditions = Conditions {
            loss: 0.2,
            ..Conditions::default()
        };
        let lost = lost_of(conditions, 20_000);
        let share = lost.iter().filter(|lost| **lost).count() as f64 / 20_000.0;
        assert!((0.19..0.21).contains(&share), "{share}");
        assert_eq!(lost, lost_of(conditions, 20_000));
    }

    #[test]
    fn bursts_have_their_length() {
        let lost = lost_of(
            Conditions {
                loss: 0.1,
                burst: 5.0,
                ..Conditions::default()
            },
            100_000,
        );
        let share = lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64;
        let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        let length = share * lost.len() as f64 / bursts as f64;
        assert!((0.09..0.11).contains(&share), "{share}");
        assert!((4.5..5.5).contains(&length), "{length}");
    }

    #[test]
    fn tcp_is_spared_and_nothing_passes_a_line_that_is_down() {
        let mut tcp = udp(100, 0);
        tcp[9] = 6;
        let mut lossy = link(Conditions {
            loss: 1.0,
            ..Conditions::default()
        });
        lossy.offer(tcp.clone(), 0);
        assert_eq!(drain(&mut lossy, SECOND).len(), 1);
        let mut down = link(Conditions {
            down: true,
            ..Conditions::default()
        });
        down.offer(tcp, 0);
        assert_eq!(drain(&mut down, SECOND).len(), 0);
    }
}
