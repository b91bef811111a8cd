//! What to do about a network path that has gone. Pure.
//!
//! ICE alone takes too long: a browser needs 2.7 s to send on another pair, and more where no pair is left.
//! A second connection is up in a third of a second, so one is offered at once, while the old one stays
//! and may still come back. It is tried again with growing pauses, every second time over a relay only,
//! for networks that let the checks of a direct path through but not its media.

use sightline_wire::{UnixMillis, escalation::IcePolicy};

/// How long the first attempts get before the next: a reconnect of the room's socket, an answer, ICE and
/// DTLS over a slow relay take less.
const PAUSES_MS: [i64; 3] = [3_000, 5_000, 8_000];

/// A call's path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Path {
    /// Packets arrive.
    #[default]
    Healthy,
    /// They do not, and a new connection is being tried.
    Lost {
        /// New connections so far.
        attempts: u32,
        /// When the next one is due.
        next_at: UnixMillis,
    },
}

impl Path {
    /// Nothing arrives any more.
    pub fn lost(&mut self, now: UnixMillis) {
        if *self == Path::Healthy {
            *self = Path::Lost {
                attempts: 0,
                next_at: now,
            };
        }
    }

    /// The path is back, or a new connection has taken over.
    pub fn found(&mut self) {
        *self = Path::Healthy;
    }

    /// When [`Path::attempt`] is due.
    pub fn deadline(&self) -> Option<UnixMillis> {
        match self {
            Path::Healthy => None,
            Path::Lost { next_at, .. } => Some(*next_at),
        }
    }

    /// The policy of the connection to offer now, if one is due. `offered`: an offer waits for its answer
    /// already, so that another one would not help.
    pub fn attempt(&mut self, now: UnixMillis, offered: bool) -> Option<IcePolicy> {
        let Path::Lost { attempts, next_at } = self else {
            return None;
        };
        if now < *next_at {
            return None;
        }
        let pause = PAUSES_MS[(*attempts as usize).min(PAUSES_MS.len() - 1)];
        *next_at = now + pause;
        if offered {
            return None;
        }
        *attempts += 1;
        Some(match *attempts % 2 {
            1 => IcePolicy::All,
            _ => IcePolicy::RelayOnly,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_path_is_replaced_at_once_and_again_with_growing_pauses() {
        let mut path = Path::default();
        assert_eq!((path.deadline(), path.attempt(5, false)), (None, None));
        path.lost(1_000);
        let mut now = 1_000;
        let mut tried = Vec::new();
        while let Some(at) = path.deadline().filter(|at| *at < 30_000) {
            assert_eq!(path.attempt(at - 1, false), None, "not before its time");
            tried.push((at - now, path.attempt(at, false)));
            now = at;
        }
        let (all, relay) = (Some(IcePolicy::All), Some(IcePolicy::RelayOnly));
        assert_eq!(
            tried,
            [(0, all), (3_000, relay), (5_000, all), (8_000, relay), (8_000, all)]
        );
    }

    #[test]
    fn an_offer_that_waits_for_its_answer_is_not_replaced() {
        let mut path = Path::default();
        path.lost(0);
        assert_eq!(path.attempt(0, true), None);
        assert_eq!(path.deadline(), Some(3_000));
        assert_eq!(path.attempt(3_000, false), Some(IcePolicy::All));
    }

    #[test]
    fn a_path_that_is_back_needs_nothing_and_starts_anew_when_lost_again() {
        let mut path = Path::default();
        path.lost(0);
        path.attempt(0, false);
        path.lost(10);
        assert_eq!(path.deadline(), Some(3_000), "lost twice is lost once");
        path.found();
        assert_eq!(path, Path::Healthy);
        path.lost(9_000);
        assert_eq!(path.attempt(9_000, false), Some(IcePolicy::All));
    }
}
