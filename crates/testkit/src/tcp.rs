//! A long TCP transfer that competes with a call: NewReno congestion control (RFC 6582) as far as it shapes the
//! load on a bottleneck.

use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

/// A sender that always has more to send.
pub struct LongFlow {
    begin: Instant,
    /// Back to the sender; acknowledgements are small and not lost.
    return_delay: Duration,
    window: f64,
    threshold: f64,
    next: u64,
    acked: u64,
    arrived: BTreeSet<u64>,
    expected: u64,
    acks: VecDeque<(Instant, u64)>,
    duplicates: u32,
    recover: u64,
    resend: Vec<u64>,
    last_progress: Instant,
}

impl LongFlow {
    /// A full segment on the wire, in bytes.
    pub const SEGMENT: usize = 1_500;
    const TIMEOUT: Duration = Duration::from_secs(1);

    /// Starts sending at `begin`.
    pub fn new(begin: Instant, return_delay: Duration) -> Self {
        Self {
            begin,
            return_delay,
            window: 10.0,
            threshold: f64::INFINITY,
            next: 0,
            acked: 0,
            arrived: BTreeSet::new(),
            expected: 0,
            acks: VecDeque::new(),
            duplicates: 0,
            recover: 0,
            resend: Vec::new(),
            last_progress: begin,
        }
    }

    /// When [`LongFlow::send`] wants to be called.
    pub fn timeout(&self) -> Option<Instant> {
        let begin = (self.next == 0).then_some(self.begin);
        let stalled = (self.next > self.acked).then(|| self.last_progress + Self::TIMEOUT);
        let ack = self.acks.front().map(|(at, _)| *at);
        begin.into_iter().chain(stalled).chain(ack).min()
    }

    /// A segment has reached the receiver.
    pub fn arrived(&mut self, now: Instant, segment: u64) {
        self.arrived.insert(segment);
        while self.arrived.remove(&self.expected) {
            self.expected += 1;
        }
        self.arrived.retain(|held| *held > self.expected);
        self.acks.push_back((now + self.return_delay, self.expected));
    }

    /// The segments that leave now.
    pub fn send(&mut self, now: Instant) -> Vec<u64> {
        if now < self.begin {
            return Vec::new();
        }
        while self.acks.front().is_some_and(|(at, _)| *at <= now) {
            let (_, ack) = self.acks.pop_front().expect("there is one");
            self.acknowledged(now, ack);
        }
        if self.next > self.acked && now >= self.last_progress + Self::TIMEOUT {
            self.threshold = (self.window / 2.0).max(2.0);
            self.window = 1.0;
            self.next = self.acked;
            self.recover = 0;
            self.duplicates = 0;
            self.last_progress = now;
        }
        let mut out = std::mem::take(&mut self.resend);
        while ((self.next - self.acked) as f64) < self.window + f64::from(self.duplicates) {
            out.push(self.next);
            self.next += 1;
        }
        out
    }

    fn acknowledged(&mut self, now: Instant, ack: u64) {
        if ack > self.acked {
            self.last_progress = now;
            let new = (ack - self.acked) as f64;
            self.acked = ack;
            self.next = self.next.max(ack);
            if ack < self.recover {
                // A partial acknowledgement: the next hole.
                self.resend.push(ack);
                return;
            }
            self.duplicates = 0;
            self.window += if self.window < self.threshold {
                new
            } else {
                new / self.window
            };
        } else {
            self.duplicates += 1;
            if self.duplicates == 3 && ack >= self.recover {
                self.threshold = (self.window / 2.0).max(2.0);
                self.window = self.threshold;
                self.recover = self.next;
                self.resend.push(ack);
            }
        }
    }
}
