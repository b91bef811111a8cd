//! The microphone: capture, cleaning and Opus, on a thread of its own.

use super::{
    AudioFrame, FRAME, PACKET, RATE, devices,
    processing::MicrophoneProcessing,
    reference::Reference,
    resample::ToFrames,
    target::{AudioTarget, Settings},
    timeline::Timeline,
    wav,
};
use cpal::{
    FromSample, Sample, SampleFormat, SizedSample, Stream, StreamConfig,
    traits::{DeviceTrait, StreamTrait},
};
use opusic_c::{Application, Channels, Encoder, InbandFec, SampleRate};
use sightline_wire::{ErrorCode, Problem, device::DeviceKind};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A microphone that is missing is tried again this often.
const RETRY: Duration = Duration::from_secs(1);
/// One that is lost may be there again, or another in its place, after this time.
const RECOVER: Duration = Duration::from_millis(100);
/// The chosen microphone is looked for this often: a sound server replaces one that goes without a word.
const LOOK: Duration = Duration::from_secs(2);
/// A device that claims to be further behind than this is not believed.
const MOST_LATENCY: Duration = Duration::from_secs(1);
/// A microphone that says nothing for this long is lost, whatever its driver says.
const SILENCE: Duration = Duration::from_secs(3);

/// What the microphone's thread says.
pub enum MicrophoneEvent {
    /// 20 ms of Opus.
    Packet {
        /// Opus.
        data: Vec<u8>,
        /// Of the first sample, in samples: as many as the device has counted, and what was missed without one.
        time: u64,
        /// When the first sample was heard.
        taken: Instant,
    },
    /// Sound is coming.
    Ready,
    /// It is not.
    Fault(Problem),
}

/// What reaches the thread.
pub enum Sound {
    /// From the device: mono, any length, at its rate.
    Captured {
        /// Of any number.
        samples: Vec<f32>,
        /// When the first of them was heard.
        at: Instant,
    },
    /// What the speaker plays, for the echo canceller.
    Played {
        /// 10 ms.
        frame: AudioFrame,
        /// When it begins to be heard.
        at: Instant,
    },
    /// The device is gone.
    Lost(String),
    /// The end.
    Stop,
}

/// A running microphone. Dropping it closes the device and joins the thread.
pub struct MicrophoneThread {
    sounds: Sender<Sound>,
    thread: Option<JoinHandle<()>>,
}

impl MicrophoneThread {
    /// Opens the microphone (or goes on trying) and reports through `events`. While `on` is false silence
    /// is sent.
    pub fn start(
        id: Option<String>,
        on: Arc<AtomicBool>,
        target: Arc<AudioTarget>,
        events: impl Fn(MicrophoneEvent) + Send + 'static,
    ) -> Self {
        let (sounds, incoming) = mpsc::channel();
        let own = sounds.clone();
        let run = move || {
            let mut uplink = Uplink::new(on, target, events);
            let mut lost = false;
            loop {
                let (end, pause) = match Input::open(id.as_deref(), &own) {
                    Ok(input) => {
                        let end = uplink.run(&input, &incoming);
                        lost = matches!(end, End::Fault(_));
                        (end, RECOVER)
                    }
                    // One that was lost and is not back is not a machine without a microphone.
                    Err(problem) if lost && problem.code == ErrorCode::MicrophoneMissing => {
                        (End::Fault(ErrorCode::MicrophoneLost.into()), RETRY)
                    }
                    Err(problem) => (End::Fault(problem), RETRY),
                };
                match end {
                    End::Stopped => break,
                    End::ChosenIsBack => continue,
                    End::Fault(problem) => (uplink.events)(MicrophoneEvent::Fault(problem)),
                }
                if stopped_within(&incoming, pause) {
                    break;
                }
            }
        };
        let thread = thread::Builder::new()
            .name("microphone".into())
            .spawn(run)
            .expect("the system starts threads");
        Self {
            sounds,
            thread: Some(thread),
        }
    }

