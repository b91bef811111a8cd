//! Whether packets still come and go on a connection. Pure.
//!
//! ICE itself takes 15 s and more to give a path up, a browser about 5 (RFC 7675 allows 30). A call cannot
//! wait that long, and trying another path costs little, so silence is judged by what came before it:
//! where sound arrived 50 times a second, one second without anything is no accident.

use std::time::{Duration, Instant};

/// Silence of this many usual gaps is suspect, within the limits below.
const GAPS: u32 = 25;
/// Shorter silences happen in a loss burst, or when a phone changes its cell.
const SHORTEST: Duration = Duration::from_secs(1);
/// A connection without media still answers our checks every second.
const LONGEST: Duration = Duration::from_secs(4);
/// Nothing of ours is answered for so long, neither checks nor media: our packets do not arrive, though the other
/// side's do. Checks alone are too few to tell that from loss: at 30 % every second one is in vain.
const UNANSWERED: Duration = Duration::from_secs(2);

/// The signs of life of one connection.
#[derive(Debug)]
pub struct Pulse {
    heard: Instant,
    /// Usual time between two packets.
    gap: Duration,
    /// The oldest check without an answer.
    asked: Option<Instant>,
    up: bool,
}

impl Pulse {
    /// A connection that has just come up.
    pub fn new(now: Instant) -> Self {
        Self {
            heard: now,
            gap: LONGEST / GAPS,
            asked: None,
            up: true,
        }
    }

    /// A packet came.
    pub fn heard(&mut self, at: Instant) {
        // A long silence is no usual gap.
        let gap = at.saturating_duration_since(self.heard).min(LONGEST / GAPS);
        self.gap = (self.gap * 15 + gap) / 16;
        self.heard = self.heard.max(at);
    }

    /// A check was sent on the path in use.
    pub fn asked(&mut self, at: Instant) {
        self.asked.get_or_insert(at);
    }

    /// It was answered, or media that went the same way was reported as arrived.
    pub fn answered(&mut self) {
        self.asked = None;
    }

    /// When [`Pulse::check`] may have something to say although nothing happened.
    pub fn deadline(&self) -> Option<Instant> {
        let asked = self.asked.map(|asked| asked + UNANSWERED);
        asked
            .into_iter()
            .chain([self.heard + self.patience()])
            .min()
            .filter(|_| self.up)
    }

    /// Whether the path has gone (`false`) or come back (`true`) since the last time.
    pub fn check(&mut self, now: Instant) -> Option<bool> {
        let silent = now >= self.heard + self.patience();
        let unanswered = self.asked.is_some_and(|asked| now >= asked + UNANSWERED);
        self.turn(!silent && !unanswered)
    }

    /// The address it uses does not exist any more.
    pub fn cut(&mut self) -> Option<bool> {
        self.turn(false)
    }

    fn turn(&mut self, up: bool) -> Option<bool> {
        (std::mem::replace(&mut self.up, up) != up).then_some(up)
    }

    fn patience(&self) -> Duration {
        (self.gap * GAPS).clamp(SHORTEST, LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn after(start: Instant, packets: u32, gap: Duration) -> (Pulse, Instant) {
        let mut pulse = Pulse::new(start);
        let mut now = start;
        for _ in 0..packets {
            now += gap;
            pulse.heard(now);
            assert_eq!(pulse.check(now), None);
        }
        (pulse, now)
    }

    #[test]
    fn busy_connections_are_missed_after_a_second_quiet_ones_later() {
        for (gap, patience) in [(20 * MS, SHORTEST), (500 * MS, LONGEST)] {
            let (mut pulse, now) = after(Instant::now(), 100, gap);
            assert_eq!(pulse.deadline(), Some(now + patience));
            assert_eq!(pulse.check(now + patience - MS), None);
            assert_eq!(pulse.check(now + patience), Some(false));
            assert_eq!(pulse.deadline(), None, "said once");
            assert_eq!(pulse.check(now + 2 * patience), None);
            pulse.heard(now + 3 * patience);
            assert_eq!(pulse.check(now + 3 * patience), Some(true));
        }
    }

    #[test]
    fn a_path_that_only_takes_nothing_is_noticed_too() {
        let (mut pulse, start) = after(Instant::now(), 100, 20 * MS);
        pulse.asked(start);
        pulse.answered();
        pulse.asked(start + 20 * MS);
        for tick in 1..=110 {
            let now = start + tick * 20 * MS;
            pulse.asked(now);
            pulse.heard(now);
            let said = pulse.check(now);
            assert_eq!(said, (now == start + 20 * MS + UNANSWERED).then_some(false));
        }
        pulse.answered();
        assert_eq!(pulse.check(start + 111 * 20 * MS), Some(true));
    }

    #[test]
    fn an_address_that_is_gone_needs_no_silence() {
        let (mut pulse, _) = after(Instant::now(), 10, 20 * MS);
        assert_eq!(pulse.cut(), Some(false));
        assert_eq!(pulse.cut(), None);
    }
}
