//! When to look for more capacity.
//!
//! str0m probes when the desired rate *grows* while it is above the estimate, with bursts of one and two times the
//! desired rate, at most twice the estimate each. Left alone it looks again only after 15 s without change, which is
//! longer than a person waits for a sharp picture after a bad moment. So as long as the estimate is below the cap,
//! the request is lowered and raised again in growing intervals.

use std::time::{Duration, Instant};

/// Between two searches when there is news ...
const SHORTEST: Duration = Duration::from_secs(2);
/// ... and when the one before has found nothing.
const LONGEST: Duration = Duration::from_secs(4);
/// An estimate that has grown by more than this is news. str0m also remembers *why* it last changed its estimate, and
/// does not look while that was a growing delay, however long ago: after the next change it does.
const NEWS: f64 = 1.02;
/// While only sound is sent, look for no more than the picture needs to come back.
const SOUND_ONLY: u32 = 200_000;

#[derive(Debug)]
pub struct Search {
    cap: u32,
    /// What was asked for last.
    desired: u32,
    /// When it was asked for, or could first have been.
    last: Option<Instant>,
    /// The estimate then.
    found: u32,
}

impl Search {
    pub fn new(cap: u32) -> Self {
        Self {
            cap,
            desired: cap,
            last: None,
            found: 0,
        }
    }

    pub fn cap_at(&mut self, cap: u32) {
        self.cap = cap;
        self.desired = self.desired.min(cap);
    }

    pub fn desired(&self) -> u32 {
        self.desired
    }

    pub fn estimate(&mut self, now: Instant, estimate: u32, sound_only: bool, free: bool) {
        let wanted = if sound_only { SOUND_ONLY } else { self.cap };
        let last = *self.last.get_or_insert(now);
        let news = f64::from(estimate) > f64::from(self.found) * NEWS;
        let rest = if news { SHORTEST } else { LONGEST };
        if estimate >= wanted || self.desired > wanted {
            self.desired = wanted;
            self.last = None;
            self.found = 0;
        } else if self.desired < wanted {
            // Lowered at the call before: raised now, which starts the search.
            self.desired = wanted;
        } else if free && now.saturating_duration_since(last) >= rest {
            self.found = estimate;
            self.last = Some(now);
            self.desired = estimate.min(wanted - 1);
        }
    }
}