    /// Where the speaker reports what it plays.
    pub fn far_end(&self) -> Sender<Sound> {
        self.sounds.clone()
    }
}

impl Drop for MicrophoneThread {
    fn drop(&mut self) {
        // The thread may have ended by itself already.
        let _ = self.sounds.send(Sound::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic there is a bug that its own message has reported.
            let _ = thread.join();
        }
    }
}

fn stopped_within(incoming: &Receiver<Sound>, time: Duration) -> bool {
    let end = Instant::now() + time;
    loop {
        match incoming.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Sound::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Ok(Sound::Captured { .. } | Sound::Played { .. } | Sound::Lost(_)) => {}
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

/// An open source of sound.
enum Input {
    Device {
        #[expect(dead_code, reason = "held open, closed on drop")]
        stream: Stream,
        rate: u32,
        chosen: devices::Chosen,
    },
    Samples {
        samples: Vec<f32>,
    },
}

impl Input {
    fn open(id: Option<&str>, sounds: &Sender<Sound>) -> Result<Self, Problem> {
        if let Some(samples) = id.and_then(samples) {
            return Ok(Self::Samples { samples: samples? });
        }
        let failed = |error: cpal::Error| {
            tracing::warn!(%error, "microphone");
            devices::problem(DeviceKind::Microphone, &error)
        };
        let (device, stands_in) = devices::pick(id, DeviceKind::Microphone).ok_or(ErrorCode::MicrophoneMissing)?;
        let (config, format) = devices::config(&device.default_input_config().map_err(failed)?);
        let stream = match format {
            SampleFormat::I16 => build::<i16>(&device, config, sounds),
            _ => build::<f32>(&device, config, sounds),
        };
        let stream = stream.map_err(failed)?;
        stream.play().map_err(failed)?;
        Ok(Self::Device {
            stream,
            rate: config.sample_rate,
            chosen: devices::Chosen::new(id, DeviceKind::Microphone, stands_in),
        })
    }
}

fn build<T>(device: &cpal::Device, config: StreamConfig, sounds: &Sender<Sound>) -> Result<Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = config.channels as usize;
    let (sounds, lost) = (sounds.clone(), sounds.clone());
    let capture = move |data: &[T], info: &cpal::InputCallbackInfo| {
        let times = info.timestamp();
        let latency = times.callback.checked_duration_since(times.capture).unwrap_or_default();
        let now = Instant::now();
        let at = now.checked_sub(latency.min(MOST_LATENCY)).unwrap_or(now);
        let mono = data
            .chunks_exact(channels)
            .map(|all| all.iter().map(|&s| f32::from_sample(s)).sum::<f32>() / channels as f32);
        // The thread is gone only while this stream is being closed.
        let samples = mono.collect();
        let _ = sounds.send(Sound::Captured { samples, at });
    };
    let failed = move |error| {
        report(&error, &|text| {
            let _ = lost.send(Sound::Lost(text));
        });
    };
    device.build_input_stream(config, capture, failed, None)
}

/// Tells a lost device from the small hiccups that streams report too.
pub(crate) fn report(error: &cpal::Error, lost: &dyn Fn(String)) {
    match error.kind() {
        cpal::ErrorKind::Xrun | cpal::ErrorKind::DeviceChanged | cpal::ErrorKind::RealtimeDenied => {
            tracing::debug!(%error, "sound stream");
        }
        _ => lost(error.to_string()),
    }
}

/// What a microphone that is no device repeats, in samples of 48 kHz: the test tone, or a sound file. `None` for a
/// real one.
pub(crate) fn samples(id: &str) -> Option<Result<Vec<f32>, Problem>> {
    if id == devices::SYNTHETIC_MICROPHONE {
        return Some(Ok(test_tone()));
    }
    let path = crate::files::path(id)?;
    Some(wav::read(&path).map_err(|error| {
        Problem::new(ErrorCode::MicrophoneMissing).saying(format!("The sound file cannot be used: {error}."))
    }))
}

/// One second of 1 kHz in bursts of 0.4 s, so that nothing takes it for steady noise.
fn test_tone() -> Vec<f32> {
    let tone = |n: u32| 0.25 * (n as f32 * 1_000.0 * std::f32::consts::TAU / RATE as f32).sin();
    (0..RATE)
        .map(|n| if n % (RATE / 2) < RATE * 2 / 5 { tone(n) } else { 0.0 })
        .collect()
}

enum End {
    Stopped,
    Fault(Problem),
    ChosenIsBack,
}

/// Cleans, encodes and counts time over all devices the thread has had.
struct Uplink<E> {
    on: Arc<AtomicBool>,
    target: Arc<AudioTarget>,
    events: E,
    processing: MicrophoneProcessing,
    reference: Reference,
    /// When which sample was heard, over all devices.
    heard: Timeline,
    encoder: Encoder,
    settings: Option<Settings>,
    packet: Vec<f32>,
    /// Of the next packet's first sample.
    time: u64,
    /// The last packet said "silence from here on".
    silent: bool,
}

impl<E: Fn(MicrophoneEvent)> Uplink<E> {
    fn new(on: Arc<AtomicBool>, target: Arc<AudioTarget>, events: E) -> Self {
        let encoder = encoder().expect("these settings are valid for Opus");
        Self {
            on,
            target,
            events,
            processing: MicrophoneProcessing::new(),
            reference: Reference::new(),
            heard: Timeline::default(),
            encoder,
            settings: None,
            packet: Vec::with_capacity(PACKET),
            time: 0,
            silent: false,
        }
    }

    fn run(&mut self, input: &Input, incoming: &Receiver<Sound>) -> End {
        match input {
            Input::Device { rate, chosen, .. } => self.run_device(*rate, chosen, incoming),
            Input::Samples { samples } => self.run_samples(samples, incoming),
        }
    }

    fn run_device(&mut self, rate: u32, chosen: &devices::Chosen, incoming: &Receiver<Sound>) -> End {
        let mut frames = ToFrames::new(rate);
        let mut ready = false;
        let mut last = Instant::now();
        let mut look = last + LOOK;
        loop {
            let now = Instant::now();
            if now >= look {
                match chosen.news() {
                    Some(devices::News::Away) => return End::Fault(ErrorCode::MicrophoneLost.into()),
                    Some(devices::News::Back) => return End::ChosenIsBack,
                    None => look = now + LOOK,
                }
            }
            let deadline = look.min(last + SILENCE);
            match incoming.recv_timeout(deadline.saturating_duration_since(now)) {
                Ok(Sound::Captured { samples, at }) => {
                    last = Instant::now();
                    if !ready {
                        ready = true;
                        self.begin(self.next_sample(), at);
                        (self.events)(MicrophoneEvent::Ready);
                    }
                    let waiting = frames.waiting() as u64 * u64::from(RATE) / u64::from(rate);
                    self.note(self.next_sample() + waiting, at);
                    frames.push(&samples, |frame| self.hear(frame));
                }
                Ok(Sound::Played { frame, at }) => self.reference.played(&frame, at),
                Ok(Sound::Lost(reason)) => {
                    tracing::warn!(reason, "microphone lost");
                    return End::Fault(ErrorCode::MicrophoneLost.into());
                }
                Err(RecvTimeoutError::Timeout) if last.elapsed() >= SILENCE => {
                    return End::Fault(ErrorCode::MicrophoneLost.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Sound::Stop) | Err(RecvTimeoutError::Disconnected) => return End::Stopped,
            }
        }
    }

    /// A file or a tone goes out as it is: no room, no echo, no noise.
    fn run_samples(&mut self, samples: &[f32], incoming: &Receiver<Sound>) -> End {
        (self.events)(MicrophoneEvent::Ready);
        let mut next = Instant::now();
        let mut at = 0;
        loop {
            match incoming.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Sound::Stop) | Err(RecvTimeoutError::Disconnected) => return End::Stopped,
                Ok(Sound::Captured { .. } | Sound::Played { .. } | Sound::Lost(_)) => {}
                Err(RecvTimeoutError::Timeout) => {
                    let frame: AudioFrame =
                        std::array::from_fn(|n| samples.get((at + n) % samples.len().max(1)).copied().unwrap_or(0.0));
                    self.note(self.next_sample(), next);
                    at += FRAME;
                    next += Duration::from_millis(10);
                    self.send(&frame);
                }
            }
        }
    }

    /// The number of the sample that follows the last one sent or waiting for its packet.
    fn next_sample(&self) -> u64 {
        self.time + self.packet.len() as u64
    }

    /// The device heard sample number `sample` at `at`.
    fn note(&mut self, sample: u64, at: Instant) {
        let expected = self.heard.time_of(sample);
        if self.heard.note(sample, at) {
            self.go_on(sample, expected, at);
        }
    }

    /// Another device begins to hear at `at`.
    fn begin(&mut self, sample: u64, at: Instant) {
        if let Some(expected) = self.heard.time_of(sample) {
            self.go_on(sample, Some(expected), at);
        }
    }

    /// After a pause time goes on where the clock is, and the echo canceller starts afresh.
    fn go_on(&mut self, sample: u64, expected: Option<Instant>, at: Instant) {
        let missed = expected.map_or(Duration::ZERO, |expected| at.saturating_duration_since(expected));
        let packets = (missed.as_secs_f64() * f64::from(RATE)) as u64 / PACKET as u64;
        self.time += packets * PACKET as u64;
        self.heard = Timeline::default();
        self.heard.note(sample + packets * PACKET as u64, at);
        self.processing = MicrophoneProcessing::new();
    }

    /// 10 ms from the room: without echo and noise they go out.
    fn hear(&mut self, frame: &AudioFrame) {
        if let Some(at) = self.heard.time_of(self.next_sample()) {
            self.processing.far_end(&self.reference.heard(at));
        }
        let clean = self.processing.near_end(frame);
        self.send(&clean);
    }

    fn send(&mut self, frame: &AudioFrame) {
        if self.on.load(Relaxed) {
            self.packet.extend(frame);
        } else {
            self.packet.resize(self.packet.len() + FRAME, 0.0);
        }
        if self.packet.len() < PACKET {
            return;
        }
        let now = Instant::now();
        let settings = self.target.settings();
        if self.settings != Some(settings) {
            if let Err(error) = settings.apply(&mut self.encoder, self.settings) {
                tracing::error!(?error, ?settings, "Opus refuses");
            }
            self.settings = Some(settings);
        }
        let mut data = vec![0; 1_275];
        match self.encoder.encode_float_to_slice(&self.packet, &mut data) {
            // Two bytes or less say "silence" (RFC 6716, 2.1.9): once is enough, but without that one the
            // other side would take the silence for loss.
            Ok(size) if size > 2 || !std::mem::replace(&mut self.silent, true) => {
                self.silent = size <= 2;
                data.truncate(size);
                (self.events)(MicrophoneEvent::Packet {
                    data,
                    time: self.time,
                    taken: self.heard.time_of(self.time).map_or(now, |taken| taken.min(now)),
                });
            }
            Ok(_) => {}
            Err(error) => tracing::error!(?error, "sound was not encoded"),
        }
        self.time += PACKET as u64;
        self.packet.clear();
    }
}

/// Speech, with in-band correction; how much, and at which rate, [`AudioTarget`] says.
fn encoder() -> Result<Encoder, opusic_c::ErrorCode> {
    let mut encoder = Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Voip)?;
    encoder.set_inband_fec(InbandFec::Mode1)?;
    encoder.set_complexity(7)?;
    Ok(encoder)
}
