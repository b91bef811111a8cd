//! One direction of a network path in virtual time: loss, then a bottleneck with a drop-tail queue, then
//! distance and jitter. The same seed gives the same path.
//!
//! `str0m-netem` was tried first: its buffer is in bytes and counts what is already past the bottleneck, and a
//! change of rate restarts its random numbers; RFC 8867 asks for a queue in milliseconds and rates that change.

use fastrand::Rng;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// What a datagram carries besides its payload: IPv4 and UDP headers, in bytes.
pub const IP_UDP: usize = 28;

/// How packets get lost before the bottleneck.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Never.
    None,
    /// Each for itself, with this probability.
    Random(f64),
    /// Gilbert-Elliott: bursts of the given mean length, so that this share is lost overall.
    Bursts {
        /// Lost overall, 0 to 1.
        share: f64,
        /// Mean number of packets in a burst.
        length: f64,
    },
}

/// A path's properties.
#[derive(Debug, Clone)]
pub struct Path {
    /// Propagation, one way.
    pub delay: Duration,
    /// Up to this much more, uniformly.
    pub jitter: Duration,
    /// Whether jitter may turn packets round.
    pub reordering: bool,
    /// Loss before the queue.
    pub loss: Loss,
    /// Capacity of the bottleneck in bits a second, from the given time since the start on; empty: no bottleneck.
    /// A capacity of 0 lets nothing through until the next change.
    pub capacity: Vec<(Duration, u64)>,
    /// A packet that would wait longer than this at the capacity of its arrival is dropped.
    pub queue: Duration,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            reordering: false,
            loss: Loss::None,
            capacity: Vec::new(),
            queue: Duration::from_millis(300),
        }
    }
}

/// A packet at the end of the path.
#[derive(Debug)]
pub struct Delivered<T> {
    /// When.
    pub at: Instant,
    /// How long it waited in the bottleneck's queue, without its own transmission.
    pub queued: Duration,
    /// On the wire, in bytes.
    pub size: usize,
    /// What was sent.
    pub packet: T,
}

/// One direction of a path with the packets on it.
pub struct Link<T> {
    path: Path,
    start: Instant,
    rng: Rng,
    in_burst: bool,
    queue: VecDeque<Waiting<T>>,
    queued_bytes: usize,
    /// When the bottleneck is free again.
    free_at: Instant,
    /// Sorted by arrival.
    travelling: VecDeque<Delivered<T>>,
    /// Packets that were lost or found the queue full.
    pub dropped: u64,
}

struct Waiting<T> {
    since: Instant,
    size: usize,
    packet: T,
}

impl<T> Link<T> {
    /// From now on packets are lost like this.
    pub fn lose(&mut self, loss: Loss) {
        self.path.loss = loss;
    }

    /// An empty path.
    pub fn new(path: Path, start: Instant, seed: u64) -> Self {
        Self {
            path,
            start,
            rng: Rng::with_seed(seed),
            in_burst: false,
            queue: VecDeque::new(),
            queued_bytes: 0,
            free_at: start,
            travelling: VecDeque::new(),
            dropped: 0,
        }
    }

    /// A packet of `size` bytes on the wire enters the path. Time must not go back from call to call.
    pub fn send(&mut self, now: Instant, size: usize, packet: T) {
        self.advance(now);
        if self.is_lost() {
            self.dropped += 1;
            return;
        }
        if self.path.capacity.is_empty() {
            self.travel(now, Duration::ZERO, size, packet);
            return;
        }
        let (capacity, _) = self.capacity(now);
        let room = (capacity as f64 / 8.0 * self.path.queue.as_secs_f64()) as usize;
        // A closed path keeps what one packet's room was: real queues do not vanish with the radio.
        if self.queued_bytes + size > room.max(1_500) {
            self.dropped += 1;
            return;
        }
        self.queued_bytes += size;
        self.queue.push_back(Waiting {
            since: now,
            size,
            packet,
        });
        self.advance(now);
    }

    /// When something will arrive or leave the queue next.
    pub fn timeout(&self) -> Option<Instant> {
        let arrival = self.travelling.front().map(|packet| packet.at);
        let departure = self
            .queue
            .front()
            .and_then(|head| self.transmission(head).map(|(_, end)| end));
        arrival.into_iter().chain(departure).min()
    }

    /// The next packet that has arrived by `now`.
    pub fn receive(&mut self, now: Instant) -> Option<Delivered<T>> {
        self.advance(now);
        if self.travelling.front()?.at > now {
            return None;
        }
        self.travelling.pop_front()
    }

    /// Capacity at that time, and when it changes next. Without a bottleneck `u64::MAX`.
    pub fn capacity(&self, at: Instant) -> (u64, Option<Instant>) {
        let since = at.saturating_duration_since(self.start);
        let now = self.path.capacity.iter().rev().find(|(from, _)| *from <= since);
        let next = self.path.capacity.iter().find(|(from, _)| *from > since);
        let first = self.path.capacity.first().map_or(u64::MAX, |(_, rate)| *rate);
        (
            now.map_or(first, |(_, rate)| *rate),
            next.map(|(from, _)| self.start + *from),
        )
    }

