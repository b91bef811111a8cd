//! From encoded pictures to the window, on a thread of its own.

use crate::{
    pacing::Pacing,
    painter::{Frame, Painter, Tile},
    sync::Shown,
    vp8::Decoder,
    work::Work,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// More waiting pictures than this are half a second of delay: better a gap and a fresh key frame.
const QUEUE: usize = 15;
/// Decoded pictures that wait to be shown: at 30 a second, more than sound ever asks them to wait.
const WAITING: usize = 12;
/// Pictures whose showing is remembered for synchronisation.
const REMEMBERED: usize = 60;

/// What the decoder tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecoderEvent {
    /// The first picture of a connection was shown.
    First,
    /// The stream is damaged until the next key frame.
    Damaged,
}

/// One received picture.
pub struct Picture {
    /// RTP time, 90 kHz.
    pub time: u64,
    /// When it was complete.
    pub at: Instant,
    /// VP8.
    pub data: Arc<[u8]>,
    /// Decodable without any other.
    pub key: bool,
    /// Nothing was lost before it.
    pub contiguous: bool,
}

/// Counters the quality figures read.
#[derive(Default)]
pub struct Decoded {
    /// Since the thread started.
    pub frames: AtomicU64,
    /// Of the newest.
    pub width: AtomicU32,
    /// Of the newest.
    pub height: AtomicU32,
    /// A picture did not fit into the queue: what follows cannot be decoded.
    overrun: AtomicBool,
    leave_picture: AtomicBool,
    /// How long pictures wait for their sound, in milliseconds.
    pub extra_ms: AtomicU32,
    shown: Mutex<Vec<Shown>>,
    /// Decoding and showing.
    pub work: Work,
}

impl Decoded {
    /// Which pictures were shown when, since the last call.
    pub fn take_shown(&self) -> Vec<Shown> {
        std::mem::take(&mut *self.shown.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_shown(&self, shown: Shown) {
        let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < REMEMBERED {
            all.push(shown);
        }
    }
}

/// A running decoder. Dropping it usually clears the picture and joins the thread.
pub struct DecoderThread {
    pictures: Option<SyncSender<Picture>>,
    thread: Option<JoinHandle<()>>,
    /// What it has done so far.
    pub decoded: Arc<Decoded>,
}

impl DecoderThread {
    /// Starts without a picture.
    pub fn start(painter: Arc<dyn Painter>, events: impl Fn(DecoderEvent) + Send + 'static) -> Self {
        let (pictures, queue) = mpsc::sync_channel::<Picture>(QUEUE);
        let decoded = Arc::new(Decoded::default());
        let counters = decoded.clone();
        let run = move || {
            let mut stage = Stage {
                painter,
                counters,
                pacing: Pacing::default(),
                waiting: VecDeque::with_capacity(WAITING),
                events,
            };
            stage.run(&queue);
            if !stage.counters.leave_picture.load(Relaxed) {
                stage.painter.paint(Tile::Remote, None);
            }
        };
        let thread = thread::Builder::new()
            .name("decoder".into())
            .spawn(run)
            .expect("the system starts threads");
        Self {
            pictures: Some(pictures),
            thread: Some(thread),
            decoded,
        }
    }

    /// Its last picture stays on the screen when it ends: the next connection's takes its place.
    pub fn leave_picture(&self) {
        self.decoded.leave_picture.store(true, Relaxed);
    }

    /// Hands a picture over; false when the decoder is too far behind and a key frame is needed.
    pub fn push(&self, picture: Picture) -> bool {
        let Some(pictures) = &self.pictures else { return true };
        let full = matches!(pictures.try_send(picture), Err(TrySendError::Full(_)));
        self.decoded.overrun.fetch_or(full, Relaxed);
        !full
    }
}

impl Drop for DecoderThread {
    fn drop(&mut self) {
        drop(self.pictures.take());
        if let Some(thread) = self.thread.take() {
            // A panic there is a bug that its own message has reported.
            let _ = thread.join();
        }
    }
}

/// Decodes at once and shows in time.
struct Stage<E> {
    painter: Arc<dyn Painter>,
    counters: Arc<Decoded>,
    pacing: Pacing,
    /// In the order of their RTP times.
    waiting: VecDeque<Due>,
    events: E,
}

struct Due {
    at: Instant,
    time: u64,
    frame: Frame,
}

impl<E: Fn(DecoderEvent)> Stage<E> {
    fn run(&mut self, queue: &Receiver<Picture>) {
        let mut stream = Stream {
            decoder: None,
            intact: false,
        };
        let counters = self.counters.clone();
        loop {
            let next = match self.waiting.front() {
                None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => queue.recv_timeout(due.at.saturating_duration_since(Instant::now())),
            };
            let _working = counters.work.begin();
            match next {
                Ok(picture) => {
                    if stream.decoder.is_none() {
                        tracing::debug!(
                            key = picture.key,
                            bytes = picture.data.len(),
                            "the first picture is complete"
                        );
                    }
                    stream.intact &= !self.counters.overrun.swap(false, Relaxed);
                    match stream.decode(&picture) {
                        Step::Frame(frame) => self.take(&picture, frame),
                        Step::Nothing => {}
                        Step::Damaged => (self.events)(DecoderEvent::Damaged),
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.show(Instant::now());
        }
    }

    fn take(&mut self, picture: &Picture, frame: Frame) {
        self.counters.width.store(frame.width, Relaxed);
        self.counters.height.store(frame.height, Relaxed);
        let extra = Duration::from_millis(self.counters.extra_ms.load(Relaxed).into());
        let at = self.pacing.due(picture.time, picture.at, extra);
        self.waiting.push_back(Due {
            at,
            time: picture.time,
            frame,
        });
    }

    /// Shows all pictures that are due, and the oldest when there is no room for more.
    fn show(&mut self, now: Instant) {
        while let Some(due) = self.waiting.front()
            && (due.at <= now || self.waiting.len() > WAITING)
        {
            let Some(due) = self.waiting.pop_front() else { return };
            self.painter.paint(Tile::Remote, Some(Arc::new(due.frame)));
            self.counters.note_shown(Shown {
                time: due.time,
                at: now,
            });
            if self.counters.frames.fetch_add(1, Relaxed) == 0 {
                tracing::debug!("the first picture is handed to the window");
                (self.events)(DecoderEvent::First);
            }
        }
    }
}

enum Step {
    Frame(Frame),
    Nothing,
    Damaged,
}

/// After a loss the last good picture stays until a key frame: better still than torn.
struct Stream {
    decoder: Option<Decoder>,
    intact: bool,
}

impl Stream {
    fn decode(&mut self, picture: &Picture) -> Step {
        self.intact = picture.key || self.intact && picture.contiguous;
        if !self.intact {
            return Step::Damaged;
        }
        if self.decoder.is_none() {
            self.decoder = Decoder::new()
                .inspect_err(|error| tracing::error!(%error, "no decoder"))
                .ok();
        }
        match self.decoder.as_mut().map(|decoder| decoder.decode(&picture.data)) {
            Some(Ok(Some(frame))) => Step::Frame(frame),
            Some(Ok(None)) => Step::Nothing,
            Some(Err(_)) | None => {
                self.intact = false;
                Step::Damaged
            }
        }
    }
}
