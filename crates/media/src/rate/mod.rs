//! From what the network carries to what is sent: bit rates, picture size, frame rate. Pure: it is told the
//! time and what was measured, and answers with a [`Target`].
//!
//! Sound comes first. It has a share of its own, and when there is not enough for both, the picture pauses
//! ([`Target::video`] is `None`) and comes back when there is. The picture gives way in steps ([`ladder`]), down
//! quickly and up slowly, by time and bit rate alone, never by what the picture shows.
//!
//! str0m's estimator looks for more capacity only when it is asked to (`set_bitrate`'s *desired* rate), and right
//! after the request has grown. [`search`] decides when to ask.

mod brake;
pub mod key_frames;
mod ladder;
pub mod pace;
pub mod path;
mod search;

pub use ladder::Rung;

use brake::Brake;
use ladder::Ladder;
use path::Backlog;
use search::Search;
use sightline_wire::agent::SMALLEST_MAX_BITRATE as SMALLEST_CAP;
use std::time::{Duration, Instant};

/// Below this estimate the picture pauses ...
const PAUSE_BELOW: u32 = 100_000;
/// ... and above this it comes back.
const RESUME_ABOVE: u32 = 140_000;
/// How long the estimate must stay there.
const PAUSE_AFTER: Duration = Duration::from_millis(800);
const RESUME_AFTER: Duration = Duration::from_millis(1_500);
/// No further picture is made while those that wait to be sent take longer than this: more than a key frame does.
const UNSENT: Duration = Duration::from_millis(300);
/// More capacity is looked for when packets have not waited for this long.
const QUIET: Duration = Duration::from_secs(3);
/// Enough for a face beside a screen, bits a second.
const FACE_BITRATE: u32 = 300_000;
/// What is sent grows by no more than this from one tenth of a second to the next: a probe may find five times as much
/// as is sent, and the estimator's measure of what arrives follows slowly: whatever looks like congestion then brings its
/// estimate down to that. At 1.25 two recoveries of a hundred went back to the small picture, at 1.12 one of a thousand.
const STEEPEST: f64 = 1.12;
/// So long what is sent stays where it started, however much the estimator hopes for.
const PROVING: Duration = Duration::from_secs(1);
/// From this share of loss on, sound is sent twice, until it is below the other one ...
const DOUBLE: (f32, f32) = (0.03, 0.01);
/// ... where the estimate leaves room for it, bits a second.
const ROOM_FOR_TWO: u32 = 250_000;
/// The encoder is told of a change of its bit rate only when it is larger than this share.
const STEP: f64 = 0.02;

/// What was measured on the way to the other side.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measured {
    /// What the path carries, bits a second of payload, as the estimator says.
    pub estimate: u32,
    /// Share of packets lost over the last second, 0 to 1, when known.
    pub loss: Option<f32>,
    /// How full the path stands, when known.
    pub backlog: Option<Backlog>,
    /// Bytes of pictures that have not even been sent yet.
    pub unsent: usize,
}

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// `None` while the path carries sound only.
    pub video: Option<VideoRate>,
    /// Always.
    pub audio: AudioRate,
    /// What the estimator should look for, bits a second.
    pub desired: u32,
}

/// The picture's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoRate {
    /// Bits a second.
    pub bitrate: u32,
    /// Size and frame rate to stay within.
    pub rung: Rung,
    /// No picture now, for less than a second: the path's queue has to empty first.
    pub hold: bool,
}

impl VideoRate {
    /// The camera's and the screen's part while a screen is shared: what is on it matters more than the face beside
    /// it, which is drawn small then.
    pub fn beside_a_screen(self) -> (Option<Self>, Option<Self>) {
        let face = (self.bitrate / 5).min(FACE_BITRATE);
        let camera = Self {
            bitrate: face,
            rung: self.rung.min(ladder::FACE),
            ..self
        };
        let screen = Self {
            bitrate: self.bitrate - face,
            ..self
        };
        (Some(camera), Some(screen))
    }
}