    fn advance(&mut self, now: Instant) {
        while let Some(head) = self.queue.front() {
            let Some((begin, end)) = self.transmission(head) else {
                return;
            };
            if end > now {
                return;
            }
            let head = self.queue.pop_front().expect("there is a head");
            self.queued_bytes -= head.size;
            self.free_at = end;
            self.travel(end, begin - head.since, head.size, head.packet);
        }
    }

    /// Begin and end of the head's transmission; `None` while the path is closed for good.
    fn transmission(&self, head: &Waiting<T>) -> Option<(Instant, Instant)> {
        let mut begin = self.free_at.max(head.since);
        loop {
            match self.capacity(begin) {
                (0, next) => begin = next?,
                (rate, _) => {
                    let time = Duration::from_secs_f64(head.size as f64 * 8.0 / rate as f64);
                    return Some((begin, begin + time));
                }
            }
        }
    }

    fn travel(&mut self, from: Instant, queued: Duration, size: usize, packet: T) {
        let mut at = from + self.path.delay + self.path.jitter.mul_f64(self.rng.f64());
        if !self.path.reordering
            && let Some(last) = self.travelling.back()
        {
            at = at.max(last.at);
        }
        let index = self.travelling.partition_point(|packet| packet.at <= at);
        let delivered = Delivered {
            at,
            queued,
            size,
            packet,
        };
        self.travelling.insert(index, delivered);
    }

    fn is_lost(&mut self) -> bool {
        match self.path.loss {
            Loss::None => false,
            Loss::Random(share) => self.rng.f64() < share,
            Loss::Bursts { share, length } => {
                let leave = 1.0 / length;
                let enter = leave * share / (1.0 - share);
                let change = if self.in_burst { leave } else { enter };
                self.in_burst ^= self.rng.f64() < change;
                self.in_burst
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn arrivals(path: Path, packets: usize, size: usize, every: Duration) -> Vec<(usize, u128, u128)> {
        let start = Instant::now();
        let mut link = Link::new(path, start, 7);
        for n in 0..packets {
            link.send(start + every * n as u32, size, n);
        }
        let end = start + Duration::from_secs(60);
        std::iter::from_fn(|| link.receive(end))
            .map(|got| (got.packet, (got.at - start).as_micros(), got.queued.as_micros()))
            .collect()
    }

    #[test]
    fn a_bottleneck_spaces_packets_and_its_queue_drops_the_tail() {
        // 1 Mbit/s: 1,250 bytes take 10 ms; 300 ms hold 30 of them.
        let path = Path {
            capacity: vec![(Duration::ZERO, 1_000_000)],
            ..Path::default()
        };
        let got = arrivals(path, 50, 1_250, Duration::ZERO);
        assert_eq!(got.len(), 30);
        assert!(got.iter().enumerate().all(|(n, &(packet, at, queued))| {
            packet == n && at == 20_000 + 10_000 * n as u128 && queued == 10_000 * n as u128
        }));
    }

    #[test]
    fn the_rate_follows_its_schedule_and_a_closed_path_opens_again() {
        let path = Path {
            delay: Duration::ZERO,
            capacity: vec![(Duration::ZERO, 1_000_000), (15 * MS, 0), (100 * MS, 2_000_000)],
            ..Path::default()
        };
        let got = arrivals(path, 4, 1_250, Duration::ZERO);
        let times: Vec<u128> = got.iter().map(|got| got.1).collect();
        assert_eq!(times, [10_000, 20_000, 105_000, 110_000]);
    }

    #[test]
    fn jitter_turns_packets_round_only_where_it_may() {
        let path = |reordering| Path {
            jitter: 30 * MS,
            reordering,
            ..Path::default()
        };
        let order = |reordering| -> Vec<usize> {
            let got = arrivals(path(reordering), 200, 100, 5 * MS);
            got.iter().map(|got| got.0).collect()
        };
        assert!(order(false).is_sorted());
        assert!(!order(true).is_sorted());
    }

    #[test]
    fn losses_have_their_share_and_bursts_their_length() {
        for loss in [
            Loss::Random(0.1),
            Loss::Bursts {
                share: 0.1,
                length: 4.0,
            },
        ] {
            let path = Path {
                loss,
                ..Path::default()
            };
            let got = arrivals(path, 50_000, 100, MS / 10);
            let share = 1.0 - got.len() as f64 / 50_000.0;
            assert!((0.08..0.12).contains(&share), "{loss:?}: {share}");
            let gaps = got.windows(2).filter(|pair| pair[1].0 > pair[0].0 + 1).count();
            let mean = (50_000 - got.len()) as f64 / gaps as f64;
            let wanted = if matches!(loss, Loss::Random(_)) { 1.1 } else { 4.0 };
            assert!((mean - wanted).abs() < 0.5, "{loss:?}: bursts of {mean}");
        }
    }
}
