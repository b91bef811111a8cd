//! Microphones and speakers through cpal; PulseAudio first where there is one.

use cpal::{
    BufferSize, Device as CpalDevice, Host, SampleFormat, StreamConfig,
    traits::{DeviceTrait, HostTrait},
};
use sightline_wire::{
    ErrorCode, Problem,
    device::{Device, DeviceKind},
};
use std::sync::{Mutex, PoisonError};

#[cfg(target_os = "linux")]
mod cookie;

/// The tone that stands in for a microphone.
pub const SYNTHETIC_MICROPHONE: &str = "synthetic:microphone";

/// Rates that a device may have of its own.
const LOWEST_RATE: u32 = 16_000;
const HIGHEST_RATE: u32 = 192_000;

/// One connection to the sound system for the whole process: each one that cpal 0.18 opens to PulseAudio
/// leaves a thread and a socket behind when it is dropped.
static HOST: Mutex<Option<Host>> = Mutex::new(None);

/// Uses the connection, or a new one when its sound server has gone; `None` without any sound system.
fn with_host<T>(act: impl FnOnce(&Host) -> T) -> Option<T> {
    let mut kept = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.as_ref().is_none_or(|host| host.devices().is_err()) {
        *kept = open_host();
    }
    kept.as_ref().map(act)
}

/// Where sound goes on this system; `None` on a machine without a sound server and without a sound card.
#[cfg(target_os = "linux")]
fn open_host() -> Option<Host> {
    if let Err(error) = cookie::make() {
        tracing::warn!(%error, "no key for the sound server");
    }
    // ALSA's own PulseAudio plug-in loses half of the sound (docs/decisions), so the native host comes first.
    // Without a card ALSA is not even asked: it would fill the terminal with complaints.
    let pulse = cpal::host_from_id(cpal::HostId::PulseAudio).ok();
    pulse.or_else(|| std::path::Path::new("/dev/snd").exists().then(cpal::default_host))
}

#[cfg(not(target_os = "linux"))]
fn open_host() -> Option<Host> {
    Some(cpal::default_host())
}

/// All microphones and speakers, the synthetic ones last.
pub fn list() -> Vec<Device> {
    let mut devices = Vec::new();
    for device in with_host(|host| host.devices().ok()).flatten().into_iter().flatten() {
        let (Ok(id), Ok(description)) = (device.id(), device.description()) else {
            continue;
        };
        let name = description.name().to_owned();
        // A monitor hears what the speaker plays; nobody wants to send that by mistake.
        if device.supports_input() && !is_monitor(&id.to_string(), &name) {
            devices.push(Device {
                id: id.to_string(),
                kind: DeviceKind::Microphone,
                name: name.clone(),
            });
        }
        if device.supports_output() {
            devices.push(Device {
                id: id.to_string(),
                kind: DeviceKind::Speaker,
                name,
            });
        }
    }
    devices.push(Device {
        id: SYNTHETIC_MICROPHONE.into(),
        kind: DeviceKind::Microphone,
        name: "Test tone".into(),
    });
    devices.extend(crate::files::list("wav", DeviceKind::Microphone));
    devices
}

fn monitors(device: &CpalDevice) -> bool {
    let id = device.id().map(|id| id.to_string()).unwrap_or_default();
    let description = device.description();
    is_monitor(&id, description.as_ref().map_or("", |description| description.name()))
}

fn is_monitor(id: &str, name: &str) -> bool {
    id.ends_with(".monitor") || name.starts_with("Monitor of ")
}

/// Finds a microphone or speaker; `None` takes the system's default.
pub(crate) fn find(id: Option<&str>, kind: DeviceKind) -> Option<CpalDevice> {
    let wanted = id.map(str::parse).transpose().ok()?;
    with_host(|host| match &wanted {
        Some(id) => host.device_by_id(id),
        None if kind == DeviceKind::Speaker => host.default_output_device(),
        // Without a microphone PulseAudio's default is a monitor, and the customer would hear their own voice.
        None => host.default_input_device().filter(|device| !monitors(device)),
    })
    .flatten()
}

