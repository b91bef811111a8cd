//! Microphones and speakers through cpal; PulseAudio first where there is one.

use super::RATE;
use cpal::{
    BufferSize, Device as CpalDevice, Host, SampleFormat, StreamConfig,
    traits::{DeviceTrait, HostTrait},
};
use sightline_wire::device::{Device, DeviceKind};
use std::sync::{Mutex, PoisonError};

/// The tone that stands in for a microphone.
pub const SYNTHETIC_MICROPHONE: &str = "synthetic:microphone";

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

fn is_monitor(id: &str, name: &str) -> bool {
    id.ends_with(".monitor") || name.starts_with("Monitor of ")
}

/// Finds a microphone or speaker; `None` takes the system's default.
pub(super) fn find(id: Option<&str>, kind: DeviceKind) -> Option<CpalDevice> {
    let wanted = id.map(str::parse).transpose().ok()?;
    with_host(|host| match &wanted {
        Some(id) => host.device_by_id(id),
        None if kind == DeviceKind::Speaker => host.default_output_device(),
        None => host.default_input_device(),
    })
    .flatten()
}

/// How to open a device: its own channels, 48 kHz, and callbacks of 10 ms. The default buffer gave
/// callbacks of 1.75 s on PulseAudio (docs/decisions).
pub(super) fn config(default: &cpal::SupportedStreamConfig) -> (StreamConfig, SampleFormat) {
    let format = match default.sample_format() {
        SampleFormat::I16 => SampleFormat::I16,
        _ => SampleFormat::F32,
    };
    let buffer_size = BufferSize::Fixed(super::FRAME as u32);
    (
        StreamConfig {
            channels: default.channels().min(2),
            sample_rate: RATE,
            buffer_size,
        },
        format,
    )
}
