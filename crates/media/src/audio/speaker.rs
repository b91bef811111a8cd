//! The speaker: pulls sound from the playout buffer, and tells the echo canceller what it played.

use super::{AudioFrame, FRAME, devices, microphone::report, playout::Playout};
use cpal::{
    FromSample, SampleFormat, SizedSample, Stream, StreamConfig,
    traits::{DeviceTrait, StreamTrait},
};
use sightline_wire::{ErrorCode, Problem, device::DeviceKind};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A speaker that is missing or lost is tried again this often.
const RETRY: Duration = Duration::from_secs(1);

/// What the speaker's thread says.
pub enum SpeakerEvent {
    /// It plays.
    Ready,
    /// It does not.
    Fault(Problem),
}

enum Word {
    Lost(String),
    Stop,
}

/// A running speaker. Dropping it closes the device and joins the thread.
pub struct SpeakerThread {
    words: mpsc::Sender<Word>,
    thread: Option<JoinHandle<()>>,
}

impl SpeakerThread {
    /// Opens the speaker (or goes on trying); `None` takes the system's default. `played` gets every 10 ms
    /// as it is handed to the device.
    pub fn start(
        id: Option<String>,
        playout: Arc<Mutex<Playout>>,
        played: impl Fn(&AudioFrame) + Clone + Send + 'static,
        events: impl Fn(SpeakerEvent) + Send + 'static,
    ) -> Self {
        let (words, incoming) = mpsc::channel();
        let own = words.clone();
        let run = move || loop {
            let lost = own.clone();
            let lost = move |reason| {
                // The thread is gone only while this stream is being closed.
                let _ = lost.send(Word::Lost(reason));
            };
            let problem = match open(id.as_deref(), playout.clone(), played.clone(), lost) {
                Ok(_stream) => {
                    events(SpeakerEvent::Ready);
                    match incoming.recv() {
                        Ok(Word::Lost(reason)) => tracing::warn!(reason, "speaker lost"),
                        Ok(Word::Stop) | Err(_) => return,
                    }
                    Problem::new(ErrorCode::SpeakerMissing)
                }
                Err(problem) => problem,
            };
            events(SpeakerEvent::Fault(problem));
            // A second "lost" of the old stream only shortens the wait.
            if matches!(
                incoming.recv_timeout(RETRY),
                Ok(Word::Stop) | Err(mpsc::RecvTimeoutError::Disconnected)
            ) {
                return;
            }
        };
        let thread = thread::Builder::new()
            .name("speaker".into())
            .spawn(run)
            .expect("the system starts threads");
        Self {
            words,
            thread: Some(thread),
        }
    }
}

impl Drop for SpeakerThread {
    fn drop(&mut self) {
        // The thread may have ended by itself already.
        let _ = self.words.send(Word::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic there is a bug that its own message has reported.
            let _ = thread.join();
        }
    }
}

fn open(
    id: Option<&str>,
    playout: Arc<Mutex<Playout>>,
    played: impl Fn(&AudioFrame) + Send + 'static,
    lost: impl Fn(String) + Send + 'static,
) -> Result<Stream, Problem> {
    let missing = |error: cpal::Error| {
        tracing::warn!(%error, "speaker");
        Problem::new(ErrorCode::SpeakerMissing)
    };
    let device = devices::find(id, DeviceKind::Speaker).ok_or(ErrorCode::SpeakerMissing)?;
    let (config, format) = devices::config(&device.default_output_config().map_err(missing)?);
    let source = Source {
        playout,
        played,
        left: VecDeque::with_capacity(2 * FRAME),
    };
    let stream = match format {
        SampleFormat::I16 => build::<i16, _>(&device, config, source, lost),
        _ => build::<f32, _>(&device, config, source, lost),
    };
    let stream = stream.map_err(missing)?;
    stream.play().map_err(missing)?;
    Ok(stream)
}

fn build<T, P>(
    device: &cpal::Device,
    config: StreamConfig,
    mut source: Source<P>,
    lost: impl Fn(String) + Send + 'static,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<f32>,
    P: Fn(&AudioFrame) + Send + 'static,
{
    let channels = config.channels as usize;
    let fill = move |out: &mut [T], _: &cpal::OutputCallbackInfo| {
        for all in out.chunks_exact_mut(channels) {
            all.fill(T::from_sample(source.next()));
        }
    };
    device.build_output_stream(config, fill, move |error| report(&error, &lost), None)
}

struct Source<P> {
    playout: Arc<Mutex<Playout>>,
    played: P,
    left: VecDeque<f32>,
}

impl<P: Fn(&AudioFrame)> Source<P> {
    fn next(&mut self) -> f32 {
        if self.left.is_empty() {
            // Held for a pull of 10 ms or a push of one packet: some microseconds either way.
            let frame = self
                .playout
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pull(Instant::now());
            (self.played)(&frame);
            self.left.extend(frame);
        }
        self.left.pop_front().unwrap_or(0.0)
    }
}
