//! When to look for more capacity.
//!
//! str0m probes when the desired rate *grows* while it is above the estimate, with bursts of one and two times the
//! desired rate, at most twice the estimate each. Left alone it looks again only after 15 s without change, which is
//! longer than a person waits for a sharp picture after a bad moment. So as long as the estimate is below the cap,
//! the request is lowered and raised again, every 2 s while there is news and every 4 s otherwise.
//!
//! It remembers *why* its estimate last changed, and neither probes nor forgets that while it was a growing delay and the
//! estimate stands still: with sound alone for ever. An estimate that no search moves is told to start over.

use std::time::{Duration, Instant};

/// Between two searches when there is news ...
const SHORTEST: Duration = Duration::from_secs(2);
/// ... and when the one before has found nothing.
const LONGEST: Duration = Duration::from_secs(4);
/// An estimate that has grown by more than this is news.
const NEWS: f64 = 1.02;
/// A search has moved the estimate by then: a probe's result is taken as it is.
const ANSWERED: Duration = Duration::from_millis(1_500);
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
    /// A search is under way since then.
    asked: Option<Instant>,
    stuck: bool,
}

impl Search {
    pub fn new(cap: u32) -> Self {
        Self {
            cap,
            desired: cap,
            last: None,
            found: 0,
            asked: None,
            stuck: false,
        }
    }

    pub fn cap_at(&mut self, cap: u32) {
        self.cap = cap;
        self.desired = self.desired.min(cap);
    }

    pub fn desired(&self) -> u32 {
        self.desired
    }

    /// True when the estimator has to start over from its estimate.
    pub fn stuck(&self) -> bool {
        self.stuck
    }

    pub fn estimate(&mut self, now: Instant, estimate: u32, sound_only: bool, free: bool) {
        self.stuck = false;
        if self
            .asked
            .is_some_and(|asked| now.saturating_duration_since(asked) >= ANSWERED)
        {
            self.stuck = free && estimate == self.found;
            self.asked = None;
        }
        let wanted = if sound_only { SOUND_ONLY } else { self.cap };
        let last = *self.last.get_or_insert(now);
        let news = f64::from(estimate) > f64::from(self.found) * NEWS;
        let rest = if news { SHORTEST } else { LONGEST };
        if estimate >= wanted || self.desired > wanted {
            self.desired = wanted;
            self.last = None;
            self.found = 0;
            self.asked = None;
        } else if self.desired < wanted {
            // Lowered at the call before: raised now, which starts the search.
            self.desired = wanted;
            self.asked = Some(now);
        } else if free && now.saturating_duration_since(last) >= rest {
            self.found = estimate;
            self.last = Some(now);
            self.desired = estimate.min(wanted - 1);
        }
    }
}