/// Sound's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioRate {
    /// Opus, bits a second.
    pub bitrate: u32,
    /// What Opus' in-band FEC should reckon with, in percent.
    pub loss_percent: u8,
    /// Each packet carries the one before it as well (RFC 2198).
    pub doubled: bool,
}

impl AudioRate {
    /// What it takes of the path, bits a second without headers.
    fn whole(self) -> u32 {
        self.bitrate * (1 + u32::from(self.doubled))
    }
}

/// The state of one connection's adaptation.
#[derive(Debug)]
pub struct Rate {
    cap: u32,
    start: u32,
    /// What of the estimate was used last.
    used: u32,
    /// When the path was first known to carry media.
    carrying_since: Option<Instant>,
    ladder: Ladder,
    brake: Brake,
    search: Search,
    video: VideoState,
    video_bitrate: u32,
    audio: AudioRate,
    loss: f32,
    last: Option<Instant>,
    hold: bool,
    longer_path: bool,
}

#[derive(Debug, Clone, Copy)]
enum VideoState {
    /// `low_since`: when the estimate fell below [`PAUSE_BELOW`].
    Sending { low_since: Option<Instant> },
    /// `high_since`: when it rose above [`RESUME_ABOVE`].
    Paused { high_since: Option<Instant> },
}

impl Rate {
    /// Never sends more than `cap` (picture and sound together, bits a second), and no more than `start` until the
    /// path has carried that for [`PROVING`].
    pub fn new(cap: u32, start: u32) -> Self {
        let cap = cap.max(SMALLEST_CAP);
        let audio = audio_rate(start, 0.0, false);
        let video_bitrate = start.min(cap).saturating_sub(audio.whole());
        Self {
            cap,
            start,
            used: start,
            carrying_since: None,
            ladder: Ladder::starting_at(video_bitrate),
            brake: Brake::new(cap),
            search: Search::new(cap),
            video: VideoState::Sending { low_since: None },
            video_bitrate,
            audio,
            loss: 0.0,
            last: None,
            hold: false,
            longer_path: false,
        }
    }

    /// Another cap from the next measurement on.
    pub fn cap_at(&mut self, cap: u32) {
        self.cap = cap.max(SMALLEST_CAP);
        self.brake.cap_at(self.cap);
        self.search.cap_at(self.cap);
    }

    /// What to send now.
    pub fn target(&self) -> Target {
        let video = match self.video {
            VideoState::Sending { .. } => Some(VideoRate {
                bitrate: self.video_bitrate,
                rung: self.ladder.rung(),
                hold: self.hold,
            }),
            VideoState::Paused { .. } => None,
        };
        Target {
            video,
            audio: self.audio,
            desired: self.search.desired(),
        }
    }

    /// True when the shortest delay known so far is no measure any more.
    pub fn path_is_longer(&self) -> bool {
        self.longer_path
    }

    /// True when the estimator does not look for more however it is asked, and has to start over from its estimate.
    pub fn estimator_is_stuck(&self) -> bool {
        self.search.stuck()
    }

