//! Keeps picture and sound together, within 100 ms (EN 301 549, 6.5.4) and closer where people notice.
//!
//! Pure. Each stream's sender reports (RFC 3550, 6.4.1) say which moment of the customer's clock an RTP time is;
//! what is heard and what is shown are compared there. The earlier of the two waits, in small steps.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Sound may come this much before its picture, in milliseconds: earlier is unnatural and noticed
/// (ITU-R BT.1359: from 45 ms).
const SOUND_EARLY: f64 = 40.0;
/// Sound may come this much after it: from afar it does so in nature (BT.1359: noticed from 125 ms).
const SOUND_LATE: f64 = 70.0;
/// Largest change a second, in milliseconds: sound is stretched for it.
const STEP: f64 = 40.0;
/// Neither waits longer for the other than this, in milliseconds.
const MOST: f64 = 300.0;
/// How much one second's measurement counts.
const SMOOTH: f64 = 0.4;

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// RTP time of 48 kHz.
    Sound,
    /// RTP time of 90 kHz.
    Picture,
}

/// An RTP time and the moment it is heard or shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// In the stream's own clock.
    pub time: u64,
    /// On ours.
    pub at: Instant,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Waits {
    /// The playout buffer's minimum.
    pub sound: Duration,
    /// What pictures wait beyond what their own network asks for.
    pub picture: Duration,
}

/// Compares and decides, once a second.
#[derive(Debug, Default)]
pub struct Sync {
    sound: Option<Report>,
    picture: Option<Report>,
    picture_after_sound: Option<f64>,
    sound_ms: f64,
    picture_ms: f64,
}

#[derive(Debug, Clone, Copy)]
struct Report {
    wall: f64,
    rtp: u64,
}

impl Sync {
    /// A sender report: `rtp` is the moment `wall` of the sender's clock.
    pub fn report(&mut self, stream: Stream, wall: SystemTime, rtp: u64) {
        let wall = wall.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let report = Some(Report { wall, rtp });
        match stream {
            Stream::Sound => self.sound = report,
            Stream::Picture => self.picture = report,
        }
    }

    /// How much later the picture is shown than the sound of the same moment is heard, in milliseconds.
    pub fn picture_after_sound_ms(&self) -> Option<f64> {
        self.picture_after_sound
    }

    /// Compares what was heard with what was shown, and decides. `sound_ms` is what the playout buffer waits at
    /// present by itself.
    pub fn decide(&mut self, heard: Option<Shown>, shown: &[Shown], sound_ms: f64) -> Waits {
        if let Some(skew) = self.compare(heard, shown) {
            let before = self.picture_after_sound.unwrap_or(skew);
            let skew = before + SMOOTH * (skew - before);
            self.picture_after_sound = Some(skew);
            // A correction needs its time; it counts as done.
            let done = self.correct(skew, sound_ms);
            self.picture_after_sound = Some(skew - done);
        }
        let wait = |ms: f64| Duration::from_secs_f64(ms.max(0.0) / 1e3);
        Waits {
            sound: wait(self.sound_ms),
            picture: wait(self.picture_ms),
        }
    }

    fn compare(&self, heard: Option<Shown>, shown: &[Shown]) -> Option<f64> {
        let (heard, sound, picture) = (heard?, self.sound?, self.picture?);
        if shown.is_empty() {
            return None;
        }
        let sound_taken = sound.moment(heard.time, 48_000.0);
        let skew = |shown: &Shown| {
            let apart = match shown.at.checked_duration_since(heard.at) {
                Some(later) => later.as_secs_f64(),
                None => -(heard.at - shown.at).as_secs_f64(),
            };
            (apart - (picture.moment(shown.time, 90_000.0) - sound_taken)) * 1e3
        };
        let mut all: Vec<f64> = shown.iter().map(skew).collect();
        all.sort_by(f64::total_cmp);
        // Clocks that are minutes apart are not to be believed.
        Some(all[all.len() / 2]).filter(|median| median.abs() < 10_000.0)
    }

