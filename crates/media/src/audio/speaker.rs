//! The speaker: pulls sound from the playout buffer, and tells the echo canceller what it played.

use super::{
    AudioFrame, FRAME, RATE, devices,
    microphone::report,
    playout::Playout,
    resample::{Resample, Steering},
};
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

/// A speaker that is missing is tried again this often.
const RETRY: Duration = Duration::from_secs(1);
/// One that is lost may be there again, or another in its place, after this time.
const RECOVER: Duration = Duration::from_millis(100);
/// The chosen speaker is looked for this often: a sound server replaces one that goes without a word.
const LOOK: Duration = Duration::from_secs(2);
/// A device that claims to be further behind than this is not believed.
const MOST_LATENCY: Duration = Duration::from_secs(1);

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
    /// Opens the speaker (or another while it is away, or goes on trying); `None` takes the system's default.
    /// `played` gets every 10 ms with the time it is heard from.
    pub fn start(
        id: Option<String>,
        playout: Arc<Mutex<Playout>>,
        played: impl Fn(&AudioFrame, Instant) + Clone + Send + 'static,
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
            let pause = match open(id.as_deref(), playout.clone(), played.clone(), lost) {
                Ok((_stream, chosen)) => {
                    events(SpeakerEvent::Ready);
                    match until_lost(&incoming, &chosen) {
                        End::Stopped => return,
                        End::ChosenIsBack => Duration::ZERO,
                        End::Lost(reason) => {
                            tracing::warn!(reason, "speaker lost");
                            events(SpeakerEvent::Fault(ErrorCode::SpeakerMissing.into()));
                            RECOVER
                        }
                    }
                }
                Err(problem) => {
                    events(SpeakerEvent::Fault(problem));
                    RETRY
                }
            };
            // A second "lost" of the old stream only shortens the wait.
            if matches!(
                incoming.recv_timeout(pause),
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

/// How a speaker's time ends.
enum End {
    Stopped,
    Lost(String),
    ChosenIsBack,
}

/// Waits for the end of an open speaker.
fn until_lost(incoming: &mpsc::Receiver<Word>, chosen: &devices::Chosen) -> End {
    loop {
        match incoming.recv_timeout(LOOK) {
            Ok(Word::Lost(reason)) => return End::Lost(reason),
            Ok(Word::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return End::Stopped,
            Err(mpsc::RecvTimeoutError::Timeout) => match chosen.news() {
                Some(devices::News::Away) => return End::Lost("it is not there any more".into()),
                Some(devices::News::Back) => return End::ChosenIsBack,
                None => {}
            },
        }
    }
}

fn open(
    id: Option<&str>,
    playout: Arc<Mutex<Playout>>,
    played: impl Fn(&AudioFrame, Instant) + Send + 'static,
    lost: impl Fn(String) + Send + 'static,
) -> Result<(Stream, devices::Chosen), Problem> {
    let failed = |error: cpal::Error| {
        tracing::warn!(%error, "speaker");
        devices::problem(DeviceKind::Speaker, &error)
    };
    let (device, stands_in) = devices::pick(id, DeviceKind::Speaker).ok_or(ErrorCode::SpeakerMissing)?;
    let (config, format) = devices::config(&device.default_output_config().map_err(failed)?);
    let source = Source::new(config.sample_rate, playout, played);
    let stream = match format {
        SampleFormat::I16 => build::<i16, _>(&device, config, source, lost),
        _ => build::<f32, _>(&device, config, source, lost),
    };
    let stream = stream.map_err(failed)?;
    stream.play().map_err(failed)?;
    Ok((stream, devices::Chosen::new(id, DeviceKind::Speaker, stands_in)))
}

fn build<T, P>(
    device: &cpal::Device,
    config: StreamConfig,
    mut source: Source<P>,
    lost: impl Fn(String) + Send + 'static,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<f32>,
    P: Fn(&AudioFrame, Instant) + Send + 'static,
{
    let channels = config.channels as usize;
    let fill = move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
        let times = info.timestamp();
        let latency = times
            .playback
            .checked_duration_since(times.callback)
            .unwrap_or_default();
        source.prepare(out.len() / channels, Instant::now(), latency.min(MOST_LATENCY));
        let frames = out.len() / channels;
        for (all, sample) in out.chunks_exact_mut(channels).zip(source.ready.drain(..frames)) {
            all.fill(T::from_sample(sample));
        }
    };
    device.build_output_stream(config, fill, move |error| report(&error, &lost), None)
}

/// From the playout buffer to one device: at its rate, steered by its clock.
pub(super) struct Source<P> {
    playout: Arc<Mutex<Playout>>,
    played: P,
    rate: u32,
    resample: Resample,
    steering: Steering,
    /// Played out and not yet resampled.
    waiting: Vec<f32>,
    /// Resampled and not yet taken by the device.
    pub ready: VecDeque<f32>,
}

impl<P: Fn(&AudioFrame, Instant)> Source<P> {
    pub fn new(rate: u32, playout: Arc<Mutex<Playout>>, played: P) -> Self {
        Self {
            playout,
            played,
            rate,
            resample: Resample::new(RATE, rate),
            steering: Steering::unheard(),
            waiting: Vec::with_capacity(4 * FRAME),
            ready: VecDeque::with_capacity(8 * FRAME),
        }
    }

    /// Makes `frames` samples ready at `now`; the first of all that are ready will be heard after `latency`.
    pub fn prepare(&mut self, frames: usize, now: Instant, latency: Duration) {
        while self.ready.len() < frames {
            while self.waiting.len() < self.resample.needed() {
                let ahead =
                    self.ready.len() as f64 / f64::from(self.rate) + self.waiting.len() as f64 / f64::from(RATE);
                let heard = latency + Duration::from_secs_f64(ahead);
                // Held for a pull of 10 ms or a push of one packet: some microseconds either way.
                let mut playout = self.playout.lock().unwrap_or_else(PoisonError::into_inner);
                let frame = playout.pull(now, heard);
                let excess = playout.excess();
                drop(playout);
                if let Some(excess) = excess {
                    // What waits here is delay too; without it the controller would follow the saw tooth of a
                    // frame that fills. With a whole frame waiting the buffer has just what it needs.
                    let excess = excess + ahead - FRAME as f64 / f64::from(RATE);
                    self.resample
                        .set_haste(self.steering.haste(excess, FRAME as f64 / f64::from(RATE)));
                }
                (self.played)(&frame, now + heard);
                self.waiting.extend_from_slice(&frame);
            }
            let needed = self.resample.needed();
            self.ready.extend(self.resample.block(&self.waiting[..needed]));
            self.waiting.drain(..needed);
        }
    }
}
