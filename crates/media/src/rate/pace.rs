//! Which of the camera's pictures are sent when fewer are wanted than it takes, and how large.

use super::Rung;
use std::time::{Duration, Instant};

/// Thins a camera's pictures out.
#[derive(Debug, Default)]
pub struct Pace {
    due: Option<Instant>,
}

impl Pace {
    /// True when the picture taken now is one of the `fps` a second to send.
    pub fn takes(&mut self, now: Instant, fps: u32) -> bool {
        let interval = Duration::from_secs(1) / fps.max(1);
        // Cameras are not punctual: a picture a third of an interval early counts.
        match self.due {
            Some(due) if now + interval / 3 < due => false,
            due => {
                // After a gap the pace starts anew instead of catching up.
                let on_time = due.filter(|due| *due + interval > now);
                self.due = Some(on_time.unwrap_or(now) + interval);
                true
            }
        }
    }
}

/// The size a picture is sent with: its own, or as many pixels as the rung has in the same shape. Even numbers.
pub fn size_within(rung: Rung, width: u32, height: u32) -> (u32, u32) {
    let (own, most) = (f64::from(width * height), f64::from(rung.width * rung.height));
    if own <= most {
        return (width, height);
    }
    let scale = (most / own).sqrt();
    let even = |length: u32| (((f64::from(length) * scale / 2.0).round() as u32) * 2).max(2);
    (even(width), even(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn pictures_are_thinned_out_evenly() {
        for (camera, wanted, taken) in [
            (30, 30, 300),
            (30, 20, 200),
            (30, 15, 150),
            (30, 10, 100),
            (25, 20, 200),
            (15, 30, 150),
        ] {
            let (mut pace, start) = (Pace::default(), Instant::now());
            // Up to 4 ms of unpunctuality either way.
            let times =
                (0..camera * 10).map(|n| start + 4 * MS + Duration::from_secs(1) / camera * n + MS * (n * 7 % 9));
            let count = times.filter(|at| pace.takes(*at, wanted)).count() as i32;
            assert!(
                (count - taken).abs() <= taken / 25,
                "{camera} to {wanted}: {count} in ten seconds"
            );
        }
    }

    #[test]
    fn pictures_keep_their_shape() {
        let rung = super::super::ladder::Ladder::starting_at(350_000).rung();
        assert_eq!((rung.width, rung.height), (640, 360));
        assert_eq!(size_within(rung, 1_280, 720), (640, 360));
        assert_eq!(size_within(rung, 640, 480), (554, 416));
        assert_eq!(size_within(rung, 320, 240), (320, 240));
        assert_eq!(size_within(rung, 720, 1_280), (360, 640));
    }
}
