//! From the camera to encoded pictures, on a thread of its own.

use crate::{
    camera::{
        CameraFault,
        choice::{CameraChoice, Rank},
    },
    painter::{Frame, Painter, Tile},
    picture::{Crop, Scaler},
    rate::{
        VideoRate,
        pace::{Pace, size_within},
    },
    vp8::Encoder,
    work::Work,
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
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
    /// What became of it.
    pub work: Work,
}

impl VideoTarget {
    /// For one of the streams behind the gate `open`.
    pub fn new(open: Arc<AtomicBool>, rate: Option<VideoRate>) -> Self {
        Self {
            open,
            key_frame: AtomicBool::new(true),
            rate: Mutex::new(rate),
            work: Work::default(),
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
        let rate = target.rate().filter(|_| target.open.load(Relaxed));
        let Some(rate) = rate else {
            // The first picture of a connection, and after a pause, must be a key frame.
            sender.encoder = None;
            continue;
        };
        if rate.hold {
            continue;
        }
        let pts = (taken - started).as_micros() as i64 * 9 / 100;
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
