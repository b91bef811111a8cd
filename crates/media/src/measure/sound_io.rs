//! Microphones and speakers as they are: every channel, at the device's own rate, without echo canceller, noise
//! suppression and gain.

use super::{
    apart::{Apart, Stop},
    mute, plain,
};
use crate::audio::{FRAME, RATE, devices, microphone};
use cpal::{
    FromSample, Sample, SampleFormat, SizedSample, Stream, StreamConfig,
    traits::{DeviceTrait, StreamTrait},
};
use sightline_call::readiness::figures::SoundTrouble;
use sightline_wire::{Problem, device::DeviceKind, readiness::DeviceIdentity};
use std::{
    sync::mpsc::SyncSender,
    time::{Duration, Instant},
};

/// Words that wait to be read: ten seconds of a device's callbacks.
const WAITING: usize = 1_024;
/// The time of one frame of a source that is no device.
const PACE: Duration = Duration::from_millis(10);

/// A device that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub identity: DeviceIdentity,
    /// By the system's mixer, where that tells.
    pub muted: Option<bool>,
}

/// From a microphone.
pub(super) enum Heard {
    Found(Found),
    /// What its samples are like.
    Begins {
        channels: u8,
        rate: u32,
    },
    /// Interleaved, and when they were handed over.
    Samples(Vec<f32>, Instant),
    Failed(SoundTrouble),
}

/// From a speaker.
pub(super) enum Played {
    Found(Found),
    /// Samples a second.
    Begins {
        rate: u32,
    },
    /// The sound from this sample on was taken, and when.
    Took(u64, Instant),
    Failed(SoundTrouble),
}

/// Opens a microphone (`None`: the system's default) and listens until dropped.
pub(super) fn listen(id: Option<&str>) -> Apart<Heard> {
    let id = id.map(str::to_owned);
    Apart::start("microphone measure", WAITING, move |words, stop| {
        if let Err(trouble) = hear(id.as_deref(), &words, &stop) {
            // Whoever listens has gone only when the run is over.
            let _ = words.send(Heard::Failed(trouble));
        }
    })
}

/// Opens a speaker (`None`: the system's default) and plays what `sound` makes for its rate, once, then silence,
/// until dropped.
pub(super) fn play(id: Option<&str>, sound: impl FnOnce(u32) -> Vec<f32> + Send + 'static) -> Apart<Played> {
    let id = id.map(str::to_owned);
    Apart::start("speaker measure", WAITING, move |words, stop| {
        if let Err(trouble) = speak(id.as_deref(), sound, &words, &stop) {
            // As above.
            let _ = words.send(Played::Failed(trouble));
        }
    })
}

fn hear(id: Option<&str>, words: &SyncSender<Heard>, stop: &Stop) -> Result<(), SoundTrouble> {
    if let Some((id, samples)) = id.and_then(|id| Some((id, microphone::samples(id)?))) {
        return repeat(id, samples, words, stop);
    }
    let device = devices::find(id, DeviceKind::Microphone).ok_or(SoundTrouble::Missing)?;
    // Nobody listens any more: the stop comes at once.
    let _ = words.send(Heard::Found(found(&device, DeviceKind::Microphone)));
    let (config, format) = devices::config(&device.default_input_config().map_err(trouble)?);
    let _ = words.send(Heard::Begins {
        channels: config.channels as u8,
        rate: config.sample_rate,
    });
    let stream = match format {
        SampleFormat::I16 => capture::<i16>(&device, config, words),
        _ => capture::<f32>(&device, config, words),
    };
    let stream = stream.map_err(trouble)?;
    stream.play().map_err(trouble)?;
    stop.wait();
    Ok(())
}

/// A file or a tone, at the pace of a device.
fn repeat(
    id: &str,
    samples: Result<Vec<f32>, Problem>,
    words: &SyncSender<Heard>,
    stop: &Stop,
) -> Result<(), SoundTrouble> {
    let listed = devices::list().into_iter().find(|device| device.id == id);
    let name = listed.ok_or(SoundTrouble::Missing)?.name;
    let identity = DeviceIdentity {
        kind: DeviceKind::Microphone,
        id: id.to_owned(),
        name,
    };
    let mut told = words.send(Heard::Found(Found { identity, muted: None })).is_ok();
    let samples = samples.map_err(|problem| broken(&problem.message))?;
    told &= words
        .send(Heard::Begins {
            channels: 1,
            rate: RATE,
        })
        .is_ok();
    let mut next = Instant::now();
    let mut endless = samples.iter().copied().cycle();
    while told && !stop.wait_until(next) {
        let mut frame: Vec<f32> = endless.by_ref().take(FRAME).collect();
        // An empty file is silence.
        frame.resize(FRAME, 0.0);
        told = words.send(Heard::Samples(frame, Instant::now())).is_ok();
        next += PACE;
    }
    Ok(())
}

