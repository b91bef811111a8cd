//! The device list, kept fresh while a window shows it.

use crate::settings::Settings;
use sightline_wire::device::{Device, DeviceKind, DeviceList};
use std::{fs, path::PathBuf, time::SystemTime};

/// What there is, as last listed.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    found: Vec<Device>,
    /// Found earlier in this run and gone: their names are still worth showing.
    gone: Vec<Device>,
    /// Listing takes up to a second: one at a time.
    pub listing: bool,
    /// Folders in which devices appear and disappear.
    folders: Vec<PathBuf>,
    /// When something last changed in each.
    stamps: Vec<Option<SystemTime>>,
}

impl Devices {
    /// Whether the list has changed.
    pub fn replace(&mut self, found: Vec<Device>) -> bool {
        self.listing = false;
        if self.found == found {
            return false;
        }
        self.gone.append(&mut self.found);
        self.gone.retain(|device| !found.contains(device));
        self.gone.sort_by(|a, b| a.id.cmp(&b.id));
        self.gone.dedup();
        self.found = found;
        true
    }

    /// Watches these folders.
    pub fn watching(folders: Vec<PathBuf>) -> Self {
        let mut devices = Self {
            folders,
            ..Self::default()
        };
        devices.stamps = devices.stamps_now();
        devices
    }

    /// Whether something has changed where devices appear: a glance that costs nothing, as often as one likes. While a
    /// list is being made it is for later.
    pub fn stirred(&mut self) -> bool {
        if self.listing {
            return false;
        }
        let stamps = self.stamps_now();
        let stirred = stamps != self.stamps;
        self.stamps = stamps;
        stirred
    }

    fn stamps_now(&self) -> Vec<Option<SystemTime>> {
        let stamp = |folder: &PathBuf| fs::metadata(folder).and_then(|found| found.modified()).ok();
        self.folders.iter().map(stamp).collect()
    }

    /// Whether a device was there in this run, and is not any more.
    pub fn is_gone(&self, kind: DeviceKind, id: &str) -> bool {
        self.gone.iter().any(|device| device.kind == kind && device.id == id)
    }

    /// With what is chosen.
    pub fn list(&self, settings: &Settings) -> DeviceList {
        let kinds = [DeviceKind::Camera, DeviceKind::Microphone, DeviceKind::Speaker];
        DeviceList {
            devices: self.found.clone(),
            missing: kinds
                .into_iter()
                .filter_map(|kind| self.missing(kind, settings.device(kind)?))
                .collect(),
            camera: settings.device(DeviceKind::Camera),
            microphone: settings.device(DeviceKind::Microphone),
            speaker: settings.device(DeviceKind::Speaker),
        }
    }

    /// The chosen device of a kind, if it is not connected.
    fn missing(&self, kind: DeviceKind, id: String) -> Option<Device> {
        let is_it = |device: &&Device| device.kind == kind && device.id == id;
        if self.found.is_empty() || self.found.iter().any(|device| is_it(&device)) {
            return None;
        }
        let known = self.gone.iter().find(is_it).map(|device| device.name.clone());
        let name = known.unwrap_or_else(|| {
            match kind {
                DeviceKind::Camera => "Chosen camera",
                DeviceKind::Microphone => "Chosen microphone",
                DeviceKind::Speaker => "Chosen speaker",
            }
            .into()
        });
        Some(Device { id, kind, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, kind: DeviceKind) -> Device {
        let (id, name) = (id.to_owned(), format!("The {id}"));
        Device { id, kind, name }
    }

    #[test]
    fn a_device_that_comes_or_goes_stirs_its_folder_once() {
        let folder = std::env::temp_dir().join(format!("sightline-stir-{}", std::process::id()));
        let mut devices = Devices::watching(vec![folder.clone()]);
        assert!(!devices.stirred());
        fs::create_dir_all(&folder).expect("a folder for the test");
        devices.listing = true;
        assert!(!devices.stirred(), "not while a list is being made");
        devices.listing = false;
        assert!(devices.stirred());
        assert!(!devices.stirred());
        fs::remove_dir_all(&folder).expect("the folder can be removed");
        assert!(devices.stirred());
    }

    #[test]
    fn a_chosen_device_that_is_gone_is_shown_by_its_name_until_it_is_back() {
        let folder = std::env::temp_dir().join(format!("sightline-devices-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the test");
        let mut settings = Settings::open(&folder);
        settings
            .choose(DeviceKind::Microphone, Some("headset".into()))
            .expect("the settings can be written");
        let (headset, laptop) = (
            device("headset", DeviceKind::Microphone),
            device("laptop", DeviceKind::Microphone),
        );
        let mut devices = Devices::default();
        assert_eq!(
            devices.list(&settings).missing,
            [],
            "nothing is missed before the first listing"
        );

        assert!(devices.replace(vec![laptop.clone()]));
        assert_eq!(devices.list(&settings).missing[0].name, "Chosen microphone");
        assert!(devices.replace(vec![headset.clone(), laptop.clone()]));
        assert_eq!(devices.list(&settings).missing, []);
        assert!(devices.replace(vec![laptop.clone()]));
        assert_eq!(devices.list(&settings).missing, std::slice::from_ref(&headset));
        assert!(devices.is_gone(DeviceKind::Microphone, "headset"));
        assert!(!devices.is_gone(DeviceKind::Microphone, "laptop"));
        assert!(!devices.replace(vec![laptop.clone()]));
        assert!(devices.replace(vec![laptop, headset]));
        assert_eq!(devices.list(&settings).missing, []);
        fs::remove_dir_all(&folder).expect("the folder can be removed");
    }
}
