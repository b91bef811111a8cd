//! From figures to the one mark an agent understands. Pure.

use sightline_wire::device::{Quality, QualityMark};

/// Lost on the way, as a share: above the first a person notices, above the second it hurts.
const LOSS: (f64, f64) = (0.03, 0.08);
/// Round trip in milliseconds (ITU-T G.114: 150 ms one way is transparent, 400 ms the limit).
const ROUND_TRIP: (f64, f64) = (300.0, 600.0);
/// Share of its time a thread works on pictures: above the second it leaves some out.
const BUSY: (f64, f64) = (0.85, 0.95);
/// With more than this of the processors in use, a slow picture is this computer's doing as likely as the network's.
const FULL: f64 = 0.95;
/// Frames a second, when the customer's camera is on.
const FRAMES: (f64, f64) = (18.0, 8.0);

/// Sets mark and reason from the figures. `picture_expected`: the customer's camera is on; `sound_only`: our own
/// picture pauses.
pub fn judge(quality: &mut Quality, customer: &str, picture_expected: bool, sound_only: bool) {
    let level = |value: f64, (fair, poor): (f64, f64)| usize::from(value > fair) + usize::from(value > poor);
    let rtt = quality.rtt_ms.unwrap_or(0.0);
    let slow_picture = if picture_expected {
        level(-quality.fps_in, (-FRAMES.0, -FRAMES.1))
    } else {
        0
    };
    let full = quality.processors.is_some_and(|share| share > FULL);
    let causes = [
        (
            level(quality.busy, BUSY).max(if full { slow_picture } else { 0 }),
            "This computer is too busy for smooth pictures: close programs you do not need.".to_owned(),
        ),
        (
            if sound_only { 2 } else { 0 },
            format!("The network carries sound only; your picture comes back to {customer} when it can."),
        ),
        (
            level(quality.loss_out, LOSS),
            "Your network loses packets; the customer may not see or hear you well.".to_owned(),
        ),
        (
            level(quality.loss_in, LOSS),
            format!("{customer}'s network loses packets."),
        ),
        (
            level(rtt, ROUND_TRIP),
            "The connection is slow: you may talk over each other.".to_owned(),
        ),
        (
            slow_picture,
            format!("{customer}'s network is weak; the picture is reduced."),
        ),
    ];
    // The worst cause speaks; among equals the first, which the agent can do most about.
    let (worst, reason) = causes
        .into_iter()
        .rev()
        .max_by_key(|(level, _)| *level)
        .expect("there are causes");
    (quality.mark, quality.reason) = match worst {
        0 => (QualityMark::Good, String::new()),
        1 => (QualityMark::Fair, reason),
        _ => (QualityMark::Poor, reason),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Quality {
        Quality {
            mark: QualityMark::Unknown,
            reason: String::new(),
            rtt_ms: Some(20.0),
            loss_out: 0.0,
            loss_in: 0.0,
            bitrate_out: 1e6,
            bitrate_in: 1e6,
            fps_in: 30.0,
            width: 1280,
            height: 720,
            fps_out: 30.0,
            width_out: 1280,
            height_out: 720,
            busy: 0.2,
            processors: Some(0.5),
            frames_decoded: 300,
            frames_drawn: 300,
            first_frame_at: Some(0),
            concealed: 0.0,
            sound_played: 480_000,
            sound_concealed: 0,
            playout_delay_ms: 40.0,
            jitter_ms: 2.0,
            picture_after_sound_ms: Some(0.0),
            path: None,
        }
    }

    fn mark(change: impl FnOnce(&mut Quality), picture: bool) -> (QualityMark, String) {
        let mut quality = figures();
        change(&mut quality);
        judge(&mut quality, "Ana", picture, false);
        (quality.mark, quality.reason)
    }

    #[test]
    fn a_paused_picture_is_told_before_anything_else() {
        let mut quality = figures();
        quality.loss_out = 0.2;
        judge(&mut quality, "Ana", true, true);
        assert_eq!(quality.mark, QualityMark::Poor);
        assert!(quality.reason.starts_with("The network carries sound only"));
    }

    #[test]
    fn marks() {
        assert_eq!(mark(|_| {}, true), (QualityMark::Good, String::new()));
        assert_eq!(mark(|q| q.loss_in = 0.05, true).0, QualityMark::Fair);
        assert_eq!(
            mark(|q| q.loss_in = 0.2, true),
            (QualityMark::Poor, "Ana's network loses packets.".into())
        );
        let busy = |q: &mut Quality| (q.busy, q.fps_in) = (0.97, 5.0);
        let (level, reason) = mark(busy, true);
        assert_eq!(level, QualityMark::Poor);
        assert!(
            reason.starts_with("This computer"),
            "her network is not to blame: {reason}"
        );
        let full = |q: &mut Quality| (q.processors, q.fps_in) = (Some(0.99), 5.0);
        assert!(mark(full, true).1.starts_with("This computer"));
        assert_eq!(mark(|q| q.busy = 0.9, true).0, QualityMark::Fair);
        assert_eq!(
            mark(|q| q.processors = Some(1.0), true).0,
            QualityMark::Good,
            "it still keeps up"
        );
        assert_eq!(mark(|q| q.fps_in = 0.0, false).0, QualityMark::Good);
        assert_eq!(mark(|q| q.fps_in = 5.0, true).0, QualityMark::Poor);
        assert!(
            mark(|q| (q.loss_in, q.loss_out) = (0.2, 0.2), true)
                .1
                .starts_with("Your network")
        );
    }
}
