//! From encoded pictures to the window, on a thread of its own.

use crate::{
    painter::{Painter, Tile},
    vp8::Decoder,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
        mpsc::{self, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
};

/// More waiting pictures than this are half a second of delay: better a gap and a fresh key frame.
const QUEUE: usize = 15;

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
            let mut stream = Stream {
                decoder: None,
                intact: false,
            };
            for picture in queue {
                stream.intact &= !counters.overrun.swap(false, Relaxed);
                match stream.decode(&picture) {
                    Step::Frame(frame) => {
                        counters.width.store(frame.width, Relaxed);
                        counters.height.store(frame.height, Relaxed);
                        painter.paint(Tile::Remote, Some(Arc::new(frame)));
                        if counters.frames.fetch_add(1, Relaxed) == 0 {
                            events(DecoderEvent::First);
                        }
                    }
                    Step::Nothing => {}
                    Step::Damaged => events(DecoderEvent::Damaged),
                }
            }
            if !counters.leave_picture.load(Relaxed) {
                painter.paint(Tile::Remote, None);
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

enum Step {
    Frame(crate::painter::Frame),
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
