//! How full the path stands, from what the other side reports about each packet
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! str0m's estimator looks at how delay *changes*. A queue that stands full does not change, so it takes a full one
//! for a good path. This looks at delay itself, against the shortest of the last seconds.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use str0m::rtp::rtcp::Twcc;

/// Packets are remembered this long, and so many at most.
const MEMORY: (Duration, usize) = (Duration::from_secs(3), 8_192);
/// What arrived within this time says what the path delivers.
const DELIVERY: Duration = Duration::from_millis(500);
/// Microseconds: a packet that took so much longer than the shortest waited for the bottleneck; jitter is less.
const WAITED: i64 = 40_000;
/// So many packets over so long a time that waited say what the bottleneck lets through.
const ENOUGH: usize = 8;
const BURST: Duration = Duration::from_millis(25);
/// The shortest delay in the reports of so long before the last one is taken for the present one: jitter only adds.
const PRESENT: Duration = Duration::from_millis(60);
/// A report older than this says nothing of the present. Browsers send one every 50 to 250 ms.
const OLD: Duration = Duration::from_millis(500);
/// The shortest delay of so many spells of this length is taken for the empty path's.
const SPELL: (Duration, usize) = (Duration::from_secs(2), 8);

/// The path's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Wait in the queue.
    pub queue: Duration,
    /// What we send, bits of payload a second.
    pub sent: u32,
    /// What arrives at the other side, bits of payload a second.
    pub delivered: u32,
}

/// Follows the packets of one connection.
#[derive(Debug, Default)]
pub struct Path {
    sent: VecDeque<Sent>,
    arrived: VecDeque<Arrived>,
    /// The other side's clock is counted from here.
    zero: Option<Instant>,
    /// When the last report came.
    reported: Option<Instant>,
    /// Shortest delay of each spell and when that began; the last one runs.
    spells: VecDeque<(Instant, i64)>,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    number: u64,
    at: Instant,
    /// Bytes of payload.
    size: usize,
}

#[derive(Debug, Clone, Copy)]
struct Arrived {
    /// By the other side's clock.
    at: Instant,
    /// When we heard of it.
    reported: Instant,
    size: usize,
    /// Microseconds; only differences mean something, since the clocks differ.
    delay: i64,
}

impl Path {
    /// A packet with this transport-wide number and so many bytes of payload was sent.
    pub fn sent(&mut self, at: Instant, number: u16, size: usize) {
        let number = match self.sent.back() {
            Some(last) => last.number + u64::from(number.wrapping_sub(last.number as u16)),
            None => u64::from(number),
        };
        self.sent.push_back(Sent { number, at, size });
        while self.sent.len() > MEMORY.1
            || self
                .sent
                .front()
                .is_some_and(|first| at.saturating_duration_since(first.at) > MEMORY.0)
        {
            self.sent.pop_front();
        }
    }

    /// The other side's report has come.
    pub fn reported(&mut self, now: Instant, report: &Twcc) {
        let zero = *self.zero.get_or_insert(now);
        let Some(last) = self.sent.back() else { return };
        for (number, _, arrived) in report.clone().into_iter(zero, last.number.into()) {
            let Some(arrived) = arrived else { continue };
            let Ok(index) = self.sent.binary_search_by_key(&*number, |sent| sent.number) else {
                continue;
            };
            self.arrived(now, self.sent[index], arrived);
        }
        let newest = self.arrived.iter().map(|packet| packet.at).max();
        self.arrived.retain(|packet| {
            newest.is_some_and(|newest| newest.saturating_duration_since(packet.at) < DELIVERY)
                || now.saturating_duration_since(packet.reported) < PRESENT
        });
    }

    fn arrived(&mut self, now: Instant, sent: Sent, at: Instant) {
        let delay = micros(at, sent.at);
        self.reported = Some(now);
        self.arrived.push_back(Arrived {
            at,
            reported: now,
            size: sent.size,
            delay,
        });
        match self.spells.back_mut() {
            Some((since, shortest)) if now.saturating_duration_since(*since) < SPELL.0 => {
                *shortest = delay.min(*shortest);
            }
            _ => self.spells.push_back((now, delay)),
        }
        if self.spells.len() > SPELL.1 {
            self.spells.pop_front();
        }
    }

