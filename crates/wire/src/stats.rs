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
    /// Why, as the agent was told; empty when it was good.
    #[serde(default)]
    pub reason: String,
    /// The figures at its end.
    pub quality: Quality,
}

/// What the desk sends, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct CallMoments {
    /// At most [`MAX_MOMENTS`].
    pub moments: Vec<CallMoment>,
}

/// Most moments in one request, and most that wait at a desk: ten minutes without a network.
pub const MAX_MOMENTS: usize = 40;

/// Most moments kept of one call: eight hours at one every 15 s. Later ones are not kept.
pub const MAX_KEPT_MOMENTS: u32 = 1_920;

/// A call in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
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
        worst_reason: first_worst.reason.clone(),
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
    use crate::device::{PathView, TransportProtocol};

    fn moment(at: UnixMillis, worst: QualityMark) -> CallMoment {
        CallMoment {
            at,
            worst,
            reason: format!("{worst:?} at {at}"),
            quality: Quality::default(),
        }
    }

    #[test]
    fn a_full_request_fits_into_a_body() {
        let long = 1.0 / 3.0 * 1e7;
        let reason = "n".repeat(300);
        let quality = Quality {
            mark: QualityMark::Unknown,
            reason: reason.clone(),
            rtt_ms: Some(long),
            loss_out: long,
            loss_in: long,
            bitrate_out: long,
            bitrate_in: long,
            fps_in: long,
            width: 10_000,
            height: 10_000,
            fps_out: long,
            width_out: 10_000,
            height_out: 10_000,
            busy: long,
            processors: Some(long),
            frames_decoded: u64::from(u32::MAX),
            frames_drawn: u64::from(u32::MAX),
            first_frame_at: Some(1_800_000_000_000),
            concealed: long,
            sound_played: u64::from(u32::MAX) * 10,
            sound_concealed: u64::from(u32::MAX),
            playout_delay_ms: long,
            jitter_ms: long,
            picture_after_sound_ms: Some(-long),
            path: Some(PathView {
                relayed: false,
                protocol: TransportProtocol::Udp,
            }),
        };
        let moment = CallMoment {
            at: 1_800_000_000_000,
            worst: QualityMark::Unknown,
            reason,
            quality,
        };
        let moments = CallMoments {
            moments: vec![moment; MAX_MOMENTS],
        };
        let size = serde_json::to_vec(&moments).expect("plain data").len();
        // The server refuses bodies over 64 KiB (docs/api.md).
        assert!(size < 64 * 1024, "{size} bytes");
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