    /// Takes what was measured in; call it about ten times a second.
    pub fn measured(&mut self, now: Instant, measured: Measured) -> Target {
        let measured = self.believed(now, measured);
        let braked = self.brake.measured(now, measured.estimate, measured.backlog);
        self.longer_path = braked.forget;
        let unsent = measured.unsent as f64 * 8.0 / f64::from(self.video_bitrate);
        self.hold = braked.hold || unsent > UNSENT.as_secs_f64();
        let estimate = measured.estimate.min(self.cap).min(braked.ceiling);
        let estimate = estimate.min((f64::from(self.used) * STEEPEST) as u32);
        self.used = estimate.max(SMALLEST_CAP);
        self.note_loss(now, measured.loss);
        self.audio = steadied(self.audio, audio_rate(estimate, self.loss, self.audio.doubled));
        self.pause_or_resume(now, estimate);
        let video = estimate.saturating_sub(self.audio.whole()).max(ladder::SMALLEST);
        if (f64::from(video) - f64::from(self.video_bitrate)).abs() > STEP * f64::from(self.video_bitrate) {
            self.video_bitrate = video;
        }
        let paused = matches!(self.video, VideoState::Paused { .. });
        if !paused {
            self.ladder.bitrate(now, video);
        }
        // Sound alone fills no path; whoever does will not leave it.
        let free = paused || self.brake.free_for(now, QUIET);
        self.search.estimate(now, measured.estimate, paused, free);
        self.target()
    }

    /// The estimator's first figure is a hope, which the path has to prove.
    fn believed(&mut self, now: Instant, measured: Measured) -> Measured {
        if measured.backlog.is_some() {
            self.carrying_since.get_or_insert(now);
        }
        let proved = self
            .carrying_since
            .is_some_and(|since| now.saturating_duration_since(since) >= PROVING);
        Measured {
            estimate: if proved {
                measured.estimate
            } else {
                measured.estimate.min(self.start)
            },
            ..measured
        }
    }

    /// Up at once, down over seconds: a burst is seldom the last.
    fn note_loss(&mut self, now: Instant, loss: Option<f32>) {
        let passed = self
            .last
            .map_or(0.0, |last| now.saturating_duration_since(last).as_secs_f32());
        self.last = Some(now);
        let decayed = self.loss * (-passed / 10.0).exp();
        self.loss = loss.unwrap_or(0.0).max(decayed);
    }

    fn pause_or_resume(&mut self, now: Instant, estimate: u32) {
        self.video = match self.video {
            VideoState::Sending { .. } if estimate >= PAUSE_BELOW => VideoState::Sending { low_since: None },
            VideoState::Sending { low_since } => match low_since {
                Some(since) if now - since >= PAUSE_AFTER => VideoState::Paused { high_since: None },
                since => VideoState::Sending {
                    low_since: since.or(Some(now)),
                },
            },
            VideoState::Paused { .. } if estimate < RESUME_ABOVE => VideoState::Paused { high_since: None },
            VideoState::Paused { high_since } => match high_since {
                Some(since) if now - since >= RESUME_AFTER => {
                    self.ladder = Ladder::starting_at(estimate.saturating_sub(self.audio.whole()));
                    VideoState::Sending { low_since: None }
                }
                since => VideoState::Paused {
                    high_since: since.or(Some(now)),
                },
            },
        };
    }
}

/// 24 to 40 kbit/s; more under loss, where FEC takes its part of them. `doubled`: until now.
fn audio_rate(estimate: u32, loss: f32, doubled: bool) -> AudioRate {
    let bitrate = match estimate {
        ..200_000 => 24_000,
        200_000..500_000 => 32_000,
        500_000.. => 40_000,
    };
    AudioRate {
        bitrate,
        // In steps, so that Opus is not set anew all the time. More than a third cannot be mended this way.
        loss_percent: [2, 5, 10, 15, 20, 30]
            .into_iter()
            .rev()
            .find(|step| f32::from(*step) <= loss * 100.0 + 0.5)
            .unwrap_or(2),
        doubled: estimate >= ROOM_FOR_TWO && loss >= if doubled { DOUBLE.1 } else { DOUBLE.0 },
    }
}

/// `new`, unless it differs from `old` only by standing a little on the other side of a border.
fn steadied(old: AudioRate, new: AudioRate) -> AudioRate {
    AudioRate {
        loss_percent: match new.loss_percent {
            lower if lower < old.loss_percent && old.loss_percent - lower <= 2 && lower > 2 => old.loss_percent,
            other => other,
        },
        ..new
    }
}

#[cfg(test)]
mod tests;
