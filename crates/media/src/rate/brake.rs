//! Stays below the estimate while the path's queue fills.
//!
//! The estimate may be half as large again as what arrives, and stays there while the queue stands full. So there is
//! a ceiling of our own: as soon as packets wait, less is sent than the path delivers, until the queue is empty.

use super::path::Backlog;
use std::time::{Duration, Instant};

/// Packets that wait longer than this mean that too much is sent.
const TOO_LONG: Duration = Duration::from_millis(60);
/// Packets that wait less than this mean that more may be tried.
const SHORT: Duration = Duration::from_millis(35);
/// Least and most of what the path delivers while the queue is emptied.
const SHARE: (f64, f64) = (0.6, 0.88);
/// In which time a queue is to be emptied.
const EMPTY_WITHIN: Duration = Duration::from_millis(900);
/// Growth of the ceiling a second at first ...
const GROWTH: f64 = 0.06;
/// ... which doubles after each such time without a queue ...
const DOUBLING: Duration = Duration::from_secs(2);
/// ... up to this.
const MOST_GROWTH: f64 = 0.5;
/// An estimate that jumps up by more than this was found by a probe.
const FOUND: f64 = 1.2;
/// What is taken of what a probe found.
const TAKEN: f64 = 0.85;
/// A queue that stays for so long although less is sent is not ours: the path has become longer, or another
/// transfer fills it.
const NOT_OURS: Duration = Duration::from_secs(4);

/// Packets that wait longer than this fill the queue soon, and what comes then is lost: a key frame most surely.
const NEARLY_FULL: Duration = Duration::from_millis(150);
/// No picture is held back longer than this ...
const LONGEST_HOLD: Duration = Duration::from_millis(800);
/// ... nor again within this time.
const BETWEEN_HOLDS: Duration = Duration::from_secs(2);

/// For so long after that the brake is off.
const OFF: Duration = Duration::from_secs(10);
/// The brake alone never goes below this, bits a second: whether a picture is sent at all, the estimate decides.
const FLOOR: f64 = 200_000.0;
/// Who sends less than this share of the ceiling, and no more than arrives, has not filled the queue.
const USED: f64 = 0.6;
const ARRIVES: f64 = 1.1;

/// What the brake says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Braked {
    /// Send no more than this, bits of payload a second.
    pub ceiling: u32,
    /// Send no picture now: the queue has to empty first.
    pub hold: bool,
    /// The delay that counted for the empty path's means nothing any more.
    pub forget: bool,
}

/// The brake of one connection.
#[derive(Debug)]
pub struct Brake {
    cap: u32,
    ceiling: f64,
    estimate: u32,
    last: Option<Instant>,
    /// Since when packets wait.
    waiting: Option<Instant>,
    /// When they waited last.
    waited: Option<Instant>,
    /// From when to when pictures are, or were, held back.
    held: Option<(Instant, Instant)>,
    /// Off until then.
    off: Option<Instant>,
}

impl Brake {
    /// Another cap from the next measurement on.
    pub fn cap_at(&mut self, cap: u32) {
        self.cap = cap;
    }

    /// Open up to `cap`, bits a second.
    pub fn new(cap: u32) -> Self {
        Self {
            cap,
            ceiling: f64::from(cap),
            estimate: 0,
            last: None,
            waiting: None,
            waited: None,
            held: None,
            off: None,
        }
    }

    /// True when packets have not waited for that long.
    pub fn free_for(&self, now: Instant, time: Duration) -> bool {
        self.waited
            .is_none_or(|waited| now.saturating_duration_since(waited) >= time)
    }

    /// Takes in how full the path is.
    pub fn measured(&mut self, now: Instant, estimate: u32, backlog: Option<Backlog>) -> Braked {
        let passed = self
            .last
            .map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.last = Some(now);
        let before = std::mem::replace(&mut self.estimate, estimate);
        let mut forget = false;
        if self.off.is_some_and(|off| now >= off) {
            // Learnt anew, since the other transfer may have been all there was to see.
            forget = true;
            self.off = None;
        }
        match backlog {
            _ if self.off.is_some() => self.grow(now, passed),
            Some(backlog) if backlog.queue > TOO_LONG => {
                self.waited = Some(now);
                let (sent, delivered) = (f64::from(backlog.sent), f64::from(backlog.delivered));
                if sent > self.ceiling * USED || sent > delivered * ARRIVES {
                    self.cut(now, backlog.queue, delivered);
                }
                let since = *self.waiting.get_or_insert(now);
                if now.saturating_duration_since(since) >= NOT_OURS {
                    self.off = Some(now + OFF);
                    self.waiting = None;
                }
            }
            Some(backlog) if backlog.queue > SHORT => {}
            Some(_) => {
                self.waiting = None;
                self.grow(now, passed);
                if f64::from(estimate) > f64::from(before) * FOUND && before > 0 {
                    self.ceiling = self.ceiling.max(f64::from(estimate) * TAKEN);
                }
            }
            None => {}
        }
        self.ceiling = self.ceiling.min(f64::from(self.cap));
        Braked {
            ceiling: self.ceiling as u32,
            hold: self.off.is_none() && self.held.is_some_and(|(from, end)| from <= now && now < end),
            forget,
        }
    }

