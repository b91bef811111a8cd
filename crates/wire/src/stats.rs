//! What a call was like, kept with its conversation.

use crate::{
    UnixMillis,
    device::{Quality, QualityMark},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A stretch of a call: the worst mark in it, and the figures at its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CallMoment {
    /// Its end, by the desk's clock. Names the moment within its call: the same one sent twice is stored once.
    pub at: UnixMillis,
    /// The worst mark since the moment before.
    pub worst: QualityMark,
    /// The figures at its end.
    pub quality: Quality,
}

/// What the desk sends, oldest first. Answered with the whole call's summary.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct CallMoments {
    /// At most [`MAX_MOMENTS`].
    pub moments: Vec<CallMoment>,
}

/// Most moments in one request, and most that wait at a desk: a quarter of an hour without a network, 45 KB.
pub const MAX_MOMENTS: usize = 60;

/// Most moments kept of one call: eight hours at one every 15 s. Later ones are not kept.
pub const MAX_KEPT_MOMENTS: u32 = 1_920;

/// A call in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CallSummary {
    /// How many moments were kept.
    pub moments: u32,
    /// What it was like most of the time: the median of the moments' worst marks.
    pub typical: QualityMark,
    /// The worst of all.
    pub worst: QualityMark,
    /// When that was first.
    pub worst_at: UnixMillis,
    /// Why, as the agent was told.
    pub worst_reason: String,
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CallStats {
    /// Ascending in time.
    pub moments: Vec<CallMoment>,
    /// Absent while nothing is known.
    pub summary: Option<CallSummary>,
}

impl CallStats {
    /// With its summary; `moments` ascending in time.
    pub fn of(moments: Vec<CallMoment>) -> Self {
        let summary = summary(&moments);
        Self { moments, summary }
    }
}

fn summary(moments: &[CallMoment]) -> Option<CallSummary> {
    let mut ranks: Vec<u8> = moments.iter().map(|moment| rank(moment.worst)).collect();
    ranks.sort_unstable();
    let typical = *ranks.get(ranks.len() / 2)?;
    let worst = *ranks.last()?;
    let moment_of = |wanted: u8| moments.iter().find(|moment| rank(moment.worst) == wanted);
    let first_worst = moment_of(worst)?;
    Some(CallSummary {
        moments: u32::try_from(moments.len()).unwrap_or(u32::MAX),
        typical: moment_of(typical)?.worst,
        worst: first_worst.worst,
        worst_at: first_worst.at,
        worst_reason: first_worst.quality.reason.clone(),
    })
}

/// Larger is worse.
pub fn rank(mark: QualityMark) -> u8 {
    match mark {
        QualityMark::Unknown => 0,
        QualityMark::Good => 1,
        QualityMark::Fair => 2,
        QualityMark::Poor => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(at: UnixMillis, worst: QualityMark) -> CallMoment {
        let quality = Quality {
            mark: worst,
            reason: format!("{worst:?} at {at}"),
            ..Quality::default()
        };
        CallMoment { at, worst, quality }
    }

    #[test]
    fn a_call_is_what_it_was_most_of_the_time_and_its_worst_moment() {
        use QualityMark::{Fair, Good, Poor};
        assert_eq!(CallStats::of(Vec::new()).summary, None);
        let marks = [Good, Good, Poor, Good, Fair, Poor];
        let stats = CallStats::of((1..).zip(marks).map(|(at, mark)| moment(at, mark)).collect());
        let summary = stats.summary.expect("there are moments");
        assert_eq!((summary.moments, summary.typical), (6, Fair));
        assert_eq!((summary.worst, summary.worst_at), (Poor, 3));
        assert_eq!(summary.worst_reason, "Poor at 3");
    }
}
