//! Which of a connection's statistics its session hears of.

use std::time::{Duration, Instant};
use str0m::stats::PeerStats;

/// How often statistics are told.
const TELL: Duration = Duration::from_secs(1);

/// Statistics come as often as rates are judged; the rest of the session hears of them once a second.
#[derive(Default)]
pub struct Figures {
    last: Option<Instant>,
    telling: bool,
    losses: Vec<f32>,
}

impl Figures {
    /// The statistics to tell now, with the loss of the whole time since the last ones.
    pub fn peer(&mut self, mut stats: PeerStats) -> Option<PeerStats> {
        self.losses.extend(stats.ingress_loss_fraction);
        self.telling = self
            .last
            .is_none_or(|told| stats.timestamp.saturating_duration_since(told) >= TELL);
        if !self.telling {
            return None;
        }
        self.last = Some(stats.timestamp);
        let count = self.losses.len() as f32;
        stats.ingress_loss_fraction = (count > 0.0).then(|| self.losses.drain(..).sum::<f32>() / count);
        Some(stats)
    }

    /// Whether those of this moment are told.
    pub fn told(&self) -> bool {
        self.telling
    }
}