fn speak(
    id: Option<&str>,
    sound: impl FnOnce(u32) -> Vec<f32>,
    words: &SyncSender<Played>,
    stop: &Stop,
) -> Result<(), SoundTrouble> {
    let device = devices::find(id, DeviceKind::Speaker).ok_or(SoundTrouble::Missing)?;
    // As in `hear`.
    let _ = words.send(Played::Found(found(&device, DeviceKind::Speaker)));
    let (config, format) = devices::config(&device.default_output_config().map_err(trouble)?);
    let rate = config.sample_rate;
    let _ = words.send(Played::Begins { rate });
    let sound = sound(rate);
    let stream = match format {
        SampleFormat::I16 => render::<i16>(&device, config, sound, words),
        _ => render::<f32>(&device, config, sound, words),
    };
    let stream = stream.map_err(trouble)?;
    stream.play().map_err(trouble)?;
    stop.wait();
    Ok(())
}

fn capture<T>(device: &cpal::Device, config: StreamConfig, words: &SyncSender<Heard>) -> Result<Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let (words, lost) = (words.clone(), words.clone());
    let take = move |data: &[T], _: &cpal::InputCallbackInfo| {
        let samples = data.iter().map(|&sample| f32::from_sample(sample)).collect();
        // Full only when nobody has read for ten seconds; a callback must not wait.
        let _ = words.try_send(Heard::Samples(samples, Instant::now()));
    };
    let failed = move |error: cpal::Error| {
        microphone::report(&error, &|_| {
            let _ = lost.try_send(Heard::Failed(trouble(error.clone())));
        });
    };
    device.build_input_stream(config, take, failed, None)
}

fn render<T>(
    device: &cpal::Device,
    config: StreamConfig,
    sound: Vec<f32>,
    words: &SyncSender<Played>,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<f32>,
{
    let channels = config.channels as usize;
    let (words, lost) = (words.clone(), words.clone());
    let mut at = 0;
    let give = move |out: &mut [T], _: &cpal::OutputCallbackInfo| {
        let now = Instant::now();
        for (frame, n) in out.chunks_exact_mut(channels).zip(at..) {
            frame.fill(T::from_sample(sound.get(n).copied().unwrap_or(0.0)));
        }
        // As in `capture`.
        let _ = words.try_send(Played::Took(at as u64, now));
        at += out.len() / channels;
    };
    let failed = move |error: cpal::Error| {
        microphone::report(&error, &|_| {
            let _ = lost.try_send(Played::Failed(trouble(error.clone())));
        });
    };
    device.build_output_stream(config, give, failed, None)
}

fn found(device: &cpal::Device, kind: DeviceKind) -> Found {
    let id = device.id().map(|id| id.to_string()).unwrap_or_default();
    let name = device.description().map(|description| description.name().to_owned());
    Found {
        muted: mute::system_muted(kind, Some(&id)),
        identity: DeviceIdentity {
            kind,
            name: name.unwrap_or_else(|_| id.clone()),
            id,
        },
    }
}

fn trouble(error: cpal::Error) -> SoundTrouble {
    tracing::info!(%error, "sound device");
    match error.kind() {
        cpal::ErrorKind::DeviceBusy => SoundTrouble::Busy { by: None },
        cpal::ErrorKind::PermissionDenied => SoundTrouble::Denied,
        cpal::ErrorKind::DeviceNotAvailable => SoundTrouble::Missing,
        _ => broken(&error.to_string()),
    }
}

fn broken(words: &str) -> SoundTrouble {
    SoundTrouble::Broken { detail: plain(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_driver_says_becomes_what_it_means() {
        let of = |kind| trouble(cpal::Error::new(kind));
        assert_eq!(of(cpal::ErrorKind::DeviceBusy), SoundTrouble::Busy { by: None });
        assert_eq!(of(cpal::ErrorKind::PermissionDenied), SoundTrouble::Denied);
        assert_eq!(of(cpal::ErrorKind::DeviceNotAvailable), SoundTrouble::Missing);
        assert!(matches!(
            of(cpal::ErrorKind::UnsupportedConfig),
            SoundTrouble::Broken { .. }
        ));
    }
}
