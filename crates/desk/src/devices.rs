//! The device list, kept fresh while a window shows it.

use crate::settings::Settings;
use sightline_wire::device::{Device, DeviceKind, DeviceList};

/// What there is, as last listed.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    found: Vec<Device>,
    /// Listing takes up to a second: one at a time.
    pub listing: bool,
}

impl Devices {
    /// Whether the list has changed.
    pub fn replace(&mut self, found: Vec<Device>) -> bool {
        self.listing = false;
        let changed = self.found != found;
        self.found = found;
        changed
    }

    /// With what is chosen.
    pub fn list(&self, settings: &Settings) -> DeviceList {
        DeviceList {
            devices: self.found.clone(),
            camera: settings.device(DeviceKind::Camera),
            microphone: settings.device(DeviceKind::Microphone),
            speaker: settings.device(DeviceKind::Speaker),
        }
    }
}