    /// Changes the waits and returns by how much the skew will fall.
    fn correct(&mut self, skew: f64, sound_ms: f64) -> f64 {
        if skew > SOUND_EARLY {
            let step = (skew - SOUND_EARLY).min(STEP);
            let from_picture = step.min(self.picture_ms);
            self.picture_ms -= from_picture;
            let now = self.sound_ms.max(sound_ms);
            self.sound_ms = (now + step - from_picture).min(MOST);
            from_picture + self.sound_ms - now
        } else if skew < -SOUND_LATE {
            let step = (-SOUND_LATE - skew).min(STEP);
            let above = (self.sound_ms - sound_ms).max(0.0);
            let from_sound = step.min(above);
            if from_sound > 0.0 {
                self.sound_ms -= from_sound;
            }
            let before = self.picture_ms;
            self.picture_ms = (before + step - from_sound).min(MOST);
            -(from_sound + self.picture_ms - before)
        } else {
            0.0
        }
    }
}

impl Report {
    /// The sender's moment of an RTP time within half a wrap of the report's, in seconds.
    fn moment(&self, time: u64, rate: f64) -> f64 {
        let since = (time as u32).wrapping_sub(self.rtp as u32) as i32;
        self.wall + f64::from(since) / rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A customer whose sound takes `sound_ms` and whose picture takes `picture_ms` by themselves, watched for
    /// `seconds`; how far apart they are at the end, and what each waits.
    fn after(sound_ms: f64, picture_ms: f64, seconds: u64) -> (f64, Waits) {
        let (mut sync, start) = (Sync::default(), Instant::now());
        let wall = UNIX_EPOCH + Duration::from_secs(1_900_000_000);
        // The two RTP clocks begin anywhere, one of them shortly before its wrap.
        let (sound_rtp, picture_rtp) = (4_294_900_000u64, 77_000u64);
        let mut waits = Waits::default();
        let mut apart = 0.0;
        for second in 1..=seconds {
            let taken = Duration::from_secs(second);
            sync.report(Stream::Sound, wall + taken, sound_rtp + second * 48_000);
            sync.report(Stream::Picture, wall + taken, picture_rtp + second * 90_000);
            let heard_ms = sound_ms.max(waits.sound.as_secs_f64() * 1e3);
            let shown_ms = picture_ms + waits.picture.as_secs_f64() * 1e3;
            apart = shown_ms - heard_ms;
            let heard = Shown {
                time: sound_rtp + second * 48_000,
                at: start + taken + Duration::from_secs_f64(heard_ms / 1e3),
            };
            let shown = Shown {
                time: picture_rtp + second * 90_000,
                at: start + taken + Duration::from_secs_f64(shown_ms / 1e3),
            };
            waits = sync.decide(Some(heard), &[shown], sound_ms);
        }
        (apart, waits)
    }

    #[test]
    fn nearby_is_left_alone() {
        for (sound, picture) in [(60.0, 30.0), (40.0, 75.0), (90.0, 25.0)] {
            assert_eq!(after(sound, picture, 20).1, Waits::default());
        }
    }

    #[test]
    fn the_earlier_one_waits_until_both_are_near() {
        let (apart, waits) = after(50.0, 240.0, 12);
        assert!(apart.abs() < 60.0, "{apart} ms");
        assert!(waits.sound > Duration::from_millis(150) && waits.picture.is_zero());
        let (apart, waits) = after(260.0, 40.0, 12);
        assert!(apart.abs() < 80.0, "{apart} ms");
        assert!(waits.picture > Duration::from_millis(120) && waits.sound.is_zero());
    }

    #[test]
    fn without_reports_nothing_is_decided() {
        let mut sync = Sync::default();
        let now = Instant::now();
        let waits = sync.decide(Some(Shown { time: 1, at: now }), &[Shown { time: 2, at: now }], 40.0);
        assert_eq!((waits, sync.picture_after_sound_ms()), (Waits::default(), None));
    }

    #[test]
    fn clocks_that_cannot_be_right_are_ignored() {
        let mut sync = Sync::default();
        let now = Instant::now();
        sync.report(Stream::Sound, UNIX_EPOCH, 0);
        sync.report(Stream::Picture, UNIX_EPOCH + Duration::from_secs(86_400), 0);
        let waits = sync.decide(Some(Shown { time: 0, at: now }), &[Shown { time: 0, at: now }], 40.0);
        assert_eq!((waits, sync.picture_after_sound_ms()), (Waits::default(), None));
    }
}