/// The chosen device if it is there, else the system's default. The flag says that it is not the chosen one.
pub(super) fn pick(id: Option<&str>, kind: DeviceKind) -> Option<(CpalDevice, bool)> {
    let chosen = find(id, kind).map(|device| (device, false));
    let instead = || find(None, kind).map(|device| (device, true));
    match id {
        None => chosen,
        Some(_) => chosen.or_else(instead),
    }
}

/// The device somebody chose, while it or another one in its place is open.
///
/// PulseAudio and PipeWire move a stream of a device that goes to the default one, and cpal hears nothing of it.
pub(super) struct Chosen {
    id: Option<String>,
    kind: DeviceKind,
    stands_in: bool,
}

/// What became of it.
pub(super) enum News {
    /// It is gone.
    Away,
    /// It is there again.
    Back,
}

impl Chosen {
    /// `stands_in`: another one is open in its place.
    pub fn new(id: Option<&str>, kind: DeviceKind, stands_in: bool) -> Self {
        let id = id.map(str::to_owned);
        Self { id, kind, stands_in }
    }

    /// Looks for it. The system's default needs no looking after: the system does it.
    pub fn news(&self) -> Option<News> {
        let id = self.id.as_deref()?;
        match (self.stands_in, find(Some(id), self.kind)) {
            (false, None) => Some(News::Away),
            (true, Some(_)) => Some(News::Back),
            (false, Some(_)) | (true, None) => None,
        }
    }
}

/// What a device's failure means to the person in front of it.
pub(super) fn problem(kind: DeviceKind, error: &cpal::Error) -> Problem {
    let busy = matches!(error.kind(), cpal::ErrorKind::DeviceBusy);
    let refused = matches!(error.kind(), cpal::ErrorKind::PermissionDenied);
    match kind {
        DeviceKind::Microphone if busy => ErrorCode::MicrophoneBusy.into(),
        DeviceKind::Speaker if busy => ErrorCode::SpeakerBusy.into(),
        DeviceKind::Microphone if refused => Problem::new(ErrorCode::MicrophoneMissing)
            .saying("This computer's settings do not let Sightline use the microphone."),
        DeviceKind::Speaker => ErrorCode::SpeakerMissing.into(),
        DeviceKind::Microphone | DeviceKind::Camera => ErrorCode::MicrophoneMissing.into(),
    }
}

/// How to open a device: its own channels and rate (resampling is better done once, by us), and callbacks of
/// 10 ms. The default buffer gave callbacks of 1.75 s on PulseAudio (docs/decisions).
pub(crate) fn config(default: &cpal::SupportedStreamConfig) -> (StreamConfig, SampleFormat) {
    let format = match default.sample_format() {
        SampleFormat::I16 => SampleFormat::I16,
        _ => SampleFormat::F32,
    };
    let sample_rate = default.sample_rate().clamp(LOWEST_RATE, HIGHEST_RATE);
    (
        StreamConfig {
            channels: default.channels().clamp(1, 2),
            sample_rate,
            buffer_size: BufferSize::Fixed(sample_rate / 100),
        },
        format,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_held_by_another_program_is_busy_not_missing() {
        let busy = cpal::Error::new(cpal::ErrorKind::DeviceBusy);
        assert_eq!(problem(DeviceKind::Microphone, &busy).code, ErrorCode::MicrophoneBusy);
        let gone = cpal::Error::new(cpal::ErrorKind::DeviceNotAvailable);
        assert_eq!(
            problem(DeviceKind::Microphone, &gone).code,
            ErrorCode::MicrophoneMissing
        );
        assert_eq!(problem(DeviceKind::Speaker, &busy).code, ErrorCode::SpeakerBusy);
    }
}