    /// What is known now; `None` while nothing is reported.
    pub fn backlog(&self, now: Instant) -> Option<Backlog> {
        let last = self.reported?;
        if now.saturating_duration_since(last) > OLD {
            return None;
        }
        let recent = |packet: &&Arrived| last.saturating_duration_since(packet.reported) < PRESENT;
        let present = self.arrived.iter().filter(recent).map(|packet| packet.delay).min()?;
        let shortest = self.spells.iter().map(|(_, delay)| *delay).min()?;
        let newest = self.arrived.iter().map(|packet| packet.at).max()?;
        let within = |packet: &&Arrived| newest.saturating_duration_since(packet.at) < DELIVERY;
        let bytes: usize = self.arrived.iter().filter(within).map(|packet| packet.size).sum();
        let rate = |bytes: usize| (bytes as f64 * 8.0 / DELIVERY.as_secs_f64()) as u32;
        let sent = self.sent.iter().rev();
        let sent = sent.take_while(|sent| now.saturating_duration_since(sent.at) < DELIVERY);
        Some(Backlog {
            sent: rate(sent.map(|sent| sent.size).sum()),
            queue: Duration::from_micros(u64::try_from(present - shortest).unwrap_or(0)),
            delivered: rate(bytes).max(self.while_waiting(shortest, newest)),
        })
    }

    /// What the bottleneck let through while packets waited for it, bits of payload a second. After a sudden burst the
    /// mean over [`DELIVERY`] says how little was sent before, not what the path carries.
    fn while_waiting(&self, shortest: i64, newest: Instant) -> u32 {
        let waited = self.arrived.iter().filter(|packet| {
            packet.delay - shortest > WAITED && newest.saturating_duration_since(packet.at) < DELIVERY
        });
        let mut arrivals: Vec<(Instant, usize)> = waited.map(|packet| (packet.at, packet.size)).collect();
        arrivals.sort_unstable_by_key(|(at, _)| *at);
        let [first, rest @ ..] = &arrivals[..] else { return 0 };
        let time = rest.last().map_or(Duration::ZERO, |last| last.0 - first.0);
        if rest.len() < ENOUGH || time < BURST {
            return 0;
        }
        let bytes: usize = rest.iter().map(|(_, size)| size).sum();
        (bytes as f64 * 8.0 / time.as_secs_f64()) as u32
    }

    /// The path is longer now, or another one: what counts for empty is learnt anew.
    pub fn forget_shortest(&mut self) {
        self.spells.clear();
    }
}

/// `later` minus `earlier`, which may be negative.
fn micros(later: Instant, earlier: Instant) -> i64 {
    let forward = later.saturating_duration_since(earlier).as_micros() as i64;
    forward - earlier.saturating_duration_since(later).as_micros() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A packet of 1,250 bytes each 10 ms, which take `delay` (in ms) by a clock that is an hour behind; a report
    /// each 100 ms.
    fn path(start: Instant, packets: u32, delay: impl Fn(u32) -> u32) -> Path {
        let mut path = Path::default();
        let clock = start + Duration::from_secs(3_600);
        for n in 0..packets {
            let at = start + 10 * MS * n;
            path.sent(at, (65_500 + n) as u16, 1_250);
            let sent = *path.sent.back().expect("a packet");
            path.arrived(
                at - Duration::from_millis(u64::from(n % 10) * 10) + 100 * MS,
                sent,
                clock + 10 * MS * n + MS * delay(n),
            );
        }
        path
    }

    #[test]
    fn a_full_queue_is_seen_however_long_it_stands() {
        let start = Instant::now();
        let end = start + 10 * MS * 600;
        let backlog = path(start, 600, |n| if n < 100 { 50 + n % 3 * 10 } else { 250 + n % 3 * 10 })
            .backlog(end)
            .expect("a backlog");
        assert_eq!(backlog.queue, 200 * MS);
        assert!(
            (950_000..1_050_000).contains(&backlog.delivered),
            "{}",
            backlog.delivered
        );
    }

    #[test]
    fn jitter_is_no_queue_and_old_reports_say_nothing() {
        let start = Instant::now();
        let path = path(start, 600, |n| 50 + n * 7 % 30);
        let end = start + 10 * MS * 600;
        assert!(path.backlog(end).is_some_and(|backlog| backlog.queue < 10 * MS));
        assert_eq!(path.backlog(end + 700 * MS), None);
    }

    #[test]
    fn numbers_go_on_after_the_sixteenth_bit() {
        let mut path = Path::default();
        let start = Instant::now();
        for n in 0..100u16 {
            path.sent(start, 65_500u16.wrapping_add(n), 100);
        }
        assert!(path.sent.iter().map(|sent| sent.number).eq(65_500..65_600));
    }
}