    fn cut(&mut self, now: Instant, queue: Duration, delivered: f64) {
        let share = 1.0 - queue.as_secs_f64() / EMPTY_WITHIN.as_secs_f64();
        let most = delivered * share.clamp(SHARE.0, SHARE.1);
        self.ceiling = self.ceiling.min(most.max(FLOOR));
        let rested = |(_, end)| now.saturating_duration_since(end) >= BETWEEN_HOLDS;
        if queue > NEARLY_FULL && self.held.is_none_or(rested) {
            self.held = Some((now, now + queue.min(LONGEST_HOLD)));
        }
    }

    fn grow(&mut self, now: Instant, passed: Duration) {
        let free = self
            .waited
            .map_or(Duration::ZERO, |waited| now.saturating_duration_since(waited));
        let doublings = (free.as_secs_f64() / DOUBLING.as_secs_f64()).floor().min(8.0);
        let growth = (GROWTH * doublings.exp2()).min(MOST_GROWTH);
        self.ceiling += self.ceiling * growth * passed.as_secs_f64();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A drop-tail queue of 300 ms in front of `capacity`, which gets what the brake allows of a high estimate; gives
    /// queue and rate every 100 ms.
    fn drive(brake: &mut Brake, start: Instant, capacity: f64, queue: &mut f64, tenths: u32) -> Vec<(f64, f64)> {
        (0..tenths)
            .map(|n| {
                let now = start + 100 * MS * n;
                let backlog = Backlog {
                    sent: brake.ceiling as u32,
                    queue: Duration::from_secs_f64(*queue / capacity),
                    delivered: if *queue > 0.0 {
                        capacity as u32
                    } else {
                        brake.ceiling.min(capacity) as u32
                    },
                };
                let braked = brake.measured(now, (capacity * 1.5) as u32, Some(backlog));
                let sent = if braked.hold { 0.0 } else { f64::from(braked.ceiling) };
                *queue = (*queue + (sent - capacity) / 10.0).clamp(0.0, capacity * 0.3);
                (*queue / capacity, sent)
            })
            .collect()
    }

    #[test]
    fn the_queue_is_kept_short_and_the_path_used() {
        let start = Instant::now();
        let mut brake = Brake::new(2_500_000);
        let mut queue = 0.0;
        let begun = drive(&mut brake, start, 1e6, &mut queue, 200);
        assert!(begun[20..].iter().all(|(queue, _)| *queue < 0.15), "{begun:?}");
        let used = begun[20..].iter().map(|(_, sent)| sent / 1e6).sum::<f64>() / 180.0;
        assert!(used > 0.85, "{used}");
        let dropped = drive(&mut brake, start + 20_000 * MS, 0.4e6, &mut queue, 200);
        assert!(dropped[20..].iter().all(|(queue, _)| *queue < 0.15), "{dropped:?}");
        let grown = drive(&mut brake, start + 40_000 * MS, 1e6, &mut queue, 200);
        assert!(grown[..100].iter().any(|(_, sent)| *sent > 0.8e6), "{grown:?}");
    }

    #[test]
    fn a_queue_that_is_not_ours_holds_no_picture_back_for_long_and_is_reckoned_with() {
        let start = Instant::now();
        let mut brake = Brake::new(600_000);
        let full = Backlog {
            sent: 500_000,
            queue: 250 * MS,
            delivered: 500_000,
        };
        let braked: Vec<Braked> = (0..100)
            .map(|n| brake.measured(start + 100 * MS * n, 1_000_000, Some(full)))
            .collect();
        let held = braked.iter().filter(|braked| braked.hold).count();
        assert!((2..=6).contains(&held), "{held} of 100");
        assert!(
            braked
                .windows(10)
                .all(|second| second.iter().any(|braked| !braked.hold))
        );
        assert!(braked.last().is_some_and(|braked| braked.ceiling > 500_000));
        assert!(braked.iter().all(|braked| braked.ceiling >= 300_000));
    }
}
