//! The microphone: capture, cleaning and Opus, on a thread of its own.

use super::{
    AudioFrame, FRAME, PACKET, RATE, devices,
    processing::MicrophoneProcessing,
    target::{AudioTarget, Settings},
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

/// A microphone that is lost is tried again this often.
const RETRY: Duration = Duration::from_secs(1);
/// A microphone that says nothing for this long is lost, whatever its driver says.
const SILENCE: Duration = Duration::from_secs(3);

/// What the microphone's thread says.
pub enum MicrophoneEvent {
    /// 20 ms of Opus.
    Packet {
        /// Opus.
        data: Vec<u8>,
        /// In samples since the thread started.
        time: u64,
        /// When the last sample came.
        taken: Instant,
    },
    /// Sound is coming.
    Ready,
    /// It is not.
    Fault(Problem),
}

/// What reaches the thread.
pub enum Sound {
    /// From the device: mono, any length.
    Captured(Vec<f32>),
    /// What the speaker plays, for the echo canceller.
    Played(AudioFrame),
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
            loop {
                let end = match Input::open(id.as_deref(), &own) {
                    Ok(input) => uplink.run(&input, &incoming),
                    Err(problem) => End::Fault(problem),
                };
                let End::Fault(problem) = end else { break };
                (uplink.events)(MicrophoneEvent::Fault(problem));
                if stopped_within(&incoming, RETRY) {
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
            Ok(Sound::Captured(_) | Sound::Played(_) | Sound::Lost(_)) => {}
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

/// An open source of sound.
enum Input {
    Device(#[expect(dead_code, reason = "held open, closed on drop")] Stream),
    Samples { samples: Vec<f32> },
}

impl Input {
    fn open(id: Option<&str>, sounds: &Sender<Sound>) -> Result<Self, Problem> {
        if id == Some(devices::SYNTHETIC_MICROPHONE) {
            return Ok(Self::Samples { samples: test_tone() });
        }
        if let Some(path) = id.and_then(crate::files::path) {
            let samples = wav::read(&path).map_err(|error| {
                Problem::new(ErrorCode::MicrophoneMissing).saying(format!("The sound file cannot be used: {error}."))
            })?;
            return Ok(Self::Samples { samples });
        }
        let missing = |error: cpal::Error| {
            tracing::warn!(%error, "microphone");
            Problem::new(ErrorCode::MicrophoneMissing)
        };
        let device = devices::find(id, DeviceKind::Microphone).ok_or(ErrorCode::MicrophoneMissing)?;
        let (config, format) = devices::config(&device.default_input_config().map_err(missing)?);
        let stream = match format {
            SampleFormat::I16 => build::<i16>(&device, config, sounds),
            _ => build::<f32>(&device, config, sounds),
        };
        let stream = stream.map_err(missing)?;
        stream.play().map_err(missing)?;
        Ok(Self::Device(stream))
    }
}

fn build<T>(device: &cpal::Device, config: StreamConfig, sounds: &Sender<Sound>) -> Result<Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = config.channels as usize;
    let (sounds, lost) = (sounds.clone(), sounds.clone());
    let capture = move |data: &[T], _: &cpal::InputCallbackInfo| {
        let mono = data
            .chunks_exact(channels)
            .map(|all| all.iter().map(|&s| f32::from_sample(s)).sum::<f32>() / channels as f32);
        // The thread is gone only while this stream is being closed.
        let _ = sounds.send(Sound::Captured(mono.collect()));
    };
    let failed = move |error| {
        report(&error, &|text| {
            let _ = lost.send(Sound::Lost(text));
        });
    };
    device.build_input_stream(config, capture, failed, None)
}

/// Tells a lost device from the small hiccups that streams report too.
pub(super) fn report(error: &cpal::Error, lost: &dyn Fn(String)) {
    match error.kind() {
        cpal::ErrorKind::Xrun | cpal::ErrorKind::DeviceChanged | cpal::ErrorKind::RealtimeDenied => {
            tracing::debug!(%error, "sound stream");
        }
        _ => lost(error.to_string()),
    }
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
}

/// Cleans, encodes and counts time over all devices the thread has had.
struct Uplink<E> {
    on: Arc<AtomicBool>,
    target: Arc<AudioTarget>,
    events: E,
    processing: MicrophoneProcessing,
    encoder: Encoder,
    settings: Option<Settings>,
    packet: Vec<f32>,
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
            encoder,
            settings: None,
            packet: Vec::with_capacity(PACKET),
            time: 0,
            silent: false,
        }
    }

    fn run(&mut self, input: &Input, incoming: &Receiver<Sound>) -> End {
        match input {
            Input::Device(_) => self.run_device(incoming),
            Input::Samples { samples } => self.run_samples(samples, incoming),
        }
    }

    fn run_device(&mut self, incoming: &Receiver<Sound>) -> End {
        let mut waiting: Vec<f32> = Vec::with_capacity(4 * FRAME);
        let mut ready = false;
        let mut heard = Instant::now();
        loop {
            match incoming.recv_timeout((heard + SILENCE).saturating_duration_since(Instant::now())) {
                Ok(Sound::Captured(samples)) => {
                    heard = Instant::now();
                    if !ready {
                        ready = true;
                        (self.events)(MicrophoneEvent::Ready);
                    }
                    waiting.extend(samples);
                    let (frames, _) = waiting.as_chunks::<FRAME>();
                    let used = frames.len() * FRAME;
                    for frame in frames {
                        let clean = self.processing.near_end(frame);
                        self.send(&clean);
                    }
                    waiting.drain(..used);
                }
                Ok(Sound::Played(frame)) => self.processing.far_end(&frame),
                Ok(Sound::Lost(reason)) => {
                    tracing::warn!(reason, "microphone lost");
                    return End::Fault(ErrorCode::MicrophoneLost.into());
                }
                Err(RecvTimeoutError::Timeout) => return End::Fault(ErrorCode::MicrophoneLost.into()),
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
                Ok(Sound::Captured(_) | Sound::Played(_) | Sound::Lost(_)) => {}
                Err(RecvTimeoutError::Timeout) => {
                    let frame: AudioFrame =
                        std::array::from_fn(|n| samples.get((at + n) % samples.len().max(1)).copied().unwrap_or(0.0));
                    at += FRAME;
                    next += Duration::from_millis(10);
                    self.send(&frame);
                }
            }
        }
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
                    taken: Instant::now(),
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
