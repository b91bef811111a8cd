//! From a shared screen to encoded pictures, on a thread of its own.
//!
//! Sharp text before smooth motion: pictures keep their full size, and when the network carries less, fewer of them
//! are sent. A still screen costs nothing but a look at it.

use crate::{
    painter::Frame,
    rate::VideoRate,
    scale::{Crop, Scaler},
    screen::{self, LARGEST, Screen, ScreenFault},
    video_send::VideoTarget,
    vp8::Encoder,
};
use std::{
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// At most 15 pictures a second: a scrolled page is followed, a film is not what this is for.
const QUICKEST: Duration = Duration::from_millis(66);
/// However large a picture was, the next one comes after this at the latest.
const SLOWEST: Duration = Duration::from_secs(2);
/// A picture that stands still is encoded this many times more: each time it gets sharper.
const REFINEMENTS: u32 = 4;
const REFINE_PAUSE: Duration = Duration::from_millis(250);

/// What the screen's thread says.
pub enum ScreenEvent {
    /// Pictures are coming.
    Ready,
    /// An encoded picture.
    Picture {
        /// VP8.
        data: Vec<u8>,
        /// When it was on the screen.
        taken: Instant,
    },
    /// Sharing has ended by itself.
    Ended(ScreenFault),
}

/// A shared screen. Dropping it ends the capture and joins the thread.
pub struct ScreenThread {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ScreenThread {
    /// Opens a source by its id from [`screen::list`].
    pub fn start(id: String, target: Arc<VideoTarget>, events: impl Fn(ScreenEvent) + Send + 'static) -> Self {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            let opened = screen::open(&id);
            if let Err(fault) = opened.and_then(|screen| capture(screen, &target, &events, &stopped)) {
                tracing::info!(%fault, "sharing has ended");
                events(ScreenEvent::Ended(fault));
            }
        };
        let thread = thread::Builder::new()
            .name("screen".into())
            .spawn(run)
            .expect("the system starts threads");
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for ScreenThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there is a bug that its own message has reported.
            let _ = thread.join();
        }
    }
}

fn capture(
    mut screen: Box<dyn Screen>,
    target: &VideoTarget,
    events: &impl Fn(ScreenEvent),
    stopped: &mpsc::Receiver<()>,
) -> Result<(), ScreenFault> {
    let started = Instant::now();
    let mut scaler = Scaler::default();
    let mut encoder: Option<Encoder> = None;
    let mut newest: Option<Frame> = None;
    let mut pace = Pace::new(started);
    let mut pause = Duration::ZERO;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = QUICKEST;
        if let Some(frame) = screen.grab()?.map(|frame| fitted(&mut scaler, frame)) {
            if newest.is_none() {
                events(ScreenEvent::Ready);
            }
            if newest.as_ref() != Some(&frame) {
                newest = Some(frame);
                pace.changed();
            }
        }
        let Some(frame) = &newest else { continue };
        let rate = target.rate().filter(|_| target.open.load(Relaxed));
        let Some(VideoRate { bitrate, hold, .. }) = rate else {
            // The first picture of a connection, and after a pause, must be a key frame.
            encoder = None;
            pace.changed();
            continue;
        };
        let now = Instant::now();
        let key = target.key_frame.load(Relaxed);
        if hold || !pace.due(now, key) {
            continue;
        }
        let pts = (now - started).as_micros() as i64 * 9 / 100;
        if let Some(data) = encode(&mut encoder, frame, pts, bitrate, key) {
            target.key_frame.fetch_and(!key, Relaxed);
            pace.sent(now, data.len(), bitrate);
            events(ScreenEvent::Picture { data, taken: now });
        }
    }
    Ok(())
}

/// Not larger than what is worth sending.
fn fitted(scaler: &mut Scaler, frame: Frame) -> Frame {
    let fit = f64::min(
        f64::from(LARGEST.0) / f64::from(frame.width),
        f64::from(LARGEST.1) / f64::from(frame.height),
    );
    if fit >= 1.0 {
        return frame;
    }
    let size = |pixels: u32| (f64::from(pixels) * fit).round() as u32;
    scaler.scale(&frame, Crop::whole(&frame), size(frame.width), size(frame.height))
}

fn encode(encoder: &mut Option<Encoder>, frame: &Frame, pts: i64, bitrate: u32, key: bool) -> Option<Vec<u8>> {
    let size = (frame.width, frame.height);
    if encoder.as_ref().is_none_or(|encoder| encoder.size() != size) {
        let fresh = Encoder::for_screen(size.0, size.1, bitrate);
        *encoder = fresh.inspect_err(|error| tracing::error!(%error, "no encoder")).ok();
    }
    let encoder = encoder.as_mut()?;
    let encoded = encoder
        .set_bitrate(bitrate)
        .and_then(|()| encoder.encode(frame, pts, key));
    encoded
        .inspect_err(|error| tracing::error!(%error, "a picture was not encoded"))
        .ok()?
        .map(|encoded| encoded.data)
}

/// When the next picture may be sent: after the last one has had its time on the line. Pure.
struct Pace {
    free_at: Instant,
    /// Pictures still wanted of what is on the screen: the change itself and its refinements.
    wanted: u32,
    refine_at: Instant,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self {
            free_at: now,
            wanted: 0,
            refine_at: now,
        }
    }

    fn changed(&mut self) {
        self.wanted = 1 + REFINEMENTS;
    }

    fn due(&self, now: Instant, key: bool) -> bool {
        let refining = self.wanted <= REFINEMENTS;
        now >= self.free_at && (key || self.wanted > 0 && (!refining || now >= self.refine_at))
    }

    fn sent(&mut self, now: Instant, bytes: usize, bits_per_second: u32) {
        self.wanted = self.wanted.saturating_sub(1);
        self.refine_at = now + REFINE_PAUSE;
        let on_the_line = Duration::from_secs_f64(bytes as f64 * 8.0 / f64::from(bits_per_second.max(1)));
        self.free_at = now + on_the_line.clamp(QUICKEST, SLOWEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_gets_fewer_pictures_not_smaller_ones() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(start);
        assert!(!pace.due(start, false), "nothing to send yet");
        pace.changed();
        assert!(pace.due(start, false));
        // 50 kB at 800 kbit/s: half a second on the line.
        pace.sent(start, 50_000, 800_000);
        pace.changed();
        assert!(!pace.due(after(499), false));
        assert!(!pace.due(after(499), true), "a key frame waits for the line too");
        assert!(pace.due(after(500), false));
    }

    #[test]
    fn a_still_screen_gets_sharper_and_then_costs_nothing() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        pace.changed();
        let mut sent = 0;
        for _ in 0..100 {
            if pace.due(now, false) {
                pace.sent(now, 1_000, 1_000_000);
                sent += 1;
            }
            now += QUICKEST;
        }
        assert_eq!(sent, 1 + REFINEMENTS);
        assert!(pace.due(now, true), "whoever asks for a key frame gets one");
    }
}
