//! From the camera to encoded pictures, on a thread of its own.

use crate::{
    camera::{
        CameraFault,
        choice::{CameraChoice, Rank},
    },
    painter::{Frame, Painter, Tile},
    rate::{
        VideoRate,
        pace::{Pace, size_within},
    },
    scale::{Crop, Scaler},
    vp8::Encoder,
    work::Work,
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A camera that is lost or busy is tried again this often.
const RETRY: Duration = Duration::from_secs(1);
/// While another one stands in for it, it is looked for this often: looking may cost the other one a frame.
const LOOK: Duration = Duration::from_secs(2);

/// A first picture in advance is made anew after this long: a person who reads an invitation costs a tenth of a core.
const AHEAD_EVERY: Duration = Duration::from_millis(100);
/// One that is older is not shown any more; its camera has stopped.
const STALE: Duration = Duration::from_millis(300);

/// What the camera's thread says.
pub enum CameraEvent {
    /// An encoded picture.
    Picture {
        /// VP8.
        data: Vec<u8>,
        /// When the camera delivered it.
        taken: Instant,
    },
    /// Pictures of the chosen camera are coming.
    Ready,
    /// The chosen camera does not work; pictures of this one are coming instead.
    Instead {
        /// What is wrong with the chosen one.
        fault: CameraFault,
        /// As the device list calls it.
        name: String,
    },
    /// No picture is coming.
    Fault(CameraFault),
}

/// Settings the transport changes while the thread runs.
pub struct VideoTarget {
    /// Encode at all: false until somebody can receive it.
    pub open: Arc<AtomicBool>,
    /// Make the next picture a key frame.
    pub key_frame: AtomicBool,
    /// What the network carries; `None` while it carries sound only.
    rate: Mutex<Option<VideoRate>>,
    /// A first picture in advance.
    ahead: Mutex<Ahead>,
    /// What became of it.
    pub work: Work,
}

/// A whole picture that is ready before it may go, so that its encoding keeps nobody waiting.
enum Ahead {
    /// Nobody is about to come.
    Off,
    /// The newest, once there is one.
    On(Option<Encoded>),
}

/// A picture with the moment at which the camera delivered it.
type Encoded = (Vec<u8>, Instant);

impl VideoTarget {
    /// For one of the streams behind the gate `open`.
    pub fn new(open: Arc<AtomicBool>, rate: Option<VideoRate>) -> Self {
        Self {
            open,
            key_frame: AtomicBool::new(true),
            rate: Mutex::new(rate),
            ahead: Mutex::new(Ahead::Off),
            work: Work::default(),
        }
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is about to come, or not any more: a first picture is kept ready meanwhile.
    pub fn prepare(&self, soon: bool) {
        let mut ahead = self.ahead();
        match (&*ahead, soon) {
            (Ahead::Off, true) => *ahead = Ahead::On(None),
            (Ahead::On(_), false) => *ahead = Ahead::Off,
            (Ahead::Off, false) | (Ahead::On(_), true) => {}
        }
    }

    /// Pictures may go: the first one, if it is ready, else the next is a whole one.
    pub fn begin(&self) -> Option<Encoded> {
        let mut ahead = self.ahead();
        let ready = match std::mem::replace(&mut *ahead, Ahead::Off) {
            Ahead::On(ready) => ready.filter(|(_, taken)| taken.elapsed() < STALE),
            Ahead::Off => None,
        };
        // Under the same lock as the camera's own look at it: a picture is either handed over here or sent there.
        self.key_frame.store(ready.is_none(), Relaxed);
        self.open.store(true, Relaxed);
        ready
    }

    /// Whether it is time for a picture in advance.
    fn wants_ahead(&self) -> bool {
        match &*self.ahead() {
            Ahead::Off => false,
            Ahead::On(ready) => ready.as_ref().is_none_or(|(_, taken)| taken.elapsed() >= AHEAD_EVERY),
        }
    }

    /// Keeps it; what is given back may go at once, for the gate has opened meanwhile.
    fn keep_ahead(&self, encoded: Encoded) -> Option<Encoded> {
        let mut ahead = self.ahead();
        match &mut *ahead {
            Ahead::On(ready) => {
                *ready = Some(encoded);
                None
            }
            Ahead::Off => Some(encoded).filter(|_| self.open.load(Relaxed)),
        }
    }

    /// What the network carries from now on.
    pub fn set_rate(&self, rate: Option<VideoRate>) {
        *self.rate.lock().unwrap_or_else(PoisonError::into_inner) = rate;
    }

    /// What the network carries; `None` while that is sound only.
    pub fn rate(&self) -> Option<VideoRate> {
        *self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running camera. Dropping it closes the device and joins the thread.
pub struct CameraThread {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl CameraThread {
    /// Opens the best camera of the choice (or goes on trying) and reports through `events`.
    pub fn start(
        choice: CameraChoice,
        target: Arc<VideoTarget>,
        painter: Arc<dyn Painter>,
        events: impl Fn(CameraEvent) + Send + 'static,
    ) -> Self {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            let mut lost = None;
            while let Err(fault) = capture(&choice, lost.take(), &target, &*painter, &events, &stopped) {
                match fault {
                    // Another camera may take over at once.
                    End::Lost(fault) => lost = Some(fault),
                    End::None(fault) => {
                        tracing::warn!(%fault, "camera");
                        painter.paint(Tile::Own, None);
                        events(CameraEvent::Fault(fault));
                        if wait(&stopped, RETRY) {
                            break;
                        }
                    }
                }
            }
            painter.paint(Tile::Own, None);
        };
        let thread = thread::Builder::new()
            .name("camera".into())
            .spawn(run)
            .expect("the system starts threads");
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for CameraThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there is a bug that its own message has reported.
            let _ = thread.join();
        }
    }
}

/// Waits for the end of `stopped`'s sender; true when it came.
fn wait(stopped: &mpsc::Receiver<()>, time: Duration) -> bool {
    matches!(stopped.recv_timeout(time), Err(mpsc::RecvTimeoutError::Disconnected))
}

/// Why there is no picture any more.
enum End {
    /// The open camera has stopped.
    Lost(CameraFault),
    /// None of the choice works.
    None(CameraFault),
}

/// Sends pictures of the best camera that works. `lost` is what has just happened to the one before.
fn capture(
    choice: &CameraChoice,
    lost: Option<CameraFault>,
    target: &VideoTarget,
    painter: &dyn Painter,
    events: &impl Fn(CameraEvent),
    stopped: &mpsc::Receiver<()>,
) -> Result<(), End> {
    let opened = choice.open_better(None);
    let (mut rank, mut camera) = opened.map_err(|fault| End::None(lost.clone().unwrap_or(fault)))?;
    // What is wrong with the chosen camera, if it is another one that works.
    let fault = (rank > 0).then(|| {
        lost.or_else(|| choice.open_better(Some(1)).err())
            .unwrap_or(CameraFault::Missing)
    });
    let mut sender = Sender::default();
    let started = Instant::now();
    let mut announced: Option<Rank> = None;
    let mut look = started + LOOK;
    while !matches!(stopped.try_recv(), Err(mpsc::TryRecvError::Disconnected)) {
        if rank > 0 && Instant::now() >= look {
            look = Instant::now() + LOOK;
            if let Ok(better) = choice.open_better(Some(rank)) {
                (rank, camera) = better;
            }
        }
        let frame = camera.next_frame().map_err(|fault| match announced {
            Some(_) => End::Lost(fault),
            // One that opens and never delivers is not opened again at once.
            None => End::None(fault),
        })?;
        let frame = Arc::new(frame);
        let taken = Instant::now();
        let _working = target.work.begin();
        if announced != Some(rank) {
            announced = Some(rank);
            events(match fault.clone().filter(|_| rank > 0) {
                None => CameraEvent::Ready,
                Some(fault) => CameraEvent::Instead {
                    fault,
                    name: choice.name(rank),
                },
            });
        }
        painter.paint(Tile::Own, Some(frame.clone()));
        let pts = (taken - started).as_micros() as i64 * 9 / 100;
        let Some(rate) = target.rate() else {
            sender.encoder = None;
            continue;
        };
        if !target.open.load(Relaxed) {
            if rate.hold || !target.wants_ahead() {
                continue;
            }
            // The first picture of a connection, and after a pause, must be a key frame; so a new encoder makes it, and
            // what follows it comes from the same one.
            sender.encoder = None;
            let first = sender.encode(&frame, taken, pts, rate, target);
            if let Some((data, taken)) = first.and_then(|data| target.keep_ahead((data, taken))) {
                events(CameraEvent::Picture { data, taken });
            }
            continue;
        }
        if rate.hold {
            continue;
        }
        if let Some(data) = sender.encode(&frame, taken, pts, rate, target) {
            events(CameraEvent::Picture { data, taken });
        }
    }
    Ok(())
}

/// Thins out, scales and encodes.
#[derive(Default)]
struct Sender {
    pace: Pace,
    scaler: Scaler,
    encoder: Option<Encoder>,
}

impl Sender {
    fn encode(
        &mut self,
        frame: &Frame,
        taken: Instant,
        pts: i64,
        rate: VideoRate,
        target: &VideoTarget,
    ) -> Option<Vec<u8>> {
        if !self.pace.takes(taken, rate.rung.fps) {
            return None;
        }
        let (width, height) = size_within(rate.rung, frame.width, frame.height);
        let scaled;
        let frame = if (width, height) == (frame.width, frame.height) {
            frame
        } else {
            scaled = self.scaler.scale(frame, Crop::whole(frame), width, height);
            &scaled
        };
        if self
            .encoder
            .as_ref()
            .is_none_or(|encoder| encoder.size() != (width, height))
        {
            let fresh = Encoder::new(width, height, rate.bitrate);
            self.encoder = fresh.inspect_err(|error| tracing::error!(%error, "no encoder")).ok();
        }
        let encoder = self.encoder.as_mut()?;
        let key = target.key_frame.swap(false, Relaxed);
        let encoded = encoder
            .set_bitrate(rate.bitrate)
            .and_then(|()| encoder.encode(frame, pts, key));
        match encoded {
            Ok(Some(encoded)) => {
                target.work.finished((width, height));
                if encoded.key {
                    tracing::debug!(width, height, bytes = encoded.data.len(), "a whole picture is encoded");
                }
                Some(encoded.data)
            }
            Ok(None) => {
                // Dropped by the rate control: the wish for a key frame stays.
                target.key_frame.fetch_or(key, Relaxed);
                None
            }
            Err(error) => {
                tracing::error!(%error, "a picture was not encoded");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> VideoTarget {
        VideoTarget::new(Arc::new(AtomicBool::new(false)), None)
    }

    #[test]
    fn a_first_picture_is_made_only_while_somebody_is_about_to_come_and_goes_with_the_gate() {
        let target = target();
        assert!(!target.wants_ahead());
        target.prepare(true);
        assert!(target.wants_ahead());
        let taken = Instant::now();
        assert_eq!(target.keep_ahead((vec![1], taken)), None);
        assert!(!target.wants_ahead(), "it is new");
        target.prepare(true);
        assert_eq!(
            target.begin(),
            Some((vec![1], taken)),
            "being told again takes nothing away"
        );
        assert!(
            target.open.load(Relaxed) && !target.key_frame.load(Relaxed),
            "what follows builds on it"
        );
        assert_eq!(target.begin(), None, "it goes once");
        assert!(target.key_frame.load(Relaxed), "whoever is new gets a whole one");
    }

    #[test]
    fn one_that_is_finished_after_the_gate_has_opened_goes_by_itself() {
        let target = target();
        target.prepare(true);
        assert_eq!(target.begin(), None);
        let taken = Instant::now();
        assert_eq!(target.keep_ahead((vec![2], taken)), Some((vec![2], taken)));
    }

    #[test]
    fn one_that_is_old_or_that_nobody_waits_for_any_more_is_never_sent() {
        let target = target();
        target.prepare(true);
        let Some(old) = Instant::now().checked_sub(STALE) else {
            return;
        };
        assert_eq!(target.keep_ahead((vec![3], old)), None);
        assert!(target.wants_ahead());
        assert_eq!(target.begin(), None);
        assert!(target.key_frame.load(Relaxed));
        let target = self::target();
        target.prepare(true);
        target.prepare(false);
        assert_eq!(target.keep_ahead((vec![4], Instant::now())), None);
    }
}
